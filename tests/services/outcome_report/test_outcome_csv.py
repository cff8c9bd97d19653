"""The tables as CSV: a line a cell, whole, the same bytes, nothing that a spreadsheet would run."""

import csv
from dataclasses import replace
from io import StringIO

import pytest

from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Contribution, Row, Table, text
from hepatrail_services.outcome_report.csv_files import COLUMNS, file_name, table_csv
from hepatrail_services.outcome_report.provenance import Provenance
from outcome_report_builders import AS_OF, EVENTS, tables

MADE = Provenance("CiPS-BAL", AS_OF, "2.1", "0.1.0", 12)


def read(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(raw.decode(), newline="")))


def of(cell: Cell, label: str = "row") -> Table:
    return Table("ONE", "One", "2", (Column(cell.column, "column"),), (Row("R", label, (cell,)),))


def test_every_number_of_every_table_is_in_its_file_unrounded() -> None:
    for table in tables():
        lines = read(table_csv(table, MADE))
        cells = list(table.cells())
        assert len(lines) == len(cells)
        for line, (row, cell) in zip(lines, cells, strict=True):
            assert (line["table"], line["row"], line["column"]) == (table.code, row.code, cell.column)
            assert line["rowLabel"] == row.label
            assert (line["value"], line["display"]) == (cell.value or "", cell.display)
            assert (line["n"], line["of"]) == tuple("" if each is None else str(each) for each in (cell.n, cell.of))
            limits = (line["lower"], line["upper"], line["confidence"], line["method"])
            if cell.interval is None:
                assert limits == ("", "", "", "")
            else:
                assert limits[:2] == (text(cell.interval.lower), text(cell.interval.upper))
                assert limits[2:] == ("0.95", cell.interval.method)
            assert line["flags"].split(";") == list(cell.flags or ("",))
            made = (line["asOf"], line["protocolVersion"], line["codeVersion"], line["N"])
            assert made == ("2026-03-10T08:30:00.000Z", "2.1", "0.1.0", "12")


def test_a_cell_leads_to_its_participants_and_their_events() -> None:
    first = read(table_csv(tables()[0], MADE))[0]
    assert first["participants"] == "S-0000;S-0001;S-0002"
    events = [each.split(" ") for each in first["eventIds"].split(";")]
    assert events == [[str(each) for each in EVENTS[number : number + 2]] for number in range(3)]
    who = (Contribution("S-1"), Contribution("S-2", EVENTS[:1]))
    (line,) = read(table_csv(of(Cell("X", "2", "2", contributions=who)), MADE))
    assert (line["participants"], line["eventIds"]) == ("S-1;S-2", f";{EVENTS[0]}")
    (line,) = read(table_csv(of(Cell("X", "1", "1", contributions=who[:1])), MADE))
    assert (line["participants"], line["eventIds"]) == ("S-1", "")


def test_lines_are_those_of_rfc_4180() -> None:
    raw = table_csv(of(Cell("X", "1", "1"), 'a "label", of\ntwo lines'), MADE)
    assert raw.startswith(",".join(COLUMNS).encode() + b"\r\n")
    assert b'"a ""label"", of\ntwo lines"' in raw
    assert raw.endswith(b"\r\n")
    assert read(raw)[0]["rowLabel"] == 'a "label", of\ntwo lines'


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_is_kept_from_it(begin: str) -> None:
    label = f"{begin}cmd|' /C calc'!A0"
    (line,) = read(table_csv(of(Cell("X", None, label, flags=(label,)), label), replace(MADE, code_version=label)))
    assert [line[name] for name in ("rowLabel", "display", "flags", "codeVersion")] == [f"'{label}"] * 4
    assert line["value"] == ""


def test_a_negative_number_stays_a_number() -> None:
    (line,) = read(table_csv(of(Cell("X", "-1.6666666666666667", "-1.7")), MADE))
    assert (line["value"], line["display"]) == ("-1.6666666666666667", "-1.7")
    (line,) = read(table_csv(of(Cell("X", "-1", "-1+1")), MADE))
    assert line["display"] == "'-1+1"


def test_a_table_without_rows_has_its_head_and_the_same_bytes_come_each_time() -> None:
    for table in tables():
        assert table_csv(table, MADE) == table_csv(table, MADE)
    assert table_csv(tables()[3], MADE) == ",".join(COLUMNS).encode() + b"\r\n"


def test_a_file_has_the_name_of_its_table() -> None:
    assert file_name(of(Cell("X", "1", "1"))) == "one.csv"
    with pytest.raises(ValueError, match="is no code"):
        file_name(replace(of(Cell("X", "1", "1")), code="../ONE"))
