"""docs/requirements.md shows the requirements and the tests there are, and its maker blocks what does not stand."""

from dataclasses import replace
from pathlib import Path

import pytest

import requirements_table as made
from requirements_table import Requirements, Row

WANTED = Requirements({"AUD-01": "Kept.", "TIM-02": "Both times."}, {})
PATH = "tests/test_kept.py"
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.test_kept" name="test_aud_01_kept[a]"/>
<testcase classname="tests.test_kept" name="test_aud_01_kept[b]">{}</testcase>
<testcase classname="tests.test_kept" name="test_aud_01_tim_02_both"/>
</testsuite></testsuites>"""


def rows(tmp_path: Path, second: str = "") -> list[Row]:
    """Those of a folder with three tests and the report of a run of it."""
    tests = tmp_path / "tests"
    (tests / "deep").mkdir(parents=True)
    (tests / "test_kept.py").write_text(
        "def test_aud_01_kept(a): ...\nasync def test_aud_01_tim_02_both(): ...\ndef test_aud_is_no_id(): ...\n"
    )
    report = tmp_path / "junit.xml"
    report.write_text(JUNIT.format(second))
    return made.with_results(made.proofs(tests), made.results([report]))


def committed() -> str:
    """The file of the repository."""
    return (made.TESTS.parent / "docs" / "requirements.md").read_text()


def wanted() -> Requirements:
    """Those of the repository."""
    return made.requirements((made.TESTS / "requirements.toml").read_text())


def test_the_committed_table_shows_the_requirements_and_the_tests_there_are() -> None:
    shown = {(row.path, row.test): row.result for row in made.rows_of(committed())}
    there = [replace(row, result=shown.get((row.path, row.test), made.NOT_RUN)) for row in made.proofs(made.TESTS)]
    assert committed() == made.table(wanted(), there), "make requirements"


def test_every_required_id_has_a_test_or_says_that_it_has_none() -> None:
    there = [replace(row, result=made.PASSED) for row in made.proofs(made.TESTS)]
    assert made.faults(wanted(), there) == []


def test_no_test_of_the_committed_table_failed() -> None:
    assert [row for row in made.rows_of(committed()) if row.result.startswith(made.FAILED)] == []


def test_a_test_proves_every_id_its_name_begins_with(tmp_path: Path) -> None:
    assert rows(tmp_path) == [
        Row("AUD-01", PATH, "test_aud_01_kept", "passed (2 of 2)"),
        Row("AUD-01", PATH, "test_aud_01_tim_02_both", "passed"),
        Row("TIM-02", PATH, "test_aud_01_tim_02_both", "passed"),
    ]
    assert made.faults(WANTED, rows(tmp_path / "again")) == []


@pytest.mark.parametrize(
    ("child", "result"),
    [
        ("<failure/>", "failed"),
        ("<error/>", "failed"),
        ("<skipped/>", "passed"),
    ],
)
def test_one_failed_case_fails_the_test(tmp_path: Path, child: str, result: str) -> None:
    found = rows(tmp_path, child)
    assert found[0].result == f"{result} (1 of 2)"
    assert (f"{PATH}::test_aud_01_kept: failed (1 of 2)" in made.faults(WANTED, found)) == (result == "failed")


def test_of_several_reports_the_later_one_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    first.write_text(JUNIT.format("<failure/>"))
    second.write_text(JUNIT.format(""))
    assert made.results([first, second])["test_kept", "test_aud_01_kept"] == "passed (2 of 2)"


def test_what_is_missing_is_named() -> None:
    both = Row("TIM-02", PATH, "test_tim_02_both", "passed")
    assert made.faults(WANTED, [both]) == ["AUD-01 has no test"]
    assert made.faults(Requirements(WANTED.sentences, {"AUD-01": "not done"}), [both]) == []
    assert made.faults(Requirements({"TIM-02": ""}, {"TIM-03": "not done"}), [both]) == [
        "TIM-03 is said to be open and is no requirement"
    ]
    assert made.faults(Requirements({}, {}), [both]) == ["TIM-02 has no sentence in requirements.toml"]
    assert made.faults(Requirements({"TIM-02": ""}, {}), [replace(both, result=made.NOT_RUN)]) == [
        "TIM-02 has no test that passed",
        f"{PATH}::test_tim_02_both: not run",
    ]
    assert made.faults(Requirements({"TIM-02": ""}, {}), [replace(both, result=made.SKIPPED)]) == [
        "TIM-02 has no test that passed"
    ]


def test_what_is_missing_of_a_requirement_is_shown_beside_its_tests() -> None:
    kept = Row("AUD-01", PATH, "test_x", "passed")
    text = made.table(Requirements(WANTED.sentences, {"AUD-01": "partly: why"}), [kept])
    assert text.endswith(
        f"| AUD-01 | Kept. | `{PATH}::test_x` | passed |\n| AUD-01 |  | none | **partly: why** |\n"
        "| TIM-02 | Both times. | none | **no test** |\n"
    )
    assert made.rows_of(text) == [kept]
