"""What an auditor asks of the API besides trail and seals: rejected commands, access log, reviews."""

from uuid import uuid4

import pytest

import log_commits as log
from audit_asking import ACCESS_LOG, REJECTED, SEALS, TRAIL, pages
from deciding import decide_in
from graphql_world import World
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.commands import Actor
from hepatrail_events.roles import Role
from hepatrail_events.types import parse_instant
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_services.access_log import Access, AccessRecord
from projection_log import LogRecord

REVIEW = """mutation($i: ReviewAuditTrailInput!) { reviewAuditTrail(input: $i) { __typename
  ... on CommandAccepted { eventIds } ... on CommandRejected { code rule field } } }"""
REVIEWS = """{ auditTrailReviews { from to seal sealHash findings reviewedAt reviewedBy provenance { eventIds } } }"""


@pytest.mark.parametrize(
    "query",
    [
        "{ events(first: 1) { __typename } }",
        "{ rejectedCommands(first: 1) { __typename } }",
        "{ accessLog(first: 1) { __typename } }",
        "{ checkpointSeals(first: 1) { __typename } }",
        '{ inclusionProof(eventId: "00000000-0000-4000-8000-000000000001") { __typename } }',
        "{ consistencyProof(partition: 0, fromSeal: 1, toSeal: 1) { __typename } }",
        "{ auditTrailReviews { __typename } }",
    ],
)
async def test_aud_07_what_reads_the_log_is_on_record_or_does_not_read(world: World, query: str) -> None:
    name = query.split()[1].partition("(")[0]
    error = await world.error(query, token=world.token(Role.AUDITOR, ["BFH"]))
    assert (error["code"], world.access.refusals.pop()["command"]) == ("FORBIDDEN", name)
    await world.ask(query, token=world.token(Role.AUDITOR))
    kind, actor, detail = world.access.written[-1]
    assert (kind, actor, detail["list"]) == (
        Access.ACCESS_READ if name == "accessLog" else Access.TRAIL_READ,
        "auditor",
        name,
    )
    world.access.away = True
    assert (await world.error(query, token=world.token(Role.AUDITOR)))["code"] == "UNAVAILABLE"


async def test_aud_11_a_rejected_command_is_read_with_its_body(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decide_in(world, monkeypatch)
    log.publish(world.log)
    log.enrol(world.log, "S-01")
    await world.seal("S-01", "the participant's key is made")
    await world.project()
    command_id = str(uuid4())
    told = await world.ask(
        """mutation($i: RecordScreenFailureInput!) { recordScreenFailure(input: $i) { __typename
            ... on CommandRejected { code rule message } } }""",
        {"i": {"commandId": command_id, "subjectId": "S-01", "reason": "the INR was too low"}},
        world.token(Role.INVESTIGATOR, sub="dr-li"),
    )
    answer = told["recordScreenFailure"]
    assert answer["__typename"] == "CommandRejected"
    await world.complete_to(world.log.now)
    (found,) = await pages(world, REJECTED, 1, world.token(Role.AUDITOR))
    assert {name: found[name] for name in ("commandId", "command", "stream", "actorId", "actorRole")} == {
        "commandId": command_id,
        "command": "recordScreenFailure",
        "stream": "subject-S-01",
        "actorId": "dr-li",
        "actorRole": "INVESTIGATOR",
    }
    assert {name: found[name] for name in ("code", "rule", "message")} == {
        name: answer[name] for name in ("code", "rule", "message")
    }
    assert (found["rule"], found["body"]["subjectId"]) == ("ENR-03", "S-01")
    assert set(found["body"]["reason"]) == {"kid", "cid", "path", "ct"}
    assert found["texts"] == [{"path": "reason", "text": {"value": "the INR was too low", "state": "CLEAR"}}]
    for given, expected in (({"rule": "ENR-03"}, 1), ({"rule": "SES-99"}, 0), ({"actorId": "dr-wu"}, 0)):
        assert len(await pages(world, REJECTED, 1, world.token(Role.AUDITOR), f=given)) == expected


async def test_aud_10_a_review_is_recorded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decide_in(world, monkeypatch)
    log.publish(world.log)
    await world.project()
    auditor, begin, end = world.token(Role.AUDITOR), "2026-01-05T01:00:00.000Z", "2026-01-05T01:00:05.000Z"
    given = {"commandId": str(uuid4()), "from": begin, "to": end, "seal": 7, "sealHash": "ab" * 32}
    answer = (await world.ask(REVIEW, {"i": {**given, "findings": "nothing to object"}}, auditor))["reviewAuditTrail"]
    assert answer["__typename"] == "CommandAccepted"
    (review,) = (await world.ask(REVIEWS, token=auditor))["auditTrailReviews"]
    assert review == {
        "from": begin,
        "to": end,
        "seal": 7,
        "sealHash": "ab" * 32,
        "findings": "nothing to object",
        "reviewedAt": review["reviewedAt"],
        "reviewedBy": "auditor",
        "provenance": {"eventIds": answer["eventIds"]},
    }
    assert parse_instant(review["reviewedAt"]) == world.log.now
    for wrong in ({"from": end, "to": begin}, {"from": begin, "to": "2027-01-01T00:00:00Z"}):
        sent = {"commandId": str(uuid4()), **wrong}
        refused = (await world.ask(REVIEW, {"i": sent}, auditor))["reviewAuditTrail"]
        assert (refused["__typename"], refused["rule"], refused["field"]) == ("CommandRejected", "AUD-10", "to")
    sent = {"commandId": str(uuid4()), "from": begin, "to": end}
    refused = (await world.ask(REVIEW, {"i": sent}, world.token(Role.MONITOR)))["reviewAuditTrail"]
    assert refused["code"] == "FORBIDDEN"
    assert len((await world.ask(REVIEWS, token=auditor))["auditTrailReviews"]) == 1


async def test_aud_07_the_access_log_is_read_as_it_was_written(world: World) -> None:
    actor = Actor(id="dr-li", role=Role.INVESTIGATOR, org="Hospital", sites=("BFH",))
    records, before = [], "0" * 64
    for seq, (kind, who) in enumerate(((Access.LOGIN, actor), (Access.LOGIN_FAILED, None), (Access.EXPORT, actor)), 1):
        record = AccessRecord(
            instance="api-0",
            seq=seq,
            prevhash=before,
            at=world.log.tick(),
            kind=kind,
            actorid=who and who.id,
            actorrole=who and who.role.value,
            actororg=who and who.org,
            detail={"jti": str(seq)},
        )
        records.append(LogRecord(ACCESS, 0, seq, b"api-0", record.raw()))
        before = sha256_hex(record.raw())
    await world.tables.project(records)
    auditor = world.token(Role.AUDITOR)
    found = await pages(world, ACCESS_LOG, 2, auditor)
    assert [(each["kind"], each["actorId"], each["actorOrg"]) for each in found] == [
        ("LOGIN", "dr-li", "Hospital"),
        ("LOGIN_FAILED", None, None),
        ("EXPORT", "dr-li", "Hospital"),
    ]
    assert [each["record"]["prevhash"] for each in found[1:]] == [each["hash"] for each in found[:-1]]
    assert [(each["seq"], each["offset"], each["detail"]) for each in found] == [
        (number, number, {"jti": str(number)}) for number in (1, 2, 3)
    ]
    for given, expected in (
        ({"kinds": ["LOGIN", "EXPORT"]}, [1, 3]),
        ({"actorId": "dr-li"}, [1, 3]),
        ({"since": found[1]["at"]}, [2, 3]),
        ({"until": found[1]["at"]}, [1]),
    ):
        assert [each["seq"] for each in await pages(world, ACCESS_LOG, 1, auditor, f=given)] == expected


async def test_aud_07_the_withdrawal_of_access_is_on_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decide_in(world, monkeypatch)
    log.publish(world.log)
    await world.project()
    withdraw = "mutation($i: WithdrawAccessInput!) { withdrawAccess(input: $i) { __typename } }"
    given = {"commandId": str(uuid4()), "tokenSubject": "dr-wu", "reason": "left the trial"}
    await world.ask(withdraw, {"i": given}, world.token(Role.ADMIN))
    kind, actor, detail = world.access.written[-1]
    assert (kind, actor, detail["tokenSubject"]) == (Access.TOKEN_WITHDRAWN, "admin", "dr-wu")
    assert (detail["command"], str(detail["commandid"])) == ("withdrawAccess", given["commandId"])
    answer = await world.ask(withdraw, {"i": {"commandId": str(uuid4()), "reason": "nobody"}}, world.token(Role.ADMIN))
    assert answer["withdrawAccess"]["__typename"] == "CommandRejected"
    assert [kind for kind, _, _ in world.access.written].count(Access.TOKEN_WITHDRAWN) == 1


async def test_cursors_of_other_lists_are_refused(world: World) -> None:
    auditor = world.token(Role.AUDITOR)
    instant = "2026-01-01T00:00:00.000Z"
    for query, wrong in (
        (TRAIL, ("x", f"{instant}/study@1", f"{instant}/study@1#x", f"{instant}/nobody@1#1", "2026/study@1#1")),
        (REJECTED, ("x", f"{instant}/1", f"{instant}/1@x", "2026/1@1")),
        (ACCESS_LOG, ("x", "-1", "9" * 16)),
        (SEALS, ("x", "1.5")),
    ):
        for after in wrong:
            error = await world.error(query, {"n": 1, "a": after}, auditor)
            assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "after"), after
