"""Every command of a simulated trial gets from the rules what its file foresees."""

import pytest

from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_services.deciders.catalogue import COMMANDS
from hepatrail_services.importers.api_client import Accepted
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import play
from pure_spine import PureSpine

LEFT_OUT = {
    "publishProtocol",  # a stack publishes the shipped one when it starts
    "activateSite",  # the player does so before it begins
    "deactivateSite",  # nobody could be enrolled at the site any more
    "withdrawAccess",  # the person whose access ends is one of those who play
    "publishSealingKey",  # the sealer does so by itself
    "reviewAuditTrail",  # an auditor does so, who plays no part in a trial
    "acknowledgeSaeAlert",  # the id of an alert is known once it is raised: the safety officer of the demo does so
}
"""The commands that no trial holds, and why."""


@pytest.mark.parametrize("seed", range(6))
async def test_a_trial_goes_as_its_file_foresees(seed: int) -> None:
    trial = generate_trial(seed, 12)
    spine = PureSpine(trial.header.begins)
    await activate_sites(spine.acting_as(Role.ADMIN), "test", [trial.header.site_id], "EC-1")
    roles = {role: spine.acting_as(role) for role in Role}
    played = await play(trial, roles, spine.advance_to)
    assert [(one.command.mutation, one.command.expect, one.outcome) for one in played if not one.as_expected] == []
    assert not any(isinstance(event, AlertRaised) for event in spine.events())
    assert sum(not isinstance(one.outcome, Accepted) for one in played) >= 20
    accepted = {one.command.mutation for one in played if isinstance(one.outcome, Accepted)}
    assert set(COMMANDS) - accepted == LEFT_OUT


async def test_a_site_is_activated_once() -> None:
    spine = PureSpine(generate_trial(1, 1).header.begins)
    admin = spine.acting_as(Role.ADMIN)
    first = await activate_sites(admin, "test", ["BFH"], "EC-1")
    assert await activate_sites(admin, "test", ["BFH"], "EC-1") == first
    assert len(spine.recorded["study"]) == 2
