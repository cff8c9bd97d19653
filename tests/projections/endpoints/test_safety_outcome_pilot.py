"""CDISC Pilot 01, imported by the shipped mapping: the published numbers of adverse events by arm come out.

Published of the shared sites: 150 subjects, 44 / 42 / 42 of them randomised to placebo, low and high dose; subjects
with a TEAE 31 (70.5 %), 40 (95.2 %) and 39 (92.9 %); 480 TEAE rows; subjects with a seriousness criterion 1, 4 and 3.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hepatrail_events.protocol import Protocol
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.derive import derive
from hepatrail_projections.endpoints.safety_facts import SafetyFacts, safety_facts
from hepatrail_projections.endpoints.safety_tables import safety_tables
from hepatrail_projections.endpoints.safety_terms import upper_snake
from hepatrail_projections.endpoints.survival_facts import survival_facts
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import Source, read_directory
from pure_spine import PureSpine

PILOT = Path(__file__).parents[4] / "shared" / "data" / "cdisc_pilot"
pytestmark = pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
ARMS = ("Pbo", "Xan_Lo", "Xan_Hi")
Pilot = tuple[list[SafetyFacts], Protocol, Mapping[str, str]]


def read(name: str) -> list[dict[str, str]]:
    with (PILOT / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
async def pilot() -> Pilot:
    """What every subject contributes, the protocol, and the arm of each subject; without the laboratory's rows."""
    mapping, spine = read_mapping(), PureSpine(NOW)
    whole = read_directory(PILOT).rows
    source = Source({"LB": (), **{name: whole[name] for name in ("DM", "EX", "AE")}}, ())
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)
    await run_plan(plan_import(source, mapping), spine.acting_as(Role.INVESTIGATOR))
    study = fold_study_events(spine.recorded[STUDY])
    published = study.published_at(NOW)
    assert published is not None
    rows = [
        derive(fold_all(subject, events), study, NOW)
        for stream, events in spine.recorded.items()
        if (subject := subject_of(stream)) is not None
    ]
    protocol = published.protocol
    facts = [safety_facts(each, protocol, survival_facts(each, protocol).follow_up) for each in rows]
    return facts, published.protocol, {row["USUBJID"]: row["ARMCD"] for row in read("dm.csv")}


def tables(pilot: Pilot, *arms: str) -> dict[str, Table]:
    """The tables of the subjects of some arms."""
    facts, protocol, arm_of = pilot
    chosen = [each for each in facts if arm_of[each.subject_id] in arms]
    return {table.code: table for table in safety_tables(chosen, protocol, NOW)}


def test_the_safety_set_is_who_was_randomised_and_the_screen_failures_are_left_out(pilot: Pilot) -> None:
    facts, _, arm_of = pilot
    treated = Counter(arm_of[each.subject_id] for each in facts if each.treated)
    assert [treated[arm] for arm in ARMS] == [44, 42, 42]
    assert (len(facts), sum(treated.values())) == (150, 128)


def test_subjects_with_a_teae_by_arm(pilot: Pilot) -> None:
    shown = [tables(pilot, arm)["TEAE_OVERVIEW"].row("TEAE").cell("PARTICIPANTS").display for arm in ARMS]
    assert shown == ["31 (70.5 %)", "40 (95.2 %)", "39 (92.9 %)"]


def test_the_number_of_teae_rows(pilot: Pilot) -> None:
    overview = tables(pilot, *ARMS)["TEAE_OVERVIEW"].row("TEAE")
    assert (overview.cell("EVENTS").n, overview.cell("PARTICIPANTS").n) == (480, 110)


def test_subjects_with_any_seriousness_criterion_by_arm(pilot: Pilot) -> None:
    rows = [tables(pilot, arm)["TEAE_OVERVIEW"].row("ANY_SAE").cell("PARTICIPANTS").n for arm in ARMS]
    assert rows == [1, 4, 3]


def test_every_term_at_its_highest_severity_is_that_of_the_published_rows(pilot: Pilot) -> None:
    published = {(row["USUBJID"], row["AESEQ"]) for row in read("expected_ae_flags.csv") if _emergent(row)}
    codes = read_mapping().ae.codes
    worst: dict[tuple[str, str], int] = defaultdict(int)
    events: Counter[str] = Counter()
    for row in read("ae.csv"):
        if (row["USUBJID"], row["AESEQ"]) not in published:
            continue
        known, term = codes.get(row["AEDECOD"]), row["AEDECOD"]
        code = f"CODE_{known}" if known else f"CODE_OTHER_{upper_snake(term)}"
        grade = (
            5
            if row["AESDTH"] == "Y" or row["AEOUT"] == "FATAL"
            else ("MILD", "MODERATE", "SEVERE").index(row["AESEV"]) + 1
        )
        worst[code, row["USUBJID"]] = max(grade, worst[code, row["USUBJID"]])
        events[code] += 1
    found = tables(pilot, *ARMS)["TEAE_BY_TERM_AND_GRADE"]
    rows = {row.code: row for row in found.rows if row.level == 1}
    assert rows.keys() == events.keys()
    for code, line in rows.items():
        graded = Counter(grade for (term, _), grade in worst.items() if term == code)
        assert [line.cell(f"GRADE_{grade}").n for grade in range(1, 6)] == [graded[grade] for grade in range(1, 6)]
        assert (line.cell("MISSING").n, line.cell("EVENTS").n) == (0, events[code])


def _emergent(row: Mapping[str, str]) -> bool:
    return row["TEAE_published_flag"] == "Y"
