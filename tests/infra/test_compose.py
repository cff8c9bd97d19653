"""The written cluster is the tested one: its Kafka is told what the embedded node is, its services who they are."""

import re
from pathlib import Path

from hepatrail_infra.embedded.kafka_config import secure_properties
from hepatrail_infra.kafka_acls import USERS
from hepatrail_infra.kafka_clients import SASL_PLAINTEXT, parse

COMPOSE = (Path(__file__).parents[2] / "infra" / "compose.yaml").read_text("utf-8")
PASSWORD = re.compile(r"\$\{HEPATRAIL_KAFKA_PASSWORD_([A-Z]+):\?\}")


def _kafka_settings() -> dict[str, str]:
    """The nodes' properties, by Kafka's names; each user's password is `pw` and its name."""
    block = COMPOSE.partition("x-kafka-settings:")[2].partition("\nx-")[0]
    folded = re.sub(r">-\n", "", block)
    folded = re.sub(r"\n    +", " ", folded)
    found = re.findall(r"^  KAFKA_([A-Z_]+): *(.+)$", folded, re.MULTILINE)
    return {
        name.lower().replace("_", "."): PASSWORD.sub(lambda match: f"pw{match[1].lower()}", value).strip('"')
        for name, value in found
    }


def test_the_clusters_nodes_are_as_closed_as_the_embedded_one() -> None:
    told = _kafka_settings()
    wanted = secure_properties({name: f"pw{name}" for name in USERS})
    assert {name: told.get(name) for name in wanted} == wanted
    assert "PLAINTEXT://" not in re.sub(r"SASL_PLAINTEXT", "", COMPOSE)


def test_each_service_of_the_cluster_comes_as_itself() -> None:
    addresses = {}
    for name, body in re.findall(r"^  ([a-z]+)(?:-\d)?:(?: &\w+)?\n((?:    .*\n)+)", COMPOSE, re.MULTILINE):
        for address in re.findall(r"HEPATRAIL_KAFKA: (\S+)", body):
            addresses[name] = parse(PASSWORD.sub(lambda match: f"pw{match[1].lower()}", address))
    assert set(addresses) == {"prepare", "decider", "projector", "safety", "sealer", "api"}
    for name, address in addresses.items():
        user = "admin" if name == "prepare" else name
        assert (address.protocol, address.username, address.password) == (SASL_PLAINTEXT, user, f"pw{user}")
        assert address.servers == "kafka-1:9092,kafka-2:9092,kafka-3:9092"
    assert COMPOSE.partition("\n  prepare:\n")[2].partition("\n\n")[0].count('HEPATRAIL_SECURE: "1"') == 1
