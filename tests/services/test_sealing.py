"""Free text at the gateway: found, screened and sealed under its own path (PRV-02, PRV-03)."""

from typing import Any

import pytest

from builders.commands import OF_THE_STUDY, command_input
from builders.ids import AE, ALERT
from builders.payloads import sealed
from builders.times import iso, minute
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import SealedText
from hepatrail_services.command import read_command
from hepatrail_services.deciders.ae_report import ReportAdverseEvent
from hepatrail_services.deciders.catalogue import COMMANDS
from hepatrail_services.deciders.enrolment import RecordScreenFailure
from hepatrail_services.deciders.sessions import CorrectSession
from hepatrail_services.sealing import OwnerOf, key_owner, seal_input, sealable_paths

PHRASE = "burning pain behind the left knee"


def _seal(path: str, text: str) -> SealedText:
    return SealedText(kid="k", cid="c", path=path, ct=f"{len(text)}")


def _plain(name: str, **changes: Any) -> Any:
    """The input as a client sends it: the free text is text."""
    return _opened(command_input(name, **changes))


def _opened(value: Any) -> Any:
    if isinstance(value, dict):
        return PHRASE if value.keys() == sealed().keys() else {name: _opened(part) for name, part in value.items()}
    return [_opened(part) for part in value] if isinstance(value, list) else value


def test_the_fields_of_free_text_are_those_of_the_reference() -> None:
    found = {name: set(sealable_paths(kind)) for name, kind in COMMANDS.items() if sealable_paths(kind)}
    assert found == {
        "recordScreenFailure": {"reason"},
        "withdrawConsent": {"reason"},
        "pauseSession": {"reason"},
        "correctSession": {"reason"},
        "voidSession": {"reasonText"},
        "correctLabResult": {"reason"},
        "voidLabResult": {"reasonText"},
        "confirmImplausible": {"reason"},
        "correctObservation": {"reason"},
        "voidObservation": {"reasonText"},
        "recordSurvivalStatus": {"death.fatalAes[].reason"},
        "recordDeath": {"fatalAes[].reason"},
        "correctDeathRecord": {"reason"},
        "withdrawSubject": {"reason"},
        "correctAssessment": {"reason", "newText"},
        "voidAssessment": {"reasonText"},
        "recordMedication": {"verbatim"},
        "correctMedication": {"reason", "newText"},
        "voidMedication": {"reasonText"},
        "recordProcedure": {"description"},
        "correctProcedure": {"reason", "newText"},
        "voidProcedure": {"reasonText"},
        "reportAdverseEvent": {"verbatim", "causality[].rationale"},
        "followUpAdverseEvent": {"text"},
        "correctAdverseEventGrade": {"reason"},
        "changeSeriousnessCriteria": {"reason"},
        "downgradeAdverseEvent": {"reasonText"},
        "assessCausality": {"rationale"},
        "reopenAdverseEvent": {"reason"},
        "correctAdverseEvent": {"reason", "newText"},
        "voidAdverseEvent": {"reasonText"},
        "requestAeVoid": {"reasonText"},
        "recordBaselineCondition": {"verbatim"},
        "correctBaselineCondition": {"reason", "newText"},
        "voidBaselineCondition": {"reasonText"},
        "correctSubmission": {"reason"},
        "voidSubmission": {"reasonText"},
        "writeNarrative": {"narrative"},
        "reportDeviceDeficiency": {"description"},
        "correctDeviceDeficiency": {"reason", "newText"},
        "voidDeviceDeficiency": {"reasonText"},
        "answerQuery": {"text"},
        "closeQuery": {"reason"},
        "acknowledgeSaeAlert": {"comment"},
        "placeHold": {"reason"},
        "releaseHold": {"reason"},
        "deactivateSite": {"reason"},
        "withdrawAccess": {"reason"},
        "publishProtocol": {"reason"},
        "publishSealingKey": {"reason"},
        "reviewAuditTrail": {"findings"},
    }


async def test_each_text_is_sealed_under_the_path_of_its_field() -> None:
    causality = [
        {"target": "DEVICE", "value": "POSSIBLE"},
        {"target": "PROCEDURE", "value": "UNLIKELY", "rationale": "not at the access"},
    ]
    raw = _plain("reportAdverseEvent", causality=causality)
    body = await seal_input(ReportAdverseEvent, raw, _seal)
    assert body["verbatim"] == {"kid": "k", "cid": "c", "path": "verbatim", "ct": str(len(PHRASE))}
    assert body["causality"][1]["rationale"]["path"] == "causality[1].rationale"
    assert "rationale" not in body["causality"][0]
    assert read_command(ReportAdverseEvent, body).verbatim.path == "verbatim"


FATAL_AE = {"aeId": str(AE), "reason": PHRASE}
OF_FREE_TEXT: dict[str, dict[str, Any]] = {
    "placeHold": {"scope": "PARTICIPANT", "subjectId": "S-001"},
    "recordDeath": {"fatalAes": [FATAL_AE]},
    "recordSurvivalStatus": {"death": {"deathAt": minute(hours=3), "awareAt": iso(hours=2), "fatalAes": [FATAL_AE]}},
}
"""What makes a command one with free text of a participant, where its default is not."""


@pytest.mark.parametrize("name", sorted(name for name, kind in COMMANDS.items() if sealable_paths(kind)))
async def test_no_clear_text_leaves_the_gateway(name: str) -> None:
    kind = COMMANDS[name]
    texts = {path: PHRASE for path in sealable_paths(kind) if "[" not in path}
    raw = _plain(name, **texts, **OF_FREE_TEXT.get(name, {}))
    assert PHRASE in str(raw)
    stays_plain = key_owner(kind, raw) is None
    body = await seal_input(kind, raw, None if stays_plain else _seal)
    assert (PHRASE in str(body)) == stays_plain == (name in OF_THE_STUDY - {"activateSite", "placeHold"})
    read_command(kind, body)


async def test_new_text_of_a_correction_is_screened_and_sealed_under_a_path_of_its_own() -> None:
    kind, raw = COMMANDS["correctMedication"], _plain("correctMedication", field="verbatim", newText=PHRASE)
    body = await seal_input(kind, raw, _seal)
    assert (body["newText"]["path"], body["reason"]["path"]) == ("newText", "reason")
    with pytest.raises(CommandRejected) as refused:
        await seal_input(kind, raw | {"newText": "call 13800138000"}, _seal)
    assert (refused.value.rule, refused.value.field) == ("PRV-02", "newText")


async def test_text_of_a_death_that_comes_with_a_survival_status_is_sealed_under_its_whole_path() -> None:
    kind = COMMANDS["recordSurvivalStatus"]
    raw = _plain("recordSurvivalStatus", alive="N", **OF_FREE_TEXT["recordSurvivalStatus"])
    body = await seal_input(kind, raw, _seal)
    assert body["death"]["fatalAes"][0]["reason"]["path"] == "death.fatalAes[0].reason"
    raw["death"]["fatalAes"][0]["reason"] = "call 13800138000"
    with pytest.raises(CommandRejected) as refused:
        await seal_input(kind, raw, _seal)
    assert (refused.value.rule, refused.value.field) == ("PRV-02", "death.fatalAes[0].reason")


async def test_a_narrative_may_be_longer_than_a_comment() -> None:
    kind = COMMANDS["writeNarrative"]
    await seal_input(kind, _plain("writeNarrative", narrative="x" * 7000), _seal)
    with pytest.raises(CommandRejected, match="at most 7000 characters"):
        await seal_input(kind, _plain("writeNarrative", narrative="x" * 7001), _seal)


async def test_what_is_no_free_text_is_left_as_it_is() -> None:
    raw = _plain("correctSession", newValue="61.5")
    body = await seal_input(CorrectSession, raw, _seal)
    assert {name: part for name, part in body.items() if name != "reason"} == {
        name: part for name, part in raw.items() if name != "reason"
    }


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", None),
        ("  ", None),
        ("no", None),
        ("x" * 4001, None),
        (5, None),
        (sealed(), None),
        ("call 13800138000", "PRV-02"),
        ("nul \x00 inside", "PRV-02"),
        ("half \ud800 a pair", "PRV-02"),
    ],
    ids=repr,
)
async def test_text_that_cannot_be_sealed_is_refused_by_the_name_of_its_field(text: Any, rule: str | None) -> None:
    with pytest.raises(CommandRejected) as refused:
        await seal_input(RecordScreenFailure, command_input("recordScreenFailure", reason=text), _seal)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("SHAPE", "reason", rule)
    assert not (isinstance(text, str) and text.strip() and text in refused.value.message)


async def test_text_of_the_study_stays_plain_and_is_screened_all_the_same() -> None:
    raw = command_input("deactivateSite", reason="closed, see 13800138000")
    with pytest.raises(CommandRejected) as refused:
        await seal_input(COMMANDS["deactivateSite"], raw)
    assert (refused.value.rule, refused.value.field) == ("PRV-02", "reason")


async def test_a_damaged_character_is_refused_in_any_field_however_deep() -> None:
    raw = command_input("recordLabResults", results=[{"code": "alt", "value": "1"}, {"code": "a\x00"}])
    with pytest.raises(CommandRejected) as refused:
        await seal_input(COMMANDS["recordLabResults"], raw, _seal)
    assert (refused.value.rule, refused.value.field) == ("PRV-02", "results[1].code")


@pytest.mark.parametrize(
    ("name", "changes", "owner"),
    [
        ("recordScreenFailure", {}, OwnerOf(subject_id="S-001")),
        ("recordScreenFailure", {"subjectId": "no pseudonym"}, None),
        ("recordScreenFailure", {"subjectId": 5}, None),
        ("withdrawSubject", {}, None),
        ("withdrawSubject", {"reason": "moved away"}, OwnerOf(subject_id="S-001")),
        ("reportAdverseEvent", {}, OwnerOf(subject_id="S-001")),
        ("acknowledgeSaeAlert", {}, None),
        ("acknowledgeSaeAlert", {"comment": "seen"}, OwnerOf(alert_id=ALERT)),
        ("acknowledgeSaeAlert", {"comment": "seen", "alertId": "nonsense"}, None),
        ("placeHold", {}, None),
        ("placeHold", {"scope": "PARTICIPANT", "subjectId": "S-001"}, OwnerOf(subject_id="S-001")),
        ("releaseHold", {}, None),
        ("releaseHold", {"subjectId": "S-001"}, OwnerOf(subject_id="S-001")),
        ("deactivateSite", {}, None),
        ("startSession", {}, None),
    ],
    ids=str,
)
def test_the_key_is_that_of_the_participant_concerned(
    name: str, changes: dict[str, Any], owner: OwnerOf | None
) -> None:
    assert key_owner(COMMANDS[name], command_input(name, **changes)) == owner
