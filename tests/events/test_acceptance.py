"""LAB-02: what a row must be to feed derivations, and what it is told when it is not."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.acceptance import Accepted, Unaccepted, accept
from hepatrail_events.catalogue import catalogue


@pytest.mark.parametrize(
    ("code", "value", "comparator", "unit", "canonical"),
    [
        ("creatinine", "1.2", None, "mg/dL", Fraction("106.08")),
        ("tbil", "17.1", "<", "umol/L", Fraction("17.1")),
        ("afp", "0.2", "<", "ng/mL", Fraction("0.2")),
        ("inr", "1.3", None, None, Fraction("1.3")),
        ("inr", "1.3", None, "1", Fraction("1.3")),
        ("pt", "120", ">", "s", Fraction(120)),
        ("creatinine", "10", None, "umol/L", Fraction(10)),
        ("creatinine", "3500", None, "umol/L", Fraction(3500)),
        ("dialysis_sessions_7d", "2.0", None, None, Fraction(2)),
        ("dialysis_sessions_7d", "2", ">=", None, Fraction(2)),
        ("gcs_eye", "4", None, None, Fraction(4)),
        ("gcs_total", "15", None, "{score}", Fraction(15)),
        ("gcs_motor", "NT", None, None, "NT"),
        ("gcs_verbal", "T", None, None, "NT"),
        ("gcs_verbal", "1T", None, None, "NT"),
        ("gcs_eye", "C", None, None, "NT"),
        ("respiratory_support", "imv", None, None, "imv"),
        ("sex", " female ", None, "{code}", "female"),
        ("acute_renal_failure", "true", None, None, "true"),
        ("hemoglobin", None, None, None, None),
    ],
)
def test_rows_that_derivations_may_use(
    code: str, value: str | None, comparator: str | None, unit: str | None, canonical: Fraction | str | None
) -> None:
    assert accept(code, value, comparator, unit) == Accepted(canonical)


@pytest.mark.parametrize(
    ("code", "value", "comparator", "unit", "reason", "hint"),
    [
        ("creatinin", "1", None, "mg/dL", "UNKNOWN_CODE", "creatinine"),
        ("zzz", None, None, None, "UNKNOWN_CODE", "no measurement"),
        ("creatinine", "1.2", None, None, "UNIT_MISSING", "umol/L, mg/dL"),
        ("creatinine", "1.2", None, "", "UNIT_MISSING", "umol/L"),
        ("bun", "20", None, "mg/dL", "UNIT_UNKNOWN", "mg/dL{urea_N}"),
        ("sex", "male", None, "kg", "UNIT_UNKNOWN", "{code}"),
        ("creatinine", "abc", None, None, "UNIT_MISSING", "umol/L"),
        ("creatinine", "<0.2", None, "mg/dL", "VALUE_NOT_ALLOWED", "comparator"),
        ("creatinine", "1", "~", "mg/dL", "VALUE_NOT_ALLOWED", "<="),
        ("alt", "hemolysed", None, "U/L", "VALUE_NOT_ALLOWED", "decimal"),
        ("dialysis_sessions_7d", "1.5", None, None, "VALUE_NOT_ALLOWED", "whole"),
        ("gcs_eye", "5", None, None, "VALUE_NOT_ALLOWED", "1 to 4 or NT"),
        ("gcs_motor", "0", None, None, "VALUE_NOT_ALLOWED", "1 to 6"),
        ("gcs_motor", "T", None, None, "VALUE_NOT_ALLOWED", "NT"),
        ("gcs_eye", "3", "<", None, "VALUE_NOT_ALLOWED", "without comparator"),
        ("gcs_total", "NT", None, None, "VALUE_NOT_ALLOWED", "3 to 15"),
        ("sex", "Male", None, None, "VALUE_NOT_ALLOWED", "female, male"),
        ("acute_renal_failure", "yes", None, None, "VALUE_NOT_ALLOWED", "false, true"),
        ("vasoactive_given", "yes", "<", None, "VALUE_NOT_ALLOWED", "without comparator"),
        ("vasoactive_dose", "1", None, "ug/kg/min", "VALUE_NOT_ALLOWED", "never entered"),
        ("pf_ratio", "200", None, "mm[Hg]", "VALUE_NOT_ALLOWED", "never entered"),
        ("a_ado2", None, None, None, "VALUE_NOT_ALLOWED", "never entered"),
        ("creatinine", "1.2", None, "umol/L", "IMPLAUSIBLE", "10 to 3500 umol/L"),
        ("fio2", "40", None, None, "IMPLAUSIBLE", "0.21 to 1"),
        ("lactate", "0.01", "<", "mmol/L", "IMPLAUSIBLE", "0.1 to 40"),
        ("tbil", "-1", None, "umol/L", "IMPLAUSIBLE", "0 to 1500"),
        ("dialysis_sessions_7d", "15", None, None, "IMPLAUSIBLE", "0 to 14"),
    ],
)
def test_rows_that_are_kept_but_not_used(
    code: str, value: str | None, comparator: str | None, unit: str | None, reason: str, hint: str
) -> None:
    judged = accept(code, value, comparator, unit)
    assert isinstance(judged, Unaccepted)
    assert judged.reason == reason
    assert hint in judged.message


def test_an_implausible_row_says_what_it_would_be_once_confirmed() -> None:
    judged = accept("creatinine", "0.1", None, "mg/dL")
    assert isinstance(judged, Unaccepted)
    assert judged.canonical == Fraction("8.84")


def test_every_other_reason_leaves_no_value_to_confirm() -> None:
    judged = accept("gcs_eye", "5", None, None)
    assert isinstance(judged, Unaccepted)
    assert judged.canonical is None


@settings(deadline=None)
@given(
    st.one_of(st.sampled_from(list(catalogue())), st.text(max_size=20)),
    st.one_of(st.none(), st.text(max_size=30), st.decimals(allow_nan=False, allow_infinity=False).map(str)),
    st.one_of(st.none(), st.sampled_from(["<", "<=", ">", ">="]), st.text(max_size=3)),
    st.one_of(st.none(), st.sampled_from(["mg/dL", "1", "%", "umol/L"]), st.text(max_size=8)),
)
def test_no_row_whatever_it_holds_is_lost_to_an_error(
    code: str, value: str | None, comparator: str | None, unit: str | None
) -> None:
    judged = accept(code, value, comparator, unit)
    if isinstance(judged, Accepted) and isinstance(judged.canonical, Fraction):
        measurement = catalogue()[code]
        assert measurement.plausible_low is None or measurement.plausible_low <= judged.canonical
        assert measurement.plausible_high is None or judged.canonical <= measurement.plausible_high
    else:
        assert isinstance(judged, Unaccepted) or judged.canonical is None or isinstance(judged.canonical, str)
