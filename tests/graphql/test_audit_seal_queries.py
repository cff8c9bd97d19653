"""What an auditor asks for the seals of the log, and the proofs that hold without us."""

import base64
from uuid import UUID, uuid4

import log_commits as log
from audit_asking import SEALS, pages
from graphql_world import World
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import read
from hepatrail_events.roles import Role
from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.checkpoint import read_consistency, read_inclusion
from hepatrail_events.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from hepatrail_events.transparency.note import open_note
from hepatrail_events.transparency.seal import open_seal, verifier_keys
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from sealed_log import KEY, SealedLog

INCLUSION = """query($e: UUID!, $s: Int) { inclusionProof(eventId: $e, seal: $s) { seal origin treeSize rootHash
  leafIndex leafHash hashes note text } }"""
CONSISTENCY = """query($p: Int!, $f: Int!, $t: Int!) { consistencyProof(partition: $p, fromSeal: $f, toSeal: $t) {
  fromSeal toSeal origin fromSize toSize hashes fromNote toNote text } }"""


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
