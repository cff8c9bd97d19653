"""Every cell of every table of outcomes of `pbcseq`, recounted from the table `event` alone.

Transplants, deaths and years of follow-up under landmarks of years; see `test_event_recount_simulated.py`.
"""

import pytest

from event_recount.studies import FAMILIES, Counted, counted_now, projected
from hepatrail_services.importers.pbcseq import read_pbcseq
from pbcseq_course import LANDMARKS, NOW, PBCSEQ, import_pbcseq

pytestmark = pytest.mark.skipif(not PBCSEQ.is_file(), reason="the public data are not beside this clone")


@pytest.fixture(scope="module")
async def counted(postgres_dsn: str) -> Counted:
    imported = await import_pbcseq(read_pbcseq(PBCSEQ))
    async with projected(postgres_dsn, imported.spine.recorded) as tables:
        return await counted_now(tables, NOW)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cell_is_that_of_the_recount(counted: Counted, family: str) -> None:
    assert counted.differences(family) == []


def test_the_landmarks_are_those_of_its_own_protocol(counted: Counted) -> None:
    rows = {row for table, row, _ in counted.cells if table == "OVERALL_SURVIVAL"}
    assert rows == {f"DAY_{tau}" for tau in LANDMARKS}
    assert counted.cells["CUMULATIVE_INCIDENCE", f"DAY_{LANDMARKS[-1]}", "TRANSPLANTS"].n
