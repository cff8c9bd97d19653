"""What a participant's rows say, in the words of the domain reference; pure folds, no server."""

from datetime import UTC, datetime, timedelta

import pytest

from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEUpgradedToSerious, Criterion
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.codec import read
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.families import FAMILIES
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.sessions import (
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionVoided,
)
from hepatrail_events.types import PartialDate, Precision
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.subject_view import FOLDS, empty_view, fold, fold_all
from hepatrail_projections.visits import status_at
from log_commits import adverse_event, sample, start
from projection_log import SEALED, LogWriter
from subject_log import STREAM, S, day, participant_log, rows


@pytest.fixture
def log() -> LogWriter:
    return participant_log(3)


def test_every_event_of_a_participant_is_folded() -> None:
    of_subjects = {
        kind for family, kinds in FAMILIES.items() if family not in ("study", "safety_desk") for kind in kinds
    }
    assert set(FOLDS) == of_subjects


def test_an_event_that_refers_to_nothing_cannot_be_folded(log: LogWriter) -> None:
    log.commit(STREAM, SessionEnded(session_id=log.uuid(), ended_at=log.now, reason=EndReason.COMPLETED))
    events = [read(each.value or b"") for each in log.records if each.key == STREAM.encode() and each.topic == EVENTS]
    with pytest.raises(InvalidPayload, match="no session"):
        fold(fold_all(S, events[:-1]), events[-1])
    assert empty_view(S).version == 0


def test_sixty_kilograms_and_the_protocols_dose_are_the_target_exactly(log: LogWriter) -> None:
    begun = start(log, STREAM)
    log.commit(STREAM, SessionPaused(session_id=begun.session_id, at=log.tick(60), reason=SEALED))
    log.commit(STREAM, SessionResumed(session_id=begun.session_id, at=log.tick(30)))
    ended = begun.started_at + timedelta(hours=5, minutes=30)
    log.commit(STREAM, SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.CLOTTING))
    session = rows(log).sessions[0]
    pauses = session.pauses[0]
    paused = datetime.fromisoformat(pauses["resumedAt"]) - datetime.fromisoformat(pauses["at"])
    hours = (ended - begun.started_at - paused) / timedelta(hours=1)
    assert session.duration_hours == f"{hours:.2f}"
    assert (session.cells_per_kg, session.target_ratio, session.in_tolerance) == ("167000000", "1", True)
    assert (session.duration_class, session.stopped_early, session.weight_too_old) == ("4-8", True, False)
    exposure = rows(log).exposure
    assert (exposure.sessions, exposure.cumulative_ratio, exposure.total_hours) == (1, "1", session.duration_hours)


@pytest.mark.parametrize(("cells", "inside"), [(8_016_000_000, True), (8_015_999_999, False), (12_024_000_000, True)])
def test_the_tolerance_is_exact_at_its_ends(log: LogWriter, cells: int, inside: bool) -> None:
    start(log, STREAM, viable_cells=cells)
    derived = rows(log)
    assert derived.sessions[0].in_tolerance is inside
    assert ("DOSE" in [row.code for row in derived.queries]) is not inside


def test_a_void_session_feeds_nothing_and_stays_readable(log: LogWriter) -> None:
    begun = start(log, STREAM)
    reason = VoidReason.WRONG_PARTICIPANT
    log.commit(STREAM, SessionVoided(id=begun.session_id, reason_code=reason, reason_text=SEALED))
    derived = rows(log)
    session = derived.sessions[0]
    assert (session.voided, session.ordinal, session.void_reason_code) == (True, None, "WRONG_PARTICIPANT")
    assert session.cells_per_kg is None
    assert session.started_at == begun.started_at
    assert derived.exposure.sessions == 0
    assert derived.subject.t0 is None


def test_a_correction_keeps_what_was_recorded_and_derives_anew(log: LogWriter) -> None:
    begun = start(log, STREAM, weight_kg="30")
    assert rows(log).sessions[0].target_ratio == "2"
    correction = SessionCorrected(id=begun.session_id, field="weightKg", old_value="30", new_value="60", reason=SEALED)
    log.commit(STREAM, correction)
    session = rows(log).sessions[0]
    assert (session.weight_kg, session.target_ratio) == ("60", "1")
    assert [(each["field"], each["oldValue"], each["newValue"]) for each in session.corrections] == [
        ("weightKg", "30", "60")
    ]


def test_an_old_weight_and_a_session_without_end_are_asked_about(log: LogWriter) -> None:
    begun = start(log, STREAM, weight_measured_at=log.now - timedelta(days=7, minutes=1))
    queries = {row.code: row for row in rows(log).queries}
    assert queries["WEIGHT_AGE"].opens_at is None
    assert queries["NO_END"].opens_at == begun.started_at + timedelta(hours=12)
    ended = begun.started_at + timedelta(hours=9)
    log.commit(STREAM, SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED))
    after = rows(log)
    assert after.sessions[0].duration_class == ">8"
    assert [[each["code"] for each in row.details] for row in after.queries] == [["DURATION", "WEIGHT_AGE"]]


def treated(log: LogWriter) -> datetime:
    """Baseline values, then a session of five hours; its end."""
    sample(log, STREAM, creatinine="88.4", tbil="17.1", inr="1", dialysis_sessions_7d="0")
    log.tick(60)
    begun = start(log, STREAM)
    ended = begun.started_at + timedelta(hours=5)
    log.commit(STREAM, SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED))
    log.now = ended
    return ended


def test_meld_at_a_visit_has_inputs_with_their_events_and_a_change_from_baseline(log: LogWriter) -> None:
    ended = treated(log)
    log.now = ended + timedelta(days=2)
    sample(log, STREAM, creatinine=("2", "mg/dL"), tbil=("3", "mg/dL"), inr="1.5", dialysis_sessions_7d="0")
    derived = rows(log)
    scores = {row.point: row for row in derived.scores if row.score_id == "meld_2002"}
    assert len(scores) == 14
    assert len(derived.scores) == 14 * len(shipped_protocol().scores.enabled)
    baseline, later = scores["BL"], scores["D2"]
    assert (baseline.status, baseline.value) == ("complete", 6)
    assert (later.status, later.value, later.baseline) == ("complete", 22, 6)
    assert later.change == 16
    assert {each["code"]: (each["value"], each["unit"]) for each in later.inputs}["creatinine"] == ("176.8", "umol/L")
    assert all(each["eventIds"] for each in later.inputs)
    assert set(baseline.event_ids) < set(later.event_ids)
    empty = scores["W12"]
    assert (empty.status, empty.value, empty.change) == ("incomplete", None, None)
    assert {each["code"] for each in empty.missing} >= {"creatinine", "tbil", "inr"}


def test_fourteen_visits_and_their_status_at_an_instant(log: LogWriter) -> None:
    ended = treated(log)
    visits = {row.code: row for row in rows(log).visits}
    assert len(visits) == 14
    hours = visits["H12"]
    assert (hours.earliest, hours.latest) == (
        (ended + timedelta(hours=10)).replace(second=0, microsecond=0),
        (ended + timedelta(hours=14)).replace(second=0, microsecond=0),
    )
    assert status_at(hours, ended).status == "not_yet_due"
    assert status_at(hours, ended + timedelta(hours=12)).status == "due"
    missed = status_at(hours, ended + timedelta(hours=15))
    assert (missed.status, len(missed.required), len(missed.missing)) == ("missed", 25, 25)
    before = status_at(visits["BL"], ended)
    assert (before.status, set(before.satisfied)) == ("partial", {"creatinine", "tbil", "inr"})


def test_a_back_dated_grade_may_raise_the_maximum_but_not_the_current_one(log: LogWriter) -> None:
    event = adverse_event(log, STREAM, onset=day("2026-01-03"), grade=2, grade_at=day("2026-01-04"))
    changed = AEGradeChanged(ae_id=event.ae_id, ae_version=2, from_grade=2, to_grade=4, grade_at=day("2026-01-03"))
    log.commit(STREAM, changed)
    row = rows(log).adverse_events[0]
    assert (row.current_grade, row.max_grade, row.ae_version) == (2, 4, 2)
    same_day = AEGradeChanged(ae_id=event.ae_id, ae_version=3, from_grade=2, to_grade=1, grade_at=day("2026-01-04"))
    log.commit(STREAM, same_day)
    row = rows(log).adverse_events[0]
    assert (row.current_grade, row.max_grade) == (1, 4)
    assert [each["grade"] for each in row.grades] == [2, 4, 1]


def test_a_minute_in_utc_and_a_civil_day_compare_at_the_site(log: LogWriter) -> None:
    # 16:30Z is half past midnight of the next day at the site, and so later than that day's beginning.
    minute = PartialDate(value="2026-01-03T16:30Z", precision=Precision.MINUTE)
    event = adverse_event(log, STREAM, onset=day("2026-01-03"), grade=3, grade_at=minute)
    log.commit(STREAM, AEGradeChanged(ae_id=event.ae_id, ae_version=2, to_grade=1, grade_at=day("2026-01-04")))
    assert rows(log).adverse_events[0].current_grade == 3


def upgraded(event: AEReported, version: int) -> AEUpgradedToSerious:
    return AEUpgradedToSerious(
        ae_id=event.ae_id,
        ae_version=version,
        criteria=(Criterion.LIFE_THREATENING,),
        serious_since=day("2026-01-05"),
        aware_at=datetime(2026, 1, 5, 3, tzinfo=UTC),
    )


def test_seriousness_is_the_union_of_both_assessors(log: LogWriter) -> None:
    event = adverse_event(log, STREAM)
    assert not rows(log).adverse_events[0].serious
    log.commit(STREAM, upgraded(event, 2), role="SPONSOR")
    row = rows(log).adverse_events[0]
    assert row.serious
    assert row.criteria == {"INVESTIGATOR": [], "SPONSOR": ["LIFE_THREATENING"]}
    assert row.serious_since == {"value": "2026-01-05", "precision": "DAY"}
    assert row.aesi


def test_an_adverse_event_names_the_session_before_it_and_lasts_beyond_death(log: LogWriter) -> None:
    begun = start(log, STREAM)
    log.tick(600)
    adverse_event(log, STREAM)
    log.commit(STREAM, ParticipantDied(death_at=day(f"{log.now:%Y-%m-%d}"), aware_at=log.now))
    row = rows(log).adverse_events[0]
    assert (row.related_session_id, row.ongoing_at_death, row.end_at) == (begun.session_id, True, None)
