"""Exposure-adjusted rates of adverse events (`endpoints.md` section 2): events by participant-years.

Decided here, because the reference leaves room: time is counted in whole civil days, as in section 3.1; the data cut
ends it where nothing else has.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import chain

from hepatrail_projections.clinical.endpoints.cells import (
    Cell,
    Column,
    Contribution,
    Row,
    Table,
    contributions,
    in_order,
    rounded,
    text,
)
from hepatrail_projections.endpoints.safety_cells import EVENTS, SafetySet
from hepatrail_projections.endpoints.safety_lines import RATED, Line

DAYS_OF_A_YEAR = Fraction("365.25")

_YEARS = Column("YEARS", "Participant-years")
_RATE = Column("RATE", "Events per participant-year")


def rate_table(saf: SafetySet, cut: date) -> Table:
    """The rates; without any time at risk they are not estimable."""
    years = participant_years(saf, cut)
    everybody = contributions((each.subject_id, (*each.session_ids, *each.contact_ids)) for each in saf.members)
    at_risk = Cell(_YEARS.code, text(years), rounded(years, 2), saf.n, contributions=everybody)
    return Table(
        code="TEAE_EXPOSURE_ADJUSTED",
        title="Exposure-adjusted rates of treatment-emergent adverse events",
        section="2",
        columns=(EVENTS, _YEARS, _RATE),
        rows=tuple(_row(line, saf, years, at_risk) for line in RATED),
        notes=(
            f"N = {saf.n} participants of the safety set. Time at risk runs from the start of the first session to the "
            "first of last contact, end of the treatment-emergent window and death.",
        ),
    )


def participant_years(saf: SafetySet, cut: date) -> Fraction:
    """The time at risk of all, exact."""
    return Fraction(sum(each.days_at_risk(cut) for each in saf.members)) / DAYS_OF_A_YEAR


def _row(line: Line, saf: SafetySet, years: Fraction, at_risk: Cell) -> Row:
    held, events = saf.counted(line.code, line.falls)
    rate = events / years if years else None
    counted = Cell(EVENTS.code, str(events), str(events), events, contributions=held)
    shown = Cell(_RATE.code, text(rate), rounded(rate, 2), events, contributions=_both(line, saf, held, at_risk))
    return Row(line.code, line.label, (counted, at_risk, shown), line.level)


def _both(line: Line, saf: SafetySet, held: Sequence[Contribution], at_risk: Cell) -> tuple[Contribution, ...]:
    """A rate rests on the events and on everybody's time."""
    events = {each.subject_id: each.event_ids for each in held}

    def merged(each: Contribution) -> Contribution:
        made_of = events.get(each.subject_id, ()), each.event_ids
        place = "rate", line.code, each.subject_id
        return saf.memory.made(place, made_of, lambda: Contribution(each.subject_id, in_order(chain(*made_of))))

    return tuple(map(merged, at_risk.contributions))
