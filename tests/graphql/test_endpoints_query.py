"""The outcomes over the API: every number with whom it rests on, as of any instant, from a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

import log_commits as log
from graphql_world import World
from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import Role
from hepatrail_events.streams import subject_stream
from hepatrail_events.types import format_instant
from hepatrail_graphql.endpoints import OutcomeTable, rows_in_turn
from hepatrail_infra.postgres import Dsns
from hepatrail_projections.endpoints.answer import OutcomesRead
from hepatrail_projections.endpoints.worker import OutcomeWorker
from trial_history import history

OUTCOMES = """query($at: DateTime, $tables: [String!], $p: Position) {
  endpoints(asOf: $at, tables: $tables, minPosition: $p) {
    asOf completeTo provisional protocolVersion codeVersion safetySet
    tables { code title section columns { code label } notes rows { code label level cells {
      column value display n of flags interval { lower upper confidence method }
      participants { subjectId eventIds } } } } } }"""


@pytest.fixture
async def trial(world: World) -> World:
    """A random trial of five participants, all of it projected."""
    world.log = history(23, subjects=5, steps=150)
    world.clock.at = world.log.now
    await world.project()
    return world


async def asked(world: World, at: Any = None, token: str | None = None, **more: Any) -> Any:
    """All outcomes, or the tables asked for."""
    variables = {"at": None if at is None else format_instant(at), **more}
    return (await world.ask(OUTCOMES, variables, token or world.token(Role.SPONSOR)))["endpoints"]


async def test_every_table_is_answered_as_it_was_worked_out(trial: World) -> None:
    found = await asked(trial)
    read = await trial.services.outcomes.outcomes()
    assert (found["safetySet"], found["protocolVersion"]) == (read.outcomes.safety_set, "2.0")
    assert found["codeVersion"] == read.outcomes.code_version and found["codeVersion"].startswith("hepatrail ")
    assert [each["code"] for each in found["tables"]] == [each.code for each in read.outcomes.tables]
    shown = [
        (table["code"], row["code"], cell["column"], cell["value"], cell["display"], cell["n"], cell["of"])
        for table in found["tables"]
        for row in table["rows"]
        for cell in row["cells"]
    ]
    assert shown == [
        (table.code, row.code, cell.column, cell.value, cell.display, cell.n, cell.of)
        for table in read.outcomes.tables
        for row, cell in table.cells()
    ]
    assert found["safetySet"] > 0 and len(shown) > 1_000


async def test_every_number_leads_to_participants_and_events(trial: World) -> None:
    rows = await trial.tables.rows()
    events = {str(each.event_id) for each in rows["event"]}
    subjects = {each.subject_id for each in rows["subject"]}
    seen = 0
    for table in (await asked(trial))["tables"]:
        for row in table["rows"]:
            for cell in row["cells"]:
                for each in cell["participants"]:
                    seen += 1
                    assert each["subjectId"] in subjects and set(each["eventIds"]) <= events, (table["code"], row)
                if cell["interval"] is not None and cell["interval"]["method"] == "CLOPPER_PEARSON":
                    assert len(cell["participants"]) == cell["n"], (table["code"], row["code"], cell["column"])
    assert seen > 100


async def test_the_answer_for_a_past_instant_never_changes(trial: World) -> None:
    then = trial.log.now
    before = await asked(trial, then)
    assert before["provisional"] is False
    trial.log.tick(60)
    treated = min(each.subject_id for each in (await trial.tables.rows())["session"] if not each.voided)
    log.adverse_event(trial.log, subject_stream(treated))
    await trial.project()
    trial.clock.at = trial.log.now
    after = await asked(trial, then)
    # How far the projections are is no part of the outcomes.
    assert canonical_json(after | {"completeTo": None}) == canonical_json(before | {"completeTo": None})
    assert canonical_json((await asked(trial))["tables"]) != canonical_json(before["tables"])


async def test_from_the_tables_and_from_the_events_they_are_the_same(trial: World) -> None:
    now, folded = await asked(trial), await asked(trial, trial.log.now)
    assert canonical_json(now["tables"]) == canonical_json(folded["tables"])


async def test_only_some_tables_are_asked_for_by_code(trial: World) -> None:
    found = await asked(trial, tables=["ANALYSIS_SETS"])
    assert [each["code"] for each in found["tables"]] == ["ANALYSIS_SETS"]
    refused = await trial.error(OUTCOMES, {"tables": ["ANALYSIS_SET"]}, trial.token(Role.SPONSOR))
    assert (refused["code"], refused["field"]) == ("BAD_USER_INPUT", "tables")


async def test_acc_02_whoever_may_not_see_all_sites_gets_no_outcomes(trial: World) -> None:
    for token in (trial.token(Role.INVESTIGATOR, ["BFH"]), trial.token(Role.LABORATORY), trial.token(Role.ADMIN)):
        refused = await trial.error(OUTCOMES, {}, token)
        assert refused["code"] == "FORBIDDEN"
    assert len(trial.access.refusals) == 3


async def test_before_a_protocol_there_are_no_tables(world: World) -> None:
    found = await asked(world)
    assert (found["protocolVersion"], found["safetySet"], found["tables"]) == (None, 0, [])


@pytest.fixture
async def worker(dsns: Dsns) -> AsyncIterator[OutcomeWorker]:
    made = OutcomeWorker(dsns.reader)
    yield made
    await made.stop()


def children() -> set[int]:
    """Processes that were spawned from this one for work."""
    return {each.pid for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline())}


async def test_a_process_of_its_own_answers_alike_and_is_replaced_when_lost(
    trial: World, worker: OutcomeWorker
) -> None:
    then = trial.log.now
    own = await trial.services.outcomes.outcomes(then)
    others = children()
    assert await worker.outcomes(then) == own
    (pid,) = children() - others
    psutil.Process(pid).kill()
    with pytest.raises(Unavailable, match="was lost"):
        await worker.outcomes(then)
    assert (await asyncio.gather(worker.outcomes(then), worker.outcomes(then)))[1] == own
    await worker.stop()
    assert children() == others


class Away:
    """A worker that has no Postgres."""

    async def outcomes(self, as_of: datetime | None = None) -> OutcomesRead:
        raise Unavailable("Postgres is away")


async def test_what_cannot_be_had_is_unavailable(dsns: Dsns, tmp_path: Path) -> None:
    async with World.opened(dsns, tmp_path, outcomes=Away()) as world:
        assert (await world.error(OUTCOMES, {}, world.token(Role.SPONSOR)))["code"] == "UNAVAILABLE"


async def test_others_have_a_turn_between_any_two_tables(trial: World) -> None:
    """Alerts go out from the same loop: an answer of all tables must not be one step of it."""
    found, turn = (await trial.services.outcomes.outcomes()).outcomes, asyncio.Lock()
    turns, done = 0, asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    async def answered(table: OutcomeTable) -> int:
        await rows_in_turn(table)
        return turns

    beside = asyncio.create_task(others())
    at = await asyncio.gather(*(answered(OutcomeTable(row=each, turn=turn)) for each in found.tables))
    done.set()
    await beside
    assert len(at) > 90
    assert len(set(at)) == len(at)
