"""Which keys may have signed a seal, and whether somebody who is trusted has introduced them.

A seal may be signed by the last key that the study had named in what the seal before covers, or in what it covers
itself. A key is introduced when a seal of a trusted key covers the event that names it. At the beginning the log's
first key is trusted, or the auditor's where some are given. A seal of a trusted key also vouches for all seals before
it, because their tree is in it.
"""

import base64
from collections.abc import Sequence

from hepatrail_events.transparency.note import VerifierKey, key_id
from hepatrail_events.transparency.seal import Opened
from hepatrail_infra.kafka_admin import CHECKPOINTS
from hepatrail_services.audit.problems import Problem
from hepatrail_services.audit.study_keys import STUDY_PARTITION, StudyKey, StudyKeys


class SealKeys:
    """Follows the seals of a log in their order."""

    def __init__(self, pinned: Sequence[VerifierKey], study: StudyKeys) -> None:
        self.pinned = tuple(pinned)
        self._study = study
        self._trusted = {key.public for key in pinned}
        self._vouched = False
        self._followed = set[bytes]()
        self._strange: dict[bytes, Problem] = {}
        self._size = 0

    def allowed(self, size: int) -> tuple[bytes, ...]:
        """The public keys that may sign the next seal, which covers `size` events of the study's partition."""
        last = [covered[-1].public for each in (self._size, size) if (covered := self._study.covered(each))]
        return tuple(dict.fromkeys(last))

    def unverified(self, size: int) -> None:
        """Goes on past a seal that could not be verified."""
        self._size = size

    def follow(self, opened: Opened, offset: int, *, in_tree: bool) -> None:
        """Takes in a seal whose signatures hold; `in_tree` when the tree over all seals agrees with it."""
        self._size = opened.trees[STUDY_PARTITION].size
        covered = self._study.covered(self._size)
        if not self.pinned and not self._trusted:
            self._trusted = {covered[0].public} if covered else set()
        if opened.signers <= self._trusted:
            if in_tree:
                self._strange.clear()
            self._vouched = True
            self._trusted |= {key.public for key in covered}
            return
        for public in opened.signers - self._trusted - self._followed:
            self._strange.setdefault(public, _not_introduced(public, covered, opened.seal.seal, offset))
        self._followed |= {key.public for key in covered} - opened.signers

    def found(self) -> tuple[Problem, ...]:
        """The keys that nobody has introduced; or that no seal is vouched for by a key of the auditor."""
        if self._strange or not self.pinned or self._vouched:
            return tuple(self._strange.values())
        message = "no seal is signed by a key that was given, or by one that such a key introduced"
        return (Problem("KEY_NOT_INTRODUCED", CHECKPOINTS, 0, None, None, None, message),)


def claims(note: str, name: str, publics: Sequence[bytes]) -> bool:
    """Whether a signature line of the note names one of these keys, be the signature good or not."""
    ids = {key_id(name, public) for public in publics}
    for line in note.rpartition("\n\n")[2].splitlines():
        who, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if who == name and raw[:4] in ids:
            return True
    return False


def _not_introduced(public: bytes, covered: Sequence[StudyKey], seal: int, offset: int) -> Problem:
    event = next((key.event_id for key in reversed(covered) if key.public == public), "unknown")
    message = (
        f"seal {seal} is signed by the key of event {event}, which no seal of a key before it covers: "
        "whoever holds this key may not be who sealed before"
    )
    return Problem("KEY_NOT_INTRODUCED", CHECKPOINTS, 0, offset, None, None, message)
