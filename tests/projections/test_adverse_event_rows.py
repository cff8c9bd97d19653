"""What a row of `adverse_event` says (`safety.md` section 9), derived anew from sessions, protocol and conditions."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AEUpgradedToSerious,
    AEVoided,
    AEVoidRequested,
    CausalityTarget,
    Criterion,
)
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.baseline_conditions import BaselineConditionRecorded, BaselineConditionVoided
from hepatrail_events.codec import read
from hepatrail_events.event import Event
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.sessions import EndReason, SessionCorrected, SessionEnded, SessionStarted, SessionVoided
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision, format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.adverse_event import ADVERSE_EVENT, AdverseEventRow, adverse_event_rows
from hepatrail_projections.clinical.inputs import Stop
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from projection_log import SEALED, LogWriter, adverse_event, enrol, publish, start

S = "S-1"
STREAM = f"subject-{S}"
CONDITION = UUID("00000000-0000-4000-8000-00000000bc01")
JUDGED: dict[str, Any] = {"rationale": SEALED}


@pytest.fixture
def log() -> LogWriter:
    written = LogWriter(23)
    publish(written)
    enrol(written, S)
    written.tick(60)
    return written


def row(log: LogWriter, *, published: bool = True) -> AdverseEventRow:
    """The row of the only adverse event."""
    (found,) = rows(log, published=published)
    return found


def rows(log: LogWriter, *stops: Stop, published: bool = True) -> tuple[AdverseEventRow, ...]:
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    view = fold_all(S, [each for each in events if each.envelope.stream == STREAM])
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    version = study.published_at(log.now) if published else None
    if version is None:
        return adverse_event_rows(view, None)
    state = clinical_state(view, version)
    return adverse_event_rows(view, replace(state, stops=(*state.stops, *stops)))


def say(
    log: LogWriter, event: AEReported, version: int, kind: type[Event], role: str = "INVESTIGATOR", **body: Any
) -> None:
    log.commit(STREAM, kind.model_validate({"ae_id": event.ae_id, "ae_version": version, **body}), role=role)


def session(log: LogWriter, at: datetime, **changes: object) -> SessionStarted:
    """A session of six hours from `at`."""
    begun = start(log, STREAM, started_at=at, **changes)
    ended = SessionEnded(session_id=begun.session_id, ended_at=at + timedelta(hours=6), reason=EndReason.COMPLETED)
    log.commit(STREAM, ended)
    return begun


def minute(at: datetime) -> PartialDate:
    return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)


def test_every_field_of_section_9_is_a_column() -> None:
    named = {column.name for column in ADVERSE_EVENT.columns}
    assert named >= {
        "ae_id", "subject_id", "code", "meddra", "verbatim", "onset", "end_at", "state", "current_grade", "max_grade",
        "max_grade_te", "criteria", "serious", "ever_serious", "teae", "teae_case", "te_onset", "tesae", "te_flags",
        "aesi", "related", "related_assessed", "unexpected", "expectedness", "susar", "provisional", "dev_sae",
        "outcome", "action_taken", "related_session_id", "ongoing_at_death", "post_transplant", "void_requested",
        "void", "ae_version",
    }  # fmt: skip


def test_a_new_serious_event_in_a_session_is_a_provisional_susar(log: LogWriter) -> None:
    begun = session(log, log.now)
    at = minute(begun.started_at + timedelta(hours=1))
    adverse_event(log, STREAM, onset=at, grade_at=at, criteria=(Criterion.LIFE_THREATENING,))
    found = row(log)
    assert (found.teae, found.teae_case, found.te_onset, found.tesae) == (True, "A", at.payload(), True)
    assert (found.max_grade_te, found.te_flags, found.te_provisional) == (2, [], False)
    assert (found.exposed, found.related, found.related_assessed) == (True, True, False)
    assert (found.susar, found.provisional, found.dev_sae, found.fatal_lt) == (True, True, True, True)
    assert (found.unexpected, found.expectedness, found.rsi) == (True, "UNEXPECTED", None)
    assert (found.related_session_id, found.aesi, found.state) == (begun.session_id, True, "OPEN")
    assert (found.protocol_version, found.post_transplant) == ("1.0", False)
    assert len(found.derived_event_ids) == 2


def test_before_any_treatment_an_event_is_neither_emergent_nor_exposed(log: LogWriter) -> None:
    adverse_event(log, STREAM, criteria=(Criterion.HOSPITALISATION,))
    found = row(log)
    assert (found.serious, found.teae, found.tesae, found.exposed, found.related) == (True, False, False, False, False)
    assert (found.susar, found.te_provisional, found.derived_event_ids) == (False, False, ())


def test_a_session_that_is_corrected_or_void_derives_every_event_again(log: LogWriter) -> None:
    begun = session(log, log.now)
    at = minute(begun.started_at + timedelta(minutes=30))
    adverse_event(log, STREAM, onset=at, grade_at=at)
    adverse_event(log, STREAM, onset=at, grade_at=at)
    assert [each.teae for each in rows(log)] == [True, True]
    later = format_instant(begun.started_at + timedelta(hours=1))
    log.commit(STREAM, SessionCorrected(id=begun.session_id, field="startedAt", new_value=later, reason=SEALED))
    assert [each.teae for each in rows(log)] == [False, False]
    placed = format_instant(begun.started_at + timedelta(minutes=10))
    log.commit(STREAM, SessionCorrected(id=begun.session_id, field="accessPlacedAt", new_value=placed, reason=SEALED))
    assert [(each.teae, each.exposed) for each in rows(log)] == [(True, False), (True, False)]
    void = SessionVoided(id=begun.session_id, reason_code=VoidReason.WRONG_PARTICIPANT, reason_text=SEALED)
    log.commit(STREAM, void)
    assert [each.teae for each in rows(log)] == [False, False]


def test_a_void_first_session_moves_t0_to_the_second(log: LogWriter) -> None:
    first = session(log, log.now)
    at = minute(first.started_at + timedelta(hours=1))
    adverse_event(log, STREAM, onset=at, grade_at=at)
    session(log, log.tick(3 * 24 * 60))
    assert row(log).teae
    void = SessionVoided(id=first.session_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED)
    log.commit(STREAM, void)
    assert not row(log).teae


def test_while_a_session_runs_the_window_has_no_end(log: LogWriter) -> None:
    begun = start(log, STREAM)
    adverse_event(log, STREAM, onset=minute(begun.started_at + timedelta(days=500)))
    assert (row(log).teae, row(log).te_provisional) == (True, True)
    ended = SessionEnded(session_id=begun.session_id, ended_at=log.tick(300), reason=EndReason.COMPLETED)
    log.commit(STREAM, ended)
    assert (row(log).teae, row(log).te_provisional) == (False, False)


def test_the_protocol_chooses_the_session_whose_end_closes_the_window(log: LogWriter) -> None:
    first = session(log, log.now)
    session(log, log.tick(60 * 24 * 60))
    adverse_event(log, STREAM, onset=minute(first.started_at + timedelta(days=400)))
    assert row(log).teae
    publish(log, "2.0", safety=SafetyRules(safety_end_anchor="FIRST_SESSION_END").model_dump())
    assert (row(log).teae, row(log).protocol_version) == (False, "2.0")


def test_an_event_after_the_transplant_is_emergent_and_marked(log: LogWriter) -> None:
    session(log, log.now)
    transplanted = log.tick(24 * 60)
    adverse_event(log, STREAM, onset=minute(transplanted - timedelta(hours=1)))
    adverse_event(log, STREAM, onset=minute(transplanted + timedelta(hours=1)))
    before, after = rows(log, Stop("TRANSPLANT", transplanted, event_ids=(CONDITION,)))
    assert (before.te_flags, before.post_transplant, before.teae) == ([], False, True)
    assert (after.te_flags, after.post_transplant, after.teae) == (["postTransplant"], True, True)
    assert CONDITION in after.derived_event_ids


def test_a_worsening_is_measured_against_the_baseline_condition(log: LogWriter) -> None:
    condition = BaselineConditionRecorded(baseline_condition_id=CONDITION, code="OTHER", verbatim=SEALED, grade=2)
    log.commit(STREAM, condition)
    session(log, log.now)
    event = adverse_event(log, STREAM, code="OTHER", baseline_condition_id=CONDITION, grade=2)
    assert (row(log).teae, row(log).grade_before) == (False, 2)
    at = minute(log.tick(60))
    say(log, event, 2, AEGradeChanged, from_grade=2, to_grade=3, grade_at=at)
    found = row(log)
    assert (found.teae_case, found.te_onset, found.max_grade_te) == ("B", at.payload(), 3)
    assert len(found.derived_event_ids) == 3
    void = BaselineConditionVoided(id=CONDITION, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
    log.commit(STREAM, void)
    assert (row(log).teae_case, row(log).grade_before) == ("A", None)


def test_the_sponsor_adds_and_never_downgrades_the_investigators_causality(log: LogWriter) -> None:
    session(log, log.now)
    event = adverse_event(log, STREAM, criteria=(Criterion.HOSPITALISATION,))
    assessments = [
        ("INVESTIGATOR", CausalityTarget.CELL_PRODUCT, "POSSIBLE"),
        ("INVESTIGATOR", CausalityTarget.DEVICE, "UNRELATED"),
        ("SPONSOR", CausalityTarget.CELL_PRODUCT, "UNRELATED"),
    ]
    for number, (assessor, target, value) in enumerate(assessments, 2):
        body = {"assessor": assessor, "target": target, "value": value} | JUDGED
        say(log, event, number, AECausalityAssessed, role=assessor, **body)
    found = row(log)
    assert [(each["assessor"], each["target"], each["value"]) for each in found.causality] == assessments
    assert (found.related_assessed, found.susar, found.provisional, found.dev_sae) == (True, True, False, False)
    rationale = JUDGED | {"assessor": "INVESTIGATOR", "target": "CELL_PRODUCT", "value": "UNRELATED"}
    say(log, event, 5, AECausalityAssessed, **rationale)
    found = row(log)
    assert (found.related, found.susar, len(found.causality), len(found.causality_history)) == (False, False, 3, 4)


def test_an_expected_event_is_no_susar(log: LogWriter) -> None:
    session(log, log.now)
    event = adverse_event(log, STREAM, criteria=(Criterion.HOSPITALISATION,))
    body = {"value": "EXPECTED", "rsi_version": "IB-2", "rsi_term": "Fever"}
    say(log, event, 2, AEExpectednessAssessed, role="SPONSOR", **body)
    found = row(log)
    assert (found.expectedness, found.unexpected, found.susar, found.related) == ("EXPECTED", False, False, True)
    assert found.rsi is not None
    assert (found.rsi["rsiVersion"], found.rsi["rsiTerm"], found.rsi["actorId"]) == ("IB-2", "Fever", "dr-li")


def test_a_downgraded_event_was_ever_serious_and_is_no_tesae(log: LogWriter) -> None:
    session(log, log.now)
    event = adverse_event(log, STREAM)
    aware = log.now
    criteria: dict[str, Any] = {"criteria": ("HOSPITALISATION",), "serious_since": minute(aware), "aware_at": aware}
    say(log, event, 2, AEUpgradedToSerious, **criteria)
    assert (row(log).tesae, row(log).serious_aware_at) == (True, aware)
    reason: dict[str, Any] = {
        "assessor": "INVESTIGATOR",
        "reason_code": "NEW_CLINICAL_INFORMATION",
        "reason_text": SEALED,
    }
    say(log, event, 3, AEDowngradedToNonSerious, **reason)
    found = row(log)
    assert (found.teae, found.tesae, found.serious, found.ever_serious) == (True, False, False, True)
    assert [(each["criteria"], each["reasonCode"]) for each in found.criteria_history] == [
        (["HOSPITALISATION"], None),
        ([], "NEW_CLINICAL_INFORMATION"),
    ]
    assert found.criteria == {"INVESTIGATOR": [], "SPONSOR": []}


def test_a_void_event_is_readable_and_counts_nowhere(log: LogWriter) -> None:
    session(log, log.now)
    event = adverse_event(log, STREAM, criteria=(Criterion.HOSPITALISATION,))
    reason: dict[str, Any] = {"reason_code": "DUPLICATE", "reason_text": SEALED, "duplicate_of": CONDITION}
    say(log, event, 2, AEVoidRequested, **reason)
    asked = row(log)
    assert (asked.void_requested, asked.state, asked.teae, asked.susar, asked.void) == (True, "OPEN", True, True, None)
    log.commit(STREAM, AEVoided(ae_id=event.ae_id, ae_version=3, co_signer="dr-wu", **reason), actor="dr-wu")
    found = row(log)
    assert (found.void_requested, found.state, found.duplicate_of) == (False, "VOIDED", CONDITION)
    assert (found.teae, found.tesae, found.susar, found.provisional, found.dev_sae) == (False,) * 5
    assert found.void is not None and found.void_request is not None
    assert (found.void["reasonCode"], found.void["coSigner"], found.void["actorId"]) == ("DUPLICATE", "dr-wu", "dr-wu")
    assert (found.void_request["actorId"], found.code, found.ae_version) == ("dr-li", "FEVER", 3)


def test_the_course_is_shown_with_who_and_why(log: LogWriter) -> None:
    event = adverse_event(log, STREAM, grade=2)
    point = row(log).grades[0]["eventId"]
    say(log, event, 2, AEGradeCorrected, grade_event_id=point, grade=3, reason=SEALED)
    follow_up: dict[str, Any] = {
        "info_received_at": log.now,
        "text": SEALED,
        "outcome": "RECOVERING",
        "attachments": ("CT-1",),
    }
    say(log, event, 3, AEFollowedUp, **follow_up)
    say(log, event, 4, AECoded, role="SPONSOR", meddra_version="29.0", llt_code="10016558", pt_code="10037660")
    say(log, event, 5, AECorrected, field="code", old_value="FEVER", new_value="SEPSIS", reason=SEALED)
    say(log, event, 6, AEResolved, outcome="RECOVERED", end_at=minute(log.now))
    assert row(log).state == "RESOLVED"
    say(log, event, 7, AEReopened, reason=SEALED)
    found = row(log)
    assert (found.current_grade, found.state, found.outcome, found.end_at) == (3, "OPEN", "NOT_RECOVERED", None)
    (grade,) = found.grade_corrections
    assert (grade["old"]["grade"], grade["new"]["grade"], grade["gradeEventId"]) == (2, 3, point)
    assert found.grades[0]["eventId"] == point
    (said,) = found.follow_ups
    assert (said["text"], said["outcome"], said["attachments"]) == (SEALED.payload(), "RECOVERING", ["CT-1"])
    assert "aeId" not in said
    assert found.meddra is not None
    assert (found.meddra["meddraVersion"], found.meddra["lltCode"]) == ("29.0", "10016558")
    (corrected,) = found.corrections
    assert (corrected["oldValue"], corrected["newValue"], corrected["actorId"]) == ("FEVER", "SEPSIS", "dr-li")
    assert ([each["reason"] for each in found.reopenings], found.code) == ([SEALED.payload()], "SEPSIS")
    assert (found.ae_version, len(found.event_ids)) == (7, 7)


def test_an_event_that_lasted_at_death_is_marked_and_keeps_its_outcome(log: LogWriter) -> None:
    adverse_event(log, STREAM)
    resolved = adverse_event(log, STREAM)
    say(log, resolved, 2, AEResolved, outcome="RECOVERED", end_at=minute(log.now))
    log.commit(STREAM, ParticipantDied(death_at=minute(log.now), aware_at=log.now))
    assert [(each.ongoing_at_death, each.outcome) for each in rows(log)] == [
        (True, "NOT_RECOVERED"),
        (False, "RECOVERED"),
    ]


def test_without_a_protocol_there_is_a_row_and_nothing_follows(log: LogWriter) -> None:
    session(log, log.now)
    adverse_event(log, STREAM, criteria=(Criterion.HOSPITALISATION,))
    found = row(log, published=False)
    assert (found.serious, found.teae, found.susar, found.protocol_version) == (True, False, False, None)
