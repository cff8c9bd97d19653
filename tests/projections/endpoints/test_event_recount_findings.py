"""Two courses on which the recount from the events once found the product wrong."""

from event_recount.edge_findings import baseline_inputs_far_apart, consent_withdrawn_before_death
from event_recount.edge_site import RECORDED
from event_recount.studies import FAMILIES, counted_at, projected
from pure_spine import PureSpine


async def _differing(postgres_dsn: str, spine: PureSpine) -> set[str]:
    """The families of tables in which the two differ."""
    async with projected(postgres_dsn, spine.recorded) as tables:
        counted = await counted_at(tables, RECORDED)
        return {family for family in FAMILIES if counted.differences(family)}


async def test_a_death_rests_on_its_own_events_alone(postgres_dsn: str) -> None:
    """`endpoints.md` section 6: every number drills down to the events that put the participant there."""
    assert await _differing(postgres_dsn, await consent_withdrawn_before_death()) == set()


async def test_a_baseline_score_is_missing_where_its_inputs_lie_too_far_apart(postgres_dsn: str) -> None:
    """`visits.md` section 6 and `scores.md` 9.1: else missing with reason spread_exceeded, whichever input it is."""
    assert await _differing(postgres_dsn, await baseline_inputs_far_apart()) == set()
