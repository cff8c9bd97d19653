from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from hepatrail_cli.health import Answer
from hepatrail_cli.status import Lag, Status, as_json, safety_problems
from hepatrail_projections.meta import SafetyStatus
from hepatrail_projections.quarantine import PARKED, QuarantineRow
from hepatrail_projections.reading import StatusRead

MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)
SAFETY = SafetyStatus(
    desk_alert_seq=3,
    desk_version=7,
    processed_to=MOMENT,
    scheduled_to=MOMENT,
    safety_healthy=True,
    scheduler_healthy=True,
    parked=[],
    age_seconds=0.4,
)
WELL = Status(
    processes={"api": Answer(True, {"ready": True})},
    lags=(Lag("projector", "hepatrail.events", 0, 90, 100),),
    projection=StatusRead(
        schema="projection_v1",
        safety=SAFETY,
        desk_version=7,
        desk_alert_seq=3,
        complete_to=MOMENT,
        offsets=(),
        parked=(),
    ),
)
ROW = QuarantineRow(
    topic="hepatrail.events",
    partition=4,
    kafka_offset=17,
    stream="subject-BFH-001",
    code="BROKEN_CHAIN",
    reason="prevhash is not the hash of the event before",
    raw=b"\xff\x00",
    status=PARKED,
    released_by=None,
    released_reason=None,
    released_at=None,
)


def test_lag_alone_is_no_problem() -> None:
    assert WELL.problems == ()
    assert WELL.lags[0].behind == 10
    assert replace(WELL.lags[0], position=101).behind == 0


def test_an_unhealthy_process_and_a_parked_subject_are_problems() -> None:
    sick = replace(WELL, processes={"decider": Answer(False, {})}, projection=replace(WELL.projection, parked=(ROW,)))
    assert sick.problems == (
        "decider is unhealthy: {}",
        "subject-BFH-001 is parked: BROKEN_CHAIN at hepatrail.events/4@17",
    )


@pytest.mark.parametrize(
    ("safety", "sentence"),
    [
        (None, "has never run"),
        (replace(SAFETY, age_seconds=11.0), "has not reported for 11 s"),
        (replace(SAFETY, safety_healthy=False, detail="subject-X halted"), "subject-X halted"),
        (replace(SAFETY, scheduler_healthy=False), "the scheduler is unhealthy"),
    ],
)
def test_silence_of_the_safety_process_is_a_problem(safety: SafetyStatus | None, sentence: str) -> None:
    (problem,) = safety_problems(safety)
    assert sentence in problem


def test_the_json_form_holds_everything_but_raw_bytes() -> None:
    sick = replace(WELL, projection=replace(WELL.projection, parked=(ROW,)))
    body = orjson.loads(orjson.dumps(as_json(sick)))
    assert body["healthy"] is False
    assert body["lag"][0]["behind"] == 10
    assert body["projection"]["completeTo"] == "2026-03-01T08:00:00+00:00"
    assert body["parked"] == [
        {
            "stream": "subject-BFH-001",
            "topic": "hepatrail.events",
            "partition": 4,
            "offset": 17,
            "code": "BROKEN_CHAIN",
            "reason": "prevhash is not the hash of the event before",
        }
    ]
