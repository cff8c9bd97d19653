"""CON-02: procedures of one kind that overlap.

Decided here, because the reference leaves room: only what overlaps for certain is asked about, at the precision to
which the times are known; the question is about the procedure that was recorded later. Without an end a procedure
goes on, but of a hemodialysis without one no length is known.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.concomitant import ProcedureKind, ProcedureRecorded
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.corrections import Record
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together

_GOES_ON = datetime(9999, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)

_Kept = tuple[UUID, Record[ProcedureRecorded], tuple[datetime, datetime]]


def overlapping(view: SubjectView, state: ClinicalState) -> Iterator[Finding]:
    """One finding a procedure for all that were recorded before it and overlap with it."""
    before: dict[ProcedureKind, list[_Kept]] = {}
    for procedure_id, record in view.procedures.items():
        lasted = None if record.voided is not None else _certainly(record.fact, state.zone)
        if lasted is None:
            continue
        others = before.setdefault(record.fact.kind, [])
        found = [other for other in others if max(lasted[0], other[2][0]) < min(lasted[1], other[2][1])]
        if found:
            yield _finding(procedure_id, record, found)
        others.append((procedure_id, record, lasted))


def _certainly(fact: ProcedureRecorded, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """From the latest start to the earliest end that the times allow; None when that is nothing."""
    started, ended = span(fact.started_at, zone), None if fact.ended_at is None else span(fact.ended_at, zone)
    if started is None or (ended is None and (fact.ended_at is not None or fact.kind is ProcedureKind.HD)):
        return None
    begins, ends = started[1] - _MINUTE, _GOES_ON if ended is None else ended[0]
    return (begins, ends) if begins < ends else None


def _finding(procedure_id: UUID, record: Record[ProcedureRecorded], found: list[_Kept]) -> Finding:
    fact = record.fact
    others = " and ".join(f"the one from {say(each[1].fact.started_at)}" for each in found)
    message = f"{fact.kind.value} from {say(fact.started_at)} overlaps with {others}; correct the times, or void one."
    ids = together(record.event_ids, *(each[1].event_ids for each in found))
    return Finding(QueryObject.PROCEDURE, procedure_id, (Condition("OVERLAP", message),), ids)


CON_02 = Rule("CON-02", "1", ((QueryObject.PROCEDURE, ""),), overlapping)
