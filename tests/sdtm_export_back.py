"""An export on its way back: the importer's plan of it, and what a second trial in memory makes of that."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from hepatrail_events.codec import Recorded
from hepatrail_events.protocol import Protocol
from hepatrail_events.roles import Role
from hepatrail_services.exporters.dataset_json import Value
from hepatrail_services.exporters.import_mapping import import_mapping
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.records_mapping import RecordsMapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import play
from pure_spine import PureSpine
from sdtm_export_rows import Tables, source_of, table

IDS = "an id that is made of the command's or of the event's id"
RECORDED = "the instant at which it was recorded"
NOT_THE_SAME: Mapping[str, str] = {
    "EXSPID": IDS, "MHSPID": IDS, "CMSPID": IDS, "PRSPID": IDS, "LBSPID": IDS, "LBREFID": IDS, "VSSPID": IDS,
    "AESPID": IDS, "DSSPID": IDS, "SSSPID": IDS, "XASPID": IDS, "DESPID": IDS,
}  # fmt: skip
"""Columns that cannot come back, each with its reason."""
ENROLLED_AT: Mapping[str, str] = {"DSSTDTC": RECORDED, "DSSTDY": RECORDED}
"""Likewise, of the row ENROLLED only: an enrolment states no time of its own."""

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


def mapping_of(tables: Tables, protocol: Protocol) -> RecordsMapping:
    """The mapping that the export brings along, as the importer reads it."""
    sites = [str(row["SITEID"]) for row in table(tables, "DM") if row["SITEID"]]
    return RecordsMapping.model_validate(tomllib.loads(import_mapping(protocol, sites)))


def planned(tables: Tables, protocol: Protocol) -> Plan:
    """What the importer would send."""
    return plan_import(source_of(tables), mapping_of(tables, protocol))


async def imported(
    tables: Tables, protocol: Protocol, at: datetime, *, others: Iterable[Role] = (Role.SPONSOR,), times: int = 1
) -> tuple[Streams, Account]:
    """A second trial, at `at`, into which the export was imported, and the importer's account of the last time.

    `others` are the roles of which the importer has a token beside the investigator's.
    """
    mapping, spine = mapping_of(tables, protocol), PureSpine(at)
    spine.publish("as exported", protocol, datetime(2000, 6, 1, tzinfo=UTC))
    await activate_sites(spine.acting_as(Role.ADMIN), "test", mapping.sites.ids, mapping.sites.approval_ref)
    plan, users = plan_import(source_of(tables), mapping), {role: spine.acting_as(role) for role in others}
    settled = [await run_plan(plan, spine.acting_as(Role.INVESTIGATOR), others=users) for _ in range(times)]
    return spine.recorded, settle_account(plan, settled[-1])


def comparable(tables: Tables, name: str) -> Counter[tuple[tuple[str, Value], ...]]:
    """The rows of a dataset as a multiset, without the columns that cannot come back."""
    found: Counter[tuple[tuple[str, Value], ...]] = Counter()
    for row in table(tables, name):
        without = {*NOT_THE_SAME, *(ENROLLED_AT if row.get("DSDECOD") == "ENROLLED" else ())}
        found[tuple((column, value) for column, value in row.items() if column not in without)] += 1
    return found
