"""The shipped protocol, published on an empty study through the API as any other command."""

from datetime import datetime

from hepatrail_events.decisions import Code
from hepatrail_events.errors import StartRefused
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.types import format_instant
from hepatrail_services.importers.api_client import ApiClient, Rejected

VERSION = "1.0"


async def publish_shipped_protocol(url: str, token: str, now: datetime) -> None:
    """Publishes CiPS-BAL as shipped, in effect from `now`; StartRefused when the decider does not accept it.

    Its id derives from its content, so that a start that was interrupted here does not publish twice.
    """
    content = shipped_protocol().content()
    command = {
        "commandId": str(derived_id("shipped-protocol", content_hash(content))),
        "version": VERSION,
        "content": content,
        "approvedBy": "as shipped with Hepatrail",
        "reason": "first start on an empty study",
        "effectiveAt": format_instant(now),
    }
    async with ApiClient(url, token, patience=60) as client:
        outcome = await client.send("publishProtocol", command)
    if isinstance(outcome, Rejected) and outcome.code != Code.CONFLICT:
        raise StartRefused(f"The shipped protocol could not be published: {outcome.message}")
