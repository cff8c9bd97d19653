"""How a correction writes a value, and the fact with the new value in it (`events.md` section 1, +cv)."""

from typing import Any

import pytest

from builders.participant import session_started, survival, withdrew
from builders.payloads import a_sealed, sealed
from builders.records import baseline_condition, deficiency, medication
from hepatrail_events.corrected_values import as_text, partial_date, worked_in
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, Precision


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (True, "true"),
        (False, "false"),
        (10020000000, "10020000000"),
        ("60.50", "60.50"),
        ({"value": "2026-03", "precision": "MONTH"}, "2026-03"),
        ({"precision": "UNKNOWN"}, "UNKNOWN"),
    ],
)
def test_a_value_of_the_log_is_one_text(value: Any, text: str | None) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("2026-03-10T08:30Z", Precision.MINUTE),
        ("2026-03-10", Precision.DAY),
        ("2026-03", Precision.MONTH),
        ("2026", Precision.YEAR),
        ("UNKNOWN", Precision.UNKNOWN),
    ],
)
def test_the_shape_of_a_partial_date_tells_its_precision_and_the_text_comes_back(
    text: str, precision: Precision
) -> None:
    assert partial_date(text).precision is precision
    assert as_text(partial_date(text).payload()) == text


@pytest.mark.parametrize("text", ["", "26", "2026-3", "2026-02-30", "10.03.2026", "2026-03-10T08:30", "unknown"])
def test_a_text_that_is_no_partial_date_is_refused_by_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must look like 2026-03-10T08:30Z"):
        partial_date(text)


@pytest.mark.parametrize(
    ("fact", "field", "text", "value"),
    [
        (medication(), "startedAt", "2026", PartialDate(value="2026", precision=Precision.YEAR)),
        (medication(), "endedAt", "UNKNOWN", PartialDate(precision=Precision.UNKNOWN)),
        (medication(), "therapeuticAnticoagulant", "true", True),
        (medication(), "route", "oral", "oral"),
        (baseline_condition(), "grade", "4", 4),
        (baseline_condition(grade=3), "grade", None, None),
        (session_started(), "viableCells", "9000000000", 9000000000),
        (withdrew("FOLLOW_UP"), "vitalStatusAllowed", "true", True),
        (survival(), "alive", "UNKNOWN", "UNKNOWN"),
        (deficiency(False), "couldHaveLedToSADE", "true", True),
    ],
)
def test_a_corrected_fact_has_the_new_value_and_all_others(
    fact: Event, field: str, text: str | None, value: object
) -> None:
    after = worked_in(fact, field, text)
    by_alias = {info.alias: name for name, info in type(fact).model_fields.items()}
    assert getattr(after, by_alias[field]) == value
    assert {name: part for name, part in after.payload().items() if name != field} == {
        name: part for name, part in fact.payload().items() if name != field
    }
    assert after != fact


def test_free_text_is_replaced_sealed_or_taken_away() -> None:
    assert worked_in(medication(), "verbatim", None, a_sealed("newText")).verbatim == a_sealed("newText")
    assert worked_in(withdrew(reason=sealed()), "reason", None).reason is None


@pytest.mark.parametrize(("field", "text"), [("startedAt", "March"), ("dose", "two"), ("startedAt", None)])
def test_a_text_that_does_not_fit_the_fact_is_an_invalid_payload(field: str, text: str | None) -> None:
    with pytest.raises(InvalidPayload, match=field):
        worked_in(medication(), field, text)


def test_the_fact_itself_stays_as_it_was() -> None:
    fact = medication()
    worked_in(fact, "route", "oral")
    assert fact == medication()
