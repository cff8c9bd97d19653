"""The rules of conditions present before treatment (`events.md` 3.7, `safety.md` section 1)."""

import pytest

from builders.commands import command
from builders.ids import BASELINE_CONDITION
from builders.participant import consent, enrolled
from builders.payloads import a_sealed, sealed
from builders.records import baseline_condition
from builders.times import day
from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.ids import object_id
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.baseline_conditions import CORRECTABLE
from specification import given

OPEN = (consent(), enrolled())
VOID = BaselineConditionVoided(
    id=BASELINE_CONDITION, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=a_sealed("reasonText")
)


def test_a_condition_keeps_what_the_investigator_recorded() -> None:
    asked = command("recordBaselineCondition", ctcaeTerm="Hepatic failure", onset=day("2026-02-01"))
    event = given(*OPEN).when(asked).then_one(BaselineConditionRecorded)
    stated = asked.payload() | {"baselineConditionId": str(object_id(asked.command_id, "baselineCondition"))}
    assert event.payload() == {name: value for name, value in stated.items() if name not in ("commandId", "subjectId")}


@pytest.mark.parametrize(("code", "grade", "exists"), [
    ("PALPITATIONS", 2, True), ("PALPITATIONS", 3, False), ("SEPSIS", 2, False), ("OTHER", 4, True),
    ("DEATH_NOS", 1, False), ("OTHER", None, True),
])  # fmt: skip
def test_inv_03_the_grade_of_a_condition_exists(code: str, grade: int | None, exists: bool) -> None:
    outcome = given(*OPEN).when(command("recordBaselineCondition", code=code, grade=grade))
    if exists:
        outcome.then_accepts(BaselineConditionRecorded)
    else:
        outcome.then_rejects("INV-03", field="grade")


def test_inv_03_holds_after_a_correction() -> None:
    history = given(*OPEN, baseline_condition(grade=4))
    recoded = command("correctBaselineCondition", field="code", newValue="PALPITATIONS")
    history.when(recoded).then_rejects("INV-03", field="newValue")
    history.when(command("correctBaselineCondition", newValue="3")).then_accepts(BaselineConditionCorrected)


def test_nobody_begins_the_trial_with_grade_5() -> None:
    with pytest.raises(CommandRejected, match="grade must be at most 4"):
        command("recordBaselineCondition", grade=5)
    given(*OPEN, baseline_condition(grade=4)).when(command("correctBaselineCondition", newValue="5")).then_rejects(
        code="SHAPE", field="newValue"
    )


def test_inv_06_a_condition_does_not_begin_in_the_future() -> None:
    asked = command("recordBaselineCondition", onset=day("2026-03-21"))
    given(*OPEN).when(asked).then_rejects("INV-06", field="onset")
    later = command("correctBaselineCondition", field="onset", newValue="2026-03-21")
    given(*OPEN, baseline_condition()).when(later).then_rejects("INV-06", field="newValue")


def test_every_listed_field_of_a_condition_can_be_corrected() -> None:
    values = {"code": "OTHER", "ctcaeTerm": "Ascites", "onset": "2026-02", "grade": "4"}
    assert values.keys() | {"verbatim"} == CORRECTABLE.keys()
    history = given(*OPEN, baseline_condition())
    for field, value in values.items():
        asked = command("correctBaselineCondition", field=field, newValue=value)
        assert history.when(asked).then_one(BaselineConditionCorrected).payload()["newValue"] == value, field
    reworded = command("correctBaselineCondition", field="verbatim", newValue=None, newText=sealed("newText"))
    history.when(reworded).then_accepts(BaselineConditionCorrected)


def test_a_condition_is_void_with_a_code_and_an_explanation() -> None:
    given(*OPEN, baseline_condition()).when(command("voidBaselineCondition")).then(VOID)


@pytest.mark.parametrize("name", ["correctBaselineCondition", "voidBaselineCondition"])
def test_only_a_known_condition_that_is_not_void_is_corrected_or_void(name: str) -> None:
    given(*OPEN).when(command(name)).then_rejects(field="id")
    given(*OPEN, baseline_condition(), VOID).when(command(name)).then_rejects(field="id")
