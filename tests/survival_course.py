"""A trial in memory whose participants live, are seen, transplanted, lost and die: for tests of survival."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from clinical_builders import T0, A
from hepatrail_events.assessments import (
    AEAssessmentDone,
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
from hepatrail_events.codec import Recorded, read
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultsRecorded, Measured
from hepatrail_events.protocol import Protocol
from hepatrail_events.sessions import EndReason, SessionEnded, SessionVoided
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.types import PartialDate, Precision
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.clinical.endpoints.follow_up import FollowUp, Known
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.endpoints.survival_facts import SurvivalFacts, survival_facts
from hepatrail_projections.endpoints.survival_tables import survival_tables
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from log_commits import enrol, publish, start
from projection_log import SEALED, LogWriter

T0_DAY = date(2026, 3, 10)
"""The date of T0 at the site, in `clinical_builders`."""
LATER = datetime(2028, 1, 1, tzinfo=A.tzinfo)


def after(days: float, hours: float = 0) -> datetime:
    """An instant so long after T0, 10:00 at the site."""
    return T0 + timedelta(days=days, hours=hours)


def dated(when: datetime | date | str | None) -> PartialDate:
    """An instant to its minute, a day, a month or year as text, or nothing known."""
    if when is None:
        return PartialDate(precision=Precision.UNKNOWN)
    if isinstance(when, str):
        return PartialDate(value=when, precision=Precision.YEAR if len(when) == 4 else Precision.MONTH)
    if isinstance(when, datetime):
        return PartialDate(value=f"{when:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
    return PartialDate(value=when.isoformat(), precision=Precision.DAY)


class SurvivalTrial:
    """A published protocol, and participants in one log; `protocol` changes what is published."""

    def __init__(self, seed: int = 5, **protocol: Any) -> None:
        self.log = LogWriter(seed)
        self.log.now = T0 - timedelta(days=60)
        publish(self.log, **protocol)
        self.subjects: list[str] = []

    def life(self, subject_id: str = "S-01", *, treated: bool = True) -> "Life":
        """A participant, treated once for six hours at T0 unless told otherwise."""
        self.log.now = T0 - timedelta(days=30)
        enrol(self.log, subject_id)
        self.subjects.append(subject_id)
        made = Life(self.log, subject_id)
        if treated:
            made.session()
        return made

    def streams(self) -> dict[str, list[Recorded]]:
        """Every event by its stream."""
        found: dict[str, list[Recorded]] = defaultdict(list)
        for each in self.log.records:
            if each.topic == EVENTS:
                event = read(each.value or b"")
                found[event.envelope.stream].append(event)
        return found

    def rows(self, as_of: datetime = LATER) -> tuple[list[SubjectRows], Protocol]:
        """The rows of all participants as known then, and the protocol in force."""
        return rows_of(self.streams(), self.subjects, as_of)

    def facts(self, as_of: datetime = LATER) -> list[SurvivalFacts]:
        """The facts of all participants as known then."""
        rows, protocol = self.rows(as_of)
        return [survival_facts(each, protocol) for each in rows]

    def tables(self, as_of: datetime = LATER) -> dict[str, Table]:
        """The tables as of an instant, by code."""
        rows, protocol = self.rows(as_of)
        made = survival_tables([survival_facts(each, protocol) for each in rows], protocol, as_of)
        return {table.code: table for table in made}


def rows_of(
    streams: dict[str, list[Recorded]], subjects: list[str], as_of: datetime
) -> tuple[list[SubjectRows], Protocol]:
    """The rows of participants from what was recorded until an instant."""
    study = fold_study_events([each for each in streams[STUDY] if each.envelope.recordedat <= as_of])
    published = study.published_at(as_of)
    assert published is not None
    known = (
        (each, [event for event in streams[subject_stream(each)] if event.envelope.recordedat <= as_of])
        for each in subjects
    )
    return [derive(fold_all(each, events), study, as_of) for each, events in known if events], published.protocol


class Life:
    """What happens to a participant; each fact is recorded ten minutes after its clinical time unless told."""

    def __init__(self, log: LogWriter, subject_id: str) -> None:
        self.log, self.subject_id, self.stream = log, subject_id, subject_stream(subject_id)

    def record(self, event: Event, at: datetime, recorded: datetime | None = None) -> UUID:
        """Any event; its id."""
        self.log.now = recorded or at + timedelta(minutes=10)
        [made] = self.log.commit(self.stream, event)
        return read(made.value or b"").envelope.id

    def session(self, started: datetime = T0, ended: datetime | None = A) -> UUID:
        """A session, open without an end."""
        self.log.now = started
        begun = start(self.log, self.stream, started_at=started)
        if ended is not None:
            self.record(SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED), ended)
        return begun.session_id

    def void_session(self, session_id: UUID, at: datetime) -> UUID:
        """The session was entered in error."""
        reason = VoidReason.ENTERED_IN_ERROR
        return self.record(SessionVoided(id=session_id, reason_code=reason, reason_text=SEALED), at)

    def sample(self, at: datetime | date, recorded: datetime | None = None, **row: Any) -> UUID:
        """A sample with one result; `row` changes it."""
        fields = {"result_id": self.log.uuid(), "code": "alt", "value": "30", "unit": "U/L", "accepted": True, **row}
        taken = LabResultsRecorded(
            sample_id=self.log.uuid(), collected_at=at, laboratory="Central", results=(Measured.model_validate(fields),)
        )
        return self.record(taken, at if isinstance(at, datetime) else after((at - T0_DAY).days), recorded)

    def ae(self, at: datetime) -> UUID:
        """The site asked for adverse events."""
        return self.record(AEAssessmentDone(at=at, any_new=YesNo.N), at)

    def seen(self, at: datetime, alive: str = "Y", visit: str | None = None, recorded: datetime | None = None) -> UUID:
        """The site recorded whether the participant lives."""
        event = SurvivalStatusRecorded(
            at=at,
            alive=VitalStatus(alive),
            transplant=TransplantStatus.NONE,
            source=SurvivalSource.REGISTRY,
            visit_code=visit,
        )
        return self.record(event, at, recorded)

    def death(self, when: datetime | date | str | None, aware: datetime) -> UUID:
        """The site learnt of the death."""
        return self.record(ParticipantDied(death_at=dated(when), aware_at=aware), aware)

    def correct_death(self, at: datetime, when: datetime | date | None = None) -> UUID:
        """The date of the death is another one; without a date the participant is alive after all."""
        changed = None if when is None else dated(when)
        return self.record(DeathRecordCorrected(revived=when is None, death_at=changed, reason=SEALED), at)

    def transplant(self, when: datetime | date | str, recorded: datetime) -> UUID:
        """The participant received a liver."""
        return self.record(TransplantDone(transplant_at=dated(when)), recorded)

    def withdraw(self, at: datetime, scope: str = "FOLLOW_UP", *, vital: bool = False) -> UUID:
        """The participant withdrew."""
        event = ParticipantWithdrew(withdrawn_at=at, scope=WithdrawalScope(scope), vital_status_allowed=vital)
        return self.record(event, at)

    def lost(self, at: datetime, recorded: datetime) -> UUID:
        """The site lost contact; the last one was then."""
        return self.record(LostToFollowUp(last_contact_at=at), at, recorded)

    def regained(self, at: datetime) -> UUID:
        """The site reached the participant again."""
        return self.record(ContactRegained(at=at), at)

    def void(self, event_id: UUID, at: datetime) -> UUID:
        """An assessment was entered in error."""
        reason = VoidReason.ENTERED_IN_ERROR
        return self.record(AssessmentVoided(id=event_id, reason_code=reason, reason_text=SEALED), at)


def facts_of(
    subject_id: str, alive: int, *, death: int | None = None, transplant: int | None = None, imputed: bool = False
) -> SurvivalFacts:
    """A treated participant by days from T0; each day has an event of its own, T0 that of day 0."""

    def known(days: int, imputed: bool = False) -> Known:
        return Known(T0_DAY + timedelta(days=days), (derived_id(subject_id, days),), imputed=imputed)

    follow_up = FollowUp(
        subject_id,
        known(0),
        known(alive),
        None if death is None else known(death, imputed),
        None if transplant is None else known(transplant),
    )
    return SurvivalFacts(subject_id, follow_up)


def random_trial(seed: int, subjects: int) -> SurvivalTrial:
    """A year and more of random courses; some are never treated, some lose their only session."""
    trial, chance = SurvivalTrial(seed), random.Random(seed)
    for number in range(subjects):
        _random_life(trial.life(f"S-{number:02d}", treated=False), chance)
    return trial


def _random_life(life: Life, chance: random.Random) -> None:
    if chance.random() < 0.1:
        return
    begun = T0 + timedelta(days=chance.randint(0, 60), hours=chance.uniform(0, 24))
    session_id = life.session(begun, None if chance.random() < 0.05 else begun + timedelta(hours=5))
    if chance.random() < 0.05:
        life.void_session(session_id, begun + timedelta(hours=9))
    last = chance.choice((20, 100, 400, 420))
    for day in sorted(chance.uniform(0.3, last) for _ in range(chance.randint(0, 12))):
        _random_deed(life, begun + timedelta(days=day), chance)
    if chance.random() < 0.5:
        _random_death(life, begun + timedelta(days=chance.choice((0.5, 6, 30, last, last + 15))), chance)


def _random_deed(life: Life, at: datetime, chance: random.Random) -> None:
    minute = at.replace(second=0, microsecond=0)
    deed = chance.choices(("sample", "ae", "seen", "transplant", "withdraw", "lost", "void"), (5, 3, 5, 1, 1, 1, 1))[0]
    match deed:
        case "sample":
            row = chance.choice(({}, {}, {"value": None, "not_done": chance.choice(("NOT_DONE", "CLOTTED"))}))
            life.sample(chance.choice((minute, minute.date())), recorded=minute + timedelta(days=1), **row)
        case "ae":
            life.ae(minute)
        case "seen":
            life.seen(minute, chance.choice(("Y", "Y", "UNKNOWN")))
        case "transplant":
            life.transplant(
                chance.choice((minute, minute.date(), f"{minute:%Y-%m}")),
                minute + timedelta(days=chance.choice((1, 30))),
            )
        case "withdraw":
            life.withdraw(minute, chance.choice(("TREATMENT_ONLY", "FOLLOW_UP")), vital=chance.random() < 0.5)
        case "lost":
            life.lost(minute - timedelta(days=9), minute)
        case _:
            life.void(life.seen(minute), minute + timedelta(hours=2))


def _random_death(life: Life, at: datetime, chance: random.Random) -> None:
    minute = at.replace(second=0, microsecond=0)
    known = (minute, minute.date(), minute.date(), f"{minute:%Y-%m}", f"{minute:%Y}", None)
    aware = minute + timedelta(days=chance.choice((0.1, 3, 50)))
    life.death(chance.choice(known), aware)
    if chance.random() < 0.15:
        life.correct_death(aware + timedelta(days=1), chance.choice((None, (minute - timedelta(days=1)).date())))
