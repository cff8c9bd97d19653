"""Ids of alerts by the row of `safety.md` 6.3, Identity: the same however often the log is read."""

from uuid import UUID, uuid5

import pytest

from hepatrail_events.ids import STUDY_NAMESPACE, derived_id
from hepatrail_events.safety_desk import AlertType
from hepatrail_services.safety import identity

NAMESPACE = UUID("5a1c0e4e-6d55-5b0e-9c39-0f7d2c1b8a10")
A, B = UUID(int=1), UUID(int=2)
ROWS = {
    "AE aeId|commitId": (identity.adverse_event_alert(A, B), f"{A}|{B}"),
    "death subjectId|PARTICIPANT_DIED|commitId": (identity.death_alert("S-1", B), f"S-1|PARTICIPANT_DIED|{B}"),
    "death timer subjectId|DEATH_WITHOUT_AE": (identity.death_without_ae_alert("S-1"), "S-1|DEATH_WITHOUT_AE"),
    "deficiency deficiencyId|commitId": (identity.deficiency_alert(A, B), f"{A}|{B}"),
    "lab finding resultId|LAB_GRADE_UNREVIEWED": (identity.lab_finding_alert(A), f"{A}|LAB_GRADE_UNREVIEWED"),
    "hold sessionId|SESSION_UNDER_HOLD": (identity.hold_alert(A), f"{A}|SESSION_UNDER_HOLD"),
    "clock clockId|WARN": (identity.clock_alert(A, AlertType.CLOCK_WARNING), f"{A}|WARN"),
    "clock clockId|BREACH": (identity.clock_alert(A, AlertType.CLOCK_BREACH), f"{A}|BREACH"),
    "unreadable subjectId|SUBJECT_UNREADABLE|streamseq": (
        identity.unreadable_alert("S-1", 7),
        "S-1|SUBJECT_UNREADABLE|7",
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_identity_of(row: str) -> None:
    alert_id, key = ROWS[row]
    assert alert_id == uuid5(NAMESPACE, key)


def test_the_namespace_is_one_constant_of_the_study() -> None:
    assert STUDY_NAMESPACE == NAMESPACE


def test_the_command_that_raises_an_alert_has_an_id_of_its_own() -> None:
    ids = {identity.raise_command(alert_id) for alert_id, _ in ROWS.values()}
    assert ids.isdisjoint(alert_id for alert_id, _ in ROWS.values())
    assert identity.raise_command(A) == identity.raise_command(UUID(int=1)) != identity.raise_command(B)
    assert identity.raise_command(A) != derived_id(A, 1)
