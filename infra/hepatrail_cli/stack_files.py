"""What `hepatrail up` keeps in its data directory, so that other commands, and its next start, find it.

secrets.json       passwords of the database roles and of Kafka's users, the vault's master key, the key of the seals;
                   made once (0600)
environment.json   the settings of every process, for commands given `--data-dir` (0600; while it runs)
run.json           the ready line, with the present process ids (0600; while it runs)
clock.kind         whether this study runs on the system's clock or on a simulated one
secured            stands where Kafka was once started with passwords, and then always is
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from hepatrail_events.errors import StartRefused
from hepatrail_infra.clock import SIMULATED
from hepatrail_infra.embedded.instance import replace_text
from hepatrail_infra.kafka_acls import USERS
from hepatrail_infra.postgres import Passwords
from hepatrail_infra.settings import MASTER_KEY_BYTES, PREFIX, SEED_BYTES, Settings, load_settings

SECRETS = "secrets.json"
ENVIRONMENT = "environment.json"
RUN = "run.json"
CLOCK_KIND = "clock.kind"
CLOCK = "clock"
SECURED = "secured"
_SYSTEM = "system"
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class StackSecrets:
    """The secrets of an embedded stack."""

    passwords: Passwords
    master_key: str = field(repr=False)
    sealing_key: str = field(repr=False)
    kafka_users: Mapping[str, str] = field(repr=False)
    """Passwords by user; asked for where `held_users` says so."""

    @classmethod
    def load_or_create(cls, data_dir: Path) -> Self:
        """Reads them, or makes them at the first start; StartRefused when the file is damaged."""
        file = data_dir / SECRETS
        if not file.exists():
            fresh = {
                "passwords": asdict(Passwords(*(secrets.token_urlsafe(24) for _ in range(5)))),
                "master_key": _random(MASTER_KEY_BYTES),
            }
            replace_text(file, json.dumps(fresh), _PRIVATE)
        try:
            body = json.loads(file.read_text("utf-8"))
            # A directory of an earlier release has no key and no users, or not all of today's.
            whole = {"sealing_key": _random(SEED_BYTES), **body, "kafka_users": _users(body.get("kafka_users", {}))}
            kept = cls(Passwords(**whole["passwords"]), whole["master_key"], whole["sealing_key"], whole["kafka_users"])
        except (ValueError, KeyError, TypeError) as error:
            raise StartRefused(f"The secrets file {file} is damaged: restore it from your backup.") from error
        if whole != body:
            replace_text(file, json.dumps(whole), _PRIVATE)
        return kept


def _users(kept: Mapping[str, str]) -> dict[str, str]:
    # Hexadecimal, because JAAS takes other text apart.
    return {**kept, **{name: secrets.token_hex(24) for name in USERS if name not in kept}}


def _random(count: int) -> str:
    return base64.b64encode(secrets.token_bytes(count)).decode("ascii")


def write_environment(data_dir: Path, environment: Mapping[str, str]) -> None:
    """Keeps the settings for the commands that are given this data directory."""
    replace_text(data_dir / ENVIRONMENT, json.dumps(dict(environment)), _PRIVATE)


def write_run(data_dir: Path, ready: Mapping[str, Any]) -> None:
    """Keeps the ready line."""
    replace_text(data_dir / RUN, json.dumps(dict(ready)), _PRIVATE)


def read_run(data_dir: Path) -> dict[str, Any]:
    """The ready line of the stack that runs in a directory; StartRefused when none does."""
    try:
        body: dict[str, Any] = json.loads((data_dir / RUN).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StartRefused(
            f"No stack runs in {data_dir}; start one with `hepatrail up --data-dir {data_dir}`."
        ) from error
    return body


def forget_run(data_dir: Path) -> None:
    """Removes what is true only while the stack runs."""
    for name in (RUN, ENVIRONMENT):
        (data_dir / name).unlink(missing_ok=True)


def stack_is_known(data_dir: Path) -> bool:
    """Whether `stack_settings` finds any: in the environment, or because a stack runs in the directory."""
    return PREFIX + "KAFKA" in os.environ or (data_dir / RUN).exists()


def stack_settings(data_dir: Path) -> Settings:
    """The settings of a command: the environment's, else those of the stack that runs in the directory."""
    if PREFIX + "KAFKA" not in os.environ:
        read_run(data_dir)
        os.environ.update(json.loads((data_dir / ENVIRONMENT).read_text("utf-8")))
    return load_settings()


def held_users(data_dir: Path, kept: StackSecrets, secure: bool) -> Mapping[str, str]:
    """Whom the embedded Kafka lets in, passwords by user; nobody is named where it lets in everybody.

    A directory that was `secure` once stays so: a start without the setting must not open what the others trust.
    """
    file = data_dir / SECURED
    if secure and not file.exists():
        replace_text(file, "")
    return kept.kafka_users if file.exists() else {}


def hold_clock_kind(data_dir: Path, simulated: bool) -> Path | None:
    """The file of the simulated clock, None for the system's; StartRefused when the directory began with the other."""
    file = data_dir / CLOCK_KIND
    wanted = SIMULATED if simulated else _SYSTEM
    if not file.exists():
        replace_text(file, wanted + "\n")
    if file.read_text("utf-8").strip() != wanted:
        raise StartRefused(
            f"The study in {data_dir} runs on the system's clock: --simulated-clock is for an empty directory."
            if simulated
            else f"The study in {data_dir} runs on a simulated clock: start it with --simulated-clock."
        )
    return data_dir / CLOCK if simulated else None
