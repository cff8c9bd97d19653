import base64
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.settings import Settings, load_settings, need, secret

MASTER = base64.b64encode(bytes(range(64))).decode()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPATRAIL_KAFKA", "a:9092,b:9092")
    monkeypatch.setenv("HEPATRAIL_LANES", "4")
    monkeypatch.setenv("HEPATRAIL_SIMULATED_CLOCK", "/clock")
    settings = load_settings()
    assert (settings.kafka, settings.lanes, settings.simulated_clock) == ("a:9092,b:9092", 4, Path("/clock"))


def test_a_wrong_number_of_lanes_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPATRAIL_LANES", "5")
    with pytest.raises(StartRefused, match="HEPATRAIL_LANES is not valid"):
        load_settings()


def test_a_missing_setting_is_refused_by_name() -> None:
    with pytest.raises(StartRefused, match=r"^HEPATRAIL_KAFKA is not set\.$"):
        need(Settings().kafka, "kafka")


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPATRAIL_POSTGRES_WRITER", "postgresql://w:planted-secret@h/db")
    monkeypatch.setenv("HEPATRAIL_VAULT_MASTER_KEY", MASTER)
    settings = load_settings()
    assert "planted-secret" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert MASTER not in repr(settings)
    assert secret(settings.postgres_writer, "postgres_writer").startswith("postgresql://w:planted-secret@")


def test_a_refusal_does_not_quote_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPATRAIL_METRICS_PORT", "planted-secret")
    with pytest.raises(StartRefused) as refusal:
        load_settings()
    assert "planted-secret" not in str(refusal.value)
    assert "HEPATRAIL_METRICS_PORT" in str(refusal.value)


def test_the_master_key_is_64_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEPATRAIL_VAULT_MASTER_KEY", MASTER)
    assert load_settings().master_key() == bytes(range(64))


@pytest.mark.parametrize("text", ["", "not base64", base64.b64encode(bytes(32)).decode()])
def test_any_other_master_key_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HEPATRAIL_VAULT_MASTER_KEY", text)
    with pytest.raises(StartRefused, match="64 bytes in base64"):
        load_settings().master_key()
