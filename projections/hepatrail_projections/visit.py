"""`visit`: one time point of one participant: its window and what was observed. Its status depends on the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from hepatrail_projections.clinical.assignment import PointAssignment
from hepatrail_projections.clinical.auxiliary import AuxiliaryPoint
from hepatrail_projections.clinical.evidence import Circumstances, VisitEvidence, evidence, superseded
from hepatrail_projections.clinical.inputs import Period, Stop
from hepatrail_projections.clinical.items import ItemRules
from hepatrail_projections.clinical.visits import TimePoint
from hepatrail_projections.clinical.windows import Window
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.table import Json, Table
from hepatrail_projections.visit_json import (
    Written,
    done_json,
    lacking_json,
    read_done,
    read_lacking,
    read_stop,
    stop_json,
)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A time point (`visits.md`); `visits.py` tells its status, notices and deviation at an instant.

    `series` is MAIN, AUXILIARY (after the later session `session_id`) or SAFETY_FOLLOW_UP (after the last one);
    only the main ones count for compliance. `target`, `earliest`, `latest`, `ends` (exclusive) and, for a date
    point, the civil dates `first_date` and `last_date` of its window; None while the window is undefined.
    `required` are item codes in the order to show; `done` is `{item: {at | on, inWindow, duringSession}}`, of an
    item with sub-inputs `{inWindow, duringSession, inputs: [{code, at | on, inWindow, basis}]}`; `unusable` is
    `{item: reason}`, `lacking` `{item: [{code, reason}]}`. `stops` are `{cause, time, vitalStatusAllowed}`; `zone`,
    `lookback_days`, `entry_grace_hours`, `post_transplant`, `ae` and `surv` are the protocol's, so that the status
    needs nothing else.
    """

    subject_id: str
    code: str
    ordinal: int
    series: str
    session_id: UUID | None
    kind: str
    target: datetime | None
    earliest: datetime | None
    latest: datetime | None
    latest_inclusive: bool | None
    ends: datetime | None
    first_date: date | None
    last_date: date | None
    t0: datetime | None
    ae: bool
    surv: bool
    required: Json
    done: Json
    unusable: Json
    lacking: Json
    stops: Json
    zone: str
    lookback_days: int
    entry_grace_hours: int
    post_transplant: str
    protocol_version: str
    event_ids: tuple[UUID, ...]


VISIT = Table("visit", VisitRow, ("subject_id", "code"))


def visit_rows(view: SubjectView, state: ClinicalState) -> tuple[VisitRow, ...]:
    """All time points of the plan in its order, then the auxiliary ones in the order of their sessions."""
    anchored, plan = state.anchored, state.plan
    rules = ItemRules(plan, view.enrolment is not None, _procedures(view))
    t0 = None if anchored is None else anchored.t0
    main = Circumstances(t0, state.stops, rules, state.later_sessions)
    windows = {window.code: window for window in state.windows}
    anchor_ids = () if anchored is None else anchored.event_ids
    written = Written()
    rows: list[VisitRow] = []
    for point in plan.points:
        assigned, required = state.assignment.points[point.code], plan.required(point)
        found = evidence(point, windows.get(point.code), assigned, required, main)
        basis = _Basis(assigned, required, main, anchor_ids)
        rows.append(_row(view.subject_id, len(rows), found, basis, state, written))
    for each in state.auxiliary:
        assigned, required = state.assignment.auxiliary[each.point.code], plan.auxiliary_required(each.point)
        replaced = superseded(each, assigned, plan)
        beside = Circumstances(t0, state.stops if replaced is None else (*state.stops, replaced), rules)
        found = evidence(each.point, each.window, assigned, required, beside)
        basis = _Basis(assigned, required, beside, each.event_ids)
        rows.append(_row(view.subject_id, len(rows), found, basis, state, written, each))
    return tuple(rows)


class _Basis(NamedTuple):
    """What a row is made of; `event_ids` are those of what its window counts from."""

    assigned: PointAssignment
    required: Sequence[str]
    known: Circumstances
    event_ids: tuple[UUID, ...]


def _procedures(view: SubjectView) -> list[Period]:
    return [
        Period(record.fact.kind.value, record.fact.started_at, record.fact.ended_at, record.event_ids)
        for record in view.procedures.values()
        if record.voided is None
    ]


def _row(
    subject_id: str,
    ordinal: int,
    found: VisitEvidence,
    basis: _Basis,
    state: ClinicalState,
    written: Written,
    auxiliary: AuxiliaryPoint | None = None,
) -> VisitRow:
    point, window, plan = found.point, found.window, state.plan
    return VisitRow(
        subject_id=subject_id,
        code=point.code,
        ordinal=ordinal,
        series="MAIN" if auxiliary is None else auxiliary.series,
        session_id=None if auxiliary is None else auxiliary.session_id,
        kind=point.kind,
        target=None if window is None else window.target,
        earliest=None if window is None else window.earliest,
        latest=None if window is None else window.latest,
        latest_inclusive=None if window is None else window.latest_inclusive,
        ends=None if window is None else window.ends,
        first_date=None if window is None else window.first_date,
        last_date=None if window is None else window.last_date,
        t0=found.t0,
        ae=point.ae,
        surv=point.surv,
        required=list(basis.required),
        done=done_json(found, written),
        unusable=dict(found.unusable),
        lacking=lacking_json(found, written),
        stops=[stop_json(stop) for stop in basis.known.stops],
        zone=plan.zone,
        lookback_days=plan.baseline_lookback_days,
        entry_grace_hours=plan.entry_grace_hours,
        post_transplant=plan.post_transplant,
        protocol_version=state.published.version,
        event_ids=_event_ids(basis, found),
    )


def _event_ids(basis: _Basis, found: VisitEvidence) -> tuple[UUID, ...]:
    """The events that a row rests on, each once."""
    ids = list(basis.event_ids)
    for stop in basis.known.stops:
        ids += stop.event_ids
    for each in (*basis.assigned.used.values(), *basis.assigned.refused.values()):
        ids += each.observation.event_ids
    for parts in found.parts.values():
        for part in parts:
            ids += part.further_event_ids
    return tuple(dict.fromkeys(ids))


def row_evidence(row: VisitRow) -> VisitEvidence:
    """What the row knows, as the compliance rules read it."""
    kind: Any = row.kind
    window = None
    if row.target is not None and row.earliest is not None and row.latest is not None and row.ends is not None:
        window = Window(row.code, kind, row.target, row.earliest, row.latest, row.ends, row.first_date, row.last_date)
    return VisitEvidence(
        point=TimePoint(row.code, kind, ae=row.ae, surv=row.surv),
        window=window,
        t0=row.t0,
        done=read_done(row.done),
        unusable=dict(row.unusable),
        lacking=read_lacking(row.lacking),
    )


def row_stops(row: VisitRow) -> tuple[Stop, ...]:
    """The stops that the row knows."""
    return tuple(read_stop(stop) for stop in row.stops)
