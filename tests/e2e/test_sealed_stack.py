"""A whole stack under seals: alerts are sealed, the key changes, and the log is whole afterwards."""

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from hepatrail_events.codec import read
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import Seal, SealReason, open_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from logbook import committed
from stack import Stack, enrol

NEXT = SigningKey(b"\7" * 32)
MEGABYTE = 1024 * 1024


async def hepatrail(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hepatrail_cli", *words, "--data-dir", str(stack.data_dir)]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await holds()):
            await asyncio.sleep(0.1)
    return found


async def seals(stack: Stack) -> list[Seal]:
    return [Seal.read(record.value) for record in await committed(stack.ready["kafka"], CHECKPOINTS)]


async def sealed_for(stack: Stack, reason: SealReason) -> Seal:
    async def found() -> Seal | None:
        return next((seal for seal in reversed(await seals(stack)) if seal.reason is reason), None)

    seal: Seal = await until(found)
    return seal


async def report_sae(stack: Stack) -> None:
    await stack.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
    await enrol(stack, "BFH-001")
    await stack.accept(
        "reportAdverseEvent",
        subjectId="BFH-001",
        code="LOCAL_BLEEDING",
        verbatim="bled after line removal",
        onset={"value": "2026-01-06", "precision": "DAY"},
        awareAt="2026-01-06T20:00:00Z",
        criteria=["HOSPITALISATION"],
        grade=3,
        gradeAt={"value": "2026-01-06", "precision": "DAY"},
        outcome="NOT_RECOVERED",
        actionTaken="NO_CHANGE",
        reporter="ward physician",
    )


async def alert_recorded(stack: Stack) -> Any:
    for record in await committed(stack.ready["kafka"], EVENTS):
        recorded = read(record.value)
        if isinstance(recorded.event, AlertRaised):
            return recorded.envelope.recordedat
    return None


def first_key(stack: Stack) -> SigningKey:
    return SigningKey(base64.b64decode(json.loads((stack.data_dir / "secrets.json").read_text())["sealing_key"]))


def give_key(stack: Stack, key: SigningKey) -> None:
    file = stack.data_dir / "secrets.json"
    body = {**json.loads(file.read_text()), "sealing_key": base64.b64encode(key.seed).decode()}
    file.write_text(json.dumps(body))


async def test_aud_06_a_stack_seals_its_alerts_and_its_key_can_be_changed(tmp_path: Path) -> None:
    stack = await Stack(tmp_path / "data").start()
    try:
        old = first_key(stack)
        assert (await sealed_for(stack, SealReason.START)).seal == 1
        await report_sae(stack)
        alerted = await sealed_for(stack, SealReason.ALERT)
        assert alerted.at - await until(lambda: alert_recorded(stack)) < timedelta(seconds=2)
        assert psutil.Process(stack.pid("sealer")).memory_info().rss < 80 * MEGABYTE

        public = base64.b64encode(NEXT.public).decode()
        words = ("audit", "rotate-key", "--public", public, "--reason", "yearly change of the key")
        refused = await hepatrail(stack, *words, "--token", stack.ready["tokens"]["INVESTIGATOR"])
        assert refused.returncode == 2 and refused.stdout == "", refused
        published = await hepatrail(stack, *words, "--token", stack.ready["tokens"]["ADMIN"])
        assert published.stdout == "the key is published: give its seed to the sealer\n", published
        rotation = await sealed_for(stack, SealReason.ROTATION)
        assert open_seal(rotation, [old.public]).signers == {old.public}
        assert await stack.stop() == 0

        give_key(stack, NEXT)
        await stack.start()
        taken = await hepatrail(stack, "audit", "checkpoint", "--out", str(tmp_path / "out"), "--by", "auditor-1")
        assert taken.returncode == 0, taken
        last = Seal.read((tmp_path / "out" / "seal.json").read_bytes())
        assert open_seal(last, [NEXT.public]).signers == {NEXT.public}
        assert [seal.seal for seal in await seals(stack)] == list(range(1, last.seal + 1))
        copies = (stack.data_dir / "checkpoints").glob("*.jsonl")
        kept = [Seal.read(line).seal for file in sorted(copies) for line in file.read_bytes().splitlines()]
        assert kept == list(range(1, last.seal + 1))
        verified = await hepatrail(stack, "audit", "verify", "--checkpoint", str(tmp_path / "out" / "seal.json"))
        assert verified.returncode == 0, verified
    finally:
        await stack.stop()
