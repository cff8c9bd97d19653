"""The client repeats what is safe to repeat, with the same command id, and nothing else."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from hepatrail_events.errors import Unavailable
from hepatrail_services.importers.api_client import Accepted, ApiClient, ApiError, Pending, Rejected

ID = UUID("5a1c0e4e-6d55-4b0e-9c39-0f7d2c1b8a10")
ACCEPTED = {
    "__typename": "CommandAccepted",
    "commandId": str(ID),
    "position": "subject-A-1@3",
    "version": 3,
    "eventIds": [str(ID)],
}
PENDING = {"__typename": "CommandPending", "commandId": str(ID)}
REJECTED = {
    "__typename": "CommandRejected",
    "commandId": str(ID),
    "code": "RULE",
    "message": "no",
    "rule": "SES-02",
    "field": None,
}
AWAY = {"errors": [{"message": "Kafka is away", "extensions": {"code": "UNAVAILABLE"}}], "data": None}


class Edge(httpx.AsyncBaseTransport):
    """The wire: gives the prepared answers in turn and keeps what was asked."""

    def __init__(self, *answers: dict[str, Any] | int | httpx.TransportError) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, json=answer)


def _client(edge: Edge, patience: float = 5.0) -> ApiClient:
    return ApiClient("http://api/graphql", "secret", transport=edge, patience=patience)


def _data(name: str, value: object) -> dict[str, Any]:
    return {"data": {name: value}}


async def test_a_command_is_sent_until_it_is_decided_with_the_same_id() -> None:
    edge = Edge(httpx.ConnectError("away"), 503, AWAY, _data("startSession", PENDING), _data("startSession", ACCEPTED))
    async with _client(edge) as client:
        outcome = await client.send("startSession", {"commandId": str(ID), "subjectId": "A-1"})
    assert outcome == Accepted(ID, "subject-A-1@3", 3, (ID,))
    assert len({request.content for request in edge.requests}) == 1
    assert len(edge.requests) == 5
    assert edge.requests[0].headers["authorization"] == "Bearer secret"
    assert b"startSession(input: $input)" in edge.requests[0].content
    assert b"$input: StartSessionInput!" in edge.requests[0].content


async def test_a_refusal_is_an_answer() -> None:
    edge = Edge(_data("startSession", REJECTED))
    async with _client(edge) as client:
        assert await client.send("startSession", {"commandId": str(ID)}) == Rejected(ID, "RULE", "no", "SES-02")
    assert len(edge.requests) == 1


@pytest.mark.parametrize(
    "answer", [lambda: httpx.ReadTimeout("slow"), lambda: 503, lambda: _data("pauseSession", PENDING)]
)
async def test_patience_ends(answer: Callable[[], Any]) -> None:
    edge = Edge(*(answer() for _ in range(20)))
    async with _client(edge, patience=0.2) as client:
        with pytest.raises(Unavailable, match=r"^Gave up"):
            await client.send("pauseSession", {"commandId": str(ID)})


async def test_what_became_of_commands_is_asked_for_25_at_once() -> None:
    ids = [UUID(int=number) for number in range(30)]
    first = {f"c{number}": ACCEPTED if number == 3 else None for number in range(25)}
    second = {f"c{number}": PENDING if number == 4 else None for number in range(5)}
    edge = Edge({"data": first}, {"data": second})
    async with _client(edge) as client:
        known = await client.commands("subject-A-1", ids)
    assert known == {ids[3]: Accepted(ID, "subject-A-1@3", 3, (ID,)), ids[29]: Pending(ID)}
    assert len(edge.requests) == 2


async def test_an_error_of_the_request_is_not_repeated() -> None:
    edge = Edge({"errors": [{"message": "unknown field", "extensions": {"code": "SHAPE"}}], "data": None})
    async with _client(edge) as client:
        with pytest.raises(ApiError, match="unknown field") as raised:
            await client.execute("{ holds { x } }")
    assert raised.value.code == "SHAPE"


@pytest.mark.parametrize("answer", [401, {"data": None}, {"x": 1}])
async def test_an_answer_without_data_is_an_error(answer: dict[str, Any] | int) -> None:
    async with _client(Edge(answer)) as client:
        with pytest.raises(ApiError, match="The API answered"):
            await client.execute("{ holds { x } }")
