"""An adversary at work on the seals: forged, replayed, removed, or made with a key that nobody introduced."""

import base64
from collections.abc import Callable

import pytest

from forging import change, put_value, rechain, reseal, rows_of, spread_offsets, value_at
from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.streams import STUDY
from hepatrail_events.transparency.checkpoint import Checkpoint, events_origin, seals_origin
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey, VerifierKey
from hepatrail_events.transparency.seal import Seal, SealReason, open_seal, verifier_keys
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.problems import Report
from hepatrail_services.audit.source import HeaderRow, MemorySource
from hepatrail_services.audit.verifier import verify
from log_commits import sample
from sealed_log import FORGERS_KEY, KEY, NEXT_KEY, SealedLog, sealed_history

STREAM = "subject-S-00"
LOG = sealed_history(5, subjects=2, steps=30, seals=4)
SOURCE = LOG.source()


def copy() -> tuple[MemorySource, list[HeaderRow]]:
    """A copy of the log, and in it the seals."""
    source = MemorySource({place: list(rows) for place, rows in SOURCE.topics.items()})
    return source, rows_of(source, CHECKPOINTS, 0)


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


def only_problem_at(report: Report, offset: int) -> str:
    """The code of the only problem, which stands at this place of the seals."""
    assert [(each.topic, each.partition, each.offset) for each in report.problems] == [(CHECKPOINTS, 0, offset)]
    return report.problems[0].code


def forged(raw: bytes, alter: Callable[[dict[str, object]], None]) -> bytes:
    body = parse_object(raw)
    alter(body)
    return canonical_json(body)


def taken(seal: Seal, key: SigningKey = KEY) -> tuple[Checkpoint, ...]:
    opened = open_seal(seal, [key.public])
    return (*opened.trees, opened.history)


def other_root(note: str, key: SigningKey | None = None) -> str:
    """The note with another root; signed with a key, or as it was."""
    origin, size, _, *rest = note.split("\n")
    text = Checkpoint(origin, int(size), b"\x07" * 32).text()
    return text + "\n".join(rest) if key is None else key.sign(origin, text)


async def test_aud_06_a_forged_checkpoint_is_named() -> None:
    partition = partition_of(STREAM)

    def forge(key: SigningKey | None) -> Callable[[dict[str, object]], None]:
        def alter(body: dict[str, object]) -> None:
            notes = body["checkpoints"]
            assert isinstance(notes, list)
            notes[partition] = other_root(notes[partition], key)

        return alter

    for key, code in ((None, "BAD_SIGNATURE"), (FORGERS_KEY, "UNKNOWN_KEY")):
        source, seals = copy()
        put_value(seals, 3, forged(value_at(seals, 3), forge(key)))
        report = await verify(source)
        # The seal's own place in the tree over all seals is wrong as well.
        assert codes(report) == ["SEAL_CHAIN", code]
        assert {problem.offset for problem in report.problems} == {6}
        assert events_origin(LOG.name, partition) in report.problems[1].message


async def test_aud_06_a_checkpoint_forged_by_who_holds_the_key_is_named_by_the_events() -> None:
    log = sealed_history(5, subjects=2, steps=30, seals=2)
    partition = partition_of(STREAM)
    log.trees[partition] = Frontier()
    for _ in range(LOG.trees[partition].size):
        log.trees[partition].append(leaf_hash(b"forged"))
    log.seal()
    report = await verify(log.source())
    assert {problem.code for problem in report.problems} <= {"ROOT_MISMATCH", "LOG_SHORTER"}
    assert report.problems[0].topic == EVENTS and report.problems[0].partition == partition


async def test_aud_06_an_old_checkpoint_replayed_is_named() -> None:
    source, seals = copy()
    seals.append((8, *seals[1][1:]))
    report = await verify(source)
    assert only_problem_at(report, 8) == "SEAL_GAP" and "seal 2 came a second time" in report.problems[0].message
    source, seals = copy()
    spread_offsets(seals, [seals[0], seals[1], seals[1], *seals[2:]])
    assert only_problem_at(await verify(source), 4) == "SEAL_GAP"


async def test_aud_06_a_shorter_log_is_named_by_an_old_checkpoint_file() -> None:
    source, seals = copy()
    partition = partition_of(STREAM)
    rows = rows_of(source, EVENTS, partition)
    sizes = [tree.size for tree in taken(LOG.seals[1])[:12]]
    for number, size in enumerate(sizes):
        if size:
            del rows_of(source, EVENTS, number)[size:]
    del seals[2:]
    assert (await verify(source)).whole, "the log ends, to all appearances, with seal 2"
    report = await verify(source, checkpoints=taken(LOG.seals[3]))
    assert set(codes(report)) == {"LOG_SHORTER"}
    by_place = {(each.topic, each.partition): each for each in report.problems}
    missing = len(rows_of(SOURCE, EVENTS, partition)) - len(rows)
    assert by_place[(EVENTS, partition)].message.endswith(f"{missing} are missing")
    assert by_place[(CHECKPOINTS, 0)].message.endswith("2 are missing")


async def test_aud_06_a_seal_taken_out_is_named() -> None:
    source, seals = copy()
    del seals[1]
    report = await verify(source)
    assert codes(report) == ["SEAL_GAP"] and report.problems[0].offset == 4
    source, seals = copy()
    spread_offsets(seals, [seals[0], seals[2], seals[1], seals[3]])
    assert "SEAL_GAP" in codes(await verify(source))


async def test_aud_06_what_a_seal_says_of_itself_cannot_be_changed() -> None:
    changes: list[dict[str, object]] = [
        {"reason": "ALERT"},
        {"asked": ["tool-1/1"]},
        {"at": "2027-01-01T00:00:00.000Z"},
        {"producer": "somebody"},
        {"prevhash": "0" * 64},
    ]
    for each in changes:
        source, seals = copy()
        put_value(seals, 3, forged(value_at(seals, 3), lambda body, each=each: body.update(each)))  # type: ignore[misc]
        report = await verify(source)
        assert set(codes(report)) == {"SEAL_CHAIN"} and report.problems[0].offset == 6


async def test_aud_06_one_seal_changed_among_many_is_few_problems() -> None:
    log = sealed_history(5, subjects=2, steps=30, seals=12)
    source = log.source()
    seals = rows_of(source, CHECKPOINTS, 0)
    put_value(seals, 3, forged(value_at(seals, 3), lambda body: body.update(reason="ALERT")))
    report = await verify(source)
    # Its own history does not fit, nor the hash that the next one has of it.
    assert [(problem.code, problem.offset) for problem in report.problems] == [("SEAL_CHAIN", 6), ("SEAL_CHAIN", 8)]


async def test_aud_06_a_seal_of_another_log_or_tree_is_named() -> None:
    source, seals = copy()
    elsewhere = sealed_history(6, subjects=2, steps=30, seals=4).source()
    seals[3] = rows_of(elsewhere, CHECKPOINTS, 0)[3]
    assert {"SEAL_LOG", "SEAL_CHAIN"} <= set(codes(await verify(source)))
    source, seals = copy()
    seals[:] = rows_of(elsewhere, CHECKPOINTS, 0)
    report = await verify(source)
    assert codes(report).count("SEAL_LOG") == 1, "said once"

    def swap(body: dict[str, object]) -> None:
        notes = body["checkpoints"]
        assert isinstance(notes, list)
        notes[0], notes[1] = notes[1], notes[0]

    source, seals = copy()
    put_value(seals, 3, forged(value_at(seals, 3), swap))
    assert "SEAL_LOG" in codes(await verify(source))
    source, seals = copy()
    seals[3] = (seals[3][0], b"another", *seals[3][2:])
    assert only_problem_at(await verify(source), 6) == "SEAL_LOG"


@pytest.mark.parametrize("value", [b"?", b"{}", b""])
async def test_aud_06_what_is_no_seal_is_named(value: bytes) -> None:
    source, seals = copy()
    seals.append((8, seals[0][1], value, ()))
    report = await verify(source)
    assert only_problem_at(report, 8) == "SEAL_UNREADABLE" and report.seals == 5


async def test_aud_06_a_seal_that_takes_back_what_was_sealed_is_named() -> None:
    log = sealed_history(5, subjects=2, steps=30, seals=2)
    partition = partition_of(STREAM)
    log.trees[partition] = Frontier()
    log.seal()
    report = await verify(log.source())
    assert codes(report) == ["SEAL_SHRINKS"] and report.problems[0].offset == 4


async def test_aud_06_a_checkpoint_of_another_log_is_refused() -> None:
    elsewhere = sealed_history(6, subjects=2, steps=30)
    report = await verify(copy()[0], checkpoints=taken(elsewhere.seals[0]))
    assert "SEAL_LOG" in codes(report) and "ROOT_MISMATCH" in codes(report)
    strange = (Checkpoint("somewhere", 1, b"\x01" * 32), Checkpoint(f"{LOG.name}/events/12", 1, b"\x01" * 32))
    assert codes(await verify(copy()[0], checkpoints=strange)) == ["SEAL_LOG", "SEAL_LOG"]


async def test_aud_06_another_tree_over_the_seals_is_named_by_an_old_checkpoint() -> None:
    history = Checkpoint(seals_origin(LOG.name), 3, b"\x01" * 32)
    report = await verify(copy()[0], checkpoints=[history])
    assert only_problem_at(report, 4) == "ROOT_MISMATCH"
    assert (await verify(copy()[0], checkpoints=[taken(LOG.seals[2])[12]])).whole


def rotated(*, introduced: bool) -> SealedLog:
    """A log whose key was changed: the old one seals the event that names the new one, or does not."""
    log = sealed_history(5, subjects=2, steps=30, seals=2)
    log.publish_key(NEXT_KEY)
    if introduced:
        log.seal(SealReason.ROTATION)
    log.key = NEXT_KEY
    sample(log.log, STREAM, creatinine="90")
    log.seal()
    sample(log.log, STREAM, creatinine="91")
    log.seal()
    return log


def pin(log: SealedLog, key: SigningKey) -> list[VerifierKey]:
    return [verifier_keys(log.name, key.public)[12]]


async def test_an_introduced_key_seals_on() -> None:
    log = rotated(introduced=True)
    for pinned in ([], pin(log, KEY), pin(log, NEXT_KEY)):
        report = await verify(log.source(), pinned=pinned)
        assert report.whole and report.warnings == (), report.last_line()
        assert report.keys == ("those given" if pinned else "the log's own")


async def test_aud_06_a_key_that_nobody_introduced_is_a_warning_and_broken_for_who_pins_the_old_one() -> None:
    log = rotated(introduced=False)
    report = await verify(log.source())
    assert report.whole and [each.code for each in report.warnings] == ["KEY_NOT_INTRODUCED"]
    assert any("KEY_NOT_INTRODUCED" in line for line in report.lines())
    report = await verify(log.source(), pinned=pin(log, KEY))
    assert only_problem_at(report, 4) == "KEY_NOT_INTRODUCED"
    assert (await verify(log.source(), pinned=pin(log, NEXT_KEY))).whole, "it vouches for all that is before it"
    assert codes(await verify(log.source(), pinned=pin(log, FORGERS_KEY))) == ["KEY_NOT_INTRODUCED"] * 2


async def test_aud_06_a_key_before_its_time_or_after_it_is_named() -> None:
    log = sealed_history(5, subjects=2, steps=30, seals=2)
    log.key = NEXT_KEY
    log.seal()
    assert only_problem_at(await verify(log.source()), 4) == "UNKNOWN_KEY"
    log = rotated(introduced=True)
    log.key = KEY
    sample(log.log, STREAM, creatinine="92")
    log.seal()
    assert only_problem_at(await verify(log.source()), 10) == "UNKNOWN_KEY"


async def test_aud_06_a_whole_log_forged_with_another_key_is_named_by_who_pins_the_first() -> None:
    source, _ = copy()
    study, rows = rows_of(source, EVENTS, partition_of(STUDY)), rows_of(source, EVENTS, partition_of(STREAM))
    public = base64.b64encode(FORGERS_KEY.public).decode("ascii")
    named = next(index for index, row in enumerate(study) if b"SealingKeyPublished" in (row[2] or b""))
    change(study, named, lambda body: body["data"].update(publicKey=public))
    rechain(study, named)
    change(rows, 3, lambda body: body.update(actorid="dr-no"))
    rechain(rows, 3)
    reseal(source, FORGERS_KEY)
    report = await verify(source)
    assert report.whole and report.last_line().endswith("keys are the log's own"), "it holds to itself"
    report = await verify(source, pinned=verifier_keys(LOG.name, KEY.public))
    assert set(codes(report)) == {"KEY_NOT_INTRODUCED"}
    assert "ROOT_MISMATCH" in codes(await verify(source, checkpoints=taken(LOG.seals[3])))


async def test_pinning_without_any_seal_is_no_proof() -> None:
    source, seals = copy()
    seals.clear()
    report = await verify(source, pinned=pin(LOG, KEY))
    assert codes(report) == ["KEY_NOT_INTRODUCED"] and "no seal is signed" in report.problems[0].message
