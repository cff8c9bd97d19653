"""Participants as the events have them: enrolment, sessions, T0, death, transplant, withdrawal (`endpoints.md` 1, 3.1).

A void record feeds nothing. Where only a part of the date of a death or transplant is known and an instant is needed,
it is the last one possible, not after the site knew of it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from event_recount.dates import civil, instant, latest
from event_recount.events import Event, Log, Record, correct, of_type, records

ASSESSMENTS: tuple[str, ...] = (
    "AEAssessmentDone",
    "SurvivalStatusRecorded",
    "TransplantDone",
    "ParticipantWithdrew",
    "LostToFollowUp",
    "ContactRegained",
)


@dataclass(slots=True)
class Session:
    """A session that is not void; `data` is what its start recorded, `pauses` are from and to (None: until the end)."""

    data: dict[str, Any]
    pauses: list[tuple[datetime, datetime | None]]
    end: datetime | None
    reason: str | None
    event_ids: list[UUID]

    @property
    def start(self) -> datetime:
        """Blood or plasma enters the circuit."""
        return instant(self.data["startedAt"])

    @property
    def weight(self) -> Fraction:
        """Kilograms."""
        return Fraction(self.data["weightKg"])


@dataclass(frozen=True, slots=True)
class Death:
    """The death that stands, as reported, and when the site knew of it."""

    when: dict[str, Any]
    aware: datetime
    event_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Participant:
    """What all recounts need; `sessions` by start, none: not in the safety set."""

    subject_id: str
    events: list[Event]
    enrolment_ids: list[UUID]
    enrolled: dict[str, Any] | None
    sessions: list[Session]
    death: Death | None
    assessments: list[Record]

    @property
    def t0(self) -> datetime:
        """The start of the first session; of treated participants only."""
        return self.sessions[0].start

    @property
    def t0_day(self) -> date:
        """LD(T0)."""
        return civil(self.t0)

    @property
    def died_at(self) -> datetime | None:
        """The instant of death, the last possible one of a date that is known in part."""
        return None if self.death is None else latest(self.death.when, self.death.aware)

    @property
    def anchor(self) -> datetime | None:
        """A of `visits.md` section 2: the end of the first session; of who died in it, the death."""
        return self.died_at if self.sessions[0].end is None else self.sessions[0].end

    def standing(self, *types: str) -> list[Record]:
        """The assessments of these types that are not void."""
        return [each for each in self.assessments if not each.void and each.data["type"] in types]

    @property
    def withdrawals(self) -> list[Record]:
        """The withdrawals from follow-up or from all use of data."""
        return [each for each in self.standing("ParticipantWithdrew") if each.data["scope"] != "TREATMENT_ONLY"]

    @property
    def transplant(self) -> tuple[datetime, Record] | None:
        """The first transplant after T0, at its instant."""
        dated = [
            (latest(each.data["transplantAt"], each.recorded_at), each) for each in self.standing("TransplantDone")
        ]
        return min((each for each in dated if each[0] > self.t0), key=lambda each: each[0], default=None)


def participants(log: Log) -> list[Participant]:
    """Everybody with a consent, by id."""
    return [_participant(subject_id, events) for subject_id, events in sorted(log.subjects.items())]


def safety_set(everybody: list[Participant]) -> list[Participant]:
    """Who had at least one session started that is not void."""
    return [each for each in everybody if each.sessions]


def ids(*holders: Session | Record | Death) -> list[UUID]:
    """The events of several records."""
    return [event_id for each in holders for event_id in each.event_ids]


def _participant(subject_id: str, events: list[Event]) -> Participant:
    enrolled = of_type(events, "SubjectEnrolled")
    kinds: dict[str, str | None] = dict.fromkeys(ASSESSMENTS)
    return Participant(
        subject_id,
        events,
        [each.id for each in of_type(events, "ConsentRecorded", "SubjectEnrolled")],
        enrolled[0].data if enrolled else None,
        _sessions(events),
        _death(events),
        records(events, kinds, "AssessmentCorrected", "AssessmentVoided", ("transplantAt",)),
    )


def _sessions(events: list[Event]) -> list[Session]:
    found: dict[str, Session] = {}
    void: set[str] = set()
    for event in events:
        identity = event.data.get("sessionId") or event.data.get("id")
        if event.type == "SessionStarted":
            found[event.data["sessionId"]] = Session(dict(event.data), [], None, None, [])
        if not event.type.startswith("Session") or identity not in found:
            continue
        session = found[identity]
        session.event_ids.append(event.id)
        match event.type:
            case "SessionPaused":
                session.pauses.append((instant(event.data["at"]), None))
            case "SessionResumed":
                session.pauses[-1] = (session.pauses[-1][0], instant(event.data["at"]))
            case "SessionEnded":
                session.end, session.reason = instant(event.data["endedAt"]), event.data["reason"]
            case "SessionVoided":
                void.add(identity)
            case "SessionCorrected" if event.data["field"] == "endedAt":
                text = event.data.get("newValue")
                session.end = None if text is None else instant(text)
            case "SessionCorrected" if event.data["field"] == "endReason":
                session.reason = event.data.get("newValue")
            case "SessionCorrected":
                correct(session.data, event.data)
    return sorted((each for key, each in found.items() if key not in void), key=lambda each: each.start)


def _death(events: list[Event]) -> Death | None:
    data: dict[str, Any] | None = None
    told: list[UUID] = []
    for event in of_type(events, "ParticipantDied", "DeathRecordCorrected"):
        told.append(event.id)
        if event.type == "ParticipantDied":
            data = dict(event.data)
        elif event.data["revived"]:
            data = None
        elif data is not None:
            data |= {name: event.data[name] for name in ("deathAt",) if event.data.get(name) is not None}
    return None if data is None else Death(data["deathAt"], instant(data["awareAt"]), told)
