"""Rows of participants for tests of the export, from a log in memory, and what an export says of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from hepatrail_events.codec import Recorded, read
from hepatrail_events.protocol import Protocol
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.exporters.dataset_json import Dataset, Form, Origin, Row, Value, written
from hepatrail_services.exporters.domains import DOMAINS
from hepatrail_services.importers.source import DOMAINS as IMPORTED
from hepatrail_services.importers.source import Source, SourceRow
from projection_log import LogRecord

ORIGIN = Origin(
    study="CiPS-BAL",
    created=datetime(2027, 6, 1, 12, tzinfo=UTC),
    modified=datetime(2027, 5, 30, 8, 30, tzinfo=UTC),
    system="hepatrail",
    version="0",
    metadata="MDV.1.0",
)
Tables = Mapping[str, list[Row]]
Named = dict[str, Value]


def streams_of(records: Iterable[LogRecord]) -> dict[str, list[Recorded]]:
    """The events of a log by stream."""
    streams: dict[str, list[Recorded]] = {}
    for each in records:
        if each.topic == EVENTS:
            recorded = read(each.value or b"")
            streams.setdefault(recorded.envelope.stream, []).append(recorded)
    return streams


def rows_at(streams: Mapping[str, Sequence[Recorded]], at: datetime) -> tuple[tuple[SubjectRows, ...], Protocol]:
    """The rows of every participant as of an instant, by id, and the protocol in force."""

    def until(stream: str) -> list[Recorded]:
        return [each for each in streams[stream] if each.envelope.recordedat <= at]

    study = fold_study_events(until(STUDY))
    published = study.published_at(at)
    assert published is not None
    found = {subject: until(stream) for stream in sorted(streams) if (subject := subject_of(stream))}
    views = [fold_all(subject, events) for subject, events in found.items() if events]
    return tuple(derive(view, study, at) for view in views), published.protocol


def exported(subjects: Iterable[SubjectRows], protocol: Protocol) -> Tables:
    """The rows of every dataset, participants by id."""
    ordered = sorted(subjects, key=lambda each: each.subject.subject_id)
    return {each.dataset.name: [row for subject in ordered for row in each.rows(subject, protocol)] for each in DOMAINS}


def files_of(tables: Tables, form: Form, origin: Origin = ORIGIN) -> dict[str, bytes]:
    """The files of an export by name."""
    return {f"{each.stem}.{form}": written(each.dataset, tables[each.dataset.name], origin, form) for each in DOMAINS}


def named(dataset: Dataset, rows: Iterable[Row]) -> list[dict[str, Value]]:
    """The rows with the names of the variables."""
    names = [each.name for each in dataset.variables]
    return [dict(zip(names, row, strict=True)) for row in rows]


def table(tables: Tables, name: str) -> list[dict[str, Value]]:
    """The rows of one dataset with the names of the variables."""
    return named(next(each.dataset for each in DOMAINS if each.dataset.name == name), tables[name])


def source_of(tables: Tables) -> Source:
    """The exported rows as the importer holds them: every value its text."""
    return Source(
        {
            domain: tuple(
                SourceRow(domain, number, {name: "" if value is None else str(value) for name, value in row.items()})
                for number, row in enumerate(table(tables, domain), 1)
            )
            for domain in IMPORTED
        },
        (),
    )
