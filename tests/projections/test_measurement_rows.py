"""What the rows say of a result: its value, whether it was accepted, its corrections, and what is asked about it."""

import pytest

from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import (
    Comparator,
    ImplausibleConfirmed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    RejectReason,
)
from hepatrail_events.types import PartialDate, Precision
from hepatrail_events.voiding import VoidReason
from projection_log import SEALED, LogWriter
from subject_log import STREAM, S, participant_log, rows


@pytest.fixture
def log() -> LogWriter:
    return participant_log(3)


def result(log: LogWriter, **fields: object) -> Measured:
    body = {"result_id": log.uuid(), "code": "alt", "value": "30", "unit": "U/L", "accepted": True, **fields}
    return Measured.model_validate(body)


def report(log: LogWriter, *results: Measured, **fields: object) -> None:
    body = {"sample_id": log.uuid(), "collected_at": log.now, "laboratory": "Central", "results": results, **fields}
    log.commit(STREAM, LabResultsRecorded.model_validate(body))


def test_a_value_stands_as_reported_beside_its_exact_canonical_value(log: LogWriter) -> None:
    report(
        log,
        result(log, code="creatinine", value="1.3", unit="mg/dL", low="0.6", high="1.2"),
        result(log, code="tbil", value="0.2", comparator=Comparator.LT, unit="mg/dL"),
    )
    creatinine, bilirubin = rows(log).lab_results
    assert (creatinine.value, creatinine.unit, creatinine.low, creatinine.high) == ("1.3", "mg/dL", "0.6", "1.2")
    assert (creatinine.canonical_value, creatinine.canonical_exact, creatinine.canonical_unit) == (
        "114.92",
        "2873/25",
        "umol/L",
    )
    assert (bilirubin.comparator, bilirubin.value, bilirubin.canonical_value) == ("<", "0.2", "3.42")


def test_an_unaccepted_row_is_kept_marked_and_asked_about_until_it_is_mended(log: LogWriter) -> None:
    bad = result(log, value="99999", accepted=False, reject_reason=RejectReason.IMPLAUSIBLE)
    report(log, bad)
    derived = rows(log)
    row = derived.lab_results[0]
    assert (row.value, row.accepted, row.reject_reason, row.used) == ("99999", False, "IMPLAUSIBLE", False)
    assert [(each.rule, each.code, each.object_id) for each in derived.queries] == [
        ("LAB-02", "IMPLAUSIBLE", bad.result_id)
    ]
    assert derived.queries[0].query_id == derived_id("LAB-02", S, bad.result_id)
    assert "alt" in derived.queries[0].message
    log.commit(STREAM, ImplausibleConfirmed(result_id=bad.result_id, reason=SEALED))
    mended = rows(log)
    assert mended.queries == ()
    assert (mended.lab_results[0].accepted, mended.lab_results[0].confirmed, mended.lab_results[0].used) == (
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"code": "xyz", "reject_reason": RejectReason.UNKNOWN_CODE}, "UNKNOWN_CODE"),
        ({"unit": "furlong", "reject_reason": RejectReason.UNIT_UNKNOWN}, "UNIT_UNKNOWN"),
        ({"value": "many", "reject_reason": RejectReason.VALUE_NOT_ALLOWED}, "VALUE_NOT_ALLOWED"),
        ({"reject_reason": RejectReason.TIME_IN_FUTURE}, "TIME_IN_FUTURE"),
    ],
)
def test_each_reason_has_its_query(log: LogWriter, fields: dict[str, object], code: str) -> None:
    report(log, result(log, accepted=False, **fields))
    queries = rows(log).queries
    assert [each.code for each in queries] == [code]
    assert queries[0].message.endswith(".")


def test_a_corrected_result_and_a_void_one(log: LogWriter) -> None:
    first, second = result(log), result(log, code="ast")
    report(log, first, second)
    log.commit(
        STREAM,
        LabResultCorrected(
            id=first.result_id, field="value", old_value="30", new_value="40", reason=SEALED, accepted=True
        ),
    )
    log.commit(STREAM, LabResultVoided(id=second.result_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED))
    corrected, void = rows(log).lab_results
    assert (corrected.value, corrected.canonical_value, corrected.corrections[0]["oldValue"]) == ("40", "40", "30")
    assert len(corrected.event_ids) == 2
    assert (void.voided, void.point, void.used) == (True, None, False)
    assert rows(log).visits[0].done.keys() == {"alt"}


def test_an_impossible_visit_code_is_asked_about(log: LogWriter) -> None:
    report(log, result(log), visit_code="W4")
    assert [(row.rule, row.code) for row in rows(log).queries] == [("LAB-04", "IMPOSSIBLE_VISIT")]


def test_a_result_after_death_is_asked_about(log: LogWriter) -> None:
    when = PartialDate(value=f"{log.now:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    log.commit(STREAM, ParticipantDied(death_at=when, aware_at=log.now))
    log.tick(120)
    report(log, result(log))
    derived = rows(log)
    open_now = [(row.rule, row.code) for row in derived.queries if row.exists_at(log.now)]
    assert open_now == [("LAB-04", "AFTER_DEATH")]
    assert derived.subject.status == "DIED"
