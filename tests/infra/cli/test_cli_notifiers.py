"""From settings to the people who are told, and who watches over the safety process from the API."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from hepatrail_cli.environment import Addresses, process_environment
from hepatrail_cli.notifiers import make_notifiers, recipients
from hepatrail_cli.safety_check import SafetyCheck, why_not
from hepatrail_cli.serve_api import _outage_watch
from hepatrail_cli.stack_files import StackSecrets
from hepatrail_events.errors import StartRefused
from hepatrail_graphql.health import SafetyHealth
from hepatrail_graphql.times import Times
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.postgres import Dsns, Passwords, connection
from hepatrail_infra.settings import load_settings
from hepatrail_projections.meta import SafetyStatus, write_safety_status
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.notifying import episode
from hepatrail_services.notifying.notice import Audience
from notifying_servers import Hook, free_port, web_server
from projection_kafka import eventually

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = datetime.now(UTC)


def given(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"HEPATRAIL_NOTIFY_{name.upper()}", value)


MAIL = {
    "smtp": "smtp://desk:planted@mail.example",
    "sender": "desk@trial.example",
    "officers": "one@trial.example, two@trial.example",
}


def test_nobody_is_told_by_default() -> None:
    assert make_notifiers(load_settings()) == ()


def test_what_is_passed_on_without_a_value_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = ("officers", "investigator", "monitor", "board", "operators")
    names = ("smtp", "sender", "webhook", "webhook_secret", "link", *lists)
    given(monkeypatch, **dict.fromkeys(names, ""))
    assert make_notifiers(load_settings()) == ()


def test_each_channel_is_switched_on_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **MAIL)
    assert [each.channel for each in make_notifiers(load_settings())] == ["EMAIL"]
    given(monkeypatch, webhook="https://hook.example/x", webhook_secret=SECRET)
    assert [each.channel for each in make_notifiers(load_settings())] == ["EMAIL", "WEBHOOK"]


def test_Escalation_each_level_has_its_recipients(monkeypatch: pytest.MonkeyPatch) -> None:
    given(
        monkeypatch,
        officers="one@trial.example, two@trial.example",
        investigator="pi@trial.example,one@trial.example",
        monitor="monitor@sponsor.example",
        board="chair@dsmb.example,office@hospital.example",
        operators="night@ops.example",
    )
    officers = ("one@trial.example", "two@trial.example")
    assert recipients(load_settings()) == {
        Audience.ALERT: officers,
        Audience.LEVEL_1: (*officers, "pi@trial.example"),
        Audience.LEVEL_2: ("monitor@sponsor.example",),
        Audience.LEVEL_3: ("chair@dsmb.example", "office@hospital.example"),
        Audience.OUTAGE: (*officers, "night@ops.example"),
    }


def test_a_level_without_an_address_is_not_mailed_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given(monkeypatch, **MAIL)
    (mail,) = make_notifiers(load_settings())
    assert not mail.tells(Audience.LEVEL_3)
    assert "nobody is mailed of LEVEL_3" in caplog.text


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({**MAIL, "officers": ""}, "HEPATRAIL_NOTIFY_OFFICERS"),
        ({**MAIL, "sender": ""}, "HEPATRAIL_NOTIFY_SENDER"),
        ({"webhook": "https://hook.example"}, "HEPATRAIL_NOTIFY_WEBHOOK_SECRET"),
    ],
)
def test_a_channel_that_is_switched_on_by_halves_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], missing: str
) -> None:
    given(monkeypatch, **settings)
    with pytest.raises(StartRefused, match=missing):
        make_notifiers(load_settings())


@pytest.mark.parametrize(
    "address", ["nobody", "Dr Li <li@x.example>", "a@b@c", "a b@x.example", "a@x.example\r\nBcc: b@y"]
)
def test_what_is_no_plain_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    given(monkeypatch, **{**MAIL, "officers": address})
    with pytest.raises(StartRefused, match="HEPATRAIL_NOTIFY_OFFICERS"):
        load_settings()


def test_secrets_of_channels_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **MAIL, webhook="https://hook.example/planted-token", webhook_secret=SECRET)
    shown = repr(load_settings()) + load_settings().model_dump_json()
    assert "planted" not in shown
    assert SECRET not in shown


def test_a_stack_hands_the_channels_to_those_who_tell_and_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given(monkeypatch, **MAIL)
    monkeypatch.setenv("HEPATRAIL_POSTGRES", "postgresql://admin:planted@x/y")
    addresses = Addresses("k:1", Dsns("o", "w", "r", "u", "d"), 8080, {}, None)
    secrets = StackSecrets(Passwords("o", "w", "r", "u", "d"), "key", "seed", {})
    for name, told in {"safety": True, "api": True, "decider": False, "projector": False, "sealer": False}.items():
        environment = process_environment(name, addresses, load_settings(), secrets, tmp_path)
        assert ("HEPATRAIL_NOTIFY_SMTP" in environment) is told
        assert "HEPATRAIL_POSTGRES" not in environment


def health(**changes: object) -> SafetyHealth:
    usual = {
        "last_seq": 1, "desk_version": 1, "processed_to": NOW, "lag_seconds": 0.0,
        "safety_healthy": True, "scheduler_healthy": True, "fresh": True,
    }  # fmt: skip
    return SafetyHealth(**{**usual, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"processed_to": None, "fresh": False}, "never reported"),
        ({"fresh": False}, "not reported for more than 10 s"),
        ({"lag_seconds": 30.1, "safety_healthy": False}, "more than 30 s behind"),
        ({"safety_healthy": False}, "does not do all of its work"),
        ({"scheduler_healthy": False}, "Escalations and reporting clocks"),
    ],
)
def test_whatever_ails_safety_is_an_outage_with_its_reason(changes: dict[str, object], why: str | None) -> None:
    found = why_not(health(**changes), Times())
    assert found is None if why is None else found is not None and why in found


async def test_the_check_sees_what_the_safety_process_writes(dsns: Dsns) -> None:
    check = SafetyCheck(dsns.reader, SystemClock())
    try:
        assert await check.why() == "The database cannot be asked."
        async with connection(dsns.owner) as owner:
            await ensure_projection(owner)
        assert await check.why() == "The safety process has never reported."
        async with connection(dsns.writer) as writer:
            await write_safety_status(writer, status())
            assert await check.why() is None
            await write_safety_status(writer, status(parked=[{"stream": "subject-S-7"}], healthy=False))
        said = await check.why()
        assert said is not None and "S-7" not in said
    finally:
        check.close()


def status(parked: list[dict[str, str]] | None = None, healthy: bool = True) -> SafetyStatus:
    now = datetime.now(UTC)
    return SafetyStatus(0, 0, now, now, healthy, True, parked or [], "Streams wait: subject-S-7")


async def test_the_check_bears_that_postgres_is_away() -> None:
    check = SafetyCheck(f"postgresql://u:p@127.0.0.1:{free_port()}/db", SystemClock())
    assert await check.why() == "The database cannot be asked."
    check.close()


async def test_an_api_process_without_its_postgres_tells_that_safety_does_not_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(episode, "_SURE", 1.0)
    monkeypatch.setenv("HEPATRAIL_POSTGRES_READER", f"postgresql://u:p@127.0.0.1:{free_port()}/db")
    async with web_server(Hook()) as hook:
        given(monkeypatch, webhook=hook.url, webhook_secret=SECRET)
        async with _outage_watch(load_settings()) as watch:

            async def told() -> bool:
                assert watch is not None and not watch.done()
                return bool(hook.requests)

            await eventually(told)
            await asyncio.sleep(1.5)
    ((headers, body),) = hook.requests
    said = Webhook(SECRET).verify(body, headers)
    assert (said["type"], said["data"]["why"]) == ("safety.outage.began", "The database cannot be asked.")
    assert datetime.fromisoformat(said["data"]["since"]) > NOW - timedelta(minutes=5)
