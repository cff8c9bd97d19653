"""The house stands as STYLE describes it: top level, packages, traps, direction of imports."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "hepatrail_events": "events",
    "hepatrail_infra": "infra",
    "hepatrail_cli": "infra",
    "hepatrail_projections": "projections",
    "hepatrail_services": "services",
    "hepatrail_graphql": "graphql",
}
TOP_LEVEL = ("events", "services", "projections", "graphql", "infra", "tests", "benchmarks")
LONGEST = 300


@pytest.mark.parametrize("folder", TOP_LEVEL)
def test_a_top_level_folder_has_a_readme_and_is_no_package(folder: str) -> None:
    assert (ROOT / folder / "README.md").is_file()
    if folder != "benchmarks":
        assert not (ROOT / folder / "__init__.py").exists()


def test_the_top_level_holds_no_other_file() -> None:
    found = {path.name for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".")}
    assert found == {"CHANGELOG.md", "Makefile", "README.md", "pyproject.toml", "requirements.lock"}


def test_nothing_under_tests_is_a_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_test_files_have_unique_names() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_every_package_is_built_and_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    built = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(built) == sorted(f"{folder}/{package}" for package, folder in PACKAGES.items())
    for package, folder in PACKAGES.items():
        assert (ROOT / folder / package / "py.typed").is_file()


def test_pytest_is_configured_in_pyproject_only() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "--import-mode=importlib" in options["addopts"]
    assert [name for name in ("pytest.ini", "setup.cfg", "tox.ini", ".pytest.ini") if (ROOT / name).exists()] == []


def test_graphql_core_is_not_shadowed() -> None:
    code = "import graphql; print(graphql.__file__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "site-packages" in found.stdout


def test_imports_run_downwards_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_no_source_file_is_longer_than_the_house_allows() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for package, folder in PACKAGES.items()
        for path in (ROOT / folder / package).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_locks_hold_no_download_address() -> None:
    for lock in (ROOT / "requirements.lock", *(ROOT / "infra").rglob("*.lock")):
        assert "://" not in lock.read_text(), lock
