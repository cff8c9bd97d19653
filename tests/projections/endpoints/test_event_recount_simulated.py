"""Every cell of every table of outcomes of a simulated trial, recounted from the table `event` alone.

The recount is a second implementation of `endpoints.md`, `safety.md`, `visits.md` and `scores.md`; it shares no code
with the first. As of three instants: in the middle of the trial, when its year is over, and when participants have
been added with what the simulation never does.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from event_recount.comparison import differences
from event_recount.edge_course import edge_course
from event_recount.edge_site import RECORDED
from event_recount.studies import FAMILIES, Counted, counted_at, projected
from hepatrail_events.roles import Role
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import play
from pure_spine import PureSpine

SEED, PARTICIPANTS = 11, 12
MIDDLE, YEAR, EDGES = INSTANTS = ("in the middle", "after a year", "with every edge")
Counts = dict[str, Counted]


@pytest.fixture(scope="module")
async def counts(postgres_dsn: str) -> Counts:
    """The trial at each instant."""
    simulated = generate_trial(SEED, PARTICIPANTS)
    spine = PureSpine(simulated.header.begins)
    await activate_sites(spine.acting_as(Role.ADMIN), "test", [simulated.header.site_id], "EC-1")
    await play(simulated, {role: spine.acting_as(role) for role in Role}, spine.advance_to)
    year = spine.now
    await edge_course(spine)
    instants = {MIDDLE: year - timedelta(days=400), YEAR: year, EDGES: RECORDED}
    async with projected(postgres_dsn, spine.recorded) as tables:
        return {name: await counted_at(tables, at) for name, at in instants.items()}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("instant", INSTANTS)
def test_every_cell_is_that_of_the_recount(counts: Counts, instant: str, family: str) -> None:
    assert counts[instant].differences(family) == []


def test_the_trial_has_what_makes_the_tables_hard(counts: Counts) -> None:
    counted = counts[EDGES]
    assert counted.flags() == {
        *("BASELINE_QUALIFIED", "BEHIND_HORIZON", "DOSE_OUT_OF_BAND", "DURATION_OUT_OF_RANGE", "DURING_SESSION"),
        *("IMPUTED_DATE", "OUT_OF_WINDOW", "QUALIFIED_HIGH", "QUALIFIED_LOW", "RUNNING", "UNCODED", "WEIGHT_TOO_OLD"),
        "WITHHELD",
    }
    for key in (
        ("TEAE_OVERVIEW", "SUSAR", "EVENTS"),
        ("TEAE_OVERVIEW", "SUSAR_PROVISIONAL", "EVENTS"),
        ("TEAE_OVERVIEW", "ANY_SAE_UNTREATED", "EVENTS"),
        ("TEAE_BY_TERM_AND_GRADE", "TOTAL", "MISSING"),
        ("TEAE_BY_INTERVAL", "AFTER", "TEAE_EVENTS"),
        ("TEAE_BY_INTERVAL", "UNKNOWN", "TESAE_EVENTS"),
        ("CRUDE_SURVIVAL", "M12", "UNKNOWN"),
        ("CUMULATIVE_INCIDENCE", "DAY_84", "TRANSPLANTS"),
        ("CUMULATIVE_INCIDENCE", "DAY_84", "DEATHS"),
        ("CHANGE_MELD_2002", "D7_CHANGE", "N"),
        ("CHANGE_APACHE_II_1985", "D3_CHANGE", "N"),
        ("CHANGE_ALT", "D7_CHANGE", "QUALIFIED"),
        ("CHANGE_ALT", "W2_VALUE", "DURING_SESSION"),
    ):
        assert counted.cells[key].n, key


def test_a_cell_that_differs_and_one_that_nobody_recounts_are_both_told(counts: Counts) -> None:
    counted = counts[MIDDLE]
    table = counted.tables[0]
    row = table.rows[0]
    wrong = replace(row, cells=(replace(row.cells[0], value="99", contributions=()),))
    strange = replace(row, code="STRANGER")
    told = differences([replace(table, rows=(wrong, strange))], counted.cells)
    of_both = [sentence for sentence in told if "is not there" not in sentence]
    assert [sentence.split(": ")[1].split(" ")[0] for sentence in of_both] == ["nobody", "value", "participants"]
