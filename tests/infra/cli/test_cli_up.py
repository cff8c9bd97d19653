"""`hepatrail up` as a user knows it: one line when ready, everything comes back, nothing is left behind."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hepatrail_cli.environment import PROCESSES
from hepatrail_cli.log_origin import log_origin
from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import Record, partition_of, read_to_end
from hepatrail_projections.schema import schema_name
from stack import Stack

PARTS = {"hepatrail", "kafka", "postgres", *PROCESSES}
SEALING_KEY = Counter({"hepatrail.SealingKeyPublished.v1": 1})


def hepatrail(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hepatrail_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def left_behind(directory: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        try:
            where = [process.cwd(), *(process.info["cmdline"] or [])]
        except (psutil.AccessDenied, psutil.NoSuchProcess, FileNotFoundError):
            continue
        if any(str(directory) in text for text in where):
            found.append(" ".join(where))
    return found


async def study_events(bootstrap: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []

    async def take(records: list[Record]) -> None:
        events.extend(json.loads(r.value) for r in records if r.key == STUDY.encode() and r.value is not None)

    await read_to_end(bootstrap, EVENTS, [partition_of(STUDY)], {}, take)
    return events


def counted_types(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(event["type"] for event in events)


async def ready(stack: Stack) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            try:
                pages = [(await stack.http.get(page)).status_code for page in stack.ready["health"].values()]
            except httpx.TransportError:
                pages = [0]
            if set(pages) == {200}:
                return dict(json.loads((stack.data_dir / "run.json").read_text())["processes"])
            await asyncio.sleep(0.1)


async def without_problems(directory: tuple[str, ...]) -> dict[str, Any]:
    """What `status` says as soon as the scheduler has made its first rounds, shortly after the ready line."""
    async with asyncio.timeout(30):
        while True:
            told = await asyncio.to_thread(hepatrail, "status", "--json", *directory)
            body: dict[str, Any] = json.loads(told.stdout)
            if (told.returncode, body["problems"]) == (0, []):
                return body


async def test_a_stack_starts_comes_back_after_kills_stops_cleanly_and_keeps_its_data(tmp_path: Path) -> None:
    directory = ("--data-dir", str(tmp_path / "data"))
    stack = await Stack(tmp_path / "data").start()
    try:
        assert set(stack.ready["processes"]) == PARTS
        assert stack.ready["clock"] is None
        assert (await stack.graphql("{ protocol { version } }"))["protocol"]["version"] == "1.0"
        published = await study_events(stack.ready["kafka"])
        # The sealer shows its key as soon as it runs; it may be the first or not yet there.
        assert counted_types(published) - SEALING_KEY == Counter({"hepatrail.ProtocolPublished.v1": 1})
        for secret in ("run.json", "secrets.json", "environment.json", "token-signing-key.pem"):
            assert (stack.data_dir / secret).stat().st_mode & 0o777 == 0o600, secret

        second = await asyncio.to_thread(hepatrail, "up", "--data-dir", str(stack.data_dir))
        assert second.returncode == 2
        assert "Another instance" in second.stderr

        body = await without_problems(directory)
        assert set(body["processes"]) == PARTS - {"hepatrail", "kafka", "postgres"}
        assert {(each["reader"], each["topic"]) for each in body["lag"]} >= {
            ("decider", "hepatrail.commands"),
            ("projector", "hepatrail.events"),
        }
        assert body["projection"]["schema"] == schema_name()
        parked = await asyncio.to_thread(hepatrail, "quarantine", "list", *directory)
        assert (parked.returncode, parked.stdout) == (0, "Nothing is parked.\n")
        unknown = await asyncio.to_thread(hepatrail, "quarantine", "retry", "subject-X1", *directory)
        assert (unknown.returncode, unknown.stderr) == (1, "hepatrail: Nothing of subject-X1 is parked.\n")

        before = stack.ready["processes"]
        for victim in ("decider", "api", "postgres"):
            stack.kill(victim)
        await asyncio.sleep(1)
        after = await ready(stack)
        assert {name for name in PARTS if after[name] != before[name]} == {"decider", "api", "postgres"}
        await stack.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
        rebuilt = await asyncio.to_thread(hepatrail, "rebuild", "--json", *directory)
        assert rebuilt.returncode == 0, rebuilt.stderr
        assert json.loads(rebuilt.stdout)["schema"] == schema_name(build=2)
        assert (await stack.graphql("{ protocol { version } }"))["protocol"]["version"] == "1.0"
    finally:
        loop = asyncio.get_running_loop()
        began = loop.time()
        code = await stack.stop()
    assert code == 0
    assert loop.time() - began < 15
    assert left_behind(tmp_path) == []
    assert not (tmp_path / "data" / "run.json").exists()

    refused = await asyncio.to_thread(hepatrail, "up", "--data-dir", str(stack.data_dir), "--simulated-clock")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--simulated-clock is for an empty directory" in refused.stderr

    alone = await asyncio.to_thread(hepatrail, "rebuild", *directory)
    switched = f"{schema_name()} is live, in place of {schema_name(build=2)}"
    assert (alone.returncode, switched in alone.stdout) == (0, True)
    assert left_behind(tmp_path) == []

    first = stack.ready
    await stack.start()
    try:
        assert stack.ready["graphql"] == first["graphql"]
        events = await study_events(stack.ready["kafka"])
        first_start = Counter({"hepatrail.ProtocolPublished.v1": 1, "hepatrail.SiteActivated.v1": 1})
        assert counted_types(events) == first_start + SEALING_KEY
        assert (await log_origin(stack.ready["kafka"])).simulated is False
        # Kafka and Postgres outlive a killed supervisor; the next start must cope with that, and does below.
        os.kill(stack.pid("hepatrail"), signal.SIGKILL)
    finally:
        await stack.stop()
    await stack.start()
    assert await stack.stop() == 0
    assert left_behind(tmp_path) == []


def test_a_file_in_place_of_the_directory_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = hepatrail("up", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].endswith("a file stands in its place.")


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = hepatrail("up", "--data-dir", str(tmp_path), "--port", str(other.getsockname()[1]))
    assert done.returncode == 2
    assert "is taken by another program" in done.stderr
    assert left_behind(tmp_path) == []


def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPATRAIL_LANES", "7")
    done = hepatrail("up", "--data-dir", str(tmp_path))
    assert (done.returncode, "HEPATRAIL_LANES" in done.stderr) == (2, True)
