"""Rows become commands: reported values stay as reported, stand-ins come from the mapping, nothing vanishes."""

from importlib.resources import files
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.mapping import SdtmMapping, read_mapping
from hepatrail_services.importers.plan import command_id
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import Source, SourceRow
from sdtm_planned import Rows, inputs_of, refused


def test_a_subject_consents_and_is_enrolled(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(dm=[{}]), shipped)
    assert [step.mutation for step in plan.units[0].steps] == ["recordConsent", "enrolSubject"]
    (consent,), (enrolment,) = inputs_of(plan, "recordConsent"), inputs_of(plan, "enrolSubject")
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
    assert refused(plan) == [("DM", 1, code)]
    assert plan.units == ()


def test_the_earliest_dose_is_the_session_and_the_others_are_refused(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(
        sdtm(ex=[{"EXSEQ": "2", "EXSTDTC": "2014-01-17"}, {"EXSEQ": "1", "EXSTDTC": "2014-01-02"}]), shipped
    )
    (start,), (end,) = inputs_of(plan, "startSession"), inputs_of(plan, "endSession")
    assert start["startedAt"] == "2014-01-02T04:00:00.000Z"
    assert end["endedAt"] == "2014-01-02T10:00:00.000Z"
    assert refused(plan) == [("EX", 1, "NOT_FIRST_DOSE")]


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
    samples = inputs_of(plan, "recordLabResults")
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
    (sample,) = inputs_of(plan_import(sdtm(lb=[row]), shipped), "recordLabResults")
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
    assert [len(sample["results"]) for sample in inputs_of(plan, "recordLabResults")] == [1]
    assert sorted(refused(plan)) == [
        ("LB", 2, "LAB-01"),
        ("LB", 3, "LAB-01"),
        ("LB", 4, "LAB-01"),
        ("LB", 5, "DUPLICATE_KEY"),
    ]


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
    assert refused(plan) == [("AE", 2, "UNREADABLE_ROW")]


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
