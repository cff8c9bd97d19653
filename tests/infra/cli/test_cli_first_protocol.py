"""With which protocol a stack starts: a file is the first version or a published one, an edited one is refused."""

from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders.study import protocol_published, site_activated
from builders.times import NOW
from hepatrail_cli.first_protocol import ChosenProtocol, choose_protocol, needs_publication
from hepatrail_cli.main import app
from hepatrail_events.errors import StartRefused
from hepatrail_events.event import Event
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import close_producer, make_producer, partition_of
from specification import By, recorded

SHIPPED = files("hepatrail_events").joinpath("data/cips_bal.toml").read_text()
CONTENT_OF_0_1_0 = (Path(__file__).parents[2] / "events" / "protocol_of_0_1_0.json").read_text()


def _file(directory: Path, planned_n: int) -> Path:
    path = directory / "protocol.toml"
    path.write_text(SHIPPED.replace("planned_n = 12", f"planned_n = {planned_n}"))
    return path


async def _write(bootstrap: str, *events: Event) -> None:
    producer = make_producer(bootstrap, "test-first-protocol")
    await producer.start()
    await producer.begin_transaction()
    for number, event in enumerate(events, start=1):
        raw = recorded(STUDY, number, By(event, recorded_at=NOW)).raw
        await producer.send_and_wait(EVENTS, raw, STUDY.encode(), partition_of(STUDY))
    await producer.commit_transaction()
    await close_producer(producer)


async def test_an_empty_study_takes_the_file_and_any_other_only_what_was_published(kafka: str, tmp_path: Path) -> None:
    shipped, of_24 = choose_protocol(None), choose_protocol(_file(tmp_path, 24))
    assert (shipped.file, shipped.protocol) == (None, shipped_protocol())
    assert await needs_publication(kafka, of_24)

    await _write(kafka, site_activated())
    assert await needs_publication(kafka, of_24)

    second = protocol_published("2.0").model_copy(
        update={"content": CONTENT_OF_0_1_0, "hash": content_hash(CONTENT_OF_0_1_0)}
    )
    await _write(kafka, protocol_published("1.0", planned_n=24), second)
    for known in (of_24, shipped, choose_protocol(_file(tmp_path, 12))):
        assert not await needs_publication(kafka, known)

    edited = choose_protocol(_file(tmp_path, 25))
    with pytest.raises(StartRefused, match="publish it with publishProtocol, or start without --protocol") as refused:
        await needs_publication(kafka, edited)
    assert content_hash(edited.content) in str(refused.value)


async def test_without_a_file_the_log_counts_whatever_ships(kafka: str) -> None:
    other = shipped_protocol().model_copy(update={"planned_n": 13})
    await _write(kafka, protocol_published(planned_n=99))
    assert not await needs_publication(kafka, ChosenProtocol(other))


def test_a_file_is_checked_without_a_stack(tmp_path: Path) -> None:
    right = CliRunner().invoke(app, ["protocol", "check", str(_file(tmp_path, 12))])
    digest = content_hash(shipped_protocol().content())
    assert (right.exit_code, right.stdout) == (0, f"{digest}  CiPS-BAL: 14 time points\n")
    wrong = CliRunner().invoke(app, ["protocol", "check", str(_file(tmp_path, 0))])
    assert wrong.exit_code == 2
    said = "line 5: planned_n: must be greater than or equal to 1."
    assert said in wrong.stderr
    refused = CliRunner().invoke(
        app, ["up", "--data-dir", str(tmp_path / "data"), "--protocol", str(_file(tmp_path, 0))]
    )
    assert (refused.exit_code, said in refused.stderr) == (2, True)
