"""Which adverse events count for which stopping rule, on both sides of each bound (`safety.md` section 7)."""

from typing import Any
from uuid import UUID

import pytest

from builders.adverse_events import (
    FATAL,
    ae_causality,
    ae_grade_changed,
    ae_grade_corrected,
    ae_resolved,
    ae_upgraded,
    ae_voided,
)
from builders.ids import AE
from builders.participant import session_ended
from builders.records import baseline_condition
from builders.times import at, minute
from hepatrail_events.streams import subject_stream
from hepatrail_projections.facts import SubjectView
from hepatrail_services.safety.stopping_facts import contribution, reactions
from specification import By, recorded
from stopping import rule
from stopping_counted import ae, after_end, counted, facts, judged_as, under, view_of, with_onset
from stopping_world import TREATED

DEATH = {**FATAL, "gradeAt": minute(hours=2)}


def test_SR1_counts_a_related_death() -> None:
    assert "SR1" in counted(ae(**DEATH))
    assert "SR1" in counted(ae(), ae_grade_changed(5, gradeAt=minute(hours=2)))
    assert "SR1" not in counted(ae(**DEATH), *judged_as("UNRELATED"))
    assert "SR1" not in counted(ae()), "grade 4 is no death"


@pytest.mark.parametrize(
    "fatal", [{"grade": 5}, {"outcome": "FATAL"}, {"criteria": ["DEATH"]}], ids=["grade", "outcome", "criterion"]
)
def test_SR1_knows_a_death_by_any_word_for_it(fatal: dict[str, Any]) -> None:
    assert "SR1" in counted(ae(**fatal))


@pytest.mark.parametrize(("after", "counts"), [({"days": 30}, True), ({"days": 30, "minutes": 1}, False)])
def test_SR1_counts_an_onset_until_30_days_after_the_session(after: dict[str, float], counts: bool) -> None:
    assert ("SR1" in counted(with_onset(after_end(**after), **DEATH))) is counts


@pytest.mark.parametrize(("grade", "counts"), [(3, False), (4, True)])
def test_SR2_counts_grade_4_and_more(grade: int, counts: bool) -> None:
    assert ("SR2" in counted(ae(grade=grade))) is counts


def test_SR2_leaves_laboratory_abnormalities_out() -> None:
    found = counted(ae(code="LAB_ABNORMALITY", ctcaeTerm="Blood bilirubin increased"))
    assert not found & {"SR2", "SR5", "SR6"}


def test_SR2_counts_the_grade_within_the_treatment_emergent_window() -> None:
    """Grade 4 before treatment, grade 3 since: nothing of grade 4 emerged under treatment."""
    before = {"onset": minute(days=9), "grade": 4, "gradeAt": minute(days=9)}
    known = baseline_condition(grade=2)
    linked = {"baselineConditionId": str(known.baseline_condition_id)}
    improved = ae_grade_changed(3, gradeAt=minute(hours=3))
    assert "SR2" not in counted(known, ae(**before, **linked), improved)
    worse = {"onset": minute(days=9), "grade": 3, "gradeAt": minute(days=9)}
    assert "SR2" in counted(known, ae(**worse, **linked), ae_grade_changed(4, gradeAt=minute(hours=3)))


def test_SR2_takes_no_grade_from_before_treatment_for_one_under_it() -> None:
    """Serious since the session, so treatment-emergent, but of grade 4 before it only."""
    known = baseline_condition(grade=2)
    linked = {
        "baselineConditionId": str(known.baseline_condition_id),
        "onset": minute(days=9),
        "gradeAt": minute(days=9),
    }
    course = (known, ae(**linked), ae_grade_changed(3, gradeAt=minute(hours=5)))
    upgraded = ae_upgraded(seriousSince=minute(hours=3))
    assert counted(*course, upgraded) == {"SR5", "SR6"}


def test_SR2_and_SR3_count_from_the_grade_of_the_protocol_on() -> None:
    assert "SR2" in counted(ae(grade=2), rules=(rule("SR2", grade_ge=2),))
    assert "SR3" not in counted(ae(code="THROMBOSIS_VENOUS", grade=4), rules=(rule("SR3", grade_ge=5),))


@pytest.mark.parametrize("code", ["THROMBOSIS_VENOUS", "THROMBOSIS_ARTERIAL", "THROMBOSIS_PORTAL"])
def test_SR3_counts_thromboses_of_every_kind(code: str) -> None:
    assert "SR3" in counted(ae(code=code, grade=3))


@pytest.mark.parametrize(("code", "grade"), [("THROMBOSIS_VENOUS", 2), ("BLEEDING_SYSTEMIC", 3)])
def test_SR3_counts_nothing_milder_and_nothing_else(code: str, grade: int) -> None:
    assert "SR3" not in counted(ae(code=code, grade=grade))


def test_SR3_counts_a_thrombosis_whenever_it_began_after_treatment() -> None:
    late = with_onset(after_end(days=200), code="THROMBOSIS_PORTAL", grade=3)
    assert counted(late) == {"SR3"}


@pytest.mark.parametrize("code", ["INFUSION_REACTION", "ANAPHYLAXIS", "CYTOKINE_RELEASE"])
@pytest.mark.parametrize(("grade", "counts"), [(2, False), (3, True)])
def test_SR4_counts_the_three_reactions_from_grade_3_on(code: str, grade: int, counts: bool) -> None:
    view = view_of(*TREATED, ae(code=code, grade=grade))
    assert (AE in reactions(view, under("SR4"))) is counts


def test_SR4_counts_no_other_event_and_asks_for_no_relation() -> None:
    published = under("SR4")
    assert not reactions(view_of(*TREATED, ae(code="ALLERGIC_REACTION", grade=4)), published)
    unrelated = view_of(*TREATED, ae(code="ANAPHYLAXIS"), *judged_as("UNRELATED"))
    assert reactions(unrelated, published)


def test_what_nobody_has_assessed_counts_provisionally_until_somebody_does() -> None:
    assert [fact.provisional for fact in facts(ae())] == [True]
    assert [fact.provisional for fact in facts(ae(), ae_causality(value="POSSIBLE"))] == [False]
    assert not facts(ae(), *judged_as("UNRELATED"))
    assert [fact.provisional for fact in facts(ae(), judged_as("UNRELATED")[0])] == [True], "one target is open"


def test_before_treatment_nothing_is_related() -> None:
    assert not facts(with_onset(minute(days=2)))


def test_a_void_adverse_event_counts_for_nothing() -> None:
    assert not facts(ae(), ae_voided())
    assert not reactions(view_of(*TREATED, ae(code="ANAPHYLAXIS"), ae_voided()), under("SR4"))


def test_a_grade_that_was_corrected_away_counts_no_more_and_one_that_improved_does() -> None:
    stated = view_of(*TREATED, ae()).adverse_events[AE].grades[0].event_id
    corrected = ae_grade_corrected(grade=2, gradeEventId=str(stated))
    assert counted(ae(), corrected) == set()
    assert "SR2" in counted(ae(), ae_grade_changed(1, gradeAt=minute(hours=2)))
    assert "SR2" in counted(ae(), ae_resolved(endAt=minute(hours=2)))


def test_only_rules_that_are_enabled_are_named() -> None:
    assert counted(ae(), rules=("SR2",)) == {"SR2"}
    assert counted(ae(), rules=()) == set()


def test_T0_is_told_while_a_rule_of_the_trial_is_enabled() -> None:
    view = view_of(*TREATED)
    assert contribution(view, under("SR5")).treated_at == at(hours=6)
    assert contribution(view, under("SR4")).treated_at is None
    assert contribution(view_of(*TREATED[:2]), under("SR5")).treated_at is None


def test_the_evidence_is_the_report_the_grade_and_what_relates_it() -> None:
    events = (
        ae(grade=2),
        ae_causality(value="UNLIKELY", target="DEVICE"),
        ae_grade_changed(3, gradeAt=minute(hours=2)),
    )
    worse = ae_grade_changed(4, gradeAt=minute(hours=1))
    related = ae_causality(3, value="PROBABLE", target="CELL_PRODUCT")
    of_procedure = ae_causality(4, value="PROBABLE", target="PROCEDURE")
    view = view_of(*TREATED, *events, worse, related, of_procedure)
    (fact,) = contribution(view, under("SR5")).adverse_events
    report, third, judged = (_id(view, place) for place in (5, 7, 9))
    assert fact.event_ids == (report, third, judged)
    (both,) = contribution(view, under("SR2", "SR5")).adverse_events
    assert both.event_ids == (report, third, _id(view, 8), judged)


def _id(view: SubjectView, streamseq: int) -> UUID:
    return recorded(subject_stream(view.subject_id), streamseq, By(session_ended())).envelope.id
