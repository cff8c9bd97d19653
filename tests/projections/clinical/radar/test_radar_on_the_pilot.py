"""What the radar finds in CDISC Pilot 01, imported by the shipped mapping: the counts by kind, and how near it comes.

Nothing at all, which is right: no result from the first dose on is of grade 3, the greatest bilirubin is 1.9 times its
upper limit, no adverse event is of grade 4, both deaths have a fatal event with its criterion, and neither procedures
nor blood gases are in the source. The other counts show that it looks: with one grade less, or with thresholds at the
upper limit, it finds some.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.queries.rows import query_rows
from hepatrail_projections.safety_finding import safety_finding_rows
from hepatrail_projections.snapshots import fold_study_events
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.subject_view import SubjectView, fold_all
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import read_directory
from pure_spine import PureSpine

PILOT = Path(__file__).parents[5] / "shared" / "data" / "cdisc_pilot"
pytestmark = pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")

Trial = tuple[tuple[SubjectView, ...], PublishedProtocol]


@pytest.fixture(scope="module")
async def pilot() -> Trial:
    """Every participant of the pilot after its import, and the shipped protocol."""
    mapping, spine = read_mapping(), PureSpine(datetime(2026, 1, 5, 8, tzinfo=UTC))
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)
    await run_plan(plan_import(read_directory(PILOT), mapping), spine.acting_as(Role.INVESTIGATOR))
    published = fold_study_events(spine.recorded[STUDY]).published_at(spine.now)
    assert published is not None
    streams = {subject_of(stream): events for stream, events in spine.recorded.items()}
    return tuple(fold_all(each, events) for each, events in streams.items() if each is not None), published


def counts(pilot: Trial, radar: Mapping[str, str] | None = None, **safety: Any) -> Counter[str]:
    """The findings of all participants by kind, under the protocol with other rules of safety."""
    views, published = pilot
    given = published.protocol.safety.model_dump()
    rules = SafetyRules.model_validate({**given, **safety, "radar": {**given["radar"], **(radar or {})}})
    changed = replace(published, protocol=published.protocol.model_copy(update={"safety": rules}))
    rows = (row for view in views for row in safety_finding_rows(view, clinical_state(view, changed)))
    return Counter(row.kind for row in rows)


async def test_the_shipped_protocol_finds_nothing_in_150_participants(pilot: Trial) -> None:
    views, _ = pilot
    events = [fact for view in views for fact in view.adverse_events.values()]
    assert (len(views), len(events)) == (150, 504)
    assert Counter(fact.max_grade for fact in events) == {1: 337, 2: 145, 3: 20, 5: 2}
    assert counts(pilot) == {}


async def test_with_one_grade_less_it_finds_seven_results(pilot: Trial) -> None:
    assert counts(pilot, alert_lab_grade_ge=2) == {"LAB_GRADE_UNREVIEWED": 7}


@pytest.mark.parametrize(
    ("transaminase", "bilirubin", "found"),
    [("3", "2", 0), ("2", "1.5", 0), ("1", "1.5", 0), ("3", "1", 0), ("1", "1", 1)],
)
async def test_hys_law_is_far_away(pilot: Trial, transaminase: str, bilirubin: str, found: int) -> None:
    rules = {"transaminase_x_uln": transaminase, "bilirubin_x_uln": bilirubin}
    assert counts(pilot, rules)["HYS_LAW"] == found


async def test_the_older_rules_ask_about_the_severe_events_that_are_not_serious(pilot: Trial) -> None:
    views, published = pilot
    asked = [row for view in views for row in query_rows(view, clinical_state(view, published))]
    rules = Counter(row.rule for row in asked if row.rule in ("INV-15", "INV-18", "INV-20"))
    assert rules == {"INV-15": 13, "INV-20": 10}
