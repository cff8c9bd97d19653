"""The seals of the log, each held to the one before it, to the tree over all seals and to the keys of the study."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import BadSignature, InvalidMessage
from hepatrail_events.transparency.checkpoint import TREES, Checkpoint, events_origin, seals_origin
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import VerifierKey
from hepatrail_events.transparency.seal import NO_SEAL, Opened, Seal, open_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS
from hepatrail_services.audit.marks import Marks
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.readable import readable_rows
from hepatrail_services.audit.seal_keys import SealKeys, claims
from hepatrail_services.audit.source import LogSource
from hepatrail_services.audit.strict_reading import Fault
from hepatrail_services.audit.study_keys import STUDY_PARTITION, StudyKeys


@dataclass(slots=True)
class SealsRead:
    """What the seals say: their number, the last one whose signatures hold, and the marks of each partition's tree.

    `problems` make the log broken, `warnings` do not; `log` is the name in the first seal.
    """

    count: int = 0
    log: str | None = None
    last: Opened | None = None
    marks: Mapping[int, Marks] = field(default_factory=lambda: {partition: Marks() for partition in range(TREES)})
    warnings: tuple[Problem, ...] = ()


async def check_seals(
    source: LogSource, study: StudyKeys, problems: Problems, *, pinned: Sequence[VerifierKey] = (), history: Marks
) -> SealsRead:
    """Reads all seals; `history` are checkpoints of the tree over them that were taken earlier. Raises Unavailable."""
    check = _SealsCheck(problems, pinned, study, history)
    async for rows in readable_rows(source, CHECKPOINTS, 0, problems):
        for offset, key, value in rows:
            await check.take(offset, key, value or b"")
    return check.end()


class _SealsCheck:
    """The seals so far: the last number and hash, the tree over them, the notes and sizes of the last."""

    def __init__(
        self, problems: Problems, pinned: Sequence[VerifierKey], study: StudyKeys, history_marks: Marks
    ) -> None:
        self._problems = problems
        self._study = study
        self._keys = SealKeys(pinned, study)
        self._read = SealsRead()
        self._number = 0
        self._prevhash = NO_SEAL
        self._history: Frontier | None = Frontier()
        self._history_marks = history_marks
        self._marks_seen = 0
        self._known: dict[str, Checkpoint] = {}
        self._sizes = [0] * TREES

    async def take(self, offset: int, key: bytes | None, value: bytes) -> None:
        """The next record."""
        self._read.count += 1
        try:
            seal = Seal.read(value)
        except InvalidMessage as error:
            self._problem("SEAL_UNREADABLE", offset, str(error))
            self._go_on(self._number + 1, value, None)
            return
        if seal.raw() != value:
            self._problem("SEAL_UNREADABLE", offset, "its bytes are not in canonical form")
        if seal.seal <= self._number:
            message = f"seal {seal.seal} came a second time, {self._number + 1} was due"
            self._problem("SEAL_GAP", offset, message)
            return
        await self._check_log(seal, offset, key)
        in_tree = self._check_place(seal, offset, value)
        trees = _texts(seal)
        if isinstance(trees, Fault):
            self._problem(trees.code, offset, f"seal {seal.seal}: {trees.message}")
            return
        await self._check_signatures(seal, offset, trees, in_tree=in_tree)

    def end(self) -> SealsRead:
        """What was read, after the last record."""
        marks = self._history_marks
        if len(marks) and marks[len(marks) - 1].size > self._number:
            size = marks[len(marks) - 1].size
            message = f"the log has {self._number} seals, a checkpoint taken earlier has {size}: "
            self._problem("LOG_SHORTER", None, f"{message}{size - self._number} are missing")
        found = self._keys.found()
        if self._keys.pinned:
            for each in found:
                self._problems.add(each)
        else:
            self._read.warnings = found
        return self._read

    async def _check_log(self, seal: Seal, offset: int, key: bytes | None) -> None:
        if self._read.log is None:
            self._read.log = seal.log
            await self._study.read_on()
            genesis = self._study.genesis
            if genesis is None or seal.log.rpartition("/")[2] != genesis[:16]:
                what = "the study has no event" if genesis is None else f"the study's first event is {genesis[:16]}"
                self._problem("SEAL_LOG", offset, f"seal {seal.seal} is of the log {seal.log}, but {what}")
        elif seal.log != self._read.log:
            self._problem("SEAL_LOG", offset, f"seal {seal.seal} is of the log {seal.log}, not of {self._read.log}")
        if key != seal.log.encode():
            self._problem("SEAL_LOG", offset, f"seal {seal.seal} stands under another key than the name of its log")

    def _check_place(self, seal: Seal, offset: int, value: bytes) -> bool:
        """Number, hash of the seal before, tree over all seals; whether the tree agrees."""
        if seal.seal != self._number + 1:
            self._problem("SEAL_GAP", offset, f"seal {seal.seal} came where {self._number + 1} was due")
            self._go_on(seal.seal, value, None)
            return False
        if seal.prevhash != self._prevhash:
            self._problem("SEAL_CHAIN", offset, f"seal {seal.seal}: prevhash is not the hash of the seal before")
        self._go_on(seal.seal, value, seal.body_bytes())
        if self._history is None:
            return False
        root = self._history.root()
        self._check_history(root, offset)
        try:
            history = _text(seal.history)
        except BadSignature:
            return False
        if (history.size, history.root) != (self._history.size, root):
            self._problem("SEAL_CHAIN", offset, f"seal {seal.seal}: its history is not that of the seals up to it")
            # Said once: every later history is another one too.
            self._history = None
            return False
        return True

    def _go_on(self, number: int, value: bytes, body: bytes | None) -> None:
        self._number, self._prevhash = number, sha256_hex(value)
        if body is None:
            # Its leaf is unknown, and so is every root from here on.
            self._history = None
        elif self._history is not None:
            self._history.append(leaf_hash(body))

    def _check_history(self, root: bytes, offset: int) -> None:
        while self._marks_seen < len(self._history_marks):
            mark = self._history_marks[self._marks_seen]
            if mark.size > self._number:
                return
            self._marks_seen += 1
            if mark.size == self._number and mark.root != root:
                self._problem("ROOT_MISMATCH", offset, f"the first {mark.size} seals are not those of {mark.whose()}")

    async def _check_signatures(self, seal: Seal, offset: int, trees: Sequence[Checkpoint], *, in_tree: bool) -> None:
        size = trees[STUDY_PARTITION].size
        if size > self._study.leaves:
            await self._study.read_on()
        publics = self._keys.allowed(size)
        shrunk = [partition for partition in range(TREES) if trees[partition].size < self._sizes[partition]]
        try:
            opened = open_seal(seal, publics, self._known)
        except BadSignature as error:
            fault = _refusal(seal, publics, self._known, error)
            self._problem(fault.code, offset, f"seal {seal.seal}: {fault.message}")
            self._keys.unverified(size)
            return
        for partition in shrunk:
            message = f"{trees[partition].size} events, the seal before has {self._sizes[partition]}"
            self._problem("SEAL_SHRINKS", offset, f"seal {seal.seal}: {trees[partition].origin} has {message}")
        self._keys.follow(opened, offset, in_tree=in_tree)
        for partition, tree in enumerate(opened.trees):
            self._read.marks[partition].add(tree.size, tree.root, seal.seal)
        self._known = dict(zip(seal.checkpoints, opened.trees, strict=True))
        self._sizes = [tree.size for tree in opened.trees]
        self._read.last = opened

    def _problem(self, code: str, offset: int | None, message: str) -> None:
        self._problems.add(Problem(code, CHECKPOINTS, 0, offset, None, None, message))


def _text(note: str) -> Checkpoint:
    """What a note says, whoever signed it; BadSignature when it is no note of a checkpoint, byte for byte."""
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        encoded = line.rpartition(" ")[2]
        try:
            same = base64.b64encode(base64.b64decode(encoded)).decode("ascii") == encoded
        except ValueError:
            same = False
        if not same:
            # Base64 leaves bits unused: other bytes in the log would stand for the same signature.
            raise BadSignature("a signature is not in canonical form")
    return Checkpoint.parse(text + "\n")


def _texts(seal: Seal) -> tuple[Checkpoint, ...] | Fault:
    """What the notes of the partitions say, or what is wrong with one of the 13."""
    try:
        *trees, history = (_text(note) for note in (*seal.checkpoints, seal.history))
    except BadSignature as error:
        return Fault("SEAL_UNREADABLE", str(error))
    due = [events_origin(seal.log, partition) for partition in range(TREES)]
    for found, origin in zip((*trees, history), (*due, seals_origin(seal.log)), strict=True):
        if found.origin != origin:
            return Fault("SEAL_LOG", f"a checkpoint of {found.origin} stands where one of {origin} is due")
    return tuple(trees)


def _refusal(seal: Seal, publics: Sequence[bytes], known: Mapping[str, Checkpoint], error: BadSignature) -> Fault:
    """Why the seal's notes were refused: by a key that may not sign, or by a signature that is not its key's."""
    named = {events_origin(seal.log, partition): note for partition, note in enumerate(seal.checkpoints)}
    for origin, note in (*named.items(), (seals_origin(seal.log), seal.history)):
        if note not in known and not claims(note, origin, publics):
            return Fault("UNKNOWN_KEY", f"{origin} is signed by no key that the study has named for it")
    return Fault("BAD_SIGNATURE", str(error))
