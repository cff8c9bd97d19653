"""While a hold is in force `startSession` and `enrolSubject` fail and name it (`safety.md` section 7)."""

from uuid import UUID

import pytest

from builders.commands import command
from builders.ids import HOLD, SUBJECT
from builders.participant import consent, enrolled, session_started
from builders.study import hold_placed
from hepatrail_events.enrolment import SubjectEnrolled
from hepatrail_events.event import Event
from hepatrail_events.sessions import SessionEnded, SessionStarted
from hepatrail_events.study import HoldPlaced, HoldReleased
from specification import READY, Given, given

SCREENED, TREATABLE = (consent(),), (consent(), enrolled())
RELEASED = HoldReleased(hold_id=HOLD, by="pi", reason="reviewed")
OTHER = UUID(int=7)


def _under(history: tuple[Event, ...], *study: Event) -> Given:
    return given(*history).in_study(*READY, *study)


@pytest.mark.parametrize(
    ("hold", "named"),
    [
        (hold_placed(ruleId="SR3"), f"hold {HOLD} of the stopping rule SR3"),
        (hold_placed(), f"hold {HOLD}."),
        (hold_placed(subject_id=SUBJECT, ruleId="SR4"), f"hold {HOLD} of the stopping rule SR4"),
    ],
    ids=["of the trial", "of a person", "of the participant"],
)
def test_a_session_does_not_start_under_a_hold_and_is_told_which(hold: HoldPlaced, named: str) -> None:
    asked = command("startSession")
    assert named in _under(TREATABLE, hold).when(asked).then_rejects("SES-05")
    _under(TREATABLE, hold, RELEASED).when(asked).then_accepts(SessionStarted)


def test_nobody_is_enrolled_under_a_hold_and_is_told_which() -> None:
    hold, asked = hold_placed("HOLD_ENROLMENT", ruleId="SR2"), command("enrolSubject")
    message = _under(SCREENED, hold).when(asked).then_rejects("ENR-04")
    assert message == f"A hold on enrolment is in force: hold {HOLD} of the stopping rule SR2."
    _under(SCREENED, hold, RELEASED).when(asked).then_accepts(SubjectEnrolled)


def test_a_hold_stops_its_own_action_only() -> None:
    _under(TREATABLE, hold_placed("HOLD_ENROLMENT")).when(command("startSession")).then_accepts(SessionStarted)
    _under(SCREENED, hold_placed("HOLD_SESSIONS")).when(command("enrolSubject")).then_accepts(SubjectEnrolled)


def test_the_hold_of_one_participant_is_no_other_participants() -> None:
    hold = hold_placed(subject_id="S-002")
    _under(TREATABLE, hold).when(command("startSession")).then_accepts(SessionStarted)


def test_aud_08_of_two_holds_the_other_one_stays_when_one_is_released() -> None:
    both = (hold_placed(), hold_placed(holdId=str(OTHER)), RELEASED)
    assert f"hold {OTHER}" in _under(TREATABLE, *both).when(command("startSession")).then_rejects("SES-05")


def test_a_running_session_is_never_stopped() -> None:
    running = (*TREATABLE, session_started())
    _under(running, hold_placed()).when(command("endSession")).then_accepts(SessionEnded)
    for name in ("pauseSession", "endSession"):
        assert _under(running, hold_placed()).when(command(name)).rejection is None
