"""One dataset, every format: the same rows of text come out, and a broken file says where and by which rule."""

import gzip
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.source import read_directory, read_file
from sdtm_files import WRITERS, Rows, Value, dataset, lines, plain, write_csv, write_dsjc, write_json, write_xpt

PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "dataset_json"
COLUMNS = {"USUBJID": "string", "AETERM": "string", "AESEQ": "integer", "AEDOSE": "double"}
ROWS: Rows = [
    ("A-1", "NAUSEA", 1, 64.0),
    ("A-2", "", 20, 0.1),
    ("A-3", 'WITH , AND "', None, None),
    ("A-4", "<0.2", -3, 1234567.125),
    ("A-5", "END", 0, 1e-7),
]
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
NUMBERS = st.floats(-1e60, 1e60).filter(lambda value: not value or abs(value) > 1e-60)
WHOLE = st.integers(-(2**53), 2**53)
KEY = ASCII.filter(bool)
RECORDS = st.lists(st.tuples(KEY, ASCII, WHOLE | st.none(), NUMBERS | st.none()), min_size=1, max_size=4)
NO_FIXTURE_CHECK = [HealthCheck.function_scoped_fixture]


def _read(path: Path) -> list[tuple[str, ...]]:
    return [tuple(row.values.values()) for row in read_file(path.name.split(".")[0].upper(), path)]


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(records=RECORDS)
def test_every_format_gives_the_texts_that_csv_holds(tmp_path: Path, form: str, records: Rows) -> None:
    ending, write = WRITERS[form]
    path = tmp_path / f"ae{ending}"
    write(path, "AE", COLUMNS, records)
    assert _read(path) == [tuple(plain(value) for value in row) for row in records]


@pytest.mark.parametrize("form", WRITERS)
def test_numbers_have_no_spurious_zero_and_missing_ones_are_empty(tmp_path: Path, form: str) -> None:
    ending, write = WRITERS[form]
    path = tmp_path / f"ae{ending}"
    write(path, "AE", COLUMNS, ROWS)
    assert [row[2:] for row in _read(path)] == [
        ("1", "64"),
        ("20", "0.1"),
        ("", ""),
        ("-3", "1234567.125"),
        ("0", "0.0000001"),
    ]
    assert [row.number for row in read_file("AE", path)] == [1, 2, 3, 4, 5]


TYPED: Mapping[str, st.SearchStrategy[Value]] = {
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    "integer": st.integers(-(10**18), 10**18),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False).map(str),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "datetime": st.datetimes().map(lambda at: at.isoformat()),
    "time": st.times().map(str),
    "URI": st.just("https://www.cdisc.org"),
}


@pytest.mark.parametrize("form", ["json", "ndjson", "dsjc", "zlib"])
@settings(max_examples=40, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(row=st.tuples(*(strategy | st.none() for strategy in TYPED.values())))
def test_a_value_of_every_type_survives_dataset_json(tmp_path: Path, form: str, row: tuple[Value, ...]) -> None:
    ending, write = WRITERS[form]
    write(tmp_path / f"ae{ending}", "AE", dict.fromkeys(TYPED, "") | {kind: kind for kind in TYPED}, [row])
    (read,) = _read(tmp_path / f"ae{ending}")
    for kind, stated, text in zip(TYPED, row, read, strict=True):
        if stated is None:
            assert text == ""
        elif kind in ("float", "double"):
            assert float(text) == stated
            assert "e" not in text
        elif kind == "decimal":
            assert Decimal(text) == Decimal(str(stated))
        else:
            assert text == plain(stated).strip()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="CDISC's examples are not beside this clone")
def test_the_published_example_is_the_same_in_its_four_forms() -> None:
    forms = [_read(PUBLISHED / f"ae.{ending}") for ending in ("json", "ndjson", "dsjc", "xpt")]
    assert len(forms[0]) == 74
    assert all(form == forms[0] for form in forms)
    whole = json.loads((PUBLISHED / "ae.json").read_text(encoding="utf-8"))
    assert forms[0] == [tuple("" if value is None else str(value).strip() for value in row) for row in whole["rows"]]


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="CDISC's examples are not beside this clone")
def test_a_domain_in_several_forms_is_read_once() -> None:
    source = read_directory(PUBLISHED)
    assert {domain: len(rows) for domain, rows in source.rows.items()} == {
        "DM": 18,
        "EX": 1583,
        "LB": 3488,
        "SV": 164,
        "AE": 74,
        "DS": 53,
    }
    assert (source.files["AE"], source.same) == ("ae.xpt", ("ae.json", "ae.ndjson", "ae.dsjc"))


def test_forms_that_differ_stop_the_import_and_say_where(tmp_path: Path) -> None:
    for name in ("dm", "ex", "lb"):
        (tmp_path / f"{name}.csv").write_text("USUBJID\n", encoding="utf-8")
    write_json(tmp_path / "ae.json", "AE", COLUMNS, ROWS)
    write_xpt(tmp_path / "ae.xpt", "AE", COLUMNS, ROWS)
    assert read_directory(tmp_path).same == ("ae.json",)
    write_dsjc(tmp_path / "ae.dsjc", "AE", COLUMNS, [*ROWS[:4], ("A-5", "END", 0, 1.5)])
    with pytest.raises(StartRefused, match=r"ae\.xpt and ae\.dsjc, which differ in row 5, AEDOSE: keep one"):
        read_directory(tmp_path)
    write_dsjc(tmp_path / "ae.dsjc", "AE", COLUMNS, ROWS[:4])
    with pytest.raises(StartRefused, match=r"differ in their number of rows \(5 and 4\)"):
        read_directory(tmp_path)


@pytest.mark.parametrize(
    ("otherwise", "sentence"),
    [
        ({"datasetJSONVersion": "1.0.0"}, "datasetJSONVersion is '1.0.0', version 1.1 is read"),
        ({"datasetJSONVersion": ...}, "datasetJSONVersion is None, version 1.1 is read"),
        ({"columns": ...}, "columns: Field required"),
        ({"columns": [{"name": "USUBJID"}]}, "columns.0.itemOID: Field required"),
        ({"records": 6}, "records is 6 and there are 5 rows"),
        ({"rows": {}}, "rows is no array"),
        ({"name": "LB"}, "it holds the dataset LB"),
        ({"records": 1, "rows": [["A-1", "X", 1]]}, "row 1 has 3 values and there are 4 columns"),
        ({"records": 1, "rows": [{"USUBJID": "A-1"}]}, "row 1 is no array"),
        ({"records": 1, "rows": [["A-1", "X", 1.5, 1]]}, "row 1, AESEQ: 1.5 is no value of type integer"),
        ({"records": 1, "rows": [["A-1", "X", True, 1]]}, "row 1, AESEQ: True is no value of type integer"),
        ({"records": 1, "rows": [["A-1", 7, 1, 1]]}, "row 1, AETERM: 7 is no value of type string"),
        ({"records": 1, "rows": [["A-1", "X", 1, "1"]]}, "row 1, AEDOSE: '1' is no value of type double"),
    ],
)
def test_a_dataset_json_file_that_breaks_a_rule_is_refused(
    tmp_path: Path, otherwise: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "ae.json"
    path.write_text(json.dumps(dataset("AE", COLUMNS, ROWS, **otherwise)), encoding="utf-8")
    with pytest.raises(StartRefused) as refused:
        read_file("AE", path)
    assert str(refused.value) == f"{path} cannot be read as Dataset-JSON 1.1: {sentence}."


WHOLE_FILE = dataset("AE", COLUMNS, ROWS)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("ae.json", b"[]", "it is no JSON object"),
        ("ae.json", b'{"rows": NaN}', "NaN is no value of JSON"),
        ("ae.json", b'{"a', "the file is no JSON"),
        ("ae.json", b"[" * 100_000, "the file is no JSON"),
        ("ae.json", b"\xff", "it is not in UTF-8"),
        ("ae.json", json.dumps(WHOLE_FILE).replace("1e-07", "1e999999999").encode(), "is no number of a dataset"),
        ("ae.ndjson", b"\n", "it is empty"),
        ("ae.ndjson", b"[]\n", "line 1 is no JSON object with the dataset's metadata"),
        ("ae.ndjson", lines(WHOLE_FILE)[:-10], "row 5 is no JSON"),
        ("ae.ndjson", b"\n".join(lines(WHOLE_FILE).split(b"\n")[:4]), "records is 5 and there are 3 rows"),
        ("ae.dsjc", gzip.compress(lines(WHOLE_FILE))[:-20], "its compressed content is broken"),
        ("ae.dsjc", lines(WHOLE_FILE), "its compressed content is broken"),
        ("ae.xpt", b"", "it does not begin with the library header"),
        ("ae.xpt", b"x" * 800, "it does not begin with the library header"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StartRefused) as refused:
        read_file("AE", tmp_path / name)
    assert str(refused.value).startswith(f"{tmp_path / name} cannot be read as ")
    assert sentence in str(refused.value)


def test_a_line_of_csv_with_too_few_fields_is_one_row_refused_and_no_broken_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "ae.csv", "AE", COLUMNS, [*ROWS, ("A-6",)])
    assert [row.whole for row in read_file("AE", tmp_path / "ae.csv")] == [True] * 5 + [False]
