import json
import os
from dataclasses import replace
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
    held_users,
    hold_clock_kind,
    read_run,
    stack_settings,
    write_environment,
    write_run,
)
from hepatrail_events.errors import StartRefused
from hepatrail_infra.kafka_acls import USERS
from hepatrail_infra.kafka_clients import with_user
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
    assert set(first.kafka_users) == set(USERS)
    assert len(set(first.kafka_users.values())) == len(USERS)
    assert all(secret not in repr(first) for secret in (*first.kafka_users.values(), first.sealing_key))


def test_a_directory_of_an_earlier_release_gets_what_it_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    whole = StackSecrets.load_or_create(tmp_path)
    file = tmp_path / SECRETS
    body = json.loads(file.read_text())
    del body["sealing_key"], body["kafka_users"]["sealer"]
    file.write_text(json.dumps(body))
    mended = StackSecrets.load_or_create(tmp_path)
    assert StackSecrets.load_or_create(tmp_path) == mended
    assert (mended.passwords, mended.master_key) == (whole.passwords, whole.master_key)
    assert {**mended.kafka_users, "sealer": ""} == {**whole.kafka_users, "sealer": ""}
    assert file.stat().st_mode & 0o777 == 0o600


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
            if value.startswith("dsn-") or value in (secrets.master_key, secrets.sealing_key)
        }
        for name in PROCESSES
    }
    assert given == {
        "decider": set(),
        "projector": {"dsn-writer"},
        "safety": {"dsn-writer"},
        "sealer": {secrets.sealing_key},
        "api": {"dsn-reader", "dsn-use", secrets.master_key},
    }


def test_a_secure_kafka_is_entered_by_each_process_as_itself(tmp_path: Path) -> None:
    secrets = StackSecrets.load_or_create(tmp_path)
    secured = replace(ADDRESSES, kafka_users=secrets.kafka_users)
    told = {name: process_environment(name, secured, Settings(), secrets, tmp_path) for name in PROCESSES}
    told["tool"] = tool_environment(secured, Settings(), secrets, tmp_path)
    for name, environment in told.items():
        address = with_user(ADDRESSES.kafka, name, secrets.kafka_users[name])
        assert environment["HEPATRAIL_KAFKA"] == address
        others = [password for user, password in secrets.kafka_users.items() if user != name]
        assert not [value for value in environment.values() if any(password in value for password in others)]
    assert secrets.kafka_users["admin"] not in repr(secured)
    open_to_all = process_environment("api", ADDRESSES, Settings(), secrets, tmp_path)
    assert open_to_all["HEPATRAIL_KAFKA"] == ADDRESSES.kafka


def test_other_commands_find_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    with pytest.raises(StartRefused, match="No stack runs in"):
        stack_settings(tmp_path)
    secrets = StackSecrets.load_or_create(tmp_path)
    write_environment(tmp_path, tool_environment(ADDRESSES, Settings(), secrets, tmp_path))
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


def test_a_directory_that_was_secured_once_stays_so(tmp_path: Path) -> None:
    kept = StackSecrets.load_or_create(tmp_path)
    assert held_users(tmp_path, kept, secure=False) == {}
    for asked in (True, False):
        assert held_users(tmp_path, kept, secure=asked) == kept.kafka_users
    assert kept.kafka_users


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
