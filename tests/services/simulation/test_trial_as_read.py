"""What a simulated trial looks like to those who read it: scores, visits, adverse events and queries are plausible."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.score import ScoreRow
from hepatrail_projections.study_view import StudyView, fold_study
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.visits import VisitStatus, compliance_at, status_at
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.participants import Course, Incident, Participant, draw_participants
from hepatrail_services.simulation.player import play
from pure_spine import PureSpine

SEEDS = (7, 11)
DONE = ("complete_in_window", "complete_out_of_window")
BEFORE_DISCHARGE = ("BL", "P0_5_1H", "H12", "H24", "D2", "D3", "D5", "D7")


class Read:
    """A trial that was played, a month after its end."""

    def __init__(self, seed: int) -> None:
        trial = generate_trial(seed, 12)
        spine = PureSpine(trial.header.begins)
        asyncio.run(self._play(spine, seed))
        study = StudyView()
        for recorded in spine.recorded[STUDY]:
            study = fold_study(study, recorded)
        self.people = draw_participants(seed, 12, trial.header.site_id)
        self.as_of: datetime = spine.now + timedelta(days=30)
        self.rows: dict[str, SubjectRows] = {
            one.subject_id: derive(
                fold_all(one.subject_id, spine.recorded[subject_stream(one.subject_id)]), study, self.as_of
            )
            for one in self.people
        }

    async def _play(self, spine: PureSpine, seed: int) -> None:
        trial = generate_trial(seed, 12)
        await activate_sites(spine.acting_as(Role.ADMIN), "test", [trial.header.site_id], "EC-1")
        await play(trial, {role: spine.acting_as(role) for role in Role}, spine.advance_to)

    def of(self, course: Course | None = None, incident: Incident | None = None) -> tuple[Participant, SubjectRows]:
        """The one who lives this story."""
        (found,) = (one for one in self.people if (course or one.course, incident or one.incident) == _story(one))
        return found, self.rows[found.subject_id]

    def statuses(self, one: Participant) -> dict[str, VisitStatus]:
        """The status of every time point."""
        return {row.code: status_at(row, self.as_of) for row in self.rows[one.subject_id].visits}

    def scores(self, one: Participant) -> dict[tuple[str, str], ScoreRow]:
        """Every score by its id and time point."""
        return {(row.score_id, row.point): row for row in self.rows[one.subject_id].scores}


def _story(one: Participant) -> tuple[Course, Incident]:
    return one.course, one.incident


@cache
def _read(seed: int) -> Read:
    return Read(seed)


@pytest.fixture(params=SEEDS)
def read(request: pytest.FixtureRequest) -> Read:
    return _read(request.param)


def test_all_scores_are_complete_where_an_inpatient_was_seen(read: Read) -> None:
    for one in read.people:
        seen, scores = read.statuses(one), read.scores(one)
        for point in BEFORE_DISCHARGE:
            if seen[point].status not in DONE:
                continue
            for score in ("meld_2002", "meld_na_2016", "meld_3_0", "gcs", "sofa_1996", "apache_ii_1985"):
                row = scores[score, point]
                untestable = any(missing["reason"] == "not_testable" for missing in row.missing)
                assert row.status == "complete" or untestable, (one.subject_id, score, point, row.missing)


def test_outpatients_have_no_blood_gas_and_are_complete_all_the_same(read: Read) -> None:
    waived = 0
    for one in read.people:
        seen, scores = read.statuses(one), read.scores(one)
        for point in ("W6", "W12", "M6", "M12"):
            row = scores["sofa_1996", point]
            if seen[point].status in DONE and any(missing["code"] == "pao2" for missing in row.missing):
                waived += 1
                assert scores["meld_2002", point].status == "complete"
                assert scores["gcs", point].value == 15
    assert waived >= 20


def test_most_visits_are_complete_and_none_is_lost_without_cause(read: Read) -> None:
    counts: Counter[str] = Counter()
    for one in read.people:
        counts.update(found.status for code, found in read.statuses(one).items() if not code.startswith("S"))
    assert counts["complete_in_window"] > 0.8 * counts.total()
    assert counts["not_yet_due"] == counts["due"] == 0
    whole = compliance_at((row for rows in read.rows.values() for row in rows.visits), read.as_of)
    assert whole.rate is not None
    assert 0.8 < whole.rate < 1


def test_later_sessions_have_their_points_and_a_contact_a_year_after_the_last(read: Read) -> None:
    for one in read.people:
        seen = read.statuses(one)
        auxiliary = [found for code, found in seen.items() if code.startswith("S") and code != "SFU12"]
        assert len(auxiliary) == 3 * (len(read.rows[one.subject_id].sessions) - 1 - _void_sessions(read, one))
        assert all(found.status in (*DONE, "partial", "not_applicable") for found in auxiliary)
        if "SFU12" in seen and one.course is not Course.DEATH:
            assert seen["SFU12"].status == "complete_in_window"


def _void_sessions(read: Read, one: Participant) -> int:
    return sum(row.voided for row in read.rows[one.subject_id].sessions)


def test_death_stops_what_follows(read: Read) -> None:
    one, rows = read.of(course=Course.DEATH)
    seen = read.statuses(one)
    assert {seen[point].cause for point in ("W4", "W12", "M6", "M12")} == {"DEATH"}
    (fatal,) = (row for row in rows.adverse_events if row.state == "FATAL")
    assert (fatal.max_grade, fatal.outcome, fatal.serious, fatal.teae) == (5, "FATAL", True, True)
    assert fatal.baseline_condition_id is not None
    assert "crrt" in {each["code"] for row in rows.scores for each in row.confounders}


def test_only_the_vital_status_is_owed_after_withdrawal(read: Read) -> None:
    one, _ = read.of(course=Course.WITHDRAWAL)
    seen = read.statuses(one)
    for point in ("W12", "M6", "M12"):
        assert (seen[point].status, seen[point].required) == ("complete_in_window", ("SURV",))
    assert read.scores(one)["meld_2002", "M6"].status == "not_applicable"


def test_a_transplant_leaves_safety_and_survival_and_marks_what_follows(read: Read) -> None:
    one, rows = read.of(course=Course.TRANSPLANT)
    seen = read.statuses(one)
    for point in ("W12", "M6", "M12"):
        assert seen[point].required == ("AE", "SURV")
    assert seen["W6"].cause == "TRANSPLANT"
    assert any(row.post_transplant for row in rows.scores if row.score_id == "meld_2002")
    (rejection,) = (row for row in rows.adverse_events if row.code == "IMMUNE_REJECTION_GRAFT")
    assert rejection.post_transplant


def test_dialysis_feeds_meld_and_a_count_that_contradicts_it_is_asked_about(read: Read) -> None:
    one, rows = read.of(incident=Incident.RENAL_FAILURE)
    row = read.scores(one)["meld_2002", "D7"]
    sessions = next(each for each in row.inputs if each["code"] == "dialysis_sessions_7d")
    assert sessions["derived"]
    assert int(sessions["value"]) >= 2
    assert row.flags == ["dialysis_rule"]
    (query,) = (each for each in rows.queries if each.rule == "OBS-02")
    assert len(query.answers) == 1
    assert query.closed is None


def test_contact_that_was_lost_costs_week_12(read: Read) -> None:
    one, _ = read.of(incident=Incident.LOST_CONTACT)
    seen = read.statuses(one)
    assert seen["W12"].status == "missed"
    assert seen["M6"].status in (*DONE, "partial", "missed")


def test_records_that_were_put_right_leave_one_closed_query(read: Read) -> None:
    _, rows = read.of(incident=Incident.RECORD_ERRORS)
    (query,) = (each for each in rows.queries if each.rule == "LAB-02" and each.closed is not None)
    assert query.code == "UNKNOWN_CODE"
    assert len(query.answers) == 1
    by_code: dict[str, Any] = {row.code: row for row in rows.lab_results if row.visit_code == "UNS"}
    assert by_code["aptt"].accepted
    assert by_code["bun"].accepted
    assert by_code["afp"].voided


def test_an_event_that_was_reported_twice_is_void_once(read: Read) -> None:
    _, rows = read.of(incident=Incident.DUPLICATE_REPORT)
    void = [row for row in rows.adverse_events if row.state == "VOIDED"]
    assert sorted(row.ever_serious for row in void) == [False, True]
    assert [each.kind for each in rows.submissions if each.ae_id == void[-1].ae_id or each.kind == "NULLIFICATION"]


def test_a_severity_that_was_mistyped_leaves_no_trace_in_the_greatest_grade(read: Read) -> None:
    _, rows = read.of(incident=Incident.BLEEDING_UPGRADED)
    (bleeding,) = (row for row in rows.adverse_events if row.code == "LOCAL_BLEEDING")
    assert (bleeding.max_grade, bleeding.serious, bleeding.ever_serious) == (3, False, True)
    assert len(bleeding.grade_corrections) == len(bleeding.reopenings) == 1


def test_everybody_has_conditions_of_before_and_medication(read: Read) -> None:
    for rows in read.rows.values():
        assert rows.baseline_conditions
        assert rows.medications
    assert any(row.therapeutic_anticoagulant for rows in read.rows.values() for row in rows.medications)
