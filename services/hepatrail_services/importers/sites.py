"""Activating the sites of a study before its first row."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.streams import STUDY
from hepatrail_services.importers.api_client import Accepted, Rejected
from hepatrail_services.importers.run import Sender


async def activate_sites(
    sender: Sender, source: str, site_ids: Iterable[str], approval_ref: str
) -> Mapping[str, Accepted | Rejected]:
    """Activates each site once in the name of an ADMIN; what was accepted before is not sent again.

    `source` names who asks ("CDISCPILOT01"), so that the same request has the same command id. A rejection is
    returned, not raised: the site may be active already.
    """
    outcomes: dict[str, Accepted | Rejected] = {}
    for site_id in site_ids:
        attempt = 1
        while site_id not in outcomes:
            identity = derived_id("activate", source, site_id, attempt)
            known = (await sender.commands(STUDY, [identity])).get(identity)
            if isinstance(known, Accepted):
                outcomes[site_id] = known
            elif not isinstance(known, Rejected):
                outcomes[site_id] = await sender.send("activateSite", _command(identity, site_id, approval_ref))
            attempt += 1
    return outcomes


def _command(identity: UUID, site_id: str, approval_ref: str) -> dict[str, str]:
    return {"commandId": str(identity), "siteId": site_id, "approvalRef": approval_ref}
