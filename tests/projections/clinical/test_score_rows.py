"""The rows of all scores of a participant, at 14 points and at any moment (scores.md section 9)."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from hepatrail_events.catalogue import catalogue
from hepatrail_events.codec import read
from hepatrail_events.concomitant import MedicationRecorded, ProcedureKind, ProcedureRecorded
from hepatrail_events.measurements import LabResultCorrected, ObservationsRecorded, ObservedRow
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical_state import ClinicalState, clinical_state
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.score import Made, ScoreRow, score_rows, scores_at
from hepatrail_projections.score_memory import ScoreMemory
from hepatrail_projections.study_view import EMPTY_STUDY, fold_study
from hepatrail_projections.subject_view import fold_all
from log_commits import enrol, publish, sample, start
from projection_log import SEALED, LogWriter
from trial_history import history

S = "S-01"
BEDSIDE = {
    "dialysis_sessions_7d": "0",
    "cvvhd_hours_7d": "0",
    "gcs_eye": "4",
    "gcs_verbal": "5",
    "gcs_motor": "6",
    "pao2": "85",
    "paco2": "38",
    "fio2": "0.21",
    "ph_arterial": "7.4",
    "respiratory_support": "none",
    "sbp": "100",
    "dbp": "70",
    "vasoactive_given": "no",
    "temperature": "37",
    "temperature_site": "axillary",
    "heart_rate": "90",
    "resp_rate": "16",
    "sodium": "136",
    "potassium": "4",
    "hematocrit": "33",
    "acute_renal_failure": "false",
    "platelets": "90",
    "wbc": "8",
    "albumin": "30",
}


class Story:
    """One participant treated once, with the measurements that a test asks for."""

    def __init__(self, seed: int = 7) -> None:
        self.log = LogWriter(seed)
        publish(self.log)
        self.stream = enrol(self.log, S)

    def visit(self, tbil: str = "300") -> None:
        sample(self.log, self.stream, creatinine="150", tbil=tbil, inr="2.0")
        self.observe(BEDSIDE)

    def observe(self, values: Mapping[str, str]) -> None:
        rows = tuple(
            ObservedRow(
                result_id=self.log.uuid(), code=code, value=value, unit=catalogue()[code].canonical_unit, accepted=True
            )
            for code, value in values.items()
        )
        if rows:
            self.log.commit(self.stream, ObservationsRecorded(assessed_at=self.log.now, rows=rows))

    def treat(self) -> None:
        begun = start(self.log, self.stream)
        self.log.tick(360)
        ended = SessionEnded(session_id=begun.session_id, ended_at=self.log.now, reason=EndReason.COMPLETED)
        self.log.commit(self.stream, ended)
        self.end = self.log.now

    def known(self, events: int | None = None) -> tuple[SubjectView, ClinicalState]:
        study, mine = EMPTY_STUDY, []
        for record in self.log.records:
            if record.topic == EVENTS and record.key == STUDY.encode():
                study = fold_study(study, read(record.value or b""))
            elif record.topic == EVENTS and record.key == self.stream.encode():
                mine.append(read(record.value or b""))
        view = fold_all(S, mine[:events])
        published = study.published_at(self.log.now)
        assert published is not None
        return view, clinical_state(view, published)


@pytest.fixture
def treated() -> Story:
    story = Story()
    story.visit()
    story.log.tick(30)
    story.treat()
    story.log.tick(2 * 24 * 60)
    story.visit(tbil="150")
    return story


def named(rows: tuple[ScoreRow, ...], score_id: str, point: str) -> ScoreRow:
    (found,) = [row for row in rows if (row.score_id, row.point) == (score_id, point)]
    return found


def inputs(row: ScoreRow) -> dict[str, dict[str, Any]]:
    return {each["code"]: each for each in row.inputs}


def test_every_score_has_one_row_a_point(treated: Story) -> None:
    view, state = treated.known()
    rows = score_rows(view, state)
    assert len(rows) == 6 * 14
    assert len({(row.score_id, row.point) for row in rows}) == 6 * 14
    assert {row.point for row in rows} == {point.code for point in state.plan.points}
    assert [row.ordinal for row in rows[:14]] == list(range(14))


def test_a_score_is_explained_whole(treated: Story) -> None:
    rows = score_rows(*treated.known())
    sofa = named(rows, "sofa_1996", "D2")
    assert (sofa.status, sofa.value, sofa.baseline, sofa.change) == ("complete", 6, 7, -1)
    assert sofa.components == {
        "respiration": 0,
        "coagulation": 2,
        "liver": 3,
        "cardiovascular": 0,
        "cns": 0,
        "renal": 1,
    }
    assert sofa.details == {"renal_basis": "creatinine_only", "without_liver": 3}
    assert sofa.options["sofa_unit_mode"] == "si"
    pressure = inputs(sofa)["map"]
    assert (pressure["value"], pressure["unit"], pressure["derived"]) == ("80", "mm[Hg]", True)
    assert pressure["collectedAt"] is not None
    assert pressure["eventIds"]
    apache = named(rows, "apache_ii_1985", "D2")
    assert (apache.status, apache.warnings) == ("complete", ["temperature_axillary"])
    assert inputs(apache)["age"]["value"] == "54"
    assert apache.details["acid_base_basis"] == "ph_arterial"
    coma = named(rows, "gcs", "D2")
    assert (coma.value, coma.display) == (15, "E4V5M6")
    sodium = named(rows, "meld_na_2016", "D2")
    assert sodium.details["meld_i"] > 11
    assert {row.algorithm for row in rows} == {row.score_id for row in rows}


def test_a_point_without_data_is_incomplete_with_the_range(treated: Story) -> None:
    row = named(score_rows(*treated.known()), "sofa_1996", "M12")
    assert (row.status, row.range, row.change_reason) == ("incomplete", [0, 24], "incomplete")
    assert {each["code"] for each in row.missing} >= {"pao2", "gcs_total"}


def test_recorded_dialysis_and_confounders_reach_the_rows(treated: Story) -> None:
    day = PartialDate(value=f"{treated.log.now:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    before = treated.log.now - timedelta(hours=2)
    begun = PartialDate(value=f"{before:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    for _ in range(2):
        procedure = ProcedureRecorded(
            procedure_id=treated.log.uuid(), kind=ProcedureKind.HD, started_at=begun, ended_at=day
        )
        treated.log.commit(treated.stream, procedure)
    for atc, anticoagulant in (("B05AA01", False), ("B01AB05", True), ("A02BC01", False)):
        medication = MedicationRecorded(
            medication_id=treated.log.uuid(),
            verbatim=SEALED,
            atc=atc,
            started_at=begun,
            therapeutic_anticoagulant=anticoagulant,
        )
        treated.log.commit(treated.stream, medication)
    row = named(score_rows(*treated.known()), "meld_2002", "D2")
    assert row.flags == ["dialysis_rule"]
    assert [each["code"] for each in row.confounders] == ["albumin_24h", "anticoagulant", "hemodialysis_24h"]
    count = inputs(row)["dialysis_sessions_7d"]
    assert (count["value"], count["derived"], len(count["eventIds"])) == ("2", True, 2)


def test_scores_at_a_moment_take_what_was_known_of_the_day_before(treated: Story) -> None:
    view, state = treated.known()
    rows = scores_at(view, state, treated.log.now)
    assert [row.score_id for row in rows] == list(state.published.protocol.scores.enabled)
    assert {row.point for row in rows} == {"AT"}
    sofa = named(rows, "sofa_1996", "AT")
    assert (sofa.value, sofa.baseline, sofa.change) == (6, 7, -1)
    later = scores_at(view, state, treated.log.now + timedelta(hours=25))
    assert named(later, "sofa_1996", "AT").status == "incomplete"


def assert_memory_is_invisible(log: LogWriter, subject_id: str, before: int) -> None:
    """After every event from `before` on, and on the way back, the rows are those that nobody remembers."""
    stream, study, mine = subject_stream(subject_id), EMPTY_STUDY, []
    for record in log.records:
        if record.topic == EVENTS and record.key == STUDY.encode():
            study = fold_study(study, read(record.value or b""))
        elif record.topic == EVENTS and record.key == stream.encode():
            mine.append(read(record.value or b""))
    memory: ScoreMemory[Made] = ScoreMemory()
    numbers = range(before, len(mine) + 1)
    for number in (*numbers, *reversed(numbers[::3])):
        view = fold_all(subject_id, mine[:number])
        published = study.published_at(mine[number - 1].envelope.recordedat)
        assert published is not None
        state = clinical_state(view, published)
        assert score_rows(view, state, memory) == score_rows(view, state, ScoreMemory())


@pytest.mark.parametrize("seed", range(2))
def test_remembering_changes_nothing_but_the_time_in_a_lawful_trial(seed: int) -> None:
    assert_memory_is_invisible(history(seed, subjects=1, steps=60), "S-00", before=2)


@pytest.mark.parametrize("seed", range(3))
def test_remembering_changes_nothing_but_the_time_around_blood_gases(seed: int) -> None:
    story = Story(seed)
    chance = story.log.chance
    story.visit()
    story.treat()
    for _ in range(25):
        story.log.tick(chance.choice((5, 20, 45, 70, 300, 900)))
        deed = chance.choice(("visit", "gas", "setting", "setting", "bedside", "treat"))
        if deed == "visit":
            story.visit()
        elif deed == "treat":
            story.treat()
        else:
            codes = {"gas": ("pao2", "ph_arterial"), "setting": ("fio2", "respiratory_support")}.get(
                deed, tuple(BEDSIDE)
            )
            story.observe(
                {code: BEDSIDE[code] for code in codes if chance.random() < 0.7}
                | ({"fio2": chance.choice(("0.3", "0.6")), "respiratory_support": "imv"} if deed == "setting" else {})
            )
    assert_memory_is_invisible(story.log, S, before=3)


def test_remembered_rows_are_taken_as_they_are(treated: Story) -> None:
    memory: ScoreMemory[Made] = ScoreMemory()
    first, again = (score_rows(*treated.known(), memory) for _ in range(2))
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_a_correction_re_computes_the_scores_that_it_touches(treated: Story) -> None:
    view, state = treated.known()
    before = score_rows(view, state)
    inr = [fact for fact in view.results.values() if fact.code == "inr"][-1]
    treated.log.commit(
        treated.stream,
        LabResultCorrected(id=inr.result_id, field="value", new_value="4.0", reason=SEALED, accepted=True),
    )
    after = score_rows(*treated.known())
    changed = {(row.score_id, row.point) for row, old in zip(after, before, strict=True) if row != old}
    assert changed == {(score, "D2") for score in ("meld_2002", "meld_na_2016", "meld_3_0")}
    value = inputs(named(after, "meld_2002", "D2"))["inr"]
    assert Fraction(value["value"]) == 4
    assert len(value["eventIds"]) == 2
