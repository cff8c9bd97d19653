"""Other protocols, and what would differ under them of the participants of a log: for tests of what-if."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from hepatrail_events.codec import Recorded, read
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.endpoints.outcomes import facts_of, outcomes
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.responsible_event import responsible
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.whatif import ProtocolDifference, differences
from hepatrail_projections.whatif_outcomes import (
    OutcomeDifference,
    OutcomeDifferences,
    named,
    outcome_differences,
)
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
    studies = _studies(log, protocol, at, always=always)
    return [each for now, then, events in _both(log, studies, at) for each in differences(now, then, events, at)]


class OutcomesAsked(NamedTuple):
    """The outcomes under both protocols, and what differs between them."""

    now: Outcomes
    then: Outcomes
    found: OutcomeDifferences

    def of(self, table: str) -> dict[tuple[str | None, str | None], OutcomeDifference]:
        """The differences of a table by row and column."""
        return {(each.row, each.column): each for each in self.found.listed if each.table == table}


def outcomes_asked(
    log: LogWriter, protocol: Protocol, at: datetime | None = None, *, always: bool = False
) -> OutcomesAsked:
    """What would differ of the outcomes as of an instant, else of the log's end; without any database."""
    at = at or log.now
    studies = _studies(log, protocol, at, always=always)
    both = list(_both(log, studies, at))
    now = _outcomes((rows for rows, _, _ in both), studies[0], at)
    then = _outcomes((rows for _, rows, _ in both), studies[1], at)
    events = [responsible(each) for of_stream in recorded(log, at).values() for each in of_stream]
    return OutcomesAsked(now, then, named(outcome_differences(now, then), events))


def shown(found: OutcomeDifference) -> tuple[str | None, str | None]:
    """What a cell shows now and then."""
    ((_, _, now, then),) = found.cells
    return None if now is None else now.display, None if then is None else then.display


def _studies(log: LogWriter, protocol: Protocol, at: datetime, *, always: bool) -> tuple[StudyView, StudyView]:
    study = fold_study_events(recorded(log, at).get(STUDY, []))
    return study, from_the_start(study, protocol, at) if always else taken_effect(study, protocol, at)


def _outcomes(rows: Iterable[SubjectRows], study: StudyView, at: datetime) -> Outcomes:
    published = study.published_at(at)
    facts = () if published is None else (facts_of(each, published.protocol) for each in rows)
    return outcomes(facts, published, at)


def _both(
    log: LogWriter, studies: tuple[StudyView, StudyView], at: datetime
) -> Iterator[tuple[SubjectRows, SubjectRows, list[Recorded]]]:
    """The rows of each participant under both studies, and the events behind them."""
    for stream, events in sorted(recorded(log, at).items()):
        subject_id = subject_of(stream)
        if subject_id is not None:
            view = fold_all(subject_id, events)
            now, then = (open_at(derive(view, each, at), at) for each in studies)
            yield now, then, events


def told(found: Iterable[ProtocolDifference], table: str, column: str | None) -> dict[str, tuple[Any, Any]]:
    """The values of a column now and then, by the row's key."""
    return {each.key: (each.now, each.then) for each in found if (each.table, each.column) == (table, column)}


def behind(found: Iterable[ProtocolDifference], table: str, column: str | None) -> set[str]:
    """The types of the events responsible for a column."""
    return {event.type for each in found if (each.table, each.column) == (table, column) for event in each.events}
