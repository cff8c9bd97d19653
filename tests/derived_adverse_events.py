"""The rows of `adverse_event` of the one participant of a log in memory, and what is said of an event there."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.codec import read
from hepatrail_events.event import Event
from hepatrail_events.sessions import EndReason, SessionEnded, SessionStarted
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.adverse_event import AdverseEventRow, adverse_event_rows
from hepatrail_projections.clinical.inputs import Stop
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from log_commits import start
from projection_log import SEALED, LogWriter
from subject_log import STREAM, S

CONDITION = UUID("00000000-0000-4000-8000-00000000bc01")
JUDGED: dict[str, Any] = {"rationale": SEALED}


def row(log: LogWriter, *, published: bool = True) -> AdverseEventRow:
    """The row of the only adverse event."""
    (found,) = rows(log, published=published)
    return found


def rows(log: LogWriter, *stops: Stop, published: bool = True) -> tuple[AdverseEventRow, ...]:
    """The rows of all; `stops` are such as nobody put on record."""
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    view = fold_all(S, [each for each in events if each.envelope.stream == STREAM])
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    version = study.published_at(log.now) if published else None
    if version is None:
        return adverse_event_rows(view, None)
    state = clinical_state(view, version)
    return adverse_event_rows(view, replace(state, stops=(*state.stops, *stops)))


def say(
    log: LogWriter, event: AEReported, version: int, kind: type[Event], role: str = "INVESTIGATOR", **body: Any
) -> None:
    """A later version of the event."""
    log.commit(STREAM, kind.model_validate({"ae_id": event.ae_id, "ae_version": version, **body}), role=role)


def session(log: LogWriter, at: datetime, **changes: object) -> SessionStarted:
    """A session of six hours from `at`."""
    begun = start(log, STREAM, started_at=at, **changes)
    ended = SessionEnded(session_id=begun.session_id, ended_at=at + timedelta(hours=6), reason=EndReason.COMPLETED)
    log.commit(STREAM, ended)
    return begun


def minute(at: datetime) -> PartialDate:
    """A clinical time of MINUTE precision."""
    return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
