"""The demo's forger is as good as forgers get without the sealing key: chains hold, the sealed tree does not."""

import pytest

from forging import rows_of, value_at
from hepatrail_cli.demo_forger import copy_of, forge
from hepatrail_events.codec import parse_object
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.verifier import verify
from sealed_log import many_samples

STREAM = "subject-S-0001"


async def test_aud_06_a_past_result_altered_with_all_hashes_recomputed_is_named() -> None:
    source = many_samples(streams=4, rounds=5).source()
    copy = await copy_of(source)
    forgery = forge(copy, "S-0001")
    assert forgery.line() == f"{STREAM}@3: creatinine 100 -> 90 umol/L, 4 hashes recomputed"
    report = await verify(copy)
    assert {problem.code for problem in report.problems} == {"ROOT_MISMATCH"}
    assert [problem.partition for problem in report.problems] == [partition_of(STREAM)]
    assert (await verify(source)).whole


async def test_without_its_seals_nobody_could_tell_the_forged_copy_from_a_log() -> None:
    source = many_samples(streams=2, rounds=3).source()
    del source.topics[(CHECKPOINTS, 0)]
    copy = await copy_of(source)
    forge(copy, "S-0001")
    assert (await verify(copy)).whole


async def test_one_result_is_altered_and_what_it_was_copied_from_stays() -> None:
    source = many_samples(streams=2, rounds=2).source()
    copy = await copy_of(source)
    forge(copy, "S-0001")
    partition = partition_of(STREAM)
    bodies = [
        [parse_object(value_at(rows, index)) for index in range(len(rows))]
        for rows in (rows_of(source, EVENTS, partition), rows_of(copy, EVENTS, partition))
    ]
    changed = [(old["data"], new["data"]) for old, new in zip(*bodies, strict=True) if old["data"] != new["data"]]
    ((old, new),) = changed
    assert [one["value"] for one in old["results"]] == ["100", "50", "1.5", "30"]
    assert [one["value"] for one in new["results"]] == ["90", "50", "1.5", "30"]


async def test_a_participant_without_the_result_cannot_be_forged() -> None:
    copy = await copy_of(many_samples(streams=1, rounds=0).source())
    with pytest.raises(LookupError, match="subject-S-0000 has no creatinine"):
        forge(copy, "S-0000")
