"""What a row of `adverse_event` says (`safety.md` section 9), derived anew from sessions, protocol and conditions."""

from datetime import timedelta

import pytest

from derived_adverse_events import CONDITION, minute, row, rows, say, session
from hepatrail_events.adverse_events import AEGradeChanged, Criterion
from hepatrail_events.baseline_conditions import BaselineConditionRecorded, BaselineConditionVoided
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.sessions import EndReason, SessionCorrected, SessionEnded, SessionVoided
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.adverse_event import ADVERSE_EVENT
from hepatrail_projections.clinical.inputs import Stop
from log_commits import adverse_event, publish, start
from projection_log import SEALED, LogWriter
from subject_log import STREAM, participant_log


@pytest.fixture
def log() -> LogWriter:
    return participant_log(23)


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


def test_without_a_protocol_there_is_a_row_and_nothing_follows(log: LogWriter) -> None:
    session(log, log.now)
    adverse_event(log, STREAM, criteria=(Criterion.HOSPITALISATION,))
    found = row(log, published=False)
    assert (found.serious, found.teae, found.susar, found.protocol_version) == (True, False, False, None)
