import json
import os
from pathlib import Path

import pytest

from hepatrail_cli.environment import PROCESSES, Addresses, process_environment, tool_environment
from hepatrail_cli.stack_files import (
    CLOCK,
    ENVIRONMENT,
    RUN,
    SECRETS,
    StackSecrets,
    forget_run,
    hold_clock_kind,
    read_run,
    stack_settings,
    write_environment,
    write_run,
)
from hepatrail_events.errors import StartRefused
from hepatrail_infra.postgres import Dsns
from hepatrail_infra.settings import Settings

ADDRESSES = Addresses(
    kafka="127.0.0.1:9092",
    dsns=Dsns("dsn-owner", "dsn-writer", "dsn-reader", "dsn-use", "dsn-destroy"),
    api_port=8080,
    metrics_ports={"decider": 1, "projector": 2, "safety": 3},
    clock=None,
)


def test_secrets_are_made_once_and_are_for_their_owner_only(tmp_path: Path) -> None:
    first = StackSecrets.load_or_create(tmp_path)
    assert StackSecrets.load_or_create(tmp_path) == first
    assert (tmp_path / SECRETS).stat().st_mode & 0o777 == 0o600
    assert len(set(json.loads((tmp_path / SECRETS).read_text())["passwords"].values())) == 5
    assert first.passwords.writer not in repr(first.passwords)


@pytest.mark.parametrize("content", ["", "{}", '{"passwords": {"owner": "x"}, "master_key": "y"}'])
def test_damaged_secrets_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / SECRETS).write_text(content)
    with pytest.raises(StartRefused, match="damaged"):
        StackSecrets.load_or_create(tmp_path)


def test_a_process_gets_the_secrets_that_its_work_needs_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEPATRAIL_POSTGRES", "dsn-admin")
    secrets = StackSecrets.load_or_create(tmp_path)
    given = {
        name: {
            value
            for value in process_environment(name, ADDRESSES, Settings(), secrets, tmp_path).values()
            if value.startswith("dsn-") or value == secrets.master_key
        }
        for name in PROCESSES
    }
    assert given == {
        "decider": set(),
        "projector": {"dsn-writer"},
        "safety": {"dsn-writer"},
        "api": {"dsn-reader", "dsn-use", secrets.master_key},
    }


def test_other_commands_find_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(StartRefused, match="No stack runs in"):
        stack_settings(tmp_path)
    secrets = StackSecrets.load_or_create(tmp_path)
    write_environment(tmp_path, tool_environment(ADDRESSES, secrets, tmp_path))
    write_run(tmp_path, {"processes": {"api": 1}})
    for name in (RUN, ENVIRONMENT):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert read_run(tmp_path)["processes"] == {"api": 1}
    settings = stack_settings(tmp_path)
    assert settings.kafka == ADDRESSES.kafka
    assert settings.vault_destroy is not None
    assert settings.vault_destroy.get_secret_value() == "dsn-destroy"
    forget_run(tmp_path)
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(StartRefused):
        stack_settings(tmp_path)


def test_a_directory_keeps_its_kind_of_clock(tmp_path: Path) -> None:
    real, simulated = tmp_path / "real", tmp_path / "simulated"
    for directory in (real, simulated):
        directory.mkdir()
    for _ in range(2):
        assert hold_clock_kind(real, False) is None
        assert hold_clock_kind(simulated, True) == simulated / CLOCK
    with pytest.raises(StartRefused, match="for an empty directory"):
        hold_clock_kind(real, True)
    with pytest.raises(StartRefused, match="start it with --simulated-clock"):
        hold_clock_kind(simulated, False)
