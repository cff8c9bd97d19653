"""Canonical JSON is RFC 8785 for every value that the log may hold; everything else is refused."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.canonical import canonical_json, sha256_hex

KEYS = st.text(st.characters(max_codepoint=127), max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5))


@given(VALUES)
def test_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@pytest.mark.parametrize("text", ["\u2028", "\x7f", "\x1f", "\b\f\n\r\t", '"\\/', "\u0000", "𠀀", "é"])
def test_every_escape_is_that_of_rfc_8785(text: str) -> None:
    assert canonical_json({"text": text}) == rfc8785.dumps({"text": text})


def test_a_tuple_is_written_as_a_list() -> None:
    assert canonical_json({"b": (1, 2), "a": "x"}) == b'{"a":"x","b":[1,2]}'


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), {"a": [0.1]}, {"é": 1}, {1: 2}, 2**53, -(2**53), {"a": 2**64}, "\ud800", {"a": {1, 2}}, b"raw"],
    ids=repr,
)
def test_what_has_no_exact_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical_json(value)


def test_the_hash_is_sha_256_of_the_bytes() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
