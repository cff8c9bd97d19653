"""The simulated trial: the same from the same seed, plausible in itself, and in the order in which things happen."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hepatrail_events.acceptance import Accepted, accept
from hepatrail_events.errors import StartRefused
from hepatrail_events.ids import object_id
from hepatrail_events.types import parse_instant
from hepatrail_services.simulation.generate import BEGINS, generate_trial
from hepatrail_services.simulation.participants import CAST, Course, draw_participants
from hepatrail_services.simulation.physiology import severity_at
from hepatrail_services.simulation.trial import TimedCommand, Trial, read_trial, write_trial


@pytest.fixture(scope="module")
def trial() -> Trial:
    return generate_trial(7, 12)


def _by_subject(trial: Trial, mutation: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for command in trial.commands:
        if command.mutation == mutation and command.input.get("visitCode") != "UNS":
            found[command.input["subjectId"]].append(command.input)
    return found


def _accepted(trial: Trial, mutation: str) -> list[TimedCommand]:
    return [one for one in trial.commands if one.mutation == mutation and one.expect == "ACCEPTED"]


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
def test_twelve_are_enrolled_one_dies_one_withdraws_one_receives_a_liver(seed: int) -> None:
    trial = generate_trial(seed, 12)
    counts = Counter(command.mutation for command in trial.commands if command.expect == "ACCEPTED")
    assert counts["enrolSubject"] == 12
    assert counts["recordDeath"] == counts["correctDeathRecord"] == counts["recordTransplant"] == 1
    assert counts["withdrawSubject"] == counts["recordLossToFollowUp"] == counts["recordContactRegained"] == 1
    assert sum(bool(command.input["criteria"]) for command in _accepted(trial, "reportAdverseEvent")) >= 4


def test_every_story_of_the_cast_is_lived_once() -> None:
    people = draw_participants(7, 12, "BFH")
    assert Counter((one.course, one.incident) for one in people) == Counter(CAST)
    assert draw_participants(7, 13, "BFH")[-1].course is people[0].course


def test_two_more_people_are_screened_and_never_treated(trial: Trial) -> None:
    screened = {one.input["subjectId"] for one in trial.commands if "-S" in one.input["subjectId"]}
    assert screened == {"BFH-S01", "BFH-S02"}
    assert {one.mutation for one in trial.commands if one.input["subjectId"] in screened} == {
        "recordConsent",
        "enrolSubject",
        "recordScreenFailure",
        "withdrawConsent",
    }
    assert not any(one.input["subjectId"] in screened for one in _accepted(trial, "enrolSubject"))


def test_who_is_in_the_trial_consents_to_the_new_version_of_the_form(trial: Trial) -> None:
    versions = {
        subject: [consent["version"] for consent in consents]
        for subject, consents in _by_subject(trial, "recordConsent").items()
    }
    assert ["2.1", "3.0"] in versions.values()
    assert ["3.0"] in versions.values()
    assert all(found == sorted(found) for found in versions.values())


def test_some_commands_must_be_refused_each_by_its_rule(trial: Trial) -> None:
    assert {command.expect for command in trial.commands} - {"ACCEPTED"} == {
        *("ENR-01", "ENR-02", "SES-01", "SES-02", "SES-04", "SES-05", "LAB-03", "CON-01", "SUB-02"),
        *("VIS-01", "VIS-02", "VIS-04", "VIS-05", "INV-03", "INV-11", "INV-21"),
    }


@pytest.mark.parametrize("seed", range(5))
def test_every_measurement_of_a_visit_is_acceptable(seed: int) -> None:
    for command in generate_trial(seed, 12).commands:
        if command.input.get("visitCode") == "UNS":
            continue
        for row in command.input.get("results", command.input.get("rows", [])):
            judged = accept(row["code"], row.get("value"), None, row.get("unit"))
            assert isinstance(judged, Accepted), (row, judged)


def test_a_blood_gas_is_waived_of_outpatients_only(trial: Trial) -> None:
    for command in trial.commands:
        rows = {row["code"]: row for row in command.input.get("rows", [])}
        waived = {code for code, row in rows.items() if row.get("notDone") == "OUTPATIENT_NO_ABG"}
        if waived:
            assert waived == {"pao2", "paco2", "fio2", "ph_arterial"}
            assert rows["respiratory_support"]["value"] == "none"
            assert "fio2_source" not in rows


def test_an_infusion_has_dose_and_duration_and_an_untestable_response_its_reason() -> None:
    observed = [
        {row["code"]: row for row in command.input.get("rows", [])}
        for seed in range(5)
        for command in generate_trial(seed, 12).commands
    ]
    infused = [rows for rows in observed if "norepinephrine_dose" in rows]
    assert len(infused) > 5
    for rows in infused:
        assert rows["vasoactive_given"]["value"] == "yes"
        assert int(rows["norepinephrine_duration_min"]["value"]) >= 60
    untestable = [rows["gcs_verbal"] for rows in observed if rows.get("gcs_verbal", {}).get("value") == "NT"]
    assert untestable
    assert {row["ntReason"] for row in untestable} == {"INTUBATED"}


def test_urine_is_not_collected_over_a_session(trial: Trial) -> None:
    firsts: dict[str, datetime] = {}
    for end in _accepted(trial, "endSession"):
        firsts.setdefault(end.input["subjectId"], parse_instant(end.input["endedAt"]))
    for command in _accepted(trial, "recordObservations"):
        rows = {row["code"] for row in command.input["rows"]}
        since = parse_instant(command.input["assessedAt"]) - firsts[command.input["subjectId"]]
        if timedelta(0) < since < timedelta(hours=14) and "visitCode" not in command.input:
            assert "urine_output_24h" not in rows


def test_doses_follow_the_protocol(trial: Trial) -> None:
    starts = [start for starts in _by_subject(trial, "startSession").values() for start in starts]
    assert len(starts) >= 20
    for start in starts:
        assert 1.5e8 < start["viableCells"] / float(start["weightKg"]) < 1.85e8


def test_sessions_last_four_to_eight_hours_unless_they_clot_or_the_device_fails(trial: Trial) -> None:
    began = {
        str(object_id(UUID(start.input["commandId"]), "session")): parse_instant(start.input["startedAt"])
        for start in _accepted(trial, "startSession")
    }
    ends = {end.input["sessionId"]: end.input for end in _accepted(trial, "endSession")}
    void = {command.input["id"] for command in _accepted(trial, "voidSession")}
    assert set(began) == set(ends) | void
    assert not set(ends) & void
    assert {end["reason"] for end in ends.values()} >= {"COMPLETED", "DEVICE"}
    for session, end in ends.items():
        if end["reason"] == "COMPLETED":
            assert timedelta(hours=4) <= parse_instant(end["endedAt"]) - began[session] <= timedelta(hours=8)


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
    (death,) = _accepted(trial, "recordDeath")
    assert death.input["subjectId"] == dying.subject_id
    assert death.input["fatalAes"] == [{"aeId": death.input["primaryCauseAeId"]}]
    died = parse_instant(death.input["deathAt"]["value"].replace("Z", ":00.000Z"))
    for sample in _by_subject(trial, "recordLabResults")[dying.subject_id]:
        assert parse_instant(sample["collectedAt"]) < died


def test_a_new_liver_ends_the_failure_of_the_old_one() -> None:
    (one,) = (each for each in draw_participants(7, 12, "BFH") if each.course is Course.TRANSPLANT)
    assert one.transplant_on_day is not None
    assert severity_at(one, one.transplant_on_day) > severity_at(one, 0)
    assert severity_at(one, one.transplant_on_day + 30) < 0.2


def test_events_that_do_not_exist_yet_are_named_by_their_command(trial: Trial) -> None:
    known = {one.input["commandId"]: one for one in trial.commands}
    named = [
        (command, value)
        for command in trial.commands
        for value in command.input.values()
        if isinstance(value, str) and value.startswith("event:")
    ]
    assert {command.mutation for command, _ in named} >= {"correctAssessment", "correctAdverseEventGrade"}
    for command, value in named:
        earlier = known[value.removeprefix("event:").split("/")[0]]
        assert earlier.at < command.at
        assert earlier.expect == "ACCEPTED"


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
