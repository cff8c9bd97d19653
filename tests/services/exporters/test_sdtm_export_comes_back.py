"""What goes out comes back in: a second trial made of an export is exported with the same rows, scores included.

`sdtm_export_back.NOT_THE_SAME` is all that may differ. The scores, visits and flags of the second export are derived
from nothing but what came back.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import pytest

from hepatrail_events.protocol import Protocol
from hepatrail_events.streams import STUDY
from hepatrail_services.exporters.domains import DOMAINS, Domain
from hepatrail_services.importers.account import Account
from sdtm_export_back import comparable, imported, simulated
from sdtm_export_course import END, course
from sdtm_export_rows import Tables, exported, rows_at, streams_of, table

NEVER_FILLED: Mapping[str, str] = {
    "COUNTRY": "the trial does not hold it",
    "RSPROVFL": "a score is provisional only while its window is open",
}
"""Variables without a value in either trial, each with its reason."""
BY_SIMULATION = frozenset({"AESUSAR", "RSCHG", "RSPTXFL", "RSSESSFL"})
"""Derived variables of which only the simulated trial has values."""


class _Back(NamedTuple):
    """An export, what became of it on the way in, and the export of the trial that came of it."""

    out: Tables
    account: Account
    back: Tables


@cache
def _course() -> tuple[Tables, Protocol]:
    subjects, protocol = rows_at(streams_of(course().records), END)
    return exported(subjects, protocol), protocol


@pytest.fixture(scope="module")
async def of_course() -> _Back:
    """The hand-written trial."""
    out, protocol = _course()
    streams, account = await imported(out, protocol, END)
    return _Back(out, account, exported(*rows_at(streams, END)))


@pytest.fixture(scope="module")
async def of_simulated() -> _Back:
    """Seven simulated stories, among them a death, a withdrawal, a transplant, lost contact and a faulty device."""
    played = await simulated(63, 7)
    subjects, protocol = rows_at(played.streams, played.at)
    out = exported(subjects, protocol)
    streams, account = await imported(out, protocol, played.at)
    return _Back(out, account, exported(*rows_at(streams, played.at)))


@pytest.mark.parametrize("name", [each.dataset.name for each in DOMAINS])
def test_the_course_comes_back_row_by_row(of_course: _Back, name: str) -> None:
    assert len(of_course.out[name]) > 0
    assert comparable(of_course.back, name) == comparable(of_course.out, name)


@pytest.mark.parametrize("name", [each.dataset.name for each in DOMAINS])
def test_a_simulated_trial_comes_back_row_by_row(of_simulated: _Back, name: str) -> None:
    assert len(of_simulated.out[name]) > 0
    assert comparable(of_simulated.back, name) == comparable(of_simulated.out, name)


def test_no_row_is_refused_or_lost_on_the_way(of_course: _Back, of_simulated: _Back) -> None:
    for out, account, _ in (of_course, of_simulated):
        assert account.refusals == ()
        assert all(each.balanced for each in account.domains)
        assert {each.domain: each.read for each in account.domains} == {
            name: len(rows) for name, rows in out.items() if name != "RS"
        }
        assert account.kept_reasons.keys() <= {
            ("SV", "DERIVED"),
            ("DM", "TOLD_BY_DS"),
            ("DS", "TOLD_BY_DM"),
            ("LB", "UNKNOWN_CODE"),
            ("LB", "UNIT_UNKNOWN"),
            ("LB", "IMPLAUSIBLE"),
            ("VS", "IMPLAUSIBLE"),
        }


def test_the_simulated_trial_has_what_makes_the_comparison_worth_something(of_simulated: _Back) -> None:
    of_ds = {row["DSDECOD"] for row in table(of_simulated.out, "DS")}
    assert {"DEATH", "LIVER TRANSPLANT", "WITHDRAWAL BY SUBJECT", "SCREEN FAILURE", "CONTACT REGAINED"} <= of_ds
    assert any(row["AEOUT"] == "FATAL" for row in table(of_simulated.out, "AE"))
    assert any(row["AESUSAR"] == "Y" for row in table(of_simulated.out, "AE"))
    assert len({row["DSDECOD"] for row in table(of_simulated.out, "DS")} & {"CONTACT LOST", "CONTACT REGAINED"}) == 2
    assert len(of_simulated.out["LB"]) > 2500
    assert sum(row["RSSTATUS"] == "complete" for row in table(of_simulated.out, "RS")) > 150


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda each: each.stem)
def test_every_variable_has_a_value_in_the_course(domain: Domain, of_simulated: _Back) -> None:
    empty = _empty(_course()[0], domain)
    assert empty <= BY_SIMULATION | NEVER_FILLED.keys()
    assert empty & _empty(of_simulated.out, domain) <= NEVER_FILLED.keys()


def _empty(tables: Tables, domain: Domain) -> set[str]:
    rows = table(tables, domain.dataset.name)
    return {each.name for each in domain.dataset.variables if all(row[each.name] == each.missing for row in rows)}


async def test_without_the_sponsor_what_only_the_sponsor_may_say_is_refused_and_named() -> None:
    out, protocol = _course()
    _, account = await imported(out, protocol, END, others=())
    refused = {(each.row.domain, each.row.key, each.code) for each in account.refusals}
    by_sponsor = {
        ("FA", f"{row['USUBJID']}|{row['FASEQ']}", "NO_TOKEN") for row in table(out, "FA") if row["FAEVAL"] == "SPONSOR"
    }
    coded = {("AE", f"{row['USUBJID']}|{row['AESEQ']}", "NO_TOKEN") for row in table(out, "AE") if row["AEPTCD"]}
    assert by_sponsor and coded
    assert refused == by_sponsor | coded
    assert all(each.balanced for each in account.domains)


async def test_a_second_import_changes_nothing() -> None:
    out, protocol = _course()
    once, first = await imported(out, protocol, END)
    twice, second = await imported(out, protocol, END, times=2)
    assert {name: len(events) for name, events in twice.items()} == {name: len(events) for name, events in once.items()}
    assert second == first
    assert len(twice[STUDY]) > 2
