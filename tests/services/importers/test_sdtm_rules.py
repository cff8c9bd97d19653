"""The import against the rules themselves: what each row becomes, and that a second run changes nothing."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.enrolment import ScreenFailed, SubjectEnrolled
from hepatrail_events.measurements import LabResultsRecorded
from hepatrail_events.roles import Role
from hepatrail_events.sessions import SessionEnded, SessionStarted
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.mapping import SdtmMapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import Source, read_directory
from pure_spine import PureSpine

Rows = Callable[..., Source]
PILOT = Path(__file__).parents[4] / "shared" / "data" / "cdisc_pilot"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


async def _import(source: Source, mapping: SdtmMapping, spine: PureSpine) -> Account:
    plan = plan_import(source, mapping)
    return settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR)))


async def _activate(mapping: SdtmMapping, spine: PureSpine) -> None:
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)


def _count(spine: PureSpine) -> Counter[str]:
    return Counter(event.type_name() for event in spine.events())


async def test_an_inactive_site_refuses_until_it_is_mended(sdtm: Rows, shipped: SdtmMapping) -> None:
    source, spine = sdtm(dm=[{}], ex=[{}], lb=[{}], ae=[{}]), PureSpine(NOW)
    first = await _import(source, shipped, spine)
    assert {(one.row.domain, one.code) for one in first.refusals} == {("DM", "ENR-04"), ("EX", "SES-06")}
    await _activate(shipped, spine)
    second = await _import(source, shipped, spine)
    assert second.refusals == ()
    counts = _count(spine)
    assert [counts[name] for name in ("ConsentRecorded", "SubjectEnrolled", "SessionEnded", "AEReported")] == [1] * 4


async def test_a_death_without_a_fatal_event_comes_after_the_session(sdtm: Rows, shipped: SdtmMapping) -> None:
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    account = await _import(sdtm(dm=[{"DTHDTC": "2014-11-01"}], ex=[{}], ae=[{}]), shipped, spine)
    assert account.refusals == ()
    assert _count(spine)["ParticipantDied"] == 1


async def test_two_fatal_events_have_one_primary_cause(sdtm: Rows, shipped: SdtmMapping) -> None:
    fatal = {"AEOUT": "FATAL", "AESDTH": "Y", "AEENDTC": "2014-11-01"}
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    source = sdtm(dm=[{"DTHDTC": "2014-11-01"}], ae=[fatal, fatal | {"AESEQ": "2"}])
    account = await _import(source, shipped, spine)
    assert account.refusals == ()
    (death,) = (event for event in spine.events() if isinstance(event, ParticipantDied))
    reports = [event for event in spine.events() if isinstance(event, AEReported)]
    assert death.primary_cause_ae_id == reports[0].ae_id
    assert len(reports) == 2


@pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")
async def test_the_pilot_is_accounted_for_by_the_rules(shipped: SdtmMapping) -> None:
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    account = await _import(read_directory(PILOT), shipped, spine)
    assert all(domain.balanced for domain in account.domains)
    assert dict(account.refused_reasons) == {("EX", "NOT_FIRST_DOSE"): 173, ("AE", "INV-07"): 10}

    events = spine.events()
    rows = [row for event in events if isinstance(event, LabResultsRecorded) for row in event.results]
    assert len(rows) == 30097
    kept = Counter(row.reject_reason for row in rows if not row.accepted)
    assert kept == account.kept_reasons
    assert sum(isinstance(event, SubjectEnrolled | ScreenFailed) for event in events) == 150
    assert sum(isinstance(event, SessionStarted) for event in events) == 128
    assert sum(isinstance(event, SessionEnded) for event in events) == 128
    reports = [event for event in events if isinstance(event, AEReported)]
    assert len(reports) == 504 - 10
    assert sum(bool(report.criteria) for report in reports) == 10
    assert sum(isinstance(event, ParticipantDied) for event in events) == 2

    before = {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()}
    again = await _import(read_directory(PILOT), shipped, spine)
    assert {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()} == before
    assert again.domains == account.domains
    assert {one.attempt for one in again.refusals if one.code == "INV-07"} == {2}
