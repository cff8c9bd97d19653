"""Who may do what in Kafka (AUD-02): one principal a process, each with what its work needs and nothing else.

Nobody here may create, change or delete a topic, its settings or its records; that is left to the administrator, whom
only `hepatrail up` and `hepatrail prepare` are. To append is all that a credential which writes can do.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DescribeAclsRequest_v1
from aiokafka.protocol.api import Request

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, COMMANDS, DECISIONS, EVENTS, QUARANTINE, TOPICS
from hepatrail_infra.kafka_clients import settings, shown

ADMIN: Final = "admin"
"""The supervisor's and `prepare`'s: may do everything, needs no rule."""
BROKER: Final = "broker"
"""The node's own towards its controller."""
ANYBODY: Final = "*"
"""The principal that every user is."""


class Resource(IntEnum):
    """Kinds of resources, numbered as Kafka's protocol does."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7


class Operation(IntEnum):
    """Operations, numbered as Kafka's protocol does; READ and WRITE include DESCRIBE."""

    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14
    TWO_PHASE_COMMIT = 15


@dataclass(frozen=True, slots=True)
class Acl:
    """What a principal may do with a resource of that name, or with all whose names begin with it (`prefixed`)."""

    principal: str
    resource: Resource
    name: str
    prefixed: bool
    operations: frozenset[Operation]


_ALL = tuple(spec.name for spec in TOPICS)
_LOOK = frozenset({Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS})


def _topics(principal: str, reads: Iterable[str], writes: Iterable[str]) -> tuple[Acl, ...]:
    """Every principal sees what each topic is, and reads and writes these."""
    read, written = frozenset(reads), frozenset(writes)
    return tuple(
        Acl(
            principal,
            Resource.TOPIC,
            topic,
            prefixed=False,
            operations=_LOOK
            | ({Operation.READ} if topic in read else frozenset())
            | ({Operation.WRITE} if topic in written else frozenset()),
        )
        for topic in _ALL
    )


def _group(principal: str, name: str, operation: Operation, *, prefixed: bool = False) -> Acl:
    return Acl(principal, Resource.GROUP, name, prefixed, frozenset({operation}))


def _transactions(principal: str, name: str, *, prefixed: bool = False) -> Acl:
    return Acl(principal, Resource.TRANSACTIONAL_ID, name, prefixed, frozenset({Operation.WRITE, Operation.DESCRIBE}))


ACLS: Final[tuple[Acl, ...]] = (
    *_topics("decider", (COMMANDS, EVENTS, DECISIONS, QUARANTINE), (EVENTS, DECISIONS, QUARANTINE)),
    _group("decider", "hepatrail-decider", Operation.READ),
    _transactions("decider", "hepatrail-decider-", prefixed=True),
    *_topics("projector", (EVENTS, DECISIONS, QUARANTINE, ACCESS, CHECKPOINTS), (QUARANTINE,)),
    _group("projector", "hepatrail-projector", Operation.READ, prefixed=True),
    *_topics("safety", (EVENTS, DECISIONS, QUARANTINE), (COMMANDS,)),
    _group("safety", "hepatrail-safety", Operation.READ, prefixed=True),
    *_topics("sealer", (EVENTS, DECISIONS, ACCESS, CHECKPOINTS), (CHECKPOINTS, COMMANDS)),
    _group("sealer", "hepatrail-sealer", Operation.READ),
    _transactions("sealer", "hepatrail-sealer"),
    *_topics("api", (DECISIONS, ACCESS), (COMMANDS, ACCESS)),
    _group("api", "hepatrail-decider", Operation.DESCRIBE),
    *_topics("tool", _ALL, (QUARANTINE, ACCESS, COMMANDS)),
    _group("tool", ANYBODY, Operation.DESCRIBE),
    *_topics("auditor", _ALL, ()),
    _group("auditor", ANYBODY, Operation.DESCRIBE),
)
"""Everything that is allowed."""

PRINCIPALS: Final = tuple(dict.fromkeys(acl.principal for acl in ACLS))
"""The application's: a process of the stack each, an operator's commands, and an auditor who reads."""
USERS: Final = (ADMIN, BROKER, *PRINCIPALS)
"""Who needs a password."""

_ANY = 1
_LITERAL, _PREFIXED = 3, 4
_ALLOW = 3
_SECURITY_DISABLED = 54
_CLUSTER_AUTHORIZATION_FAILED = 31
_PROMPT = 30.0

_Rule = tuple[str, int, str, int, int]
"""Principal, kind and name of the resource, kind of pattern, operation: what Kafka keeps one by one."""


class _CreateAcls(Request[CreateAclsRequest_v1]):
    """aiokafka's request takes one rule; each would be a write of the controller's log of its own."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, rules: Iterable[_Rule]) -> None:
        self._creations = [
            (kind, name, pattern, f"User:{principal}", ANYBODY, operation, _ALLOW)
            for principal, kind, name, pattern, operation in rules
        ]

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class(self._creations)


class _DescribeAcls(Request[DescribeAclsRequest_v1]):
    """All rules; aiokafka's own request is declared up to a version whose form it does not speak."""

    API_KEY = DescribeAclsRequest_v1.API_KEY

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(_ANY, None, _ANY, None, None, _ANY, _ANY)


async def ensure_acls(bootstrap: str) -> None:
    """Makes the rules that are missing, as the administrator, and returns when they hold.

    Raises StartRefused when Kafka has no authorizer, when the user may not make rules, or when one of `PRINCIPALS` or
    everybody is allowed more than `ACLS` says; Unavailable when Kafka does not answer within 30 s. Nothing is removed.
    """
    client: Any = AIOKafkaClient(**settings(bootstrap))
    try:
        async with asyncio.timeout(_PROMPT):
            await client.bootstrap()
            missing = await _missing(client)
            if missing:
                await _create(client, missing)
            while missing:
                # A broker learns of them from the controller's log, a moment after they were made.
                await asyncio.sleep(0.02)
                missing = await _missing(client)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {shown(bootstrap)} does not answer: {error}") from error
    finally:
        await client.close()


def _wanted() -> frozenset[_Rule]:
    return frozenset(
        (acl.principal, acl.resource, acl.name, _PREFIXED if acl.prefixed else _LITERAL, operation)
        for acl in ACLS
        for operation in acl.operations
    )


async def _missing(client: Any) -> frozenset[_Rule]:
    """The rules to be made; StartRefused when an application's principal is allowed more than it needs."""
    found, wanted, ours = await _described(client), _wanted(), {*PRINCIPALS, ANYBODY}
    surplus = sorted(rule for rule in found - wanted if rule[0] in ours)
    if surplus:
        principal, kind, name, pattern, operation = surplus[0]
        begins = " (and what begins so)" if pattern == _PREFIXED else ""
        raise StartRefused(
            f"Kafka allows User:{principal} the operation {_named(Operation, operation)} on "
            f"{_named(Resource, kind)} {name}{begins}, which Hepatrail does not need: remove that ACL "
            f"({len(surplus)} in all)."
        )
    return wanted - found


def _named(kind: type[IntEnum], number: int) -> str:
    return kind(number).name if number in set(kind) else str(number)


async def _described(client: Any) -> frozenset[_Rule]:
    response = await client.send(client.get_random_node(), _DescribeAcls())
    _raise_for(response.error_code, response.error_message)
    wanted = _wanted()
    rules = (
        ((principal.removeprefix("User:"), kind, name, pattern, operation), host)
        for kind, name, pattern, acls in response.resources
        for principal, host, operation, permission in acls
        if permission == _ALLOW
    )
    # One that holds for some hosts only does not count as made.
    return frozenset(rule for rule, host in rules if host == ANYBODY or rule not in wanted)


async def _create(client: Any, rules: Iterable[_Rule]) -> None:
    response = await client.send(client.get_random_node(), _CreateAcls(sorted(rules)))
    for code, message in response.creation_responses:
        _raise_for(code, message)


def _raise_for(code: int, message: str | None) -> None:
    if code == _SECURITY_DISABLED:
        raise StartRefused("Kafka checks no permissions: configure an authorizer, or leave HEPATRAIL_SECURE out.")
    if code == _CLUSTER_AUTHORIZATION_FAILED:
        raise StartRefused("Kafka's user may not read and make ACLs: HEPATRAIL_KAFKA must name an administrator.")
    if code:
        raise for_code(code)(message or "")
