"""What becomes of a participant's adverse events in a random trial."""

from uuid import UUID

from happenings.course import Course
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
    Assessor,
    Causality,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.event import Event
from hepatrail_events.types import format_instant
from log_commits import adverse_event
from projection_log import SEALED


class AdverseEvents:
    """Adverse events of one participant."""

    def __init__(self, course: Course) -> None:
        self.versions: dict[UUID, int] = {}
        self._course = course
        self._graded: list[tuple[UUID, UUID]] = []
        self._ended: set[UUID] = set()
        self._serious: set[tuple[UUID, Assessor]] = set()

    def report(self) -> AEReported:
        """A new event."""
        chance = self._course.log.chance
        serious = (Criterion.HOSPITALISATION,) if chance.random() < 0.4 else ()
        event = adverse_event(
            self._course.log,
            self._course.stream,
            criteria=serious,
            grade=chance.randint(1, 3),
            code=chance.choice(("FEVER", "RASH", "SEPSIS", "OTHER")),
            onset=self._course.day(),
        )
        self.versions[event.ae_id] = 1
        if serious:
            self._serious.add((event.ae_id, Assessor.INVESTIGATOR))
        return event

    def change(self) -> None:
        """Something of a known event changes."""
        if not self.versions:
            return
        chance = self._course.log.chance
        ae_id = chance.choice(list(self.versions))
        deed = chance.choice(
            (self._grade, self._grade, self._judge, self._judge, self._rate, self._end_or_reopen, self._write)
        )
        deed(ae_id)
        if chance.random() < 0.03:
            self._void(ae_id)

    def _next(self, ae_id: UUID) -> int:
        self.versions[ae_id] += 1
        return self.versions[ae_id]

    def _grade(self, ae_id: UUID) -> None:
        chance = self._course.log.chance
        mine = [place for place in self._graded if place[0] == ae_id]
        version = self._next(ae_id)
        if mine and chance.random() < 0.4:
            place = chance.choice(mine)
            grade, when = (chance.randint(1, 4), self._course.day()) if chance.random() < 0.7 else (None, None)
            if grade is None:
                self._graded.remove(place)
            self._course.commit(
                AEGradeCorrected(
                    ae_id=ae_id, ae_version=version, grade_event_id=place[1], grade=grade, grade_at=when, reason=SEALED
                )
            )
            return
        changed = AEGradeChanged(
            ae_id=ae_id, ae_version=version, to_grade=chance.randint(1, 4), grade_at=self._course.day()
        )
        self._graded.append((ae_id, self._course.commit(changed)))

    def _judge(self, ae_id: UUID) -> None:
        """An assessor finds the event serious, changes the criteria, or no longer finds it serious."""
        chance = self._course.log.chance
        assessor, version = chance.choice(list(Assessor)), self._next(ae_id)
        role = assessor.value
        if (ae_id, assessor) not in self._serious:
            self._serious.add((ae_id, assessor))
            criteria = (Criterion.MEDICALLY_IMPORTANT,)
            self._course.commit(
                AEUpgradedToSerious(
                    ae_id=ae_id,
                    ae_version=version,
                    criteria=criteria,
                    serious_since=self._course.day(),
                    aware_at=self._course.log.now,
                ),
                role=role,
            )
        elif chance.random() < 0.6:
            self._course.commit(
                AESeriousnessCriteriaChanged(
                    ae_id=ae_id,
                    ae_version=version,
                    assessor=assessor,
                    added=(Criterion.LIFE_THREATENING,),
                    removed=(Criterion.MEDICALLY_IMPORTANT,),
                    reason=SEALED,
                    aware_at=self._course.log.now,
                ),
                role=role,
            )
        else:
            self._serious.remove((ae_id, assessor))
            self._course.commit(
                AEDowngradedToNonSerious(
                    ae_id=ae_id,
                    ae_version=version,
                    assessor=assessor,
                    reason_code=DowngradeReason.CRITERION_MISAPPLIED,
                    reason_text=SEALED,
                ),
                role=role,
            )

    def _rate(self, ae_id: UUID) -> None:
        chance, version = self._course.log.chance, self._next(ae_id)
        if chance.random() < 0.3:
            self._course.commit(
                AEExpectednessAssessed(ae_id=ae_id, ae_version=version, value=Expectedness.UNEXPECTED), role="SPONSOR"
            )
            return
        assessor = chance.choice(list(Assessor))
        self._course.commit(
            AECausalityAssessed(
                ae_id=ae_id,
                ae_version=version,
                assessor=assessor,
                target=chance.choice(list(CausalityTarget)),
                value=chance.choice(list(Causality)),
                rationale=SEALED,
            ),
            role=assessor.value,
        )

    def _end_or_reopen(self, ae_id: UUID) -> None:
        version = self._next(ae_id)
        if ae_id in self._ended:
            self._ended.remove(ae_id)
            self._course.commit(AEReopened(ae_id=ae_id, ae_version=version, reason=SEALED))
            return
        self._ended.add(ae_id)
        outcome = Outcome.RECOVERED
        self._course.commit(AEResolved(ae_id=ae_id, ae_version=version, outcome=outcome, end_at=self._course.day(1)))

    def _write(self, ae_id: UUID) -> None:
        chance, version, now = self._course.log.chance, self._next(ae_id), self._course.log.now
        events: tuple[Event, ...] = (
            AEFollowedUp(ae_id=ae_id, ae_version=version, info_received_at=now, text=SEALED),
            AECoded(ae_id=ae_id, ae_version=version, meddra_version="29.0", llt_code="10037660", pt_code="10037660"),
            AECorrected(
                ae_id=ae_id,
                ae_version=version,
                field="awareAt",
                new_value=format_instant(self._course.past()),
                reason=SEALED,
            ),
        )
        self._course.commit(chance.choice(events))

    def _void(self, ae_id: UUID) -> None:
        code = AeVoidReason.ENTERED_IN_ERROR
        asked = AEVoidRequested(ae_id=ae_id, ae_version=self._next(ae_id), reason_code=code, reason_text=SEALED)
        self._course.commit(asked)
        void = AEVoided(
            ae_id=ae_id, ae_version=self._next(ae_id), reason_code=code, reason_text=SEALED, co_signer="dr-wu"
        )
        self._course.commit(void)
        del self.versions[ae_id]
