"""INV-15, INV-17, INV-18, INV-19, INV-20: what adverse events and a death leave open."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AEUpgradedToSerious,
    Assessor,
    Causality,
    CausalityTarget,
    Criterion,
    Outcome,
)
from hepatrail_events.assessments import DeathRecordCorrected
from hepatrail_events.ids import derived_id
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.types import PartialDate
from projection_log import SEALED
from query_course import Course, S, day, minute, void

LIFE_THREATENING, HOSPITALISATION = Criterion.LIFE_THREATENING, Criterion.HOSPITALISATION


@pytest.mark.parametrize(
    ("grade", "criteria", "asked"),
    [
        (4, (HOSPITALISATION,), ["GRADE_4_NOT_LIFE_THREATENING"]),
        (4, (LIFE_THREATENING,), []),
        (3, (LIFE_THREATENING,), ["LIFE_THREATENING_BELOW_GRADE_4"]),
        (3, (HOSPITALISATION,), []),
        (3, (), ["ASK_PROLONGATION"]),
        (4, (), ["GRADE_4_NOT_LIFE_THREATENING", "ASK_PROLONGATION"]),
        (2, (), []),
        (None, (LIFE_THREATENING,), []),
    ],
)
def test_inv_15_grade_and_criteria_belong_together(
    grade: int | None, criteria: tuple[Criterion, ...], asked: list[str]
) -> None:
    course = Course()
    event = course.adverse_event(grade=grade, criteria=criteria)
    assert course.codes("INV-15") == asked
    course.void_ae(event)
    assert course.open("INV-15") == []


def test_inv_15_closes_by_itself_when_the_criteria_are_completed() -> None:
    course = Course()
    event = course.adverse_event(grade=4)
    query = course.the("INV-15")
    assert (query.query_id, query.object_kind) == (derived_id("INV-15", S, event.ae_id), "ADVERSE_EVENT")
    course.commit(
        AEUpgradedToSerious(
            ae_id=event.ae_id,
            ae_version=2,
            criteria=(LIFE_THREATENING,),
            serious_since=minute(course.now),
            aware_at=course.now,
        )
    )
    assert course.open("INV-15") == []


def test_inv_15_a_milder_grade_later_is_no_contradiction() -> None:
    course = Course()
    event = course.adverse_event(grade=4, criteria=(LIFE_THREATENING,))
    course.wait(hours=5)
    course.commit(
        AEGradeChanged(ae_id=event.ae_id, ae_version=2, from_grade=4, to_grade=2, grade_at=minute(course.now))
    )
    assert course.open("INV-15") == []


def test_inv_15_an_outpatients_stay_cannot_be_prolonged() -> None:
    course = Course()
    course.bedside({"code": "pao2", "not_done": "OUTPATIENT_NO_ABG"})
    course.wait(hours=1)
    course.adverse_event(grade=3)
    assert course.open("INV-15") == []
    course.wait(hours=1)
    course.bedside({"code": "pao2", "value": "90", "unit": "mm[Hg]"})
    course.wait(hours=1)
    event = course.adverse_event(grade=3)
    assert course.the("INV-15").object_id == event.ae_id


def reaction(course: Course, onset: PartialDate) -> AEReported:
    return course.adverse_event(code="INFUSION_REACTION", onset=onset, grade_at=onset)


def test_inv_17_an_infusion_reaction_begins_in_a_session_or_the_24_hours_after_it() -> None:
    course = Course()
    begun = course.session()
    ends = begun.started_at + timedelta(hours=29)
    course.wait(days=4)
    for inside in (minute(begun.started_at), minute(ends), day(f"{ends:%Y-%m-%d}"), PartialDate(precision="UNKNOWN")):
        reaction(course, inside)
    assert course.open("INV-17") == []
    late = reaction(course, minute(ends + timedelta(minutes=1)))
    early = reaction(course, minute(begun.started_at - timedelta(minutes=1)))
    another_day = reaction(course, day(f"{ends + timedelta(days=2):%Y-%m-%d}"))
    asked = {row.object_id for row in course.open("INV-17")}
    assert asked == {late.ae_id, early.ae_id, another_day.ae_id}
    course.adverse_event(code="FEVER", onset=minute(ends + timedelta(days=1)))
    assert len(course.open("INV-17")) == 3, "another code may begin whenever"


def test_inv_17_opens_when_the_session_is_void_and_closes_with_the_event() -> None:
    course = Course()
    begun = course.session()
    event = reaction(course, minute(begun.started_at + timedelta(hours=1)))
    assert course.open("INV-17") == []
    voided = course.commit(SessionVoided(**void(begun.session_id)))
    assert voided in course.the("INV-17").event_ids
    course.void_ae(event)
    assert course.open("INV-17") == []


def test_inv_17_takes_its_hours_from_the_protocol() -> None:
    course = Course(safety={"acute_reaction_hours": 48})
    begun = course.session()
    course.wait(days=4)
    reaction(course, minute(begun.started_at + timedelta(hours=5 + 47)))
    assert course.open("INV-17") == []


def test_inv_18_a_death_without_fatal_adverse_event_after_24_hours() -> None:
    course = Course()
    died = course.died()
    recorded = course.now
    assert course.open("INV-18", recorded + timedelta(hours=23, minutes=59)) == []
    (query,) = course.open("INV-18", recorded + timedelta(hours=24))
    assert (query.object_kind, query.object_id, query.code) == ("DEATH", died, "NO_FATAL_EVENT")
    course.wait(hours=30)
    event = course.adverse_event(outcome=Outcome.FATAL, grade=5, criteria=(Criterion.DEATH,))
    assert course.open("INV-18") == []
    course.void_ae(event)
    assert len(course.open("INV-18")) == 1


def test_inv_18_asks_nothing_of_the_living() -> None:
    course = Course()
    course.died()
    course.wait(hours=30)
    course.commit(DeathRecordCorrected(revived=True, reason=SEALED))
    assert course.open("INV-18") == []
    again = course.died()
    course.wait(hours=30)
    assert course.the("INV-18").object_id == again


def reopened(course: Course, ended: PartialDate) -> AEReported:
    """An event of grade 2 that ended and goes on."""
    event = course.adverse_event(onset=day("2026-01-05"), grade_at=day("2026-01-05"))
    course.wait(days=5)
    course.commit(AEResolved(ae_id=event.ae_id, ae_version=2, outcome=Outcome.RECOVERED, end_at=ended))
    course.commit(AEReopened(ae_id=event.ae_id, ae_version=3, reason=SEALED))
    return event


def worsens(course: Course, event: AEReported, when: PartialDate, grade: int = 3) -> UUID:
    return course.commit(AEGradeChanged(ae_id=event.ae_id, ae_version=4, from_grade=2, to_grade=grade, grade_at=when))


def at(text: str) -> PartialDate:
    return PartialDate(value=f"2026-01-{text}Z", precision="MINUTE")


@pytest.mark.parametrize(
    ("ended", "when", "grade", "asked"),
    [
        (at("06T10:00"), at("07T10:00"), 3, False),
        (at("06T10:00"), at("07T10:01"), 3, True),
        (at("06T10:00"), at("09T10:00"), 2, False),
        (day("2026-01-06"), day("2026-01-07"), 3, False),
        (day("2026-01-06"), day("2026-01-08"), 3, True),
        (PartialDate(precision="UNKNOWN"), day("2026-01-09"), 3, False),
    ],
)
def test_inv_19_a_worsening_more_than_24_hours_after_the_end_is_a_new_event(
    ended: PartialDate, when: PartialDate, grade: int, asked: bool
) -> None:
    course = Course()
    event = reopened(course, ended)
    point = worsens(course, event, when, grade)
    assert course.codes("INV-19") == ["SHOULD_BE_NEW"] * asked
    course.commit(AEGradeCorrected(ae_id=event.ae_id, ae_version=5, grade_event_id=point, reason=SEALED))
    assert course.open("INV-19") == []


def test_inv_19_coming_more_often_is_a_worsening_too() -> None:
    course = Course()
    event = reopened(course, day("2026-01-06"))
    course.commit(
        AEFollowedUp(
            ae_id=event.ae_id,
            ae_version=4,
            info_received_at=course.now,
            text=SEALED,
            frequency_worsened_at=day("2026-01-09"),
        )
    )
    assert course.codes("INV-19") == ["SHOULD_BE_NEW"]


@pytest.mark.parametrize(
    ("onset", "asked"),
    [(at("06T23:00"), True), (at("07T10:00"), True), (at("07T10:01"), False), (at("05T10:00"), False)],
)
def test_inv_19_a_recurrence_within_24_hours_is_the_same_event_reopened(onset: PartialDate, asked: bool) -> None:
    course = Course()
    first = course.adverse_event(outcome=Outcome.RECOVERED, end_at=at("06T10:00"), onset=day("2026-01-04"))
    course.wait(days=5)
    again = course.adverse_event(onset=onset, recurrence_of=first.ae_id)
    assert course.codes("INV-19") == ["SHOULD_BE_REOPENED"] * asked
    course.void_ae(again)
    assert course.open("INV-19") == []


def test_inv_19_what_recurs_after_treatment_began_is_new_however_soon() -> None:
    course = Course()
    ended = course.wait(hours=1)
    first = course.adverse_event(outcome=Outcome.RECOVERED, end_at=minute(ended), onset=day("2026-01-05"))
    course.wait(hours=1)
    course.session()
    course.adverse_event(recurrence_of=first.ae_id)
    assert course.open("INV-19") == []


def judged(course: Course, event: AEReported, target: str, version: int, assessor: str = "INVESTIGATOR") -> None:
    course.commit(
        AECausalityAssessed(
            ae_id=event.ae_id,
            ae_version=version,
            assessor=Assessor(assessor),
            target=CausalityTarget(target),
            value=Causality.POSSIBLE,
            rationale=SEALED,
        )
    )


def test_inv_20_an_sae_without_the_investigators_causality_24_hours_after_the_report() -> None:
    course = Course()
    event = course.adverse_event(criteria=(HOSPITALISATION,), causality=())
    reported = course.now
    assert course.open("INV-20", reported + timedelta(hours=23, minutes=59)) == []
    (query,) = course.open("INV-20", reported + timedelta(hours=24))
    assert (query.code, query.object_id, query.opens_at) == (
        "NO_CAUSALITY",
        event.ae_id,
        reported + timedelta(hours=24),
    )
    course.wait(hours=30)
    judged(course, event, "CELL_PRODUCT", 2)
    judged(course, event, "DEVICE", 3, "SPONSOR")
    assert "for the device." in course.the("INV-20").message
    judged(course, event, "DEVICE", 4)
    assert course.open("INV-20") == []


def test_inv_20_counts_from_what_made_the_event_serious() -> None:
    course = Course()
    event = course.adverse_event(causality=())
    course.wait(days=3)
    assert course.open("INV-20") == []
    upgraded: dict[str, Any] = {"criteria": (HOSPITALISATION,), "serious_since": minute(course.now)}
    course.commit(AEUpgradedToSerious(ae_id=event.ae_id, ae_version=2, aware_at=course.now, **upgraded))
    assert course.open("INV-20") == []
    course.wait(hours=24)
    assert course.codes("INV-20") == ["NO_CAUSALITY"]


def test_inv_20_an_event_without_grade_24_hours_after_the_report() -> None:
    course = Course()
    event = course.adverse_event(grade=None, grade_at=None)
    assert course.open("INV-20") == []
    course.wait(hours=24)
    query = course.the("INV-20")
    assert (query.code, query.query_id) == ("NO_GRADE", derived_id("INV-20", S, f"{event.ae_id}:grade"))
    course.commit(AEGradeChanged(ae_id=event.ae_id, ae_version=2, to_grade=2, grade_at=minute(course.now)))
    assert course.open("INV-20") == []
