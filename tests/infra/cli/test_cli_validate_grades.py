"""`hepatrail validate grades FILE`: every row agrees, is a mismatch, or is left out under a caveat that is named."""

import gzip
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hepatrail_cli.main import app

SHARED = Path(__file__).resolve().parents[3] / "../shared/data/cdisc_pilot/expected_lb_ctcae_v5.csv.gz"
HEADER = "USUBJID,LBSEQ,LBTESTCD,VISITNUM,LBDTC,LBBLFL,AVAL,UNIT,ANRLO,ANRHI,BASE,BNRIND,DIR,TERM,GRADE"
ALT = "Alanine aminotransferase increased"


def validate(path: Path) -> Result:
    return CliRunner().invoke(app, ["validate", "grades", str(path)])


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def alt(subject: str, day: str, value: str, expected: str, flag: str = "", base: str = "") -> str:
    return f"{subject},1,ALT,1.0,2014-01-{day},{flag},{value},U/L,6.0,34.0,{base},NORMAL,H,{ALT},{expected}"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not beside this repository")
def test_every_row_of_the_pilot_outside_the_caveats_agrees() -> None:
    done = validate(SHARED)
    lines = done.stdout.splitlines()
    assert (done.exit_code, lines[-1]) == (0, "14077 passed, 0 failed")
    left_out = [(int(line.split(" ")[2]), line) for line in lines[:-1]]
    assert sum(count for count, _ in left_out) == 21952 - 14077
    assert sum(count for count, line in left_out if "term not of this trial" in line) == 7346
    caveats = ("baseline-dependent term", "censored", "creatinine without baseline", "symptoms assumed")
    assert [sum(count for count, line in left_out if text in line) for text in caveats] == [510, 3, 10, 6]


def test_a_row_is_graded_on_the_participants_own_baseline_record(tmp_path: Path) -> None:
    path = written(
        tmp_path / "grades.csv",
        alt("S1", "30", "90", "0"),
        alt("S1", "02", "60", "0", flag="Y"),
        alt("S2", "02", "30", "0", flag="Y"),
        alt("S2", "30", "90", "1"),
        alt("S2", "31", "103", "2"),
    )
    done = validate(path)
    # 90 is 1.5 x 60: grade 1 by an abnormal baseline, and so by a normal one.
    assert done.stdout.splitlines() == [
        f"row 2: S1 ALT 2014-01-30 {ALT}: expected 0, computed 1",
        "left out: 2 rows, baseline-dependent term, not after the baseline record: graded there against itself: " + ALT,
        "2 passed, 1 failed",
    ]
    assert done.exit_code == 1


def test_a_file_may_be_compressed_whatever_its_name(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.csv", alt("S1", "30", "34", "0"))
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert validate(packed).stdout == validate(plain).stdout == "1 passed, 0 failed\n"


def test_a_baseline_that_the_file_only_names_in_base_counts(tmp_path: Path) -> None:
    path = written(
        tmp_path / "base.csv", alt("S1", "30", "102.1", "2", base="30"), alt("S1", "30", "90", "1", base="60")
    )
    assert validate(path).stdout == "2 passed, 0 failed\n"


def test_what_cannot_be_graded_has_no_grade(tmp_path: Path) -> None:
    path = written(tmp_path / "none.csv", alt("S1", "30", "35", ""), alt("S1", "30", "35", "1"))
    assert validate(path).stdout.splitlines() == [
        f"row 3: S1 ALT 2014-01-30 {ALT}: expected 1, computed ungradable, baseline missing",
        "1 passed, 1 failed",
    ]


def test_each_caveat_leaves_out_its_rows_only(tmp_path: Path) -> None:
    def row(test: str, value: str, unit: str, low: str, high: str, direction: str, term: str, expected: str) -> str:
        return f"S1,1,{test},1.0,2014-01-30,,{value},{unit},{low},{high},,,{direction},{term},{expected}"

    path = written(
        tmp_path / "caveats.csv",
        row("K", "3.2", "mmol/L", "3.4", "5.4", "L", "Hypokalemia", "2"),
        row("K", "3.2", "mmol/L", "3.4", "5.4", "L", "Hypokalemia", "3"),
        row("SODIUM", "126", "mmol/L", "132", "147", "L", "Hyponatremia", "3"),
        row("SODIUM", "124", "mmol/L", "132", "147", "L", "Hyponatremia", "2"),
        row("CREAT", "100", "umol/L", "50", "90", "H", "Creatinine increased", "1"),
        row("CREAT", "100", "umol/L", "50", "90", "H", "Creatinine increased", "0"),
        row("GLUC", "", "mmol/L", "3.9", "6.1", "L", "Hypoglycemia", ""),
        row("GLUC", "", "mmol/L", "3.9", "6.1", "L", "Hypoglycemia", "1"),
        row("URATE", "500", "umol/L", "100", "400", "H", "Hyperuricemia", "3"),
        row("PLAT", "1e+02", "10^9/L", "125", "350", "L", "Platelet count decreased", "1"),
        row("PLAT", "100", "giga/L", "125", "350", "L", "Platelet count decreased", "1"),
        row("PLAT", "100", "10^9/L", "125", "350", "H", "Platelet count decreased", "1"),
    )
    lines = validate(path).stdout.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("row")] == [
        f"row {number}" for number in (3, 5, 7, 9, 12, 13)
    ]
    assert lines[3].startswith("row 9: S1 GLUC 2014-01-30 Hypoglycemia: expected 1, computed nothing: no number")
    assert sum(line.startswith("left out: 1 row, ") for line in lines) == 5
    assert lines[-1] == "1 passed, 6 failed"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            b"USUBJID,GRADE\nS1,1\n",
            "the columns ANRHI, ANRLO, AVAL, BASE, DIR, LBBLFL, LBDTC, LBTESTCD, TERM, UNIT are",
        ),
        (f"{HEADER}\n{alt('S1', '30', '35', 'x')}\n".encode(), "row 2: GRADE 'x' is no grade from 0 to 5, nor empty"),
        (f"{HEADER}\n{alt('S1', '30', 'high', '1')}\n".encode(), "row 2: AVAL 'high' is no number"),
        (f"{HEADER}\n{alt('S1', '30', 'NaN', '1')}\n".encode(), "row 2: AVAL 'NaN' is no number"),
        (f"{HEADER}\nS1,1\n".encode(), "row 2: it has more or fewer fields than the header"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"\x1f\x8bnothing", "it is a damaged .gz"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_compared(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = validate(path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
