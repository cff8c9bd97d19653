"""The study `pbcseq` in memory: its file, imported by the shipped mapping and decided by the rules of the trial."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_projections.derive import SubjectRows, derive
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import Source, SourceRow
from pure_spine import PureSpine

PBCSEQ = Path(__file__).parents[2] / "shared" / "data" / "pbcseq" / "pbcseq.csv"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
LANDMARKS = (183, 365, 730, 1461, 1826, 2922, 3652, 4500)
"""Half a year to more than twelve years: the last of the patients was followed for 5225 days."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was planned, what became of it, and everything that was decided."""

    plan: Plan
    account: Account
    spine: PureSpine

    def protocol(self) -> Protocol:
        """The protocol that is in force."""
        published = fold_study_events(self.spine.recorded[STUDY]).published_at(NOW)
        assert published is not None
        return published.protocol

    def rows(self) -> list[SubjectRows]:
        """The rows of all participants."""
        study = fold_study_events(self.spine.recorded[STUDY])
        streams = {subject_of(stream): events for stream, events in self.spine.recorded.items()}
        return [derive(fold_all(who, events), study, NOW) for who, events in streams.items() if who is not None]


def long_protocol() -> Protocol:
    """The shipped protocol with landmarks of years, and a horizon behind the last day of the data."""
    shipped = shipped_protocol()
    rules = shipped.endpoints.model_copy(update={"landmark_days": LANDMARKS, "os_horizon_days": 6000})
    return shipped.model_copy(update={"endpoints": rules, "planned_n": 312, "title": "Mayo Clinic PBC, sequential"})


async def import_pbcseq(source: Source) -> Imported:
    """Sends the source under the long protocol."""
    spine, mapping = PureSpine(NOW), read_mapping(Path("pbcseq.toml"))
    spine.publish("PBCSEQ-1", long_protocol(), datetime(2000, 6, 1, tzinfo=UTC))
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)
    plan = plan_import(source, mapping)
    return Imported(plan, settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR))), spine)


def pbcseq_rows(seed: int, patients: int) -> tuple[SourceRow, ...]:
    """Rows as the file has them, made up: ties of days, every kind of end, values that are not there."""
    chance, made = Random(seed), list[dict[str, str]]()
    for number in range(1, patients + 1):
        futime = chance.randrange(30, 3000, 30)
        patient = {"id": str(number), "futime": str(futime), "status": str(number % 3), "trt": str(number % 2)}
        patient |= {"age": f"{chance.uniform(30, 70)}", "sex": chance.choice("fm")}
        days = [0, *(day + chance.randint(-9, 9) for day in (181, 365, 731, 1096) if day + 10 < futime)]
        for day in days:
            values = {
                "bili": f"{chance.uniform(0.3, 20):.1f}",
                "chol": f"{chance.randint(150, 600)}" if chance.random() < 0.5 else "",
                "albumin": f"{chance.uniform(2, 4):.2f}",
                "ast": f"{chance.uniform(30, 300):.1f}",
            }
            made.append(patient | {"day": str(day)} | values | dict.fromkeys(("alk.phos", "platelet", "protime"), ""))
    return tuple(SourceRow("PBCSEQ", number, values) for number, values in enumerate(made, 1))
