"""The course of one adverse event told by its events at stated site times, and the clocks that follow from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import (
    ActionTaken,
    AECausalityAssessed,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEReported,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AeVoidReason,
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
from hepatrail_events.event import Event
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.streams import STUDY
from hepatrail_events.submissions import (
    Recipient,
    SponsorNotified,
    SubmissionCorrected,
    SubmissionKind,
    SubmissionRecorded,
    SubmissionVoided,
)
from hepatrail_events.types import PartialDate, Precision, format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.reporting.clock import Clock, ClockStatus, ClockType
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject_view import SubjectView, fold_all
from log_commits import enrol, publish, start
from projection_log import SEALED, LogWriter

SUBJECT = "S-001"
SITE_ZONE = "Asia/Shanghai"
HOSPITALISATION, LIFE_THREATENING, DEATH = Criterion.HOSPITALISATION, Criterion.LIFE_THREATENING, Criterion.DEATH
INVESTIGATOR, SPONSOR = Assessor.INVESTIGATOR, Assessor.SPONSOR
NMPA, EC, INSTITUTION, AUTHORITIES = Recipient.NMPA, Recipient.EC, Recipient.INSTITUTION, Recipient.DEVICE_AUTHORITIES
INITIAL, FOLLOW_UP, NULLIFICATION = SubmissionKind.INITIAL, SubmissionKind.FOLLOW_UP, SubmissionKind.NULLIFICATION
_STEP = timedelta(seconds=6)
"""What the log's clock adds to a commit."""


def site_time(text: str, zone: str = SITE_ZONE) -> datetime:
    """An instant of 2026 in site time, as `03-10 23:50`."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def minute(when: datetime) -> PartialDate:
    """An exact minute."""
    return PartialDate(value=f"{when:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)


@dataclass
class Course:
    """One participant, treated on 1 March 2026; every method records one commit at a site time."""

    zone: str = SITE_ZONE
    treated: bool = True
    rules: dict[str, object] = field(default_factory=dict)
    log: LogWriter = field(default_factory=LogWriter)

    def __post_init__(self) -> None:
        self.log.now = self.at("02-28 08:00")
        publish(self.log, safety=self.rules, site_zone=self.zone)
        self.stream = enrol(self.log, SUBJECT)
        self.ae_id = UUID(int=7)
        self.version = 0
        self.session_id: UUID | None = None
        if self.treated:
            self.log.now = self.at("03-01 08:00")
            self.session_id = start(self.log, self.stream).session_id

    def at(self, text: str) -> datetime:
        """A site time of the course."""
        return site_time(text, self.zone)

    def commit(self, when: str, *events: Event, role: str = "INVESTIGATOR", stream: str | None = None) -> UUID:
        """Any events in one commit; its id."""
        self.log.now = self.at(when) - _STEP
        made = self.log.commit(stream or self.stream, *events, role=role)
        return read(made[-1].value or b"").envelope.commitid

    def publish(self, when: str, version: str, effective: str | None = None, **rules: object) -> None:
        """Another version of the protocol with other safety rules."""
        self.log.now = self.at(when) - _STEP
        effective_at = None if effective is None else self.at(effective)
        publish(self.log, version, effective_at, safety={**self.rules, **rules}, site_zone=self.zone)

    def reported(self, when: str, *criteria: Criterion, aware: str | None = None, **fields: object) -> UUID:
        """The adverse event's report; onset on 5 March, related to the product for all that is known."""
        self.version = 1
        given = {
            "ae_id": self.ae_id,
            "ae_version": 1,
            "code": "SEPSIS",
            "verbatim": SEALED,
            "onset": minute(self.at("03-05 08:00")),
            "aware_at": self.at(aware or when),
            "criteria": criteria,
            "grade": 3,
            "grade_at": minute(self.at("03-05 08:00")),
            "outcome": Outcome.NOT_RECOVERED,
            "action_taken": ActionTaken.NO_CHANGE,
            "reporter": "investigator",
            **fields,
        }
        return self.commit(when, AEReported.model_validate(given))

    def susar(self, when: str, *criteria: Criterion, aware: str | None = None) -> UUID:
        """An SAE that the investigator relates to the cells and not to the device: a confirmed SUSAR."""
        return self.reported(
            when,
            *(criteria or (HOSPITALISATION,)),
            aware=aware,
            causality=(
                CausalityStatement(target=CausalityTarget.CELL_PRODUCT, value=Causality.POSSIBLE),
                CausalityStatement(target=CausalityTarget.DEVICE, value=Causality.UNRELATED),
            ),
        )

    def upgraded(self, when: str, *criteria: Criterion, aware: str | None = None, by: Assessor = INVESTIGATOR) -> UUID:
        """An assessor finds it serious."""
        event = AEUpgradedToSerious(
            ae_id=self.ae_id,
            ae_version=self._next(),
            criteria=criteria or (HOSPITALISATION,),
            serious_since=minute(self.at("03-05 08:00")),
            aware_at=self.at(aware or when),
        )
        return self.commit(when, event, role=by.value)

    def downgraded(self, when: str, by: Assessor = INVESTIGATOR) -> UUID:
        """The assessor no longer does."""
        event = AEDowngradedToNonSerious(
            ae_id=self.ae_id,
            ae_version=self._next(),
            assessor=by,
            reason_code=DowngradeReason.CRITERION_MISAPPLIED,
            reason_text=SEALED,
        )
        return self.commit(when, event, role=by.value)

    def criteria_changed(
        self,
        when: str,
        added: Iterable[Criterion] = (),
        removed: Iterable[Criterion] = (),
        *,
        aware: str | None = None,
        by: Assessor = INVESTIGATOR,
    ) -> UUID:
        """An assessor's criteria come and go."""
        event = AESeriousnessCriteriaChanged(
            ae_id=self.ae_id,
            ae_version=self._next(),
            assessor=by,
            added=tuple(added),
            removed=tuple(removed),
            reason=SEALED,
            aware_at=self.at(aware or when),
        )
        return self.commit(when, event, role=by.value)

    def judged(self, when: str, value: Causality, *targets: CausalityTarget, by: Assessor = INVESTIGATOR) -> UUID:
        """The causality for both product targets, or for those that are named."""
        events = [
            AECausalityAssessed(
                ae_id=self.ae_id,
                ae_version=self._next(),
                assessor=by,
                target=target,
                value=value,
                rationale=SEALED,
            )
            for target in targets or (CausalityTarget.CELL_PRODUCT, CausalityTarget.DEVICE)
        ]
        return self.commit(when, *events, role=by.value)

    def expected(self, when: str, value: Expectedness = Expectedness.EXPECTED) -> UUID:
        """The sponsor's judgement of expectedness."""
        event = AEExpectednessAssessed(
            ae_id=self.ae_id, ae_version=self._next(), value=value, rsi_version="1", rsi_term="Sepsis"
        )
        return self.commit(when, event, role="SPONSOR")

    def followed_up(self, when: str, received: str | None = None) -> UUID:
        """New information."""
        event = AEFollowedUp(
            ae_id=self.ae_id, ae_version=self._next(), info_received_at=self.at(received or when), text=SEALED
        )
        return self.commit(when, event)

    def voided(self, when: str) -> UUID:
        """It was no adverse event."""
        event = AEVoided(
            ae_id=self.ae_id,
            ae_version=self._next(),
            reason_code=AeVoidReason.ENTERED_IN_ERROR,
            reason_text=SEALED,
            co_signer="dr-wu",
        )
        return self.commit(when, event)

    def session_voided(self, when: str) -> UUID:
        """The treatment never took place."""
        assert self.session_id is not None
        event = SessionVoided(id=self.session_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
        return self.commit(when, event)

    def notified(self, when: str, notified: str | None = None) -> UUID:
        """The sponsor knows."""
        event = SponsorNotified(ae_id=self.ae_id, notified_at=self.at(notified or when))
        return self.commit(when, event, role="SPONSOR")

    def submitted(self, when: str, to: Recipient, kind: SubmissionKind = INITIAL, *, handed: str | None = None) -> UUID:
        """A report was handed over; the submission's id."""
        submission_id = self.log.uuid()
        event = SubmissionRecorded(
            submission_id=submission_id,
            ae_id=self.ae_id,
            to=to,
            kind=kind,
            submitted_at=self.at(handed or when),
        )
        self.commit(when, event, role="SPONSOR")
        return submission_id

    def submission_corrected(self, when: str, submission_id: UUID, handed: str) -> UUID:
        """It was handed over at another time."""
        value = format_instant(self.at(handed))
        event = SubmissionCorrected(id=submission_id, field="submittedAt", new_value=value, reason=SEALED)
        return self.commit(when, event, role="SPONSOR")

    def submission_voided(self, when: str, submission_id: UUID) -> UUID:
        """It was not handed over."""
        event = SubmissionVoided(id=submission_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
        return self.commit(when, event, role="SPONSOR")

    def clocks(self, when: str | None = None) -> tuple[Clock, ...]:
        """All clocks of the adverse event by what was recorded until a site time, or at all."""
        at = self.log.now if when is None else self.at(when)
        return clocks_of(self.view, self.study, at).get(self.ae_id, ())

    def types(self, when: str | None = None) -> list[ClockType]:
        """Their types, in the order of the list of types."""
        return sorted((clock.type for clock in self.clocks(when)), key=list(ClockType).index)

    def clock(self, kind: ClockType, when: str | None = None, *, number: int = 0) -> Clock:
        """The only clock of a type, or one of several in the order in which they opened."""
        found = sorted((each for each in self.clocks(when) if each.type is kind), key=lambda each: each.opened_at)
        assert len(found) == 1 or number != 0 or found, f"no clock {kind}: {self.types(when)}"
        return found[number]

    def status(self, kind: ClockType, when: str, *, number: int = 0) -> ClockStatus:
        """How a clock stood at a site time, by what was recorded until then."""
        return self.clock(kind, when, number=number).status(self.at(when))

    @property
    def recorded(self) -> list[Recorded]:
        """All events of the log."""
        return [read(each.value or b"") for each in self.log.records if each.topic == EVENTS]

    @property
    def view(self) -> SubjectView:
        """The participant."""
        return fold_all(SUBJECT, [each for each in self.recorded if each.envelope.stream == self.stream])

    @property
    def study(self) -> StudyView:
        """The study."""
        return fold_study_events([each for each in self.recorded if each.envelope.stream == STUDY])

    def _next(self) -> int:
        self.version += 1
        return self.version
