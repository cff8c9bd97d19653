"""Several reports of one adverse event: the first reports it, later ones are its follow-ups and what they change."""

from collections.abc import Callable
from typing import Any

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.mapping import SdtmMapping
from hepatrail_services.importers.plan import Phase, Plan, command_id
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import Source, SourceRow

Rows = Callable[..., Source]
Row = dict[str, str]

OPEN = {"AEOUT": "NOT RECOVERED/NOT RESOLVED", "AEENDTC": ""}
RECOVERED = {"AEOUT": "RECOVERED/RESOLVED", "AEENDTC": "2014-01-20"}
FATAL = {"AEOUT": "FATAL", "AESDTH": "Y", "AESER": "Y", "AEENDTC": "2014-01-25"}


@pytest.fixture
def reports(sdtm: Rows, shipped: SdtmMapping) -> Callable[..., Plan]:
    """`reports({...}, {...})`: the plan of reports of one open event, 1 of 16 January, 2 of 1 February, ..."""

    def planned(*rows: Row, dm: list[Row] | None = None) -> Plan:
        numbered = [
            {"AESEQ": str(number), "AEDTC": f"2014-{number:02}-{16 if number == 1 else 1:02}", **OPEN, **row}
            for number, row in enumerate(rows, 1)
        ]
        return plan_import(sdtm(dm=dm or [], ae=numbered), shipped, shipped.ae.reports)

    return planned


def _steps(plan: Plan, number: int = 2) -> list[tuple[str, dict[str, Any]]]:
    """The commands of a report, without the participant."""
    (unit,) = (unit for unit in plan.units if unit.key.endswith(f"|{number}"))
    steps = [(step.mutation, dict(step.input)) for step in unit.steps]
    assert {stated.pop("subjectId") for _, stated in steps} == {unit.subject_id}
    return steps


def _refused(plan: Plan) -> list[tuple[int, str]]:
    return [(refusal.row.number, refusal.code) for refusal in plan.refusals]


SAID = "As report 2 of 2014-02-01 says."
FOLLOW_UP = (
    "followUpAdverseEvent",
    {
        "infoReceivedAt": "2014-02-01T15:59:00.000Z",
        "text": f"{SAID} DIARRHEA AT NIGHT, MILD, NOT RECOVERED/NOT RESOLVED",
    },
)


def _without_follow_up(plan: Plan, number: int = 2) -> list[tuple[str, dict[str, Any]]]:
    return [step for step in _steps(plan, number) if step[0] != "followUpAdverseEvent"]


def test_a_report_that_says_nothing_new_is_a_follow_up(reports: Callable[..., Plan]) -> None:
    plan = reports({}, {})
    assert [unit.steps[0].mutation for unit in plan.units] == ["reportAdverseEvent", "followUpAdverseEvent"]
    assert [unit.follows for unit in plan.units] == [None, "01-701-1015|1"]
    assert _steps(plan) == [FOLLOW_UP]


def test_another_event_of_the_participant_is_reported_by_itself(reports: Callable[..., Plan]) -> None:
    plan = reports({}, {"AESPID": "E02"}, {"USUBJID": "01-701-1023"})
    assert [unit.steps[0].mutation for unit in plan.units] == ["reportAdverseEvent"] * 3


def test_reports_are_in_the_order_of_their_dates_then_of_their_numbers(reports: Callable[..., Plan]) -> None:
    day = {"AEDTC": "2014-01-16"}
    plan = reports({"AESEQ": "10", **day}, {"AESEQ": "9", **day}, {"AESEQ": "11", "AEDTC": "2014-01-10"})
    assert [unit.key for unit in plan.units] == [f"01-701-1015|{number}" for number in (11, 9, 10)]
    assert [unit.follows for unit in plan.units] == [None, "01-701-1015|11", "01-701-1015|11"]


@pytest.mark.parametrize(
    ("second", "since"),
    [
        ({}, "2014-02-01"),
        ({"AEENDTC": "2014-01-30"}, "2014-01-30"),
        ({"AEENDTC": "2014-01"}, "2014-01"),
        ({"AEENDTC": "2014-02"}, "2014-02-01"),
        ({"AEDTC": "2014-01-17", "AEENDTC": "2014-01-30"}, "2014-01-17"),
    ],
    ids=["its report", "its end", "the month of its end", "the report in that month", "a report before the end"],
)
def test_another_severity_holds_since_the_report_or_since_the_end_before_it(
    reports: Callable[..., Plan], second: Row, since: str
) -> None:
    onset = {"AESTDTC": "2013"}
    ((mutation, stated),) = _without_follow_up(reports(onset, {"AESEV": "SEVERE", **onset, **second}))
    assert (mutation, stated["toGrade"], stated["gradeAt"]["value"]) == ("changeAdverseEventGrade", 3, since)


def test_another_severity_holds_not_before_the_onset(reports: Callable[..., Plan]) -> None:
    onset = {"AESTDTC": "2014-02"}
    ((_, stated),) = _without_follow_up(
        reports({"AEDTC": "2014-01-10", **onset}, {"AEDTC": "2014-01-16", "AESEV": "SEVERE", **onset})
    )
    assert stated["gradeAt"] == {"value": "2014-02", "precision": "MONTH"}


def test_another_severity_holds_not_before_the_one_that_it_follows(reports: Callable[..., Plan]) -> None:
    plan = reports({}, {"AESEV": "SEVERE"}, {"AESEV": "MODERATE", "AEENDTC": "2014-02"})
    ((_, stated),) = _without_follow_up(plan, 3)
    assert stated["gradeAt"] == {"value": "2014-02-01", "precision": "DAY"}


def test_an_end_resolves_the_event_after_everything_else(reports: Callable[..., Plan]) -> None:
    steps = _steps(reports({}, {**RECOVERED, "AESEV": "MODERATE"}))
    assert [mutation for mutation, _ in steps] == [
        "followUpAdverseEvent",
        "changeAdverseEventGrade",
        "resolveAdverseEvent",
    ]
    assert steps[0][1]["text"] == f"{SAID} DIARRHEA AT NIGHT, MODERATE, RECOVERED/RESOLVED, AEENDTC 2014-01-20"
    assert steps[2][1] == {"outcome": "RECOVERED", "endAt": {"value": "2014-01-20", "precision": "DAY"}}


def test_an_end_that_was_written_back_comes_with_the_report_that_has_it(reports: Callable[..., Plan]) -> None:
    plan = reports({"AEENDTC": "2014-01-20"}, RECOVERED)
    assert "endAt" not in plan.units[0].steps[0].input
    assert [mutation for mutation, _ in _without_follow_up(plan)] == ["resolveAdverseEvent"]
    assert [(finding.row.number, finding.kind) for finding in plan.findings] == [(1, "END_LEFT_OUT")]


def test_an_outcome_that_goes_on_is_told_by_the_follow_up(reports: Callable[..., Plan]) -> None:
    ((mutation, stated),) = _steps(reports({}, {"AEOUT": "RECOVERING/RESOLVING", "AEACN": "DRUG WITHDRAWN"}))
    assert (mutation, stated["outcome"], stated["actionTaken"]) == (
        "followUpAdverseEvent",
        "RECOVERING",
        "TREATMENT_DISCONTINUED",
    )


@pytest.mark.parametrize(
    ("outcome", "told"), [("NOT RECOVERED/NOT RESOLVED", None), ("RECOVERING/RESOLVING", "RECOVERING")]
)
def test_an_event_that_goes_on_again_is_reopened(reports: Callable[..., Plan], outcome: str, told: str | None) -> None:
    steps = _steps(reports(RECOVERED, {"AEOUT": outcome}))
    assert [mutation for mutation, _ in steps] == ["reopenAdverseEvent", "followUpAdverseEvent"]
    assert steps[1][1].get("outcome") == told


def test_another_end_or_ending_is_a_correction(reports: Callable[..., Plan]) -> None:
    sequelae = {"AEOUT": "RECOVERED/RESOLVED WITH SEQUELAE", "AEENDTC": "2014-01-21"}
    assert _without_follow_up(reports(RECOVERED, sequelae)) == [
        ("correctAdverseEvent", {"field": "outcome", "newValue": "RECOVERED_WITH_SEQUELAE", "reason": SAID}),
        ("correctAdverseEvent", {"field": "endAt", "newValue": "2014-01-21", "reason": SAID}),
    ]


def test_another_onset_term_or_word_is_a_correction(reports: Callable[..., Plan]) -> None:
    coded = {"AESTDTC": "2014-01", "AEDECOD": "PYREXIA", "AETERM": "FEVER AT NIGHT"}
    assert _without_follow_up(reports({}, coded)) == [
        ("correctAdverseEvent", {"field": "code", "newValue": "FEVER", "reason": SAID}),
        ("correctAdverseEvent", {"field": "ctcaeTerm", "reason": SAID}),
        ("correctAdverseEvent", {"field": "onset", "newValue": "2014-01", "reason": SAID}),
        ("correctAdverseEvent", {"field": "verbatim", "newText": "FEVER AT NIGHT", "reason": SAID}),
    ]


def test_seriousness_is_upgraded_changed_and_downgraded(reports: Callable[..., Plan]) -> None:
    plan = reports({}, {"AESHOSP": "Y"}, {"AESHOSP": "Y", "AESLIFE": "Y"}, {"AESDISAB": "Y"}, {})
    assert [step for number in (2, 3, 4, 5) for step in _without_follow_up(plan, number)] == [
        (
            "upgradeAdverseEvent",
            {
                "criteria": ["HOSPITALISATION"],
                "seriousSince": {"value": "2014-02-01", "precision": "DAY"},
                "awareAt": "2014-02-01T15:59:00.000Z",
            },
        ),
        (
            "changeSeriousnessCriteria",
            {"added": ["LIFE_THREATENING"], "removed": [], "awareAt": "2014-03-01T15:59:00.000Z"},
        ),
        (
            "changeSeriousnessCriteria",
            {
                "added": ["DISABILITY"],
                "removed": ["LIFE_THREATENING", "HOSPITALISATION"],
                "reason": "As report 4 of 2014-04-01 says.",
                "awareAt": "2014-04-01T15:59:00.000Z",
            },
        ),
        (
            "downgradeAdverseEvent",
            {"reasonCode": "NEW_CLINICAL_INFORMATION", "reasonText": "As report 5 of 2014-05-01 says."},
        ),
    ]


def test_another_causality_is_assessed_and_an_empty_one_changes_nothing(reports: Callable[..., Plan]) -> None:
    plan = reports({}, {"AEREL": ""}, {"AEREL": "PROBABLE"}, {"AEREL": "PROBABLE"})
    assert [len(_without_follow_up(plan, number)) for number in (2, 3, 4)] == [0, 1, 0]
    ((mutation, stated),) = _without_follow_up(plan, 3)
    assert (mutation, stated["target"], stated["value"]) == ("assessCausality", "CELL_PRODUCT", "PROBABLE")


def test_a_later_fatal_report_records_the_death_last_of_all(reports: Callable[..., Plan]) -> None:
    plan = reports({}, {**FATAL, "AESHOSP": "Y"}, FATAL, dm=[{"DTHDTC": "2014-01-26"}])
    assert [(unit.phase, unit.follows is None) for unit in plan.units] == [
        (Phase.ENROLMENT, True),
        (Phase.ADVERSE_EVENTS, True),
        (Phase.DEATH, False),
        (Phase.DEATH, False),
    ]
    steps = _steps(plan)
    assert [mutation for mutation, _ in steps] == [
        "followUpAdverseEvent",
        "recordDeath",
        "changeSeriousnessCriteria",
    ]
    died = {"value": "2014-01-26", "precision": "DAY"}
    assert steps[1][1] == {"deathAt": died, "awareAt": "2014-02-01T15:59:00.000Z"}
    assert steps[2][1]["added"] == ["HOSPITALISATION"]
    assert [mutation for mutation, _ in _steps(plan, 3)] == ["followUpAdverseEvent", "changeSeriousnessCriteria"]


def test_an_event_that_had_ended_is_reopened_before_it_is_fatal(reports: Callable[..., Plan]) -> None:
    steps = _steps(reports(RECOVERED, FATAL))
    assert [mutation for mutation, _ in steps] == ["reopenAdverseEvent", "followUpAdverseEvent", "recordDeath"]


def test_a_death_that_another_event_tells_is_not_told_again(reports: Callable[..., Plan]) -> None:
    plan = reports({}, FATAL, {"AESPID": "E02", **FATAL})
    assert _refused(plan) == [(2, "DEATH_TOLD_ALREADY")]
    (told,) = (step.input["death"] for unit in plan.units for step in unit.steps if "death" in step.input)
    assert told["primaryCause"] is True


def test_a_death_is_not_taken_back_by_a_report(reports: Callable[..., Plan]) -> None:
    plan = reports(FATAL, {}, FATAL)
    assert _refused(plan) == [(2, "DEATH_TAKEN_BACK")]
    assert [mutation for mutation, _ in _steps(plan, 3)] == ["followUpAdverseEvent"]


def test_a_report_that_cannot_be_read_leaves_its_place_to_the_next(reports: Callable[..., Plan]) -> None:
    plan = reports({"AEOUT": "GONE"}, {}, {"AESEV": "?"}, {"AESEV": "SEVERE"}, {"AESPID": ""})
    assert sorted(_refused(plan)) == [(1, "UNMAPPED_VALUE"), (3, "UNMAPPED_VALUE"), (5, "NO_EVENT")]
    assert [unit.steps[0].mutation for unit in plan.units] == ["reportAdverseEvent", "followUpAdverseEvent"]
    assert [mutation for mutation, _ in _without_follow_up(plan, 4)] == ["changeAdverseEventGrade"]


def test_every_command_has_an_id_of_its_own(reports: Callable[..., Plan]) -> None:
    plan = reports(RECOVERED, {**RECOVERED, "AEENDTC": "2014-01-21", "AESTDTC": "2014-01", "AETERM": "X"}, {})
    ids = [command_id(plan.study, unit, step, 1) for unit in plan.units for step in unit.steps]
    assert len(set(ids)) == len(ids) == 9


def test_a_file_of_reports_without_events_stops_the_import(sdtm: Rows, shipped: SdtmMapping) -> None:
    (row,) = sdtm(ae=[{}]).rows["AE"]
    values = {column: text for column, text in row.values.items() if column != "AESPID"}
    source = Source({**sdtm().rows, "AE": (SourceRow("AE", 1, values),)}, ())
    assert plan_import(source, shipped).units
    with pytest.raises(StartRefused, match="AE has no column AESPID"):
        plan_import(source, shipped, shipped.ae.reports)
