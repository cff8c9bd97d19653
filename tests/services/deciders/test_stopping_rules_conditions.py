"""The conditions of SR1 to SR6 on both sides of each threshold (`safety.md` section 7)."""

from dataclasses import replace
from fractions import Fraction
from math import asin, cos, pi, sin, sqrt
from uuid import UUID

import pytest

from hepatrail_events.protocol_rules import StoppingThreshold
from hepatrail_services.deciders.stopping_rules import (
    Participant,
    condition,
    probability_above,
    provisionally,
    rate_exceeded,
    words,
)
from stopping import counting, participant, rule

TREATED = 12


def _trial(rule_id: str, *hits: int, treated: int = TREATED, provisional: tuple[int, ...] = ()) -> list[Participant]:
    """So many participants treated, one a day; those in `hits`, counted from 1, have an event that counts."""
    return [
        participant(number, *([counting(rule_id, provisional=number in provisional)] if number in hits else []))
        for number in range(1, treated + 1)
    ]


@pytest.mark.parametrize(
    ("rule_id", "hits", "treated", "fulfilled"),
    [
        ("SR1", (), 3, False),
        ("SR1", (3,), 3, True),
        ("SR2", (2,), 3, False),
        ("SR2", (2, 9), 12, True),
        ("SR3", (2,), 3, False),
        ("SR3", (1, 12), 12, True),
        ("SR5", (6,), 6, False),
        ("SR5", (1, 6), 6, True),
        ("SR5", (1, 2), 2, True),
        ("SR5", (6, 7), 7, False),
        ("SR5", (6, 7, 8), 12, False),
        ("SR5", (6, 7, 8, 12), 12, True),
        ("SR5", (6, 7, 8, 13), 13, False),
    ],
)
def test_a_rule_is_fulfilled_from_its_threshold_on(
    rule_id: str, hits: tuple[int, ...], treated: int, fulfilled: bool
) -> None:
    assert condition(rule(rule_id), _trial(rule_id, *hits, treated=treated)).fulfilled is fulfilled


@pytest.mark.parametrize("rule_id", ["SR1", "SR2", "SR3", "SR5", "SR6"])
def test_what_counts_for_another_rule_counts_for_none(rule_id: str) -> None:
    other = "SR2" if rule_id != "SR2" else "SR3"
    assert not condition(rule(rule_id), _trial(other, *range(1, TREATED + 1))).fulfilled


@pytest.mark.parametrize("rule_id", ["SR2", "SR3", "SR5"])
def test_a_rule_counts_participants_not_adverse_events(rule_id: str) -> None:
    twice = [participant(1, counting(rule_id), counting(rule_id)), participant(2)]
    assert not condition(rule(rule_id), twice).fulfilled


def test_the_numbers_are_those_of_the_protocol() -> None:
    of_three = rule("SR2", thresholds=(StoppingThreshold(participants=3),))
    assert not condition(of_three, _trial("SR2", 1, 2)).fulfilled
    assert condition(of_three, _trial("SR2", 1, 2, 3)).fulfilled


def test_SR5_goes_by_the_order_of_treatment_whatever_order_participants_are_known_in() -> None:
    assert condition(rule("SR5"), reversed(_trial("SR5", 1, 6, treated=9))).fulfilled
    trial = _trial("SR5", 6, 7, treated=7)
    by_name_reversed = [replace(each, subject_id=f"S-{100 - int(each.subject_id[2:]):03}") for each in trial]
    assert not condition(rule("SR5"), by_name_reversed).fulfilled, "the seventh treated has the first name"
    late = [*_trial("SR5", 6, treated=6), participant(0)]
    assert not condition(rule("SR5"), [*late, participant(7, counting("SR5"))]).fulfilled
    assert [each.subject_id for each in condition(rule("SR5"), _trial("SR5", 2, 5)).members] == ["S-002", "S-005"]


def test_SR5_counts_nobody_who_was_not_treated() -> None:
    untreated = participant(3, counting("SR5"), treated=False)
    assert not condition(rule("SR5"), [*_trial("SR5", 1, treated=2), untreated]).fulfilled


SMALLEST = (1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5)
"""Smallest triggering x for n = 1 to 12 (`safety.md` section 7)."""


@pytest.mark.parametrize(("treated", "smallest"), list(enumerate(SMALLEST, start=1)))
def test_SR6_is_hit_from_the_smallest_number_of_the_reference_on(treated: int, smallest: int) -> None:
    hit = [rate_exceeded(rule("SR6"), hits, treated) for hits in range(treated + 1)]
    assert hit == [hits >= smallest for hits in range(treated + 1)]
    enough = _trial("SR6", *range(1, smallest + 1), treated=treated)
    too_few = _trial("SR6", *range(1, smallest), treated=treated)
    assert condition(rule("SR6"), enough).fulfilled
    assert not condition(rule("SR6"), too_few).fulfilled


def test_SR6_without_toxicity_is_never_hit_however_low_the_bar() -> None:
    assert not condition(rule("SR6", probability="0.01"), _trial("SR6", treated=1)).fulfilled


@pytest.mark.parametrize(
    ("changes", "fulfilled"),
    [({}, True), ({"rate": "0.60"}, False), ({"probability": "0.99"}, False), ({"prior": ("0.5", "5")}, False)],
    ids=str,
)
def test_SR6_takes_its_numbers_from_the_protocol(changes: dict[str, object], fulfilled: bool) -> None:
    assert condition(rule("SR6", **changes), _trial("SR6", 1, 2, treated=4)).fulfilled is fulfilled


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (1, 3), (2, 7), (5, 12), (12, 12), (3, 40)])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_posterior_is_the_integral_of_its_density(rate: float, hits: int, of: int) -> None:
    """Held to Simpson's rule for Beta(0.5 + x, 0.5 + n - x), substituted p = sin² t so that nothing is infinite."""
    steps, start = 4_000, _angle(rate)
    assert probability_above(rate, hits, of, (0.5, 0.5)) == pytest.approx(
        _integral(hits, of, start, pi / 2, steps) / _integral(hits, of, 0.0, pi / 2, steps), abs=1e-9
    )


@pytest.mark.parametrize(("hits", "of"), [(0, 2), (1, 4), (3, 9)])
def test_the_posterior_of_a_whole_prior_is_the_tail_of_a_binomial(hits: int, of: int) -> None:
    """P(p > r | Beta(a, b)) = P(Binomial(a + b - 1, r) < a), exact in fractions."""
    rate, a, b = Fraction(3, 10), 1 + hits, 1 + of - hits
    n, exact, term = a + b - 1, Fraction(0), Fraction(1)
    for number in range(a):
        exact += term * rate**number * (1 - rate) ** (n - number)
        term = term * (n - number) / (number + 1)
    assert probability_above(0.3, hits, of, (1.0, 1.0)) == pytest.approx(float(exact), abs=1e-12)


def _angle(rate: float) -> float:
    return asin(sqrt(rate))


def _integral(hits: int, of: int, low: float, high: float, steps: int) -> float:
    def density(t: float) -> float:
        return float(sin(t) ** (2 * hits) * cos(t) ** (2 * (of - hits)))

    width = (high - low) / steps
    inner = sum(density(low + number * width) * (4 if number % 2 else 2) for number in range(1, steps))
    return (density(low) + density(high) + inner) * width / 3


def test_a_condition_is_provisional_where_it_would_not_hold_without_what_nobody_assessed() -> None:
    both = _trial("SR2", 1, 2, provisional=(2,))
    assert provisionally(rule("SR2"), both)
    assert not provisionally(rule("SR2"), _trial("SR2", 1, 2, 3, provisional=(2,)))
    of_one = participant(2, counting("SR2", provisional=True), counting("SR2"))
    assert not provisionally(rule("SR2"), [*_trial("SR2", 1, treated=1), of_one])


def test_an_officer_reads_the_rule_what_counted_whose_and_what_is_held() -> None:
    trial = _trial("SR2", 2, 7, provisional=(7,))
    assert words(rule("SR2"), condition(rule("SR2"), trial), provisional=True) == (
        "SR2: 2 of 12 treated with a related treatment-emergent adverse event of grade 4 or more (S-002, S-007); "
        "not yet assessed: S-007; holds only until assessed otherwise; HOLD_ENROLMENT until released by DSMB"
    )
    dead = words(rule("SR1"), condition(rule("SR1"), _trial("SR1", 1, treated=3)), provisional=False)
    assert dead == (
        "SR1: 1 of 3 treated with a related death within 30 days of a session (S-001); "
        "HOLD_SESSIONS and HOLD_ENROLMENT until released by DSMB"
    )


def test_the_evidence_of_a_condition_is_that_of_its_rule_only_and_named_once() -> None:
    ids = tuple(UUID(int=number) for number in range(4))
    first, second = counting("SR2", event_ids=ids[:2]), counting("SR2", event_ids=ids[1:3])
    alien = counting("SR3", event_ids=ids[3:])
    found = condition(rule("SR2"), [participant(1, first), participant(2, second, alien)])
    assert found.event_ids("SR2") == ids[:3]
