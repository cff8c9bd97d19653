"""What is shared among subscribers is what each would have been told alone."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from graphql import ExecutionResult, parse, validate
from graphql import subscribe as by_the_library
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from desk_in_memory import NOW, Desk
from hepatrail_graphql.alerts import SaeAlert
from hepatrail_graphql.desk_events import Told, heartbeat, told
from hepatrail_graphql.health import SafetyHealth
from hepatrail_graphql.schema import SCHEMA
from hepatrail_graphql.shared_answers import Delivery, Shared, SharingExecutor
from hepatrail_infra.sealing_keys import Keyring

FRAGMENTS = """
fragment Alert on SaeAlert { alertSeq priority ...Times reasons }
fragment Times on SaeAlert { raisedAt recordedAt late }
fragment Any on SaeAlertEvent { __typename ... on Heartbeat { lastSeq } ... on AlertEscalated { level late } }
"""
DOCUMENTS = (
    'subscription { saeAlerts(after: "start") { __typename } }',
    'subscription { s: saeAlerts(after: "start") { t: __typename ... on SaeAlert { c: cursor verbatim { state } } } }',
    "subscription($a: String!) { saeAlerts(after: $a) { ...Any ...Alert } }" + FRAGMENTS,
    """subscription($a: String!, $with: Boolean!) { saeAlerts(after: $a) { __typename
        ... on SaeAlert @include(if: $with) { alertId escalations { level } acknowledgements { by } }
        ... on AlertAcknowledged { by at @skip(if: $with) stopping comment { value } } } }""",
    'subscription($f: AlertFilter) { saeAlerts(after: "now", filter: $f) { ... on Heartbeat { processedTo } } }',
)
VARIABLES: tuple[dict[str, Any], ...] = (
    {"a": "start", "with": True},
    {"a": "safety-desk@7", "with": False},
    {"a": "now", "with": True, "f": {"priorities": ["P1"]}},
)


class NoVault:
    async def keyring(self, _: Any) -> Keyring:
        return Keyring({})

    async def healthy(self) -> bool:
        return True


async def events() -> list[Any]:
    """One of each kind, and two alerts."""
    desk = Desk()
    desk.raise_alert()
    desk.acknowledge(1)
    desk.escalate(1)
    desk.raise_alert(priority="P2")
    shown: list[Told] = await told(desk.entries, NoVault(), may_read=True)
    return [*shown, heartbeat(4, SafetyHealth(2, 4, NOW, 0.5, True, True))]


async def answers(document: str, variables: dict[str, Any], items: list[Any], executor: Any) -> list[ExecutionResult]:
    """What a subscriber is told of items that the resolver gives out."""
    field = SCHEMA._schema.subscription_type
    assert field is not None

    async def source(*_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        for item in items:
            yield item

    parsed = parse(document)
    used = {each.variable.name.value for each in parsed.definitions[0].variable_definitions or ()}  # type: ignore[attr-defined]
    assert validate(SCHEMA._schema, parsed) == []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(field.fields["saeAlerts"], "subscribe", source)
        found: Any = by_the_library(
            SCHEMA._schema,
            parsed,
            variable_values={name: value for name, value in variables.items() if name in used},
            executor_class=executor,
        )
        stream = await found if asyncio.iscoroutine(found) else found
        return [each async for each in stream]


@pytest.mark.parametrize("variables", VARIABLES, ids=str)
@pytest.mark.parametrize("document", DOCUMENTS)
async def test_a_shared_answer_is_the_library_s(document: str, variables: dict[str, Any]) -> None:
    items = await events()
    alone = await answers(document, variables, items, StrawberryGraphQLCoreExecutionContext)
    shared = Shared(items)
    deliveries = [Delivery(shared, place) for place in range(len(items))]
    for _ in range(2):
        together = await answers(document, variables, deliveries, SharingExecutor)
        assert [(each.data, each.errors) for each in together] == [(each.data, each.errors) for each in alone]


async def test_questions_that_differ_below_the_root_field_have_their_own_answers() -> None:
    items = await events()
    shared = Shared(items)
    deliveries = [Delivery(shared, place) for place in range(len(items))]
    for variables in (VARIABLES[0], VARIABLES[1], VARIABLES[0]):
        alone = await answers(DOCUMENTS[3], variables, items, StrawberryGraphQLCoreExecutionContext)
        together = await answers(DOCUMENTS[3], variables, deliveries, SharingExecutor)
        assert [each.data for each in together] == [each.data for each in alone]


class Counting:
    """Counts how often an alert is looked at."""

    def __init__(self, row: Any) -> None:
        self.row, self.asked = row, 0

    def __getattr__(self, name: str) -> Any:
        if name == "alert_seq":
            self.asked += 1
        return getattr(self.row, name)


async def test_a_hundred_who_ask_the_same_cost_one_execution() -> None:
    alert = (await events())[0]
    counting = Counting(alert.row)
    shared = Shared([SaeAlert(row=counting, opener=alert.opener)])  # type: ignore[arg-type]
    document = "subscription($a: String!) { saeAlerts(after: $a) { ... on SaeAlert { alertSeq } } }"
    parsed, told_of = parse(document), []
    field = SCHEMA._schema.subscription_type
    assert field is not None

    async def source(*_: Any, **__: Any) -> AsyncGenerator[Any, None]:
        yield Delivery(shared, 0)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(field.fields["saeAlerts"], "subscribe", source)
        for number in range(100):
            found: Any = by_the_library(
                SCHEMA._schema, parsed, variable_values={"a": f"safety-desk@{number}"}, executor_class=SharingExecutor
            )
            told_of += [each.data async for each in found]
    assert told_of == [{"saeAlerts": {"alertSeq": 1}}] * 100
    assert counting.asked == 1


async def test_an_event_that_fails_fails_alone() -> None:
    items = await events()
    broken = SaeAlert(row=Broken(), opener=items[0].opener)  # type: ignore[arg-type]
    document = DOCUMENTS[2]
    listed = [items[0], broken, *items[1:]]
    alone = await answers(document, VARIABLES[0], listed, StrawberryGraphQLCoreExecutionContext)
    shared = Shared(listed)
    together = await answers(
        document, VARIABLES[0], [Delivery(shared, place) for place in range(len(listed))], SharingExecutor
    )
    assert [each.data for each in together] == [each.data for each in alone]
    assert [bool(each.errors) for each in together] == [False, True, *[False] * (len(listed) - 2)]


class Broken:
    """A row in which something is not as the schema promises."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError("broken")
