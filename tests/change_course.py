"""Trials for tests of the change from baseline: participants treated once at the same time, each with what is told."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from clinical_builders import T0, A
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew, TransplantDone, WithdrawalScope
from hepatrail_events.catalogue import SEED_LABS, catalogue
from hepatrail_events.codec import Recorded, read
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    LabResultsRecorded,
    LabResultVoided,
    Measured,
    NotTestable,
    ObservationsRecorded,
    ObservedRow,
)
from hepatrail_events.protocol import Protocol
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.endpoints.cells import Row, Table
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.endpoints.change_facts import ChangeFacts, change_facts
from hepatrail_projections.endpoints.change_tables import change_tables
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from log_commits import enrol, publish, start
from projection_log import SEALED, LogWriter
from visit_course import BEDSIDE, partial

LATER = A + timedelta(days=800)
BEFORE = T0 - timedelta(hours=2)
DAY = timedelta(days=1)
OFFSETS = {
    "P0_5_1H": timedelta(minutes=45),
    "H12": timedelta(hours=12),
    "H24": timedelta(hours=24),
    **{f"D{days}": days * DAY for days in (2, 3, 5, 7)},
    **{f"W{weeks}": weeks * 7 * DAY for weeks in (2, 4, 6, 12)},
    "M6": 184 * DAY,
    "M12": 365 * DAY,
}
"""From the anchor, inside the windows of the points after treatment."""

SCORED = {"creatinine": "100", "tbil": "200", "inr": "2", "platelets": "90", "wbc": "8"}
"""What the four scores need of the laboratory."""


class Participant:
    """One participant; `treated` says whether there was the session from T0 to A."""

    def __init__(self, log: LogWriter, subject_id: str, *, treated: bool = True) -> None:
        self.log, self.subject_id, self.stream = log, subject_id, subject_stream(subject_id)
        log.now = T0 - timedelta(days=30)
        enrol(log, subject_id)
        if treated:
            self.first_session = self.session(T0, A)

    def record(self, event: Event, at: datetime) -> UUID:
        """An event, recorded ten minutes after its clinical time."""
        self.log.now = at + timedelta(minutes=10)
        [made] = self.log.commit(self.stream, event)
        return read(made.value or b"").envelope.id

    def session(self, started: datetime, ended: datetime) -> UUID:
        """A session that was completed; its id."""
        self.log.now = started
        begun = start(self.log, self.stream, started_at=started)
        self.record(SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED), ended)
        return begun.session_id

    def labs(self, at: datetime | date, visit: str | None = None, **values: str) -> list[UUID]:
        """One sample, canonical (`"12"`, `"<12"`) or with its unit (`"1.5 mg/dL"`), refused behind `!`; the ids."""
        rows = []
        for code, given in values.items():
            number, _, unit = given.lstrip("!").partition(" ")
            bare = number.lstrip("<>=")
            rows.append(
                Measured(
                    result_id=self.log.uuid(),
                    code=code,
                    value=bare,
                    comparator=number[: len(number) - len(bare)] or None,
                    unit=unit or catalogue()[code].canonical_unit,
                    accepted=not given.startswith("!"),
                )
            )
        event = LabResultsRecorded(
            sample_id=self.log.uuid(), collected_at=at, visit_code=visit, laboratory="Central", results=tuple(rows)
        )
        self.record(event, at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, 12, tzinfo=A.tzinfo))
        return [row.result_id for row in rows]

    def void(self, result_id: UUID, at: datetime = LATER) -> None:
        """A result is void."""
        self.record(LabResultVoided(id=result_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED), at)

    def scored(self, at: datetime, visit: str | None = None, **values: str) -> None:
        """All that the four scores need, with changes: a component of the coma scale may be `NT`, `""` leaves out."""
        self.labs(at, visit, **{code: values.get(code, known) for code, known in SCORED.items()})
        given = {code: values.get(code, known) for code, known in BEDSIDE.items()}
        self.bedside(at, visit, **{code: value for code, value in given.items() if value})

    def bedside(self, at: datetime, visit: str | None = None, **values: str) -> None:
        """Observations of one moment."""
        rows = [
            ObservedRow(
                result_id=self.log.uuid(),
                code=code,
                value=value,
                unit=catalogue()[code].canonical_unit,
                accepted=True,
                nt_reason=NotTestable.INTUBATED if value == "NT" else None,
            )
            for code, value in values.items()
        ]
        self.record(ObservationsRecorded(assessed_at=at, visit_code=visit, rows=tuple(rows)), at)

    def transplant(self, at: datetime) -> None:
        """The participant received a liver."""
        self.record(TransplantDone(transplant_at=partial(at)), at)

    def death(self, at: datetime) -> None:
        """The participant died."""
        self.record(ParticipantDied(death_at=partial(at), aware_at=at + timedelta(minutes=5)), at)

    def withdrawal(self, at: datetime, scope: WithdrawalScope = WithdrawalScope.FOLLOW_UP) -> None:
        """The participant withdrew."""
        self.record(ParticipantWithdrew(withdrawn_at=at, scope=scope, vital_status_allowed=False), at)


class ChangeTrial:
    """A trial under the shipped protocol with changes; `endpoints` are those of its outcome rules."""

    def __init__(self, endpoints: dict[str, Any] | None = None, **protocol: Any) -> None:
        self.log = LogWriter(5)
        self.log.now = T0 - timedelta(days=40)
        publish(self.log, **{"endpoints": endpoints or {}, **protocol})
        self.participants: list[Participant] = []

    def participant(self, subject_id: str | None = None, *, treated: bool = True) -> Participant:
        """One more participant."""
        made = Participant(self.log, subject_id or f"S-{len(self.participants) + 1:02d}", treated=treated)
        self.participants.append(made)
        return made

    def rows(self, as_of: datetime = LATER + DAY) -> list[SubjectRows]:
        """The rows of every participant of what was recorded until then."""
        return rows_of(self.log, as_of)

    @property
    def protocol(self) -> Protocol:
        """The protocol in force."""
        return protocol_of(self.log, LATER)

    def facts(self) -> list[ChangeFacts]:
        """What every participant contributes."""
        return [change_facts(each, self.protocol) for each in self.rows()]

    def tables(self) -> dict[str, Table]:
        """The tables by code."""
        return {each.code: each for each in change_tables(self.facts(), self.protocol, LATER)}

    def row(self, table: str, row: str) -> Row:
        """One row of one table."""
        return self.tables()[table].row(row)


def rows_of(log: LogWriter, as_of: datetime) -> list[SubjectRows]:
    """The rows of every participant of a log under the protocol in force at the instant, in the log's order."""
    events = [each for each in _events(log) if each.envelope.recordedat <= as_of]
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    streams: dict[str, list[Recorded]] = {}
    for each in events:
        if each.envelope.stream.startswith("subject-"):
            streams.setdefault(each.envelope.stream, []).append(each)
    views = (fold_all(stream.removeprefix("subject-"), found) for stream, found in streams.items())
    return [derive(view, study, as_of) for view in views]


def protocol_of(log: LogWriter, at: datetime) -> Protocol:
    """The protocol in force at an instant."""
    published = fold_study_events([each for each in _events(log) if each.envelope.stream == STUDY]).published_at(at)
    assert published is not None
    return published.protocol


def random_trial(seed: int, participants: int = 6, endpoints: dict[str, Any] | None = None) -> ChangeTrial:
    """Participants with gaps, several samples a point, limits, later sessions, transplants, deaths and voids."""
    trial, chance = ChangeTrial(endpoints), Random(seed)
    for _ in range(participants):
        someone = trial.participant(treated=chance.random() < 0.9)
        for begins in chance.sample([3 * DAY, 7 * DAY, 14 * DAY], chance.randint(0, 2)):
            someone.session(A + begins - timedelta(hours=2), A + begins + timedelta(hours=4))
        for offset in [BEFORE - A, *OFFSETS.values()]:
            for _ in range(chance.choice((0, 1, 1, 2))):
                _observe(someone, A + offset + timedelta(minutes=chance.choice((-5, 0, 7, 200))), chance)
        _something_ends(someone, chance)
    return trial


def _observe(someone: Participant, at: datetime, chance: Random) -> None:
    codes = chance.sample([each for each in SEED_LABS if each not in SCORED], 4)
    values = {code: chance.choice(("", "", "<", ">")) + str(chance.randint(2, 9)) for code in codes}
    made = someone.labs(at, chance.choice((None, None, "D5", "W2")), **values)
    verbal = chance.choice(("5", "4", "NT"))
    someone.scored(at, gcs_verbal=verbal, tbil=str(chance.randint(20, 400)), creatinine=str(chance.randint(50, 300)))
    if chance.random() < 0.2:
        someone.void(chance.choice(made))


def _something_ends(someone: Participant, chance: Random) -> None:
    at = A + chance.uniform(1, 300) * DAY
    match chance.randrange(4):
        case 0:
            someone.transplant(at)
        case 1:
            someone.death(at)
        case 2:
            someone.withdrawal(at, chance.choice(list(WithdrawalScope)))


def _events(log: LogWriter) -> list[Recorded]:
    return [read(each.value or b"") for each in log.records if each.topic == EVENTS]
