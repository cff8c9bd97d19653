"""Every operation that the schema has, asked over the wire as each of the ten roles (ACC-02, ACC-03, ACC-08).

The documents are made from the schema, so that a new operation is asked by itself; who may is written by hand, so
that a new operation without a row fails. The gateway is the real one: behind it stands a bus that accepts everything,
so that whatever is refused was refused for the role.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLObjectType

import log_commits as log
from graphql_socket import Socket
from graphql_world import World, decision
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Decision
from hepatrail_events.roles import Role
from hepatrail_events.sessions import SessionPaused
from hepatrail_events.streams import subject_stream
from hepatrail_graphql.schema import SCHEMA
from hepatrail_infra.postgres import Dsns
from hepatrail_services.deciders.catalogue import COMMANDS
from hepatrail_services.gateway import Gateway
from operations import SUBJECT as SUBJECT_ID
from operations import document, fields_document, operations
from role_matrix import MATRIX, SITE, SUBJECT_FIELDS

SCHEMA_CORE = SCHEMA._schema
SUBJECT = cast(GraphQLObjectType, SCHEMA_CORE.type_map["Subject"])
OPERATIONS = tuple(name for name, _, _ in operations(SCHEMA_CORE))
ADMINISTRATION = {"activateSite", "deactivateSite", "withdrawAccess", "publishSealingKey"}


class Accepting:
    """Stands in for the deciders: what the gateway lets through is accepted."""

    study_version = 1

    def __init__(self) -> None:
        self.sent: list[CommandMessage] = []

    async def ask(self, message: CommandMessage, timeout: float) -> Decision | None:  # noqa: ASYNC109
        self.sent.append(message)
        return decision(message.commandid, message.stream, commandtype=message.commandtype)


@pytest.fixture
async def world(dsns: Dsns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One participant, behind the real gateway."""
    async with World.opened(dsns, tmp_path) as opened:

        async def alert_subject(_: UUID) -> str | None:
            return None

        async def known_subject(_: str) -> bool:
            return True

        gateway = Gateway(
            cast(Any, Accepting()),
            opened.vault,
            opened.clock,
            cast(Any, opened.access),
            alert_subject=alert_subject,
            known_subject=known_subject,
        )
        monkeypatch.setattr(opened.gateway, "submit", gateway.submit)
        log.publish(opened.log)
        log.enrol(opened.log, SUBJECT_ID)
        await opened.seal(SUBJECT_ID, "the participant's key is made")
        await opened.project()
        yield opened


async def asked(world: World, name: str, role: Role) -> str | None:
    """The code with which a role is refused, over HTTP or over a websocket; None when it is let in."""
    if name.startswith("Subscription."):
        return await subscribed(world, name, role)
    text, variables = document(SCHEMA_CORE, name)
    if "input" in variables:
        # Every command of its own: a repeated one is answered as before.
        variables = {"input": {**variables["input"], "commandId": str(uuid4())}}
    return code_of((await world.post(text, variables, world.token(role))).json())


def code_of(body: Mapping[str, Any]) -> str | None:
    """The code of an error of an answer, or of a command that was rejected."""
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    (answer,) = body["data"].values()
    return answer.get("code") if isinstance(answer, dict) else None


async def subscribed(world: World, name: str, role: Role) -> str | None:
    """The same of a subscription; something happens to the participant until one says something."""
    text, variables = document(SCHEMA_CORE, name)
    async with Socket.opened(world, world.token(role)) as socket:
        await socket.subscribe(text, **variables)
        for _ in range(20):
            try:
                message = await socket.receive(0.5)
            except TimeoutError:
                log.sample(world.log, subject_stream(SUBJECT_ID), tbil="300")
                await world.project()
                continue
            return code_of(message["payload"] if message["type"] == "next" else {"errors": message["payload"]})
    raise AssertionError(f"{name} said nothing to {role}")


async def test_acc_02_every_operation_as_every_role(world: World) -> None:
    assert set(OPERATIONS) == set(MATRIX), "a new operation needs its row in role_matrix.py"
    let_in: dict[str, set[str]] = {}
    others = set[str | None]()
    for role in Role:
        for name in OPERATIONS:
            code = await asked(world, name, role)
            if code != "FORBIDDEN":
                let_in.setdefault(name, set()).add(role.value)
                others.add(code)
                continue
            refusal = world.access.refusals.pop()
            expected = (role.value.lower(), name.partition(".")[2], "FORBIDDEN")
            assert (refusal["actor"], refusal["command"], refusal["code"]) == expected
    assert let_in == MATRIX
    # Whoever is let in is answered, or their command is looked at.
    assert others <= {None, "SHAPE", "RULE"}


async def test_acc_02_every_field_of_a_participant_as_every_role_that_sees_participants(world: World) -> None:
    restricted = {name.partition(".")[2]: roles for name, roles in SUBJECT_FIELDS.items()}
    assert set(restricted) < set(SUBJECT.fields)
    others = [name for name in SUBJECT.fields if name not in restricted]
    for role in map(Role, sorted(MATRIX["Query.subject"])):
        assert await read(world, others, role) is None
        for name, roles in restricted.items():
            code = await read(world, [name], role)
            assert (code is None) == (role.value in roles), (role, name, code)
            if code is not None:
                refusal = world.access.refusals.pop()
                assert (code, refusal["command"], refusal["actor"]) == ("FORBIDDEN", name, role.value.lower())


async def read(world: World, names: Sequence[str], role: Role) -> str | None:
    """The code with which fields of the participant are refused; None when they are read."""
    text, variables = fields_document(SCHEMA_CORE, names)
    return code_of((await world.post(text, variables, world.token(role))).json())


async def test_acc_02_a_list_of_participants_hides_the_same_fields_and_is_on_record_once(world: World) -> None:
    log.enrol(world.log, "S-02")
    await world.project()
    laboratory = world.token(Role.LABORATORY)
    for name in (name.partition(".")[2] for name in SUBJECT_FIELDS):
        text = f"{{ subjects(first: 2) {{ edges {{ node {{ other: {name} {{ __typename }} }} }} }} }}"
        assert code_of((await world.post(text, token=laboratory)).json()) == "FORBIDDEN"
        assert [refusal["command"] for refusal in world.access.refusals] == [name]
        world.access.refusals.clear()


async def test_acc_03_an_administrator_enters_no_clinical_data(world: World) -> None:
    for name in COMMANDS:
        code = await asked(world, f"Mutation.{name}", Role.ADMIN)
        assert (code == "FORBIDDEN") == (name not in ADMINISTRATION), name
    for name in ("subject", "subjects", "auditTrail", "events", "saeAlerts", "safetyFindings", "dataQueries"):
        assert await asked(world, f"Query.{name}", Role.ADMIN) == "FORBIDDEN"


async def test_acc_03_a_sponsor_edits_nothing_that_is_the_sites(world: World) -> None:
    """E6 3.16.1: whatever a site's people record and correct of a participant, the sponsor may at most add to."""
    of_sites = [
        name.partition(".")[2] for name, roles in MATRIX.items() if roles & SITE and name.startswith("Mutation.")
    ]
    changing = [name for name in of_sites if name.startswith(("correct", "void", "record", "change", "end", "enrol"))]
    assert len(changing) > 30
    let_in = {name for name in changing if await asked(world, f"Mutation.{name}", Role.SPONSOR) != "FORBIDDEN"}
    # Its own criteria stand beside the investigator's.
    assert let_in == {"changeSeriousnessCriteria"}


async def test_acc_08_an_auditor_reads_everything_and_writes_only_a_review(world: World) -> None:
    assert await read(world, list(SUBJECT.fields), Role.AUDITOR) is None
    for name in OPERATIONS:
        code = await asked(world, name, Role.AUDITOR)
        writes = name.startswith("Mutation.")
        assert (code == "FORBIDDEN") == (writes and name != "Mutation.reviewAuditTrail"), (name, code)
    # And the free text of a participant in clear.
    reason = await world.seal(SUBJECT_ID, "clot in the filter", "reason")
    session = log.start(world.log, subject_stream(SUBJECT_ID))
    world.log.commit(
        subject_stream(SUBJECT_ID), SessionPaused(session_id=session.session_id, at=world.log.now, reason=reason)
    )
    await world.project()
    text = f'{{ subject(id: "{SUBJECT_ID}") {{ sessions {{ pauses {{ reason {{ value state }} }} }} }} }}'
    found = await world.ask(text, token=world.token(Role.AUDITOR))
    (shown,) = found["subject"]["sessions"][0]["pauses"]
    assert shown["reason"] == {"value": "clot in the filter", "state": "CLEAR"}


async def test_acc_08_an_auditors_token_is_limited_in_time(world: World) -> None:
    token = world.signer.sign("inspector", Role.AUDITOR, "Authority", ["*"], timedelta(seconds=-1))
    answer = await world.post("{ protocol { version } }", token=token)
    assert (answer.status_code, code_of(answer.json())) == (401, "UNAUTHENTICATED")
