"""The rules of death and withdrawal (`events.md` 3.5)."""

import pytest

from builders import (
    AE,
    FATAL,
    a_sealed,
    ae_reported,
    at,
    command,
    consent,
    day,
    died,
    enrolled,
    iso,
    minute,
    sealed,
    session_started,
    withdrew,
)
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew, WithdrawalScope
from hepatrail_events.sessions import SessionEnded
from hepatrail_events.types import PartialDate
from specification import given

OPEN = (consent(), enrolled())


def test_a_death_is_recorded_as_far_as_its_time_is_known() -> None:
    given(*OPEN).when(command("recordDeath", deathAt={"value": "2026-03", "precision": "MONTH"})).then(
        ParticipantDied(
            death_at=PartialDate.model_validate({"value": "2026-03", "precision": "MONTH"}), aware_at=at(hours=2)
        )
    )


def test_a_death_is_recorded_once() -> None:
    given(*OPEN, died()).when(command("recordDeath")).then_rejects("VIS-02", field="deathAt")


def test_the_primary_cause_is_a_fatal_adverse_event_of_the_participant() -> None:
    given(*OPEN).when(command("recordDeath", primaryCauseAeId=str(AE))).then_rejects("VIS-03")
    given(*OPEN, ae_reported()).when(command("recordDeath", primaryCauseAeId=str(AE))).then_rejects(
        "VIS-03", field="primaryCauseAeId"
    )
    fatal = ae_reported(**FATAL, endAt=minute(days=2))
    given(*OPEN, fatal).when(command("recordDeath", primaryCauseAeId=str(AE))).then_accepts(ParticipantDied)


def test_no_adverse_event_began_after_the_death() -> None:
    given(*OPEN, ae_reported(onset=minute(hours=2))).when(command("recordDeath")).then_rejects(
        "INV-09", field="deathAt"
    )
    given(*OPEN, ae_reported()).when(command("recordDeath")).then_accepts(ParticipantDied)


@pytest.mark.parametrize(
    ("field", "value"),
    [("deathAt", minute(minutes=-6)), ("deathAt", day("2026-03-21")), ("awareAt", iso(minutes=-6))],
)
def test_a_death_does_not_lie_in_the_future(field: str, value: object) -> None:
    given(*OPEN).when(command("recordDeath", **{field: value})).then_rejects("INV-06", field=field)


def test_a_death_leaves_a_running_session_to_be_ended() -> None:
    given(*OPEN, session_started(), died()).when(command("endSession")).then_accepts(SessionEnded)


def test_a_withdrawal_says_from_what() -> None:
    asked = command("withdrawSubject", scope="FOLLOW_UP", vitalStatusAllowed=True, reason=sealed())
    given(*OPEN).when(asked).then(
        ParticipantWithdrew(
            withdrawn_at=at(hours=1), scope=WithdrawalScope.FOLLOW_UP, vital_status_allowed=True, reason=a_sealed()
        )
    )


@pytest.mark.parametrize(
    ("before", "scope", "allowed"),
    [
        ("TREATMENT_ONLY", "FOLLOW_UP", True),
        ("TREATMENT_ONLY", "ALL_DATA_USE", True),
        ("FOLLOW_UP", "ALL_DATA_USE", True),
        ("FOLLOW_UP", "TREATMENT_ONLY", False),
        ("ALL_DATA_USE", "FOLLOW_UP", False),
        ("ALL_DATA_USE", "ALL_DATA_USE", False),
    ],
)
def test_a_withdrawal_may_only_widen(before: str, scope: str, allowed: bool) -> None:
    outcome = given(*OPEN, withdrew(before)).when(command("withdrawSubject", scope=scope))
    if allowed:
        outcome.then_accepts(ParticipantWithdrew)
    else:
        outcome.then_rejects("VIS-04", field="scope")


def test_to_end_the_permission_to_ask_for_the_vital_status_is_to_widen() -> None:
    permitted = withdrew("FOLLOW_UP", vitalStatusAllowed=True)
    given(*OPEN, permitted).when(command("withdrawSubject")).then_accepts(ParticipantWithdrew)
    given(*OPEN, withdrew("FOLLOW_UP")).when(command("withdrawSubject", vitalStatusAllowed=True)).then_rejects("VIS-04")


@pytest.mark.parametrize("scope", ["TREATMENT_ONLY", "ALL_DATA_USE"])
def test_the_vital_status_may_be_asked_for_only_after_withdrawal_from_follow_up(scope: str) -> None:
    asked = command("withdrawSubject", scope=scope, vitalStatusAllowed=True)
    given(*OPEN).when(asked).then_rejects("VIS-04", field="vitalStatusAllowed")


def test_a_withdrawal_does_not_lie_in_the_future() -> None:
    given(*OPEN).when(command("withdrawSubject", withdrawnAt=iso(minutes=-6))).then_rejects("INV-06")
