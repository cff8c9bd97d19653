"""Causality, expectedness against the reference safety information, coding (`safety.md` 2.4, 2.5, 4.1)."""

from typing import Any

import pytest

from builders.adverse_events import ae_grade_changed, ae_reported, ae_upgraded
from builders.commands import command
from builders.ids import AE
from builders.participant import consent
from builders.payloads import sealed
from builders.study import protocol_published, site_activated
from builders.times import UNKNOWN, day, minute
from hepatrail_events.adverse_events import AECausalityAssessed, AECoded, AEExpectednessAssessed
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.protocol_rules import RsiEntry, RsiVersion
from hepatrail_events.roles import Role
from hepatrail_events.types import parse_instant
from specification import By, Given, given

OPEN = (consent(), ae_reported())
LIFE_THREATENING = By(ae_upgraded("LIFE_THREATENING"), Role.INVESTIGATOR)


def _version(version: str, effective_from: str, *entries: RsiEntry) -> RsiVersion:
    return RsiVersion(version=version, effective_from=parse_instant(effective_from), entries=entries)


RSI = (
    # The second version takes effect at midnight of 16 March at the site.
    _version("IB-1", "2025-01-01T00:00:00Z", RsiEntry(term="Fever", max_grade=2)),
    _version(
        "IB-2",
        "2026-03-15T16:00:00Z",
        RsiEntry(term="Fever", max_grade=3),
        RsiEntry(term="Sepsis", max_grade=5, fatal=True, life_threatening=True),
    ),
)
EXPECTED = {"value": "EXPECTED", "rsiVersion": "IB-1", "rsiTerm": "Fever"}


def _with_rsi(*history: Event | By) -> Given:
    return given(*history).in_study(protocol_published(rsi=RSI), site_activated())


@pytest.mark.parametrize(
    ("by", "assessor"),
    [
        (Role.INVESTIGATOR, "INVESTIGATOR"),
        (Role.PRINCIPAL_INVESTIGATOR, "INVESTIGATOR"),
        (Role.SPONSOR, "SPONSOR"),
    ],
)
def test_inv_14_each_assessor_judges_causality_in_the_own_name(by: Role, assessor: str) -> None:
    event = given(*OPEN).when(command("assessCausality"), by=by).then_one(AECausalityAssessed)
    assert event.payload() == {
        "aeId": str(AE),
        "aeVersion": 2,
        "assessor": assessor,
        "target": "DEVICE",
        "value": "POSSIBLE",
        "rationale": sealed("rationale"),
    }


@pytest.mark.parametrize("name", ["assessCausality", "downgradeAdverseEvent", "changeSeriousnessCriteria"])
def test_inv_14_nobody_states_whose_judgement_it_is(name: str) -> None:
    with pytest.raises(CommandRejected) as refusal:
        command(name, assessor="SPONSOR")
    assert (refusal.value.code, refusal.value.field) == ("SHAPE", "assessor")


@pytest.mark.parametrize("field", ["target", "value", "rationale"])
def test_a_judgement_of_causality_has_a_target_a_value_and_a_rationale(field: str) -> None:
    with pytest.raises(CommandRejected) as refusal:
        command("assessCausality", **{field: None})
    assert refusal.value.field == field


def test_unexpected_needs_no_reference_safety_information() -> None:
    event = given(*OPEN).when(command("assessExpectedness")).then_one(AEExpectednessAssessed)
    assert event.payload() == {"aeId": str(AE), "aeVersion": 2, "value": "UNEXPECTED"}


def test_an_event_is_expected_by_an_entry_of_the_version_in_force() -> None:
    event = _with_rsi(*OPEN).when(command("assessExpectedness", **EXPECTED)).then_one(AEExpectednessAssessed)
    assert event.payload() == {"aeId": str(AE), "aeVersion": 2} | EXPECTED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rsiVersion": None}, "rsiVersion"),
        ({"rsiTerm": None}, "rsiTerm"),
        ({"rsiVersion": "IB-9"}, "rsiVersion"),
        ({"rsiVersion": "IB-2"}, "rsiVersion"),
        ({"rsiTerm": "Rash"}, "rsiTerm"),
    ],
    ids=["no version", "no term", "unknown version", "version of later", "unknown term"],
)
def test_expected_names_the_version_in_force_at_onset_and_its_entry(changes: dict[str, Any], field: str) -> None:
    _with_rsi(*OPEN).when(command("assessExpectedness", **EXPECTED | changes)).then_rejects(field=field)


def test_an_empty_reference_safety_information_expects_nothing() -> None:
    given(*OPEN).when(command("assessExpectedness", **EXPECTED)).then_rejects(field="rsiVersion")


@pytest.mark.parametrize(
    ("onset", "first", "second"),
    [
        # 15:59 UTC on 15 March is still 15 March at the site, 16:00 is 16 March.
        ({"value": "2026-03-15T15:59Z", "precision": "MINUTE"}, True, False),
        ({"value": "2026-03-15T16:00Z", "precision": "MINUTE"}, False, True),
        (day("2026-03-15"), True, False),
        (day("2026-03-16"), False, True),
        ({"value": "2026-03", "precision": "MONTH"}, True, True),
        ({"value": "2026-02", "precision": "MONTH"}, True, False),
        ({"value": "2025-12", "precision": "MONTH"}, True, False),
        ({"value": "2026", "precision": "YEAR"}, True, True),
        ({"value": "2025", "precision": "YEAR"}, True, False),
        ({"value": "2024", "precision": "YEAR"}, False, False),
        (UNKNOWN, True, True),
    ],
    ids=str,
)
def test_the_version_is_in_force_on_the_civil_date_of_the_onset(
    onset: dict[str, str], first: bool, second: bool
) -> None:
    history = _with_rsi(consent(), ae_reported(onset=onset))
    for version, in_force in (("IB-1", first), ("IB-2", second)):
        outcome = history.when(command("assessExpectedness", **EXPECTED | {"rsiVersion": version}))
        if in_force:
            outcome.then_accepts(AEExpectednessAssessed)
        else:
            outcome.then_rejects(field="rsiVersion")


def test_an_event_more_severe_than_the_entry_is_not_expected() -> None:
    worse = ae_grade_changed(3, gradeAt=minute(days=4))
    better_now = ae_grade_changed(1, version=3, gradeAt=minute(days=1))
    asked = command("assessExpectedness", **EXPECTED)
    _with_rsi(*OPEN, worse, better_now).when(asked).then_rejects(field="value")


def test_an_event_of_unknown_grade_is_not_expected() -> None:
    unknown = ae_reported(grade=None, gradeAt=None)
    _with_rsi(consent(), unknown).when(command("assessExpectedness", **EXPECTED)).then_rejects(field="value")


def test_an_outcome_that_the_entry_does_not_list_is_not_expected() -> None:
    _with_rsi(*OPEN, LIFE_THREATENING).when(command("assessExpectedness", **EXPECTED)).then_rejects(field="value")
    sepsis = ae_reported(code="SEPSIS", grade=4, onset=day("2026-03-16"), gradeAt=day("2026-03-16"))
    listed = {"value": "EXPECTED", "rsiVersion": "IB-2", "rsiTerm": " sepsis "}
    _with_rsi(consent(), sepsis, LIFE_THREATENING).when(command("assessExpectedness", **listed)).then_accepts(
        AEExpectednessAssessed
    )


@pytest.mark.parametrize("by", [Role.SAFETY_OFFICER, Role.SPONSOR])
def test_an_event_is_coded_as_often_as_the_coder_finds_a_better_term(by: Role) -> None:
    named = command("codeAdverseEvent", lltName="Fever", ptName="Pyrexia")
    coded = given(*OPEN).when(named, by=by).then_one(AECoded)
    assert coded.payload() == {
        "aeId": str(AE),
        "aeVersion": 2,
        "meddraVersion": "28.1",
        "lltCode": "10000001",
        "lltName": "Fever",
        "ptCode": "10000002",
        "ptName": "Pyrexia",
    }
    given(*OPEN, By(coded, by)).when(command("codeAdverseEvent"), by=by).then_accepts(AECoded)


@pytest.mark.parametrize("field", ["lltCode", "ptCode"])
def test_a_meddra_code_has_eight_digits(field: str) -> None:
    with pytest.raises(CommandRejected) as refusal:
        command("codeAdverseEvent", **{field: "1234"})
    assert refusal.value.field == field
    assert refusal.value.message == f"{field} must be a MedDRA code, eight digits."
