"""Proofs out of the log itself, which any tool for transparency logs can check against the notes."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from forging import change, reseal, rows_of
from hepatrail_events.codec import read
from hepatrail_events.errors import Broken, StartRefused
from hepatrail_events.transparency.checkpoint import Checkpoint, read_consistency, read_inclusion
from hepatrail_events.transparency.merkle import Frontier, leaf_hash, root_at, verify_consistency, verify_inclusion
from hepatrail_events.transparency.note import open_note
from hepatrail_events.transparency.seal import verifier_keys
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.leaves import LeafStore, leaves_of
from hepatrail_services.audit.proofs import Seals, prove_consistency, prove_inclusion
from hepatrail_services.audit.source import MemorySource
from log_commits import enrol
from sealed_log import FORGERS_KEY, KEY, SealedLog, sealed_history

STREAM = "subject-S-00"
PARTITION = partition_of(STREAM)


@pytest.fixture(scope="module")
def log() -> SealedLog:
    """A log under four seals."""
    return sealed_history(steps=80, seals=4)


@pytest.fixture
def source(log: SealedLog) -> MemorySource:
    """A copy of it."""
    return log.source()


def opened(log: SealedLog, note: str) -> Checkpoint:
    """The checkpoint in a note, verified by the log's public key alone."""
    return Checkpoint.parse(open_note(note, verifier_keys(log.name, KEY.public)))


def ids(source: MemorySource) -> list[tuple[int, UUID, bytes]]:
    """Partition, id and bytes of every event."""
    return [
        (partition, read(value).envelope.id, value)
        for (topic, partition), rows in source.topics.items()
        if topic == EVENTS
        for _, _, value, _ in rows
        if value is not None
    ]


async def test_aud_06_every_event_is_proven_to_be_in_the_last_seal(log: SealedLog, source: MemorySource) -> None:
    for partition, event_id, value in ids(source)[::7]:
        proof = await prove_inclusion(source, event_id)
        index, hashes, note = read_inclusion(proof.text)
        tree = opened(log, note)
        assert (tree.origin, tree) == (f"{log.name}/events/{partition}", proof.checkpoint)
        assert (index, proof.seal) == (proof.index, 4)
        assert verify_inclusion(leaf_hash(value), index, tree.size, hashes, tree.root)


async def test_an_event_is_found_in_the_partition_of_its_stream(source: MemorySource) -> None:
    event_id = next(event_id for partition, event_id, _ in ids(source) if partition == PARTITION)
    proof = await prove_inclusion(source, event_id, partitions=(PARTITION,))
    assert proof == await prove_inclusion(source, event_id)
    with pytest.raises(StartRefused, match=f"There is no event {event_id}"):
        await prove_inclusion(source, event_id, partitions=((PARTITION + 1) % 12,))


async def test_an_id_that_is_only_mentioned_is_not_the_event(source: MemorySource) -> None:
    rows = rows_of(source, EVENTS, PARTITION)
    stranger = uuid4()
    rows.append((10_000, b"subject-X", b'{"id":"other","data":"' + str(stranger).encode() + b'"}', ()))
    rows.append((10_001, b"subject-X", b"no json " + str(stranger).encode(), ()))
    with pytest.raises(StartRefused, match=f"There is no event {stranger}"):
        await prove_inclusion(source, stranger)


async def test_an_event_is_in_the_seals_made_after_it_only() -> None:
    log = SealedLog()
    for number in range(3):
        enrol(log.log, f"P-{number}")
        if number == 0:
            log.publish_key()
        log.seal()
    source = log.source()
    late = next(event_id for _, event_id, value in ids(source) if b"subject-P-2" in value)
    with pytest.raises(StartRefused, match=f"Event {late} is not in seal 2, which was made before it"):
        await prove_inclusion(source, late, number=2)
    assert (await prove_inclusion(source, late, number=3)).seal == 3


async def test_aud_06_what_lies_between_two_seals_is_proven(log: SealedLog, source: MemorySource) -> None:
    for first in range(1, 5):
        for second in range(first, 5):
            proof = await prove_consistency(source, PARTITION, first, second)
            old, hashes, note = read_consistency(proof.text)
            before, after = opened(log, log.seals[first - 1].checkpoints[PARTITION]), opened(log, note)
            assert (proof.first, proof.second, old) == (before, after, before.size)
            assert verify_consistency(old, after.size, before.root, after.root, hashes)
    assert proof.first == proof.second


async def test_seals_are_opened_under_the_keys_of_the_study(log: SealedLog, source: MemorySource) -> None:
    seals = Seals(source)
    assert [(await seals.open(number)).seal.seal for number in (1, 3, None)] == [1, 3, 4]
    with pytest.raises(StartRefused, match="There is no seal 9"):
        await seals.open(9)
    reseal(source, FORGERS_KEY)
    with pytest.raises(Broken, match="BAD_SIGNATURE in seal 4"):
        await Seals(source).open()


async def test_a_log_without_seals_says_so(source: MemorySource) -> None:
    source.topics[(CHECKPOINTS, 0)] = [(0, None, b"no seal", ()), (1, None, None, ())]
    with pytest.raises(StartRefused, match="There is no seal"):
        await Seals(source).open()


def _alter(source: MemorySource) -> None:
    change(rows_of(source, EVENTS, PARTITION), 2, lambda body: body["data"].update(forged=True))


def _cut(source: MemorySource) -> None:
    del rows_of(source, EVENTS, PARTITION)[-3:]


@pytest.mark.parametrize(
    ("forge", "code", "message"),
    [
        (_alter, "ROOT_MISMATCH", "events are not those of seal"),
        (_cut, "LOG_SHORTER", "3 events of seal 4 are missing"),
    ],
)
async def test_aud_06_of_a_changed_log_nothing_is_proven(
    source: MemorySource, forge: Callable[[MemorySource], None], code: str, message: str
) -> None:
    event_id = next(event_id for partition, event_id, _ in ids(source) if partition == PARTITION)
    forge(source)
    with pytest.raises(Broken, match=message) as refused:
        await prove_inclusion(source, event_id)
    assert refused.value.code == code
    assert str(refused.value).startswith(f"{code} at hepatrail.events/{PARTITION}: ")
    with pytest.raises(Broken, match=code):
        await prove_consistency(source, PARTITION, 1, 4)


async def test_seals_are_compared_in_their_order(source: MemorySource) -> None:
    with pytest.raises(StartRefused, match="Seal 3 was made after seal 2"):
        await prove_consistency(source, PARTITION, 3, 2)


async def test_leaves_are_found_by_offset(source: MemorySource) -> None:
    leaves = await leaves_of(source, PARTITION)
    rows = rows_of(source, EVENTS, PARTITION)
    assert len(leaves) == len(rows)
    assert [leaves.index_of(offset) for offset, *_ in rows] == list(range(len(rows)))
    holes = set(range(rows[-1][0] + 3)) - {offset for offset, *_ in rows}
    assert holes and all(leaves.index_of(offset) is None for offset in holes)


def test_nodes_beyond_the_leaves_are_key_errors() -> None:
    leaves, frontier = LeafStore(), Frontier()
    for number, value in enumerate((b"0", b"1", b"2", None, b"4")):
        leaves.append(number, value)
        frontier.append(leaf_hash(value or b""))
    assert leaves.node_at(0, 3) == leaf_hash(b"")
    assert root_at(leaves.node_at, 5) == frontier.root()
    for level, index in ((0, 5), (0, -1), (1, 2), (3, 0)):
        with pytest.raises(KeyError):
            leaves.node_at(level, index)
