"""The import against the rules and derivations themselves: what each row becomes, and a second run changes nothing."""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.enrolment import ScreenFailed, SubjectEnrolled
from hepatrail_events.ids import derived_id, object_id
from hepatrail_events.measurements import LabResultsRecorded
from hepatrail_events.roles import Role
from hepatrail_events.sessions import SessionEnded, SessionStarted
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_projections.adverse_event import AdverseEventRow, adverse_event_rows
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.importers.account import Account, settle_account
from hepatrail_services.importers.mapping import AeReports, SdtmMapping
from hepatrail_services.importers.run import run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import REQUIRED, Source, read_directory
from pure_spine import PureSpine

Rows = Callable[..., Source]
PILOT = Path(__file__).parents[4] / "shared" / "data" / "cdisc_pilot"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


async def _import(source: Source, mapping: SdtmMapping, spine: PureSpine, reports: AeReports | None = None) -> Account:
    plan = plan_import(source, mapping, reports)
    return settle_account(plan, await run_plan(plan, spine.acting_as(Role.INVESTIGATOR)))


async def _activate(mapping: SdtmMapping, spine: PureSpine) -> None:
    await activate_sites(spine.acting_as(Role.ADMIN), mapping.study, mapping.sites.ids, mapping.sites.approval_ref)


def _adverse_events(spine: PureSpine) -> list[AdverseEventRow]:
    """All adverse events as they are read, in the order of the participants and of the reports."""
    protocol = fold_study_events(spine.recorded[STUDY]).published_at(spine.now)
    assert protocol is not None
    rows: list[AdverseEventRow] = []
    for stream, recorded in spine.recorded.items():
        if (subject := subject_of(stream)) is not None:
            view = fold_all(subject, recorded)
            rows += adverse_event_rows(view, clinical_state(view, protocol))
    return rows


def _published() -> dict[tuple[str, str], tuple[str, bool]]:
    """Event and published treatment-emergent flag of each row of AE (subject, AESEQ)."""
    with (PILOT / "expected_ae_flags.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["USUBJID"], row["AESEQ"]): (row["AESPID"], row["TEAE_published_flag"] == "Y")
            for row in csv.DictReader(stream)
        }


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


@pytest.mark.parametrize("before", ["NOT RECOVERED/NOT RESOLVED", "RECOVERED/RESOLVED"])
async def test_an_event_that_a_later_report_calls_fatal_is_the_cause_of_the_death(
    sdtm: Rows, shipped: SdtmMapping, before: str
) -> None:
    fatal = {"AEDTC": "2014-11-02", "AEOUT": "FATAL", "AESDTH": "Y", "AEENDTC": "2014-11-01"}
    later = fatal | {"AESEQ": "2", "AESHOSP": "Y"}
    last = fatal | {"AESEQ": "3", "AEDTC": "2014-12-24"}
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    source = sdtm(dm=[{"DTHDTC": "2014-11-01"}], ex=[{}], ae=[{"AEOUT": before}, later, last])
    account = await _import(source, shipped, spine, shipped.ae.reports)
    assert account.refusals == ()
    (row,) = _adverse_events(spine)
    assert (row.state, row.current_grade, row.criteria["INVESTIGATOR"]) == ("FATAL", 5, ["DEATH"])
    assert (row.ever_serious, len(row.follow_ups)) == (True, 2)
    (death,) = (event for event in spine.events() if isinstance(event, ParticipantDied))
    assert death.primary_cause_ae_id == row.ae_id
    assert (await _import(source, shipped, spine, shipped.ae.reports)) == account
    assert len(_adverse_events(spine)[0].follow_ups) == 2


CHANGES = {
    "AESEV": ("MILD", "MODERATE", "SEVERE", ""),
    "AEREL": ("NONE", "PROBABLE", ""),
    "AEACN": ("", "DRUG WITHDRAWN"),
    "AESHOSP": ("N", "Y"),
    "AESDISAB": ("N", "Y"),
    "AETERM": ("DIARRHEA", "LOOSE STOOLS"),
    "AESTDTC": ("2014-01", "2014-01-09"),
}
OUTCOMES = st.sampled_from(
    [
        ("NOT RECOVERED/NOT RESOLVED", ""),
        ("NOT RECOVERED/NOT RESOLVED", "2015"),
        ("RECOVERING/RESOLVING", ""),
        ("RECOVERED/RESOLVED", "2014-12-30"),
        ("RECOVERED/RESOLVED", ""),
        ("RECOVERED/RESOLVED WITH SEQUELAE", "2014-12-31"),
    ]
)
REPORT = st.builds(
    lambda changed, outcome: {**changed, "AEOUT": outcome[0], "AEENDTC": outcome[1]},
    st.fixed_dictionaries({column: st.sampled_from(values) for column, values in CHANGES.items()}),
    OUTCOMES,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REPORT, min_size=1, max_size=5))
async def test_after_its_reports_an_adverse_event_says_what_the_last_one_says(
    sdtm: Rows, shipped: SdtmMapping, reports: list[dict[str, str]]
) -> None:
    rows = [{"AESEQ": str(number), "AEDTC": f"2014-0{number}-16", **row} for number, row in enumerate(reports, 1)]
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    account = await _import(sdtm(dm=[{}], ae=rows), shipped, spine, shipped.ae.reports)
    assert (account.refusals, account.adverse_events) == ((), 1)
    (row,) = _adverse_events(spine)
    last = rows[-1]
    assert (row.reported_at, len(row.follow_ups)) == (NOW, len(rows) - 1)
    outcome = shipped.ae.outcomes[last["AEOUT"]]
    assert (row.outcome, row.state) == (outcome, "RESOLVED" if outcome.startswith("RECOVERED") else "OPEN")
    assert (row.end_at or {}).get("value") == ((last["AEENDTC"] or None) if row.state == "RESOLVED" else None)
    severities = [report["AESEV"] for report in rows if report["AESEV"]]
    assert row.current_grade == (shipped.ae.grades[severities[-1]] if severities else None)
    assert row.max_grade == max((shipped.ae.grades[severity] for severity in severities), default=None)
    assert row.onset["value"] == last["AESTDTC"]
    assert set(row.criteria["INVESTIGATOR"]) == {
        shipped.ae.criteria[column] for column in ("AESHOSP", "AESDISAB") if last[column] == "Y"
    }
    judged = [report["AEREL"] for report in rows if report["AEREL"]]
    assert [one["value"] for one in row.causality] == [shipped.ae.causalities[each] for each in judged[-1:]]
    assert row.action_taken == shipped.ae.actions[last["AEACN"]]


@pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")
async def test_the_pilot_is_accounted_for_by_the_rules(shipped: SdtmMapping) -> None:
    """DM, EX, LB and AE; VS, SV and DS are in test_sdtm_published."""
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    source = read_directory(PILOT)
    source = Source({domain: source.rows[domain] for domain in REQUIRED}, ())
    account = await _import(source, shipped, spine)
    assert all(domain.balanced for domain in account.domains)
    assert dict(account.refused_reasons) == {("EX", "NOT_FIRST_DOSE"): 173}
    assert account.adverse_events == 504
    assert account.found["AE", "END_LEFT_OUT"] == 10

    events = spine.events()
    rows = [row for event in events if isinstance(event, LabResultsRecorded) for row in event.results]
    assert len(rows) == 30097
    kept = Counter(row.reject_reason for row in rows if not row.accepted)
    assert kept == {reason: count for (domain, reason), count in account.kept_reasons.items() if domain == "LB"}
    assert sum(isinstance(event, SubjectEnrolled | ScreenFailed) for event in events) == 150
    assert sum(isinstance(event, SessionStarted) for event in events) == 128
    assert sum(isinstance(event, SessionEnded) for event in events) == 128
    reports = [event for event in events if isinstance(event, AEReported)]
    assert len(reports) == 504
    assert sum(bool(report.criteria) for report in reports) == 10
    assert sum(isinstance(event, ParticipantDied) for event in events) == 2

    teae = {row.ae_id: row.teae for row in _adverse_events(spine)}
    ours = {key: teae[_ae_id(*key)] for key in _published()}
    assert ours == {key: flag for key, (_, flag) in _published().items()}
    assert (len(ours), len(teae), sum(ours.values())) == (504, 504, 480)

    before = {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()}
    again = await _import(source, shipped, spine)
    assert {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()} == before
    assert again == account


@pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")
async def test_the_617_reports_of_the_pilot_are_469_adverse_events_with_their_follow_ups(shipped: SdtmMapping) -> None:
    assert shipped.ae.reports is not None
    source = read_directory(PILOT, {"AE": shipped.ae.reports.file})
    source = Source({**source.rows, **dict.fromkeys(("LB", "VS", "SV", "DS"), ())}, ())
    spine = PureSpine(NOW)
    await _activate(shipped, spine)
    account = await _import(source, shipped, spine, shipped.ae.reports)
    assert dict(account.refused_reasons) == {("EX", "NOT_FIRST_DOSE"): 173}
    assert (account.domain("AE").accepted, account.adverse_events) == (617, 469)
    counts = _count(spine)
    assert {name: count for name, count in counts.items() if name.startswith("AE")} == {
        "AEReported": 469,
        "AEFollowedUp": 148,
        "AEResolved": 117,
        "AEGradeChanged": 36,
    }

    rows = _adverse_events(spine)
    assert sum(1 + len(row.follow_ups) for row in rows) == 617
    by_id = {row.ae_id: row for row in rows}
    events = {event: by_id[_ae_id(*key)] for event, key in _first_reports(source).items()}
    assert len(events) == 469
    for (subject, _), (event, flag) in _published().items():
        assert events[subject, event].teae is flag

    before = {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()}
    assert await _import(source, shipped, spine, shipped.ae.reports) == account
    assert {stream: recorded[-1].hash for stream, recorded in spine.recorded.items()} == before


def _first_reports(source: Source) -> dict[tuple[str, str], tuple[str, str]]:
    """Each event (subject, AESPID) with the row (subject, AESEQ) that reports it first."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for row in sorted(source.rows["AE"], key=lambda row: row["AEDTC"]):
        first.setdefault((row["USUBJID"], row["AESPID"]), (row["USUBJID"], row["AESEQ"]))
    return first


def _ae_id(subject: str, sequence: str) -> UUID:
    """The adverse event that the first attempt of a row reported."""
    row = derived_id("sdtm", "CDISCPILOT01", "AE", f"{subject}|{sequence}", "reportAdverseEvent", 1)
    return object_id(row, "ae")
