"""What the fold keeps of an adverse event: the latest version, and everything that was said before (`safety.md` 4)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.adverse_events import (
    ActionTaken,
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AeVoidReason,
    AEVoidRequested,
    Assessor,
    Causality,
    CausalityStatement,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.codec import Recorded, read
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, Precision, SealedText, format_instant
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.subject_view import fold, fold_all
from projection_log import SEALED, LogWriter, adverse_event

S = "S-1"
STREAM = f"subject-{S}"
SHANGHAI = ZoneInfo("Asia/Shanghai")
MENDED = SealedText(kid="k", cid="c2", path="newText", ct="BBBB")
SITE, SPONSOR = Assessor.INVESTIGATOR, Assessor.SPONSOR
HOSPITAL, THREAT, IMPORTANT = (
    Criterion.HOSPITALISATION,
    Criterion.LIFE_THREATENING,
    Criterion.MEDICALLY_IMPORTANT,
)


def day(text: str) -> PartialDate:
    return PartialDate(value=text, precision=Precision.DAY)


class Course:
    """One adverse event and what is said of it."""

    def __init__(self, **report: object) -> None:
        self.log = LogWriter(17)
        given_report = {"onset": day("2026-01-03"), "grade_at": day("2026-01-03"), **report}
        self.reported: AEReported = adverse_event(self.log, STREAM, **given_report)
        self.ae_id = self.reported.ae_id
        self.version = 1

    def say(self, kind: type[Event], role: str = "INVESTIGATOR", actor: str = "dr-li", **fields: object) -> UUID:
        """Records the next event of the adverse event; its id."""
        self.version += 1
        event = kind.model_validate({"ae_id": self.ae_id, "ae_version": self.version, **fields})
        (record,) = self.log.commit(STREAM, event, role=role, actor=actor)
        return read(record.value or b"").envelope.id

    @property
    def events(self) -> list[Recorded]:
        return [read(each.value or b"") for each in self.log.records if each.topic == "hepatrail.events"]

    @property
    def fact(self) -> AdverseEventFact:
        return fold_all(S, self.events).adverse_events[self.ae_id]


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


def test_an_event_that_is_reopened_goes_on_without_an_end() -> None:
    course = Course()
    course.say(AEResolved, outcome=Outcome.RECOVERED, end_at=day("2026-01-08"))
    assert (course.fact.outcome, course.fact.end_at) == (Outcome.RECOVERED, day("2026-01-08"))
    course.say(AEReopened, reason=MENDED)
    fact = course.fact
    assert (fact.outcome, fact.end_at) == (Outcome.NOT_RECOVERED, None)
    assert [each.event.reason for each in fact.reopenings] == [MENDED]


@pytest.mark.parametrize(
    ("field", "new", "shown"),
    [
        ("onset", "2026-01", PartialDate(value="2026-01", precision=Precision.MONTH)),
        ("code", "SEPSIS", "SEPSIS"),
        ("outcome", "RECOVERING", Outcome.RECOVERING),
        ("ageYears", "61", 61),
        ("onsetBeforeFirstSession", "true", True),
        ("baselineConditionId", "00000000-0000-4000-8000-000000000007", UUID("00000000-0000-4000-8000-000000000007")),
        ("ctcaeTerm", None, None),
    ],
)
def test_a_corrected_field_shows_its_new_value_and_keeps_the_old(field: str, new: str | None, shown: object) -> None:
    course = Course(ctcae_term="Fever")
    course.say(AECorrected, actor="dr-wu", field=field, old_value="before", new_value=new, reason=MENDED)
    fact = course.fact
    name = next(name for name, info in AEReported.model_fields.items() if info.alias == field)
    assert getattr(fact.reported, name) == shown
    (made,) = fact.corrections
    assert (made.field, made.old, made.new, made.reason, made.actor_id) == (field, "before", new, MENDED, "dr-wu")


def test_a_corrected_verbatim_is_sealed_and_never_plain() -> None:
    course = Course()
    course.say(AECorrected, field="verbatim", new_text=MENDED, reason=SEALED)
    (made,) = course.fact.corrections
    assert (course.fact.reported.verbatim, made.new_text, made.old, made.new) == (MENDED, MENDED, None, None)


def test_a_corrected_onset_or_awareness_moves_what_the_report_said_of_seriousness() -> None:
    course = Course(criteria=(HOSPITAL,))
    earlier = course.reported.aware_at - timedelta(hours=3)
    course.say(AECorrected, field="onset", new_value="2026-01-01", reason=SEALED)
    course.say(AECorrected, field="awareAt", new_value=format_instant(earlier), reason=SEALED)
    assert (course.fact.serious_since, course.fact.serious_aware_at) == (day("2026-01-01"), earlier)
    upgraded = Course()
    aware = upgraded.log.now
    upgraded.say(AEUpgradedToSerious, criteria=(HOSPITAL,), serious_since=day("2026-01-04"), aware_at=aware)
    upgraded.say(AECorrected, field="onset", new_value="2026-01-01", reason=SEALED)
    assert (upgraded.fact.serious_since, upgraded.fact.serious_aware_at) == (day("2026-01-04"), aware)


@pytest.mark.parametrize(("new", "left"), [("2026-01-07", (day("2026-01-07"),)), (None, ())])
def test_a_corrected_worsening_of_frequency_replaces_the_last_statement(
    new: str | None, left: tuple[PartialDate, ...]
) -> None:
    course = Course(frequency_worsened_at=day("2026-01-05"))
    course.say(AECorrected, field="frequencyWorsenedAt", old_value="2026-01-05", new_value=new, reason=SEALED)
    assert course.fact.frequency_worsened == left


def test_a_requested_void_counts_until_another_person_agrees() -> None:
    course = Course(criteria=(HOSPITAL,))
    other = UUID("00000000-0000-4000-8000-000000000008")
    duplicate: dict[str, Any] = {"reason_code": AeVoidReason.DUPLICATE, "reason_text": SEALED, "duplicate_of": other}
    course.say(AEVoidRequested, actor="dr-li", **duplicate)
    assert (course.fact.void_request is not None, course.fact.voided) == (True, None)
    course.say(AEVoided, actor="dr-wu", **duplicate, co_signer="dr-wu")
    fact = course.fact
    assert fact.void_request is not None and fact.voided is not None
    assert (fact.void_request.actor_id, fact.voided.event.co_signer) == ("dr-li", "dr-wu")
    assert (fact.voided.event.duplicate_of, fact.version) == (other, 3)


REFERRING: dict[type[Event], dict[str, Any]] = {
    AEFollowedUp: {"info_received_at": LogWriter(1).now, "text": SEALED},
    AEGradeChanged: {"to_grade": 3, "grade_at": day("2026-01-05")},
    AEGradeCorrected: {"grade_event_id": UUID(int=1, version=4), "reason": SEALED},
    AECausalityAssessed: {
        "assessor": SITE,
        "target": CausalityTarget.DEVICE,
        "value": Causality.POSSIBLE,
        "rationale": SEALED,
    },
    AEExpectednessAssessed: {"value": Expectedness.UNEXPECTED},
    AEUpgradedToSerious: {
        "criteria": (HOSPITAL,),
        "serious_since": day("2026-01-05"),
        "aware_at": LogWriter(1).now,
    },
    AESeriousnessCriteriaChanged: {"assessor": SITE, "added": (HOSPITAL,), "aware_at": LogWriter(1).now},
    AEDowngradedToNonSerious: {
        "assessor": SITE,
        "reason_code": DowngradeReason.DATA_ENTRY_ERROR,
        "reason_text": SEALED,
    },
    AEResolved: {"outcome": Outcome.RECOVERED, "end_at": day("2026-01-05")},
    AEReopened: {"reason": SEALED},
    AECorrected: {"field": "code", "new_value": "SEPSIS", "reason": SEALED},
    AECoded: {"meddra_version": "29.0", "llt_code": "10037660", "pt_code": "10037660"},
    AEVoidRequested: {"reason_code": AeVoidReason.NOT_AN_AE, "reason_text": SEALED},
    AEVoided: {"reason_code": AeVoidReason.NOT_AN_AE, "reason_text": SEALED},
}


@pytest.mark.parametrize("kind", REFERRING, ids=lambda kind: kind.__name__)
def test_an_event_of_an_unknown_adverse_event_cannot_be_folded(kind: type[Event]) -> None:
    course = Course()
    course.ae_id = UUID(int=7, version=4)
    course.say(kind, **REFERRING[kind])
    with pytest.raises(InvalidPayload, match="no adverse event"):
        fold_all(S, course.events)


def test_a_correction_of_an_unknown_or_removed_grade_cannot_be_folded() -> None:
    course = Course()
    first = course.fact.grades[0].event_id
    course.say(AEGradeCorrected, grade_event_id=first, reason=SEALED)
    before = fold_all(S, course.events)
    assert before.adverse_events[course.ae_id].grades == ()
    course.say(AEGradeCorrected, grade_event_id=first, grade=1, reason=SEALED)
    with pytest.raises(InvalidPayload, match="no grade of this adverse event"):
        fold(before, course.events[-1])


def test_a_corrected_value_that_does_not_fit_cannot_be_folded() -> None:
    course = Course()
    course.say(AECorrected, field="onset", new_value="yesterday", reason=SEALED)
    with pytest.raises(InvalidPayload, match="onset"):
        fold_all(S, course.events)


# Properties


def folded_grades(points: Sequence[tuple[int, datetime]]) -> tuple[int | None, int | None]:
    first, *rest = points
    moments = [PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE) for _, at in points]
    course = Course(grade=first[0], grade_at=moments[0])
    for (grade, _), moment in zip(rest, moments[1:], strict=True):
        course.say(AEGradeChanged, to_grade=grade, grade_at=moment)
    return course.fact.current_grade(SHANGHAI), course.fact.max_grade


@given(st.data())
def test_the_order_in_which_grades_are_recorded_does_not_matter_unless_their_times_are_equal(
    data: st.DataObject,
) -> None:
    begin = LogWriter(1).now
    minutes = data.draw(st.lists(st.integers(0, 5_000), min_size=1, max_size=5, unique=True))
    points = [(data.draw(st.integers(1, 4)), begin + timedelta(minutes=each)) for each in minutes]
    shuffled = data.draw(st.permutations(points))
    current, greatest = folded_grades(points)
    assert folded_grades(shuffled) == (current, greatest)
    assert (current, greatest) == (max(points, key=lambda point: point[1])[0], max(grade for grade, _ in points))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_of_equal_times_the_last_recorded_grade_is_current(grades: list[int]) -> None:
    at = LogWriter(1).now
    assert folded_grades([(grade, at) for grade in grades]) == (grades[-1], max(grades))


_kinds = st.lists(st.sampled_from([kind for kind in REFERRING if kind is not AEGradeCorrected]), max_size=12)


@given(_kinds)
def test_folding_twice_is_folding_once_and_the_log_in_parts_is_the_log_in_one(kinds: list[type[Event]]) -> None:
    course = Course()
    for kind in kinds:
        course.say(kind, **REFERRING[kind])
    events = course.events
    whole = fold_all(S, events)
    assert whole == fold_all(S, events)
    view = fold_all(S, events[:1])
    versions = [view.adverse_events[course.ae_id].version]
    for event in events[1:]:
        view = fold(view, event)
        versions.append(view.adverse_events[course.ae_id].version)
    assert view == whole
    assert all(after == before + 1 for before, after in pairwise(versions))
    assert len(whole.adverse_events[course.ae_id].event_ids) == len(events)
