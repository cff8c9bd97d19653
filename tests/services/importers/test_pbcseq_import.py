"""The real `pbcseq` by the shipped mapping, decided by the rules: what is counted here is counted from the file."""

import csv
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from hepatrail_events.assessments import ParticipantDied, SurvivalStatusRecorded, TransplantDone
from hepatrail_events.enrolment import SubjectEnrolled
from hepatrail_events.measurements import LabResultsRecorded
from hepatrail_events.roles import Role
from hepatrail_events.streams import subject_of
from hepatrail_services.importers.account import settle_account
from hepatrail_services.importers.pbcseq import DAY_0, read_pbcseq
from hepatrail_services.importers.run import run_plan
from pbcseq_course import PBCSEQ, Imported, import_pbcseq

pytestmark = pytest.mark.skipif(not PBCSEQ.is_file(), reason="the public data are not beside this clone")

TESTS = {
    "bili": "tbil",
    "chol": "CHOL",
    "albumin": "albumin",
    "alk.phos": "alp",
    "ast": "ast",
    "platelet": "platelets",
    "protime": "pt",
}


@pytest.fixture(scope="module")
async def imported() -> Imported:
    return await import_pbcseq(read_pbcseq(PBCSEQ))


@pytest.fixture(scope="module")
def file() -> list[dict[str, str]]:
    with PBCSEQ.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def day(days: str) -> date:
    return DAY_0 + timedelta(days=int(days))


def test_every_row_is_accounted_for(imported: Imported, file: list[dict[str, str]]) -> None:
    account = imported.account
    assert all(domain.balanced for domain in account.domains)
    values = sum(bool(row[column]) for row in file for column in TESTS)
    assert (len(file), values) == (935, 6087)
    assert {one.domain: (one.read, one.accepted, one.kept, one.refused) for one in account.domains} == {
        "DM": (156, 156, 0, 0),
        "EX": (156, 156, 0, 0),
        "LB": (6087, 4609, 1478, 0),
        "SV": (935, 935, 0, 0),
        "AE": (0, 0, 0, 0),
        "DS": (156, 88, 68, 0),
    }
    assert (account.refusals, imported.plan.refusals) == ((), ())


def test_what_the_trial_does_not_accept_is_what_it_cannot_read(imported: Imported, file: list[dict[str, str]]) -> None:
    """Cholesterol is none of its measurements, AST has no unit with a factor, ALP has a limit of 10 000 U/L."""
    assert imported.account.kept_reasons == {
        ("LB", "UNKNOWN_CODE"): sum(bool(row["chol"]) for row in file),
        ("LB", "UNIT_UNKNOWN"): sum(bool(row["ast"]) for row in file),
        ("LB", "IMPLAUSIBLE"): sum(float(row["alk.phos"] or 0) > 10_000 for row in file),
        ("DS", "TOLD_BY_DM"): len({row["id"] for row in file if row["status"] == "2"}),
    }


def test_every_value_is_in_the_log_as_it_was_written(imported: Imported, file: list[dict[str, str]]) -> None:
    stated = Counter((day(row["day"]), code, row[column]) for row in file for column, code in TESTS.items())
    logged = Counter(
        (event.collected_at.date(), result.code, str(result.value))
        for event in imported.spine.events()
        if isinstance(event, LabResultsRecorded) and isinstance(event.collected_at, datetime)
        for result in event.results
    )
    assert logged == Counter({key: number for key, number in stated.items() if key[2]})


def test_deaths_transplants_and_last_contacts_are_those_of_the_file(
    imported: Imported, file: list[dict[str, str]]
) -> None:
    ends: dict[str, set[tuple[str, date]]] = {"0": set(), "1": set(), "2": set()}
    for row in file:
        ends[row["status"]].add((f"PBC-{row['id']}", day(row["futime"])))
    assert [len(ends[status]) for status in "012"] == [72, 16, 68]
    found = [
        (str(subject_of(stream)), recorded.event)
        for stream, events in imported.spine.recorded.items()
        for recorded in events
    ]
    died = {(who, event.death_at.day) for who, event in found if isinstance(event, ParticipantDied)}
    grafted = {(who, event.transplant_at.day) for who, event in found if isinstance(event, TransplantDone)}
    seen = Counter((who, event.at.date()) for who, event in found if isinstance(event, SurvivalStatusRecorded))
    assert (died, grafted) == (ends["2"], ends["1"])
    assert seen == Counter([*((f"PBC-{row['id']}", day(row["day"])) for row in file), *ends["0"]])


def test_of_a_person_the_log_holds_sex_and_completed_years(imported: Imported, file: list[dict[str, str]]) -> None:
    enrolled = [event for event in imported.spine.events() if isinstance(event, SubjectEnrolled)]
    stated = Counter({row["id"]: (row["sex"], int(Decimal(row["age"]))) for row in file}.values())
    assert Counter((event.sex.value[0], event.age_years) for event in enrolled) == stated


async def test_a_second_run_changes_nothing(imported: Imported) -> None:
    before = {stream: recorded[-1].hash for stream, recorded in imported.spine.recorded.items()}
    again = await run_plan(imported.plan, imported.spine.acting_as(Role.INVESTIGATOR))
    assert settle_account(imported.plan, again) == imported.account
    assert {stream: recorded[-1].hash for stream, recorded in imported.spine.recorded.items()} == before
