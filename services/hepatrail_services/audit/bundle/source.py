"""A bundle as a log: what verification, the report and an import read it through."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import Broken, InvalidMessage, StartRefused
from hepatrail_events.transparency.seal import Seal
from hepatrail_events.types import read_fact
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS
from hepatrail_services.audit import bundle_verify
from hepatrail_services.audit.bundle.layout import (
    MANIFEST,
    SEALS,
    SUBJECT_EVENTS,
    Manifest,
    Part,
    events_file,
    file_of,
    of_line,
    offsets_file,
)
from hepatrail_services.audit.source import HeaderRow, Row

_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Bundled:
    """An event in a bundle: where it stood in the log, and its record."""

    partition: int
    leaf: int
    offset: int
    key: bytes | None
    value: bytes | None


class Bundle:
    """The files of a bundle as a `LogSource`; `subject_id` is the participant whose it is, None for the whole log.

    Offsets of events are those of the log that it was taken from; in the other topics records are counted.
    """

    def __init__(self, files: Mapping[str, Part], subject_id: str | None = None) -> None:
        self.files = files
        self.subject_id = subject_id

    def events(self) -> Iterator[Bundled]:
        """Every event, by partition and leaf."""
        if self.subject_id is not None:
            yield from self._of_subject()
            return
        for partition in range(PARTITIONS):
            offsets, lines = self.files[offsets_file(partition)].lines(), self.files[events_file(partition)].lines()
            for leaf, (offset, line) in enumerate(zip(offsets, lines, strict=True)):
                yield Bundled(partition, leaf, int(offset), *of_line(EVENTS, line))

    def records(self, topic: str, partition: int) -> Iterator[Row]:
        """Offset, key and value of the records of another topic than the events."""
        part = self.files.get(file_of(topic, partition))
        for number, line in enumerate(part.lines() if part else ()):
            yield number, *of_line(topic, line)

    def last_seal(self) -> Seal:
        """The seal up to which it holds the log."""
        *_, last = self.files[SEALS].lines()
        return Seal.read(last)

    async def rows(self, topic: str, partition: int, start: int | None = None) -> AsyncIterator[Sequence[Row]]:
        """As `LogSource.rows`; StartRefused for the events of one participant, which are no partition."""
        chosen = (row for row in self._rows(topic, partition) if start is None or row[0] >= start)
        for batch in _batches(chosen):
            yield batch

    async def rows_with_headers(self, topic: str, partition: int) -> AsyncIterator[Sequence[HeaderRow]]:
        """As `LogSource.rows_with_headers`; the headers of an event are those that follow from it."""
        for batch in _batches(self._rows(topic, partition)):
            yield [(offset, key, value, _headers(topic, value)) for offset, key, value in batch]

    def _rows(self, topic: str, partition: int) -> Iterator[Row]:
        if topic != EVENTS:
            yield from self.records(topic, partition)
            return
        if self.subject_id is not None:
            raise StartRefused("A participant's bundle holds a part of the log: run the verify.py that is in it.")
        offsets, lines = self.files[offsets_file(partition)].lines(), self.files[events_file(partition)].lines()
        for offset, line in zip(offsets, lines, strict=True):
            yield int(offset), *of_line(topic, line)

    def _of_subject(self) -> Iterator[Bundled]:
        for line in self.files[SUBJECT_EVENTS].lines():
            body: dict[str, Any] = orjson.loads(line)
            key, value = of_line(EVENTS, body["value"].encode())
            yield Bundled(body["partition"], body["leaf"], body["offset"], key, value)


class ReadBundle(Bundle):
    """A bundle that was read from a file."""

    def __init__(self, files: Mapping[str, Part], manifest: Manifest) -> None:
        super().__init__(files, manifest.subject)
        self.manifest = manifest


def read_bundle(path: Path) -> ReadBundle:
    """Opens a bundle and holds every byte of it to its manifest.

    Raises StartRefused when the file cannot be read, Broken when it is no bundle or a byte of it was changed.
    """
    try:
        archive = bundle_verify.Archive(str(path))
    except OSError as error:
        raise StartRefused(f"The bundle {path} cannot be read: {error.strerror}.") from error
    except (bundle_verify.Broken, LookupError, TypeError, ValueError) as error:
        raise Broken(f"BUNDLE_DAMAGED: {path}: {error}", code="BUNDLE_DAMAGED") from None
    files = {name: Part(path, begin, size) for name, (begin, size) in archive.places.items()}
    try:
        manifest = read_fact(Manifest, parse_object(files[MANIFEST].read()))
    except InvalidMessage as error:
        raise Broken(f"BUNDLE_DAMAGED: {path}: {error}", code="BUNDLE_DAMAGED") from None
    return ReadBundle(files, manifest)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _headers(topic: str, value: bytes | None) -> Sequence[tuple[str, bytes]]:
    if topic != EVENTS or value is None:
        return ()
    try:
        return Envelope.from_json(parse_object(value)).headers()
    except InvalidMessage:
        return ()
