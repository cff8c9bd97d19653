"""A log in memory with one participant, what is put on record of the participant there, and what follows from it."""

from uuid import UUID

from hepatrail_events.codec import read
from hepatrail_events.event import Event
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import SubjectView, fold_all
from log_commits import enrol, publish
from projection_log import SEALED, LogWriter

S = "S-1"
STREAM = f"subject-{S}"


def participant_log(seed: int) -> LogWriter:
    """A study with its protocol, and a participant who was enrolled an hour ago."""
    written = LogWriter(seed)
    publish(written)
    enrol(written, S)
    written.tick(60)
    return written


def view(log: LogWriter) -> SubjectView:
    """The participant's facts."""
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    return fold_all(S, [each for each in events if each.envelope.stream == STREAM])


def rows(log: LogWriter) -> SubjectRows:
    """What follows from the facts now."""
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    return derive(view(log), study, log.now)


def commit(log: LogWriter, event: Event, actor: str = "dr-li", role: str = "INVESTIGATOR") -> UUID:
    """The id of the event."""
    (record,) = log.commit(STREAM, event, actor=actor, role=role)
    return read(record.value or b"").envelope.id


def correct(log: LogWriter, kind: type[Event], identity: UUID, field: str, **values: object) -> UUID:
    """Somebody else corrects a field."""
    return commit(log, kind.from_payload({"id": identity, "field": field, "reason": SEALED, **values}), actor="dr-wu")


def day(text: str) -> PartialDate:
    """A clinical time of DAY precision."""
    return PartialDate(value=text, precision=Precision.DAY)
