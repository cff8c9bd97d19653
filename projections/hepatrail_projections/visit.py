"""`visit`: one time point of one participant: its window and what was observed. Its status depends on the clock."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.compliance import Done, VisitEvidence, evidence
from hepatrail_projections.clinical.inputs import Collected, Stop
from hepatrail_projections.clinical.visits import TimePoint
from hepatrail_projections.clinical.windows import Window
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.table import Json, Table

REQUIRED = SEED_LABS
"""The items of every time point in this slice: the 21 laboratory analytes."""


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A time point (`visits.md`); `visits.status_at` tells its status at an instant.

    `target`, `earliest`, `latest`, `ends` (exclusive) and, for a date point, the civil dates `first_date` and
    `last_date` of its window; None while the window is undefined. `required` are item codes in the order to show;
    `done` is `{item: {at | on, inWindow}}`, `unusable` `{item: reason}`. `stops` are
    `{cause, time, vitalStatusAllowed}`; `zone`, `lookback_days`, `post_transplant`, `ae` and `surv` are the
    protocol's, so that the status needs nothing else.
    """

    subject_id: str
    code: str
    ordinal: int
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
    stops: Json
    zone: str
    lookback_days: int
    post_transplant: str
    protocol_version: str
    event_ids: tuple[UUID, ...]


VISIT = Table("visit", VisitRow, ("subject_id", "code"))


def visit_rows(view: SubjectView, state: ClinicalState) -> tuple[VisitRow, ...]:
    """All time points of the plan, in its order."""
    stops = [_stop(stop) for stop in state.stops]
    stop_ids = tuple(event_id for stop in state.stops for event_id in stop.event_ids)
    anchor_ids = () if state.anchored is None else state.anchored.event_ids
    rows = []
    for ordinal, point in enumerate(state.plan.points):
        assigned = state.assignment.points[point.code]
        known = evidence(point, state.windows, assigned, state.anchored)
        used_ids = (event_id for each in assigned.used.values() for event_id in each.observation.event_ids)
        rows.append(
            _row(
                view.subject_id,
                ordinal,
                known,
                stops,
                tuple(dict.fromkeys((*anchor_ids, *stop_ids, *used_ids))),
                state,
            )
        )
    return tuple(rows)


def _row(
    subject_id: str,
    ordinal: int,
    known: VisitEvidence,
    stops: list[dict[str, Any]],
    event_ids: tuple[UUID, ...],
    state: ClinicalState,
) -> VisitRow:
    point, window, plan = known.point, known.window, state.plan
    return VisitRow(
        subject_id=subject_id,
        code=point.code,
        ordinal=ordinal,
        kind=point.kind,
        target=None if window is None else window.target,
        earliest=None if window is None else window.earliest,
        latest=None if window is None else window.latest,
        latest_inclusive=None if window is None else window.latest_inclusive,
        ends=None if window is None else window.ends,
        first_date=None if window is None else window.first_date,
        last_date=None if window is None else window.last_date,
        t0=known.t0,
        ae=point.ae,
        surv=point.surv,
        required=list(REQUIRED),
        done={item: _done(known.done[item]) for item in REQUIRED if item in known.done},
        unusable={item: known.unusable[item] for item in REQUIRED if item in known.unusable},
        stops=stops,
        zone=plan.zone,
        lookback_days=plan.baseline_lookback_days,
        post_transplant=plan.post_transplant,
        protocol_version=state.published.version,
        event_ids=event_ids,
    )


def _done(done: Done) -> dict[str, Any]:
    collected = done.collected
    if collected.instant is not None:
        return {"at": format_instant(collected.instant), "inWindow": done.in_window}
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return {"on": collected.local_date.isoformat(), "inWindow": done.in_window}


def _stop(stop: Stop) -> dict[str, Any]:
    return {"cause": stop.cause, "time": format_instant(stop.time), "vitalStatusAllowed": stop.vital_status_allowed}


def row_evidence(row: VisitRow) -> VisitEvidence:
    """What the row knows, as the compliance rules read it."""
    done: dict[str, Any] = dict(row.done)
    window = None
    if row.target is not None and row.earliest is not None and row.latest is not None and row.ends is not None:
        window = Window(
            row.code,
            _kind(row),
            row.target,
            row.earliest,
            row.latest,
            row.ends,
            row.first_date,
            row.last_date,
        )
    point = TimePoint(row.code, _kind(row), ae=row.ae, surv=row.surv)
    return VisitEvidence(
        point, window, row.t0, {item: _read_done(found) for item, found in done.items()}, dict(row.unusable)
    )


def row_stops(row: VisitRow) -> tuple[Stop, ...]:
    """The stops that the row knows."""
    stops: list[dict[str, Any]] = list(row.stops)
    return tuple(
        Stop(stop["cause"], datetime.fromisoformat(stop["time"]), stop["vitalStatusAllowed"]) for stop in stops
    )


def _kind(row: VisitRow) -> Any:
    return row.kind


def _read_done(found: dict[str, Any]) -> Done:
    if "at" in found:
        return Done(Collected(datetime.fromisoformat(found["at"])), found["inWindow"])
    return Done(Collected(None, date.fromisoformat(found["on"])), found["inWindow"])
