"""Which settings each process gets: only the secrets that its work needs, and in its environment only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hepatrail_cli.stack_files import StackSecrets
from hepatrail_infra.kafka_clients import with_user
from hepatrail_infra.postgres import Dsns
from hepatrail_infra.settings import PREFIX, Settings
from hepatrail_infra.tokens import JWKS_FILE

_NOTIFY = f"{PREFIX}NOTIFY_"

PROCESSES = ("decider", "projector", "safety", "sealer", "api")
"""The processes of a stack, by the name that `hepatrail serve` gives them."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything of a running stack is.

    `kafka_users` are the passwords of a Kafka that asks for them: then `kafka` names its servers only.
    """

    kafka: str = field(repr=False)
    dsns: Dsns
    api_port: int
    metrics_ports: Mapping[str, int]
    clock: Path | None
    kafka_users: Mapping[str, str] = field(default_factory=dict, repr=False)

    def kafka_of(self, principal: str) -> str:
        """Kafka's address for a process, or for another of `kafka_acls.PRINCIPALS`."""
        if not self.kafka_users:
            return self.kafka
        return with_user(self.kafka, principal, self.kafka_users[principal])

    def health_pages(self) -> dict[str, str]:
        """The page of each process that answers 200 when it does its work."""
        pages = {name: f"http://127.0.0.1:{port}/healthz" for name, port in self.metrics_ports.items()}
        return {**pages, "api": f"http://127.0.0.1:{self.api_port}/readyz"}


def process_environment(
    name: str, addresses: Addresses, settings: Settings, secrets: StackSecrets, directory: Path
) -> dict[str, str]:
    """The environment of `hepatrail serve <name>`."""
    variables = {
        "KAFKA": addresses.kafka_of(name),
        "REPLICATION": str(settings.replication),
        "INSTANCE": f"{name}-0",
        "LANES": str(settings.lanes),
        "LOG_LEVEL": settings.log_level,
        "SPONSOR_ORG": settings.sponsor_org,
        "DATA_DIR": str(directory),
    }
    if addresses.clock is not None:
        variables["SIMULATED_CLOCK"] = str(addresses.clock)
    if name in addresses.metrics_ports:
        variables["METRICS_PORT"] = str(addresses.metrics_ports[name])
    if name in ("safety", "api"):
        variables |= _notifying()
    if name in ("projector", "safety"):
        variables["POSTGRES_WRITER"] = addresses.dsns.writer
    if name == "sealer":
        variables |= {
            "LOG_ORIGIN": settings.log_origin,
            "SEALING_KEY": secrets.sealing_key,
            "SEALING_KEY_PUBLISH": "1",
            "SEAL_SECONDS": str(settings.seal_seconds),
            "CHECKPOINT_DIR": str(settings.checkpoint_dir or directory / "checkpoints"),
        }
    if name == "api":
        variables |= {
            "POSTGRES_READER": addresses.dsns.reader,
            "VAULT_USE": addresses.dsns.vault_use,
            "VAULT_MASTER_KEY": secrets.master_key,
            "HOST": "127.0.0.1",
            "PORT": str(addresses.api_port),
            "JWT_ISSUER": settings.jwt_issuer,
            "JWT_AUDIENCE": settings.jwt_audience,
            "JWKS": settings.jwks or str(directory / JWKS_FILE),
        }
    return {**_outside(), **_prefixed(variables)}


def tool_environment(
    addresses: Addresses, settings: Settings, secrets: StackSecrets, directory: Path
) -> dict[str, str]:
    """The settings for an operator's commands, which may do everything but change what is recorded."""
    variables = {
        "KAFKA": addresses.kafka_of("tool"),
        "LOG_ORIGIN": settings.log_origin,
        "POSTGRES_OWNER": addresses.dsns.owner,
        "POSTGRES_WRITER": addresses.dsns.writer,
        "POSTGRES_READER": addresses.dsns.reader,
        "VAULT_USE": addresses.dsns.vault_use,
        "VAULT_DESTROY": addresses.dsns.vault_destroy,
        "VAULT_MASTER_KEY": secrets.master_key,
        "DATA_DIR": str(directory),
    }
    if addresses.clock is not None:
        variables["SIMULATED_CLOCK"] = str(addresses.clock)
    return _prefixed(variables)


def _outside() -> dict[str, str]:
    # What is Hepatrail's own is given anew: the administrator's address stays with the supervisor.
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _notifying() -> dict[str, str]:
    """The channels on which people are told, as the operator gave them to the whole stack."""
    return {name.removeprefix(PREFIX): value for name, value in os.environ.items() if name.startswith(_NOTIFY)}


def _prefixed(variables: Mapping[str, str]) -> dict[str, str]:
    return {PREFIX + name: value for name, value in variables.items()}
