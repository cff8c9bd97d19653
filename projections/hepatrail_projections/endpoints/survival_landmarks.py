"""Proportions at each participant's own calendar landmarks (`endpoints.md` 3.1 and 3.2)."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.protocol import Point, Protocol
from hepatrail_projections.clinical.calendar import add_months
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table
from hepatrail_projections.clinical.endpoints.follow_up import FollowUp, Standing, standing
from hepatrail_projections.clinical.endpoints.proportion import count_cell, proportion_cell
from hepatrail_projections.endpoints.change_parameters import point_label
from hepatrail_projections.endpoints.survival_curves import IMPUTED_DATE, SECTION, confidence
from hepatrail_projections.endpoints.survival_facts import SurvivalFacts


class _Stand(NamedTuple):
    """A participant at the own landmark: `reached` is whether the data cut lies on or behind it."""

    subject_id: str
    what: Standing
    event_ids: tuple[UUID, ...]
    reached: bool
    imputed: bool

    @property
    def named(self) -> tuple[str, tuple[UUID, ...]]:
        return self.subject_id, self.event_ids


def crude_table(facts: Sequence[SurvivalFacts], protocol: Protocol, cut: date) -> Table:
    """Who lives at the own landmark among those of whom it is known, and in the worst and the best case."""
    columns = (
        Column("ALIVE", "Alive, of those with known status"),
        Column("WORST", "Worst case (unknown as dead), of N"),
        Column("BEST", "Best case (unknown as alive), of N"),
        Column("KNOWN", "Known status, of N"),
        Column("UNKNOWN", "Unknown status"),
        Column("NOT_REACHED", "Landmark after the data cut"),
    )
    rows = tuple(
        Row(point.code, point_label(point.code), _crude_cells(list(_stands(facts, point, cut)), protocol))
        for point in landmark_points(protocol)
    )
    note = "Each participant's own calendar landmark counts from the date of the first session's start."
    title = "Crude survival at the participant's own calendar landmarks"
    return Table("CRUDE_SURVIVAL", title, SECTION, columns, rows, (note,))


def transplant_table(facts: Sequence[SurvivalFacts], protocol: Protocol) -> Table:
    """Who was transplanted by the own landmark, of all treated."""
    rows = []
    treated = [each.follow_up for each in facts if each.follow_up is not None]
    for point in landmark_points(protocol):
        done = [
            (each.subject_id, each.transplant)
            for each in treated
            if each.transplant is not None and each.transplant.day <= landmark(each, point)
        ]
        flags = (IMPUTED_DATE,) if any(known.imputed for _, known in done) else ()
        who = [(subject_id, known.event_ids) for subject_id, known in done]
        cell = proportion_cell("TRANSPLANTED", who, len(treated), confidence(protocol), flags)
        rows.append(Row(point.code, point_label(point.code), (cell,)))
    columns = (Column("TRANSPLANTED", "Transplanted by the own landmark, of N"),)
    return Table("TRANSPLANT_PROPORTION", "Liver transplant after the first session", SECTION, columns, tuple(rows))


def landmark_points(protocol: Protocol) -> tuple[Point, ...]:
    """The time points of survival; each is a calendar landmark."""
    return tuple(each for each in protocol.points if each.surv and (each.target_days or each.target_months))


def landmark(of: FollowUp, point: Point) -> date:
    """The civil day of a time point, counted from T0 and never from the end of a session."""
    if point.target_months is not None:
        return add_months(of.t0.day, point.target_months)
    return of.t0.day + timedelta(days=point.target_days or 0)


def _stands(facts: Sequence[SurvivalFacts], point: Point, cut: date) -> Iterator[_Stand]:
    for each in facts:
        if each.follow_up is not None:
            of, day = each.follow_up, landmark(each.follow_up, point)
            what, ids = standing(of, day, each.seen_at(point.code))
            yield _Stand(each.subject_id, what, ids, cut >= day, of.death is not None and of.death.imputed)


def _crude_cells(stands: Sequence[_Stand], protocol: Protocol) -> tuple[Cell, ...]:
    alive = [each for each in stands if each.what is Standing.ALIVE]
    unknown = [each for each in stands if each.what is Standing.UNKNOWN]
    known = [each for each in stands if each.what is not Standing.UNKNOWN]
    ahead = [each for each in stands if not each.reached]
    flags = (IMPUTED_DATE,) if any(each.imputed for each in known) else ()
    of, level = len(stands), confidence(protocol)
    return (
        proportion_cell("ALIVE", (each.named for each in alive), len(known), level, flags),
        proportion_cell("WORST", (each.named for each in alive), of, level, flags),
        proportion_cell("BEST", (each.named for each in (*alive, *unknown)), of, level, flags),
        proportion_cell("KNOWN", (each.named for each in known), of, level),
        count_cell("UNKNOWN", len(unknown), (each.named for each in unknown)),
        count_cell("NOT_REACHED", len(ahead), (each.named for each in ahead)),
    )
