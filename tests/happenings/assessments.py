"""What a site learns of a participant of a random trial, to the end."""

from uuid import UUID

from happenings.course import Course
from hepatrail_events.assessments import (
    AEAssessmentDone,
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from projection_log import SEALED


class Assessments:
    """Assessments of one participant, and how the participation may end."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._assessments: list[UUID] = []
        self._dead = False

    def assess(self) -> None:
        """The site asks after the participant; an assessment may be corrected or void."""
        chance, at = self._course.log.chance, self._course.past()
        asked = AEAssessmentDone(at=at, any_new=chance.choice(list(YesNo)), visit_code=chance.choice((None, "D7")))
        alive = SurvivalStatusRecorded(
            at=at,
            alive=chance.choice((VitalStatus.Y, VitalStatus.UNKNOWN)),
            transplant=TransplantStatus.NONE,
            source=SurvivalSource.PHONE,
        )
        lost, found = LostToFollowUp(last_contact_at=at), ContactRegained(at=at)
        transplant = TransplantDone(transplant_at=self._course.day())
        (event,) = chance.choices((asked, alive, lost, found, transplant), (4, 4, 1, 1, 1))
        self._assessments.append(self._course.commit(event))
        if chance.random() < 0.3:
            event_id = self._assessments.pop(chance.randrange(len(self._assessments)))
            reason = VoidReason.WRONG_PARTICIPANT
            self._course.commit(AssessmentVoided(id=event_id, reason_code=reason, reason_text=SEALED))
        elif chance.random() < 0.4 and isinstance(event, AEAssessmentDone | SurvivalStatusRecorded | ContactRegained):
            text = format_instant(self._course.past())
            self._course.commit(
                AssessmentCorrected(id=self._assessments[-1], field="at", new_value=text, reason=SEALED)
            )

    def end(self) -> None:
        """The participant dies, withdraws or consents anew; a death is corrected and taken back."""
        chance, now = self._course.log.chance, self._course.log.now
        if self._dead:
            self._dead = False
            self._course.commit(DeathRecordCorrected(revived=False, death_at=self._course.day(1), reason=SEALED))
            self._course.commit(DeathRecordCorrected(revived=True, reason=SEALED))
            return
        match chance.randrange(4):
            case 0:
                self._dead = True
                self._course.commit(ParticipantDied(death_at=self._course.day(1), aware_at=now))
            case 1:
                withdrew = ParticipantWithdrew(
                    withdrawn_at=now, scope=chance.choice(list(WithdrawalScope)), vital_status_allowed=False
                )
                event_id = self._course.commit(withdrew)
                if chance.random() < 0.5:
                    reason = VoidReason.ENTERED_IN_ERROR
                    self._course.commit(AssessmentVoided(id=event_id, reason_code=reason, reason_text=SEALED))
            case 2:
                self._course.commit(ConsentRecorded(site_id="BFH", version="2", given_at=now, health_data_consent=True))
            case _ if chance.random() < 0.2:
                self._course.commit(ConsentWithdrawn(withdrawn_at=now))
