"""Reference vectors of the scores: reading a file of them and comparing (`scores.md` section 10).

A row has `id`, `score`, `inputs`, `expected` (`note` and `source` are for the reader). `inputs` is a JSON object: a
plain number is in the canonical unit, otherwise `{"value", "unit"}` with an optional `comparator` and, for the verbal
response before the tube, `at`; an absent key is missing. Of `expected`, `missing`, `invalid`, `assumed` and `reasons`
that are left out mean that there are none; other keys that are left out are not compared.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from io import StringIO
from typing import Any, NoReturn

from hepatrail_events.catalogue import catalogue
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.types import parse_instant
from hepatrail_projections.clinical.inputs import Collected
from hepatrail_projections.clinical.scores.catalogue import SCORES
from hepatrail_projections.clinical.scores.common import STRICT, Options, Score, ScoreInput, ScoreResult, given
from hepatrail_projections.clinical.scores.gcs import BEFORE_TUBE, VERBAL

COLUMNS = ("id", "score", "inputs", "expected")
TOLERANCE = {"unrounded": Decimal("0.0006"), "a_ado2": Decimal("0.01")}

_NONE_UNLESS_STATED: Mapping[str, Any] = {"missing": [], "invalid": [], "assumed": {}, "reasons": {}}
_CHOICES = {
    "missing_policy": ("strict", "assume_normal"),
    "sofa_unit_mode": ("si", "conventional"),
    "verbal_nt_policy": ("incomplete", "score_1", "pre_intubation", "brennan"),
}
_SWITCHES = ("hfnc_counts_as_support", "rrt_scores_4")
_LARGEST_EXPONENT = 40


@dataclass(frozen=True, slots=True)
class Vector:
    """One case: a score's inputs and options, and what is expected of it."""

    case: str
    score: Score
    inputs: Mapping[str, ScoreInput]
    options: Options
    expected: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a case differs, by key."""

    case: str
    expected: Mapping[str, Any]
    computed: Mapping[str, Any]


def read_vectors(text: str) -> Iterator[Vector]:
    """The cases of a CSV text in its order; InvalidMessage names the line and the column that cannot be read."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(reader, [])
        lacking = [column for column in COLUMNS if column not in header]
        if lacking:
            _refuse(1, None, f"the column {lacking[0]} is missing; a file of vectors has {', '.join(COLUMNS)}")
        start = reader.line_num + 1
        seen: set[str] = set()
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    _refuse(start, None, f"{len(cells)} cells under {len(header)} columns")
                yield _vector(dict(zip(header, cells, strict=True)), start, seen)
            start = reader.line_num + 1
    except csv.Error as error:
        _refuse(reader.line_num, None, f"no CSV: {error}")


def compare(vector: Vector) -> Mismatch | None:
    """Computes the case; None when everything agrees."""
    computed = comparable(vector.score.of(vector.inputs, vector.options))
    wanted = {**_NONE_UNLESS_STATED, **vector.expected}
    differing = [key for key in wanted if not _agrees(key, wanted[key], computed.get(key))]
    if not differing:
        return None
    return Mismatch(vector.case, {key: wanted[key] for key in differing}, {key: computed.get(key) for key in differing})


def comparable(result: ScoreResult) -> dict[str, Any]:
    """A result under the keys of `expected`; numbers as integers, decimals and fractions."""
    return {
        "status": result.status,
        "score": result.score,
        "unrounded": result.unrounded,
        "missing": list(result.missing),
        "invalid": list(result.invalid),
        "reasons": dict(result.reasons),
        "assumed": dict(result.assumed),
        "components": dict(result.components),
        "display": result.display,
        "range": None if result.range is None else list(result.range),
        "flags": list(result.flags),
        "warnings": list(result.warnings),
        **result.details,
    }


def as_json(values: Any) -> str:
    """Values on one line to look at: numbers as numbers, text in ASCII."""
    return json.dumps(values, default=_plain)


def _plain(value: Decimal | Fraction) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _agrees(key: str, expected: Any, computed: Any) -> bool:
    if isinstance(expected, bool) or isinstance(computed, bool):
        return expected is computed
    if key in TOLERANCE and isinstance(expected, Decimal) and isinstance(computed, Decimal | Fraction):
        return abs(Fraction(expected) - Fraction(computed)) <= Fraction(TOLERANCE[key])
    if isinstance(expected, Decimal) and isinstance(computed, Fraction):
        return Fraction(expected) == computed
    if isinstance(expected, dict) and isinstance(computed, dict):
        return expected.keys() == computed.keys() and all(
            _agrees(name, value, computed[name]) for name, value in expected.items()
        )
    return bool(expected == computed)


def _vector(row: Mapping[str, str], line: int, seen: set[str]) -> Vector:
    case = row["id"].strip()
    if not case:
        _refuse(line, "id", "a case needs an id")
    if case in seen:
        _refuse(line, "id", f"{case!r} occurs twice")
    seen.add(case)
    score = SCORES.get(row["score"])
    if score is None:
        _refuse(line, "score", f"{row['score']!r} is no score; known: {', '.join(SCORES)}")
    raw = _object(row["inputs"], line, "inputs")
    options = _options(raw.pop("options", {}), line)
    inputs = {code: read for code, value in raw.items() if (read := _input(code, value, line)) is not None}
    expected = _object(row["expected"], line, "expected")
    if "status" not in expected:
        _refuse(line, "expected", "the status is missing")
    return Vector(case, score, inputs, options, expected)


def _object(text: str, line: int, column: str) -> dict[str, Any]:
    try:
        read = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_number,
            object_pairs_hook=_without_repeats,
        )
    except (ValueError, RecursionError) as error:
        why = error if isinstance(error, ValueError) else "nested too deeply"
        _refuse(line, column, f"no JSON: {why}")
    if not isinstance(read, dict):
        _refuse(line, column, "a JSON object is needed")
    return read


def _number(text: str) -> Decimal:
    """No binary float; a number that nothing measured can have would only cost memory."""
    number = Decimal(text)
    if number and abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("a number is out of all range")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs twice")
    return read


def _input(code: str, value: Any, line: int) -> ScoreInput | None:
    measured = VERBAL if code == BEFORE_TUBE else code
    if measured not in catalogue():
        near = get_close_matches(code, catalogue(), n=1)
        _refuse(line, "inputs", f"{code!r} is no measurement" + (f"; did you mean {near[0]}?" if near else ""))
    unit = comparator = collected = None
    if isinstance(value, dict):
        if "value" not in value or not value.keys() <= {"value", "unit", "comparator", "at"}:
            _refuse(line, "inputs", f"{code}: an object has value and unit, and may have comparator and at")
        unit, comparator = _text(value.get("unit"), code, line), _text(value.get("comparator"), code, line)
        if "at" in value:
            collected = _moment(value["at"], code, line)
        value = value["value"]
    if value is None or value == []:
        return None
    read = [given(measured, _number_text(each, code, line), unit, comparator, collected) for each in _listed(value)]
    return replace(next((each for each in read if each.problem is not None), read[0]), code=code)


def _listed(value: Any) -> list[Any]:
    """`other_vasoactive` is a list of agents; everything else one value."""
    return value if isinstance(value, list) else [value]


def _number_text(value: Any, code: str, line: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if not isinstance(value, str):
        _refuse(line, "inputs", f"{code}: a number, a text, true or false is needed")
    return value


def _text(value: Any, code: str, line: int) -> str | None:
    if value is not None and not isinstance(value, str):
        _refuse(line, "inputs", f"{code}: unit and comparator are texts")
    return value


def _moment(value: Any, code: str, line: int) -> Collected:
    try:
        return Collected(parse_instant(value))
    except ValueError as error:
        _refuse(line, "inputs", f"{code}: at {error}")


def _options(raw: Any, line: int) -> Options:
    if not isinstance(raw, dict):
        _refuse(line, "inputs", "options are a JSON object")
    chosen: dict[str, Any] = {}
    for name, value in raw.items():
        if value in _CHOICES.get(name, ()) or (name in _SWITCHES and isinstance(value, bool)):
            chosen[name] = value
        elif name == "barometric_pressure" and isinstance(value, Decimal):
            pressure = given(name, _number_text(value, name, line))
            if pressure.number is None:
                _refuse(line, "inputs", f"the option {name} is no pressure in mm[Hg]")
            chosen[name] = pressure.number
        elif name == "meld3_cap" and value in (Decimal(40), "40", "none"):
            chosen[name] = None if value == "none" else 40
        else:
            _refuse(line, "inputs", f"the option {name} = {as_json(value)} is not known")
    return replace(STRICT, **chosen)


def _refuse(line: int, column: str | None, why: str) -> NoReturn:
    where = f"line {line}" if column is None else f"line {line}, column {column}"
    raise InvalidMessage(f"{where}: {why}")
