"""DS, SV and VS of the pilot, and CDISC's Dataset-JSON example: decided by the rules, counted from the files."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew, SurvivalStatusRecorded
from hepatrail_events.errors import StartRefused
from hepatrail_events.measurements import LabResultsRecorded, ObservationsRecorded
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_projections.adverse_event import adverse_event_rows
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.mapping import SdtmMapping, read_mapping
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import Source, read_directory
from pure_spine import PureSpine
from sdtm_files import WRITERS

DATA = Path(__file__).parents[4] / "shared" / "data"
PILOT, PUBLISHED = DATA / "cdisc_pilot", DATA / "dataset_json"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public data are not beside this clone")

Imported = tuple[Plan, Account, PureSpine]


async def _import(source: Source, mapping: SdtmMapping, spine: PureSpine) -> Imported:
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)
    plan = plan_import(source, mapping)
    account = settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR)))
    assert all(domain.balanced for domain in account.domains)
    return plan, account, spine


@pytest.fixture(scope="module")
async def pilot() -> Imported:
    """The pilot without LB, which has its own tests."""
    source = read_directory(PILOT)
    spine = PureSpine(datetime(2026, 1, 5, 8, tzinfo=UTC))
    return await _import(Source({**source.rows, "LB": ()}, ()), read_mapping(), spine)


def _rows(name: str) -> list[dict[str, str]]:
    path = PILOT / name
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _counts(account: Account) -> dict[str, tuple[int, int, int, int]]:
    return {one.domain: (one.read, one.accepted, one.kept, one.refused) for one in account.domains}


async def test_every_row_of_the_pilot_is_accounted_for(pilot: Imported) -> None:
    assert _counts(pilot[1]) == {
        "DM": (150, 150, 0, 0),
        "EX": (301, 128, 0, 173),
        "LB": (0, 0, 0, 0),
        "VS": (15124, 14996, 128, 0),
        "SV": (1787, 1787, 0, 0),
        "AE": (504, 504, 0, 0),
        "DS": (304, 15, 289, 0),
    }
    assert pilot[1].kept_reasons == {
        ("VS", "UNKNOWN_CODE"): 128,
        ("DS", "COMPLETED"): 56,
        ("DS", "DISCONTINUED"): 55,
        ("DS", "TOLD_BY_AE"): 2,
        ("DS", "TOLD_BY_DM"): 22,
        ("DS", "TOLD_BY_SV"): 154,
    }


async def test_31_13_and_12_participants_completed(pilot: Imported) -> None:
    arms = {row["USUBJID"]: row["ARMCD"] for row in _rows("dm.csv")}
    completed = [kept.row.key.split("|")[0] for kept in pilot[0].kept if kept.reason == "COMPLETED"]
    assert len(set(completed)) == len(completed) == 56
    assert Counter(arms[subject] for subject in completed) == {"Pbo": 31, "Xan_Lo": 13, "Xan_Hi": 12}


async def test_what_is_kept_of_ds_is_what_ds_says(pilot: Imported) -> None:
    stated = {f"{row['USUBJID']}|{row['DSSEQ']}": row["DSDECOD"] for row in _rows("ds.csv")}
    told = {(kept.row.key, kept.reason) for kept in pilot[0].kept}
    assert Counter(reason for _, reason in told) == Counter(
        {"COMPLETED": "COMPLETED", "DEATH": "TOLD_BY_AE", "SCREEN FAILURE": "TOLD_BY_DM"}.get(
            decode, "TOLD_BY_SV" if decode.startswith("FINAL") else "DISCONTINUED"
        )
        for decode in stated.values()
        if decode != "WITHDRAWAL BY SUBJECT"
    )
    assert {key for key, reason in told if reason == "TOLD_BY_AE"} == {"01-701-1211|1", "01-704-1445|1"}


async def test_withdrawals_visits_and_readings_are_in_the_log(pilot: Imported) -> None:
    events = pilot[2].events()
    withdrawn = [event for event in events if isinstance(event, ParticipantWithdrew)]
    stated = [row["DSSTDTC"] for row in _rows("ds.csv") if row["DSDECOD"] == "WITHDRAWAL BY SUBJECT"]
    assert Counter(event.withdrawn_at.date().isoformat() for event in withdrawn) == Counter(stated)
    alive = [event for event in events if isinstance(event, SurvivalStatusRecorded)]
    assert Counter(event.at.date().isoformat() for event in alive) == Counter(row["SVSTDTC"] for row in _rows("sv.csv"))
    observed = [row for event in events if isinstance(event, ObservationsRecorded) for row in event.rows]
    source = _rows("vs.csv.gz")
    assert Counter(row.value for row in observed) == Counter(row["VSORRES"] for row in source)
    assert sum(row.accepted for row in observed) == sum(row["VSTESTCD"] != "HEIGHT" for row in source) == 14996
    assert sum(isinstance(event, ParticipantDied) for event in events) == 2


async def test_visits_and_withdrawals_change_no_treatment_emergence(pilot: Imported) -> None:
    recorded = pilot[2].recorded
    protocol = fold_study_events(recorded[STUDY]).published_at(pilot[2].now)
    assert protocol is not None
    streams = {subject_of(stream): events for stream, events in recorded.items()}
    views = [fold_all(subject, events) for subject, events in streams.items() if subject is not None]
    emergent = [row.teae for view in views for row in adverse_event_rows(view, clinical_state(view, protocol))]
    assert (len(emergent), sum(emergent)) == (504, 480)


async def test_a_second_run_of_the_pilot_changes_nothing(pilot: Imported) -> None:
    plan, account, spine = pilot
    before = {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()}
    assert settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR))) == account
    assert {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()} == before


async def test_the_published_dataset_json_goes_in(tmp_path: Path) -> None:
    """With AE as XPORT; the 18 subjects are those of the pilot retold, by a mapping that says what is otherwise."""
    mapping = read_mapping(Path("cdisc_msg.toml"))
    assert isinstance(mapping, SdtmMapping)
    _, account, spine = await _import(read_directory(PUBLISHED), mapping, PureSpine(datetime(2026, 1, 5, tzinfo=UTC)))
    assert _counts(account) == {
        "DM": (18, 18, 0, 0),
        "EX": (1583, 17, 0, 1566),
        "LB": (3488, 1590, 1898, 0),
        "SV": (164, 164, 0, 0),
        "AE": (74, 74, 0, 0),
        "DS": (53, 4, 49, 0),
    }
    assert {code for _, code in account.refused_reasons} == {"NOT_FIRST_DOSE"}
    events = spine.events()
    assert sum(isinstance(event, ParticipantDied) for event in events) == 3
    assert sum(len(event.results) for event in events if isinstance(event, LabResultsRecorded)) == 3488


@pytest.mark.parametrize("form", WRITERS)
def test_the_pilot_makes_the_same_plan_from_every_format(tmp_path: Path, form: str) -> None:
    ending, write = WRITERS[form]
    for domain in ("dm", "ex", "ae", "ds", "sv", "lb"):
        rows = _rows(f"{domain}.csv") if domain != "lb" else _rows("lb.csv.gz")[:300]
        columns = dict.fromkeys(rows[0], "string")
        write(tmp_path / f"{domain}{ending}", domain.upper(), columns, [tuple(row.values()) for row in rows])
    source, csv_source = read_directory(tmp_path), read_directory(PILOT)
    expected = {**csv_source.rows, "LB": csv_source.rows["LB"][:300]}
    expected.pop("VS")
    assert plan_import(source, read_mapping()) == plan_import(Source(expected, ()), read_mapping())


def test_the_default_mapping_says_what_the_other_study_lacks() -> None:
    with pytest.raises(StartRefused, match=r"DM \(dm\.json\) has no column DMDTC"):
        plan_import(read_directory(PUBLISHED), read_mapping())
