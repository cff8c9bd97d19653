"""Other protocols, and what would differ under them of the participants of a log: for tests of what-if."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hepatrail_events.codec import Recorded, read
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.whatif import ProtocolDifference, differences
from hepatrail_projections.whatif_study import from_the_start, taken_effect
from projection_log import LogWriter


def other(**changes: Any) -> Protocol:
    """The shipped protocol with changes; a mapping changes only these fields of its section."""
    whole = shipped_protocol().model_dump()
    worked = {name: {**whole[name], **each} if isinstance(each, Mapping) else each for name, each in changes.items()}
    return Protocol.model_validate({**whole, **worked})


def with_point(code: str, **changes: Any) -> Protocol:
    """The shipped protocol with another window of one time point."""
    points = [each.model_dump() for each in shipped_protocol().points]
    return other(points=[{**each, **changes} if each["code"] == code else each for each in points])


def recorded(log: LogWriter, until: datetime | None = None) -> dict[str, list[Recorded]]:
    """The events by stream, those recorded until an instant (inclusive) when there is one."""
    found: dict[str, list[Recorded]] = {}
    for each in (read(each.value or b"") for each in log.records if each.topic == EVENTS):
        if until is None or each.envelope.recordedat <= until:
            found.setdefault(each.envelope.stream, []).append(each)
    return found


def asked(
    log: LogWriter, protocol: Protocol, at: datetime | None = None, *, always: bool = False
) -> list[ProtocolDifference]:
    """What would differ of all participants as of an instant, else of the log's end; without any database."""
    at = at or log.now
    streams = recorded(log, at)
    study = fold_study_events(streams.get(STUDY, []))
    then = from_the_start(study, protocol, at) if always else taken_effect(study, protocol, at)
    found: list[ProtocolDifference] = []
    for stream, events in sorted(streams.items()):
        subject_id = subject_of(stream)
        if subject_id is not None:
            view = fold_all(subject_id, events)
            sides = [open_at(derive(view, each, at), at) for each in (study, then)]
            found += differences(sides[0], sides[1], events, at)
    return found


def told(found: Iterable[ProtocolDifference], table: str, column: str | None) -> dict[str, tuple[Any, Any]]:
    """The values of a column now and then, by the row's key."""
    return {each.key: (each.now, each.then) for each in found if (each.table, each.column) == (table, column)}


def behind(found: Iterable[ProtocolDifference], table: str, column: str | None) -> set[str]:
    """The types of the events responsible for a column."""
    return {event.type for each in found if (each.table, each.column) == (table, column) for event in each.events}
