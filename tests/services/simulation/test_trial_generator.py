"""The simulated trial: the same from the same seed, plausible in itself, and in the order in which things happen."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.acceptance import Accepted, accept
from hepatrail_events.errors import StartRefused
from hepatrail_events.types import parse_instant
from hepatrail_services.simulation.generate import BEGINS, generate_trial
from hepatrail_services.simulation.participants import Course, draw_participants
from hepatrail_services.simulation.physiology import severity_at
from hepatrail_services.simulation.trial import Trial, read_trial, write_trial


@pytest.fixture(scope="module")
def trial() -> Trial:
    return generate_trial(7, 12)


def _by_subject(trial: Trial, mutation: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for command in trial.commands:
        if command.mutation == mutation:
            found[command.input["subjectId"]].append(command.input)
    return found


def _value(sample: dict[str, Any], code: str) -> float:
    row = next(row for row in sample["results"] if row["code"] == code)
    scale = {"tbil": 17.1, "creatinine": 88.4}.get(code, 1.0) if row["unit"] == "mg/dL" else 1.0
    return float(row["value"]) * scale


def test_the_same_seed_writes_the_same_bytes(trial: Trial, tmp_path: Path) -> None:
    write_trial(tmp_path / "a.jsonl", trial)
    write_trial(tmp_path / "b.jsonl", generate_trial(7, 12))
    write_trial(tmp_path / "c.jsonl", generate_trial(8, 12))
    first = (tmp_path / "a.jsonl").read_bytes()
    assert first == (tmp_path / "b.jsonl").read_bytes()
    assert first != (tmp_path / "c.jsonl").read_bytes()
    assert read_trial(tmp_path / "a.jsonl") == trial


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_entered_before_it_happened(seed: int) -> None:
    for command in generate_trial(seed, 12).commands:
        for text in _instants(command.input):
            assert parse_instant(text) <= command.at, (command.mutation, text)


def _instants(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _instants(item)]
    if isinstance(value, list):
        return [text for item in value for text in _instants(item)]
    if isinstance(value, str) and len(value) == 17 and value.endswith("Z") and value[10] == "T":
        return [f"{value[:16]}:00.000Z"]
    return [value] if isinstance(value, str) and len(value) == 24 and value.endswith("Z") else []


@pytest.mark.parametrize("seed", range(5))
def test_twelve_are_enrolled_one_dies_and_one_withdraws(seed: int) -> None:
    trial = generate_trial(seed, 12)
    counts = Counter(command.mutation for command in trial.commands if command.expect == "ACCEPTED")
    assert counts["recordConsent"] == counts["enrolSubject"] == 12
    assert counts["withdrawSubject"] == counts["upgradeAdverseEvent"] == 1
    reports = [command.input for command in trial.commands if command.mutation == "reportAdverseEvent"]
    assert sum("death" in report for report in reports) == 1
    assert sum(bool(report["criteria"]) for report in reports) >= 2


def test_some_commands_must_be_refused_each_by_its_rule(trial: Trial) -> None:
    assert {command.expect for command in trial.commands} == {"ACCEPTED", "SES-04", "SES-02", "ENR-02"}


@pytest.mark.parametrize("seed", range(5))
def test_every_measurement_is_acceptable(seed: int) -> None:
    for command in generate_trial(seed, 12).commands:
        for row in command.input.get("results", command.input.get("rows", [])):
            judged = accept(row["code"], row.get("value"), None, row.get("unit"))
            assert isinstance(judged, Accepted), (row, judged)


def test_doses_follow_the_protocol(trial: Trial) -> None:
    starts = [start for starts in _by_subject(trial, "startSession").values() for start in starts]
    assert len(starts) >= 20
    for start in starts:
        assert 1.5e8 < start["viableCells"] / float(start["weightKg"]) < 1.85e8


def test_sessions_last_four_to_eight_hours_unless_they_clot(trial: Trial) -> None:
    ends = {end["sessionId"]: end for ends in _by_subject(trial, "endSession").values() for end in ends}
    accepted = [
        command for command in trial.commands if command.mutation == "startSession" and command.expect == "ACCEPTED"
    ]
    assert len(accepted) == len(ends)
    for subject, starts in _by_subject(trial, "startSession").items():
        began = [parse_instant(start["startedAt"]) for start in starts if start["batchReleaseRef"].startswith("QP-2")]
        ended = [parse_instant(end["endedAt"]) for end in _by_subject(trial, "endSession")[subject]]
        completed = [end["reason"] == "COMPLETED" for end in _by_subject(trial, "endSession")[subject]]
        for start, end, whole in zip(began, ended, completed, strict=True):
            assert not whole or timedelta(hours=4) <= end - start <= timedelta(hours=8)


def test_liver_function_recovers_where_the_course_says_so(trial: Trial) -> None:
    samples = _by_subject(trial, "recordLabResults")
    for participant in draw_participants(7, 12, "BFH"):
        if participant.course not in (Course.RECOVERY, Course.SLOW_RECOVERY):
            continue
        first, last = samples[participant.subject_id][0], samples[participant.subject_id][-1]
        for code in ("tbil", "inr", "ammonia"):
            assert _value(last, code) < _value(first, code)
        assert _value(last, "albumin") > _value(first, "albumin")


def test_bilirubin_and_inr_rise_and_fall_together(trial: Trial) -> None:
    pairs = [
        (_value(sample, "tbil"), _value(sample, "inr"))
        for samples in _by_subject(trial, "recordLabResults").values()
        for sample in samples
    ]
    ill = [inr for tbil, inr in pairs if tbil > 150]
    well = [inr for tbil, inr in pairs if tbil < 60]
    assert len(ill) > 10
    assert len(well) > 10
    assert min(ill) > max(well)


def test_the_one_who_dies_gets_worse_and_is_not_seen_again(trial: Trial) -> None:
    (dying,) = (one for one in draw_participants(7, 12, "BFH") if one.course is Course.DEATH)
    assert severity_at(dying, 8) > severity_at(dying, 0)
    report = next(command.input for command in trial.commands if "death" in command.input)
    assert report["subjectId"] == dying.subject_id
    died = parse_instant(report["death"]["deathAt"]["value"].replace("Z", ":00.000Z"))
    for sample in _by_subject(trial, "recordLabResults")[dying.subject_id]:
        assert parse_instant(sample["collectedAt"]) < died


def test_a_shifted_trial_keeps_its_ids_and_intervals(trial: Trial) -> None:
    moved = trial.shifted(400)
    for before, after in zip(trial.commands, moved.commands, strict=True):
        assert after.at - before.at == timedelta(days=400)
        assert after.input["commandId"] == before.input["commandId"]
        assert [
            parse_instant(new) - parse_instant(old)
            for old, new in zip(_instants(before.input), _instants(after.input), strict=True)
        ] == [timedelta(days=400)] * len(_instants(before.input))


@pytest.mark.parametrize(
    ("instant", "days"),
    [
        (BEGINS - timedelta(days=30), 0),
        (BEGINS, 0),
        (BEGINS + timedelta(seconds=1), 1),
        (datetime(2027, 1, 5, 12, tzinfo=UTC), 366),
    ],
)
def test_a_trial_begins_where_the_clock_stands(trial: Trial, instant: datetime, days: int) -> None:
    assert trial.beginning_after(instant).header.begins == BEGINS + timedelta(days=days)
    assert trial.beginning_after(instant).header.begins >= instant


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [b"{}", *lines[1:]], "Line 1"),
        (lambda lines: [*lines[:3], b"no json", *lines[3:]], "Line 4"),
        (lambda lines: [lines[0], *reversed(lines[1:])], "order of `at`"),
    ],
)
def test_a_file_that_is_no_trial_is_refused(trial: Trial, tmp_path: Path, change: Any, message: str) -> None:
    path = tmp_path / "trial.jsonl"
    write_trial(path, trial)
    path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())))
    with pytest.raises(StartRefused, match=message):
        read_trial(path)
    with pytest.raises(StartRefused, match="cannot be read"):
        read_trial(tmp_path / "absent.jsonl")
