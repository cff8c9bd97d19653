"""Exposure of a participant and of each session (`endpoints.md` section 5)."""

from datetime import timedelta

import pytest

from hepatrail_events.codec import read
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_events.sessions import (
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from log_commits import enrol, publish, start
from projection_log import SEALED, LogWriter

STREAM = subject_stream("S-1")


@pytest.fixture
def log() -> LogWriter:
    written = LogWriter(11)
    publish(written)
    enrol(written, "S-1")
    return written


def rows(log: LogWriter) -> SubjectRows:
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    return derive(fold_all("S-1", [each for each in events if each.envelope.stream == STREAM]), study, log.now)


def session(log: LogWriter, hours: float, reason: EndReason = EndReason.COMPLETED, **given: object) -> SessionStarted:
    log.tick(24 * 60)
    begun = start(log, STREAM, **given)
    ended = begun.started_at + timedelta(hours=hours)
    log.commit(STREAM, SessionEnded(session_id=begun.session_id, ended_at=ended, reason=reason))
    log.now = ended
    return begun


def test_sessions_are_counted_by_duration_and_by_how_they_ended(log: LogWriter) -> None:
    session(log, 3.99, EndReason.CLOTTING)
    session(log, 4)
    session(log, 8)
    session(log, 8.01)
    exposure = rows(log).exposure
    assert exposure.duration_classes == {"<4": 1, "4-8": 2, ">8": 1}
    assert (exposure.sessions, exposure.ended, exposure.stopped_early, exposure.weights_too_old) == (4, 4, 1, 0)
    assert exposure.total_hours == "24.00"
    assert [each["durationHours"] for each in exposure.by_session] == ["3.99", "4.00", "8.00", "8.01"]
    assert [each["stoppedEarly"] for each in exposure.by_session] == [True, False, False, False]


def test_pauses_do_not_count_and_an_open_session_has_a_dose_but_no_duration(log: LogWriter) -> None:
    begun = start(log, STREAM)
    log.commit(STREAM, SessionPaused(session_id=begun.session_id, at=log.tick(60), reason=SEALED))
    log.commit(STREAM, SessionResumed(session_id=begun.session_id, at=log.tick(45)))
    exposure = rows(log).exposure
    assert (exposure.sessions, exposure.ended, exposure.duration_classes) == (1, 0, {})
    assert exposure.by_session[0]["durationHours"] is None
    assert exposure.cumulative_cells_per_kg == "167000000"
    ended = begun.started_at + timedelta(hours=5)
    log.commit(STREAM, SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED))
    paused = timedelta(minutes=45, seconds=6)
    assert rows(log).exposure.total_hours == f"{(timedelta(hours=5) - paused) / timedelta(hours=1):.2f}"


def test_both_ratios_are_shown_and_the_tolerance_is_of_each_session(log: LogWriter) -> None:
    session(log, 5)
    session(log, 5, viable_cells=13_000_000_000)
    derived = rows(log)
    exposure = derived.exposure
    assert [each["targetRatio"] for each in exposure.by_session] == ["1", "1.29740518962"]
    assert [each.in_tolerance for each in derived.sessions] == [True, False]
    assert exposure.cumulative_ratio == "2.29740518962"
    assert (exposure.dose_target_scope, exposure.in_tolerance) == ("SESSION", None)
    assert [row.code for row in derived.queries] == ["DOSE"]


@pytest.mark.parametrize(("cells", "kept"), [(5_010_000_000, True), (7_100_000_000, False)])
def test_a_protocol_may_mean_the_dose_of_all_sessions(log: LogWriter, cells: int, kept: bool) -> None:
    publish(log, "2.0", endpoints=EndpointRules(dose_target_scope="TOTAL").model_dump())
    assert rows(log).exposure.in_tolerance is None
    session(log, 5, viable_cells=cells)
    session(log, 5, viable_cells=cells)
    derived = rows(log)
    assert derived.exposure.in_tolerance is kept
    assert [each.in_tolerance for each in derived.sessions] == [None, None]
    assert "DOSE" not in [row.code for row in derived.queries]


def test_an_old_weight_is_flagged(log: LogWriter) -> None:
    measured = log.now - timedelta(days=30)
    session(log, 5, weight_measured_at=measured)
    derived = rows(log)
    assert (derived.sessions[0].weight_too_old, derived.exposure.weights_too_old) == (True, 1)


def test_who_corrected_and_voided_a_session_is_shown_and_a_void_one_is_no_exposure(log: LogWriter) -> None:
    first, second = session(log, 5), session(log, 5)
    body = {"id": first.session_id, "field": "viableCells", "newValue": "5010000000", "reason": SEALED}
    log.commit(STREAM, SessionCorrected.from_payload(body), actor="dr-wu")
    reason = VoidReason.DUPLICATE
    void = SessionVoided(id=second.session_id, reason_code=reason, reason_text=SEALED)
    log.commit(STREAM, void, actor="dr-wu")
    derived = rows(log)
    corrected, voided = derived.sessions
    assert (corrected.viable_cells, corrected.target_ratio) == (5_010_000_000, "0.5")
    assert [each["actorId"] for each in corrected.corrections] == ["dr-wu"]
    assert (voided.voided_by, voided.stopped_early, voided.weight_too_old) == ("dr-wu", None, None)
    assert (derived.exposure.sessions, derived.exposure.cumulative_ratio) == (1, "0.5")


def test_without_a_protocol_nothing_is_judged() -> None:
    log = LogWriter(12)
    enrol(log, "S-1")
    session(log, 5)
    derived = rows(log)
    exposure = derived.exposure
    assert (exposure.sessions, exposure.total_hours, exposure.cumulative_cells_per_kg) == (1, "5.00", "167000000")
    assert (exposure.duration_classes, exposure.cumulative_ratio, exposure.dose_target_scope) == (None, None, None)
