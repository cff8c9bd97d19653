"""What an alert says, field by field (`safety.md` 6.2)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from builders.adverse_events import ae_causality, ae_expectedness, ae_grade_changed, ae_reported, ae_resolved
from builders.ids import AE, SESSION
from builders.participant import session_ended, session_started
from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import AlertContent, AlertRaised
from hepatrail_events.types import format_instant
from hepatrail_services.safety.changes import differences
from log_commits import publish
from safety_world import Ward, serious

ONSET = {"value": "2026-01-05T08:30Z", "precision": "MINUTE"}
AWARE = "2026-01-05T08:45:00.000Z"
FEVER = ae_reported(onset=ONSET, gradeAt=ONSET, awareAt=AWARE)
SAE = serious(FEVER, "HOSPITALISATION", "LIFE_THREATENING")
BY_THE_DESK = {"alertSeq", "previousAlertId"}
COMMIT = "commit"


def _alert() -> tuple[dict[str, Any], Any]:
    """One alert in which every field says something, and the envelope behind it."""
    ward = Ward()
    ward.given(session_started(startedAt="2026-01-05T02:00:20.000Z"))
    ended = datetime.fromisoformat("2026-01-05T09:30:00+00:00")
    ward.given(session_ended().model_copy(update={"ended_at": ended}))
    ward.given(SAE)
    ward.given(ae_causality(2))
    ward.given(ae_causality(3, assessor="SPONSOR", target="CELL_PRODUCT", value="UNLIKELY"), role="SPONSOR")
    ward.given(ae_expectedness("UNEXPECTED", 4), role="SPONSOR")
    ward.given(ae_grade_changed(1, 5, gradeAt={"value": "2026-01-06", "precision": "DAY"}))
    outcome = ward.when(ae_resolved("RECOVERED_WITH_SEQUELAE", 6), actor="dr-wang")
    (alert,) = outcome.alerts
    return alert.payload(), outcome.commit[-1].envelope


FIELDS: dict[str, Any] = {
    "alertId": lambda envelope: str(derived_id(AE, envelope.commitid)),
    "type": "SAE_CHANGED",
    "priority": "P3",
    "reasons": ["SAE_CHANGED", "LIFE_THREATENING", "SUSAR", "AESI"],
    "raisedAt": lambda envelope: format_instant(envelope.recordedat),
    "commitId": lambda envelope: str(envelope.commitid),
    "aeId": str(AE),
    "aeVersion": 6,
    "reporterId": "dr-wang",
    "subjectId": "S-001",
    "siteId": "BFH",
    "code": "FEVER",
    "verbatim": FEVER.verbatim.payload(),
    "grade": 1,
    "maxGrade": 2,
    "criteria": ["LIFE_THREATENING", "HOSPITALISATION"],
    "outcome": "RECOVERED_WITH_SEQUELAE",
    "onset": ONSET,
    "teae": True,
    "sessionId": str(SESSION),
    "hoursFromSessionStart": "6.50",
    "hoursFromSessionEnd": "-1.00",
    "actionTaken": "NO_CHANGE",
    "causality": [
        {"assessor": "INVESTIGATOR", "target": "DEVICE", "value": "POSSIBLE"},
        {"assessor": "SPONSOR", "target": "CELL_PRODUCT", "value": "UNLIKELY"},
    ],
    "expectedness": "UNEXPECTED",
    "susar": True,
    "provisional": False,
    "awareAt": AWARE,
    "changes": [
        {"field": "outcome", "old": "NOT_RECOVERED", "new": "RECOVERED_WITH_SEQUELAE"},
        {"field": "endAt", "new": ae_resolved().end_at.value},
    ],
}
ELSEWHERE = {"clocks", "detail", "late"}
"""Shown by tests of their own: clocks below, `detail` and `late` with the alerts that have them."""


@pytest.mark.parametrize("name", FIELDS)
def test_field(name: str) -> None:
    said, envelope = _alert()
    wanted = FIELDS[name]
    assert said[name] == (wanted(envelope) if callable(wanted) else wanted)


def test_every_field_of_an_alert_has_a_test() -> None:
    names = {field.alias or name for name, field in AlertRaised.model_fields.items()}
    assert {*FIELDS} | ELSEWHERE | BY_THE_DESK == names
    assert not BY_THE_DESK & {field.alias or name for name, field in AlertContent.model_fields.items()}


def test_clocks_are_shown_with_type_due_time_and_status_as_of_raisedAt() -> None:
    ward = Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z"))
    outcome = ward.when(serious(SAE, "HOSPITALISATION"))
    (alert,) = outcome.alerts
    shown = {each.type: (format_instant(each.due_at), each.status) for each in alert.clocks}
    within_24h = "2026-01-06T08:45:00.000Z"
    assert shown == {
        # Received at once, which is before the instant of awareness in this story: met.
        "INV_SAE_24H": (within_24h, "MET"),
        "EC_SAE_24H": (within_24h, "RUNNING"),
        "SUSAR_15D": ("2026-01-20T16:00:00.000Z", "RUNNING"),
        "DEV_15D": ("2026-01-20T16:00:00.000Z", "RUNNING"),
    }
    assert [each.due_at for each in alert.clocks] == sorted(each.due_at for each in alert.clocks)


def test_clocks_of_another_adverse_event_are_not_shown() -> None:
    ward = Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z")).given(SAE)
    other = serious(FEVER, aeId=str(derived_id("other")), grade=3)
    alert = ward.when(other).then_one("AESI_SEVERE", "P3", "AESI")
    assert alert.clocks == ()


def test_an_end_that_is_not_recorded_yet_has_no_hours() -> None:
    ward = Ward().given(session_started(startedAt="2026-01-05T02:00:00.000Z"))
    (alert,) = ward.when(SAE).alerts
    assert (alert.hours_from_session_start, alert.hours_from_session_end) == ("6.50", None)


def test_a_change_is_cut_where_its_text_is_longer_than_an_alert_may_say() -> None:
    (change,) = differences({"code": "x" * 300}, {"code": "y" * 300})
    assert (change.old, change.new) == ("x" * 200, "y" * 200)


def test_hours_are_decimals() -> None:
    ward = Ward().given(session_started(startedAt="2026-01-05T08:20:00.000Z"))
    (alert,) = ward.when(SAE).alerts
    assert Decimal(alert.hours_from_session_start or "") == Decimal("0.17")


def test_no_free_text_leaves_its_seal() -> None:
    said, _ = _alert()
    assert set(said["verbatim"]) == {"kid", "cid", "path", "ct"}


def test_a_protocol_with_another_related_set_decides_what_is_said() -> None:
    ward = Ward()
    publish(ward.log, "2.0", safety={"related_set": ("DEFINITE",)})
    ward.given(session_started(startedAt="2026-01-05T02:00:00.000Z"))
    judged = [{"target": target, "value": "POSSIBLE"} for target in ("DEVICE", "CELL_PRODUCT")]
    alert = ward.when(serious(FEVER, "HOSPITALISATION", causality=judged)).then_one("SAE_NEW", "P2", "AESI")
    assert (alert.susar, alert.provisional) == (False, False)
