"""Courses on which the recount once found the product wrong, each alone in a trial."""

from datetime import UTC, datetime

from event_recount.edge_site import RECORDED, Site, after, minute
from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from hepatrail_services.importers.sites import activate_sites
from pure_spine import PureSpine


async def _site(subject_id: str) -> Site:
    spine = PureSpine(datetime(2026, 1, 5, tzinfo=UTC))
    await activate_sites(spine.acting_as(Role.ADMIN), "test", ["BFH"], "EC-1")
    spine.advance_to(RECORDED)
    return Site(spine, subject_id)


async def consent_withdrawn_before_death() -> PureSpine:
    """A participant withdraws consent, vital status remains allowed, and dies three days later."""
    gone = await _site("X-CONSENT")
    await gone.treated()
    await gone.send("withdrawConsent", withdrawnAt=after(days=5), scope="FOLLOW_UP", vitalStatusAllowed=True)
    await gone.send("recordDeath", deathAt=minute(days=8), awareAt=format_instant(RECORDED))
    return gone.spine


async def baseline_inputs_far_apart() -> PureSpine:
    """Dialysis is stated 29 h before the blood draw, whose creatinine is at the cap, so that MELD does not need it."""
    apart = await _site("X-BASELINE")
    await apart.treated()
    await apart.observe(after(hours=-30), dialysis_sessions_7d="0")
    for shift in (-1, 24 * 28):
        await apart.sample(after(hours=shift), creatinine="400", tbil="100", inr="2")
    return apart.spine
