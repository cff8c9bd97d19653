"""RAD-05: Hy's law for livers that are ill already, at each threshold of the protocol."""

import pytest

from hepatrail_events.adverse_events import Criterion
from hepatrail_projections.clinical.radar.sighting import FindingKind
from radar_course import RadarCourse, closed

HYS_LAW = FindingKind.HYS_LAW
ILL = {"alt": "200", "ast": "180", "tbil": "340", "alp": "110"}
"""A baseline far above the upper limits of ALT 50, AST 40 and bilirubin 26."""
WELL = {"alt": "30", "ast": "30", "tbil": "12", "alp": "90"}


def treated(**baseline: str) -> RadarCourse:
    course = RadarCourse()
    if baseline:
        course.lab(**baseline)
    course.wait(hours=1)
    course.session()
    course.wait(days=1)
    return course


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"alt": "600", "tbil": "680"}, True),
        ({"alt": "599", "tbil": "680"}, False),
        ({"alt": "600", "tbil": "679.9"}, False),
        ({"ast": "540", "tbil": "680"}, True),
        ({"ast": "539", "tbil": "680"}, False),
        ({"alt": "200", "tbil": "340"}, False),
        ({"alt": ">600", "tbil": "680"}, True),
        ({"alt": "<700", "tbil": "680"}, False),
    ],
)
def test_an_abnormal_baseline_is_what_values_are_held_against(values: dict[str, str], found: bool) -> None:
    course = treated(**ILL)
    course.lab(**values, alp="110")
    assert bool(course.found(HYS_LAW)) is found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"alt": "150", "tbil": "52"}, True),
        ({"alt": "149", "tbil": "52"}, False),
        ({"alt": "150", "tbil": "51.9"}, False),
        ({"ast": "120", "tbil": "52"}, True),
    ],
)
@pytest.mark.parametrize("baseline", [WELL, {}], ids=["normal", "missing"])
def test_a_normal_or_missing_baseline_leaves_the_upper_limit(
    baseline: dict[str, str], values: dict[str, str], found: bool
) -> None:
    course = treated(**baseline)
    course.lab(**values)
    assert bool(course.found(HYS_LAW)) is found


def test_each_analyte_has_its_own_baseline() -> None:
    course = treated(**{**WELL, "tbil": "340"})
    course.lab(alt="150", tbil="340")
    assert course.found(HYS_LAW) == []
    course.lab(alt="150", tbil="680")
    assert "x upper limit, with tbil 680 umol/L, 2.0 x baseline" in course.the_finding(HYS_LAW).words


def test_without_an_upper_limit_nothing_is_said_of_a_normal_baseline() -> None:
    course = treated(**WELL)
    course.sampled({"alt": "900", "tbil": "900"}, limits=False)
    assert course.found(HYS_LAW) == []


def test_its_evidence_are_both_results_their_baseline_and_the_phosphatase() -> None:
    course = treated(**ILL)
    baseline = course.events(course.stream)[2].envelope.id
    course.lab(alt="610")
    transaminase = course.last
    course.wait(days=2)
    course.lab(alp="130")
    phosphatase = course.last
    course.wait(hours=1)
    (bilirubin,) = course.lab(tbil="700")
    row = course.the_finding(HYS_LAW)
    assert row.evidence == (transaminase, course.last, baseline, phosphatase)
    assert (row.object_kind, row.object_id) == ("LAB_FINDING", bilirubin)
    assert (row.rule, row.severity, row.opened_at) == ("RAD-05", "CRITICAL", course.now)
    assert course.asking(row) == ["RAD-05"]


@pytest.mark.parametrize(("days", "found"), [(14, True), (14.1, False)])
def test_both_pass_within_14_days(days: float, found: bool) -> None:
    course = treated(**ILL)
    course.lab(alt="610")
    at = course.now
    course.log.now = at
    course.wait(days=days, minutes=-0.1)
    course.lab(tbil="700")
    assert bool(course.found(HYS_LAW)) is found


@pytest.mark.parametrize(("alp", "found"), [("249", True), ("250", False), ("<300", True), (">250", False)])
def test_a_high_phosphatase_shows_cholestasis(alp: str, found: bool) -> None:
    course = treated(**ILL)
    course.lab(alt="610", tbil="700", alp=alp)
    assert bool(course.found(HYS_LAW)) is found


def test_before_treatment_it_is_not_the_treatment() -> None:
    course = RadarCourse()
    course.lab(alt="900", tbil="900")
    course.wait(hours=1)
    course.session()
    assert course.rows() == []


def test_a_serious_event_of_the_liver_flags_it_and_another_does_not() -> None:
    course = treated(**ILL)
    course.lab(alt="610", tbil="700")
    onset = {"onset": {"precision": "UNKNOWN"}}
    course.adverse_event(grade=4, criteria=(Criterion.LIFE_THREATENING,), **onset)
    assert course.the_finding(HYS_LAW).status == "OPEN"
    course.adverse_event(code="HEPATIC_FAILURE_WORSENING", grade=3, **onset)
    assert course.the_finding(HYS_LAW).status == "OPEN", "not serious"
    liver = course.adverse_event(
        code="HEPATIC_FAILURE_WORSENING", grade=4, criteria=(Criterion.LIFE_THREATENING,), **onset
    )
    assert closed(course.the_finding(HYS_LAW)) == ("CLOSED", "CONDITION_GONE", course.last)
    course.void_ae(liver)
    assert course.the_finding(HYS_LAW).status == "OPEN"


def test_an_episode_is_asked_about_once_and_the_next_one_again() -> None:
    course = treated(**ILL)
    course.lab(alt="610", tbil="700")
    first = course.the_finding(HYS_LAW)
    for _ in range(4):
        course.wait(days=5)
        course.lab(alt="650", ast="600", tbil="720")
    assert course.the_finding(HYS_LAW).finding_id == first.finding_id
    course.wait(days=15)
    course.lab(alt="610", tbil="700")
    assert len(course.found(HYS_LAW)) == 2


def test_a_result_that_was_mistyped_closes_it() -> None:
    course = treated(**ILL)
    (_, bilirubin) = course.lab(alt="610", tbil="900")
    corrected = course.correct_result(bilirubin, "90")
    assert closed(course.the_finding(HYS_LAW)) == ("CLOSED", "CONDITION_GONE", corrected)


def test_the_protocol_decides_every_threshold() -> None:
    course = RadarCourse(
        safety={"radar": {"transaminase_x_baseline": "1.5", "bilirubin_x_baseline": "1.1", "alp_below_x_uln": "5"}}
    )
    course.lab(**ILL)
    course.wait(hours=1)
    course.session()
    course.wait(days=1)
    course.lab(alt="300", tbil="374", alp="600")
    assert "1.5 x baseline, with tbil 374 umol/L, 1.1 x baseline" in course.the_finding(HYS_LAW).words
