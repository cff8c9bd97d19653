"""Running a plan twice changes nothing; a refused row takes its next attempt; a changed row is listed, not sent."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hepatrail_events.errors import Unavailable
from hepatrail_events.ids import object_id
from hepatrail_services.importers.account import Account, settle_account, write_findings, write_refusals
from hepatrail_services.importers.api_client import Accepted, Outcome, Rejected
from hepatrail_services.importers.mapping import SdtmMapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import Source

Rows = Callable[..., Source]


@dataclass
class Ledger:
    """The API as the importer knows it: the first binding decision of an id stands, another body is a CONFLICT."""

    rules: dict[str, str] = field(default_factory=dict)
    code: str = "RULE"
    lag: int = 0
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    decided: dict[UUID, tuple[str, Accepted | Rejected]] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        self.sent[mutation] += 1
        identity, body = UUID(command["commandId"]), repr(sorted(command.items()))
        if identity in self.decided:
            stored, known = self.decided[identity]
            return known if stored == body else Rejected(identity, "CONFLICT", "known id, other body")
        if mutation in self.rules:
            decision: Accepted | Rejected = Rejected(identity, self.code, "no", self.rules[mutation])
            if self.code == "INTERNAL":
                return decision
        else:
            self.events.append((mutation, command))
            decision = Accepted(identity, "subject-x@1", 1, (identity,))
        self.decided[identity] = body, decision
        return decision

    async def commands(self, stream: str, command_ids: Sequence[UUID]) -> Mapping[UUID, Outcome]:
        if self.lag:
            self.lag -= 1
            return {}
        return {each: self.decided[each][1] for each in command_ids if each in self.decided}


async def _import(source: Source, mapping: SdtmMapping, ledger: Ledger) -> Account:
    plan = plan_import(source, mapping)
    account = settle_account(plan, await run_plan(plan, ledger, concurrency=4))
    assert all(domain.balanced for domain in account.domains)
    return account


async def _import_reports(source: Source, mapping: SdtmMapping, ledger: Ledger) -> Account:
    plan = plan_import(source, mapping, mapping.ae.reports)
    account = settle_account(plan, await run_plan(plan, ledger, concurrency=4))
    assert all(domain.balanced for domain in account.domains)
    return account


def _two_reports(sdtm: Rows, **first: str) -> Source:
    going_on = {"AEOUT": "NOT RECOVERED/NOT RESOLVED", "AEENDTC": "", **first}
    return sdtm(ae=[going_on, {**first, "AESEQ": "2", "AEDTC": "2014-02-01"}])


def _counts(account: Account) -> dict[str, tuple[int, int, int, int]]:
    return {one.domain: (one.accepted, one.kept, one.refused, one.changed) for one in account.domains if one.read}


@pytest.fixture
def source(sdtm: Rows) -> Source:
    return sdtm(
        dm=[{}, {"USUBJID": "01-701-1023", "ARMCD": "Scrnfail"}],
        ex=[{}, {"EXSEQ": "2"}],
        lb=[{}, {"LBSEQ": "2", "LBTESTCD": "COLOR", "LBORRES": "N"}],
        ae=[{}],
    )


async def test_dat_05_every_row_is_accounted_for(source: Source, shipped: SdtmMapping) -> None:
    account = await _import(source, shipped, Ledger())
    assert _counts(account) == {"DM": (2, 0, 0, 0), "EX": (1, 0, 1, 0), "LB": (1, 1, 0, 0), "AE": (1, 0, 0, 0)}
    assert account.kept_reasons == {("LB", "UNKNOWN_CODE"): 1}


async def test_dat_05_a_second_run_changes_nothing(source: Source, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    first = await _import(source, shipped, ledger)
    events = list(ledger.events)
    assert await _import(source, shipped, ledger) == first
    assert ledger.events == events


async def test_an_interrupted_run_goes_on_where_it_stopped(source: Source, shipped: SdtmMapping) -> None:
    ledger = Ledger()

    class Stopping(Ledger):
        async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
            if mutation == "recordLabResults":
                raise Unavailable("gone")
            return await ledger.send(mutation, command)

        async def commands(self, stream: str, command_ids: Sequence[UUID]) -> Mapping[UUID, Outcome]:
            return await ledger.commands(stream, command_ids)

    with pytest.raises(Unavailable, match="gone"):
        await _import(source, shipped, Stopping())
    interrupted = len(ledger.events)
    await _import(source, shipped, ledger)
    whole = Ledger()
    await _import(source, shipped, whole)
    assert 0 < interrupted < len(ledger.events) == len(whole.events)


async def test_a_refused_row_takes_its_next_attempt(source: Source, shipped: SdtmMapping) -> None:
    ledger = Ledger(rules={"enrolSubject": "ENR-04"})
    account = await _import(source, shipped, ledger)
    assert _counts(account)["DM"] == (1, 0, 1, 0)
    assert [(one.code, one.attempt) for one in account.refusals if one.row.domain == "DM"] == [("ENR-04", 1)]
    account = await _import(source, shipped, ledger)
    assert [(one.code, one.attempt) for one in account.refusals if one.row.domain == "DM"] == [("ENR-04", 2)]
    ledger.rules.clear()
    account = await _import(source, shipped, ledger)
    assert _counts(account)["DM"] == (2, 0, 0, 0)
    assert [mutation for mutation, _ in ledger.events].count("enrolSubject") == 1


async def test_a_refusal_that_does_not_bind_keeps_its_attempt(source: Source, shipped: SdtmMapping) -> None:
    ledger = Ledger(rules={"enrolSubject": "X"}, code="INTERNAL")
    for _ in range(2):
        account = await _import(source, shipped, ledger)
        assert [one.attempt for one in account.refusals if one.row.domain == "DM"] == [1]


async def test_dat_05_a_changed_row_is_listed_and_changes_nothing(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    await _import(sdtm(dm=[{}], ae=[{}]), shipped, ledger)
    events = list(ledger.events)
    account = await _import(sdtm(dm=[{}], ae=[{"AESEV": "SEVERE"}]), shipped, ledger)
    assert ledger.events == events
    assert _counts(account)["AE"] == (1, 0, 0, 1)
    assert [(one.code, one.attempt) for one in account.refusals] == [("CHANGED", 1)]


async def test_a_changed_consent_does_not_keep_a_subject_from_enrolment(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger(rules={"enrolSubject": "ENR-04"})
    await _import(sdtm(dm=[{}]), shipped, ledger)
    ledger.rules.clear()
    account = await _import(sdtm(dm=[{"DMDTC": "2013-12-25"}]), shipped, ledger)
    assert [mutation for mutation, _ in ledger.events] == ["recordConsent", "enrolSubject"]
    assert _counts(account)["DM"] == (1, 0, 0, 1)


async def test_a_mended_row_finds_its_next_attempt_before_the_projection_does(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger(rules={"reportAdverseEvent": "INV-07"})
    await _import(sdtm(ae=[{}]), shipped, ledger)
    ledger.rules.clear()
    ledger.lag = 2
    account = await _import(sdtm(ae=[{"AEENDTC": "2014-01-12"}]), shipped, ledger)
    assert _counts(account)["AE"] == (1, 0, 0, 0)


async def test_what_another_user_imported_is_never_recorded_twice(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    await _import(sdtm(ae=[{}]), shipped, ledger)
    ledger.lag = 99
    ledger.decided = {identity: ("by another user", decision) for identity, (_, decision) in ledger.decided.items()}
    account = await _import(sdtm(ae=[{}]), shipped, ledger)
    assert [refusal.code for refusal in account.refusals] == ["CHANGED"]
    assert len(ledger.events) == 1


async def test_the_session_that_ends_is_the_one_that_was_started(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    await _import(sdtm(ex=[{}]), shipped, ledger)
    ((_, start), (_, end)) = ledger.events
    assert end["sessionId"] == str(object_id(UUID(start["commandId"]), "session"))


async def test_follow_ups_are_about_the_adverse_event_that_was_reported(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    await _import_reports(_two_reports(sdtm), shipped, ledger)
    (_, report), *later = ledger.events
    assert {body["aeId"] for _, body in later} == {str(object_id(UUID(report["commandId"]), "ae"))}
    assert [mutation for mutation, _ in later] == ["followUpAdverseEvent", "resolveAdverseEvent"]


async def test_a_second_run_of_reports_changes_nothing(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    first = await _import_reports(_two_reports(sdtm), shipped, ledger)
    events = list(ledger.events)
    assert (_counts(first)["AE"], first.adverse_events) == ((2, 0, 0, 0), 1)
    assert await _import_reports(_two_reports(sdtm), shipped, ledger) == first
    assert ledger.events == events


async def test_a_follow_up_waits_until_its_first_report_is_in_the_log(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger(rules={"reportAdverseEvent": "INV-09"})
    account = await _import_reports(_two_reports(sdtm), shipped, ledger)
    assert [(one.row.number, one.code, one.attempt) for one in account.refusals] == [
        (1, "INV-09", 1),
        (2, "FIRST_REPORT_REFUSED", 0),
    ]
    assert ledger.events == []
    assert account.adverse_events == 0
    ledger.rules.clear()
    account = await _import_reports(_two_reports(sdtm), shipped, ledger)
    assert (_counts(account)["AE"], account.adverse_events) == ((2, 0, 0, 0), 1)
    (_, report), (_, follow_up), _ = ledger.events
    assert follow_up["aeId"] == str(object_id(UUID(report["commandId"]), "ae"))


async def test_a_first_report_with_other_content_keeps_its_follow_ups(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    await _import_reports(_two_reports(sdtm), shipped, ledger)
    events = list(ledger.events)
    account = await _import_reports(_two_reports(sdtm, AEREL="NONE"), shipped, ledger)
    assert ledger.events == events
    assert [(one.row.number, one.code) for one in account.refusals] == [(1, "CHANGED")]


async def test_a_death_told_by_a_follow_up_names_its_adverse_event(sdtm: Rows, shipped: SdtmMapping) -> None:
    ledger = Ledger()
    fatal = {"AESEQ": "2", "AEDTC": "2014-02-01", "AEOUT": "FATAL", "AEENDTC": "2014-01-25"}
    source = sdtm(ae=[{"AEOUT": "NOT RECOVERED/NOT RESOLVED", "AEENDTC": ""}, fatal])
    await _import_reports(source, shipped, ledger)
    (_, report), _, (mutation, death) = ledger.events
    ae_id = str(object_id(UUID(report["commandId"]), "ae"))
    assert (mutation, death["primaryCauseAeId"], death["fatalAes"]) == ("recordDeath", ae_id, [{"aeId": ae_id}])
    assert "aeId" not in death


async def test_the_files_name_every_row_in_the_order_of_the_source(
    source: Source, shipped: SdtmMapping, tmp_path: Path
) -> None:
    account = await _import(source, shipped, Ledger(rules={"reportAdverseEvent": "INV-07"}))
    write_refusals(tmp_path / "out" / "refused.csv", account.refusals)
    write_findings(tmp_path / "findings.csv", account.findings)
    lines = (tmp_path / "out" / "refused.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "domain,row_key,source_row,code,reason,attempt"
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["EX", "01-701-1015|2", "2", "NOT_FIRST_DOSE"],
        ["AE", "01-701-1015|1", "1", "INV-07"],
    ]
    assert (tmp_path / "findings.csv").read_text(encoding="utf-8").startswith("domain,row_key,source_row,finding")
