"""The report of a bundle: one HTML page for people, made from the bundle's own records and nothing else (RET-01).

No script, no address outside of itself, no clock and no host name: the same content gives the same bytes (DAT-08).
Participants are worked out one after the other; their parts wait in files of the spool until the page is put together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded, parse_object
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_of
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine
from hepatrail_infra.sealing_keys import kid_of
from hepatrail_projections.collecting import without_gc
from hepatrail_projections.derive import derive
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from hepatrail_projections.records import incoming
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import fold_all
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.audit.bundle.content import HEPATRAIL, BundleContent
from hepatrail_services.audit.bundle.course_report import course
from hepatrail_services.audit.bundle.html import SEALED, Values, facts, heading, link, page, paragraph, table
from hepatrail_services.audit.bundle.layout import KEYS
from hepatrail_services.audit.bundle.source import Bundle, Bundled
from hepatrail_services.audit.bundle.study_report import alert_tables, quarantined, rejected_commands, study_tables
from hepatrail_services.audit.bundle.trail_report import trail


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as the bundle holds it: events that can be read, in order, and why others cannot."""

    name: str
    rows: tuple[Bundled, ...]
    recorded: tuple[Recorded, ...]
    unreadable: tuple[str, ...]


@dataclass(slots=True)
class _Report:
    """What is known once all partitions were read."""

    content: BundleContent
    released: frozenset[Place]
    study: StudyView = EMPTY_STUDY
    desk: DeskView = EMPTY_DESK
    shared: dict[str, tuple[Recorded, ...]] = field(default_factory=dict)
    heads: list[list[str]] = field(default_factory=list)
    summaries: list[list[str]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    sections: dict[str, Path] = field(default_factory=dict)

    @property
    def values(self) -> Values:
        """Values with the keys that the bundle holds."""
        return Values(self.content.text_keys)


def html_report(content: BundleContent) -> Iterator[str]:
    """The page, piece by piece."""
    report = _Report(content, _released(content.bundle))
    _read_shared(report)
    for _, rows in groupby(content.bundle.events(), attrgetter("partition")):
        for stream in _streams(rows, report.released):
            _take(report, stream)
    title = f"Log {content.seal.log}, seal {content.seal.seal}"
    whose = "" if content.subject_id is None else f", participant {content.subject_id}"
    yield from page(f"{title}{whose}", _body(report))


def _read_shared(report: _Report) -> None:
    """Study and safety desk first: every participant is read in their light."""
    shared = [each for each in report.content.bundle.events() if each.key in (STUDY.encode(), SAFETY_DESK.encode())]
    for stream in _streams(shared, report.released):
        report.shared[stream.name] = stream.recorded
        try:
            if stream.name == STUDY:
                for recorded in stream.recorded:
                    report.study = fold_study(report.study, recorded)
            else:
                for recorded in stream.recorded:
                    report.desk = fold_desk(report.desk, recorded)
        except InvalidMessage:
            # What was understood until then is shown; the verification names what is wrong with the log.
            continue


def _released(bundle: Bundle) -> frozenset[Place]:
    found = set()
    for _, _, value in bundle.records(QUARANTINE, 0):
        try:
            entry = read_quarantine(value or b"")
        except InvalidMessage:
            continue
        if isinstance(entry, Released):
            found.add(Place(entry.topic, entry.partition, entry.offset))
    return frozenset(found)


def _streams(rows: Any, released: frozenset[Place]) -> Iterator[Stream]:
    by_name: dict[str, list[Bundled]] = {}
    for row in rows:
        by_name.setdefault((row.key or b"").decode("utf-8", "replace"), []).append(row)
    for name, own in sorted(by_name.items()):
        recorded, unreadable = list[Recorded](), list[str]()
        for row in own:
            place = Place(EVENTS, row.partition, row.offset)
            content = incoming(place, row.key, row.value).content
            if place in released:
                unreadable.append(f"{place.partition}@{place.offset}: released")
            elif isinstance(content, InvalidMessage):
                unreadable.append(f"{place.partition}@{place.offset}: {content.code}: {content}")
            else:
                recorded.append(content)
        yield Stream(name, tuple(own), tuple(recorded), tuple(unreadable))


def _take(report: _Report, stream: Stream) -> None:
    first, last = (_recorded_at(stream.rows[index]) for index in (0, -1))
    count, head = str(len(stream.rows)), sha256_hex(stream.rows[-1].value or b"")
    report.heads.append([stream.name or "without key", str(stream.rows[0].partition), count, first, last, head])
    subject_id = subject_of(stream.name)
    if subject_id is None:
        return
    path = report.content.spool.directory / f"section-{len(report.sections)}.html"
    with path.open("w", encoding="utf-8") as out, without_gc():
        out.writelines(_section(report, stream, subject_id))
    report.sections[subject_id] = path


def _recorded_at(row: Bundled) -> str:
    try:
        return str(parse_object(row.value or b"").get("recordedat", ""))
    except InvalidMessage:
        return ""


def _section(report: _Report, stream: Stream, subject_id: str) -> Iterator[str]:
    at, values = report.content.seal.at, report.values
    values.places = {str(each.envelope.id): each.envelope.streamseq for each in stream.recorded}
    yield heading(2, f"Participant {subject_id}", _anchor(subject_id))
    for line in stream.unreadable:
        yield paragraph(f"Not shown: {line}")
    sealed = sum((row.value or b"").count(b'"ct":') for row in stream.rows)
    if sealed:
        report.texts.append([subject_id, str(sealed), _text_state(report.content, subject_id)])
    try:
        view = fold_all(subject_id, stream.recorded)
        rows = open_at(derive(view, report.study, at), at) if stream.recorded else None
    except InvalidMessage as error:
        rows = None
        yield paragraph(f"The course cannot be worked out: {error}")
    summary = [link(_anchor(subject_id), subject_id), "", "", str(len(stream.rows)), "", ""]
    if rows is not None:
        yield from course(rows, values, at)
        row = rows.subject
        open_queries = sum(each.is_open_at(at) for each in rows.queries)
        summary[1:] = [
            values.text(row.site_id),
            row.status,
            str(len(stream.rows)),
            values.text(row.enrolled_at),
            str(len(rows.adverse_events)),
            str(open_queries),
        ]
    report.summaries.append(summary)
    yield from trail(stream.recorded, values)


def _text_state(content: BundleContent, subject_id: str) -> str:
    if kid_of(subject_id) in content.text_keys:
        return "shown: the key is in this bundle"
    why = content.without_key.get(subject_id)
    return f"{SEALED}: the key is not in this bundle" if why is None else why.value


def _anchor(subject_id: str) -> str:
    return f"participant-{subject_id}"


def _body(report: _Report) -> Iterator[str]:
    content, values = report.content, report.values
    yield paragraph("All times are UTC. Numbers of events are those in their stream. To verify this, see README.txt.")
    yield _identity(report)
    keys = content.spool.files[KEYS].read().decode().splitlines()
    yield from table("Verifier keys", ["key"], ([key] for key in keys))
    trees = [[each.origin, str(each.size), each.root.hex()] for each in (*content.opened.trees, content.opened.history)]
    yield from table("Trees as sealed", ["origin", "leaves", "root"], trees)
    yield from table("Streams", ["stream", "partition", "events", "first", "last", "SHA-256 of the last"], report.heads)
    yield heading(2, "Study")
    yield from study_tables(report.study, values)
    yield heading(2, "Participants")
    columns = ["participant", "site", "status", "events", "enrolled", "adverse events", "open queries"]
    yield from table("Participants", columns, sorted(report.summaries), linked=True)
    yield heading(2, "Safety alerts")
    yield from alert_tables(report.desk, report.study, values)
    for _, path in sorted(report.sections.items()):
        yield path.read_text("utf-8")
    for name, title in ((STUDY, "study"), (SAFETY_DESK, "safety desk")):
        yield heading(2, f"Trail of the {title}")
        yield from trail(report.shared.get(name, ()), values)
    yield heading(2, "Rejected commands")
    yield from rejected_commands(content.bundle, values)
    yield heading(2, "What cannot be read")
    yield from quarantined(content.bundle)
    yield from table("Free text", ["participant", "passages", "state"], sorted(report.texts))


def _identity(report: _Report) -> str:
    content, counts = report.content, report.content.counts
    return facts(
        "What this is",
        [
            ("log", content.seal.log),
            ("participant", content.subject_id or "all"),
            ("seal", f"{content.seal.seal} ({content.seal.reason.value})"),
            ("sealed at", format_instant(content.seal.at)),
            ("events", f"{counts.events} in {counts.streams} streams"),
            ("decisions", str(counts.decisions)),
            ("access records", str(counts.access)),
            ("protocol versions", ", ".join(content.protocols)),
            ("made with", f"hepatrail {HEPATRAIL}, projection {PROJECTION_VERSION}"),
            ("zone of the sites", _zone(report)),
        ],
    )


def _zone(report: _Report) -> str:
    published = report.study.published_at(report.content.seal.at)
    return "" if published is None else published.protocol.site_zone
