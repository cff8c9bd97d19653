"""What is measured of a participant of a random trial, and mended."""

from uuid import UUID

from happenings.course import Course
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    ObservationCorrected,
    ObservationsRecorded,
    ObservationVoided,
    ObservedRow,
    RejectReason,
)
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from log_commits import sample
from projection_log import SEALED


class Measurements:
    """Samples and observations of one participant."""

    def __init__(self, course: Course) -> None:
        self.results: list[UUID] = []
        self._course = course
        self._observations: list[UUID] = []

    def take_sample(self) -> None:
        """A sample, now and then with a second one that is not plausible."""
        log, chance = self._course.log, self._course.log.chance
        self.results += sample(
            log,
            self._course.stream,
            visit=chance.choice((None, None, "D2", "BL", "W4")),
            creatinine=(f"{chance.uniform(0.5, 4):.2f}", "mg/dL"),
            tbil=f"{chance.randint(20, 400)}",
            inr=f"{chance.uniform(0.9, 3):.1f}",
            dialysis_sessions_7d=str(chance.randint(0, 3)),
            alt=(str(chance.randint(10, 900)), "U/L"),
        )
        if chance.random() < 0.3:
            bad = Measured(
                result_id=log.uuid(),
                code="sodium",
                value="9000",
                unit="mmol/L",
                accepted=False,
                reject_reason=RejectReason.IMPLAUSIBLE,
            )
            self._course.commit(
                LabResultsRecorded(
                    sample_id=log.uuid(), collected_at=log.now.date(), laboratory="Central", results=(bad,)
                )
            )
            if chance.random() < 0.5:
                self._course.commit(ImplausibleConfirmed(result_id=bad.result_id, reason=SEALED))

    def observe(self) -> None:
        """The coma scale and a blood pressure."""
        chance = self._course.log.chance
        values = {"gcs_eye": "4", "gcs_motor": "6", "gcs_verbal": chance.choice(("5", "NT")), "map": "80"}
        rows = [
            ObservedRow(
                result_id=self._course.log.uuid(),
                code=code,
                value=value,
                unit="mm[Hg]" if code == "map" else None,
                accepted=True,
            )
            for code, value in values.items()
        ]
        self._course.commit(
            ObservationsRecorded(assessed_at=self._course.past(1), rows=tuple(rows)), role="COORDINATOR"
        )
        self._observations += [row.result_id for row in rows]

    def mend(self) -> None:
        """A result and an observation are corrected, void or reviewed."""
        chance = self._course.log.chance
        for known, corrected, voided in (
            (self.results, LabResultCorrected, LabResultVoided),
            (self._observations, ObservationCorrected, ObservationVoided),
        ):
            if not known or chance.random() < 0.4:
                continue
            result_id = known.pop(chance.randrange(len(known)))
            time = "collectedAt" if known is self.results else "assessedAt"
            field, text = chance.choice(
                (("value", "2"), (time, format_instant(self._course.past())), ("visitCode", "D3"))
            )
            self._course.commit(corrected(id=result_id, field=field, new_value=text, reason=SEALED, accepted=True))
            if chance.random() < 0.3:
                self._course.commit(voided(id=result_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED))
            elif known is self.results:
                self._course.commit(LabFindingReviewed(result_id=result_id, clinically_significant=True, final_grade=2))
