"""The reference vectors of all scores, and the reader of such files (scores.md section 10)."""

from pathlib import Path

import pytest

from hepatrail_events.errors import InvalidMessage
from hepatrail_projections.clinical.scores.vectors import Vector, compare, read_vectors
from score_inputs import SAMPLE, vector, vector_file

SHARED = Path(__file__).resolve().parents[3] / "../shared/domain/score_vectors.csv"
VECTORS = list(read_vectors(SHARED.read_text(encoding="utf-8"))) if SHARED.is_file() else []


def one(text: str) -> Vector:
    (found,) = read_vectors(text)
    return found


@pytest.mark.skipif(not VECTORS, reason="the shared reference vectors are not here; the sample below holds the rules")
def test_all_reference_vectors_are_read() -> None:
    assert len(VECTORS) == 411
    assert len({each.score.score_id for each in VECTORS}) == 6


@pytest.mark.parametrize("case", VECTORS, ids=[each.case for each in VECTORS])
def test_reference_vector(case: Vector) -> None:
    assert compare(case) is None


@pytest.mark.parametrize("row", SAMPLE, ids=[row["id"] for row in SAMPLE])
def test_sample_worked_by_hand(row: dict[str, str]) -> None:
    assert compare(one(vector_file([row]))) is None


def test_a_difference_names_what_was_expected_and_what_is_computed() -> None:
    row = dict(SAMPLE[0]) | {"expected": '{"status": "complete", "score": 16, "unrounded": 15.336}'}
    found = compare(one(vector_file([row])))
    assert found is not None
    assert (found.case, found.expected, found.computed) == ("T-1", {"score": 16}, {"score": 15})


@pytest.mark.parametrize(("unrounded", "agrees"), [("15.3367", True), ("15.3368", False), ("15.3355", False)])
def test_the_unrounded_value_has_a_tolerance(unrounded: str, agrees: bool) -> None:
    row = dict(SAMPLE[0]) | {"expected": f'{{"status": "complete", "score": 15, "unrounded": {unrounded}}}'}
    assert (compare(one(vector_file([row]))) is None) is agrees


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scoer", "15"),
        ("missing", '["inr"]'),
        ("assumed", '{"respiration": 0}'),
        ("reasons", '{"inr": "censored"}'),
        ("components", '{"inr": 1.5}'),
        ("score", "true"),
        ("display", '"E4V5M6"'),
    ],
)
def test_what_is_stated_and_not_computed_differs(key: str, value: str) -> None:
    row = dict(SAMPLE[0]) | {"expected": f'{{"status": "complete", "{key}": {value}}}'}
    found = compare(one(vector_file([row])))
    assert found is not None
    assert list(found.expected) == [key]


def test_a_list_left_out_means_that_it_is_empty() -> None:
    row = dict(SAMPLE[1]) | {"expected": '{"status": "incomplete"}'}
    found = compare(one(vector_file([row])))
    assert found is not None
    assert (found.expected, found.computed) == ({"missing": []}, {"missing": ["inr"]})


def test_numbers_are_decimals_with_a_sign_and_a_time_where_given() -> None:
    inputs = {"gcs_eye": 4, "gcs_verbal": "NT", "gcs_motor": 6, "options": {"verbal_nt_policy": "pre_intubation"}}
    inputs["gcs_verbal_pre_intubation"] = {"value": 3, "at": "2026-03-10T08:00:00Z"}
    expected = {"status": "complete_with_assumptions", "score": 13, "assumed": {"gcs_verbal": 3}}
    assert compare(one(vector_file([vector("P", "gcs", inputs, expected)]))) is None
    censored = {"tbil": {"value": 17.1, "unit": "umol/L", "comparator": "<"}, "inr": 1, "creatinine": 88.4}
    row = vector("C", "meld_2002", censored | {"dialysis_sessions_7d": 0}, {"status": "complete", "score": 6})
    assert compare(one(vector_file([row]))) is None


HEADER = "id,score,inputs,expected\n"
GOOD = 'A,gcs,{},"{""status"": ""incomplete""}"\n'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "line 1: the column id is missing"),
        ("id,score,inputs\n", "line 1: the column expected is missing"),
        (HEADER + GOOD + 'B,gcs2,{},"{""status"": ""complete""}"\n', "line 3, column score: 'gcs2' is no score"),
        (HEADER + "A,gcs,{,{}\n", "line 2, column inputs: no JSON"),
        (HEADER + "A,gcs,[],{}\n", "line 2, column inputs: a JSON object is needed"),
        (HEADER + "A,gcs,{},{}\n", "line 2, column expected: the status is missing"),
        (HEADER + "A,gcs,{}\n", "line 2: 3 cells under 4 columns"),
        (HEADER + GOOD + GOOD, "line 3, column id: 'A' occurs twice"),
        (HEADER + GOOD.replace("A,", ","), "line 2, column id: a case needs an id"),
        (
            HEADER + GOOD.replace("{}", '"{""creatinin"": 1}"'),
            "line 2, column inputs: 'creatinin' is no measurement; did you mean creatinine?",
        ),
        (HEADER + GOOD.replace("{}", '"{""inr"": NaN}"'), "line 2, column inputs: no JSON: NaN is no number"),
        (
            HEADER + GOOD.replace("{}", '"{""inr"": 1, ""inr"": 2}"'),
            "line 2, column inputs: no JSON: 'inr' occurs twice",
        ),
        (HEADER + GOOD.replace("{}", '"{""inr"": 1e999999999}"'), "line 2, column inputs: no JSON: a number is out"),
        (HEADER + GOOD.replace("{}", '"{""inr"": {""amount"": 1}}"'), "line 2, column inputs: inr: an object has"),
        (
            HEADER + GOOD.replace("{}", '"{""inr"": {""value"": 1, ""unit"": 2}}"'),
            "line 2, column inputs: inr: unit and",
        ),
        (
            HEADER + GOOD.replace("{}", '"{""inr"": {""value"": 1, ""at"": ""now""}}"'),
            "line 2, column inputs: inr: at must",
        ),
        (HEADER + GOOD.replace("{}", '"{""inr"": [[1]]}"'), "line 2, column inputs: inr: a number, a text"),
        (HEADER + GOOD.replace("{}", '"{""options"": 1}"'), "line 2, column inputs: options are"),
        (
            HEADER + GOOD.replace("{}", '"{""options"": {""missing_policy"": ""guess""}}"'),
            "line 2, column inputs: the option missing_policy",
        ),
        (
            HEADER + GOOD.replace("{}", '"{""options"": {""barometric_pressure"": 101.3}}"'),
            "line 2, column inputs: the option barometric_pressure is no pressure",
        ),
        (HEADER + 'A,gcs,"{},{}\n', "no CSV"),
        (HEADER + "A,gcs," + "[" * 100_000 + ",{}\n", "line 2, column inputs: no JSON: nested too deeply"),
        (HEADER + "A,gcs," + "x" * 200_000 + ",{}\n", "no CSV"),
    ],
)
def test_a_file_of_another_format_is_refused_with_line_and_column(text: str, where: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        list(read_vectors(text))
    assert where in str(refused.value)


def test_a_byte_order_mark_blank_lines_and_quoted_line_breaks_are_no_obstacle() -> None:
    spread = (
        '"A","gcs","{\n}","{""status"": ""incomplete"", ""missing"": [""gcs_eye"", ""gcs_motor"", ""gcs_verbal""]}"\n'
    )
    text = "\ufeff" + HEADER + spread + "\n" + "B,gcs,{,{}\n"
    reading = read_vectors(text)
    assert compare(next(reading)) is None
    with pytest.raises(InvalidMessage, match="line 5, column inputs"):
        next(reading)
