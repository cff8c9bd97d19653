"""What is written for the person who opens a bundle: what it holds, how to verify it, what it does not show."""

from typing import Final

from hepatrail_events.transparency.seal import Seal
from hepatrail_events.types import format_instant
from hepatrail_services.audit.bundle.layout import Counts

_TOP: Final = """\
A bundle of the log {log},
as sealed by seal {seal} at {at} (UTC).
{what}

To verify it, without us and offline, with Python 3.11 or later:

    pip install cryptography
    python verify.py BUNDLE.zip --key KEY

verify.py lies in this archive. Whoever could alter the archive could alter it too: read it first, it is short, or take
your own copy. It says WHOLE or BROKEN. KEY is a line of keys.txt as you had it from elsewhere: with an earlier
checkpoint, from the sponsor, from another site. Without it the log vouches for its own key. Other tools read the
checkpoints too: they are C2SP signed notes (tlog-checkpoint, Ed25519).

What lies where
  report.html          for reading: participants, alerts, queries, the audit trail. All times are UTC
  manifest.json        what this is, and size and SHA-256 of every file in it
  keys.txt             the verifier keys of the seal, then those of earlier keys
  seals.jsonl          every seal from the first to this one, byte for byte
  checkpoints/         the checkpoints of this seal: one a partition, and one over all seals
{events}\
  quarantine.jsonl     what could not be read, and who decided to pass over it
  protocols/           every version of the protocol that was published, whole
  schemas/             the JSON Schema of the data of every event, by name and version
{more}
A record is one line of canonical JSON (RFC 8785), the very bytes that are hashed. The attributes of an event are those
of CloudEvents 1.0: `subject` is its stream, `streamseq` its number there, `prevhash` the SHA-256 of the event before,
`commitid`, `commitindex` and `commitsize` say what was recorded together, `recordedat` when and `actorid` by whom. The
leaf of the Merkle tree (RFC 6962) is the same line. A record that is no line of text is {{"base64":...,"key":...}}.

{limits}
"""

_ALL_EVENTS: Final = """\
  events/NN.jsonl      the events of partition NN, one a line, in the order of the leaves of its tree
  events/NN.offsets    the place of each of them in Kafka
  decisions/NN.jsonl   the answer to every command
  access.jsonl         logins, refusals, exports and readings of the trail; one hash chain an instance
"""

_SUBJECT_EVENTS: Final = """\
  events/subject.jsonl every event of the participant, those of the safety desk that name the participant, and those of
                       the study that are about nobody else; each with the proof that it is in its tree
  decisions/NN.jsonl   the answers to the commands about the participant
"""

_DIGESTS: Final = "  digests.json         a SHA-256 over the rows of every table that follows from these events\n"
_TEXT: Final = """\
  text-keys.jsonl      the keys of the participants' free text: whoever has this file reads it. Keep it as such.
                       `python verify.py BUNDLE.zip --text-keys` opens every passage with them
"""

_NOT_SHOWN: Final = """\
What this does not show: that what was recorded is true; and what came after this seal. Sealed are the events and the
seals. Decisions, access log, report and all else are as they were written into this archive: whoever keeps the SHA-256
of the archive, which verify.py prints and the access log of the system holds, knows that they are the same.

{text}"""
_SEALED: Final = "The free text is sealed (AES-256-SIV, one key a participant), and the keys are not in here."
_OPEN: Final = "The free text is sealed (AES-256-SIV, one key a participant); the keys that were there are in here."
_PART: Final = """

This is a part of the log. The chain shows that no event of the participant is missing between the first and the last
one in here; that the last one here was the last before the seal, the whole log shows, this part does not. Of study and
safety desk single events are proven, not that these are all. Trial-wide stopping rules are in the whole log only."""


def readme(seal: Seal, *, subject_id: str | None, counts: Counts, with_text: bool, with_digests: bool) -> bytes:
    """The text of README.txt, UTF-8."""
    what = (
        f"The whole log until then: {counts.events} events in {counts.streams} streams."
        if subject_id is None
        else f"What it holds of participant {subject_id} until then: {counts.events} events."
    )
    text = _TOP.format(
        log=seal.log,
        seal=seal.seal,
        at=format_instant(seal.at),
        what=what,
        events=_ALL_EVENTS if subject_id is None else _SUBJECT_EVENTS,
        more=(_DIGESTS if with_digests else "") + (_TEXT if with_text else ""),
        limits=_NOT_SHOWN.format(text=_OPEN if with_text else _SEALED) + ("" if subject_id is None else _PART),
    )
    return text.encode()
