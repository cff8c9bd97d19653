"""The edge: who is let in, how much may be asked, what an error shows, and the pages for operators."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, get_introspection_query

import projection_log as log
from graphql_world import World, decision
from hepatrail_events.codec import read
from hepatrail_events.decisions import Code, Verdict
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY
from hepatrail_events.study import AccessWithdrawn
from hepatrail_graphql.limits import MAX_ALIASES, MAX_DEPTH
from hepatrail_graphql.pendings import KEPT_SECONDS, Pendings
from hepatrail_graphql.schema import SCHEMA
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Dsns
from hepatrail_services.access_log import Access
from hepatrail_services.gateway import Pending


async def test_without_a_valid_token_nothing_is_answered_and_that_is_on_record(world: World) -> None:
    async with httpx.AsyncClient() as client:
        bare = await client.post(world.url(), json={"query": "{ __typename }"})
        assert bare.status_code == 401
        assert bare.headers["www-authenticate"] == "Bearer"
        assert bare.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        stale = world.signer.sign("dr-li", Role.INVESTIGATOR, "org", ["BFH"], timedelta(seconds=-1))
        for query in ("{ __schema { types { name } } }", "{ protocol { version } }"):
            answer = await client.post(world.url(), json={"query": query}, headers={"authorization": f"Bearer {stale}"})
            assert answer.status_code == 401
    failed = [fields for kind, _, fields in world.access.written if kind is Access.LOGIN_FAILED]
    assert [each["field"] for each in failed] == ["token", "exp", "exp"]


async def test_a_refusal_stands_even_while_it_cannot_be_put_on_record(world: World) -> None:
    world.access.away = True
    async with httpx.AsyncClient() as client:
        assert (await client.post(world.url(), json={"query": "{ __typename }"})).status_code == 401


async def test_the_first_use_of_a_token_is_a_login(world: World) -> None:
    token = world.token(Role.MONITOR, sub="monitor-7")
    for _ in range(3):
        await world.ask("{ __typename }", token=token)
    assert [(kind, who) for kind, who, _ in world.access.written] == [(Access.LOGIN, "monitor-7")]


async def test_access_that_was_withdrawn_is_refused(world: World) -> None:
    token = world.token(sub="dr-li")
    await world.ask("{ __typename }", token=token)
    world.log.commit(STUDY, AccessWithdrawn(token_subject="dr-li", reason="left the site"), role="ADMIN")
    await world.project()
    await asyncio.sleep(0.2)
    assert (await world.post("{ __typename }", token=token)).status_code == 401
    assert (await world.post("{ __typename }", token=world.token(sub="dr-wu"))).status_code == 200


async def test_introspection_is_open_to_whoever_is_let_in(world: World) -> None:
    found = await world.ask(get_introspection_query())
    assert "SaeAlertEvent" in {each["name"] for each in found["__schema"]["types"]}


async def test_a_mutation_does_not_come_by_get_and_a_query_may(world: World) -> None:
    headers = {"authorization": f"Bearer {world.token(Role.ADMIN)}"}
    given = f'commandId: "{uuid4()}", jti: "t", reason: "lost"'
    mutation = f"mutation {{ withdrawAccess(input: {{ {given} }}) {{ __typename }} }}"
    async with httpx.AsyncClient(headers=headers) as client:
        refused = await client.get(world.url(), params={"query": mutation})
        assert refused.status_code == 400
        assert world.gateway.sent == []
        answer = await client.get(world.url(), params={"query": "{ __typename }"})
        assert answer.json() == {"data": {"__typename": "Query"}}


async def test_a_request_has_at_most_two_mebibytes(world: World) -> None:
    answer = await world.post("{ __typename } #" + "x" * 2_200_000)
    assert answer.status_code == 413


async def test_a_request_that_asks_for_too_much_is_refused_before_anything_is_read(world: World) -> None:
    lists = "scores { inputs { eventIds } } visits { missing { item } } adverseEvents { grades { grade eventId } }"
    page = f"edges {{ node {{ labResults {{ code value }} {lists} }} }}"
    too_much = {
        "depth": "{ subject(id: 1) " + "{ provenance " * MAX_DEPTH + "{ algorithm" + "}" * (MAX_DEPTH + 2),
        "aliases": "{" + " ".join(f"a{n}: protocol {{ version }}" for n in range(MAX_ALIASES + 1)) + "}",
        "cost": f"{{ subjects(first: 200) {{ {page} }} }}",
    }
    for name, query in too_much.items():
        errors = (await world.post(query)).json()["errors"]
        codes = {error["extensions"].get("rule", "")[: len(name)] for error in errors}
        assert name in codes, (name, errors)
        assert any(error["extensions"]["code"] == "LIMIT_EXCEEDED" for error in errors)
    by_variable = f"query($n: Int!) {{ subjects(first: $n) {{ {page} }} }}"
    assert (await world.error(by_variable, {"n": 200}))["code"] == "LIMIT_EXCEEDED"
    assert "errors" not in (await world.post(by_variable, {"n": 2})).json()


async def test_tokens_are_counted_while_parsing(world: World) -> None:
    error = await world.error("{" + " __typename" * 5000 + "}")
    assert (error["code"], "token" in error["message"].lower()) == ("BAD_USER_INPUT", True)


async def test_a_document_nested_beyond_all_measure_is_refused(world: World) -> None:
    error = await world.error("{a" * 1300 + "}" * 1300)
    assert (error["code"], "nested too deeply" in error["message"]) == ("BAD_USER_INPUT", True)


async def test_fragments_that_double_each_other_cost_the_server_nothing(world: World) -> None:
    chain = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(40))
    query = "{ ...f0 } " + chain + "fragment f40 on Query { a: protocol { version } }"
    begun = time.perf_counter()
    error = await world.error(query)
    assert error["code"] == "LIMIT_EXCEEDED"
    assert time.perf_counter() - begun < 2.0


async def test_a_fragment_inside_itself_is_refused(world: World) -> None:
    error = await world.error("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }")
    assert error["code"] == "BAD_USER_INPUT"


async def test_an_unexpected_error_shows_an_id_that_the_log_has_and_nothing_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.gateway.answer = RuntimeError("the patient's name is Li Wei")
    error = await world.error(WITHDRAW, {"i": withdrawal()})
    assert error["code"] == "INTERNAL"
    assert "Li Wei" not in str(error)
    (record,) = [record for record in caplog.records if record.name == "hepatrail_graphql.masking"]
    assert record.incident == error["id"]  # type: ignore[attr-defined]
    assert error["id"] in error["message"]


async def test_a_server_that_is_away_says_so(world: World) -> None:
    world.gateway.answer = Unavailable("Kafka at 10.0.0.7 does not answer")
    error = await world.error(WITHDRAW, {"i": withdrawal()})
    assert (error["code"], "10.0.0.7" in str(error)) == ("UNAVAILABLE", False)


WITHDRAW = """mutation Withdraw($i: WithdrawAccessInput!) { withdrawAccess(input: $i) { __typename
  ... on CommandAccepted { commandId position version eventIds queries { rule message } }
  ... on CommandRejected { commandId code message rule field }
  ... on CommandPending { commandId } } }"""


def withdrawal(**changes: Any) -> dict[str, Any]:
    return {"commandId": str(uuid4()), "jti": "t-1", "reason": "lost laptop", **changes}


async def test_what_the_deciders_answer_is_what_the_sender_reads(world: World) -> None:
    given, event_id = withdrawal(), uuid4()
    command_id = UUID(given["commandId"])
    world.gateway.answer = decision(command_id, "study", version=4, eventids=(event_id,))
    assert (await world.ask(WITHDRAW, {"i": given}))["withdrawAccess"] == {
        "__typename": "CommandAccepted",
        "commandId": str(command_id),
        "position": "study@4",
        "version": 4,
        "eventIds": [str(event_id)],
        "queries": [],
    }
    world.gateway.answer = decision(
        command_id, "study", verdict=Verdict.REJECTED, code=Code.RULE, rule="STU-01", message="No.", field="jti"
    )
    assert (await world.ask(WITHDRAW, {"i": given}))["withdrawAccess"] == {
        "__typename": "CommandRejected",
        "commandId": str(command_id),
        "code": "RULE",
        "message": "No.",
        "rule": "STU-01",
        "field": "jti",
    }
    world.gateway.answer = Pending(command_id, "study")
    assert (await world.ask(WITHDRAW, {"i": given}))["withdrawAccess"] == {
        "__typename": "CommandPending",
        "commandId": str(command_id),
    }
    asked = f'{{ command(stream: "study", id: "{command_id}") {{ __typename }} }}'
    assert (await world.ask(asked))["command"] == {"__typename": "CommandPending"}


async def test_the_queries_that_a_command_opened_come_with_its_answer_or_null(world: World) -> None:
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    await world.project()
    session = log.start(world.log, stream, viable_cells=10**9)
    event_id = session_event_id(world)
    world.clock.at = world.log.now
    world.gateway.answer = decision(UUID(int=1), stream, version=3, eventids=(event_id,))
    answer = (await world.ask(WITHDRAW, {"i": withdrawal()}))["withdrawAccess"]
    assert answer["queries"] is None
    await world.project()
    answer = (await world.ask(WITHDRAW, {"i": withdrawal()}))["withdrawAccess"]
    assert [each["rule"] for each in answer["queries"]] == ["SES-07"], session
    assert answer["queries"][0]["message"]


def session_event_id(world: World) -> UUID:
    last = [each for each in world.log.records if each.topic == EVENTS][-1]
    assert last.value is not None
    return read(last.value).envelope.id


async def test_an_input_reaches_the_gateway_exactly_as_it_was_reported(world: World) -> None:
    given = {
        "commandId": str(uuid4()),
        "subjectId": "S-01",
        "collectedAt": "2026-03-10",
        "laboratory": "Central",
        "results": [
            {"code": "tbil", "value": "<0.20", "comparator": "<", "unit": "mg/dL", "low": "0.30", "high": "1.20"},
            {"code": "inr", "notDone": "HEMOLYSED", "fasting": None},
        ],
    }
    await world.ask("mutation($i: RecordLabResultsInput!) { recordLabResults(input: $i) { __typename } }", {"i": given})
    ((_, raw, _),) = world.gateway.sent
    given["results"][1].pop("fasting")  # type: ignore[attr-defined]
    assert raw == given

    session = {
        "commandId": str(uuid4()),
        "subjectId": "S-01",
        "startedAt": "2026-03-10T08:30:00+08:00",
        "accessVein": "FEMORAL",
        "side": "LEFT",
        "deviceLot": "D",
        "cellBatch": "C",
        "batchReleaseRef": "R",
        "viabilityPercent": "92.50",
        "viableCells": 10_020_000_000,
        "weightKg": "60.0",
        "weightMeasuredAt": "tomorrow",
    }
    await world.ask("mutation($i: StartSessionInput!) { startSession(input: $i) { __typename } }", {"i": session})
    raw = world.gateway.sent[-1][1]
    assert (raw["startedAt"], raw["viableCells"], raw["weightKg"]) == (
        "2026-03-10T00:30:00.000Z",
        10_020_000_000,
        "60.0",
    )
    assert raw["weightMeasuredAt"] == "tomorrow", "the command's own check names the field and the rule"


async def test_a_number_is_never_a_float(world: World) -> None:
    given = f'commandId: "{uuid4()}", subjectId: "S-1", collectedAt: "2026-03-10", laboratory: "C"'
    results = 'results: [{code: "tbil", value: "1", low: 0.3}]'
    error = await world.error(f"mutation {{ recordLabResults(input: {{ {given}, {results} }}) {{ __typename }} }}")
    assert error["code"] == "BAD_USER_INPUT"
    assert world.gateway.sent == []


async def test_a_mutation_without_its_shape_is_on_record(world: World) -> None:
    error = await world.error(WITHDRAW, {"i": {"jti": "t"}})
    assert error["code"] == "BAD_USER_INPUT"
    (refusal,) = world.access.refusals
    assert (refusal["actor"], refusal["command"], refusal["code"]) == ("investigator", "Withdraw", "BAD_USER_INPUT")
    assert len(refusal["bodyhash"]) == 64
    await world.error("{ nothing }")
    assert len(world.access.refusals) == 1


async def test_the_pages_for_operators(world: World) -> None:
    assert (await world.get("/healthz")).status_code == 200
    body = (await world.get("/version")).json()
    assert body["version"] and body["projection"] >= 1
    metrics = await world.get("/metrics")
    assert metrics.status_code == 200
    assert "hepatrail_refused_logins_total" in metrics.text


async def test_readiness_names_what_is_not_well(dsns: Dsns, tmp_path: Path) -> None:
    class Dead:
        alive = False

    async with World.opened(dsns, tmp_path, decisions=Dead()) as world:
        state = await world.get("/readyz")
        assert state.status_code == 503
        assert set(state.json()) == {"ready", "decisions", "projection"}
    async with World.opened(dsns, tmp_path) as world:
        await world.complete_to(world.clock.at - timedelta(seconds=4))
        assert (await world.get("/readyz")).json() == {"ready": True}
        world.clock.at += timedelta(minutes=1)
        assert "projection" in (await world.get("/readyz")).json()
        await world.complete_to(world.clock.at)
        world.services.pendings.add("study", uuid4(), asyncio.get_running_loop().time() - 11)
        assert "undecided" in (await world.get("/readyz")).json()


async def test_a_command_speaks_against_readiness_until_it_is_decided_or_long_gone() -> None:
    pendings, known = Pendings(), uuid4()

    async def undecided(_stream: str, _id: UUID) -> None:
        return None

    pendings.add("study", known, 100.0)
    pendings.add("study", known, 109.0)
    assert await pendings.undecided(105.0, 10.0, undecided) == ()
    assert await pendings.undecided(111.0, 10.0, undecided) == ("study",)
    assert pendings.includes("study", known)
    assert await pendings.undecided(111.0 + KEPT_SECONDS, 10.0, undecided) == ()
    pendings.add("study", known, 0.0)
    pendings.settle("study", known)
    assert not pendings.includes("study", known)


def test_everything_in_the_schema_has_a_description() -> None:
    bare = []
    for name, kind in SCHEMA._schema.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Boolean", "Float", "ID", "UUID", "Date"):
            continue
        if not kind.description:
            bare.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            bare += [f"{name}.{field}" for field, about in kind.fields.items() if not about.description]
        if isinstance(kind, GraphQLObjectType):
            bare += [
                f"{name}.{field}({given})"
                for field, about in kind.fields.items()
                for given, argument in about.args.items()
                if not argument.description
            ]
    assert bare == []


def test_codes_are_written_as_the_domain_writes_them() -> None:
    sex = SCHEMA._schema.type_map["Sex"]
    assert isinstance(sex, GraphQLEnumType)
    assert set(sex.values) == {"male", "female"}


def test_no_list_is_resolved_asynchronously_but_the_queries_of_a_command() -> None:
    waiting = []
    for name, kind in SCHEMA._schema.type_map.items():
        definition = getattr(kind, "extensions", {}).get("strawberry-definition")
        for field in getattr(definition, "fields", ()):
            resolver = getattr(field, "base_resolver", None)
            if resolver is not None and resolver.is_async and name not in ("Query", "Mutation", "Subscription"):
                waiting.append(f"{name}.{field.python_name}")
    assert waiting == ["CommandAccepted.queries"]
