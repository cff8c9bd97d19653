"""What an auditor asks of the API: trail, rejected commands, access log, seals and proofs, reviews."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import projection_log as log
from deciding import decide_in
from graphql_world import World
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import read
from hepatrail_events.commands import Actor
from hepatrail_events.concomitant import MedicationCorrected, MedicationRecorded
from hepatrail_events.measurements import LabResultCorrected
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.transparency.checkpoint import read_consistency, read_inclusion
from hepatrail_events.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from hepatrail_events.transparency.note import open_note
from hepatrail_events.transparency.seal import open_seal, verifier_keys
from hepatrail_events.types import PartialDate, Precision, parse_instant
from hepatrail_graphql.trail import is_sealed
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_projections.trail.row import ANY_TRAIL
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.source import MemorySource
from hepatrail_services.audit.trail_listing import list_trail
from projection_log import LogRecord
from sealed_log import KEY, SealedLog
from trial_history import history

TRAIL = """query($n: Int!, $a: String, $f: AuditTrailFilter) { auditTrail(first: $n, after: $a, filter: $f) {
  edges { cursor node { eventId position subjectId recordedAt receivedAt actorId actorRole actorOrg automated event
    object field oldValue newValue oldText { value state } newText { value state } reason { value state }
    provenance { eventIds algorithm protocolVersion } } } pageInfo { hasNextPage endCursor } } }"""
REJECTED = """query($n: Int!, $a: String, $f: RejectedCommandFilter) {
  rejectedCommands(first: $n, after: $a, filter: $f) {
    edges { node { commandId command stream code rule field message body texts { path text { value state } }
      actorId actorRole receivedAt recordedAt } } pageInfo { hasNextPage endCursor } } }"""
ACCESS_LOG = """query($n: Int!, $a: String, $f: AccessFilter) { accessLog(first: $n, after: $a, filter: $f) {
  edges { node { instance seq hash at kind actorId actorRole actorOrg command commandId code detail record offset } }
  pageInfo { hasNextPage endCursor } } }"""
SEALS = """query($n: Int!, $a: String) { checkpointSeals(first: $n, after: $a) { edges { node { seal at reason log hash
  previousHash asked trees { origin size rootHash note } history { origin size note } producer record } }
  pageInfo { hasNextPage endCursor } } }"""
INCLUSION = """query($e: UUID!, $s: Int) { inclusionProof(eventId: $e, seal: $s) { seal origin treeSize rootHash
  leafIndex leafHash hashes note text } }"""
CONSISTENCY = """query($p: Int!, $f: Int!, $t: Int!) { consistencyProof(partition: $p, fromSeal: $f, toSeal: $t) {
  fromSeal toSeal origin fromSize toSize hashes fromNote toNote text } }"""
REVIEW = """mutation($i: ReviewAuditTrailInput!) { reviewAuditTrail(input: $i) { __typename
  ... on CommandAccepted { eventIds } ... on CommandRejected { code rule field } } }"""
REVIEWS = """{ auditTrailReviews { from to seal sealHash findings reviewedAt reviewedBy provenance { eventIds } } }"""


async def pages(world: World, query: str, size: int, token: str, **more: Any) -> list[Any]:
    """All nodes of a list, page after page."""
    found, after = list[Any](), None
    while True:
        (page,) = (await world.ask(query, {"n": size, "a": after, **more}, token)).values()
        found += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def corrected(world: World) -> tuple[str, UUID]:
    """A laboratory value that was corrected, with a reason in sealed text; its stream and id."""
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    (result,) = log.sample(world.log, stream, creatinine="88")
    reason = await world.seal("S-01", "the laboratory had swapped two samples", "reason")
    correction = LabResultCorrected(
        id=result, field="value", old_value="88", new_value="78", reason=reason, accepted=True
    )
    world.log.commit(stream, correction, actor="dr-li", role="INVESTIGATOR")
    await world.project()
    return stream, result


async def test_aud_01_the_trail_shows_who_when_what_and_why(world: World) -> None:
    stream, result = await corrected(world)
    entries = await pages(world, TRAIL, 200, world.token(Role.AUDITOR), f={"object": str(result), "field": "value"})
    first, second = entries
    assert (first["oldValue"], first["newValue"], first["reason"], first["actorId"]) == (None, "88", None, "lab")
    assert {name: second[name] for name in ("oldValue", "newValue", "field", "object", "event", "subjectId")} == {
        "oldValue": "88",
        "newValue": "78",
        "field": "value",
        "object": str(result),
        "event": "LabResultCorrected",
        "subjectId": "S-01",
    }
    assert second["reason"] == {"value": "the laboratory had swapped two samples", "state": "CLEAR"}
    assert (second["actorId"], second["actorRole"], second["actorOrg"]) == ("dr-li", "INVESTIGATOR", "Hospital")
    assert second["automated"] is False
    assert parse_instant(second["recordedAt"]) == parse_instant(second["receivedAt"]) == world.log.now
    assert second["position"].startswith(f"{stream}@")
    assert second["provenance"]["eventIds"] == [second["eventId"]]


async def test_aud_09_the_trail_is_filtered_and_paged(world: World) -> None:
    await corrected(world)
    log.sample(world.log, log.enrol(world.log, "S-02"), creatinine="90")
    await world.project()
    auditor = world.token(Role.AUDITOR)
    whole = await pages(world, TRAIL, 200, auditor)
    assert await pages(world, TRAIL, 7, auditor) == whole
    instant = whole[9]["recordedAt"]
    for given, expected in (
        ({"subjectId": "S-02"}, [each for each in whole if each["subjectId"] == "S-02"]),
        ({"field": "value"}, [each for each in whole if each["field"] == "value"]),
        ({"actorId": "lab"}, [each for each in whole if each["actorId"] == "lab"]),
        ({"since": instant}, [each for each in whole if each["recordedAt"] >= instant]),
        ({"until": instant}, [each for each in whole if each["recordedAt"] < instant]),
    ):
        assert 0 < len(expected) < len(whole)
        assert await pages(world, TRAIL, 5, auditor, f=given) == expected
    read_on_record = [detail for kind, actor, detail in world.access.written if kind == Access.TRAIL_READ]
    assert {detail["list"] for detail in read_on_record} == {"auditTrail"}
    assert {"list": "auditTrail", "field": "value", "first": 5} in read_on_record


async def test_aud_09_the_api_and_the_listing_from_the_log_say_the_same(world: World, tmp_path: Path) -> None:
    world.log.records.extend(history(11, subjects=2, steps=80).records)
    await world.project(complete=False)
    await world.complete_to(datetime(2027, 1, 1, tzinfo=UTC))
    source = MemorySource()
    for each in world.log.records:
        rows = source.topics.setdefault((each.topic, each.partition), [])
        rows.append((each.offset, each.key, each.value, each.headers))
    said = ("position", "object", "field", "oldValue", "newValue", "recordedAt", "actorId", "subjectId", "event")
    found = [tuple(each[name] for name in said) for each in await pages(world, TRAIL, 200, world.token(Role.AUDITOR))]
    listed = [
        tuple(None if is_sealed(row[name]) else row[name] for name in said)
        for row in (await list_trail(source, ANY_TRAIL, tmp_path)).rows()
    ]
    assert len(listed) > 200
    assert found == listed


async def test_acc_02_whoever_is_no_auditor_reads_the_trail_of_a_participant_of_their_sites(world: World) -> None:
    await corrected(world)
    own, other = world.token(Role.MONITOR, ["BFH"]), world.token(Role.MONITOR, ["NFH"])
    asked = {"n": 200, "f": {"subjectId": "S-01"}}
    edges = (await world.ask(TRAIL, asked, own))["auditTrail"]["edges"]
    assert {edge["node"]["subjectId"] for edge in edges} == {"S-01"}
    for token, given in (
        (other, asked),
        (own, {"n": 200}),
        (own, {"n": 200, "f": {"subjectId": "S-99"}}),
        (own, {"n": 200, "f": {"subjectId": "no pseudonym"}}),
        (world.token(Role.SPONSOR), {"n": 200}),
        (world.token(Role.AUDITOR, ["BFH"]), {"n": 200}),
    ):
        error = await world.error(TRAIL, given, token)
        assert (error["code"], error["rule"]) == ("FORBIDDEN", "ACC-02")
        assert world.access.refusals.pop()["command"] == "auditTrail"
    edges = (await world.ask(TRAIL, asked, world.token(Role.AUDITOR, ["BFH"])))["auditTrail"]["edges"]
    assert len(edges) > 0
    error = await world.error(TRAIL, {"n": 1, "f": {"subjectId": "no pseudonym"}}, world.token(Role.AUDITOR))
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "filter.subjectId")


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


async def sealed_world(world: World) -> SealedLog:
    """Two seals with events before, between and after them."""
    sealed = SealedLog(world.log)
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    sealed.seal()
    for _ in range(20):
        log.sample(world.log, stream, creatinine="88")
    sealed.seal(asked=("tool-1/1",))
    log.sample(world.log, stream, creatinine="99")
    await world.project()
    await world.tables.project([each for each in sealed.records() if each.topic == CHECKPOINTS])
    return sealed


def event_ids(world: World, stream: str) -> list[str]:
    """The ids of a stream's events."""
    records = [each for each in world.log.records if each.topic == EVENTS and each.key == stream.encode()]
    return [str(read(each.value or b"").envelope.id) for each in records]


async def test_aud_06_seals_are_answered_as_they_were_signed(world: World) -> None:
    sealed = await sealed_world(world)
    second, first = await pages(world, SEALS, 1, world.token(Role.AUDITOR))
    assert (second["seal"], second["asked"], first["seal"], first["reason"]) == (2, ["tool-1/1"], 1, "START")
    assert second["record"].encode() == sealed.seals[1].raw()
    assert second["previousHash"] == first["hash"] == sha256_hex(sealed.seals[0].raw())
    opened = open_seal(sealed.seals[1], [KEY.public])
    assert [(tree["origin"], tree["size"], base64.b64decode(tree["rootHash"])) for tree in second["trees"]] == [
        (tree.origin, tree.size, tree.root) for tree in opened.trees
    ]
    assert (second["history"]["origin"], second["history"]["size"]) == (opened.history.origin, 2)


async def test_aud_06_the_proof_of_an_event_holds_without_us(world: World) -> None:
    sealed = await sealed_world(world)
    auditor, stream = world.token(Role.AUDITOR), subject_stream("S-01")
    ids = event_ids(world, stream)
    keys = verifier_keys(sealed.name, KEY.public)
    for number, event_id in enumerate(ids[:-1]):
        proof = (await world.ask(INCLUSION, {"e": event_id}, auditor))["inclusionProof"]
        index, hashes, note = read_inclusion(proof["text"])
        assert (proof["seal"], proof["leafIndex"], proof["note"]) == (2, index, note)
        assert open_note(note, keys).splitlines()[1] == str(proof["treeSize"])
        raw = next(each.value or b"" for each in world.log.records if event_id.encode() in (each.value or b""))
        assert verify_inclusion(
            leaf_hash(raw), index, proof["treeSize"], hashes, base64.b64decode(proof["rootHash"])
        ), number
    assert (await world.ask(INCLUSION, {"e": ids[0], "s": 1}, auditor))["inclusionProof"]["seal"] == 1
    for absent in ({"e": ids[-1]}, {"e": ids[5], "s": 1}, {"e": ids[0], "s": 3}, {"e": str(uuid4())}):
        assert (await world.ask(INCLUSION, absent, auditor))["inclusionProof"] is None
    assert (await world.error(INCLUSION, {"e": ids[0], "s": 0}, auditor))["field"] == "seal"


async def test_aud_06_the_proof_that_a_tree_goes_on_holds_without_us(world: World) -> None:
    await sealed_world(world)
    auditor, partition = world.token(Role.AUDITOR), partition_of(subject_stream("S-01"))
    proof = (await world.ask(CONSISTENCY, {"p": partition, "f": 1, "t": 2}, auditor))["consistencyProof"]
    size, hashes, note = read_consistency(proof["text"])
    assert (size, note) == (proof["fromSize"], proof["toNote"])
    roots = [base64.b64decode(proof[name].splitlines()[2]) for name in ("fromNote", "toNote")]
    assert 0 < size < proof["toSize"]
    assert verify_consistency(size, proof["toSize"], roots[0], roots[1], hashes)
    assert (await world.ask(CONSISTENCY, {"p": partition, "f": 1, "t": 9}, auditor))["consistencyProof"] is None
    for wrong, field in (({"p": 12}, "partition"), ({"f": 0}, "fromSeal"), ({"f": 2, "t": 1}, "toSeal")):
        error = await world.error(CONSISTENCY, {"p": partition, "f": 1, "t": 2, **wrong}, auditor)
        assert (error["code"], error["field"]) == ("BAD_USER_INPUT", field)


async def test_aud_06_a_forged_mirror_gives_no_proof(world: World) -> None:
    await sealed_world(world)
    auditor, stream = world.token(Role.AUDITOR), subject_stream("S-01")
    ids, partition = event_ids(world, stream), partition_of(stream)
    forge = "WITH forged AS (UPDATE {} RETURNING 1) SELECT count(*) FROM forged"
    raw = await world.tables.value("SELECT raw FROM event WHERE event_id = $1", UUID(ids[3]))
    await world.tables.value(forge.format("event SET raw = $2 WHERE event_id = $1"), UUID(ids[3]), raw + b" ")
    assert (await world.error(INCLUSION, {"e": ids[3]}, auditor))["code"] == "LOG_MIRROR_DIFFERS"
    assert (await world.ask(INCLUSION, {"e": ids[20]}, auditor))["inclusionProof"] is not None
    await world.tables.value(
        forge.format("log_tile SET hashes = decode(repeat('00', length(hashes)), 'hex') WHERE partition = $1"),
        partition,
    )
    for query, asked in ((INCLUSION, {"e": ids[20]}), (CONSISTENCY, {"p": partition, "f": 1, "t": 2})):
        assert (await world.error(query, asked, auditor))["code"] == "LOG_MIRROR_DIFFERS"
    await world.tables.value(forge.format("checkpoint_seal SET raw = 'nothing' WHERE seal = $1"), 2)
    for query, asked in ((INCLUSION, {"e": ids[20]}), (SEALS, {"n": 1})):
        assert (await world.error(query, asked, auditor))["code"] == "LOG_MIRROR_DIFFERS"


async def test_events_of_a_participant_are_those_of_the_stream_and_what_names_them(world: World) -> None:
    log.publish(world.log)
    event = log.adverse_event(world.log, log.enrol(world.log, "S-01"))
    log.enrol(world.log, "S-02")
    log.alert(world.log, 1, event, "S-01")
    await world.project()
    query = """query($f: EventFilter) { events(first: 9, filter: $f) { edges { node { stream type } } } }"""
    found = await world.ask(query, {"f": {"subjectId": "S-01"}}, world.token(Role.AUDITOR))
    assert [(each["node"]["stream"], each["node"]["type"]) for each in found["events"]["edges"]] == [
        ("subject-S-01", "ConsentRecorded"),
        ("subject-S-01", "SubjectEnrolled"),
        ("subject-S-01", "AEReported"),
        ("safety-desk", "AlertRaised"),
    ]
    both = {"subjectId": "S-01", "stream": STUDY}
    assert (await world.ask(query, {"f": both}, world.token(Role.AUDITOR)))["events"]["edges"] == []


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


async def test_free_text_of_the_trail_is_opened_as_long_as_its_key_is_there(world: World) -> None:
    log.publish(world.log)
    stream, drug = log.enrol(world.log, "S-01"), world.log.uuid()
    words = ["Marcumar", "Heparin", "typing error"]
    first, second, why = [await world.seal("S-01", text, "verbatim") for text in words]
    began = PartialDate(value="2026-01-04", precision=Precision.DAY)
    recorded = MedicationRecorded(medication_id=drug, verbatim=first, started_at=began, therapeutic_anticoagulant=True)
    world.log.commit(stream, recorded)
    world.log.commit(stream, MedicationCorrected(id=drug, field="verbatim", new_text=second, reason=why))
    await world.project()

    async def correction() -> Any:
        given = {"object": str(drug), "field": "verbatim"}
        return (await pages(world, TRAIL, 9, world.token(Role.AUDITOR), f=given))[1]

    entry = await correction()
    assert (entry["oldValue"], entry["newValue"]) == (None, None)
    assert [entry[name] for name in ("oldText", "newText", "reason")] == [
        {"value": text, "state": "CLEAR"} for text in words
    ]
    assert not any(text.encode() in (each.value or b"") for each in world.log.records for text in words)
    await world.vault.destroy("S-01", "asked for it", "admin")
    entry = await correction()
    assert [entry[name] for name in ("oldText", "newText", "reason")] == [{"value": None, "state": "ERASED"}] * 3
