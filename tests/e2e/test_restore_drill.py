"""The drill of an operator who has lost the database: what comes back, what does not, and what is never claimed.

To be backed up are Kafka, the vault and `secrets.json`, which holds the master key; all else is made of them.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.postgres import connection
from hepatrail_projections.digests import differing, digests
from hepatrail_projections.meta import live_schema
from sae_reports import reported
from stack import Stack, running_stack

PHRASE = "bled into the left groin after line removal"
READ, ERASED = "DRILL-1", "DRILL-2"
TEXTS = "query($id: ID!) { subject(id: $id) { version adverseEvents { grade verbatim { value state } } } }"
WITHIN = 90.0


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    """A study with free text about two participants; the text about one of them is erased."""
    async with running_stack(subjects=[READ, ERASED]) as running:
        for subject in (READ, ERASED):
            await reported(running, subject, verbatim=PHRASE)
        await hepatrail(running, "vault", "destroy", ERASED, "--reason", "request", "--by", "dpo", "--yes")
        yield running


async def hepatrail(stack: Stack, *words: str, code: int = 0) -> list[str]:
    """A command on the stack's directory that must end with `code`; the lines that it prints."""
    done = await stack.command(*words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


async def until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            while not await holds():
                await asyncio.sleep(0.3)
    except TimeoutError:
        pytest.fail(f"{what}: not within {WITHIN:g} s")


async def texts(stack: Stack) -> dict[str, Any]:
    """What an investigator reads about both participants; None for one who is not there yet."""
    return {each: await stack.answer(TEXTS, {"id": each}) for each in (READ, ERASED)}


def states(answers: dict[str, Any]) -> list[str | None]:
    """Of each answer the state of its text, None while the event is not projected."""
    subjects = [(answer or {}).get("subject") for answer in answers.values()]
    events = [subject["adverseEvents"] if subject else [] for subject in subjects]
    return [each[0]["verbatim"]["state"] if each else None for each in events]


async def digested(stack: Stack) -> dict[str, str]:
    async with connection(stack.ready["postgres"], name="drill") as link:
        return await digests(link, await live_schema(link))


async def settled(stack: Stack) -> dict[str, str]:
    """The digests once they have stood still for two seconds."""
    found: dict[str, str] = {}

    async def still() -> bool:
        nonlocal found
        before, found = found, await digested(stack)
        await asyncio.sleep(2)
        return before == found

    await until("digests that stand still", still)
    return found


async def ready(stack: Stack) -> bool:
    return (await stack.http.get(stack.ready["health"]["api"])).status_code == 200


async def test_ret_04_postgres_lost_entirely_is_rebuilt_with_its_text(stack: Stack, tmp_path: Path) -> None:
    async def read_and_erased() -> bool:
        return states(await texts(stack)) == ["CLEAR", "ERASED"]

    await until("text of one participant, and of the other its erasure", read_and_erased)
    before = await texts(stack)
    assert before[READ]["subject"]["adverseEvents"][0]["verbatim"]["value"] == PHRASE
    await hepatrail(stack, "vault", "backup", str(tmp_path / "vault"))
    await hepatrail(stack, "audit", "checkpoint", "--out", str(tmp_path / "taken"))
    proven = await settled(stack)

    assert await stack.stop() == 0
    shutil.rmtree(stack.data_dir / "postgres")
    await stack.start()

    seen: set[str | None] = set()

    async def both_projected() -> bool:
        now = states(await texts(stack))
        seen.update(now)
        return None not in now

    await until("the participants out of Kafka", both_projected)
    assert seen - {None} == {"KEY_MISSING"}, "without the vault nobody may claim that text was erased"
    assert (await stack.http.get(stack.ready["health"]["api"])).status_code == 503

    async def as_before() -> bool:
        return not differing(proven, await digested(stack))

    await until("the digests of before", as_before)
    assert states(await texts(stack)) == ["KEY_MISSING", "KEY_MISSING"]

    (said,) = await hepatrail(stack, "vault", "restore", str(tmp_path / "vault"))
    assert said.startswith("1 keys and 1 tombstones restored")
    await until("the text as it was", lambda: same_texts(stack, before))
    await until("a ready API", lambda: ready(stack))
    assert (await hepatrail(stack, "audit", "compare"))[-1].endswith(": no difference")
    taken = ("--checkpoint", str(tmp_path / "taken" / "seal.json"))
    assert (await hepatrail(stack, "audit", "verify", "--postgres", *taken))[-1].startswith("whole: ")


async def same_texts(stack: Stack, before: dict[str, Any]) -> bool:
    return await texts(stack) == before


async def test_aud_06_a_lost_segment_of_a_partition_is_named(stack: Stack) -> None:
    partition = partition_of(subject_stream(READ))
    assert partition not in {partition_of(STUDY), partition_of(SAFETY_DESK)}
    await hepatrail(stack, "audit", "checkpoint")
    assert await stack.stop() == 0
    assert (await hepatrail(stack, "audit", "verify"))[-1].startswith("whole: ")
    segments = list((stack.data_dir / "kafka" / "log" / f"{EVENTS}-{partition}").glob("0*.*"))
    assert any(file.suffix == ".log" and file.stat().st_size for file in segments)
    for file in segments:
        file.unlink()
    broken, count = (await hepatrail(stack, "audit", "verify", code=1))[-2:]
    assert broken.startswith(f"broken: LOG_SHORTER at {EVENTS}/{partition}")
    assert "it holds 0 events, but seal " in broken
    assert count == "(1 problem in all)"
