"""Faust's transport made right for a log of transactions (DESIGN section 2, facts about Faust 0.15.3).

- Its consumer reads uncommitted and has no setting for it: `_create_worker_consumer` sets `_isolation_level`.
- It begins where its group has committed: `seek_to_committed` goes where the reader goes on instead, and
  `_new_offset` never tells Kafka more than what the reader has finished.
- Its topics are declared without acks, so that it neither counts gaps (every transaction marker is one) nor keeps a
  list of acknowledged offsets that only a commit would empty.

The consumer runs in a thread of its own; `seen` is replaced there as a whole and may be read from any thread.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.auth import SASLCredentials
from faust.contrib.asgi import bind_to_running_loop
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import CrashingSupervisor
from yarl import URL

from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_clients import MECHANISM, PLAINTEXT, parse, tls_of
from hepatrail_infra.kafka_log import close_consumer
from hepatrail_projections.completeness import Seen

_FETCH_WAIT_MS = 500
_POLL_RECORDS = 500
_STOP_SECONDS = 20.0
"""More than the consumer's own patience with a Kafka that is away (`close_consumer`): less would leave its thread."""


Offsets = Mapping[TopicPartition, int]
"""By partition, the offset from which it is read on; 0 for one that was never read."""


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread of the consumer."""

    seen: Mapping[TopicPartition, Seen] = {}

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Both are read when the consumer starts, and Faust has no setting for either.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer

    async def on_thread_stop(self) -> None:
        """Stops the consumer; while Kafka is away its own stop may end the thread with a CancelledError."""
        await super(driver.AIOKafkaConsumerThread, self).on_thread_stop()
        if self._consumer is not None:
            await close_consumer(self._consumer)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109
        max_records: int | None = None,
    ) -> Any:
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        self.seen = _look(consumer, records, self.seen)
        return records


def _look(
    consumer: AIOKafkaConsumer, records: Mapping[Any, Sequence[Any]], before: Mapping[TopicPartition, Seen]
) -> dict[TopicPartition, Seen]:
    """What the last fetches showed. Called where the records were taken, so that none can be in between."""
    seen = {}
    for tp in consumer.assignment():
        partition = TopicPartition(tp.topic, tp.partition)
        state = consumer._subscription.subscription.assignment.state_value(tp)
        if not state.has_valid_position:
            continue
        delivered = before[partition].delivered if partition in before else None
        taken = records.get(tp)
        seen[partition] = Seen(
            position=state.position,
            stable=state.lso,
            high=state.highwater,
            fetched_at=None if state.timestamp is None else state.timestamp / 1000,
            delivered=taken[-1].offset if taken else delivered,
        )
    return seen


class _Consumer(driver.Consumer):
    """A consumer that begins where its reader goes on: the offsets are kept outside of Kafka."""

    _thread: _Thread  # pyright: ignore[reportIncompatibleVariableOverride]
    next_offsets: Callable[[], Offsets]

    def __init__(self, *args: Any, next_offsets: Callable[[], Offsets], **kwargs: Any) -> None:
        self.next_offsets = next_offsets
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Goes to where the reader goes on in what is assigned, and returns these offsets."""
        stored = self.next_offsets()
        offsets = {tp: stored[TopicPartition(tp.topic, tp.partition)] for tp in self.assignment()}
        await self.seek_wait(offsets)
        return offsets

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.next_offsets().get(TopicPartition(tp.topic, tp.partition))

    def seen(self) -> Mapping[TopicPartition, Seen]:
        """What the last fetches showed."""
        return self._thread.seen

    def release(self) -> None:
        """Closes the event loop of a thread that was never started; one that was closes its own."""
        loop = self._thread.thread_loop
        if not loop.is_running() and not loop.is_closed():
            loop.close()


class CommittedTransport(driver.Transport):
    """The transport; give it to an app before it starts."""

    def __init__(self, url: list[URL], app: faust.App, next_offsets: Callable[[], Offsets], **kwargs: Any) -> None:
        super().__init__(url, app, **kwargs)
        self._next_offsets = next_offsets

    def create_consumer(self, callback: Any, **kwargs: Any) -> _Consumer:
        """A consumer of committed records, from where its reader goes on."""
        return _Consumer(self, callback=callback, loop=self.loop, next_offsets=self._next_offsets, **kwargs)


class TailApp:
    """A running Faust app over topics of the log; `seen` is what its fetches showed last."""

    def __init__(self, app: faust.App) -> None:
        self.app = app

    @property
    def seen(self) -> Mapping[TopicPartition, Seen]:
        """Per partition, empty before the first fetch."""
        consumer = self.app.consumer
        return consumer.seen() if isinstance(consumer, _Consumer) else {}

    @property
    def crash(self) -> BaseException | None:
        """Why the app has crashed, None while it has not; an embedded app leaves the process alive."""
        if not self.app.crashed:
            return None
        return self.app.crash_reason or RuntimeError("the Faust app crashed")


@asynccontextmanager
async def tail_running(
    bootstrap: str,
    group: str,
    topics: Sequence[str],
    next_offsets: Callable[[], Offsets],
    register: Callable[[faust.App, Any], None],
) -> AsyncIterator[TailApp]:
    """Runs a Faust app over `topics` on the running loop; `register(app, topic)` adds the agent.

    `next_offsets` are the reader's own, kept in Postgres: whoever else moves them there makes the reader fail.

    The group serves to get the partitions assigned and nothing else. It is a new one at every start, because Kafka
    waits for a killed member of an old one until its session ends; whoever must be the only one holds a lock.
    Raises Unavailable when Kafka is away.
    """
    url, credentials = _broker(bootstrap)
    scratch = Path(tempfile.mkdtemp(prefix="hepatrail-faust-"))
    try:
        app = _app(f"{group}-{uuid4().hex[:12]}", url, credentials, scratch)
        app.transport = CommittedTransport(url, app, next_offsets, loop=app.loop)
        topic = app.topic(
            *topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", acks=False
        )
        register(app, topic)
        async with _running(app):
            yield TailApp(app)
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(f"Kafka is away, or Faust does not stop: {error!r}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@asynccontextmanager
async def _running(app: faust.App) -> AsyncIterator[None]:
    """As Faust's own `faust_app_running`, but an app that is cancelled while it starts is stopped too.

    Faust's would leave the thread of its consumer behind, which then runs for as long as the process.
    """
    bind_to_running_loop(app)
    app.finalize()
    starting = asyncio.ensure_future(app.maybe_start())
    try:
        await asyncio.shield(starting)
        yield
    finally:
        await asyncio.wait([starting])
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await app.stop()
        finally:
            if isinstance(app.consumer, _Consumer):
                app.consumer.release()


def agent_options() -> dict[str, Any]:
    """How every agent runs: one at a time, and its error stops the app."""
    return {"concurrency": 1, "supervisor_strategy": CrashingSupervisor}


def _broker(bootstrap: str) -> tuple[list[URL], SASLCredentials | None]:
    """Kafka's address in Faust's words; here, because nothing below has Faust in memory."""
    address = parse(bootstrap)
    url = [URL(f"kafka://{server}") for server in address.servers.split(",")]
    if address.protocol == PLAINTEXT:
        return url, None
    return url, SASLCredentials(
        username=address.username, password=address.password, ssl_context=tls_of(address), mechanism=MECHANISM
    )


def _app(name: str, url: list[URL], credentials: SASLCredentials | None, scratch: Path) -> faust.App:
    return faust.App(
        name,
        broker=url,
        broker_credentials=credentials,
        datadir=scratch,
        store="memory://",
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=2 * _POLL_RECORDS,
        broker_max_poll_records=_POLL_RECORDS,
        broker_request_timeout=15.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",
    )
