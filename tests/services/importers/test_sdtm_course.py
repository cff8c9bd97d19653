"""VS, SV and DS: what a row becomes, or why it needs no command, or why it is refused; nothing vanishes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hepatrail_events.assessments import LostToFollowUp, ParticipantDied, ParticipantWithdrew, SurvivalStatusRecorded
from hepatrail_events.errors import StartRefused
from hepatrail_events.measurements import ObservationsRecorded
from hepatrail_events.roles import Role
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.mapping import SdtmMapping
from hepatrail_services.importers.plan import Phase, Plan
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import Source, SourceRow
from pure_spine import PureSpine

Rows = Callable[..., Source]
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def _inputs(plan: Plan, mutation: str) -> list[dict[str, Any]]:
    return [dict(step.input) for unit in plan.units for step in unit.steps if step.mutation == mutation]


def _kept(plan: Plan) -> list[tuple[str, int, str]]:
    return [(kept.row.domain, kept.row.number, kept.reason) for kept in plan.kept]


def _refused(plan: Plan) -> list[tuple[str, int, str]]:
    return [(refusal.row.domain, refusal.row.number, refusal.code) for refusal in plan.refusals]


async def _import(source: Source, mapping: SdtmMapping, spine: PureSpine) -> Account:
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)
    plan = plan_import(source, mapping)
    account = settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR)))
    assert all(domain.balanced for domain in account.domains)
    return account


def test_readings_of_one_visit_are_observed_at_one_moment(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(
        sdtm(
            vs=[
                {},
                {"VSSEQ": "2", "VSTESTCD": "TEMP", "VSORRES": "98.6", "VSORRESU": "F", "VSPOS": "", "VSTPT": ""},
                {"VSSEQ": "3", "VSTESTCD": "PULSE", "VSORRES": "", "VSORRESU": "", "VSSTAT": "NOT DONE"},
                {"VSSEQ": "4", "VISITNUM": "1.1"},
                {"VSSEQ": "5", "VSDTC": "2013-12-26T14:45"},
            ]
        ),
        shipped,
    )
    moments = _inputs(plan, "recordObservations")
    assert [moment["assessedAt"] for moment in moments] == ["2013-12-26", "2013-12-26", "2013-12-26T06:45:00.000Z"]
    lying = "SUPINE, AFTER LYING DOWN FOR 5 MINUTES"
    assert moments[0]["rows"] == [
        {"code": "sbp", "value": "130", "unit": "mm[Hg]", "method": lying},
        {"code": "temperature", "value": "98.6", "unit": "[degF]"},
        {"code": "heart_rate", "notDone": "NOT_DONE", "method": lying},
    ]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"VSORRES": ""}, "LAB-01"),
        ({"VSDTC": "2013"}, "LAB-01"),
        ({"VSTESTCD": "BLOOD PRESSURE"}, "LAB-01"),
        ({"VSSEQ": ""}, "NO_KEY"),
    ],
)
def test_a_reading_that_says_nothing_is_refused(
    sdtm: Rows, shipped: SdtmMapping, changed: dict[str, str], code: str
) -> None:
    plan = plan_import(sdtm(vs=[changed]), shipped)
    assert (_refused(plan), plan.units) == ([("VS", 1, code)], ())


async def test_a_reading_of_an_unknown_test_is_kept_as_reported(sdtm: Rows, shipped: SdtmMapping) -> None:
    spine = PureSpine(NOW)
    height = {"VSSEQ": "2", "VSTESTCD": "HEIGHT", "VSORRES": "60", "VSORRESU": "in"}
    account = await _import(sdtm(dm=[{}], vs=[{}, height]), shipped, spine)
    assert (account.domain("VS").accepted, account.domain("VS").kept) == (1, 1)
    assert account.kept_reasons == {("VS", "UNKNOWN_CODE"): 1}
    (observed,) = (event for event in spine.events() if isinstance(event, ObservationsRecorded))
    assert [(row.code, row.value, row.unit, row.accepted) for row in observed.rows] == [
        ("sbp", "130", "mm[Hg]", True),
        ("HEIGHT", "60", "[in_i]", False),
    ]


async def test_who_attends_a_visit_is_alive(sdtm: Rows, shipped: SdtmMapping) -> None:
    spine = PureSpine(NOW)
    visits = [{}, {"VISITNUM": "2.0", "SVSTDTC": "2014-01-02T09:30"}, {"VISITNUM": "3.0", "SVOCCUR": "N"}]
    account = await _import(sdtm(dm=[{}], sv=visits), shipped, spine)
    told = [event for event in spine.events() if isinstance(event, SurvivalStatusRecorded)]
    assert [(event.at.isoformat(), event.alive, event.source, event.visit_code) for event in told] == [
        ("2013-12-26T04:00:00+00:00", "Y", "VISIT", None),
        ("2014-01-02T01:30:00+00:00", "Y", "VISIT", None),
    ]
    assert (account.domain("SV").accepted, account.kept_reasons) == (2, {("SV", "VISIT_NOT_MADE"): 1})


def test_a_visit_without_a_day_or_told_twice_is_refused(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(sv=[{"SVSTDTC": "2014-01"}, {"VISITNUM": "2.0"}, {"VISITNUM": "2.0"}]), shipped)
    assert set(_refused(plan)) == {("SV", 1, "UNREADABLE_TIME"), ("SV", 3, "DUPLICATE_KEY")}
    assert len(plan.units) == 1


@pytest.mark.parametrize(
    ("decode", "others", "reason"),
    [
        ("COMPLETED", {}, "COMPLETED"),
        ("ADVERSE EVENT", {}, "DISCONTINUED"),
        ("STUDY TERMINATED BY SPONSOR", {}, "DISCONTINUED"),
        ("SCREEN FAILURE", {"dm": [{"ARMCD": "Scrnfail"}]}, "TOLD_BY_DM"),
        ("INFORMED CONSENT OBTAINED", {"dm": [{}]}, "TOLD_BY_DM"),
        ("FINAL LAB VISIT", {"sv": [{"VISITNUM": "13.0"}]}, "TOLD_BY_SV"),
        ("DEATH", {"dm": [{"DTHDTC": "2014-07-02"}]}, "TOLD_BY_DM"),
        ("DEATH", {"dm": [{"DTHDTC": "2014-07-02"}], "ae": [{"AEOUT": "FATAL"}]}, "TOLD_BY_AE"),
    ],
)
def test_what_another_domain_tells_or_the_trial_has_no_command_for_is_kept(
    sdtm: Rows, shipped: SdtmMapping, decode: str, others: dict[str, list[dict[str, str]]], reason: str
) -> None:
    plan = plan_import(sdtm(ds=[{"DSDECOD": decode}], **others), shipped)
    assert _kept(plan) == [("DS", 1, reason)]
    assert (reason, "DS") in {(finding.kind, finding.row.domain) for finding in plan.findings}
    assert not any(row.domain == "DS" for unit in plan.units for row in unit.rows)


@pytest.mark.parametrize(
    ("changed", "others", "code"),
    [
        ({"DSDECOD": "ABDUCTED"}, {}, "UNMAPPED_DISPOSITION"),
        ({"DSDECOD": "SCREEN FAILURE"}, {"dm": [{}]}, "NOT_IN_DM"),
        ({"DSDECOD": "INFORMED CONSENT OBTAINED"}, {}, "NOT_IN_DM"),
        ({"DSDECOD": "FINAL LAB VISIT"}, {"sv": [{}]}, "NOT_IN_SV"),
        ({"DSDECOD": "FINAL LAB VISIT"}, {"sv": [{"VISITNUM": "13.0", "SVOCCUR": "N"}]}, "NOT_IN_SV"),
        ({"DSDECOD": "DEATH", "DSSTDTC": "2014"}, {}, "DEATH_DATE_PARTIAL"),
        ({"DSDECOD": "DEATH", "DSSTDTC": ""}, {}, "DEATH_DATE_PARTIAL"),
        ({"DSDECOD": "WITHDRAWAL BY SUBJECT", "DSSTDTC": "2014"}, {}, "UNREADABLE_TIME"),
        ({"DSDECOD": "LOST TO FOLLOW-UP", "DSSTDTC": ""}, {}, "UNREADABLE_TIME"),
        ({"DSSEQ": ""}, {}, "NO_KEY"),
    ],
)
def test_a_disposition_that_cannot_be_mapped_is_refused(
    sdtm: Rows,
    shipped: SdtmMapping,
    changed: dict[str, str],
    others: dict[str, list[dict[str, str]]],
    code: str,
) -> None:
    plan = plan_import(sdtm(ds=[changed], **others), shipped)
    assert ([one for one in _refused(plan) if one[0] == "DS"], _kept(plan)) == (
        [("DS", 1, code)],
        [("SV", 1, "VISIT_NOT_MADE")] if "SVOCCUR" in str(others) else [],
    )


async def test_loss_and_withdrawal_go_in_with_their_day_and_words(sdtm: Rows, shipped: SdtmMapping) -> None:
    spine = PureSpine(NOW)
    lost = {"DSDECOD": "LOST TO FOLLOW-UP", "DSSTDTC": "2014-03-01"}
    wide = {"DSSEQ": "2", "DSDECOD": "WITHDRAWAL BY SUBJECT", "DSTERM": "TOO MANY VISITS", "DSSTDTC": "2014-04-01"}
    narrow = wide | {"DSSEQ": "3", "DSSCAT": "STUDY TREATMENT"}
    account = await _import(sdtm(dm=[{}], ds=[lost, wide, narrow]), shipped, spine)
    assert (account.refusals, account.domain("DS").accepted) == ((), 3)
    (gone,) = (event for event in spine.events() if isinstance(event, LostToFollowUp))
    assert gone.last_contact_at.isoformat() == "2014-03-01T04:00:00+00:00"
    withdrawals = [event for event in spine.events() if isinstance(event, ParticipantWithdrew)]
    assert [(event.scope, event.vital_status_allowed) for event in withdrawals] == [
        ("TREATMENT_ONLY", False),
        ("FOLLOW_UP", True),
    ]
    assert all(event.reason is not None for event in withdrawals)


async def test_a_death_that_only_ds_tells_is_recorded_once_and_last(sdtm: Rows, shipped: SdtmMapping) -> None:
    spine, source = (
        PureSpine(NOW),
        sdtm(dm=[{}], sv=[{}], ds=[{"DSDECOD": "DEATH"}, {"DSDECOD": "DEATH", "DSSEQ": "2"}]),
    )
    account = await _import(source, shipped, spine)
    (death,) = (event for event in spine.events() if isinstance(event, ParticipantDied))
    assert (death.death_at.value, account.kept_reasons) == ("2014-07-02", {("DS", "TOLD_BY_DS"): 1})
    assert plan_import(source, shipped).units[-1].phase is Phase.DEATH
    events = len(spine.events())
    assert await _import(source, shipped, spine) == account
    assert len(spine.events()) == events


async def test_a_fatal_event_takes_its_death_from_ds_where_dm_has_none(sdtm: Rows, shipped: SdtmMapping) -> None:
    spine, fatal = PureSpine(NOW), {"AEOUT": "FATAL", "AESDTH": "Y", "AEENDTC": ""}
    account = await _import(sdtm(dm=[{}], ae=[fatal], ds=[{"DSDECOD": "DEATH"}]), shipped, spine)
    (death,) = (event for event in spine.events() if isinstance(event, ParticipantDied))
    assert (death.death_at.value, account.kept_reasons) == ("2014-07-02", {("DS", "TOLD_BY_AE"): 1})


def test_a_day_of_death_that_differs_from_dm_is_found(sdtm: Rows, shipped: SdtmMapping) -> None:
    plan = plan_import(sdtm(dm=[{"DTHDTC": "2014-07-01"}], ds=[{"DSDECOD": "DEATH"}]), shipped)
    assert [finding.kind for finding in plan.findings if finding.row.domain == "DS"] == [
        "TOLD_BY_DM",
        "DEATH_DATE_DIFFERS",
    ]


@pytest.mark.parametrize(("domain", "column"), [("VS", "VSDTC"), ("SV", "SVSTDTC"), ("DS", "DSDECOD")])
def test_a_missing_variable_stops_the_import_and_names_its_file(
    sdtm: Rows, shipped: SdtmMapping, domain: str, column: str
) -> None:
    whole = sdtm(**{domain.lower(): [{}]}).rows
    row = whole[domain][0]
    cut = SourceRow(domain, 1, {name: text for name, text in row.values.items() if name != column})
    source = Source({**whole, domain: (cut,)}, (), {domain: f"{domain.lower()}.xpt"})
    with pytest.raises(StartRefused, match=rf"{domain} \({domain.lower()}\.xpt\) has no column {column}"):
        plan_import(source, shipped)


def test_a_mapping_without_the_three_tables_refuses_their_rows(sdtm: Rows, shipped: SdtmMapping) -> None:
    older = shipped.model_copy(update={"vs": None, "sv": None, "ds": None})
    plan = plan_import(sdtm(vs=[{}], sv=[{}], ds=[{}, {}]), older)
    assert _refused(plan) == [
        ("VS", 1, "NOT_MAPPED"),
        ("SV", 1, "NOT_MAPPED"),
        ("DS", 1, "NOT_MAPPED"),
        ("DS", 2, "NOT_MAPPED"),
    ]
    assert plan.units == ()
