"""Prints docs/requirements.md: each requirement, the tests that carry its id in their name, and what came of them.

`python tests/requirements_table.py build/junit.xml > docs/requirements.md`; of several files the later one counts.
Exits with 1, and says on stderr why, when a requirement has no test, or a test of one failed or was not run.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

TESTS = Path(__file__).resolve().parent
FAILED, NOT_RUN, PASSED, SKIPPED = "failed", "not run", "passed", "skipped"
_IDS = re.compile(r"test_((?:(?:aud|tim|dat|ret|acc|prv)_\d\d_)+)")
_ROW = re.compile(r"\| (\S+) \| (.*) \| `(\S+)::(\S+)` \| (.*) \|")
_HEAD = """# Requirements and their tests

The requirements are those of sections A, B, C, E and F of `domain/compliance.md` that are in force; their sentences
stand in `tests/requirements.toml`. A test proves a requirement when its name begins with the id. `make requirements`
runs these tests and writes this file; nobody edits it. A test that is run with several inputs says how many.

| id | requirement | test | result |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A test that proves a requirement, and what came of it: a line of the table."""

    requirement: str
    path: str
    test: str
    result: str = NOT_RUN


@dataclass(frozen=True, slots=True)
class Requirements:
    """The sentences by id, in the order of the table, and what is still missing of some."""

    sentences: Mapping[str, str]
    open: Mapping[str, str]


def requirements(text: str) -> Requirements:
    """Reads the text of `requirements.toml`."""
    table = tomllib.loads(text)
    return Requirements(table["requirement"], table["open"])


def ids_of(name: str) -> list[str]:
    """The ids at the beginning of a test's name: `test_tim_02_dat_05_x` proves TIM-02 and DAT-05."""
    found = _IDS.match(name)
    return re.findall(r"[A-Z]+-\d\d", found[1].upper().replace("_", "-")) if found else []


def proofs(tests: Path) -> Iterator[Row]:
    """A row for each id of each test below the folder, read from the source: by file, then as they stand in it."""
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                shown = f"{tests.name}/{path.relative_to(tests).as_posix()}"
                yield from (Row(each, shown, node.name) for each in ids_of(node.name))


def results(reports: Iterable[Path]) -> dict[tuple[str, str], str]:
    """What became of each test, by the stem of its file (there are no two of a name) and its name."""
    found: dict[tuple[str, str], str] = {}
    for report in reports:
        cases: dict[tuple[str, str], list[str]] = {}
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            place = case.get("classname", "").split(".")[-1], case.get("name", "").split("[")[0]
            cases.setdefault(place, []).append(_outcome(case))
        found |= {place: _together(outcomes) for place, outcomes in cases.items()}
    return found


def with_results(rows: Iterable[Row], outcomes: Mapping[tuple[str, str], str]) -> list[Row]:
    """The rows with what became of their tests."""
    return [replace(row, result=outcomes.get((Path(row.path).stem, row.test), NOT_RUN)) for row in rows]


def faults(wanted: Requirements, rows: Sequence[Row]) -> list[str]:
    """Why the release is blocked: a sentence for each requirement or test that does not stand."""
    proven = {row.requirement for row in rows if row.result.startswith(PASSED)}
    tested = {row.requirement for row in rows}
    return [
        *(f"{each} has no sentence in requirements.toml" for each in sorted(tested - set(wanted.sentences))),
        *(f"{each} is said to be open and is no requirement" for each in wanted.open if each not in wanted.sentences),
        *(f"{each} has no test" for each in wanted.sentences if each not in tested and each not in wanted.open),
        *(f"{each} has no test that passed" for each in wanted.sentences if each in tested and each not in proven),
        *(f"{row.path}::{row.test}: {row.result}" for row in rows if row.result.startswith((FAILED, NOT_RUN))),
    ]


def table(wanted: Requirements, rows: Sequence[Row]) -> str:
    """The whole file. The sentence of a requirement stands in its first line, what is missing of it in its last."""
    lines: list[str] = []
    for each, sentence in wanted.sentences.items():
        tests = [f"`{row.path}::{row.test}` | {row.result}" for row in rows if row.requirement == each]
        missing = wanted.open.get(each) or ("" if tests else "no test")
        cells = [*tests, f"none | **{missing}**"] if missing else tests
        lines += [f"| {each} | {'' if place else sentence} | {cell} |\n" for place, cell in enumerate(cells)]
    return _HEAD + "".join(lines)


def rows_of(text: str) -> list[Row]:
    """The rows with a test that a written table shows."""
    return [Row(found[1], found[3], found[4], found[5]) for found in map(_ROW.fullmatch, text.splitlines()) if found]


def _outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return FAILED
    return SKIPPED if "skipped" in kinds else PASSED


def _together(outcomes: Sequence[str]) -> str:
    """Of the cases of one test: failed before passed before skipped, with their number."""
    worst = next(each for each in (FAILED, PASSED, SKIPPED) if each in outcomes)
    return worst if len(outcomes) == 1 else f"{worst} ({outcomes.count(worst)} of {len(outcomes)})"


def main(reports: Sequence[str]) -> int:
    """Prints the table made of these junit reports; 1 when something is missing or failed."""
    wanted = requirements((TESTS / "requirements.toml").read_text())
    rows = with_results(proofs(TESTS), results(map(Path, reports)))
    sys.stdout.write(table(wanted, rows))
    found = faults(wanted, rows)
    sys.stderr.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
