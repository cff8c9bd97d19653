"""What operators see of a process: JSON log lines, Prometheus metrics, a health page.

Neither holds patient data or secrets (PRV-01): of an exception only those of our own and of the network say
their message, any other its class and where it was raised, because libraries quote the values they choke on.
"""

import asyncio
import logging
import re
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from hepatrail_events.errors import HepatrailError, StartRefused

REGISTRY = CollectorRegistry()
"""The metrics of this process."""

ProcessCollector(registry=REGISTRY)

METRICS_TYPE = CONTENT_TYPE_LATEST
_PREFIX = "hepatrail_"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_SPEAKING = (HepatrailError, KafkaError, OSError)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)")
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a process does its work, and why not; `detail` is JSON without patient data."""

    healthy: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


def counter(name: str, what: str, labels: Sequence[str] = ()) -> Counter:
    """A counter `hepatrail_<name>_total`."""
    return Counter(_PREFIX + name, what, labels, registry=REGISTRY)


def gauge(name: str, what: str, labels: Sequence[str] = ()) -> Gauge:
    """A gauge `hepatrail_<name>`."""
    return Gauge(_PREFIX + name, what, labels, registry=REGISTRY)


def histogram(name: str, what: str, labels: Sequence[str] = (), buckets: Sequence[float] = _SECONDS) -> Histogram:
    """A histogram `hepatrail_<name>`, by default of seconds from 1 ms to 10 s."""
    return Histogram(_PREFIX + name, what, labels, registry=REGISTRY, buckets=tuple(buckets))


def metrics_text() -> bytes:
    """All metrics of this process in Prometheus' text format (`METRICS_TYPE`)."""
    return generate_latest(REGISTRY)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, process, logger, message, the `extra` fields, and the error."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, credentials and tokens masked."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        text = orjson.dumps(line, default=str).decode()
        return _TOKEN.sub("<token>", _CREDENTIALS.sub("<credentials>", text))


def describe(error: BaseException) -> dict[str, Any]:
    """An error as log lines may show it: class, message if it can hold no data, where raised, and its cause."""
    frames = traceback.extract_tb(error.__traceback__)
    body: dict[str, Any] = {"class": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(error, _SPEAKING):
        body["message"] = str(error)
    if isinstance(state := getattr(error, "sqlstate", None), str):
        body["sqlstate"] = state
    body["at"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        body["cause"] = describe(cause)
    return body


def configure_logging(process: str, level: str = "INFO", file: Path | None = None) -> None:
    """Sends all logs of this process, as JSON lines, to `file` or else to standard error."""
    handler = logging.StreamHandler(sys.stderr) if file is None else logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(JsonFormatter(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # They tell of every connection and fetch, which drowns what matters.
    for chatty in ("aiokafka", "faust", "mode", "httpx", "httpcore", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.getLevelName(level), logging.WARNING))
    # While Kafka is away these write some forty errors a second; that it is away, who waits for it says once.
    for frantic in ("aiokafka.client", "aiokafka.consumer.fetcher"):
        logging.getLogger(frantic).setLevel(logging.CRITICAL)


async def serve_metrics(port: int, health: Callable[[], Awaitable[Health]], host: str = "127.0.0.1") -> asyncio.Server:
    """Serves `/metrics` and `/healthz` (200 or 503 with JSON) until closed; StartRefused when the port is taken."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                request = (await reader.readuntil(b"\r\n")).split()
                writer.write(await _page(request[1] if len(request) == 3 else b"", health))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that went away or never asked
        finally:
            writer.close()

    try:
        return await asyncio.start_server(answer, host, port)
    except OSError as error:
        raise StartRefused(f"The metrics port {port} cannot be used: {error.strerror}.") from error


async def _page(path: bytes, health: Callable[[], Awaitable[Health]]) -> bytes:
    if path == b"/metrics":
        return _response("200 OK", METRICS_TYPE, metrics_text())
    if path == b"/healthz":
        state = await health()
        body = orjson.dumps({"healthy": state.healthy, **state.detail}, default=str)
        return _response("200 OK" if state.healthy else "503 Service Unavailable", "application/json", body)
    return _response("404 Not Found", "text/plain", b"")


def _response(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
