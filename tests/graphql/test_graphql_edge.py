"""The edge: who is let in, how much may be asked, what an error shows, and the pages for operators."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import httpx
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, get_introspection_query

from graphql_world import World
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY
from hepatrail_events.study import AccessWithdrawn
from hepatrail_graphql.limits import MAX_ALIASES, MAX_DEPTH
from hepatrail_graphql.schema import SCHEMA
from hepatrail_services.access_log import Access


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


def test_no_list_is_resolved_asynchronously_but_two() -> None:
    """The queries of a command are read when asked for; the tables of outcomes give way to others in between."""
    waiting = []
    for name, kind in SCHEMA._schema.type_map.items():
        definition = getattr(kind, "extensions", {}).get("strawberry-definition")
        for field in getattr(definition, "fields", ()):
            resolver = getattr(field, "base_resolver", None)
            if resolver is not None and resolver.is_async and name not in ("Query", "Mutation", "Subscription"):
                waiting.append(f"{name}.{field.python_name}")
    assert set(waiting) == {"CommandAccepted.queries", "OutcomeTable.rows"}
