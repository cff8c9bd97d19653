"""What a correction, a reopening or a void makes of an adverse event, and what cannot be folded, in whatever order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ae_course import HOSPITAL, MENDED, SHANGHAI, SITE, Course, S, day
from hepatrail_events.adverse_events import (
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
    Causality,
    CausalityTarget,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, Precision, format_instant
from hepatrail_projections.subject_view import fold, fold_all
from projection_log import SEALED, LogWriter


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
