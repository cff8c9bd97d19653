"""What the fold keeps of an adverse event: the latest version, and everything that was said before (`safety.md` 4)."""

from datetime import timedelta

from ae_course import HOSPITAL, IMPORTANT, MENDED, SHANGHAI, SITE, SPONSOR, THREAT, Course, day
from hepatrail_events.adverse_events import (
    ActionTaken,
    AECausalityAssessed,
    AECoded,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Causality,
    CausalityStatement,
    CausalityTarget,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.types import PartialDate, Precision
from projection_log import SEALED


def test_a_report_is_the_first_of_everything() -> None:
    causality = CausalityStatement(target=CausalityTarget.DEVICE, value=Causality.POSSIBLE)
    course = Course(criteria=(THREAT, HOSPITAL), causality=(causality,), frequency_worsened_at=day("2026-01-04"))
    fact = course.fact
    assert (fact.version, fact.current_grade(SHANGHAI), fact.max_grade) == (1, 2, 2)
    assert fact.criteria == (THREAT, HOSPITAL)
    assert (fact.of_investigator, fact.of_sponsor, fact.serious, fact.ever_serious) == (fact.criteria, (), True, True)
    assert (fact.serious_since, fact.serious_aware_at) == (day("2026-01-03"), course.reported.aware_at)
    assert [(each.assessor, each.target, each.value) for each in fact.causality] == [
        (SITE, CausalityTarget.DEVICE, Causality.POSSIBLE)
    ]
    assert (fact.expectedness, fact.frequency_worsened_at) == (Expectedness.UNEXPECTED, day("2026-01-04"))


def test_a_follow_up_changes_outcome_action_and_frequency_and_stays_readable() -> None:
    course = Course()
    course.say(
        AEFollowedUp,
        info_received_at=course.log.now,
        text=MENDED,
        outcome=Outcome.RECOVERING,
        action_taken=ActionTaken.SESSION_STOPPED_EARLY,
        frequency_worsened_at=day("2026-01-05"),
    )
    course.say(AEFollowedUp, info_received_at=course.log.now, text=SEALED, frequency_worsened_at=day("2026-01-09"))
    fact = course.fact
    assert (fact.outcome, fact.action_taken) == (Outcome.RECOVERING, ActionTaken.SESSION_STOPPED_EARLY)
    assert fact.frequency_worsened == (day("2026-01-05"), day("2026-01-09"))
    assert fact.frequency_worsened_at == fact.reported.frequency_worsened_at == day("2026-01-09")
    assert [each.event.text for each in fact.follow_ups] == [MENDED, SEALED]


def test_a_back_dated_grade_changes_the_maximum_and_not_the_current_grade() -> None:
    course = Course(grade=2, grade_at=day("2026-01-04"))
    course.say(AEGradeChanged, from_grade=2, to_grade=4, grade_at=day("2026-01-03"))
    assert (course.fact.current_grade(SHANGHAI), course.fact.max_grade) == (2, 4)


def test_of_grades_of_the_same_time_the_last_recorded_is_current() -> None:
    course = Course(grade=2)
    course.say(AEGradeChanged, from_grade=2, to_grade=3, grade_at=day("2026-01-03"))
    course.say(AEGradeChanged, from_grade=3, to_grade=1, grade_at=day("2026-01-03"))
    assert (course.fact.current_grade(SHANGHAI), course.fact.max_grade) == (1, 3)


def test_a_death_of_which_only_the_day_is_known_lies_after_every_grade_of_that_day() -> None:
    course = Course(grade=3)
    course.say(AEGradeChanged, from_grade=3, to_grade=5, grade_at=day("2026-01-05"))
    minute = PartialDate(value="2026-01-05T09:00Z", precision=Precision.MINUTE)
    course.say(AEGradeChanged, from_grade=5, to_grade=4, grade_at=minute)
    assert course.fact.current_grade(SHANGHAI) == 5


def test_a_mistyped_grade_leaves_the_timeline_and_the_maximum_with_it() -> None:
    course = Course(grade=2)
    mistyped = course.say(AEGradeChanged, from_grade=2, to_grade=4, grade_at=day("2026-01-05"))
    made = course.say(AEGradeCorrected, actor="dr-wu", grade_event_id=mistyped, reason=MENDED)
    fact = course.fact
    assert (fact.current_grade(SHANGHAI), fact.max_grade, len(fact.grades)) == (2, 2, 1)
    (correction,) = fact.grade_corrections
    assert (correction.old.grade, correction.new, correction.reason) == (4, None, MENDED)
    assert (correction.actor_id, correction.event_id) == ("dr-wu", made)


def test_a_corrected_grade_keeps_its_place_its_id_and_unless_stated_its_time() -> None:
    course = Course(grade=4)
    course.say(AEGradeChanged, from_grade=4, to_grade=3, grade_at=day("2026-01-03"))
    first = course.fact.grades[0].event_id
    course.say(AEGradeCorrected, grade_event_id=first, grade=1, reason=SEALED)
    assert [(each.grade, each.grade_at) for each in course.fact.grades] == [
        (1, day("2026-01-03")),
        (3, day("2026-01-03")),
    ]
    assert (course.fact.current_grade(SHANGHAI), course.fact.max_grade) == (3, 3)
    course.say(AEGradeCorrected, grade_event_id=first, grade=2, grade_at=day("2026-01-08"), reason=SEALED)
    assert (course.fact.grades[0].event_id, course.fact.current_grade(SHANGHAI)) == (first, 2)
    assert [each.old.grade for each in course.fact.grade_corrections] == [4, 1]


def test_each_assessor_has_criteria_of_its_own_and_the_effective_ones_are_the_union() -> None:
    course = Course(criteria=(HOSPITAL,))
    course.say(
        AEUpgradedToSerious,
        role="SPONSOR",
        criteria=(IMPORTANT,),
        serious_since=day("2026-01-06"),
        aware_at=course.log.now,
    )
    assert (course.fact.of_investigator, course.fact.of_sponsor) == ((HOSPITAL,), (IMPORTANT,))
    course.say(
        AEDowngradedToNonSerious,
        assessor=SITE,
        reason_code=DowngradeReason.HOSPITALISATION_WAS_PLANNED,
        reason_text=MENDED,
    )
    fact = course.fact
    assert (fact.of_investigator, fact.criteria, fact.serious) == ((), (IMPORTANT,), True)
    last = fact.criteria_history[-1]
    assert (last.assessor, last.criteria, last.aware_at) == (SITE, (), None)
    assert (last.reason_code, last.reason) == (DowngradeReason.HOSPITALISATION_WAS_PLANNED, MENDED)
    assert fact.serious_since == day("2026-01-03")


def test_criteria_are_added_and_removed_by_their_assessor() -> None:
    course = Course(criteria=(HOSPITAL,))
    aware = course.log.now + timedelta(hours=1)
    course.say(
        AESeriousnessCriteriaChanged,
        assessor=SITE,
        added=(THREAT, IMPORTANT),
        removed=(HOSPITAL,),
        reason=SEALED,
        aware_at=aware,
    )
    fact = course.fact
    assert fact.criteria == (THREAT, IMPORTANT)
    assert (fact.criteria_history[-1].aware_at, fact.serious_aware_at) == (aware, course.reported.aware_at)


def test_what_made_it_serious_is_the_last_change_from_not_serious_to_serious() -> None:
    course = Course()
    first, second = course.log.now, course.log.now + timedelta(days=2)
    course.say(AEUpgradedToSerious, criteria=(HOSPITAL,), serious_since=day("2026-01-04"), aware_at=first)
    assert (course.fact.serious_since, course.fact.serious_aware_at) == (day("2026-01-04"), first)
    code = DowngradeReason.CRITERION_MISAPPLIED
    course.say(AEDowngradedToNonSerious, assessor=SITE, reason_code=code, reason_text=SEALED)
    assert (course.fact.serious, course.fact.ever_serious) == (False, True)
    again = course.say(
        AEUpgradedToSerious, role="SPONSOR", criteria=(THREAT,), serious_since=day("2026-01-09"), aware_at=second
    )
    made = course.fact.made_serious
    assert made is not None
    assert (made.assessor, made.since, made.aware_at, made.event_id) == (SPONSOR, day("2026-01-09"), second, again)
    assert course.fact.first_serious_since(SHANGHAI) == day("2026-01-04")


def test_the_change_of_criteria_carries_what_a_clock_needs() -> None:
    course = Course()
    course.say(AEUpgradedToSerious, criteria=(HOSPITAL,), serious_since=day("2026-01-04"), aware_at=course.log.now)
    made, envelope = course.fact.criteria_history[-1], course.events[-1].envelope
    assert (made.received_at, made.recorded_at) == (envelope.receivedat, envelope.recordedat)
    assert (made.commit_id, made.actor_id) == (envelope.commitid, "dr-li")


def test_the_latest_causality_of_each_assessor_and_target_is_in_force() -> None:
    course = Course()
    for role, assessor, value in (
        ("INVESTIGATOR", SITE, Causality.POSSIBLE),
        ("SPONSOR", SPONSOR, Causality.UNLIKELY),
        ("INVESTIGATOR", SITE, Causality.UNRELATED),
    ):
        target = CausalityTarget.CELL_PRODUCT
        course.say(AECausalityAssessed, role=role, assessor=assessor, target=target, value=value, rationale=SEALED)
    fact = course.fact
    assert {key: each.value for key, each in fact.causality_in_force.items()} == {
        (SITE, CausalityTarget.CELL_PRODUCT): Causality.UNRELATED,
        (SPONSOR, CausalityTarget.CELL_PRODUCT): Causality.UNLIKELY,
    }
    assert len(fact.causality) == 3


def test_the_latest_expectedness_and_coding_count() -> None:
    course = Course()
    course.say(
        AEExpectednessAssessed, role="SPONSOR", value=Expectedness.EXPECTED, rsi_version="IB-2", rsi_term="Fever"
    )
    assert course.fact.expectedness is Expectedness.EXPECTED
    course.say(AEExpectednessAssessed, role="SPONSOR", value=Expectedness.UNEXPECTED)
    for llt in ("10037660", "10016558"):
        course.say(AECoded, role="SPONSOR", meddra_version="29.0", llt_code=llt, pt_code="10037660")
    fact = course.fact
    assert (fact.expectedness, len(fact.expectedness_history)) == (Expectedness.UNEXPECTED, 2)
    assert fact.coding is not None
    assert (fact.coding.event.llt_code, len(fact.codings)) == ("10016558", 2)
