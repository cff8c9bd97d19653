"""Adverse events and deaths become commands: what the source says, where it contradicts itself, what is left open."""

import pytest

from hepatrail_services.importers.mapping import EndOfOngoing, SdtmMapping
from hepatrail_services.importers.plan import Phase
from hepatrail_services.importers.sdtm import plan_import
from sdtm_planned import Rows, inputs_of, kinds, refused


def test_an_adverse_event_is_reported_with_what_the_source_says(sdtm: Rows, shipped: SdtmMapping) -> None:
    (report,) = inputs_of(plan_import(sdtm(ae=[{}]), shipped), "reportAdverseEvent")
    assert report == {
        "subjectId": "01-701-1015",
        "code": "OTHER",
        "ctcaeTerm": "DIARRHOEA",
        "verbatim": "DIARRHEA AT NIGHT",
        "onset": {"value": "2014-01-09", "precision": "DAY"},
        "endAt": {"value": "2014-01-11", "precision": "DAY"},
        "awareAt": "2014-01-16T15:59:00.000Z",
        "criteria": [],
        "grade": 1,
        "gradeAt": {"value": "2014-01-09", "precision": "DAY"},
        "outcome": "RECOVERED",
        "actionTaken": "UNKNOWN",
        "reporter": "investigator of the source study",
        "causality": [{"target": "CELL_PRODUCT", "value": "UNLIKELY"}],
    }


def test_a_criterion_without_the_flag_is_serious_and_found(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AESHOSP": "Y"}, {"AESEQ": "2", "AESHOSP": "Y", "AESER": "Y"}]), shipped)
    assert [report["criteria"] for report in inputs_of(plan, "reportAdverseEvent")] == [["HOSPITALISATION"]] * 2
    assert kinds(plan) == [("01-701-1015|1", "SERIOUS_WITHOUT_FLAG")]


def test_cancer_is_by_itself_no_criterion(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AESCAN": "Y"}]), shipped)
    assert inputs_of(plan, "reportAdverseEvent")[0]["criteria"] == []
    assert kinds(plan) == [("01-701-1015|1", "NO_E2A_CRITERION")]


def test_a_partial_onset_stays_partial(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AESTDTC": "2003"}]), shipped)
    assert inputs_of(plan, "reportAdverseEvent")[0]["onset"] == {"value": "2003", "precision": "YEAR"}
    assert kinds(plan) == [("01-701-1015|1", "PARTIAL_DATE")]


def test_a_causality_that_was_not_stated_is_not_made_up(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AEREL": ""}]), shipped)
    assert "causality" not in inputs_of(plan, "reportAdverseEvent")[0]
    assert kinds(plan) == [("01-701-1015|1", "CAUSALITY_MISSING")]


ONGOING_WITH_AN_END = {"AEOUT": "NOT RECOVERED/NOT RESOLVED", "AEENDTC": "2014-01-20"}


def test_an_end_beside_an_outcome_that_goes_on_is_left_out_and_found(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[ONGOING_WITH_AN_END]), shipped)
    (report,) = inputs_of(plan, "reportAdverseEvent")
    assert (report["outcome"], "endAt" in report) == ("NOT_RECOVERED", False)
    assert kinds(plan) == [("01-701-1015|1", "END_LEFT_OUT")]
    assert "2014-01-20" in plan.findings[0].sentence


def test_the_mapping_may_say_that_the_end_counts(sdtm: Rows, shipped: SdtmMapping) -> None:
    stand_in = shipped.ae.stand_in.model_copy(update={"end_of_ongoing": EndOfOngoing.RECOVERED})
    mapping = shipped.model_copy(update={"ae": shipped.ae.model_copy(update={"stand_in": stand_in})})
    plan = plan_import(sdtm(ae=[ONGOING_WITH_AN_END]), mapping)
    (report,) = inputs_of(plan, "reportAdverseEvent")
    assert (report["outcome"], report["endAt"]["value"]) == ("RECOVERED", "2014-01-20")
    assert kinds(plan) == [("01-701-1015|1", "OUTCOME_BY_END")]


def test_an_event_that_ended_nobody_knows_when_has_an_unknown_end(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AEENDTC": ""}]), shipped)
    assert inputs_of(plan, "reportAdverseEvent")[0]["endAt"] == {"precision": "UNKNOWN"}
    assert kinds(plan) == [("01-701-1015|1", "END_UNKNOWN")]


@pytest.mark.parametrize(
    ("onset", "aware"),
    [("2014-02-03", "2014-02-03T15:59:00.000Z"), ("2014-02", "2014-02-01T15:59:00.000Z")],
)
def test_a_report_dated_before_the_onset_is_known_since_the_onset(
    sdtm: Rows, shipped: SdtmMapping, onset: str, aware: str
) -> None:
    plan = plan_import(sdtm(ae=[{"AEDTC": "2014-01-16", "AESTDTC": onset, "AEENDTC": "2014-02-05"}]), shipped)
    assert inputs_of(plan, "reportAdverseEvent")[0]["awareAt"] == aware
    assert ("01-701-1015|1", "REPORTED_BEFORE_ONSET") in kinds(plan)


@pytest.mark.parametrize("onset", ["2014-01-16", "2014-01", "2014", ""])
def test_an_onset_that_may_lie_before_the_report_does_not_move_the_awareness(
    sdtm: Rows, shipped: SdtmMapping, onset: str
) -> None:
    plan = plan_import(sdtm(ae=[{"AEDTC": "2014-01-16", "AESTDTC": onset, "AEENDTC": "2014-01-16"}]), shipped)
    assert inputs_of(plan, "reportAdverseEvent")[0]["awareAt"] == "2014-01-16T15:59:00.000Z"


def test_a_fatal_event_tells_the_death_of_dm_and_comes_last(sdtm: Rows, shipped: SdtmMapping) -> None:
    fatal = {"AEOUT": "FATAL", "AESDTH": "Y", "AESER": "Y", "AEENDTC": "2014-10-31"}
    plan = plan_import(sdtm(dm=[{"DTHDTC": "2014-11-01"}], ae=[fatal, {"AESEQ": "2"}]), shipped)
    report = inputs_of(plan, "reportAdverseEvent")[0]
    died = {"value": "2014-11-01", "precision": "DAY"}
    assert report["death"] == {"deathAt": died, "primaryCause": True}
    assert (report["grade"], report["outcome"], report["endAt"]) == (5, "FATAL", died)
    assert [unit.phase for unit in plan.units] == [Phase.ENROLMENT, Phase.DEATH, Phase.ADVERSE_EVENTS]
    assert {kind for _, kind in kinds(plan)} == {"DEATH_TOLD_BY_AE", "FATAL_END_DIFFERS", "FATAL_GRADE"}


def test_a_death_without_a_fatal_event_is_recorded_by_itself(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(dm=[{"DTHDTC": "2014-11-01"}]), shipped)
    (death,) = inputs_of(plan, "recordDeath")
    assert death["deathAt"] == {"value": "2014-11-01", "precision": "DAY"}
    assert plan.units[-1].phase is Phase.DEATH


def test_an_unmapped_value_of_an_adverse_event_is_refused(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(ae=[{"AEOUT": "GONE"}, {"AESEQ": "2", "AEDTC": "2014"}]), shipped)
    assert refused(plan) == [("AE", 1, "UNMAPPED_VALUE"), ("AE", 2, "UNREADABLE_TIME")]
