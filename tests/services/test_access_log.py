"""One hash chain an API instance, which goes on after a restart."""

import asyncio
from uuid import uuid4

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.envelope import GENESIS
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_services import access_log
from hepatrail_services.access_log import Access, AccessLog, AccessRecord
from runtime_support import actor, put, records


async def chain(shared_kafka: str, instance: str) -> list[AccessRecord]:
    """The records of an instance, verified link by link."""
    found: list[AccessRecord] = []
    last = GENESIS
    for record in await records(shared_kafka, ACCESS):
        if record.key == instance.encode() and record.value != b"garbage":
            entry = AccessRecord.read(record.value or b"")
            assert (entry.seq, entry.prevhash) == (len(found) + 1, last)
            last = sha256_hex(record.value or b"")
            found.append(entry)
    return found


async def opened(shared_kafka: str, instance: str) -> AccessLog:
    log = AccessLog(shared_kafka, instance, SystemClock())
    await log.start()
    return log


async def test_what_was_refused_is_written_with_who_what_and_why(shared_kafka: str) -> None:
    instance, id = f"api-{uuid4().hex[:6]}", uuid4()
    log = await opened(shared_kafka, instance)
    await log.refused(
        actor(),
        "startSession",
        code="SHAPE",
        rule="PRV-02",
        field="results[0].comment",
        bodyhash="a" * 64,
        commandid=id,
    )
    await log.write(Access.LOGIN_FAILED, detail={"reason": "expired"})
    await log.stop()
    refusal, login = await chain(shared_kafka, instance)
    assert (refusal.actorid, refusal.command, refusal.code, refusal.rule) == (
        "dr-who",
        "startSession",
        "SHAPE",
        "PRV-02",
    )
    assert (refusal.field, refusal.bodyhash, refusal.commandid) == ("results[0].comment", "a" * 64, id)
    assert (login.kind, login.actorid, login.detail) == (Access.LOGIN_FAILED, None, {"reason": "expired"})


async def test_concurrent_writers_of_one_instance_make_one_chain(shared_kafka: str) -> None:
    instance = f"api-{uuid4().hex[:6]}"
    log = await opened(shared_kafka, instance)
    await asyncio.gather(*(log.write(Access.TRAIL_READ, actor(f"u{n}")) for n in range(50)))
    await log.stop()
    assert len(await chain(shared_kafka, instance)) == 50


async def test_the_chain_goes_on_after_a_restart_however_far_back_it_ends(shared_kafka: str, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(access_log, "_WINDOW", 2)
    instance, neighbour = f"api-{uuid4().hex[:6]}", f"api-{uuid4().hex[:6]}"
    log, other = await opened(shared_kafka, instance), await opened(shared_kafka, neighbour)
    await log.write(Access.LOGIN, actor())
    await log.stop()
    for _ in range(30):
        await other.write(Access.EXPORT, actor())
    await other.stop()
    await put(shared_kafka, ACCESS, instance, b"garbage", partition=0)
    log = await opened(shared_kafka, instance)
    await log.write(Access.LOGOUT, actor())
    await log.stop()
    assert [entry.kind for entry in await chain(shared_kafka, instance)] == [Access.LOGIN, Access.LOGOUT]
