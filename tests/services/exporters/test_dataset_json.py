"""Dataset-JSON v1.1 as bytes: the same rows give the same file, nothing passes through a binary fraction."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hepatrail_services.exporters.dataset_json import Dataset, Form, Row, Variable, document, header, line, written
from sdtm_export_rows import ORIGIN

PLAIN = Dataset(
    "XX",
    "An Example",
    (
        Variable("USUBJID", "Unique Subject Identifier", length=40, key=1),
        Variable("XXSEQ", "Sequence Number", "integer", key=2),
        Variable("XXSTRESN", "Numeric Result", "decimal"),
        Variable("XXDTC", "Date/Time", "datetime"),
    ),
)
ROWS: list[Row] = [
    PLAIN.row({"USUBJID": "S-1", "XXSEQ": 1, "XXSTRESN": "0.10", "XXDTC": "2026-03-10T10:00:00"}),
    PLAIN.row({"XXSEQ": 2, "USUBJID": "S-2"}),
]


def _lines(content: bytes) -> list[Any]:
    return [json.loads(each) for each in content.splitlines()]


def test_values_stand_in_the_order_of_the_variables_and_a_missing_one_is_empty_or_null() -> None:
    assert ROWS == [("S-1", 1, "0.10", "2026-03-10T10:00:00"), ("S-2", 2, None, "")]


def test_a_value_without_a_variable_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="XX has no XXORRES"):
        PLAIN.row({"XXORRES": "1"})


def test_a_file_has_the_metadata_the_columns_and_the_rows() -> None:
    whole = json.loads(written(PLAIN, ROWS, ORIGIN, Form.JSON))
    columns = whole.pop("columns")
    assert whole == {
        "datasetJSONCreationDateTime": "2027-06-01T12:00:00Z",
        "datasetJSONVersion": "1.1.0",
        "fileOID": "CiPS-BAL/MDV.1.0/2027-06-01T12:00:00Z/xx",
        "dbLastModifiedDateTime": "2027-05-30T08:30:00Z",
        "originator": "hepatrail",
        "sourceSystem": {"name": "hepatrail", "version": "0"},
        "studyOID": "CiPS-BAL",
        "metaDataVersionOID": "MDV.1.0",
        "itemGroupOID": "IG.XX",
        "records": 2,
        "name": "XX",
        "label": "An Example",
        "rows": [list(row) for row in ROWS],
    }
    assert columns[0] == {
        "itemOID": "IT.XX.USUBJID",
        "name": "USUBJID",
        "label": "Unique Subject Identifier",
        "dataType": "string",
        "length": 40,
        "keySequence": 1,
    }
    assert columns[2] == {
        "itemOID": "IT.XX.XXSTRESN",
        "name": "XXSTRESN",
        "label": "Numeric Result",
        "dataType": "decimal",
        "targetDataType": "decimal",
    }


def test_lines_are_the_same_metadata_and_the_same_rows() -> None:
    whole = json.loads(written(PLAIN, ROWS, ORIGIN, Form.JSON))
    head, *rows = _lines(written(PLAIN, ROWS, ORIGIN, Form.NDJSON))
    assert rows == whole.pop("rows")
    assert head == whole


@pytest.mark.parametrize("form", Form)
def test_the_same_rows_give_the_same_bytes_and_end_with_a_line(form: Form) -> None:
    first, second = (written(PLAIN, ROWS, ORIGIN, form) for _ in range(2))
    assert first == second
    assert first.endswith(b"\n")
    later = replace(ORIGIN, created=ORIGIN.created + timedelta(seconds=1))
    assert written(PLAIN, ROWS, later, form) != first


def test_a_dataset_without_rows_is_still_whole() -> None:
    never = replace(ORIGIN, modified=None)
    whole = json.loads(written(PLAIN, [], never, Form.JSON))
    assert (whole["records"], whole["rows"]) == (0, [])
    assert "dbLastModifiedDateTime" not in whole
    assert len(_lines(written(PLAIN, [], never, Form.NDJSON))) == 1


def test_a_file_may_be_written_piece_by_piece() -> None:
    pieces = list(document(header(PLAIN, ORIGIN, len(ROWS)), map(line, ROWS), Form.JSON))
    assert len(pieces) == len(ROWS) + 2
    assert b"".join(pieces) == written(PLAIN, ROWS, ORIGIN, Form.JSON)
