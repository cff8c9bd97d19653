import asyncio
import json
import logging
import sys
from pathlib import Path

import httpx
import pytest

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.embedded.instance import free_port
from hepatrail_infra.telemetry import Health, JsonFormatter, configure_logging, counter, describe, serve_metrics

SAMPLES = counter("telemetry_samples", "counted by this test", ["kind"])


def line(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> dict[str, object]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("some.module", logging.WARNING, __file__, 1, message, arguments, info)
    record.__dict__.update(extra)
    parsed = json.loads(JsonFormatter("decider-0").format(record))
    assert isinstance(parsed, dict)
    return parsed


def test_a_log_line_is_one_json_object_with_its_extra_fields() -> None:
    body = line("took over lane %d", 3, partitions=[0, 3])
    assert body["message"] == "took over lane 3"
    assert (body["process"], body["level"], body["logger"], body["partitions"]) == (
        "decider-0",
        "WARNING",
        "some.module",
        [0, 3],
    )


def test_credentials_and_tokens_are_masked() -> None:
    body = json.dumps(line("at postgresql://w:planted@h/db with eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"))
    assert "planted" not in body
    assert "eyJhbGciOi" not in body


def caught(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except type(error) as raised:
        return raised


def test_an_error_of_a_library_does_not_quote_the_value_it_choked_on() -> None:
    body = line("failed", error=caught(ValueError("planted phrase"), caught(KeyError("planted phrase"))))
    assert "planted" not in json.dumps(body)
    assert "ValueError" in json.dumps(body)
    assert "test_telemetry.py" in json.dumps(body)


def test_an_error_of_ours_says_what_it_means() -> None:
    assert describe(caught(Unavailable("Postgres is away")))["message"] == "Postgres is away"


def test_logs_go_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("api", file=tmp_path / "api.log")
    logging.getLogger("x").info("hello")
    logging.getLogger("aiokafka.conn").info("chatter")
    logging.shutdown()
    assert [json.loads(text)["message"] for text in (tmp_path / "api.log").read_text().splitlines()] == ["hello"]
    for handler in logging.getLogger().handlers:
        handler.close()
    logging.basicConfig(handlers=[logging.StreamHandler(sys.stderr)], force=True)


async def test_metrics_and_health_are_served() -> None:
    state = {"healthy": True}

    async def health() -> Health:
        return Health(state["healthy"], {"lanes": [0]})

    port = free_port()
    SAMPLES.labels("a").inc(2)
    server = await serve_metrics(port, health)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        text = (await client.get("/metrics")).text
        assert 'hepatrail_telemetry_samples_total{kind="a"} 2.0' in text
        good = await client.get("/healthz")
        assert (good.status_code, good.json()) == (200, {"healthy": True, "lanes": [0]})
        state["healthy"] = False
        assert (await client.get("/healthz")).status_code == 503
        assert (await client.get("/other")).status_code == 404
    server.close()
    await server.wait_closed()


async def test_a_client_that_says_nothing_harms_nobody() -> None:
    async def health() -> Health:
        return Health(True)

    port = free_port()
    server = await serve_metrics(port, health)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x00" * 100_000)
    writer.close()
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
    with pytest.raises(StartRefused, match="metrics port"):
        await serve_metrics(port, health)
    server.close()
    await server.wait_closed()
