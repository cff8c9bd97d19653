"""XPORT files that were cut short or are of another kind: ReadStat would read them, the import does not."""

from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.source import read_file
from sdtm_files import write_xpt

COLUMNS = {"USUBJID": "string", "AETERM": "string", "AESEQ": "double"}
ROWS = [(f"A-{number}", "X" * 90, float(number)) for number in range(1, 4)]


def _refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(StartRefused) as refused:
        read_file("AE", path)
    assert str(refused.value).startswith(f"{path} cannot be read as SAS XPORT version 5: ")
    return str(refused.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_xpt(tmp_path / "ae.xpt", "AE", COLUMNS, ROWS)
    return tmp_path / "ae.xpt"


def test_a_whole_file_is_read(path: Path) -> None:
    assert [tuple(row.values.values()) for row in read_file("AE", path)] == [
        (subject, term, f"{number:.0f}") for subject, term, number in ROWS
    ]


def test_a_file_without_rows_is_read(path: Path) -> None:
    write_xpt(path, "AE", COLUMNS, [])
    assert read_file("AE", path) == ()


@pytest.mark.parametrize("cut", range(1, 80, 13))
def test_a_file_cut_inside_a_record_of_80_bytes_is_refused(path: Path, cut: int) -> None:
    assert "are no whole number of records of 80 bytes" in _refused(path, path.read_bytes()[:-cut])


def test_a_file_cut_between_records_names_the_row(path: Path) -> None:
    """Three observations of 101 bytes are 303, in four records; with three of them the third one is cut."""
    content = path.read_bytes()
    assert "row 3 has 38 bytes, an observation of its 3 variables has 101" in _refused(path, content[:-80])


def test_every_whole_record_that_is_missing_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for records in range(1, len(content) // 80):
        cut = content[: -80 * records]
        path.write_bytes(cut)
        try:
            rows = read_file("AE", path)
        except StartRefused:
            continue
        assert rows == (), "an observation went missing unnoticed"


def test_a_file_of_version_8_is_refused(path: Path) -> None:
    write_xpt(path, "AE", COLUMNS, ROWS, version=8)
    assert "it is of version 8, version 5 is read" in _refused(path, path.read_bytes())


def test_a_file_with_two_datasets_is_refused(path: Path) -> None:
    content = path.read_bytes()
    assert "it holds 2 datasets, one a file is read" in _refused(path, content + content[240:])


def test_a_file_of_another_dataset_is_refused(path: Path) -> None:
    write_xpt(path, "LB", COLUMNS, ROWS)
    assert "it holds the dataset LB" in _refused(path, path.read_bytes())
    path.rename(path.with_name("ae_reports.xpt"))
    assert len(read_file("AE", path.with_name("ae_reports.xpt"))) == 3


@pytest.mark.parametrize(
    ("place", "sentence"),
    [(314, "states no length of a variable's description"), (614, "states no number of variables")],
)
def test_a_header_without_its_numbers_is_refused(path: Path, place: int, sentence: str) -> None:
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"    "
    assert sentence in _refused(path, bytes(content))


def test_a_header_with_another_number_of_variables_is_refused(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[614:618] = b"0009"
    assert "the header of the observations does not follow its 9 variables" in _refused(path, bytes(content))
