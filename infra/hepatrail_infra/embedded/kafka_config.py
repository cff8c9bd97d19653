"""What the embedded Kafka is told: one node, broker and controller in one, on the loopback interface."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import LOOPBACK
from hepatrail_infra.kafka_acls import ADMIN, BROKER

Users = Mapping[str, str]
"""Passwords by user; `admin` and `broker` are among them."""

# Measured (DESIGN section 6). Ending on a lack of memory lets the supervisor start it again; a broker that
# goes on without some of its threads looks alive and is not.
JVM_FLAGS = (
    "-Xms256m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
)


_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


def server_properties(
    log_dir: Path, port: int, controller_port: int, extra: Mapping[str, str], users: Users | None = None
) -> dict[str, str]:
    """The node's settings; `extra` comes last and wins. With `users` nobody else is let in (`secure_properties`)."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "BROKER",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": f"BROKER://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{port}",
        "log.dirs": str(log_dir),
        # A broker killed by force is known to the controller, itself just started, until its session ends, and
        # may not register before: back after 4.7 s, with Kafka's 9 s after 11.7 s.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # Enough for 300,000 keys of Kafka's own topics, the only compacted ones; 128 MB by default, all resident.
        "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        **(secure_properties(users) if users else {}),
        **extra,
    }


def secure_properties(users: Users) -> dict[str, str]:
    """Passwords on both listeners, and only what an ACL allows; `admin` and `broker` alone need none.

    The controller's listener too: through it anybody could delete topics past the broker. It knows the broker only.
    SASL/PLAIN, because SCRAM's users would have to be there when the directory is formatted, and an existing one has
    passed that. StartRefused when a password holds anything but letters and digits, which JAAS would take apart.
    """
    if not all(password.isascii() and password.isalnum() for password in users.values()):
        raise StartRefused("Passwords of Kafka's users are made of letters and digits only.")
    return {
        "listener.security.protocol.map": "BROKER:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.broker.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.broker.plain.sasl.jaas.config": _jaas(users, users),
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": _jaas(users, (BROKER,)),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN};User:{BROKER}",
    }


def _jaas(users: Users, known: Iterable[str]) -> str:
    own = f'username="{BROKER}" password="{users[BROKER]}"'
    others = " ".join(f'user_{name}="{users[name]}"' for name in known)
    return f"{_LOGIN} required {own} {others};"


def properties_text(properties: Mapping[str, str]) -> str:
    """The text of a Java properties file."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    # The format takes a backslash for an escape and reads Latin-1.
    plain = value.replace("\\", "\\\\")
    return "".join(c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in plain)


def logging_text(logs: Path) -> str:
    """log4j2's configuration: everything from INFO on to `kafka.log`, five files of 10 MB."""
    return properties_text(
        {
            "status": "error",
            # Else logging ends before the shutdown that it should tell of.
            "shutdownHook": "disable",
            "appender.file.type": "RollingFile",
            "appender.file.name": "file",
            "appender.file.fileName": str(logs / "kafka.log"),
            "appender.file.filePattern": str(logs / "kafka.log.%i"),
            "appender.file.layout.type": "PatternLayout",
            "appender.file.layout.pattern": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSX}{UTC} %p %m (%c{1})%n",
            "appender.file.policies.type": "Policies",
            "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
            "appender.file.policies.size.size": "10MB",
            "appender.file.strategy.type": "DefaultRolloverStrategy",
            "appender.file.strategy.max": "5",
            "rootLogger.level": "info",
            "rootLogger.appenderRef.file.ref": "file",
        }
    )
