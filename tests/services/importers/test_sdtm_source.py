"""Reading the files: plain or gzipped, nothing dropped, a sentence for what is wrong."""

import gzip
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.source import holds, read_directory, read_file


def _domains(directory: Path) -> None:
    for name in ("dm", "ex", "ae"):
        (directory / f"{name}.csv").write_text("USUBJID,X\nA-1,1\n", encoding="utf-8")
    (directory / "lb.csv.gz").write_bytes(gzip.compress(b'\xef\xbb\xbfUSUBJID,X\r\nA-1," <0.2 "\r\nA-1,"a,b"\r\n'))


def test_plain_and_gzipped_files_are_read_and_others_left_alone(tmp_path: Path) -> None:
    _domains(tmp_path)
    (tmp_path / "sc.csv").write_text("USUBJID\n", encoding="utf-8")
    source = read_directory(tmp_path)
    assert [(row.number, row["USUBJID"], row["X"]) for row in source.rows["LB"]] == [
        (1, "A-1", "<0.2"),
        (2, "A-1", "a,b"),
    ]
    assert source.ignored == ("sc.csv",)


def test_a_line_with_another_number_of_fields_is_kept_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "ae.csv"
    path.write_text("USUBJID,X\nA-1\nA-2,1\nA-3,1,2\n", encoding="utf-8")
    assert [row.whole for row in read_file("AE", path)] == [False, True, False]


def test_an_absent_column_reads_as_empty(tmp_path: Path) -> None:
    _domains(tmp_path)
    assert read_directory(tmp_path).rows["DM"][0]["AEACN"] == ""


def test_a_missing_domain_stops_the_import(tmp_path: Path) -> None:
    _domains(tmp_path)
    (tmp_path / "ex.csv").unlink()
    with pytest.raises(StartRefused, match=r"EX .* is missing"):
        read_directory(tmp_path)


def test_a_domain_may_be_read_from_a_file_of_another_name(tmp_path: Path) -> None:
    _domains(tmp_path)
    (tmp_path / "AE_Reports.csv").write_text("USUBJID,X\nA-9,1\n", encoding="utf-8")
    source = read_directory(tmp_path, {"AE": "ae_reports"})
    assert [row["USUBJID"] for row in source.rows["AE"]] == ["A-9"]
    assert source.ignored == ("ae.csv",)
    assert holds(tmp_path, "ae_reports")
    assert not holds(tmp_path, "ae_original")
    assert not holds(tmp_path / "nowhere", "ae")
    with pytest.raises(StartRefused, match=r"AE in .* is missing \(as ae_original\.csv or"):
        read_directory(tmp_path, {"AE": "ae_original"})


def test_two_files_of_a_domain_stop_the_import(tmp_path: Path) -> None:
    _domains(tmp_path)
    (tmp_path / "lb.csv").write_text("USUBJID\n", encoding="utf-8")
    with pytest.raises(StartRefused, match="keep one"):
        read_directory(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("lb.csv.gz", b"not gzip"), ("ae.csv", b"A\n\xff\xfe\n"), ("ae.csv", b"A,A\n1,2\n")],
)
def test_an_unreadable_file_stops_the_import(tmp_path: Path, name: str, content: bytes) -> None:
    _domains(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StartRefused, match="cannot be read"):
        read_directory(tmp_path)
