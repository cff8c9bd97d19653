"""The golden files: one record of the log for every event and version, in the very bytes of the log, kept for ever.

`python tests/golden.py` writes those that are missing and adds their hashes to SHA256SUMS; it never writes over one.
A file that is there is never written again: its event is in some log.

A field that joins an event later as optional raises no version, because every older record stays readable as it is.
It is shown by a further record of the same version, `<event>.v<version>.<number>.json`, whose payload is in
`golden_payloads.LATER`.
"""

from pathlib import Path
from uuid import UUID

from builders.times import NOW, at
from golden_payloads import UUID_STEM, payloads
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded, record
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.families import EVENT_TYPES

SAMPLES = Path(__file__).parent.parent / "events" / "samples"
SUMS = SAMPLES / "SHA256SUMS"


def golden(name: str, number: int = 0) -> Recorded:
    """A record of the current version of an event, with every attribute of the envelope."""
    kind = EVENT_TYPES[name]
    envelope = Envelope(
        id=UUID(UUID_STEM + "1"),
        type=name,
        version=kind.VERSION,
        stream="subject-S-001",
        streamseq=2,
        commitid=UUID(UUID_STEM + "2"),
        commitindex=0,
        commitsize=1,
        prevhash=sha256_hex(b"the event before"),
        receivedat=at(seconds=1),
        recordedat=NOW,
        actorid="u-1",
        actorrole="INVESTIGATOR",
        actororg="BFH",
        producer="hepatrail/0.1.0",
        studyseq=7,
        protocolversion="1.0",
        causationid=UUID_STEM + "3",
        correlationid=UUID_STEM + "4",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    event: Event = kind.from_payload(payloads(name)[number])
    return record(envelope, event)


def file_of(name: str, version: int, number: int = 0) -> Path:
    """Where a record of this version is kept; `number` 0 is its first."""
    return SAMPLES / (f"{name}.v{version}.{number + 1}.json" if number else f"{name}.v{version}.json")


def sums() -> dict[str, str]:
    """The recorded hash of every golden file by its name, in the form of `sha256sum`."""
    lines = (line.split("  ") for line in SUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def write_missing() -> None:
    """Writes the golden files that are not there yet, and their hashes."""
    SAMPLES.mkdir(exist_ok=True)
    known = sums() if SUMS.exists() else {}
    for name, kind in EVENT_TYPES.items():
        for number in range(len(payloads(name))):
            path = file_of(name, kind.VERSION, number)
            if not path.exists() and path.name not in known:
                raw = golden(name, number).raw
                path.write_bytes(raw)
                known[path.name] = sha256_hex(raw)
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(known.items())))


if __name__ == "__main__":
    write_missing()
