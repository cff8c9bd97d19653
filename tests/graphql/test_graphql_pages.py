"""The pages beside the API, for those who operate it."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from graphql_world import World
from hepatrail_graphql.pendings import KEPT_SECONDS, Pendings
from hepatrail_infra.postgres import Dsns


async def test_the_pages_for_operators(world: World) -> None:
    assert (await world.get("/healthz")).status_code == 200
    body = (await world.get("/version")).json()
    assert body["version"] and body["projection"] >= 1
    metrics = await world.get("/metrics")
    assert metrics.status_code == 200
    assert "hepatrail_refused_logins_total" in metrics.text


async def test_readiness_names_what_is_not_well(dsns: Dsns, tmp_path: Path) -> None:
    class Dead:
        alive = False

    async with World.opened(dsns, tmp_path, decisions=Dead()) as world:
        state = await world.get("/readyz")
        assert state.status_code == 503
        assert set(state.json()) == {"ready", "decisions", "projection"}
    async with World.opened(dsns, tmp_path) as world:
        await world.complete_to(world.clock.at - timedelta(seconds=4))
        assert (await world.get("/readyz")).json() == {"ready": True}
        world.clock.at += timedelta(minutes=1)
        assert "projection" in (await world.get("/readyz")).json()
        await world.complete_to(world.clock.at)
        world.services.pendings.add("study", uuid4(), asyncio.get_running_loop().time() - 11)
        assert "undecided" in (await world.get("/readyz")).json()


async def test_a_command_speaks_against_readiness_until_it_is_decided_or_long_gone() -> None:
    pendings, known = Pendings(), uuid4()

    async def undecided(_stream: str, _id: UUID) -> None:
        return None

    pendings.add("study", known, 100.0)
    pendings.add("study", known, 109.0)
    assert await pendings.undecided(105.0, 10.0, undecided) == ()
    assert await pendings.undecided(111.0, 10.0, undecided) == ("study",)
    assert pendings.includes("study", known)
    assert await pendings.undecided(111.0 + KEPT_SECONDS, 10.0, undecided) == ()
    pendings.add("study", known, 0.0)
    pendings.settle("study", known)
    assert not pendings.includes("study", known)
