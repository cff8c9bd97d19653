"""What the trail shows of each kind of record: grades, criteria, the end of an event, a death, a hold, a site."""

import pytest

from hepatrail_events.adverse_events import AEGradeChanged, AEGradeCorrected, Outcome
from hepatrail_events.families import EVENT_TYPES
from hepatrail_events.safety_desk import AlertEscalated
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import HoldReleased, SiteActivated, SiteDeactivated
from hepatrail_events.types import PartialDate, Precision, SealedText
from log_commits import adverse_event, alert, enrol, sample
from projection_log import SEALED, LogWriter
from trail_shown import last_rows, shown, study_log, trail


@pytest.fixture
def log() -> LogWriter:
    """A study with its protocol."""
    return study_log()


def test_a_sealed_text_that_is_corrected_shows_both_sealed(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    event = adverse_event(log, stream)
    other = SealedText(kid="k", cid="d", path="newText", ct="BBBB")
    body = {"aeId": str(event.ae_id), "aeVersion": 2, "field": "verbatim", "newText": other, "reason": SEALED}
    log.commit(stream, EVENT_TYPES["AECorrected"].from_payload(body))
    verbatim, version = last_rows(log, stream)
    assert (verbatim.field, verbatim.old, verbatim.new) == ("verbatim", SEALED.payload(), other.payload())
    assert (version.field, version.old, version.new) == ("aeVersion", "1", "2")


def test_the_grade_timeline_shows_changes_and_what_was_corrected_of_it(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    event = adverse_event(log, stream)
    reported = trail(log, stream)[-1].event_id
    day = PartialDate(value="2026-01-06", precision=Precision.DAY)
    log.commit(stream, AEGradeChanged(ae_id=event.ae_id, ae_version=2, from_grade=2, to_grade=3, grade_at=day))
    assert ("grade", "2", "3") in shown(last_rows(log, stream))
    assert event.grade_at is not None
    assert ("gradeAt", event.grade_at.value, "2026-01-06") in shown(last_rows(log, stream))
    changed = trail(log, stream)[-1].event_id
    for grade_event, version, new in ((reported, 3, 1), (changed, 4, None)):
        fact = {"ae_id": event.ae_id, "ae_version": version, "grade_event_id": grade_event, "grade": new}
        log.commit(stream, AEGradeCorrected.model_validate(fact | {"reason": SEALED}))
        assert (f"grade@{grade_event}", "2" if new else "3", "1" if new else None) in shown(last_rows(log, stream))


def test_each_assessor_has_criteria_and_causality_of_their_own(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    event = adverse_event(
        log, stream, criteria=["HOSPITALISATION"], causality=[{"target": "DEVICE", "value": "POSSIBLE"}]
    )
    ae = {"aeId": str(event.ae_id)}
    year = {"value": "2026", "precision": "YEAR"}
    aware = "2026-01-07T00:00:00.000Z"
    log.commit(
        stream,
        EVENT_TYPES["AEUpgradedToSerious"].from_payload(
            {**ae, "aeVersion": 2, "criteria": ["DEATH"], "seriousSince": year, "awareAt": aware}
        ),
        role="SPONSOR",
    )
    assert shown(last_rows(log, stream))[0] == ("criteria.SPONSOR", None, ["DEATH"])
    log.commit(
        stream,
        EVENT_TYPES["AESeriousnessCriteriaChanged"].from_payload(
            {**ae, "aeVersion": 3, "assessor": "INVESTIGATOR", "added": ["DEATH"], "removed": ["HOSPITALISATION"],
             "reason": SEALED, "awareAt": aware}
        ),
    )  # fmt: skip
    assert shown(last_rows(log, stream))[0] == ("criteria.INVESTIGATOR", ["HOSPITALISATION"], ["DEATH"])
    log.commit(
        stream,
        EVENT_TYPES["AECausalityAssessed"].from_payload(
            {
                **ae,
                "aeVersion": 4,
                "assessor": "INVESTIGATOR",
                "target": "DEVICE",
                "value": "PROBABLE",
                "rationale": SEALED,
            }
        ),
    )
    causality = last_rows(log, stream)[0]
    assert (causality.field, causality.old, causality.new) == ("causality.INVESTIGATOR.DEVICE", "POSSIBLE", "PROBABLE")
    assert causality.reason == SEALED.payload()


def test_an_event_that_goes_on_loses_its_end_with_a_reason(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    event = adverse_event(log, stream)
    ended = {
        "aeId": str(event.ae_id),
        "aeVersion": 2,
        "outcome": "RECOVERED",
        "endAt": {"value": "2026-01-09", "precision": "DAY"},
    }
    log.commit(stream, EVENT_TYPES["AEResolved"].from_payload(ended))
    log.commit(
        stream, EVENT_TYPES["AEReopened"].from_payload({"aeId": str(event.ae_id), "aeVersion": 3, "reason": SEALED})
    )
    rows = last_rows(log, stream)
    assert shown(rows)[:2] == [("outcome", "RECOVERED", Outcome.NOT_RECOVERED.value), ("endAt", "2026-01-09", None)]
    assert all(row.reason == SEALED.payload() for row in rows)


def test_the_record_of_a_death_is_corrected_field_by_field_and_taken_back_whole(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    month = {"value": "2026-02", "precision": "MONTH"}
    died = {"deathAt": month, "awareAt": "2026-02-20T00:00:00.000Z", "autopsyDone": False}
    log.commit(stream, EVENT_TYPES["ParticipantDied"].from_payload(died))
    death = str(trail(log, stream)[-1].event_id)
    day = {"value": "2026-02-19", "precision": "DAY"}
    for body in ({"revived": False, "deathAt": day}, {"revived": True}):
        log.commit(stream, EVENT_TYPES["DeathRecordCorrected"].from_payload(body | {"reason": SEALED}))
    rows = [row for row in trail(log, stream) if row.event_type == "DeathRecordCorrected"]
    assert {row.object_id for row in rows} == {death}
    assert shown(rows) == [
        ("revived", "false", "false"),
        ("deathAt", "2026-02", "2026-02-19"),
        ("revived", "false", "true"),
        ("deathAt", "2026-02-19", None),
        ("autopsyDone", "false", None),
    ]


def test_what_only_adds_has_no_old_value(log: LogWriter) -> None:
    alert_id = alert(log, 1, adverse_event(log, enrol(log, "S-1")), "S-1")
    for level in (1, 2):
        log.commit(SAFETY_DESK, AlertEscalated(alert_id=alert_id, level=level, late=False), role="SYSTEM")
    rows = last_rows(log, SAFETY_DESK)
    assert shown(rows) == [("late", None, "false"), ("level", None, "2")]
    assert {(row.object_id, row.subject_id) for row in rows} == {(str(alert_id), "S-1")}


def test_what_repeats_what_is_known_is_shown_and_not_hidden(log: LogWriter) -> None:
    stream = enrol(log, "S-1")
    (result_id,) = sample(log, stream, creatinine="88.4")
    review = {"resultId": str(result_id), "clinicallySignificant": True, "finalGrade": 2}
    for body in (review, review, {**review, "clinicallySignificant": False}):
        log.commit(stream, EVENT_TYPES["LabFindingReviewed"].from_payload(body))
    first, again, other = (shown([row for row in trail(log, stream) if row.streamseq == seq]) for seq in (4, 5, 6))
    assert first == [("clinicallySignificant", None, "true"), ("finalGrade", None, "2")]
    assert again == [("clinicallySignificant", "true", "true"), ("finalGrade", "2", "2")]
    assert other == [("clinicallySignificant", "true", "false")]


def test_a_hold_and_a_site_are_open_and_closed(log: LogWriter) -> None:
    hold_id = log.uuid()
    hold = {
        "holdId": str(hold_id),
        "action": "HOLD_SESSIONS",
        "scope": "PARTICIPANT",
        "subjectId": "S-9",
        "requires": "PI",
        "reason": SEALED,
    }
    log.commit(STUDY, EVENT_TYPES["HoldPlaced"].from_payload(hold))
    assert ("released", None, "false") in shown(last_rows(log, STUDY))
    log.commit(STUDY, HoldReleased(hold_id=hold_id, by="pi", reason=SEALED))
    rows = last_rows(log, STUDY)
    assert shown(rows) == [("released", "false", "true"), ("by", None, "pi")]
    assert {(row.subject_id, row.object_id) for row in rows} == {("S-9", str(hold_id))}
    log.commit(STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"))
    log.commit(STUDY, SiteDeactivated(site_id="BFH", reason="approval expired"))
    (row,) = last_rows(log, STUDY)
    assert (row.field, row.old, row.new, row.reason, row.subject_id) == (
        "active",
        "true",
        "false",
        "approval expired",
        None,
    )
