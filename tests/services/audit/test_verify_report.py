"""What the report of a verification says, word by word."""

import orjson

from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_services.audit.problems import Problem, Problems, Report

LINK = Problem("BROKEN_CHAIN", EVENTS, 7, 1532, "subject-BFH-003", 41, "prevhash is not the hash of the event before")
SEAL = Problem("SEAL_GAP", CHECKPOINTS, 0, 4, None, None, "seal 3 came where 2 was due")


def report(*problems: Problem, seals: int = 41) -> Report:
    found = Problems()
    for each in problems:
        found.add(each)
    return Report(
        streams=1213,
        events=100_000,
        first_at="2026-01-05T01:00:00.000Z",
        last_at="2026-12-30T09:12:44.120Z",
        heads={"study": (3, "ab" * 32), "safety-desk": (1, "cd" * 32)},
        trees=tuple(Checkpoint(f"log/events/{partition}", 1, b"\x01" * 32) for partition in range(12)),
        seals=seals,
        keys="the log's own",
        problems=found.first(),
        count=found.count,
    )


def test_a_whole_log_is_said_in_one_line() -> None:
    assert report().last_line() == (
        "whole: 100000 events in 1213 streams, 2026-01-05T01:00:00.000Z to 2026-12-30T09:12:44.120Z; "
        "12 trees agree with 41 seals; keys are the log's own"
    )


def test_the_first_problem_is_that_of_the_lowest_place_and_events_come_before_seals() -> None:
    earlier = Problem("NOT_JSON", EVENTS, 7, 1531, None, None, "?")
    text = report(SEAL, LINK).last_line()
    assert text == (
        "broken: BROKEN_CHAIN at hepatrail.events/7@1532, subject-BFH-003@41: prevhash is not the hash of the event "
        "before\n(2 problems in all)"
    )
    assert report(LINK, earlier, SEAL).last_line().startswith("broken: NOT_JSON at hepatrail.events/7@1531: ?")
    assert report(SEAL).last_line().endswith("(1 problem in all)")


def test_all_of_it_is_json() -> None:
    body = orjson.loads(orjson.dumps(report(LINK, SEAL).json()))
    assert body["whole"] is False and body["count"] == 2
    assert body["problems"][0]["code"] == "BROKEN_CHAIN" and body["problems"][0]["offset"] == 1532
    assert body["heads"]["study"] == {"streamseq": 3, "hash": "ab" * 32}
    assert len(body["headsHash"]) == 64 and body["trees"][11]["origin"] == "log/events/11"


def test_what_another_check_has_found_is_joined() -> None:
    found = Problems()
    for _ in range(150):
        found.add(SEAL)
    joined = report(LINK).with_problems(found)
    assert joined.count == 151 and joined.problems[0] == LINK and len(joined.problems) == 100
    assert not joined.whole and sum("also: " in line for line in joined.lines()) == 99


def test_one_value_stands_for_all_heads() -> None:
    one, other = report(), report()
    assert one.heads_hash() == other.heads_hash()
    assert any(one.heads_hash() in line for line in one.lines())
