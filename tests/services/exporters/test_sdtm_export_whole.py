"""The participants of whom every record is full: course and judgement of adverse events, status, history, groups."""

from typing import Any

from hepatrail_services.exporters.dataset_json import Value
from hepatrail_services.exporters.fa import criteria_of
from sdtm_export_course import TREATED, of, one, values
from sdtm_export_whole import WHOLE

Named = dict[str, Value]


def test_the_course_of_an_adverse_event_is_in_fa_as_it_was_said() -> None:
    told = [
        values(row, "FATESTCD", "FAORRES", "FAEVAL", "FADTC", "FAREPFL")
        for row in of("FA", WHOLE)
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
    fever = one("AE", WHOLE, AESEQ=1)
    assert values(fever, "AESER", "AEEXPECT", "AERSIVER", "AEMHSEQ", "AERELDEV") == (
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
    statuses = [values(row, "SSORRES", "SSTRANSP", "SSTRDTC", "SSSRC") for row in of("SS", WHOLE)]
    assert statuses == [
        ("ALIVE", "LISTED", "", "PHONE"),
        ("UNKNOWN", "NONE", "", "RECORD"),
        ("ALIVE", "DONE", "2026-04-04", "VISIT"),
        ("DEAD", "DONE", "", "REGISTRY"),
    ]
    assert [values(row, "XAORRES", "XAVISSTD", "VISIT") for row in of("XA", WHOLE)] == [
        ("Y", "D7", "D7"),
        ("N", "", "D7"),
    ]
    pauses = [values(row, "XPEXSEQ", "XPSTDTC", "XPENDTC") for row in of("XP", TREATED)]
    [(session, began, ended)] = pauses
    assert (session, str(began)[:16], str(ended)[:16]) == (2, "2026-03-13T11:00", "2026-03-13T11:30")
    assert values(of("DE", WHOLE)[0], "SPDEVID", "DEEXSEQ", "DEAESEQ", "DESADE") == ("D7", 1, 1, "Y")


def test_the_words_of_history_medication_and_procedure_are_sealed_and_their_codes_are_not() -> None:
    assert [values(row, "MHTERM", "MHCAT", "MHTOXGR") for row in of("MH", WHOLE)] == [
        ("Ascites", "OTHER", "2"),
        ("Fever", "FEVER", ""),
    ]
    assert [values(row, "CMTRT", "CMENDTC", "CMENRF", "CMANTICO") for row in of("CM", WHOLE)] == [
        ("B01AB01", "2026-03-09", "", "Y"),
        ("NOT CODED", "", "ONGOING", "N"),
        ("NOT CODED", "", "", "N"),  # it ended, and nobody knows when
    ]
    assert [values(row, "PRTRT", "PRENDTC", "PRENRF") for row in of("PR", WHOLE)] == [
        ("CVVHD", "2026-03-07T10:00", ""),
        ("HD", "", "ONGOING"),
    ]


def test_groups_of_measured_rows_are_numbered_over_laboratory_and_bedside_together() -> None:
    creatinine = [
        (row[f"{name}GRPID"], row[f"{name}ORRES"], row[f"{name}USEDFL"])
        for name in ("VS", "LB")
        for row in of(name, WHOLE)
        if row[f"{name}TESTCD"] == "CREAT" and row["VISIT"] == "D7"
    ]
    assert sorted(creatinine) == [("4", "150", ""), ("5", "160", ""), ("6", "155", "Y")]
    moved = one("LB", WHOLE, LBTESTCD="INR", LBGRPID="2")  # its visit was corrected, so it is no longer of group 1
    assert values(moved, "LBVISSTD", "LBMSGID") == ("", "")
    assert {row["LBMSGID"] for row in of("LB", WHOLE) if row["LBGRPID"] == "1"} == {"M-17"}
