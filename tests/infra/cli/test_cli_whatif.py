"""`hepatrail whatif`, as a sponsor types it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clinical_builders import A
from hepatrail_cli.main import app
from hepatrail_cli.whatif_outcome_lines import outcome_lines
from hepatrail_events.measurements import LabResultsRecorded, Measured
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.types import format_instant
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table
from hepatrail_projections.digests import digests
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.whatif_outcomes import named, outcome_differences
from projection_tables import Tables
from visit_course import STREAM, VisitCourse
from whatif_course import outcomes_asked, recorded, with_point

SHIPPED = files("hepatrail_events").joinpath("data/cips_bal.toml").read_text()
D7 = 'code = "D7", kind = "date", target_days = 7, days_before = 1, days_after = 1'
D5 = '    { code = "D5", kind = "date", target_days = 5, score_spread_minutes = 720 },\n'
AT = format_instant(A + timedelta(days=20))


@dataclass
class Terminal:
    """A sponsor's terminal, and the trial behind it: a sample nine days after the session, which no window takes."""

    course: VisitCourse
    tables: Tables
    directory: Path

    def file(self, old: str = "", new: str = "") -> str:
        """A protocol file: the shipped one, with something else in place of something."""
        assert old in SHIPPED
        path = self.directory / "other.toml"
        path.write_text(SHIPPED.replace(old, new) if old else SHIPPED)
        return str(path)

    @property
    def wide(self) -> str:
        """One in which D7 takes two days more."""
        return self.file(D7, D7.replace("days_after = 1", "days_after = 2"))

    async def run(self, protocol: str, *arguments: str) -> Result:
        """Runs the command as a process of its own would."""
        return await asyncio.to_thread(CliRunner().invoke, app, ["whatif", "--protocol", protocol, *arguments])

    async def asked(self, protocol: str, *arguments: str) -> Any:
        """The answer as JSON."""
        done = await self.run(protocol, "--as-of", AT, "--json", *arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def _alt(course: VisitCourse, value: str, at: datetime) -> LabResultsRecorded:
    row = {"result_id": course.log.uuid(), "code": "alt", "value": value, "unit": "U/L", "high": "40", "accepted": True}
    result = Measured.model_validate(row)
    return LabResultsRecorded(sample_id=course.log.uuid(), collected_at=at, laboratory="Central", results=(result,))


@pytest.fixture
async def terminal(dsns: Dsns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Terminal]:
    """Only Postgres is there."""
    course = VisitCourse()
    before, after = A - timedelta(days=5), A + timedelta(days=9)
    course.record(_alt(course, "100", before), before)
    course.session()
    course.record(_alt(course, "100", after), after)
    tables = await Tables.create(dsns)
    await tables.project(course.log.records)
    for name, value in {"KAFKA": "127.0.0.1:1", "POSTGRES_OWNER": dsns.owner, "POSTGRES_READER": dsns.reader}.items():
        monkeypatch.setenv(f"HEPATRAIL_{name}", value)
    monkeypatch.chdir(tmp_path)
    yield Terminal(course, tables, tmp_path)
    await tables.close()


async def test_the_differences_are_counted_and_listed_for_people(terminal: Terminal) -> None:
    done = await terminal.run(terminal.wide, "--as-of", AT)
    assert done.exit_code == 0, done.output
    hashed = content_hash(with_point("D7", days_after=2).content())
    first, *lines = done.stdout.splitlines()
    assert first.endswith(f"other.toml ({hashed[:12]}) in place of version 1.0, as of {AT}, from that instant on")
    assert "time points and their windows: 3 values in 1 row of 1 participant" in lines
    assert "  lab_result point: 1 value in 1 row of 1 participant" in lines
    assert "  values by lab_result: alt 3" in lines
    sample = recorded(terminal.course.log)[STREAM][-1].envelope
    event = f"LabResultsRecorded {STREAM}@{sample.streamseq} by dr-li (INVESTIGATOR)"
    assert f"S-1 visit D7: status missed -> partial; {event} at {format_instant(sample.recordedat)}" in lines
    assert any(each.startswith("S-1 visit D7: last_date 2026-03-18 -> 2026-03-19; Session") for each in lines)
    assert any(each.startswith("S-1 lab_result alt ") and f": point none -> D7; {event}" in each for each in lines)
    assert "of 1 participant of 1 compared; outcomes: " in lines[-1]


async def test_the_outcomes_are_counted_and_listed_for_people(terminal: Terminal) -> None:
    lines = (await terminal.run(terminal.wide, "--as-of", AT)).stdout.splitlines()
    (total,) = [each for each in lines if each.startswith("outcomes: ")]
    assert total.endswith(" in 10 rows; 1 participant entering, leaving or resting on other events")
    assert "  EVALUABLE: 1 value in 1 row; 1 participant" in lines
    baseline, sample = (each.envelope for each in recorded(terminal.course.log)[STREAM] if "Lab" in each.envelope.type)
    events = [
        f"LabResultsRecorded {STREAM}@{each.streamseq} by dr-li (INVESTIGATOR) at {format_instant(each.recordedat)}"
        for each in (baseline, sample)
    ]
    because = f"S-1 enters; because {'; '.join(events)}"
    assert f"EVALUABLE alt D7: 0 (0.0 %) -> 1 (100.0 %); {because}" in lines
    assert f"CHANGE_ALT D7_VALUE MEAN: NE -> 100.0; S-1 enters; because {events[1]}" in lines
    # Of a table the first, so that they can be read; the rest is counted.
    first = [each for each in lines if each.startswith("CHANGE_ALT ")]
    assert [each.split(": ")[0] for each in first] == [
        "CHANGE_ALT D7_VALUE N", "CHANGE_ALT D7_VALUE MEAN", "CHANGE_ALT D7_CHANGE N", "CHANGE_ALT D7_CHANGE MEAN",
        "CHANGE_ALT D7_PERCENT N",
    ]  # fmt: skip
    number = len(outcomes_asked(terminal.course.log, with_point("D7", days_after=2)).of("CHANGE_ALT"))
    assert f"CHANGE_ALT: and {number - 5} more; --json has all" in lines


async def test_the_outcomes_as_json(terminal: Terminal) -> None:
    found = (await terminal.asked(terminal.wide))["outcomes"]
    assert found["counts"]["values"] == len(found["differences"])
    assert found["counts"]["tables"][0] == {
        "table": "EVALUABLE", "change": "changed", "values": 1, "rows": 1, "participants": 1,
    }  # fmt: skip
    one = found["differences"][0]
    events = [each["event_id"] for each in found["events"]]
    assert [each["type"] for each in found["events"]] == ["LabResultsRecorded"] * 2
    interval = {"lower": 0.025, "upper": 1.0, "confidence": "0.95", "method": "CLOPPER_PEARSON"}
    assert one.pop("now") | {"interval": None} == {
        "display": "0 (0.0 %)", "value": "0.0", "n": 0, "of": 1, "interval": None, "flags": [],
    }  # fmt: skip
    then = one.pop("then")
    assert then.pop("interval") == {**interval, "lower": pytest.approx(0.025)}
    assert then == {"display": "1 (100.0 %)", "value": "1.0", "n": 1, "of": 1, "flags": []}
    assert one == {
        "table": "EVALUABLE",
        "title": "Participants evaluable at each time point",
        "row": "alt",
        "row_label": "Alanine aminotransferase (U/L)",
        "column": "D7",
        "column_label": "Day 7",
        "change": "changed",
        "enter": ["S-1"],
        "leave": [],
        "stay": [],
        "event_ids": events,
    }


async def test_of_the_outcomes_counts_alone_and_none_of_one_participant(terminal: Terminal) -> None:
    counted = await terminal.asked(terminal.wide, "--counts")
    assert set(counted["outcomes"]) == {"counts"} and counted["outcomes"]["counts"]["values"]
    lines = (await terminal.run(terminal.wide, "--as-of", AT, "--counts")).stdout.splitlines()
    assert "  EVALUABLE: 1 value in 1 row; 1 participant" in lines
    assert not [each for each in lines if each.startswith(("EVALUABLE", "S-1"))]
    assert (await terminal.asked(terminal.wide, "--subject", "S-1"))["outcomes"] is None
    lines = (await terminal.run(terminal.wide, "--as-of", AT, "--subject", "S-1")).stdout.splitlines()
    assert "outcomes: left out, for they are of all participants" in lines
    assert not [each for each in lines if each.startswith(("EVALUABLE", "CHANGE_ALT", "  EVALUABLE"))]


async def test_whole_tables_rows_and_columns_say_that_they_would_be_new_or_gone(terminal: Terminal) -> None:
    landmarks = terminal.file("landmark_days = [7, 28, ", "landmark_days = [5, 7, 28, ")
    lines = (await terminal.run(landmarks, "--as-of", AT)).stdout.splitlines()
    assert "nothing would differ" not in lines
    assert "  OVERALL_SURVIVAL what would be new: 8 values in 1 row; 1 participant" in lines
    (new,) = [each for each in lines if each.startswith("OVERALL_SURVIVAL DAY_5")]
    assert new.startswith(
        "OVERALL_SURVIVAL DAY_5: new (SURVIVAL 1.0000, SE 0.0000, LOWER NE, UPPER NE, EXACT 1 (100.0 %)"
    )
    assert "; because SessionStarted" in new
    found = await terminal.asked(landmarks)
    (row,) = [each for each in found["outcomes"]["differences"] if each["table"] == "OVERALL_SURVIVAL"]
    assert (row["row"], row["row_label"], row["column"], row["now"]) == ("DAY_5", "Day 5", None, None)
    assert row["then"]["AT_RISK"]["display"] == "1"
    fewer = terminal.file('enabled = ["meld_2002", ', "enabled = [")
    lines = (await terminal.run(fewer, "--as-of", AT)).stdout.splitlines()
    assert "CHANGE_MELD_2002: gone (27 rows: MELD: change from baseline); by the protocol alone" in lines
    (meld,) = [
        each for each in (await terminal.asked(fewer))["outcomes"]["differences"] if each["table"] == "CHANGE_MELD_2002"
    ]
    assert (meld["change"], meld["then"], meld["now"]["BL"]["N"]["display"]) == ("gone", None, "0")
    lines = (await terminal.run(terminal.file(D5), "--as-of", AT)).stdout.splitlines()
    (column,) = [each for each in lines if each.startswith("EVALUABLE column D5: gone (meld_2002 0 (0.0 %), ")]
    assert column.endswith("; by the protocol alone")


def test_beyond_a_hundred_lines_the_differences_are_only_counted() -> None:
    def made(shown: str) -> Outcomes:
        cells = tuple(Cell(column, shown, shown) for column in "ABC")
        rows = tuple(Row(code, code, cells) for code in ("1", "2", "3"))
        columns = tuple(Column(each.column, each.column) for each in cells)
        tables = tuple(Table(f"T{number:02}", "Title", "2", columns, rows) for number in range(22))
        return Outcomes(A, "1.0", "code", 0, tables)

    lines = list(outcome_lines(named(outcome_differences(made("0"), made("1")), ())))
    assert lines[:6] == [
        *(f"T00 {place}: 0 -> 1; by the protocol alone" for place in ("1 A", "1 B", "2 A", "2 B", "3 A")),
        "T00: and 4 more; --json has all",
    ]
    assert lines[-2:] == ["T19: and 4 more; --json has all", "and 18 more of other tables; --json has all"]


async def test_the_differences_as_json_and_their_counts_alone(terminal: Terminal) -> None:
    found = await terminal.asked(terminal.wide)
    assert found["inForce"] == {"version": "1.0", "hash": content_hash(shipped_protocol().content())}
    assert (found["asOf"], found["always"], found["participants"]) == (AT, False, 1)
    assert found["counts"]["values"] == len(found["differences"]) > 0
    assert sum(each["values"] for each in found["counts"]["kinds"]) == found["counts"]["values"]
    (point,) = [each for each in found["differences"] if (each["table"], each["column"]) == ("lab_result", "point")]
    assert (point["subject_id"], point["now"], point["then"]) == ("S-1", None, "D7")
    assert [each["type"] for each in point["events"]] == ["LabResultsRecorded"]
    short = await terminal.asked(terminal.wide, "--counts", "--always", "--subject", "S-1")
    assert "differences" not in short
    assert (short["counts"], short["always"]) == (found["counts"], True)


async def test_whole_rows_say_what_they_are_about_and_the_protocol_alone_may_be_behind(terminal: Terminal) -> None:
    fewer = terminal.file('enabled = ["meld_2002", ', "enabled = [")
    lines = (await terminal.run(fewer, "--as-of", AT)).stdout.splitlines()
    assert "  score rows that would be gone: 14 values in 14 rows of 1 participant" in lines
    assert any(each.startswith("S-1 score meld_2002|D7: gone (status incomplete, value none); ") for each in lines)
    early = format_instant(A - timedelta(days=20))
    lines = (await terminal.run(fewer, "--as-of", early)).stdout.splitlines()
    assert "S-1 score meld_2002|D7: gone (status incomplete, value none); by the protocol alone" in lines


async def test_a_grade_is_told_by_what_it_says(terminal: Terminal) -> None:
    lines = (await terminal.run(terminal.file("baseline_lookback_days = 7", "baseline_lookback_days = 2"))).stdout
    alt = "Alanine aminotransferase increased"
    assert f": grades {alt} grade 0 -> {alt} ungradable; LabResultsRecorded {STREAM}@3 by dr-li" in lines


async def test_the_same_protocol_makes_no_difference_and_nothing_live_is_touched(terminal: Terminal) -> None:
    async with connection(terminal.tables.dsns.owner) as owner:
        before = await digests(owner, terminal.tables.schema)
        done = await terminal.run(terminal.file(), "--as-of", AT)
        assert done.exit_code == 0
        assert done.stdout.splitlines()[-2:] == [
            "nothing would differ",
            "0 values in 0 rows of 0 participants of 1 compared",
        ]
        assert done.stderr == "provisional: the projections are complete to no instant yet\n"
        now = await terminal.run(terminal.wide, "--always")
        assert (now.exit_code, now.stderr) == (0, "")
        assert await digests(owner, terminal.tables.schema) == before


async def test_a_file_in_which_something_is_wrong_is_refused_by_its_line(terminal: Terminal) -> None:
    done = await terminal.run(terminal.file('anchor = "FIRST_SESSION_END"', 'anchor = "SOME_DAY"'))
    number = SHIPPED.split("\n").index('anchor = "FIRST_SESSION_END"') + 1
    assert done.exit_code == 2
    assert f"other.toml, line {number}: anchor: " in done.stderr
    overlapping = D7.replace("days_after = 1", "days_after = 9")
    done = await terminal.run(terminal.file(D7, overlapping))
    assert (done.exit_code, "overlap" in done.stderr, ", line " in done.stderr) == (2, True, True)
    assert (await terminal.run(str(terminal.directory / "absent.toml"))).exit_code == 2


async def test_what_cannot_be_read_ends_with_2(terminal: Terminal, dsns: Dsns, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await terminal.run(terminal.wide, "--as-of", "yesterday")).exit_code == 2
    async with connection(dsns.owner) as owner:
        await owner.execute("DROP TABLE hepatrail.live_projection")
    done = await terminal.run(terminal.wide)
    assert done.exit_code == 2
    assert "could not read: Postgres refuses (UndefinedTableError)" in done.stderr
    monkeypatch.delenv("HEPATRAIL_POSTGRES_READER")
    done = await terminal.run(terminal.wide)
    assert (done.exit_code, "POSTGRES_READER is not set" in done.stderr) == (2, True)
