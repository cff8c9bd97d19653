"""Every cell of every table of outcomes of CDISC Pilot 01, recounted from the table `event` alone.

The study as the shipped mapping imports it, laboratory results included; see `test_event_recount_simulated.py`.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_recount.studies import FAMILIES, Counted, counted_now, projected
from hepatrail_events.roles import Role
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import read_directory
from pure_spine import PureSpine

PILOT = Path(__file__).parents[4] / "shared" / "data" / "cdisc_pilot"
pytestmark = pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
async def counted(postgres_dsn: str) -> Counted:
    mapping, spine = read_mapping(), PureSpine(NOW)
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)
    await run_plan(plan_import(read_directory(PILOT), mapping), spine.acting_as(Role.INVESTIGATOR))
    async with projected(postgres_dsn, spine.recorded) as tables:
        return await counted_now(tables, NOW)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cell_is_that_of_the_recount(counted: Counted, family: str) -> None:
    assert counted.differences(family) == []


def test_there_is_somebody_in_most_tables(counted: Counted) -> None:
    filled = counted.counts()
    assert filled["adverse events"] > 600
    assert filled["change of laboratory analytes"] > 5000
    assert counted.cells["ANALYSIS_SETS", "SAF", "PARTICIPANTS"].n == 128
