"""What holds of every grade, whatever the numbers are."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.catalogue import catalogue
from hepatrail_events.units import fraction_str
from hepatrail_projections.clinical.grading.bands import Limits
from hepatrail_projections.clinical.grading.grade import LabGrade, Report, grade
from hepatrail_projections.clinical.grading.reported import Against, Reported, graded
from hepatrail_projections.clinical.grading.terms import TERMS, BaselineRule, Term

numbers = st.integers(1, 40_000).map(lambda tenths: Fraction(tenths, 10))
limits = st.none() | numbers
graded_terms = st.sampled_from([term for term in TERMS if term.bands.bands])
comparators = st.sampled_from(["<", "<=", ">", ">="])


@st.composite
def baselines(draw: st.DrawFn) -> Report | None:
    return draw(st.none() | st.builds(Report, numbers, st.none(), numbers, st.none()))


def true_conditions(term: Term, x: Fraction, limits: Limits) -> list[int]:
    rows = (*term.bands.bands, *term.other_bands.bands) if term.rule is BaselineRule.EITHER else term.bands.bands
    found = []
    for band in rows:
        low, high = (None if edge is None else edge.value(limits) for edge in (band.low, band.high))
        above = low is None or x > low or (x == low and band.low is not None and band.low.inclusive)
        below = high is None or x < high or (x == high and band.high is not None and band.high.inclusive)
        if above and below:
            found.append(band.grade)
    return found


@given(term=graded_terms, x=numbers, u=numbers, low=numbers, b=numbers)
@settings(max_examples=600)
def test_the_highest_true_condition_wins_and_none_is_grade_0(
    term: Term, x: Fraction, u: Fraction, low: Fraction, b: Fraction
) -> None:
    normal = Report(min(b, u), None, u, low)
    found = grade(term, Report(x, None, u, low), normal)
    wanted = max(true_conditions(term, x, Limits(u, low, normal.value)), default=0)
    assert (found.status, found.grade) == ("graded", wanted)


@given(term=graded_terms, x=numbers, y=numbers, u=numbers, low=numbers, first=baselines(), on=st.booleans())
@settings(max_examples=600)
def test_a_value_further_out_never_has_a_lower_grade(
    term: Term, x: Fraction, y: Fraction, u: Fraction, low: Fraction, first: Report | None, on: bool
) -> None:
    nearer, further = sorted((x, y), reverse=term.direction == "L")
    near, far = (grade(term, Report(each, None, u, low), first, anticoagulated=on) for each in (nearer, further))
    if near.at_least is not None and far.at_least is not None:
        assert near.at_least <= far.at_least


@given(term=graded_terms, x=numbers, sign=comparators, inside=numbers, u=limits, low=limits, first=baselines())
@settings(max_examples=600)
def test_no_value_that_a_bound_allows_has_a_lower_grade_than_the_bound(
    term: Term,
    x: Fraction,
    sign: str,
    inside: Fraction,
    u: Fraction | None,
    low: Fraction | None,
    first: Report | None,
) -> None:
    bound = Report(x, sign, u, low)
    found = grade(term, bound, first)
    for value in (inside, x):
        if not bound.span.holds(value):
            continue
        exact = grade(term, Report(value, None, u, low), first)
        if found.grade is not None:
            assert exact.grade == found.grade
        if found.grade_min is not None and exact.at_least is not None:
            assert found.grade_min <= exact.at_least


@given(term=graded_terms, x=numbers, u=limits, low=limits, first=baselines(), on=st.booleans())
@settings(max_examples=600)
def test_an_answer_has_a_grade_or_says_what_is_missing(
    term: Term, x: Fraction, u: Fraction | None, low: Fraction | None, first: Report | None, on: bool
) -> None:
    found: LabGrade = grade(term, Report(x, None, u, low), first, anticoagulated=on)
    match found.status:
        case "graded":
            assert found.grade in range(5)
            assert (found.grade_min, found.missing) == (None, ())
        case "incomplete":
            assert found.grade is None
            assert found.grade_min in range(4)
            assert found.missing
        case _:
            assert (found.status, found.grade, found.grade_min) == ("ungradable", None, None)
            assert found.missing


CONVERTED = [
    ("creatinine", "mg/dL", "umol/L"),
    ("tbil", "mg/dL", "umol/L"),
    ("glucose", "mg/dL", "mmol/L"),
    ("hemoglobin", "g/dL", "g/L"),
    ("albumin", "g/dL", "g/L"),
    ("platelets", "/uL", "10*9/L"),
    ("alt", "nkat/L", "U/L"),
]
decimals = st.integers(1, 99_999).map(lambda hundredths: Fraction(hundredths, 100))


@given(
    case=st.sampled_from(CONVERTED),
    x=decimals,
    u=decimals,
    low=decimals,
    b=decimals,
    sign=st.none() | comparators,
)
@settings(max_examples=400)
def test_the_grade_does_not_depend_on_the_unit_of_the_report(
    case: tuple[str, str, str], x: Fraction, u: Fraction, low: Fraction, b: Fraction, sign: str | None
) -> None:
    code, other, canonical = case
    conversion = catalogue()[code].units[other]

    def reported(value: Fraction, comparator: str | None, unit: str) -> Reported:
        texts = [fraction_str(conversion.to_canonical(each) if unit == canonical else each) for each in (value, low, u)]
        return Reported(texts[0], comparator, unit, texts[1], texts[2])

    in_other, in_canonical = (
        graded(code, reported(x, sign, unit), Against(reported(b, None, unit))) for unit in (other, canonical)
    )
    mixed = graded(code, reported(x, sign, other), Against(reported(b, None, canonical)))
    assert in_other.json == in_canonical.json == mixed.json
    assert in_other.terms
