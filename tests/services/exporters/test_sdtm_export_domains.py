"""What goes out is what the rows say: void records stay out, corrected ones are as they stand, dates end where they are
unknown, free text is not there."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hepatrail_events.types import format_instant
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters import notes
from hepatrail_services.exporters.civil import partial, study_day
from hepatrail_services.exporters.dataset_json import Form, Value
from hepatrail_services.exporters.domains import DOMAINS
from sdtm_export_course import DAY, DIED, END, FAILED, LOST, SCREENED, TREATED, course, of, one, tables, values
from sdtm_export_rows import ORIGIN, exported, files_of, rows_at, streams_of, table
from sdtm_export_whole import LEAVING, NEVER, WHOLE
from trial_history import history

SHANGHAI = ZoneInfo("Asia/Shanghai")
Named = dict[str, Value]


@cache
def _rows(as_of: datetime = END) -> dict[str, SubjectRows]:
    subjects, _ = rows_at(streams_of(course().records), as_of)
    return {each.subject.subject_id: each for each in subjects}


def test_every_participant_is_in_dm_and_says_why_there_is_no_arm() -> None:
    told = {row["USUBJID"]: values(row, "ARMCD", "ACTARMCD", "ARMNRS") for row in table(tables(), "DM")}
    assert told == {
        TREATED: ("CIPS-BAL", "CIPS-BAL", ""),
        DIED: ("CIPS-BAL", "CIPS-BAL", ""),
        LOST: ("CIPS-BAL", "", "ASSIGNED, NOT TREATED"),
        FAILED: ("", "", "SCREEN FAILURE"),
        SCREENED: ("", "", "NOT ASSIGNED"),
        WHOLE: ("CIPS-BAL", "CIPS-BAL", ""),
        LEAVING: ("CIPS-BAL", "", "ASSIGNED, NOT TREATED"),
        NEVER: ("", "", "NOT ASSIGNED"),
    }


def test_dm_has_the_enrolment_the_first_consent_and_a_partial_death() -> None:
    [row] = of("DM", TREATED)
    names = ("SITEID", "AGE", "AGEU", "SEX", "INDICATN", "CHRONHLT", "ADMTYPE", "HEIGHTCM")
    assert values(row, *names) == ("BFH", 41, "YEARS", "F", "SFSS", "Y", "emergency_postoperative", "162.5")
    assert values(row, "RFICDTC", "DMDTC") == ("2026-02-28T10:00:00", "2026-02-28")
    assert values(row, "RFSTDTC", "RFENDTC") == ("2026-03-10T10:00:00", "2026-03-13T13:00:18")
    assert values(row, "DTHDTC", "DTHFL", "RFPENDTC") == ("2026-05", "Y", "2026-05")
    [lost] = of("DM", LOST)
    assert values(lost, "DTHDTC", "DTHFL", "RFPENDTC", "RFSTDTC") == ("", "", "2026-04-08T10:00:00", "")


def test_a_void_session_is_no_exposure_and_a_corrected_weight_counts() -> None:
    first, second = of("EX", TREATED)
    assert len(_rows()[TREATED].sessions) == 3
    assert values(first, "EXSEQ", "EXDOSE", "EXDOSU", "EXWTKG") == (1, 10_020_000_000, "CELLS", "62.5")
    assert values(first, "EXSTDTC", "EXENDTC", "EXDUR", "EXSTDY") == (
        "2026-03-10T10:00:00",
        "2026-03-10T16:00:00",
        "PT6.00H",
        1,
    )
    assert values(second, "EXDUR", "EXPAUSES", "EXENDRSN", "EXSTOPFL") == ("PT2.50H", 1, "CLOTTING", "Y")
    assert second["EXSTDY"] == 4


def test_a_result_goes_out_as_reported_with_its_sign_and_beside_it_in_the_canonical_unit() -> None:
    below = one("LB", TREATED, LBTESTCD="BILI")
    assert values(below, "LBORRES", "LBORRESU", "LBORNRLO", "LBORNRHI") == ("<0.2", "mg/dL", "0.2", "1.2")
    assert values(below, "LBSTRESC", "LBSTRESN", "LBSTRESU") == ("<3.42", None, "umol/L")
    assert values(below, "VISIT", "VISITNUM", "LBLOBXFL", "LBDY") == ("BL", 1, "Y", -1)
    mended = one("LB", TREATED, LBTESTCD="CREAT")
    assert values(mended, "LBORRES", "LBSTRESN", "LBCAT") == ("88", "88", "CHEMISTRY")


def test_a_void_result_is_left_out_and_a_correction_makes_no_second_row() -> None:
    kept = [each for each in _rows()[TREATED].lab_results if each.kind == "LAB"]
    assert len(kept) == 10
    assert [each.code for each in kept if each.voided] == ["albumin"]
    assert len(of("LB", TREATED)) == 9
    assert [row["LBSEQ"] for row in of("LB", TREATED)] == list(range(1, 10))


def test_a_result_that_nobody_accepts_goes_out_as_reported_and_has_no_standard_value() -> None:
    unknown = one("LB", TREATED, LBTESTCD="ALT")
    assert values(unknown, "LBCAT", "LBORRES", "LBACCEPT", "LBREJRSN") == ("UNCODED", "31", "N", "UNKNOWN_CODE")
    unit = one("LB", TREATED, LBTESTCD="AST")
    assert values(unit, "LBORRES", "LBORRESU", "LBACCEPT", "LBREJRSN") == ("31", "parsec", "N", "UNIT_UNKNOWN")
    for row in (unknown, unit):
        assert values(row, "LBSTRESC", "LBSTRESN", "LBSTRESU", "VISIT", "VISITNUM") == ("", None, "", "", None)
    missing = one("LB", TREATED, LBTESTCD="INR", LBSTAT="NOT DONE")
    assert values(missing, "LBORRES", "LBREASND") == ("", "HEMOLYSED")


def test_two_samples_of_one_day_stay_two_and_the_last_counts() -> None:
    rows = [row for row in of("LB", TREATED) if row["LBDTC"] == "2026-03-17" and row["LBTESTCD"] == "INR"]
    assert [values(row, "LBORRES", "LBUSEDFL", "VISIT") for row in rows] == [("1.4", "", "D7"), ("1.5", "Y", "D7")]
    assert len({row["LBREFID"] for row in rows}) == 2


def test_observations_are_in_vs_by_the_moment_at_which_they_were_recorded_together() -> None:
    rows = of("VS", TREATED)
    assert sorted(Counter(row["VSGRPID"] for row in rows).values()) == [6, 6]
    verbal = [row for row in rows if row["VSTESTCD"] == "GCSVERB"]
    assert [values(row, "VSORRES", "VSSTRESN", "VSNTRSN", "VSCAT") for row in verbal] == [
        ("NT", None, "INTUBATED", "COMA SCALE")
    ] * 2
    pressure = next(row for row in rows if row["VSTESTCD"] == "MAP")
    assert values(pressure, "VSORRES", "VSORRESU", "VSSTRESN", "VSSTRESU") == ("11", "kPa", "82.50682", "mm[Hg]")


def test_an_adverse_event_is_as_it_stands_and_a_void_one_is_left_out() -> None:
    assert [each.state for each in _rows()[TREATED].adverse_events].count("VOIDED") == 1
    assert len(of("AE", TREATED)) == 4
    fever = one("AE", TREATED, AECAT="FEVER")
    assert values(fever, "AETERM", "AEDECOD", "AEPTCD", "AETOXGR") == ("Fever", "Pyrexia", 10037660, "3")
    assert values(fever, "AESTDTC", "AESTDY", "AEENDTC", "AEENDY") == ("2026-03", None, "2026-03-20T10:05", 11)
    assert values(fever, "AEACN", "AEACNDEV") == ("DRUG INTERRUPTED", "SESSION_STOPPED_EARLY")
    assert values(fever, "AEREL", "AERELDEV", "AERELNST") == (
        "NOT ASSESSABLE",
        "NOT ASSESSABLE",
        "PROCEDURE: NOT ASSESSABLE",
    )
    assert values(fever, "AESER", "AETRTEM", "AEOUT") == ("N", "Y", "RECOVERED/RESOLVED")
    other = one("AE", TREATED, AETERM="Hypokalemia")
    assert values(other, "AECAT", "AEDECOD", "AETOXGR", "AEREL") == ("OTHER", "Hypokalemia", "", "POSSIBLE")
    unknown = one("AE", TREATED, AETERM="OTHER")
    assert values(unknown, "AESTDTC", "AEENDTC", "AEOUT") == ("", "", "RECOVERED/RESOLVED WITH SEQUELAE")


def test_the_number_of_an_adverse_event_is_that_of_its_words_and_not_of_the_log() -> None:
    rows = of("AE", TREATED)
    assert [row["AESEQ"] for row in rows] == [1, 2, 3, 4]
    names = ("AECAT", "AEOUT", "AETOXGR", "AEENDTC", "AESER", "AESDTH", "AESLIFE", "AESHOSP")
    assert values(rows[3], *names) == ("SEPSIS", "FATAL", "5", "2026-05", "Y", "Y", "Y", "N")
    subjects, protocol = rows_at(streams_of(course().records), END)
    turned = [replace(each, adverse_events=each.adverse_events[::-1]) for each in subjects]
    for name in ("AE", "FA", "DS", "DE"):
        assert exported(turned, protocol)[name] == tables()[name]


def test_disposition_tells_how_each_participation_went() -> None:
    told = {
        subject: [values(row, "DSDECOD", "DSSCAT", "DSSTDTC") for row in of("DS", subject)]
        for subject in (TREATED, DIED, LOST, FAILED)
    }
    assert [each[0] for each in told[TREATED]] == [
        "INFORMED CONSENT OBTAINED",
        "INFORMED CONSENT OBTAINED",
        "ENROLLED",
        "LIVER TRANSPLANT",
        "DEATH",
    ]
    assert told[TREATED][3:] == [("LIVER TRANSPLANT", "", "2026-04-20"), ("DEATH", "STUDY PARTICIPATION", "2026-05")]
    assert told[DIED][-1] == ("DEATH", "STUDY PARTICIPATION", "2026-04-08")
    assert told[LOST][2:] == [
        ("CONTACT LOST", "", "2026-03-19T10:00:00"),
        ("CONTACT REGAINED", "", "2026-03-30T10:00:00"),
        ("WITHDRAWAL BY SUBJECT", "STUDY TREATMENT", "2026-03-30T10:00:06"),
        ("LOST TO FOLLOW-UP", "STUDY PARTICIPATION", "2026-04-08T10:00:00"),
    ]
    assert told[FAILED][-1] == ("SCREEN FAILURE", "STUDY PARTICIPATION", "")


def test_a_visit_lasts_from_its_first_to_its_last_observation() -> None:
    rows = of("SV", TREATED)
    assert [values(row, "VISIT", "VISITNUM", "SVSTDTC", "SVENDTC", "SVSTDY") for row in rows] == [
        ("BL", 1, "2026-03-09T09:59:18", "2026-03-09T10:00:00", -1),
        ("D7", 8, "2026-03-17", "2026-03-17T10:00:00", 8),
    ]
    assert {row.code for row in _rows()[TREATED].visits if row.done} == {"BL", "D7"}


def test_a_score_has_its_value_or_says_what_is_missing() -> None:
    rows = {(row["RSTESTCD"], row["VISIT"]): row for row in of("RS", TREATED)}
    scores = {(each.score_id, each.point): each for each in _rows()[TREATED].scores}
    meld, found = rows["MELD30", "BL"], scores["meld_3_0", "BL"]
    assert found.value is None
    assert values(meld, "RSSTRESN", "RSSTAT", "RSSTATUS", "RSMETHOD") == (None, "NOT DONE", found.status, "meld_3_0")
    assert all(each["code"] in str(meld["RSREASND"]) for each in found.missing)
    assert ("MELD30", "M12") not in rows


def test_as_of_an_earlier_day_what_came_later_is_not_there() -> None:
    before = END - 95 * DAY
    assert values(of("DM", TREATED, before)[0], "DTHFL", "DTHDTC") == ("", "")
    assert of("AE", TREATED, before) == []
    assert len(of("LB", TREATED, before)) == 6
    assert [row["DSDECOD"] for row in of("DS", LOST, before)] == ["INFORMED CONSENT OBTAINED", "ENROLLED"]


@pytest.mark.parametrize("form", Form)
def test_the_same_rows_and_instant_give_the_same_bytes_and_no_sealed_text(form: Form) -> None:
    subjects, protocol = rows_at(streams_of(course().records), END)
    first, again = files_of(tables(), form), files_of(exported(reversed(subjects), protocol), form)
    assert first == again
    for content in first.values():
        assert b"AAAA" not in content
        assert b'"ct"' not in content


@pytest.mark.parametrize("seed", range(3))
def test_numbers_of_rows_are_those_of_a_plain_count(seed: int) -> None:
    log = history(seed, subjects=3, steps=80)
    subjects, protocol = rows_at(streams_of(log.records), log.now)
    counts = {name: len(rows) for name, rows in exported(subjects, protocol).items()}
    plain: Counter[str] = Counter({each.dataset.name: 0 for each in DOMAINS})
    for each in subjects:
        plain["DM"] += 1
        plain["EX"] += each.exposure.sessions
        for row in each.lab_results:
            plain["LB" if row.sample_id is not None else "VS"] += row.void_reason_code is None
        plain["AE"] += sum(row.void is None for row in each.adverse_events)
        plain["SV"] += sum(len(row.done) > 0 for row in each.visits)
    assert {name: counts[name] for name in ("DM", "EX", "LB", "VS", "AE", "SV")} == {
        name: plain[name] for name in ("DM", "EX", "LB", "VS", "AE", "SV")
    }
    assert counts["LB"] > 0
    assert counts["AE"] > 0


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (None, ""),
        ({"precision": "UNKNOWN"}, ""),
        ({"value": "2026", "precision": "YEAR"}, "2026"),
        ({"value": "2026-03", "precision": "MONTH"}, "2026-03"),
        ({"value": "2026-03-10", "precision": "DAY"}, "2026-03-10"),
        ({"value": "2026-03-10T17:30Z", "precision": "MINUTE"}, "2026-03-11T01:30"),
    ],
)
def test_a_date_ends_where_it_is_unknown_and_a_minute_is_civil_time(known: dict[str, Any] | None, text: str) -> None:
    assert partial(known, SHANGHAI) == text


@pytest.mark.parametrize(
    ("dtc", "day"),
    [("2026-03-10T10:00", 1), ("2026-03-11", 2), ("2026-03-09T23:59", -1), ("2026-03", None), ("", None)],
)
def test_a_study_day_has_no_zero(dtc: str, day: int | None) -> None:
    assert study_day(dtc, "2026-03-10T10:00:00") == day
    assert study_day(dtc, "") is None


def test_the_notes_tell_the_instant_the_version_and_the_rows() -> None:
    counts = {name: len(rows) for name, rows in tables().items()}
    told = notes.notes(ORIGIN, "Asia/Shanghai", "1.0", Form.NDJSON, counts)
    assert format_instant(ORIGIN.created)[:19] in told
    assert f"| lb.ndjson | Laboratory Test Results | {counts['LB']} |" in told
    assert "Free text is sealed and stays out" in told
    assert "{zone}" not in told
