"""The participants of whom every record is full: course and judgement of adverse events, status, history, groups."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hepatrail_services.exporters.dataset_json import Value
from hepatrail_services.exporters.fa import criteria_of
from sdtm_export_course import END, TREATED, course
from sdtm_export_rows import Tables, exported, rows_at, streams_of, table
from sdtm_export_whole import WHOLE

Named = dict[str, Value]


@cache
def _tables() -> Tables:
    return exported(*rows_at(streams_of(course().records), END))


def _of(domain: str, subject_id: str) -> list[Named]:
    return [row for row in table(_tables(), domain) if row["USUBJID"] == subject_id]


def _values(row: Mapping[str, Value], *names: str) -> tuple[Value, ...]:
    return tuple(row[name] for name in names)


def _one(domain: str, subject_id: str, **values: Value) -> Named:
    found = [row for row in _of(domain, subject_id) if values.items() <= row.items()]
    assert len(found) == 1, found
    return found[0]


def test_the_course_of_an_adverse_event_is_in_fa_as_it_was_said() -> None:
    told = [
        _values(row, "FATESTCD", "FAORRES", "FAEVAL", "FADTC", "FAREPFL")
        for row in _of("FA", WHOLE)
        if row["FAAESEQ"] == 1
    ]
    assert told == [
        ("TOXGR", "1", "INVESTIGATOR", "2026-03-17", "Y"),
        ("TOXGR", "3", "INVESTIGATOR", "2026-03-18T09:30", ""),
        ("SERCRIT", "HOSPITALISATION", "INVESTIGATOR", "2026-03-18", ""),
        ("SERCRIT", "DISABILITY; CONGENITAL", "INVESTIGATOR", "", ""),
        ("SERCRIT", "MEDICALLY_IMPORTANT", "SPONSOR", "", ""),
        ("SERCRIT", "", "SPONSOR", "", ""),
        ("SERCRIT", "", "INVESTIGATOR", "", ""),
        ("CAUSAL", "PROBABLE", "INVESTIGATOR", "", "Y"),
        ("CAUSAL", "POSSIBLE", "SPONSOR", "", ""),
        ("CAUSAL", "POSSIBLE", "INVESTIGATOR", "", ""),
    ]
    fever = _one("AE", WHOLE, AESEQ=1)
    assert _values(fever, "AESER", "AEEXPECT", "AERSIVER", "AEMHSEQ", "AERELDEV") == (
        "N",
        "EXPECTED",
        "IB 3",
        1,
        "PROBABLE",
    )


def test_a_death_that_was_taken_back_leaves_no_criterion() -> None:
    def change(*criteria: str) -> dict[str, Any]:
        return {"assessor": "INVESTIGATOR", "criteria": criteria}

    revived = [change("HOSPITALISATION"), change("DEATH", "HOSPITALISATION"), change("HOSPITALISATION")]
    assert [criteria for _, criteria in criteria_of(revived)] == [("HOSPITALISATION",)]
    dead = [*revived, change("DEATH", "HOSPITALISATION"), change("DEATH")]
    assert [criteria for _, criteria in criteria_of(dead)] == [
        ("HOSPITALISATION",),
        ("DEATH", "HOSPITALISATION"),
        ("DEATH",),
    ]


def test_status_questions_pauses_and_deficiencies_have_their_rows() -> None:
    statuses = [_values(row, "SSORRES", "SSTRANSP", "SSTRDTC", "SSSRC") for row in _of("SS", WHOLE)]
    assert statuses == [
        ("ALIVE", "LISTED", "", "PHONE"),
        ("UNKNOWN", "NONE", "", "RECORD"),
        ("ALIVE", "DONE", "2026-04-04", "VISIT"),
        ("DEAD", "DONE", "", "REGISTRY"),
    ]
    assert [_values(row, "XAORRES", "XAVISSTD", "VISIT") for row in _of("XA", WHOLE)] == [
        ("Y", "D7", "D7"),
        ("N", "", "D7"),
    ]
    pauses = [_values(row, "XPEXSEQ", "XPSTDTC", "XPENDTC") for row in _of("XP", TREATED)]
    [(session, began, ended)] = pauses
    assert (session, str(began)[:16], str(ended)[:16]) == (2, "2026-03-13T11:00", "2026-03-13T11:30")
    assert _values(_of("DE", WHOLE)[0], "SPDEVID", "DEEXSEQ", "DEAESEQ", "DESADE") == ("D7", 1, 1, "Y")


def test_the_words_of_history_medication_and_procedure_are_sealed_and_their_codes_are_not() -> None:
    assert [_values(row, "MHTERM", "MHCAT", "MHTOXGR") for row in _of("MH", WHOLE)] == [
        ("Ascites", "OTHER", "2"),
        ("Fever", "FEVER", ""),
    ]
    assert [_values(row, "CMTRT", "CMENDTC", "CMENRF", "CMANTICO") for row in _of("CM", WHOLE)] == [
        ("B01AB01", "2026-03-09", "", "Y"),
        ("NOT CODED", "", "ONGOING", "N"),
        ("NOT CODED", "", "", "N"),  # it ended, and nobody knows when
    ]
    assert [_values(row, "PRTRT", "PRENDTC", "PRENRF") for row in _of("PR", WHOLE)] == [
        ("CVVHD", "2026-03-07T10:00", ""),
        ("HD", "", "ONGOING"),
    ]


def test_groups_of_measured_rows_are_numbered_over_laboratory_and_bedside_together() -> None:
    creatinine = [
        (row[f"{name}GRPID"], row[f"{name}ORRES"], row[f"{name}USEDFL"])
        for name in ("VS", "LB")
        for row in _of(name, WHOLE)
        if row[f"{name}TESTCD"] == "CREAT" and row["VISIT"] == "D7"
    ]
    assert sorted(creatinine) == [("4", "150", ""), ("5", "160", ""), ("6", "155", "Y")]
    moved = _one("LB", WHOLE, LBTESTCD="INR", LBGRPID="2")  # its visit was corrected, so it is no longer of group 1
    assert _values(moved, "LBVISSTD", "LBMSGID") == ("", "")
    assert {row["LBMSGID"] for row in _of("LB", WHOLE) if row["LBGRPID"] == "1"} == {"M-17"}
