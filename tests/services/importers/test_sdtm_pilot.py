"""The shipped mapping on the real pilot data: what is counted here is counted from the files."""

import csv
import gzip
from collections import Counter
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


def test_every_row_is_in_the_plan(plan: Plan) -> None:
    assert plan.read == {"DM": 150, "EX": 301, "LB": 30097, "AE": 504}
    rows = Counter(row.domain for unit in plan.units for row in unit.rows)
    rows += Counter(refusal.row.domain for refusal in plan.refusals)
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
