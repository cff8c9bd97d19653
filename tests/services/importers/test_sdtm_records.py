"""A mapping of whole records: what a row is, what it refers to, and what becomes of one that is not as it should be.

The rows are those of an export, with what matters to a test changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.protocol import Protocol
from hepatrail_events.roles import Role
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import Source, SourceRow
from pure_spine import PureSpine
from sdtm_export_back import mapping_of
from sdtm_export_course import DIED, END, SCREENED, TREATED, course
from sdtm_export_rows import Tables, exported, rows_at, source_of, streams_of
from sdtm_export_whole import WHOLE


@cache
def _export() -> tuple[Tables, Protocol]:
    subjects, protocol = rows_at(streams_of(course().records), END)
    return exported(subjects, protocol), protocol


def _source(domain: str, key: str, **values: str) -> Source:
    """The export with a row changed; `key` is `participant|sequence`, and `participant` in DM."""
    source = source_of(_export()[0])
    rows = tuple(_changed(row, values) if _key(row) == key else row for row in source.rows[domain])
    assert rows != source.rows[domain]
    return Source({**source.rows, domain: rows}, ())


def _key(row: SourceRow) -> str:
    number = row[f"{row.domain}SEQ"]
    return f"{row['USUBJID']}|{number}" if number else row["USUBJID"]


def _changed(row: SourceRow, values: Mapping[str, str]) -> SourceRow:
    return replace(row, values={**row.values, **values})


def _plan(source: Source) -> Plan:
    return plan_import(source, mapping_of(*_export()))


def _refused(plan: Plan) -> list[tuple[str, str, str]]:
    return [(each.row.domain, each.row.key, each.code) for each in plan.refusals]


async def _imported(source: Source) -> Account:
    spine, mapping = PureSpine(END), mapping_of(*_export())
    await activate_sites(spine.acting_as(Role.ADMIN), "test", mapping.sites.ids, mapping.sites.approval_ref)
    plan = _plan(source)
    others = {Role.SPONSOR: spine.acting_as(Role.SPONSOR)}
    return settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR), others=others))


def test_as_exported_every_row_is_planned_or_kept() -> None:
    source = source_of(_export()[0])
    plan = _plan(source)
    assert plan.refusals == ()
    planned = {row for unit in plan.units for row in unit.rows} | {each.row for each in plan.kept}
    assert len(planned) == sum(plan.read.values()) == sum(map(len, source.rows.values()))


@pytest.mark.parametrize(
    ("domain", "key", "values", "code"),
    [
        ("DS", f"{TREATED}|4", {"DSDECOD": "MOVED AWAY"}, "UNMAPPED_RECORD"),
        ("DM", TREATED, {"SEX": "U"}, "UNMAPPED_VALUE"),
        ("DM", TREATED, {"AGE": "about 40"}, "UNREADABLE_NUMBER"),
        ("DM", TREATED, {"CHRONHLT": "perhaps"}, "UNMAPPED_VALUE"),
        ("EX", f"{DIED}|1", {"EXSTDTC": "2026-03-11"}, "UNREADABLE_TIME"),
        ("CM", f"{WHOLE}|1", {"CMSTDTC": "last winter"}, "UNREADABLE_TIME"),
        ("LB", f"{TREATED}|1", {"LBGRPID": ""}, "NO_GROUP"),
        ("LB", f"{TREATED}|2", {"LBDTC": "2026-03-09T11:00:00"}, "OTHER_GROUP"),
        ("LB", f"{TREATED}|1", {"LBCLSIG": "Y", "LBCLSGR": "high"}, "UNREADABLE_NUMBER"),
        ("VS", f"{TREATED}|1", {"VSDTC": "2026-02-30"}, "LAB-01"),
        ("FA", f"{WHOLE}|2", {"FATESTCD": "MOOD"}, "UNMAPPED_VALUE"),
        ("FA", f"{WHOLE}|2", {"FAORRES": "mild"}, "UNREADABLE_NUMBER"),
        ("FA", f"{WHOLE}|2", {"FAAESEQ": "99"}, "NO_PARENT"),
        ("FA", f"{WHOLE}|10", {"FAORRES": "MAYBE"}, "UNMAPPED_VALUE"),
        ("XP", f"{TREATED}|1", {"XPEXSEQ": "99"}, "NO_PARENT"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_and_no_other(
    domain: str, key: str, values: dict[str, str], code: str
) -> None:
    assert _refused(_plan(_source(domain, key, **values))) == [(domain, key, code)]


def test_what_belongs_to_a_row_that_cannot_be_read_is_refused_with_it() -> None:
    assert _refused(_plan(_source("XP", f"{TREATED}|1", XPSTDTC="noon"))) == [
        ("EX", f"{TREATED}|2", "UNREADABLE_TIME"),
        ("XP", f"{TREATED}|1", "UNREADABLE_TIME"),
    ]
    refused = _refused(_plan(_source("AE", f"{WHOLE}|2", AEDTC="yesterday")))
    assert ("AE", f"{WHOLE}|2", "UNREADABLE_TIME") in refused
    assert {domain for domain, _, _ in refused} == {"AE", "FA"}


def test_a_consent_without_a_row_of_dm_names_what_is_missing() -> None:
    source = source_of(_export()[0])
    left = tuple(row for row in source.rows["DM"] if row["USUBJID"] != SCREENED)
    assert _refused(_plan(Source({**source.rows, "DM": left}, ()))) == [("DS", f"{SCREENED}|1", "NOT_IN_DM")]


def test_a_column_that_the_mapping_names_and_the_file_lacks_is_told_before_anything_is_sent() -> None:
    source = source_of(_export()[0])
    rows = tuple(
        replace(row, values={name: value for name, value in row.values.items() if name != "EXWTKG"})
        for row in source.rows["EX"]
    )
    with pytest.raises(StartRefused, match=r"The columns EX\.EXWTKG are missing"):
        _plan(Source({**source.rows, "EX": rows}, ()))


def test_an_end_of_which_nothing_is_known_is_not_taken_for_none() -> None:
    plan = _plan(source_of(_export()[0]))
    given = [dict(step.input) for unit in plan.units for step in unit.steps if step.mutation == "recordMedication"]
    assert [each.get("endedAt") for each in given] == [
        {"value": "2026-03-09", "precision": "DAY"},
        None,
        {"precision": "UNKNOWN"},
    ]


async def test_a_fatal_event_without_a_row_of_the_death_is_refused_and_the_account_is_even() -> None:
    source = source_of(_export()[0])
    [death] = [row for row in source.rows["DS"] if row["USUBJID"] == WHOLE and row["DSDECOD"] == "DEATH"]
    account = await _imported(_source("DS", f"{WHOLE}|{death['DSSEQ']}", DSDECOD="ENROLLED"))
    refused = [each.row.key for each in account.refusals if each.code == "DEATH_DATE_MISSING"]
    assert len(refused) == 2 + 7  # two events with their findings
    assert {each.row.domain for each in account.refusals} == {"AE", "FA", "SS"}  # nor can a status say DEAD
    assert all(each.balanced for each in account.domains)


async def test_what_refers_to_a_refused_row_is_refused_and_says_so() -> None:
    account = await _imported(_source("EX", f"{WHOLE}|1", EXRELREF=" "))
    refused = {(each.row.domain, each.row.key): (each.code, each.sentence) for each in account.refusals}
    assert refused["EX", f"{WHOLE}|1"][0] == refused["XP", f"{WHOLE}|1"][0] == "SES-04"
    assert refused["DE", f"{WHOLE}|1"] == (
        "NOT_IN_THE_LOG",
        f"It refers to EX {WHOLE}|1, which is not in the log.",
    )
    assert all(each.balanced for each in account.domains)


def test_a_death_that_is_told_twice_is_told_once() -> None:
    source = source_of(_export()[0])
    death = next(row for row in source.rows["DS"] if row["USUBJID"] == DIED and row["DSDECOD"] == "DEATH")
    again = replace(death, number=len(source.rows["DS"]) + 1, values={**death.values, "DSSEQ": "99"})
    plan = _plan(Source({**source.rows, "DS": (*source.rows["DS"], again)}, ()))
    assert _refused(plan) == [("DS", f"{DIED}|99", "DEATH_TOLD_TWICE")]
