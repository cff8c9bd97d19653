"""What a row of `adverse_event` says of judgements: causality, expectedness, seriousness; and of the whole course."""

from typing import Any

import pytest

from derived_adverse_events import CONDITION, JUDGED, minute, row, rows, say, session
from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeCorrected,
    AEReopened,
    AEResolved,
    AEUpgradedToSerious,
    AEVoided,
    AEVoidRequested,
    CausalityTarget,
    Criterion,
)
from hepatrail_events.assessments import ParticipantDied
from log_commits import adverse_event
from projection_log import SEALED, LogWriter
from subject_log import STREAM, participant_log


@pytest.fixture
def log() -> LogWriter:
    return participant_log(23)


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
