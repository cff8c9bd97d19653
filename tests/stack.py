"""The whole stack as a user starts it: `hepatrail up` in a directory of its own, spoken to over its public edges."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil

READY_WITHIN = 90.0


class Away(AssertionError):
    """The API answered that a server behind it is away for now."""


class Stack:
    """One `hepatrail up`; `start` again after `stop` finds the same data."""

    def __init__(self, data_dir: Path, *flags: str, environment: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self._flags = flags
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self.ready: dict[str, Any] = {}
        self.http = httpx.AsyncClient(timeout=httpx.Timeout(15.0))

    async def start(self) -> "Stack":
        """Starts the stack and waits for its ready line."""
        command = [sys.executable, "-m", "hepatrail_cli", "up", "--data-dir", str(self.data_dir), *self._flags]
        log = (self.data_dir.parent / f"{self.data_dir.name}.stderr").open("ab")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdout=subprocess.PIPE, stderr=log, env=self._environment, start_new_session=True
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), READY_WITHIN)
        assert line, f"hepatrail up ended without a ready line, see {log.name}"
        self.ready = json.loads(line)
        return self

    async def stop(self) -> int:
        """Stops it as Ctrl-C does and returns the exit code."""
        await self.http.aclose()
        self.http = httpx.AsyncClient(timeout=httpx.Timeout(15.0))
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(self._process.wait(), 60)
        self._process = None
        return code

    def pid(self, name: str) -> int:
        """The present process id of a part, which changes when the supervisor restarts it."""
        return int(json.loads((self.data_dir / "run.json").read_text())["processes"][name])

    def kill(self, name: str) -> bool:
        """kill -9 of a part; False when it is down already."""
        try:
            os.kill(self.pid(name), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def resident(self) -> int:
        """Bytes resident in all processes of the stack, the supervisor's included."""
        assert self._process is not None
        root = psutil.Process(self._process.pid)
        pids = {root.pid, *(child.pid for child in root.children(recursive=True))}
        for pid in [int(pid) for pid in json.loads((self.data_dir / "run.json").read_text())["processes"].values()]:
            pids |= {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
        # Proportional: summing rss would count the buffers that Postgres's processes share ten times.
        return sum(psutil.Process(pid).memory_full_info().pss for pid in pids)

    async def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`hepatrail WORDS` on the stack's directory, to its end."""
        command = [sys.executable, "-m", "hepatrail_cli", *words, "--data-dir", str(self.data_dir)]
        return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)

    async def graphql(self, query: str, variables: dict[str, Any] | None = None, role: str = "INVESTIGATOR") -> Any:
        """The `data` of an answer; an AssertionError holds the errors, `Away` when they pass by themselves."""
        answer = await self.http.post(
            self.ready["graphql"],
            json={"query": query, "variables": variables or {}},
            headers={"authorization": f"Bearer {self.ready['tokens'][role]}"},
        )
        answer.raise_for_status()
        body = answer.json()
        if any(error.get("extensions", {}).get("code") == "UNAVAILABLE" for error in body.get("errors", ())):
            raise Away(body["errors"])
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def answer(self, query: str, variables: dict[str, Any]) -> Any:
        """The `data` of an answer, None while the API, or what it reads, is away."""
        try:
            return await self.graphql(query, variables)
        except (httpx.TransportError, httpx.HTTPStatusError, AssertionError):
            return None

    async def mutate(self, name: str, role: str = "INVESTIGATOR", **fields: Any) -> dict[str, Any]:
        """Sends one command, waiting out pendings and outages with the same commandId; the CommandResult."""
        fields.setdefault("commandId", str(uuid4()))
        kind = name[0].upper() + name[1:] + "Input"
        query = f"""mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename
            ... on CommandAccepted {{ commandId position version eventIds }}
            ... on CommandRejected {{ commandId code message rule field }} }} }}"""
        deadline = asyncio.get_running_loop().time() + 180
        while True:
            try:
                result = (await self.graphql(query, {"input": fields}, role))[name]
                if result["__typename"] != "CommandPending":
                    return dict(result)
            except (httpx.TransportError, httpx.HTTPStatusError, Away):
                await asyncio.sleep(0.3)
            assert asyncio.get_running_loop().time() < deadline, f"{name} {fields['commandId']}: no answer in 180 s"

    async def accept(self, name: str, role: str = "INVESTIGATOR", **fields: Any) -> dict[str, Any]:
        """Sends one command that must be accepted."""
        result = await self.mutate(name, role, **fields)
        assert result["__typename"] == "CommandAccepted", result
        return result


@asynccontextmanager
async def running_stack(
    *flags: str, subjects: Iterable[str] = (), environment: dict[str, str] | None = None
) -> AsyncIterator[Stack]:
    """A stack in a directory of its own, with the site BFH and these participants; it goes with the block."""
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack(Path(directory) / "data", *flags, environment=environment)
        try:
            await stack.start()
            await stack.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
            for subject in subjects:
                await enrol(stack, subject)
            yield stack
        finally:
            await stack.stop()


async def enrol(stack: Stack, subject_id: str, site_id: str = "BFH") -> None:
    """Consent and enrolment of one participant."""
    await stack.accept(
        "recordConsent",
        subjectId=subject_id,
        siteId=site_id,
        version="1.0",
        givenAt="2026-01-05T02:00:00Z",
        healthDataConsent=True,
    )
    await stack.accept(
        "enrolSubject",
        subjectId=subject_id,
        indication="LIVER_FAILURE",
        sex="male",
        ageYears=54,
        chronicHealth=False,
        admissionType="nonoperative",
    )
