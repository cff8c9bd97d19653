"""Real input through the whole stack: counted from Kafka and from the source files, never from the importer."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.adverse_events import AEFollowedUp, AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.codec import Recorded
from hepatrail_events.enrolment import ScreenFailed, SubjectEnrolled
from hepatrail_events.measurements import LabResultsRecorded, Measured
from hepatrail_events.sessions import SessionEnded
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_events.study import SiteActivated
from sdtm_import_run import Import, Row, all_events, events_of_subjects, rows_of, run_import, write_domains, write_rows
from stack import Stack

PILOT = Path(__file__).parents[3] / "shared" / "data" / "cdisc_pilot"
DM = "USUBJID,SITEID,DMDTC,SEX,AGE,AGEU,ARMCD,DTHDTC"
EX = "USUBJID,EXSEQ,EXSTDTC"
LB = "USUBJID,LBSEQ,LBTESTCD,LBCAT,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,VISITNUM,LBDTC"
AE = (
    "USUBJID,AESEQ,AETERM,AEDECOD,AESEV,AESER,AEACN,AEREL,AEOUT,AESDTH,AESLIFE,AESHOSP,AESDISAB,AESCONG,AESCAN,AESOD,"
    "AEDTC,AESTDTC,AEENDTC,AESPID"
)
SMALL = {
    "dm": [DM, "99-1,718,2013-12-26,F,63,YEARS,Pbo,", "99-2,718,2013-12-27,M,70,YEARS,Scrnfail,"],
    "ex": [EX, "99-1,1,2014-01-02", "99-1,2,2014-01-17"],
    "lb": [
        LB,
        "99-1,1,BILI,CHEMISTRY,<0.2,mg/dL,0.2,1.2,1,2013-12-26T14:45",
        "99-1,2,UREAN,CHEMISTRY,13,mg/dL,4,24,1,2013-12-26T14:45",
        "99-1,3,COLOR,URINALYSIS,N,,,,1,2013-12-26T14:45",
        "99-1,4,K,CHEMISTRY,400,mEq/L,3.4,5.4,1,2013-12-28",
        "99-1,5,K,CHEMISTRY,,mEq/L,3.4,5.4,1,2013-12-28",
    ],
    "ae": [
        AE,
        "99-1,1,PNEUMONIA,PNEUMONIA,SEVERE,N,,NONE,RECOVERED/RESOLVED,N,N,Y,N,N,N,N,2014-01-16,2014-01,2014-01-20,E1",
        "99-1,2,NAUSEA,NAUSEA,MILD,N,,,RECOVERED/RESOLVED,N,N,N,N,N,N,N,2014-01-16,2014-01-03,2014-01-02,E2",
        "99-1,3,RASH,RASH,MILD,N,,,NOT RECOVERED/NOT RESOLVED,N,N,N,N,N,N,N,2014-01-16,2014-01-01,2014-01-20,E3",
    ],
}
REPORTS = {
    "dm": [DM, "99-3,718,2013-12-26,F,63,YEARS,Pbo,"],
    "ex": [EX],
    "lb": [LB],
    "ae_reports_original": [
        AE,
        "99-3,1,RASH,RASH,MILD,N,,NONE,NOT RECOVERED/NOT RESOLVED,N,N,N,N,N,N,N,2014-01-05,2014-01-02,2014-01-20,E1",
        "99-3,2,RASH,RASH,SEVERE,N,,NONE,NOT RECOVERED/NOT RESOLVED,N,N,Y,N,N,N,N,2014-01-12,2014-01-02,2014-01-20,E1",
        "99-3,3,RASH,RASH,SEVERE,N,,NONE,RECOVERED/RESOLVED,N,N,Y,N,N,N,N,2014-01-22,2014-01-02,2014-01-20,E1",
    ],
}


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("import") / "data")
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_domains(tmp_path / "small", SMALL)
    return tmp_path / "small"


async def _adverse_events(stack: Stack, events: list[Recorded]) -> list[tuple[str, dict[str, Any]]]:
    """What a client reads of all adverse events, once the events are projected."""
    query = """query($id: ID!, $position: Position) { subject(id: $id, minPosition: $position) { adverseEvents {
        verbatim { value } onset { value } grade outcome serious teae followUps { text { value } } } } }"""
    read: list[tuple[str, dict[str, Any]]] = []
    for stream, version in {one.envelope.stream: one.envelope.streamseq for one in events}.items():
        subject = subject_of(stream)
        assert subject is not None
        answer = await stack.graphql(query, {"id": subject, "position": f"{stream}@{version}"})
        read += [(subject, one) for one in answer["subject"]["adverseEvents"]]
    return read


def _said(read: dict[str, Any]) -> tuple[str, str, int, str]:
    return read["verbatim"]["value"], read["onset"]["value"], read["grade"], read["outcome"]


def _stated(row: Row) -> tuple[str, str, int, str]:
    """What a row of AE says, in the words of the trial."""
    grade = 5 if row["AEOUT"] == "FATAL" else ("MILD", "MODERATE", "SEVERE").index(row["AESEV"]) + 1
    return row["AETERM"], row["AESTDTC"], grade, OUTCOMES[row["AEOUT"]]


def _other(row: Row) -> str:
    """The id of a participant of the pilot as one who is not in the stack yet."""
    return row["USUBJID"].replace("01-", "77-", 1)


def _flags() -> list[Row]:
    return rows_of(PILOT / "expected_ae_flags.csv")


def _of(events: list[Recorded], *kinds: type) -> int:
    return sum(isinstance(one.event, kinds) for one in events)


def _results(events: list[Recorded]) -> list[Measured]:
    return [row for one in events if isinstance(one.event, LabResultsRecorded) for row in one.event.results]


def _refused(run: Import) -> Counter[str]:
    return Counter(row["domain"] for row in run.refused if row["code"] != "CHANGED")


async def test_a_small_source_is_accounted_for_row_by_row(stack: Stack, small: Path, tmp_path: Path) -> None:
    data_dir, kafka = stack.data_dir, stack.ready["kafka"]
    first = await run_import(small, data_dir, tmp_path)
    events = await events_of_subjects(kafka, ("99-1", "99-2"))
    assert {(row["domain"], row["row_key"], row["code"]) for row in first.refused} == {
        ("EX", "99-1|2", "NOT_FIRST_DOSE"),
        ("LB", "99-1|5", "LAB-01"),
        ("AE", "99-1|2", "INV-05"),
    }
    assert _of(events, SubjectEnrolled, ScreenFailed) == 2
    assert _of(events, SessionEnded) == 1
    results = {row.code: row for row in _results(events)}
    assert {code: (row.accepted, row.reject_reason) for code, row in results.items()} == {
        "tbil": (True, None),
        "bun": (True, None),
        "COLOR": (False, "UNKNOWN_CODE"),
        "potassium": (False, "IMPLAUSIBLE"),
    }
    assert (results["tbil"].value, results["tbil"].comparator, results["tbil"].high) == ("0.2", "<", "1.2")
    reports = [one.event for one in events if isinstance(one.event, AEReported)]
    assert [(report.criteria, report.onset.value) for report in reports] == [
        (("HOSPITALISATION",), "2014-01"),
        ((), "2014-01-01"),
    ]
    assert "AE found: END_LEFT_OUT 1" in first.output
    assert {row["finding"] for row in first.findings} >= {"SERIOUS_WITHOUT_FLAG", "PARTIAL_DATE", "CENSORED"}

    again = await run_import(small, data_dir, tmp_path)
    assert [one.hash for one in await events_of_subjects(kafka, ("99-1", "99-2"))] == [one.hash for one in events]
    assert [(row["row_key"], row["attempt"]) for row in again.refused if row["domain"] == "AE"] == [("99-1|2", "2")]

    mended = [
        SMALL["ae"][0],
        SMALL["ae"][1].replace("SEVERE", "MILD"),
        SMALL["ae"][2].replace("2014-01-02", "2014-01-04"),
    ]
    write_domains(small, {"ae": mended})
    third = await run_import(small, data_dir, tmp_path)
    later = await events_of_subjects(kafka, ("99-1", "99-2"))
    assert [row["code"] for row in third.refused if row["domain"] == "AE"] == ["CHANGED"]
    assert _of(later, AEReported) == 3
    assert len(later) == len(events) + 1

    study = [one for one in await all_events(kafka) if one.envelope.stream == STUDY]
    activated = Counter(one.event.site_id for one in study if isinstance(one.event, SiteActivated))
    assert activated == Counter(["701", "704", "708", "716", "718"])


def _pilot() -> dict[str, list[Row]]:
    """Participants, doses and adverse events of the five sites, and the laboratory results of one of them.

    All results and the other domains go in by the same rules in `test_sdtm_published`; a stack takes minutes for them.
    """
    source = {name: rows_of(PILOT / f"{name}.csv") for name in ("dm", "ex", "ae")}
    of_site = {row["USUBJID"] for row in source["dm"] if row["SITEID"] == "704"}
    return source | {"lb": [row for row in rows_of(PILOT / "lb.csv.gz") if row["USUBJID"] in of_site]}


@pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")
async def test_the_five_sites_go_in_and_nothing_vanishes(stack: Stack, tmp_path: Path) -> None:
    data_dir, kafka = stack.data_dir, stack.ready["kafka"]
    source, sites = _pilot(), tmp_path / "sites"
    subjects = {row["USUBJID"] for row in source["dm"]}
    write_rows(sites, source)
    first = await run_import(sites, data_dir, tmp_path)
    events = await events_of_subjects(kafka, subjects)
    refused = _refused(first)
    results = _results(events)

    assert {name: len(rows) for name, rows in source.items()} == {"dm": 150, "ex": 301, "ae": 504, "lb": 5451}
    assert _of(events, SubjectEnrolled, ScreenFailed) + refused["DM"] == 150
    assert _of(events, SessionEnded) + refused["EX"] == 301
    assert (_of(events, AEReported), refused["AE"]) == (504, 0)
    accepted = sum(row.accepted for row in results)
    kept = sum(not row.accepted for row in results)
    assert accepted + kept + refused["LB"] == 5451
    assert accepted == sum(row["LBTESTCD"] in MAPPED for row in source["lb"])

    assert Counter(row["LBORRES"] for row in source["lb"] if row["LBORRES"][0] in "<>") == Counter(
        f"{row.comparator}{row.value}" for row in results if row.comparator
    )
    assert Counter(row["LBORRES"].lstrip("<>") for row in source["lb"]) == Counter(row.value for row in results)
    censored = next(row for row in source["lb"] if row["LBORRES"] == "<0.2")
    query = 'query($id: ID!) { subject(id: $id) { labResults(codes: ["tbil"]) { value comparator low high } } }'
    read = (await stack.graphql(query, {"id": censored["USUBJID"]}))["subject"]["labResults"]
    limits = {"low": censored["LBORNRLO"], "high": censored["LBORNRHI"]}
    assert {"value": "0.2", "comparator": "<", **limits} in read
    serious = [one.event for one in events if isinstance(one.event, AEReported) and one.event.criteria]
    assert len(serious) == 10
    named = {row["row_key"] for row in first.findings if row["finding"] == "SERIOUS_WITHOUT_FLAG"}
    flags = _flags()
    assert named == {f"{row['USUBJID']}|{row['AESEQ']}" for row in flags if row["inconsistent_seriousness"] == "Y"}

    published = {(row["USUBJID"], row["AESEQ"]): row["TEAE_published_flag"] == "Y" for row in flags}
    told = await _adverse_events(stack, events)
    assert Counter((subject, _said(one), one["teae"]) for subject, one in told) == Counter(
        (row["USUBJID"], _stated(row), published[row["USUBJID"], row["AESEQ"]]) for row in source["ae"]
    )
    assert Counter(one["teae"] for _, one in told) == {True: 480, False: 24}

    again = await run_import(sites, data_dir, tmp_path)
    assert [one.hash for one in await events_of_subjects(kafka, subjects)] == [one.hash for one in events]
    assert _refused(again) == refused


@pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")
async def test_original_reports_of_an_event_are_its_follow_ups(stack: Stack, tmp_path: Path) -> None:
    """Of two sites, as participants of their own: the published AE of the same ones is in the stack already."""
    data_dir, kafka, originals = stack.data_dir, stack.ready["kafka"], tmp_path / "originals"
    of_sites = {row["USUBJID"] for row in rows_of(PILOT / "dm.csv") if row["SITEID"] in ("704", "718")}
    source = {
        name: [row for row in rows_of(PILOT / f"{name}.csv") if row["USUBJID"] in of_sites]
        for name in ("dm", "ex", "ae", "ae_reports_original")
    }
    doses, reports = source["ex"], source["ae_reports_original"]
    write_domains(originals, {"lb": [LB]})
    write_rows(originals, {name: [row | {"USUBJID": _other(row)} for row in rows] for name, rows in source.items()})
    first = await run_import(originals, data_dir, tmp_path, "--ae-reports")
    events = await events_of_subjects(kafka, map(_other, source["dm"]))
    assert "AE: adverse events 143, reports 191" in first.output
    assert _refused(first) == {"EX": len(doses) - len({row["USUBJID"] for row in doses})}
    assert (_of(events, AEReported), _of(events, AEFollowedUp)) == (143, 48)

    told = await _adverse_events(stack, events)
    latest = {(row["USUBJID"], row["AESPID"]): row for row in sorted(reports, key=lambda row: row["AEDTC"])}
    many = Counter((row["USUBJID"], row["AESPID"]) for row in reports)
    assert Counter((subject[3:], _said(one), 1 + len(one["followUps"])) for subject, one in told) == Counter(
        (subject[3:], _stated(row), many[subject, event]) for (subject, event), row in latest.items()
    )
    published = {
        (row["USUBJID"], row["AESPID"]): row["TEAE_published_flag"] == "Y"
        for row in _flags()
        if row["USUBJID"] in of_sites
    }
    assert Counter((subject[3:], _said(one), one["teae"]) for subject, one in told) >= Counter(
        (subject[3:], _stated(latest[subject, event]), flag) for (subject, event), flag in published.items()
    )


async def test_where_there_is_no_ae_the_file_of_reports_is_read(stack: Stack, tmp_path: Path) -> None:
    write_domains(tmp_path / "reports", REPORTS)
    run = await run_import(tmp_path / "reports", stack.data_dir, tmp_path)
    assert (run.refused, "AE: adverse events 1, reports 3" in run.output) == ([], True)
    events = await events_of_subjects(stack.ready["kafka"], ["99-3"])
    assert [type(one.event) for one in events][2:] == [
        AEReported,
        AEFollowedUp,
        AEGradeChanged,
        AEUpgradedToSerious,
        AEFollowedUp,
        AEResolved,
    ]
    ((_, read),) = await _adverse_events(stack, events)
    assert (read["grade"], read["serious"], read["outcome"]) == (3, True, "RECOVERED")
    assert [one["text"]["value"] for one in read["followUps"]] == [
        "As report 2 of 2014-01-12 says. RASH, SEVERE, NOT RECOVERED/NOT RESOLVED, AEENDTC 2014-01-20",
        "As report 3 of 2014-01-22 says. RASH, SEVERE, RECOVERED/RESOLVED, AEENDTC 2014-01-20",
    ]


MAPPED = frozenset(
    ("ALB", "ALP", "ALT", "AST", "BILI", "CREAT", "GLUC", "HCT", "HGB", "K", "PLAT", "RBC", "SODIUM", "UREAN", "WBC")
)
"""Test codes of the pilot that the trial measures too; all others are kept, unaccepted."""
OUTCOMES = {
    "RECOVERED/RESOLVED": "RECOVERED",
    "NOT RECOVERED/NOT RESOLVED": "NOT_RECOVERED",
    "FATAL": "FATAL",
}
