"""Rows derived event by event are those derived from nothing, whatever happened."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

from grading_course import LIMITS, Course, S, linked, minute
from hepatrail_events.codec import read
from hepatrail_events.concomitant import (
    MedicationRecorded,
    ProcedureKind,
    ProcedureRecorded,
)
from hepatrail_events.measurements import (
    LabFindingReviewed,
    LabResultCorrected,
    LabResultVoided,
)
from hepatrail_events.sessions import SessionCorrected, SessionVoided
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.grading.terms import TERMS_OF
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.lab_result import LabResultRow, lab_result_rows
from hepatrail_projections.subject_view import empty_view, fold
from projection_log import SEALED, LogWriter


def random_event(course: Course, results: list[UUID], chance: random.Random, session: UUID | None) -> UUID | None:
    """Something that may change a grade, or may not."""
    log = course.log
    log.tick(chance.uniform(10, 900))
    match chance.choice(
        ("result",) * 6 + ("correct", "void", "drug", "observe", "procedure", "review", "session", "ae")
    ):
        case "result":
            code = chance.choice(list(LIMITS))
            value = f"{chance.uniform(1, 300):.1f}"
            at = log.now - timedelta(hours=chance.choice((0, 0, 30)))
            sign = chance.choice((None, None, None, "<", ">"))
            results.append(course.measured(code, value, at=at, comparator=sign, fasting=chance.choice((None, True))))
        case "correct" if results:
            name, text = chance.choice((("value", "20"), ("high", "12"), ("low", None), ("comparator", ">")))
            chosen = chance.choice(results)
            course.commit(LabResultCorrected(id=chosen, field=name, new_value=text, reason=SEALED, accepted=True))
        case "void" if results:
            gone = results.pop(chance.randrange(len(results)))
            reason = VoidReason.DUPLICATE
            course.commit(LabResultVoided(id=gone, reason_code=reason, reason_text=SEALED))
        case "drug":
            course.commit(
                MedicationRecorded(
                    medication_id=log.uuid(),
                    verbatim=SEALED,
                    started_at=minute(log.now - timedelta(days=chance.randint(0, 9))),
                    therapeutic_anticoagulant=chance.random() < 0.5,
                )
            )
        case "observe":
            course.observed("on_anticoagulation", chance.choice(("true", "false")))
        case "procedure":
            begun = minute(log.now - timedelta(days=1))
            course.commit(ProcedureRecorded(procedure_id=log.uuid(), kind=ProcedureKind.CVVHD, started_at=begun))
        case "review" if results:
            course.commit(LabFindingReviewed(result_id=chance.choice(results), clinically_significant=False))
        case "ae":
            linked(course)
        case "session":
            if session is None:
                return course.treated()
            if chance.random() < 0.5:
                moved = format_instant(log.now - timedelta(hours=chance.randint(1, 200)))
                course.commit(SessionCorrected(id=session, field="startedAt", new_value=moved, reason=SEALED))
            else:
                reason = VoidReason.ENTERED_IN_ERROR
                course.commit(SessionVoided(id=session, reason_code=reason, reason_text=SEALED))
                return None
        case _:
            pass
    return session


@pytest.mark.parametrize("seed", range(6))
def test_rows_derived_event_by_event_equal_rows_derived_from_nothing(seed: int) -> None:
    course, chance, results = Course(LogWriter(seed + 1)), random.Random(seed), list[UUID]()
    session: UUID | None = None
    before: tuple[SubjectView, tuple[LabResultRow, ...]] | None = None
    seen: set[tuple[str, str]] = set()
    view, read_to = empty_view(S), 0
    for _ in range(70):
        session = random_event(course, results, chance, session)
        for each in course.log.records[read_to:]:
            recorded = read(each.value or b"") if each.topic == EVENTS else None
            if recorded is not None and recorded.envelope.stream == course.stream:
                view = fold(view, recorded)
        read_to = len(course.log.records)
        state = course.state(view)
        rows = lab_result_rows(view, state, before)
        assert rows == lab_result_rows(view, state)
        before = (view, rows)
        seen |= {(row.code, each["status"]) for row in rows for each in row.grades}
    assert {status for _, status in seen} == {"graded", "ungradable", "incomplete", "none"}
    assert len({code for code, _ in seen}) >= len(set(LIMITS) & set(TERMS_OF)) - 1
