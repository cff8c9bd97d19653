"""Every rule of `events.md` and every invariant of `safety.md` 4.2 has a test that bears its id in its name.

`test_ses_01_one_session_at_a_time` is one of SES-01. A HARD rule has its test among those of the deciders. A SOFT one
has two: that the decider accepts, and that the projections ask (`tests/projections`).
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
DOMAIN = TESTS.parent / "../shared/domain"
HARD = (
    "ENR-01", "ENR-02", "ENR-03", "ENR-04", "SES-01", "SES-02", "SES-03", "SES-04", "SES-05", "SES-06", "LAB-01",
    "LAB-03", "LAB-06", "VIS-01", "VIS-02", "VIS-03", "VIS-04", "VIS-05", "CON-01", "SUB-01", "SUB-02", "DSK-01",
    "DSK-02", "DSK-03", "STU-01", "STU-02", "STU-03", "INV-01", "INV-02", "INV-03", "INV-04", "INV-05", "INV-06",
    "INV-07", "INV-08", "INV-09", "INV-10", "INV-11", "INV-12", "INV-13", "INV-14", "INV-21",
)  # fmt: skip
SOFT = (
    "ENR-05", "SES-07", "LAB-02", "LAB-04", "LAB-05", "OBS-01", "OBS-02", "VIS-06", "CON-02", "SUB-03", "INV-15",
    "INV-16", "INV-17", "INV-18", "INV-19", "INV-20",
)  # fmt: skip


def _named_after(rule: str, folder: str) -> list[str]:
    """The tests under a folder whose name bears the rule's id."""
    token = re.compile(rf"(?:^|_){rule.lower().replace('-', '_')}(?:_|$)")
    return [name for name in _tests(TESTS / folder) if token.search(name)]


@cache
def _tests(folder: Path) -> tuple[str, ...]:
    """The names of the test functions that pytest collects under a folder; read once, because each rule asks."""
    return tuple(_read(folder))


def _read(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            members = node.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else [node]
            for each in members:
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_"):
                    yield each.name


@pytest.mark.parametrize("rule", HARD)
def test_a_hard_rule_has_a_test_of_the_decider(rule: str) -> None:
    assert _named_after(rule, "services/deciders"), rule


@pytest.mark.parametrize("rule", SOFT)
def test_a_soft_rule_is_accepted_by_a_decider_and_asked_about_by_a_query(rule: str) -> None:
    assert _named_after(rule, "services/deciders"), rule
    assert _named_after(rule, "projections"), rule


def test_no_rule_of_the_reference_is_left_out() -> None:
    if not DOMAIN.is_dir():
        pytest.skip("the reference (../shared/domain) is not here")
    of_events = re.findall(r"^- ([A-Z]{3}-\d\d) (HARD|SOFT)", (DOMAIN / "events.md").read_text(), re.MULTILINE)
    invariants = re.findall(r"^\| (INV-\d\d) \| (HARD|SOFT) \|", (DOMAIN / "safety.md").read_text(), re.MULTILINE)
    stated = dict([*of_events, *invariants])
    assert stated == dict.fromkeys(HARD, "HARD") | dict.fromkeys(SOFT, "SOFT")
