"""The protocol with which a stack starts: published on an empty study, held to what was published on any other.

Every process takes its protocol from the log. A file named at the start is therefore either the first version, or
one that the log holds already; an edited one is refused (`compliance.md` DAT-07). "The same" is decided by meaning:
content published by an older program counts with the defaults that it left out.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hepatrail_events.codec import read
from hepatrail_events.decisions import Code
from hepatrail_events.errors import InvalidPayload, StartRefused
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import Protocol, content_hash, shipped_protocol
from hepatrail_events.protocol_file import read_protocol_file
from hepatrail_events.streams import STUDY
from hepatrail_events.study import ProtocolPublished
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import Record, partition_of, read_to_end
from hepatrail_services.importers.api_client import ApiClient, Rejected

VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class ChosenProtocol:
    """The protocol that the operator starts with; `file` is None for the shipped one."""

    protocol: Protocol
    file: Path | None = None

    @property
    def content(self) -> str:
        """What would be published."""
        return self.protocol.content()


def choose_protocol(file: Path | None) -> ChosenProtocol:
    """The protocol in the file, the shipped one without; StartRefused names what is wrong in the file."""
    return ChosenProtocol(shipped_protocol() if file is None else read_protocol_file(file), file)


async def needs_publication(bootstrap: str, chosen: ChosenProtocol) -> bool:
    """Whether the study has no protocol yet.

    StartRefused where it has and the file is none of its versions. Raises Unavailable, and InvalidMessage when an
    event of the study cannot be read.
    """
    published = await published_contents(bootstrap)
    if published and chosen.file is not None and chosen.content not in map(_in_full, published):
        raise StartRefused(
            f"{chosen.file} is no published version of the protocol (its hash is {content_hash(chosen.content)}): "
            "publish it with publishProtocol, or start without --protocol; the versions in the log count."
        )
    return not published


async def published_contents(bootstrap: str) -> tuple[str, ...]:
    """The contents of all versions that the study's log holds, oldest first."""
    found: list[str] = []

    async def look(records: list[Record]) -> None:
        for record in records:
            if record.key == STUDY.encode() and record.value is not None:
                event = read(record.value).event
                if isinstance(event, ProtocolPublished):
                    found.append(event.content)

    await read_to_end(bootstrap, EVENTS, [partition_of(STUDY)], {}, look)
    return tuple(found)


async def publish_protocol(url: str, token: str, chosen: ChosenProtocol, now: datetime) -> None:
    """Publishes the first version, in effect from `now`; StartRefused when the decider does not accept it.

    Its id derives from its content, so that a start that was interrupted here does not publish twice.
    """
    content = chosen.content
    command = {
        "commandId": str(derived_id("shipped-protocol", content_hash(content))),
        "version": VERSION,
        "content": content,
        "approvedBy": "as shipped with Hepatrail" if chosen.file is None else "as given to hepatrail up",
        "reason": "first start on an empty study",
        "effectiveAt": format_instant(now),
    }
    async with ApiClient(url, token, patience=60) as client:
        outcome = await client.send("publishProtocol", command)
    if isinstance(outcome, Rejected) and outcome.code != Code.CONFLICT:
        raise StartRefused(f"The protocol could not be published: {outcome.message}")


def _in_full(content: str) -> str | None:
    """Published content with every default of today; None when it was written for a newer program."""
    try:
        return Protocol.read(content).content()
    except InvalidPayload:
        return None
