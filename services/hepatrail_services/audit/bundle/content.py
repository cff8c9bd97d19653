"""Collecting what goes into a bundle: the log exactly as a seal covers it, and what was recorded beside it until then.

What comes out follows from the log and the seal alone, never from the clock (DAT-08). Events go from the source to
files; only the ends of the streams are kept in memory.
"""

import base64
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson

from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import BadSignature, Broken, InvalidMessage, StartRefused
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_of, subject_stream
from hepatrail_events.transparency.merkle import inclusion_proof
from hepatrail_events.transparency.seal import Opened, Seal, open_seal, verifier_keys
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS, PARTITIONS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.sealing_keys import SubjectKey, Unreadable
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.audit import bundle_verify
from hepatrail_services.audit.bundle import layout
from hepatrail_services.audit.bundle.beside import Beside
from hepatrail_services.audit.bundle.heads import Heads
from hepatrail_services.audit.bundle.readme import readme
from hepatrail_services.audit.bundle.source import Bundle
from hepatrail_services.audit.bundle.subject import Choice
from hepatrail_services.audit.bundle.writer import Spool, entries
from hepatrail_services.audit.leaves import LeafStore
from hepatrail_services.audit.source import LogSource, Row
from hepatrail_services.audit.study_keys import STUDY_PARTITION, StudyKeys

HEPATRAIL: Final = metadata.version("hepatrail")
"""What makes the bundle; another version may show other pages."""


@dataclass(slots=True)
class BundleContent:
    """What was collected: files in the spool, readable as a log through `bundle`, up to the seal in `opened`.

    `subjects` are the participants in it. Digests and the keys of the text come later, where they are wanted: then
    `text_keys` are those at hand by kid, `without_key` says why there is none, by pseudonym.
    """

    spool: Spool
    opened: Opened
    subject_id: str | None
    subjects: tuple[str, ...]
    protocols: tuple[str, ...]
    counts: layout.Counts
    text_keys: Mapping[str, SubjectKey] = field(default_factory=dict)
    without_key: Mapping[str, Unreadable] = field(default_factory=dict)

    @property
    def seal(self) -> Seal:
        """The seal up to which it holds the log."""
        return self.opened.seal

    @property
    def bundle(self) -> Bundle:
        """The files as a log."""
        return Bundle(self.spool.files, self.subject_id)

    def add_digests(self, digests: Mapping[str, str]) -> None:
        """The portable digest of every table of the projection of this content, by name."""
        body = {"projection": PROJECTION_VERSION, "portable": dict(digests)}
        self.spool.put(layout.DIGESTS, canonical_json(body))

    def add_text_keys(self, found: Mapping[str, SubjectKey | Unreadable]) -> None:
        """What the vault has for each participant, by pseudonym: whoever has the bundle then reads their text."""
        keys = {subject: key for subject, key in sorted(found.items()) if isinstance(key, SubjectKey)}
        lines = [
            {"kid": key.kid, "subject": subject, "key": base64.b64encode(key.key).decode("ascii")}
            for subject, key in keys.items()
        ]
        self.text_keys = {key.kid: key for key in keys.values()}
        self.without_key = {subject: key for subject, key in found.items() if isinstance(key, Unreadable)}
        self.spool.put(layout.TEXT_KEYS, b"".join(canonical_json(line) + b"\n" for line in lines))

    def add_pages(self, report: Iterable[str]) -> None:
        """The report, which is made of all that is there, and the page that says what lies where; the last to come."""
        with self.spool.lines(layout.REPORT) as write:
            for piece in report:
                write(piece.encode())
        text = readme(
            self.seal,
            subject_id=self.subject_id,
            counts=self.counts,
            with_text=layout.TEXT_KEYS in self.spool.files,
            with_digests=layout.DIGESTS in self.spool.files,
        )
        self.spool.put(layout.README, text)

    def manifest(self) -> layout.Manifest:
        """The manifest of the files that are there now."""
        return layout.Manifest(
            format=layout.FORMAT,
            log=self.seal.log,
            seal=self.seal.seal,
            at=self.seal.at,
            subject=self.subject_id,
            with_text=layout.TEXT_KEYS in self.spool.files,
            hepatrail=HEPATRAIL,
            projection=PROJECTION_VERSION,
            protocols=self.protocols,
            counts=self.counts,
            files=entries(self.spool.files),
        )


async def collect(
    source: LogSource, spool: Spool, *, seal: int | None = None, subject_id: str | None = None
) -> BundleContent:
    """What a bundle of the whole log, or of one participant, up to a seal (None: the last) holds.

    Raises StartRefused when there is no such seal or participant, or the seal cuts a commit; Broken when the log is
    shorter than the seal, or no key of the study has signed it; Unavailable.
    """
    sealed, study_sizes = await _seals(source, spool, seal)
    study = StudyKeys(source)
    await study.read_on()
    opened = _opened(sealed, study)
    sizes = [tree.size for tree in opened.trees]
    heads = Heads()
    if subject_id is None:
        events = await _all_events(source, spool, sizes, heads)
    else:
        events = await _subject_events(source, spool, sizes, heads, subject_id)
    heads.refuse_cut_commits(sealed.seal, None if subject_id is None else subject_stream(subject_id))
    beside = Beside(source, spool, sealed, heads.versions, heads.ends)
    decisions = await beside.decisions(subject_id)
    await beside.quarantine(subject_id)
    access = await beside.access() if subject_id is None else 0
    _put_notes(spool, sealed)
    spool.put(layout.KEYS, _keys_text(opened, study, study_sizes))
    for version, content in heads.protocols.items():
        spool.put(f"protocols/{quote(version, safe='')}.json", content.encode())
    _put_program(spool)
    counts = layout.Counts(
        events=events, streams=len(heads.versions), decisions=decisions, seals=sealed.seal, access=access
    )
    return BundleContent(spool, opened, subject_id, heads.subjects, tuple(heads.protocols), counts)


async def _seals(source: LogSource, spool: Spool, number: int | None) -> tuple[Seal, list[int]]:
    """Copies the seals up to that one; the seal, and what each said of the size of the study's partition."""
    sizes, last = list[int](), b""
    with spool.lines(layout.SEALS) as write:
        async for rows in source.rows(CHECKPOINTS, 0):
            for _, key, value in rows:
                if number is not None and len(sizes) >= number:
                    break
                write(layout.to_line(CHECKPOINTS, key, value) + b"\n")
                last = value or b""
                sizes.append(_size(last))
    if not sizes or (number is not None and len(sizes) < number):
        raise StartRefused(f"There is no seal {number}." if number else "There is no seal yet: ask for one.")
    try:
        return Seal.read(last), sizes
    except InvalidMessage as error:
        raise Broken(f"SEAL_UNREADABLE: seal {len(sizes)}: {error}", code="SEAL_UNREADABLE") from None


def _size(raw: bytes) -> int:
    """How many events of the study's partition a seal covers; 0 when it is none, which verification names."""
    try:
        return int(orjson.loads(raw)["checkpoints"][STUDY_PARTITION].split("\n")[1])
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
        return 0


def _opened(seal: Seal, study: StudyKeys) -> Opened:
    try:
        return open_seal(seal, [key.public for key in reversed(study.keys)])
    except BadSignature as error:
        raise Broken(f"UNKNOWN_KEY: seal {seal.seal}: {error}", code="UNKNOWN_KEY") from None


async def _leaves(source: LogSource, partition: int, size: int) -> AsyncGenerator[Row]:
    """The sealed records of a partition; Broken when there are fewer."""
    left, reading = size, source.rows(EVENTS, partition)
    try:
        async for rows in reading:
            for row in rows[:left]:
                yield row
            left -= min(left, len(rows))
            if not left:
                return
    finally:
        # Nobody reads what is behind the seal: a source that fetches ahead stops now.
        if isinstance(reading, AsyncGenerator):
            await reading.aclose()
    if left:
        raise Broken(f"LOG_SHORTER: {left} sealed events of partition {partition} are missing", code="LOG_SHORTER")


async def _all_events(source: LogSource, spool: Spool, sizes: list[int], heads: Heads) -> int:
    for partition, size in enumerate(sizes):
        with (
            spool.lines(layout.events_file(partition)) as event,
            spool.lines(layout.offsets_file(partition)) as place,
        ):
            async for offset, key, value in _leaves(source, partition, size):
                event(layout.to_line(EVENTS, key, value) + b"\n")
                place(b"%d\n" % offset)
                heads.take(value)
                heads.ends[partition] = offset + 1
    return sum(sizes)


async def _subject_events(source: LogSource, spool: Spool, sizes: list[int], heads: Heads, subject_id: str) -> int:
    """The events that concern a participant, each with the proof that it is in its partition's sealed tree."""
    streams = {key async for key in _keys(source, sizes)}
    own = subject_stream(subject_id)
    if own.encode() not in streams:
        raise StartRefused(f"The sealed log has no participant {subject_id}.")
    others = {subject_of(key.decode("utf-8", "replace")) for key in streams if key is not None} - {None, subject_id}
    choice = Choice(subject_id, frozenset(each for each in others if each is not None))
    count = 0
    with spool.lines(layout.SUBJECT_EVENTS) as write:
        for partition in sorted({partition_of(stream) for stream in (own, STUDY, SAFETY_DESK)}):
            store, chosen = LeafStore(), list[tuple[int, Row]]()
            async for offset, key, value in _leaves(source, partition, sizes[partition]):
                if choice.takes((key or b"").decode("utf-8", "replace"), value or b""):
                    chosen.append((len(store), (offset, key, value)))
                store.append(offset, value)
                heads.ends[partition] = offset + 1
            for leaf, row in chosen:
                write(_proven(partition, leaf, row, store, sizes[partition]))
                heads.take(row[2])
            count += len(chosen)
    return count


async def _keys(source: LogSource, sizes: list[int]) -> AsyncGenerator[bytes | None]:
    for partition in range(PARTITIONS):
        async for _, key, _ in _leaves(source, partition, sizes[partition]):
            yield key


def _proven(partition: int, leaf: int, row: Row, store: LeafStore, size: int) -> bytes:
    proof = inclusion_proof(store.node_at, leaf, size)
    body: dict[str, Any] = {
        "partition": partition,
        "leaf": leaf,
        "offset": row[0],
        "proof": [base64.b64encode(each).decode("ascii") for each in proof],
        "value": layout.to_line(EVENTS, row[1], row[2]).decode(),
    }
    return canonical_json(body) + b"\n"


def _put_notes(spool: Spool, seal: Seal) -> None:
    for partition, note in enumerate(seal.checkpoints):
        spool.put(f"checkpoints/{partition}.checkpoint", note.encode())
    spool.put("checkpoints/seals.checkpoint", seal.history.encode())


def _keys_text(opened: Opened, study: StudyKeys, sizes: list[int]) -> bytes:
    """The 13 verifier keys of the seal; behind a comment each, those of the study's other keys that it covers."""
    (public,) = opened.signers
    log, lines = opened.seal.log, _key_lines(opened.seal.log, public)
    for key in study.covered(sizes[-1]):
        if key.public != public:
            number = next(number for number, size in enumerate(sizes, 1) if size > key.leaf)
            lines += [f"# from seal {number} event {key.event_id}", *_key_lines(log, key.public)]
    return "".join(f"{line}\n" for line in lines).encode()


def _key_lines(log: str, public: bytes) -> list[str]:
    return [str(key) for key in verifier_keys(log, public)]


def _put_program(spool: Spool) -> None:
    """What comes with this program: the schemas of the events, and the verifier as it stands in the package."""
    for each in (resources.files("hepatrail_events") / "data" / "schemas").iterdir():
        if each.name.endswith(".schema.json"):
            spool.put(f"schemas/{each.name}", each.read_bytes())
    spool.put(layout.VERIFIER, Path(bundle_verify.__file__).read_bytes())
