"""What ends or reduces what a participant owes, as it was recorded (visits.md section 5.1)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clinical_builders import T0, A, hours
from hepatrail_events.assessments import (
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
    TransplantDone,
    WithdrawalScope,
)
from hepatrail_events.enrolment import ConsentWithdrawn
from hepatrail_events.types import PartialDate, Precision
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.visits import status_at
from projection_log import SEALED
from visit_course import LATER, VisitCourse, partial

D2 = A + timedelta(days=2)
D2_OPENS = datetime(2026, 3, 11, 16, tzinfo=UTC)
D2_CLOSES = datetime(2026, 3, 12, 16, tzinfo=UTC)
D7 = A + timedelta(days=7)
W4 = A + timedelta(days=28)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def course() -> VisitCourse:
    made = VisitCourse()
    made.session()
    return made


def statuses(course: VisitCourse, as_of: datetime = LATER) -> dict[str, tuple[str, str | None]]:
    found = {code: status_at(row, as_of) for code, row in course.rows(as_of).items()}
    return {code: (each.status, each.cause) for code, each in found.items()}


def void(course: VisitCourse, event_id: object, at: datetime) -> None:
    record = AssessmentVoided.model_validate(
        {"id": event_id, "reason_code": VoidReason.ENTERED_IN_ERROR, "reason_text": SEALED}
    )
    course.record(record, at)


def test_death_is_a_full_stop_and_what_was_missed_before_stays_missed(course: VisitCourse) -> None:
    course.everything(D2)
    course.death(A + timedelta(days=4))
    found = statuses(course)
    assert found["D2"] == ("complete_in_window", None)
    assert found["D3"] == ("missed", None)
    assert {found[code] for code in ("D5", "D7", "W2", "M12")} == {("not_applicable", "DEATH")}


def test_a_point_whose_window_opened_before_death_keeps_its_result(course: VisitCourse) -> None:
    course.labs(D2, ["alt"])
    course.death(D2 + hours(1))
    assert statuses(course)["D2"] == ("partial", "DEATH")


def test_a_death_of_which_only_the_day_is_known_lies_in_the_window_of_that_day(course: VisitCourse) -> None:
    course.death(date(2026, 3, 12), recorded=D7)
    found = statuses(course)
    assert (found["D2"], found["D3"]) == (("not_applicable", "DEATH"), ("not_applicable", "DEATH"))
    [death] = course.state().stops
    assert death.time == D2_CLOSES - MILLISECOND


def test_a_death_of_which_little_is_known_is_not_later_than_its_discovery(course: VisitCourse) -> None:
    month = PartialDate(value="2026-03", precision=Precision.MONTH)
    course.death(D2, recorded=D2 + hours(1))
    course.record(DeathRecordCorrected(revived=False, death_at=month, reason=SEALED), D7)
    assert course.state().stops[0].time == D2 + hours(1)


def test_a_death_recorded_late_turns_missed_into_not_applicable_and_past_answers_stay(course: VisitCourse) -> None:
    course.death(A + timedelta(days=4), recorded=W4)
    assert course.status("D7", W4 - hours(1)).status == "missed"
    found = course.status("D7", W4 + hours(1))
    assert (found.status, found.cause) == ("not_applicable", "DEATH")
    assert course.status("D7", W4 - hours(1)).status == "missed"


def test_a_corrected_death_moves_the_stop(course: VisitCourse) -> None:
    course.death(A + timedelta(days=4))
    assert statuses(course)["D5"] == ("not_applicable", "DEATH")
    correction = DeathRecordCorrected(revived=False, death_at=partial(D7 + timedelta(days=5)), reason=SEALED)
    corrected = course.record(correction, W4)
    found = statuses(course)
    assert (found["D5"], found["D7"]) == (("missed", None), ("missed", None))
    assert corrected in course.rows()["W4"].event_ids


def test_a_participant_found_alive_owes_everything_again(course: VisitCourse) -> None:
    course.death(A + timedelta(days=4))
    course.record(DeathRecordCorrected(revived=True, reason=SEALED), W4)
    assert course.state().stops == ()
    assert statuses(course)["W4"] == ("missed", None)


@pytest.mark.parametrize("scope", [WithdrawalScope.FOLLOW_UP, WithdrawalScope.ALL_DATA_USE])
def test_withdrawal_of_follow_up_or_of_all_data_use_is_a_full_stop(course: VisitCourse, scope: WithdrawalScope) -> None:
    course.withdrawal(A + timedelta(days=4), scope)
    found = statuses(course)
    assert found["D2"] == ("missed", None)
    assert {found[code] for code in ("D5", "D7", "M12")} == {("not_applicable", "WITHDRAWAL")}


def test_withdrawal_that_allows_vital_status_leaves_surv_which_only_death_stops(course: VisitCourse) -> None:
    course.withdrawal(A + timedelta(days=4), vital_status=True)
    assert statuses(course)["D5"] == ("not_applicable", "WITHDRAWAL")
    assert course.status("W4").required == ("SURV",)
    course.survival(W4)
    assert course.status("W4").status == "complete_in_window"
    course.death(A + timedelta(days=60))
    found = statuses(course)
    assert (found["W4"], found["W12"]) == (("complete_in_window", None), ("not_applicable", "DEATH"))


def test_a_wider_withdrawal_ends_the_survival_status_too(course: VisitCourse) -> None:
    course.withdrawal(A + timedelta(days=4), vital_status=True)
    course.withdrawal(A + timedelta(days=40), WithdrawalScope.ALL_DATA_USE)
    assert course.status("W4").required == ("SURV",)
    assert statuses(course)["W12"] == ("not_applicable", "WITHDRAWAL")


def test_withdrawal_from_treatment_only_stops_nothing(course: VisitCourse) -> None:
    before = statuses(course)
    course.withdrawal(A + timedelta(days=4), WithdrawalScope.TREATMENT_ONLY)
    assert statuses(course) == before


def test_a_void_withdrawal_stops_nothing(course: VisitCourse) -> None:
    before = statuses(course)
    withdrawn = course.withdrawal(A + timedelta(days=4))
    void(course, withdrawn, D7)
    assert statuses(course) == before
    assert statuses(course, D7)["D5"] == ("not_applicable", "WITHDRAWAL")


def test_a_corrected_withdrawal_moves_the_stop(course: VisitCourse) -> None:
    withdrawn = course.withdrawal(A + timedelta(days=4))
    correction = AssessmentCorrected(
        id=withdrawn, field="withdrawnAt", new_value="2026-04-01T00:00:00.000Z", reason=SEALED
    )
    course.record(correction, W4)
    found = statuses(course)
    assert (found["D5"], found["W4"]) == (("missed", None), ("not_applicable", "WITHDRAWAL"))


def test_after_a_transplant_ae_and_surv_points_owe_these_two_and_the_others_nothing(course: VisitCourse) -> None:
    course.transplant(A + timedelta(days=4))
    assert statuses(course)["D5"] == ("not_applicable", "TRANSPLANT")
    assert statuses(course)["W2"] == ("not_applicable", "TRANSPLANT")
    assert course.status("D7").required == ("AE", "SURV")
    course.ae(D7)
    course.survival(D7)
    assert course.status("D7").status == "complete_in_window"


def test_a_protocol_may_keep_everything_after_a_transplant() -> None:
    course = VisitCourse(visits={"post_transplant": "ALL"})
    course.session()
    course.transplant(A + timedelta(days=4))
    assert statuses(course)["D5"] == ("missed", None)
    assert len(course.status("D7").required) == 27


def test_a_transplant_inside_the_window_keeps_what_was_observed_before_it(course: VisitCourse) -> None:
    course.labs(D2, ["alt", "ast"])
    course.transplant(D2 + hours(2))
    found = course.status("D2")
    assert (found.status, found.required) == ("complete_in_window", ("alt", "ast"))


def test_also_where_a_nearer_observation_was_made_after_it(course: VisitCourse) -> None:
    course.labs(D2 - hours(10), ["alt"])
    course.labs(D2, ["alt", "ast"])
    course.transplant(D2 - hours(5))
    found = course.status("D2")
    assert (found.status, found.required) == ("complete_in_window", ("alt",))
    assert course.rows()["D2"].done["alt"]["at"] == "2026-03-11T22:00:00.000Z"


def test_an_item_with_sub_inputs_counts_when_all_of_them_were_observed_before(course: VisitCourse) -> None:
    course.bedside(D2, without=["gcs_motor"])
    course.bedside(D2 + hours(3))
    course.transplant(D2 + hours(2))
    assert course.status("D2").required == ("MELD_CTX",)


def test_a_transplant_inside_the_window_drops_unobserved_items_only(course: VisitCourse) -> None:
    course.labs(D7, ["alt"])
    course.transplant(D7 + hours(2))
    assert course.status("D7").required == ("alt", "AE", "SURV")


def test_a_transplant_after_the_window_changes_nothing_there(course: VisitCourse) -> None:
    course.transplant(D2_CLOSES)
    assert statuses(course)["D2"] == ("missed", None)
    assert statuses(course)["D3"] == ("not_applicable", "TRANSPLANT")


def test_a_transplant_before_t0_reduces_nothing() -> None:
    course = VisitCourse()
    course.transplant(T0 - timedelta(days=9))
    course.record(TransplantDone(transplant_at=PartialDate(value="2026", precision=Precision.YEAR)), T0 - hours(3))
    course.session()
    assert course.state().stops == ()
    assert len(course.status("D2").required) == 25


def test_the_first_transplant_after_t0_counts(course: VisitCourse) -> None:
    later = course.transplant(A + timedelta(days=40))
    first = course.transplant(A + timedelta(days=10), recorded=A + timedelta(days=50))
    [stop] = course.state().stops
    assert (stop.time, stop.event_ids) == (A + timedelta(days=10), (first,))
    void(course, first, A + timedelta(days=60))
    assert course.state().stops[0].event_ids == (later,)


def test_loss_to_follow_up_stops_nothing(course: VisitCourse) -> None:
    before = statuses(course)
    course.record(LostToFollowUp(last_contact_at=A + timedelta(days=4)), D7)
    assert statuses(course) == before
    course.record(ContactRegained(at=W4), W4)
    course.everything(W4)
    assert course.status("W4").missing == (("AE", None), ("SURV", None))


def test_enrolled_and_never_treated() -> None:
    course = VisitCourse()
    course.withdrawal(T0, WithdrawalScope.TREATMENT_ONLY)
    found = statuses(course)
    assert found.pop("BL") == ("not_applicable", "NOT_TREATED")
    assert set(found.values()) == {("not_applicable", "NOT_TREATED")}


def test_consent_withdrawn_before_treatment() -> None:
    course = VisitCourse()
    course.record(ConsentWithdrawn(withdrawn_at=T0), T0)
    assert set(statuses(course).values()) == {("not_applicable", "NOT_TREATED")}


def test_a_death_before_treatment_is_the_baselines_cause() -> None:
    course = VisitCourse()
    course.death(T0)
    found = statuses(course)
    assert found.pop("BL") == ("not_applicable", "DEATH")
    assert set(found.values()) == {("not_applicable", "NOT_TREATED")}


def test_the_precedence_of_causes_is_death_withdrawal_transplant(course: VisitCourse) -> None:
    course.transplant(A + timedelta(days=4))
    assert statuses(course)["W2"] == ("not_applicable", "TRANSPLANT")
    course.withdrawal(A + timedelta(days=5))
    assert statuses(course)["W2"] == ("not_applicable", "WITHDRAWAL")
    course.death(A + timedelta(days=6))
    assert statuses(course)["W2"] == ("not_applicable", "DEATH")


def test_a_death_during_the_first_session_anchors_the_schedule() -> None:
    course = VisitCourse()
    course.session(T0, None)
    assert statuses(course)["P0_5_1H"] == ("not_yet_due", None)
    course.death(T0 + hours(2))
    assert course.rows()["P0_5_1H"].earliest == T0 + hours(2.5)
    assert set(statuses(course).values()) == {("missed", None), ("not_applicable", "DEATH")}
