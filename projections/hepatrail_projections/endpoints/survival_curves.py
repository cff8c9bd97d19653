"""The tables of curves at the protocol's landmarks (`endpoints.md` 3.2)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Contribution, Row, Table, rounded, text
from hepatrail_projections.clinical.endpoints.competing import Incidence, incidence
from hepatrail_projections.clinical.endpoints.follow_up import End, Ended
from hepatrail_projections.clinical.endpoints.proportion import share_cell
from hepatrail_projections.clinical.endpoints.survival import Estimate, Followed, KaplanMeier

IMPUTED_DATE = "IMPUTED_DATE"
"""Flag: a date that counts here was not reported to the day."""
BEYOND_DATA = "BEYOND_DATA"
"""Flag: nobody is followed so far, and not because all had the event."""
SUM_DIFFERS = "SUM_DIFFERS"
"""Flag: freedom from both and the two incidences do not add up to 1."""

SECTION = "3.2"
_TOLERANCE = 1e-9
_ESTIMATE, _LIMIT = 4, 3


def curve_table(code: str, title: str, events: str, ended: Sequence[Ended], protocol: Protocol, *notes: str) -> Table:
    """A Kaplan-Meier curve at the landmarks; `events` heads what happened until then, ordered by participant."""
    columns = (
        Column("SURVIVAL", "S"),
        Column("SE", "Standard error (Greenwood)"),
        Column("LOWER", "Lower limit (log-log)"),
        Column("UPPER", "Upper limit (log-log)"),
        Column("EXACT", "Without event, exact interval (where no log-log interval exists and nobody was censored)"),
        Column("AT_RISK", "At risk"),
        Column("EVENTS", events),
        Column("CENSORED", "Censored before"),
    )
    rows = (
        Row(f"DAY_{at.tau}", f"Day {at.tau}", _curve_cells(at, ended, protocol)) for at in _estimates(ended, protocol)
    )
    return Table(code, title, SECTION, columns, tuple(rows), notes)


def incidence_table(ended: Sequence[Ended], protocol: Protocol) -> Table:
    """Transplant and death without transplant as competing events, with the check that nothing is lost."""
    columns = (
        Column("TRANSPLANT", "Cumulative incidence of transplant"),
        Column("DEATH", "Cumulative incidence of death without transplant"),
        Column("FREE", "Transplant-free survival"),
        Column("SUM", "Sum of the three (check: 1)"),
        Column("AT_RISK", "At risk"),
        Column("TRANSPLANTS", "Transplants, cumulative"),
        Column("DEATHS", "Deaths without transplant, cumulative"),
    )
    first = [each.first_event for each in ended]
    rows = (
        Row(
            f"DAY_{at.tau}",
            f"Day {at.tau}",
            _incidence_cells(at.tau, incidence(first, at.tau), at.survival, ended),
        )
        for at in _estimates(ended, protocol)
    )
    title = "Cumulative incidence of transplant and of death without transplant (Aalen-Johansen)"
    return Table("CUMULATIVE_INCIDENCE", title, SECTION, columns, tuple(rows))


def confidence(protocol: Protocol) -> Decimal:
    """The confidence of every interval."""
    return Decimal(protocol.endpoints.confidence)


def _estimates(ended: Sequence[Ended], protocol: Protocol) -> tuple[Estimate, ...]:
    rules = protocol.endpoints
    return _known_estimates(tuple(each.followed for each in ended), confidence(protocol), tuple(rules.landmark_days))


# Two tables rest on one curve, and most events move nobody's time.
@lru_cache(maxsize=8)
def _known_estimates(followed: tuple[Followed, ...], level: Decimal, days: tuple[int, ...]) -> tuple[Estimate, ...]:
    curve = KaplanMeier(followed, level)
    return tuple(curve.at(tau) for tau in days)


def _curve_cells(at: Estimate, ended: Sequence[Ended], protocol: Protocol) -> tuple[Cell, ...]:
    happened = [each for each in ended if each.happened and each.days <= at.tau]
    flags = _flags(happened, beyond=at.survival is None and bool(ended))
    everybody, of = _held(ended), len(ended)
    lower, upper = (None, None) if at.interval is None else (at.interval.lower, at.interval.upper)
    exact = Cell("EXACT", None, "")
    if at.supplement is not None:
        spared = _held(each for each in ended if not each.happened or each.days > at.tau)
        exact = share_cell("EXACT", spared, of, confidence(protocol), flags)
    return (
        Cell("SURVIVAL", text(at.survival), rounded(at.survival, _ESTIMATE), None, of, at.interval, everybody, flags),
        Cell("SE", text(at.se), rounded(at.se, _ESTIMATE), None, of, None, everybody, flags),
        Cell("LOWER", text(lower), rounded(lower, _LIMIT), None, of, None, everybody, flags),
        Cell("UPPER", text(upper), rounded(upper, _LIMIT), None, of, None, everybody, flags),
        exact,
        _count("AT_RISK", [each for each in ended if each.days >= at.tau]),
        _count("EVENTS", happened),
        _count("CENSORED", [each for each in ended if not each.happened and each.days < at.tau]),
    )


def _incidence_cells(tau: int, found: Incidence | None, free: float | None, ended: Sequence[Ended]) -> tuple[Cell, ...]:
    happened = [each for each in ended if each.happened and each.days <= tau]
    everybody, flags = _held(ended), _flags(happened, beyond=found is None and bool(ended))
    transplant, death = (None, None) if found is None else (float(found.transplant), float(found.death))
    estimates = [("TRANSPLANT", transplant), ("DEATH", death), ("FREE", free)]
    total = None if transplant is None or death is None or free is None else transplant + death + free
    differs = () if total is None or abs(total - 1) <= _TOLERANCE else (SUM_DIFFERS,)
    of = len(ended)
    return (
        *(
            Cell(column, text(value), rounded(value, _ESTIMATE), None, of, None, everybody, flags)
            for column, value in estimates
        ),
        Cell("SUM", text(total), rounded(total, 9), None, of, None, everybody, (*flags, *differs)),
        _count("AT_RISK", [each for each in ended if each.days >= tau]),
        _count("TRANSPLANTS", [each for each in happened if each.end is End.TRANSPLANT]),
        _count("DEATHS", [each for each in happened if each.end is End.DEATH]),
    )


def _count(column: str, who: Sequence[Ended]) -> Cell:
    flags = _flags([each for each in who if each.happened], beyond=False)
    count = str(len(who))
    return Cell(column, count, count, len(who), None, None, _held(who), flags if column != "AT_RISK" else ())


def _flags(happened: Iterable[Ended], *, beyond: bool) -> tuple[str, ...]:
    imputed = (IMPUTED_DATE,) if any(each.imputed for each in happened) else ()
    return (*imputed, BEYOND_DATA) if beyond else imputed


def _held(ended: Iterable[Ended]) -> tuple[Contribution, ...]:
    """In the order of the participants, in which the curves have them."""
    return tuple(each.held for each in ended)
