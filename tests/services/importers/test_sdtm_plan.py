"""Rows become commands: reported values stay as reported, stand-ins come from the mapping, nothing vanishes."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.mapping import EndOfOngoing, SdtmMapping, read_mapping
from hepatrail_services.importers.plan import Phase, Plan, command_id
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import Source, SourceRow

Rows = Callable[..., Source]


def _inputs(plan: Plan, mutation: str) -> list[dict[str, Any]]:
    return [dict(step.input) for unit in plan.units for step in unit.steps if step.mutation == mutation]


def _kinds(plan: Plan) -> list[tuple[str, str]]:
    return [(finding.row.key, finding.kind) for finding in plan.findings]


def _refused(plan: Plan) -> list[tuple[str, int, str]]:
    return [(refusal.row.domain, refusal.row.number, refusal.code) for refusal in plan.refusals]


def test_a_subject_consents_and_is_enrolled(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(dm=[{}]), shipped)
    assert [step.mutation for step in plan.units[0].steps] == ["recordConsent", "enrolSubject"]
    (consent,), (enrolment,) = _inputs(plan, "recordConsent"), _inputs(plan, "enrolSubject")
    assert consent["givenAt"] == "2013-12-26T01:00:00.000Z"
    assert consent["siteId"] == "701"
    assert (enrolment["sex"], enrolment["ageYears"]) == ("female", 63)


def test_a_screen_failure_is_never_enrolled(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(dm=[{"ARMCD": "Scrnfail"}]), shipped)
    assert [step.mutation for step in plan.units[0].steps] == ["recordConsent", "recordScreenFailure"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"SEX": "U"}, "UNMAPPED_SEX"),
        ({"AGE": "63.5"}, "UNREADABLE_AGE"),
        ({"AGEU": "MONTHS"}, "UNREADABLE_AGE"),
        ({"DMDTC": "2013"}, "UNREADABLE_TIME"),
        ({"USUBJID": ""}, "NO_KEY"),
    ],
)
def test_a_subject_that_cannot_be_mapped_is_refused(
    sdtm: Rows, shipped: SdtmMapping, changed: dict[str, str], code: str
) -> None:
    plan = plan_import(sdtm(dm=[changed]), shipped)
    assert _refused(plan) == [("DM", 1, code)]
    assert plan.units == ()


def test_the_earliest_dose_is_the_session_and_the_others_are_refused(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(
        sdtm(ex=[{"EXSEQ": "2", "EXSTDTC": "2014-01-17"}, {"EXSEQ": "1", "EXSTDTC": "2014-01-02"}]), shipped
    )
    (start,), (end,) = _inputs(plan, "startSession"), _inputs(plan, "endSession")
    assert start["startedAt"] == "2014-01-02T04:00:00.000Z"
    assert end["endedAt"] == "2014-01-02T10:00:00.000Z"
    assert _refused(plan) == [("EX", 1, "NOT_FIRST_DOSE")]


def test_a_sample_is_a_subject_a_time_and_a_visit(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(
        sdtm(
            lb=[
                {"LBSEQ": "1"},
                {"LBSEQ": "2", "LBTESTCD": "K"},
                {"LBSEQ": "3", "VISITNUM": "1.1"},
                {"LBSEQ": "4", "LBDTC": "2013-12-26"},
            ]
        ),
        shipped,
    )
    samples = _inputs(plan, "recordLabResults")
    assert [[result["code"] for result in sample["results"]] for sample in samples] == [
        ["tbil", "potassium"],
        ["tbil"],
        ["tbil"],
    ]
    assert [sample["collectedAt"] for sample in samples][1:] == ["2013-12-26T06:45:00.000Z", "2013-12-26"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, {"code": "tbil", "value": "0.5", "unit": "mg/dL", "low": "0.2", "high": "1.2"}),
        (
            {"LBORRES": "<0.2"},
            {"code": "tbil", "value": "0.2", "comparator": "<", "unit": "mg/dL", "low": "0.2", "high": "1.2"},
        ),
        (
            {"LBTESTCD": "K", "LBORRES": "4.0", "LBORRESU": "mEq/L", "LBORNRLO": "", "LBORNRHI": ".9"},
            {"code": "potassium", "value": "4.0", "unit": "meq/L", "high": "0.9"},
        ),
        (
            {"LBTESTCD": "UREAN", "LBORRES": "13", "LBORNRLO": "", "LBORNRHI": ""},
            {"code": "bun", "value": "13", "unit": "mg/dL{urea_N}"},
        ),
        (
            {"LBTESTCD": "COLOR", "LBORRES": "N", "LBORRESU": "", "LBORNRLO": "", "LBORNRHI": ""},
            {"code": "COLOR", "value": "N"},
        ),
        (
            {"LBTESTCD": "BILI", "LBCAT": "URINALYSIS", "LBORRESU": "", "LBORNRLO": "", "LBORNRHI": ""},
            {"code": "BILI", "value": "0.5"},
        ),
        (
            {"LBORRES": "", "LBSTAT": "NOT DONE", "LBORRESU": "", "LBORNRLO": "", "LBORNRHI": ""},
            {"code": "tbil", "notDone": "NOT_DONE"},
        ),
    ],
)
def test_a_result_goes_in_as_reported(
    sdtm: Rows, shipped: SdtmMapping, row: dict[str, str], expected: dict[str, str]
) -> None:
    (sample,) = _inputs(plan_import(sdtm(lb=[row]), shipped), "recordLabResults")
    assert sample["results"] == [expected]


def test_an_unreadable_result_leaves_its_sample_and_is_refused_by_rule(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(
        sdtm(
            lb=[
                {"LBSEQ": "1"},
                {"LBSEQ": "2", "LBORRES": ""},
                {"LBSEQ": "3", "LBTESTCD": ""},
                {"LBSEQ": "4", "LBDTC": "yesterday"},
                {"LBSEQ": "1", "LBTESTCD": "K"},
            ]
        ),
        shipped,
    )
    assert [len(sample["results"]) for sample in _inputs(plan, "recordLabResults")] == [1]
    assert sorted(_refused(plan)) == [
        ("LB", 2, "LAB-01"),
        ("LB", 3, "LAB-01"),
        ("LB", 4, "LAB-01"),
        ("LB", 5, "DUPLICATE_KEY"),
    ]


def test_an_adverse_event_is_reported_with_what_the_source_says(sdtm: Rows, shipped: SdtmMapping) -> None:
    (report,) = _inputs(plan_import(sdtm(ae=[{}]), shipped), "reportAdverseEvent")
    assert report == {
        "subjectId": "01-701-1015",
        "code": "OTHER",
        "ctcaeTerm": "DIARRHOEA",
        "verbatim": "DIARRHEA AT NIGHT",
        "onset": {"value": "2014-01-09", "precision": "DAY"},
        "endAt": {"value": "2014-01-11", "precision": "DAY"},
        "awareAt": "2014-01-16T15:59:00.000Z",
        "criteria": [],
        "grade": 1,
        "gradeAt": {"value": "2014-01-09", "precision": "DAY"},
        "outcome": "RECOVERED",
        "actionTaken": "UNKNOWN",
        "reporter": "investigator of the source study",
        "causality": [{"target": "CELL_PRODUCT", "value": "UNLIKELY"}],
    }


def test_a_criterion_without_the_flag_is_serious_and_found(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AESHOSP": "Y"}, {"AESEQ": "2", "AESHOSP": "Y", "AESER": "Y"}]), shipped)
    assert [report["criteria"] for report in _inputs(plan, "reportAdverseEvent")] == [["HOSPITALISATION"]] * 2
    assert _kinds(plan) == [("01-701-1015|1", "SERIOUS_WITHOUT_FLAG")]


def test_cancer_is_by_itself_no_criterion(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AESCAN": "Y"}]), shipped)
    assert _inputs(plan, "reportAdverseEvent")[0]["criteria"] == []
    assert _kinds(plan) == [("01-701-1015|1", "NO_E2A_CRITERION")]


def test_a_partial_onset_stays_partial(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AESTDTC": "2003"}]), shipped)
    assert _inputs(plan, "reportAdverseEvent")[0]["onset"] == {"value": "2003", "precision": "YEAR"}
    assert _kinds(plan) == [("01-701-1015|1", "PARTIAL_DATE")]


def test_a_causality_that_was_not_stated_is_not_made_up(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AEREL": ""}]), shipped)
    assert "causality" not in _inputs(plan, "reportAdverseEvent")[0]
    assert _kinds(plan) == [("01-701-1015|1", "CAUSALITY_MISSING")]


ONGOING_WITH_AN_END = {"AEOUT": "NOT RECOVERED/NOT RESOLVED", "AEENDTC": "2014-01-20"}


def test_an_end_beside_an_outcome_that_goes_on_is_left_out_and_found(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[ONGOING_WITH_AN_END]), shipped)
    (report,) = _inputs(plan, "reportAdverseEvent")
    assert (report["outcome"], "endAt" in report) == ("NOT_RECOVERED", False)
    assert _kinds(plan) == [("01-701-1015|1", "END_LEFT_OUT")]
    assert "2014-01-20" in plan.findings[0].sentence


def test_the_mapping_may_say_that_the_end_counts(sdtm: Rows, shipped: SdtmMapping) -> None:
    stand_in = shipped.ae.stand_in.model_copy(update={"end_of_ongoing": EndOfOngoing.RECOVERED})
    mapping = shipped.model_copy(update={"ae": shipped.ae.model_copy(update={"stand_in": stand_in})})
    plan = plan_import(sdtm(ae=[ONGOING_WITH_AN_END]), mapping)
    (report,) = _inputs(plan, "reportAdverseEvent")
    assert (report["outcome"], report["endAt"]["value"]) == ("RECOVERED", "2014-01-20")
    assert _kinds(plan) == [("01-701-1015|1", "OUTCOME_BY_END")]


def test_an_event_that_ended_nobody_knows_when_has_an_unknown_end(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AEENDTC": ""}]), shipped)
    assert _inputs(plan, "reportAdverseEvent")[0]["endAt"] == {"precision": "UNKNOWN"}
    assert _kinds(plan) == [("01-701-1015|1", "END_UNKNOWN")]


@pytest.mark.parametrize(
    ("onset", "aware"),
    [("2014-02-03", "2014-02-03T15:59:00.000Z"), ("2014-02", "2014-02-01T15:59:00.000Z")],
)
def test_a_report_dated_before_the_onset_is_known_since_the_onset(
    sdtm: Rows, shipped: SdtmMapping, onset: str, aware: str
) -> None:
    plan = plan_import(sdtm(ae=[{"AEDTC": "2014-01-16", "AESTDTC": onset, "AEENDTC": "2014-02-05"}]), shipped)
    assert _inputs(plan, "reportAdverseEvent")[0]["awareAt"] == aware
    assert ("01-701-1015|1", "REPORTED_BEFORE_ONSET") in _kinds(plan)


@pytest.mark.parametrize("onset", ["2014-01-16", "2014-01", "2014", ""])
def test_an_onset_that_may_lie_before_the_report_does_not_move_the_awareness(
    sdtm: Rows, shipped: SdtmMapping, onset: str
) -> None:
    plan = plan_import(sdtm(ae=[{"AEDTC": "2014-01-16", "AESTDTC": onset, "AEENDTC": "2014-01-16"}]), shipped)
    assert _inputs(plan, "reportAdverseEvent")[0]["awareAt"] == "2014-01-16T15:59:00.000Z"


def test_a_fatal_event_tells_the_death_of_dm_and_comes_last(sdtm: Rows, shipped: SdtmMapping) -> None:
    fatal = {"AEOUT": "FATAL", "AESDTH": "Y", "AESER": "Y", "AEENDTC": "2014-10-31"}
    plan = plan_import(sdtm(dm=[{"DTHDTC": "2014-11-01"}], ae=[fatal, {"AESEQ": "2"}]), shipped)
    report = _inputs(plan, "reportAdverseEvent")[0]
    died = {"value": "2014-11-01", "precision": "DAY"}
    assert report["death"] == {"deathAt": died, "primaryCause": True}
    assert (report["grade"], report["outcome"], report["endAt"]) == (5, "FATAL", died)
    assert [unit.phase for unit in plan.units] == [Phase.ENROLMENT, Phase.DEATH, Phase.ADVERSE_EVENTS]
    assert {kind for _, kind in _kinds(plan)} == {"DEATH_TOLD_BY_AE", "FATAL_END_DIFFERS", "FATAL_GRADE"}


def test_a_death_without_a_fatal_event_is_recorded_by_itself(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(dm=[{"DTHDTC": "2014-11-01"}]), shipped)
    (death,) = _inputs(plan, "recordDeath")
    assert death["deathAt"] == {"value": "2014-11-01", "precision": "DAY"}
    assert plan.units[-1].phase is Phase.DEATH


def test_an_unmapped_value_of_an_adverse_event_is_refused(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AEOUT": "GONE"}, {"AESEQ": "2", "AEDTC": "2014"}]), shipped)
    assert _refused(plan) == [("AE", 1, "UNMAPPED_VALUE"), ("AE", 2, "UNREADABLE_TIME")]


def test_every_row_is_in_one_unit_or_refused(sdtm: Rows, shipped: SdtmMapping) -> None:
    source = sdtm(
        dm=[{}, {}],
        ex=[{}, {"EXSEQ": "2"}],
        lb=[{}, {"LBSEQ": "2", "LBORRES": ""}],
        ae=[{}, {"AESEQ": "2", "AEOUT": "?"}],
    )
    plan = plan_import(source, shipped)
    rows = [(row.domain, row.number) for unit in plan.units for row in unit.rows]
    rows += [(refusal.row.domain, refusal.row.number) for refusal in plan.refusals]
    assert sorted(rows) == [(domain, number) for domain in ("AE", "DM", "EX", "LB") for number in (1, 2)]


def test_command_ids_come_from_row_key_and_attempt(sdtm: Rows, shipped: SdtmMapping) -> None:
    first, again = (plan_import(sdtm(dm=[{}], ex=[{}]), shipped) for _ in range(2))
    ids = {
        command_id(first.study, unit, step, attempt)
        for unit in first.units
        for step in unit.steps
        for attempt in (1, 2)
    }
    assert len(ids) == 8
    for unit, same in zip(first.units, again.units, strict=True):
        assert command_id("S", unit, unit.steps[0], 1) == command_id("S", same, same.steps[0], 1)


def test_dat_05_a_broken_line_is_refused(shipped: SdtmMapping, sdtm: Rows) -> None:
    source = sdtm(ae=[{}])
    broken = SourceRow("AE", 2, {"USUBJID": "01-701-1015"}, whole=False)
    plan = plan_import(Source({**source.rows, "AE": (*source.rows["AE"], broken)}, ()), shipped)
    assert _refused(plan) == [("AE", 2, "UNREADABLE_ROW")]


def test_a_missing_column_stops_the_import(shipped: SdtmMapping, sdtm: Rows) -> None:
    source = Source({**sdtm().rows, "EX": (SourceRow("EX", 1, {"USUBJID": "A-1", "EXSEQ": "1"}),)}, ())
    with pytest.raises(StartRefused, match="EX has no column EXSTDTC"):
        plan_import(source, shipped)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('zone = "Asia/Shanghai"', 'zone = "Peking"', "zone: Value error, is no IANA time zone"),
        ('REMOTE = "UNLIKELY"', 'REMOTE = "REMOTE"', "ae.causalities.REMOTE"),
        ("[ex]", "[ex]\nfirst = 1", "ex.first"),
        ("study =", "study", "is no TOML"),
    ],
)
def test_a_wrong_mapping_names_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = files("hepatrail_services.importers").joinpath("cdisc_pilot.toml").read_text(encoding="utf-8")
    path = tmp_path / "mapping.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StartRefused, match=message):
        read_mapping(path)
