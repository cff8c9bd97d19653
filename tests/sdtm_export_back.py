"""An export on its way back: the importer's plan of it, and what a second trial in memory makes of that."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from hepatrail_events.codec import Recorded
from hepatrail_events.protocol import Protocol
from hepatrail_events.roles import Role
from hepatrail_services.exporters.import_mapping import import_mapping
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.mapping import SdtmMapping
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import play
from pure_spine import PureSpine
from sdtm_export_rows import Tables, source_of, table

Streams = Mapping[str, Sequence[Recorded]]


class Played(NamedTuple):
    """A simulated trial: its streams, and the instant at which all of it is recorded."""

    streams: Streams
    at: datetime


async def simulated(seed: int, participants: int) -> Played:
    """A clinically plausible trial, decided by the rules."""
    trial = generate_trial(seed, participants)
    spine = PureSpine(trial.header.begins)
    await activate_sites(spine.acting_as(Role.ADMIN), "test", [trial.header.site_id], "EC-1")
    await play(trial, {role: spine.acting_as(role) for role in Role}, spine.advance_to)
    return Played(spine.recorded, spine.now)


def mapping_of(tables: Tables, protocol: Protocol) -> SdtmMapping:
    """The mapping that the export brings along, as the importer reads it."""
    sites = [str(row["SITEID"]) for row in table(tables, "DM") if row["SITEID"]]
    return SdtmMapping.model_validate(tomllib.loads(import_mapping(protocol, sites)))


def planned(tables: Tables, protocol: Protocol) -> Plan:
    """What the importer would send."""
    return plan_import(source_of(tables), mapping_of(tables, protocol))


async def imported(tables: Tables, protocol: Protocol, at: datetime) -> tuple[Streams, Account]:
    """A second trial, at `at`, into which the export was imported, and the importer's account."""
    mapping, spine = mapping_of(tables, protocol), PureSpine(at)
    await activate_sites(spine.acting_as(Role.ADMIN), "test", mapping.sites.ids, mapping.sites.approval_ref)
    plan = plan_import(source_of(tables), mapping)
    account = settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR)))
    return spine.recorded, account
