"""Which adverse events count for which stopping rule, on both sides of each bound (`safety.md` section 7)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from builders import (
    AE,
    FATAL,
    NOW,
    UNKNOWN,
    ae_causality,
    ae_grade_changed,
    ae_grade_corrected,
    ae_resolved,
    ae_upgraded,
    ae_voided,
    at,
    baseline_condition,
    day,
    minute,
    sealed,
    session_ended,
    session_started,
    site_activated,
)
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import StoppingFact
from hepatrail_events.sessions import SessionStarted, SessionVoided
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import EMPTY_STUDY, PublishedProtocol, fold_study
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.safety.stopping_facts import contribution, reactions
from specification import By, recorded
from stopping import protocol_with, rule
from stopping_world import TREATED, reaction, session_of

S = "S-001"
ALL = ("SR1", "SR2", "SR3", "SR4", "SR5", "SR6")


def _under(*rules: Any) -> PublishedProtocol:
    view = EMPTY_STUDY
    for number, event in enumerate((protocol_with(*rules), site_activated()), start=1):
        view = fold_study(view, recorded(STUDY, number, By(event, recorded_at=at(days=200))))
    found = view.published_at(NOW)
    assert found is not None
    return found


def _view(*events: Event) -> SubjectView:
    return fold_all(S, [recorded(subject_stream(S), number, By(event)) for number, event in enumerate(events, start=1)])


def _facts(*events: Event, rules: tuple[Any, ...] = ALL) -> tuple[StoppingFact, ...]:
    return contribution(_view(*TREATED, *events), _under(*rules)).adverse_events


def _counted(*events: Event, rules: tuple[Any, ...] = ALL) -> set[str]:
    return {rule_id for fact in _facts(*events, rules=rules) for rule_id in fact.rule_ids}


def _ae(**changes: Any) -> Event:
    return reaction(**{"aeId": str(AE), **changes})


def _after_end(**later: float) -> dict[str, str]:
    """An onset so long after the end of the session, which was an hour before NOW."""
    moment = at(hours=1) + timedelta(**later)
    return {"value": f"{moment:%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}


def _onset(onset: dict[str, str], **changes: Any) -> Event:
    return _ae(**{**changes, "onset": onset, "gradeAt": None})


DEATH = {**FATAL, "gradeAt": minute(hours=2)}


def _judged(value: str, version: int = 2) -> tuple[Event, ...]:
    return tuple(
        ae_causality(version + number, target=target, value=value)
        for number, target in enumerate(("CELL_PRODUCT", "DEVICE"))
    )


def test_SR1_counts_a_related_death() -> None:
    assert "SR1" in _counted(_ae(**DEATH))
    assert "SR1" in _counted(_ae(), ae_grade_changed(5, gradeAt=minute(hours=2)))
    assert "SR1" not in _counted(_ae(**DEATH), *_judged("UNRELATED"))
    assert "SR1" not in _counted(_ae()), "grade 4 is no death"


@pytest.mark.parametrize(
    "fatal", [{"grade": 5}, {"outcome": "FATAL"}, {"criteria": ["DEATH"]}], ids=["grade", "outcome", "criterion"]
)
def test_SR1_knows_a_death_by_any_word_for_it(fatal: dict[str, Any]) -> None:
    assert "SR1" in _counted(_ae(**fatal))


@pytest.mark.parametrize(("after", "counts"), [({"days": 30}, True), ({"days": 30, "minutes": 1}, False)])
def test_SR1_counts_an_onset_until_30_days_after_the_session(after: dict[str, float], counts: bool) -> None:
    assert ("SR1" in _counted(_onset(_after_end(**after), **DEATH))) is counts


@pytest.mark.parametrize(("grade", "counts"), [(3, False), (4, True)])
def test_SR2_counts_grade_4_and_more(grade: int, counts: bool) -> None:
    assert ("SR2" in _counted(_ae(grade=grade))) is counts


def test_SR2_leaves_laboratory_abnormalities_out() -> None:
    found = _counted(_ae(code="LAB_ABNORMALITY", ctcaeTerm="Blood bilirubin increased"))
    assert not found & {"SR2", "SR5", "SR6"}


def test_SR2_counts_the_grade_within_the_treatment_emergent_window() -> None:
    """Grade 4 before treatment, grade 3 since: nothing of grade 4 emerged under treatment."""
    before = {"onset": minute(days=9), "grade": 4, "gradeAt": minute(days=9)}
    known = baseline_condition(grade=2)
    linked = {"baselineConditionId": str(known.baseline_condition_id)}
    improved = ae_grade_changed(3, gradeAt=minute(hours=3))
    assert "SR2" not in _counted(known, _ae(**before, **linked), improved)
    worse = {"onset": minute(days=9), "grade": 3, "gradeAt": minute(days=9)}
    assert "SR2" in _counted(known, _ae(**worse, **linked), ae_grade_changed(4, gradeAt=minute(hours=3)))


def test_SR2_takes_no_grade_from_before_treatment_for_one_under_it() -> None:
    """Serious since the session, so treatment-emergent, but of grade 4 before it only."""
    known = baseline_condition(grade=2)
    linked = {
        "baselineConditionId": str(known.baseline_condition_id),
        "onset": minute(days=9),
        "gradeAt": minute(days=9),
    }
    course = (known, _ae(**linked), ae_grade_changed(3, gradeAt=minute(hours=5)))
    upgraded = ae_upgraded(seriousSince=minute(hours=3))
    assert _counted(*course, upgraded) == {"SR5", "SR6"}


def test_SR5_goes_by_the_moment_from_which_an_older_event_is_treatment_emergent() -> None:
    known = baseline_condition(grade=2)
    linked = {
        "baselineConditionId": str(known.baseline_condition_id),
        "onset": minute(days=9),
        "gradeAt": minute(days=9),
    }
    assert "SR5" in _counted(known, _ae(grade=2, **linked), ae_grade_changed(3, gradeAt=minute(hours=5)))
    late = ae_grade_changed(3, gradeAt=_after_end(days=8))
    assert "SR5" not in _counted(known, _ae(grade=2, **linked), late)


def test_SR2_and_SR3_count_from_the_grade_of_the_protocol_on() -> None:
    assert "SR2" in _counted(_ae(grade=2), rules=(rule("SR2", grade_ge=2),))
    assert "SR3" not in _counted(_ae(code="THROMBOSIS_VENOUS", grade=4), rules=(rule("SR3", grade_ge=5),))


@pytest.mark.parametrize("code", ["THROMBOSIS_VENOUS", "THROMBOSIS_ARTERIAL", "THROMBOSIS_PORTAL"])
def test_SR3_counts_thromboses_of_every_kind(code: str) -> None:
    assert "SR3" in _counted(_ae(code=code, grade=3))


@pytest.mark.parametrize(("code", "grade"), [("THROMBOSIS_VENOUS", 2), ("BLEEDING_SYSTEMIC", 3)])
def test_SR3_counts_nothing_milder_and_nothing_else(code: str, grade: int) -> None:
    assert "SR3" not in _counted(_ae(code=code, grade=grade))


def test_SR3_counts_a_thrombosis_whenever_it_began_after_treatment() -> None:
    late = _onset(_after_end(days=200), code="THROMBOSIS_PORTAL", grade=3)
    assert _counted(late) == {"SR3"}


@pytest.mark.parametrize("code", ["INFUSION_REACTION", "ANAPHYLAXIS", "CYTOKINE_RELEASE"])
@pytest.mark.parametrize(("grade", "counts"), [(2, False), (3, True)])
def test_SR4_counts_the_three_reactions_from_grade_3_on(code: str, grade: int, counts: bool) -> None:
    view = _view(*TREATED, _ae(code=code, grade=grade))
    assert (AE in reactions(view, _under("SR4"))) is counts


def test_SR4_counts_no_other_event_and_asks_for_no_relation() -> None:
    published = _under("SR4")
    assert not reactions(_view(*TREATED, _ae(code="ALLERGIC_REACTION", grade=4)), published)
    unrelated = _view(*TREATED, _ae(code="ANAPHYLAXIS"), *_judged("UNRELATED"))
    assert reactions(unrelated, published)


@pytest.mark.parametrize("rule_id", ["SR5", "SR6"])
@pytest.mark.parametrize(("grade", "counts"), [(2, False), (3, True)])
def test_SR5_and_SR6_count_toxicity_of_grade_3_and_more(rule_id: str, grade: int, counts: bool) -> None:
    assert (rule_id in _counted(_ae(grade=grade))) is counts


@pytest.mark.parametrize("rule_id", ["SR5", "SR6"])
@pytest.mark.parametrize(
    ("onset", "counts"),
    [
        (minute(hours=6), True),
        (_after_end(), True),
        (_after_end(days=7), True),
        (_after_end(days=7, minutes=1), False),
    ],
    ids=["at its start", "at its end", "7 days after it", "a minute later"],
)
def test_SR5_and_SR6_count_an_onset_from_the_start_of_a_session_to_7_days_after_its_end(
    rule_id: str, onset: dict[str, str], counts: bool
) -> None:
    assert (rule_id in _counted(_onset(onset))) is counts


def test_an_onset_between_two_sessions_belongs_to_the_one_before() -> None:
    second = session_of(1, at(hours=-24 * 20), at(hours=-24 * 20 - 5))
    between = _onset(_after_end(days=10))
    assert "SR5" not in _counted(*second, between), "before the second session, long after the first"
    assert "SR5" in _counted(*second, _onset(_after_end(days=21)))


def test_an_onset_while_the_session_runs_counts() -> None:
    running = (*TREATED[:2], session_started())
    found = contribution(_view(*running, _ae(grade=3)), _under(*ALL)).adverse_events
    assert [fact.rule_ids for fact in found] == [("SR5", "SR6")]


@pytest.mark.parametrize(
    ("onset", "counts"),
    [
        (day(f"{at(hours=1):%Y-%m-%d}"), True),
        (day(f"{at(hours=1) + timedelta(days=9):%Y-%m-%d}"), False),
        (UNKNOWN, True),
    ],
    ids=["the day of the session", "nine days later", "unknown"],
)
def test_a_partial_onset_counts_unless_it_lies_outside_for_certain(onset: dict[str, str], counts: bool) -> None:
    assert ("SR5" in _counted(_onset(onset))) is counts


def test_a_void_session_counts_for_nobody() -> None:
    void = SessionVoided.model_validate(
        {
            "id": str(session_started().session_id),
            "reasonCode": VoidReason.DUPLICATE,
            "reasonText": sealed("reasonText"),
        }
    )
    found = contribution(_view(*TREATED, _ae(), void), _under(*ALL))
    assert (found.treated_at, found.adverse_events) == (None, ())


def test_an_onset_after_a_void_session_is_held_against_the_others_alone() -> None:
    second = session_of(1, at(hours=-24 * 20), at(hours=-24 * 20 - 5))
    body = {"reasonCode": VoidReason.DUPLICATE, "reasonText": sealed("reasonText")}
    assert isinstance(second[0], SessionStarted)
    void = SessionVoided.model_validate(body | {"id": str(second[0].session_id)})
    after = _onset(_after_end(days=21))
    assert "SR5" in _counted(*second, after)
    assert "SR5" not in _counted(*second, after, void)


def test_what_nobody_has_assessed_counts_provisionally_until_somebody_does() -> None:
    assert [fact.provisional for fact in _facts(_ae())] == [True]
    assert [fact.provisional for fact in _facts(_ae(), ae_causality(value="POSSIBLE"))] == [False]
    assert not _facts(_ae(), *_judged("UNRELATED"))
    assert [fact.provisional for fact in _facts(_ae(), _judged("UNRELATED")[0])] == [True], "one target is open"


def test_before_treatment_nothing_is_related() -> None:
    assert not _facts(_onset(minute(days=2)))


def test_a_void_adverse_event_counts_for_nothing() -> None:
    assert not _facts(_ae(), ae_voided())
    assert not reactions(_view(*TREATED, _ae(code="ANAPHYLAXIS"), ae_voided()), _under("SR4"))


def test_a_grade_that_was_corrected_away_counts_no_more_and_one_that_improved_does() -> None:
    stated = _view(*TREATED, _ae()).adverse_events[AE].grades[0].event_id
    corrected = ae_grade_corrected(grade=2, gradeEventId=str(stated))
    assert _counted(_ae(), corrected) == set()
    assert "SR2" in _counted(_ae(), ae_grade_changed(1, gradeAt=minute(hours=2)))
    assert "SR2" in _counted(_ae(), ae_resolved(endAt=minute(hours=2)))


def test_only_rules_that_are_enabled_are_named() -> None:
    assert _counted(_ae(), rules=("SR2",)) == {"SR2"}
    assert _counted(_ae(), rules=()) == set()


def test_T0_is_told_while_a_rule_of_the_trial_is_enabled() -> None:
    view = _view(*TREATED)
    assert contribution(view, _under("SR5")).treated_at == at(hours=6)
    assert contribution(view, _under("SR4")).treated_at is None
    assert contribution(_view(*TREATED[:2]), _under("SR5")).treated_at is None


def test_the_evidence_is_the_report_the_grade_and_what_relates_it() -> None:
    events = (
        _ae(grade=2),
        ae_causality(value="UNLIKELY", target="DEVICE"),
        ae_grade_changed(3, gradeAt=minute(hours=2)),
    )
    worse = ae_grade_changed(4, gradeAt=minute(hours=1))
    related = ae_causality(3, value="PROBABLE", target="CELL_PRODUCT")
    of_procedure = ae_causality(4, value="PROBABLE", target="PROCEDURE")
    view = _view(*TREATED, *events, worse, related, of_procedure)
    (fact,) = contribution(view, _under("SR5")).adverse_events
    report, third, judged = (_id(view, place) for place in (5, 7, 9))
    assert fact.event_ids == (report, third, judged)
    (both,) = contribution(view, _under("SR2", "SR5")).adverse_events
    assert both.event_ids == (report, third, _id(view, 8), judged)


def _id(view: SubjectView, streamseq: int) -> UUID:
    return recorded(subject_stream(view.subject_id), streamseq, By(session_ended())).envelope.id
