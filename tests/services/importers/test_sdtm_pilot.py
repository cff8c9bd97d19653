"""The shipped mapping on the real pilot data: what is counted here is counted from the files."""

import csv
import gzip
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from hepatrail_services.importers.mapping import SdtmMapping, read_mapping
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import read_directory

PILOT = Path(__file__).parents[4] / "shared" / "data" / "cdisc_pilot"
pytestmark = pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_import(read_directory(PILOT), read_mapping())


@pytest.fixture(scope="module")
def reports() -> Plan:
    """The plan with AE as first published, one row a report."""
    mapping = read_mapping()
    assert mapping.ae.reports is not None
    return plan_import(read_directory(PILOT, {"AE": mapping.ae.reports.file}), mapping, mapping.ae.reports)


def _original() -> dict[tuple[str, str], list[dict[str, str]]]:
    """The rows of the file by event, in the order in which they were reported."""
    events: dict[tuple[str, str], list[dict[str, str]]] = {}
    with (PILOT / "ae_reports_original.csv").open(encoding="utf-8", newline="") as stream:
        for row in sorted(csv.DictReader(stream), key=lambda row: row["AEDTC"]):
            events.setdefault((row["USUBJID"], row["AESPID"]), []).append(row)
    return events


def test_every_row_is_in_the_plan(plan: Plan) -> None:
    assert plan.read == {"DM": 150, "EX": 301, "LB": 30097, "VS": 15124, "SV": 1787, "AE": 504, "DS": 304}
    rows = Counter(row.domain for unit in plan.units for row in unit.rows)
    rows += Counter(refusal.row.domain for refusal in plan.refusals)
    rows += Counter(kept.row.domain for kept in plan.kept)
    assert rows == plan.read


def test_only_later_doses_are_refused_before_sending(plan: Plan) -> None:
    assert Counter((refusal.row.domain, refusal.code) for refusal in plan.refusals) == {("EX", "NOT_FIRST_DOSE"): 173}


def test_the_findings_name_the_events_that_are_serious_without_a_flag(plan: Plan) -> None:
    with (PILOT / "expected_ae_flags.csv").open(encoding="utf-8", newline="") as stream:
        published = {
            f"{row['USUBJID']}|{row['AESEQ']}"
            for row in csv.DictReader(stream)
            if row["inconsistent_seriousness"] == "Y"
        }
    assert {finding.row.key for finding in plan.findings if finding.kind == "SERIOUS_WITHOUT_FLAG"} == published
    assert len(published) == 8


def test_ten_events_are_serious_by_criterion(plan: Plan) -> None:
    reports = [step.input for unit in plan.units for step in unit.steps if step.mutation == "reportAdverseEvent"]
    assert sum(bool(report["criteria"]) for report in reports) == 10


def test_censored_results_keep_their_sign(plan: Plan) -> None:
    with gzip.open(PILOT / "lb.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        source = Counter(row["LBORRES"] for row in csv.DictReader(stream) if row["LBORRES"][:1] in "<>")
    sent = Counter(
        result["comparator"] + result["value"]
        for unit in plan.units
        for step in unit.steps
        for result in step.input.get("results", ())
        if "comparator" in result
    )
    assert sent == source == {"<0.2": 2, "<40": 1}


def test_the_mapping_activates_the_sites_of_the_data(plan: Plan, shipped: SdtmMapping) -> None:
    sites = {step.input["siteId"] for unit in plan.units for step in unit.steps if step.mutation == "recordConsent"}
    assert sites == set(shipped.sites.ids)


def test_the_617_reports_are_first_reports_and_follow_ups_of_469_events(reports: Plan) -> None:
    assert (reports.read["AE"], [one for one in reports.refusals if one.row.domain == "AE"]) == (617, [])
    sent = [unit for unit in reports.units if unit.rows[0].domain == "AE"]
    first = {unit.key: unit for unit in sent if unit.follows is None}
    followed = Counter(unit.follows for unit in sent if unit.follows is not None)
    assert (len(sent), len(first), len(followed)) == (617, 469, 143)
    assert followed.keys() <= first.keys()
    by_event = {
        f"{rows[0]['USUBJID']}|{rows[0]['AESEQ']}": len(rows) - 1 for rows in _original().values() if len(rows) > 1
    }
    assert followed == by_event


def test_what_the_reports_change_is_what_the_file_changes(reports: Plan) -> None:
    changed = Counter(
        column
        for rows in _original().values()
        for earlier, later in pairwise(rows)
        for column in later
        if column not in ("AESEQ", "AEDTC") and earlier[column] != later[column]
    )
    sent = Counter(step.mutation for unit in reports.units for step in unit.steps if unit.follows is not None)
    assert changed == {"AEOUT": 117, "AESEV": 36}
    assert sent == {"followUpAdverseEvent": 148, "resolveAdverseEvent": 117, "changeAdverseEventGrade": 36}


def test_an_end_beside_an_outcome_that_goes_on_comes_with_a_later_report(reports: Plan, plan: Plan) -> None:
    """What the mapping's stand-in for it rests on: the source wrote the end back."""
    left_out = {finding.row.key for finding in reports.findings if finding.kind == "END_LEFT_OUT"}
    assert len(left_out) == 122
    for rows in _original().values():
        if any(f"{row['USUBJID']}|{row['AESEQ']}" in left_out for row in rows):
            assert (rows[-1]["AEOUT"], len({row["AEENDTC"] for row in rows})) == ("RECOVERED/RESOLVED", 1)
    assert len({finding.row.key for finding in plan.findings if finding.kind == "END_LEFT_OUT"} & left_out) == 10


def test_two_reports_are_dated_before_their_onset(reports: Plan, plan: Plan) -> None:
    assert sum(finding.kind == "REPORTED_BEFORE_ONSET" for finding in reports.findings) == 2
    assert sum(finding.kind == "REPORTED_BEFORE_ONSET" for finding in plan.findings) == 0
