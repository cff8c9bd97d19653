"""The predicates of `safety.md` 5.1: the truth table of each."""

from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.adverse_events import Assessor, Causality, CausalityTarget, Criterion, Expectedness
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.ae_facts import GradePoint
from hepatrail_projections.clinical.adverse_events.emergence import TeInputs, treatment_emergence
from hepatrail_projections.clinical.adverse_events.predicates import Judgements, Predicates, predicates
from hepatrail_projections.clinical.adverse_events.window import te_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = SafetyRules()
T0 = datetime(2026, 3, 10, 2, tzinfo=UTC)
WINDOW = te_window(T0, datetime(2026, 3, 10, 1, tzinfo=UTC), datetime(2026, 3, 10, 8, tzinfo=UTC), RULES, SHANGHAI)

SITE, SPONSOR = Assessor.INVESTIGATOR, Assessor.SPONSOR
CELLS, DEVICE = CausalityTarget.CELL_PRODUCT, CausalityTarget.DEVICE
POSSIBLE, UNLIKELY, UNRELATED = Causality.POSSIBLE, Causality.UNLIKELY, Causality.UNRELATED
NEITHER = {(SITE, CELLS): UNRELATED, (SITE, DEVICE): UNRELATED}
SERIOUS = (Criterion.HOSPITALISATION,)


def day(text: str) -> PartialDate:
    return PartialDate(value=text, precision=Precision.DAY)


def minute(text: str) -> PartialDate:
    return PartialDate(value=text, precision=Precision.MINUTE)


AFTER = TeInputs(day("2026-03-12"))
BEFORE = TeInputs(day("2026-03-01"), grades=(GradePoint(1, day("2026-03-01"), uuid4()),))


def answer(
    event: TeInputs = AFTER, causality: dict[tuple[Assessor, CausalityTarget], Causality] | None = None, **judged: Any
) -> Predicates:
    rules = judged.pop("rules", RULES)
    return predicates(event, Judgements(causality or {}, **judged), WINDOW, rules)


# exposed


@pytest.mark.parametrize(
    ("onset", "exposed"),
    [
        (minute("2026-03-10T02:00Z"), True),
        (minute("2026-03-10T01:59Z"), False),
        (day("2026-03-10"), True),
        (day("2026-03-09"), False),
        (day("2028-01-01"), True),
        (PartialDate(precision=Precision.UNKNOWN), True),
    ],
    ids=["at T0", "between access and T0", "day of T0", "day before", "after TE_END", "unknown"],
)
def test_exposed_begins_with_t0_and_never_with_the_access(onset: PartialDate, exposed: bool) -> None:
    assert answer(TeInputs(onset)).exposed is exposed


def test_onset_between_access_and_t0_is_a_teae_and_not_exposed() -> None:
    hematoma = TeInputs(minute("2026-03-10T01:30Z"), grades=(GradePoint(1, minute("2026-03-10T01:30Z"), uuid4()),))
    assert treatment_emergence(hematoma, WINDOW, RULES).teae
    assert not answer(hematoma, {(SITE, DEVICE): Causality.DEFINITE}, criteria=SERIOUS).related


@pytest.mark.parametrize(
    ("worse", "exposed"),
    [
        ({}, False),
        ({"grades": (*BEFORE.grades, GradePoint(2, day("2026-03-12"), uuid4()))}, True),
        ({"grades": (*BEFORE.grades, GradePoint(2, minute("2026-03-10T01:30Z"), uuid4()))}, False),
        ({"frequency_worsened": (day("2026-03-12"),)}, True),
        ({"serious_since": day("2026-03-12")}, True),
    ],
    ids=["unchanged", "intensity after T0", "intensity before T0", "frequency after T0", "seriousness after T0"],
)
def test_an_earlier_event_is_exposed_when_it_worsened_after_t0(worse: dict[str, Any], exposed: bool) -> None:
    assert answer(TeInputs(BEFORE.onset, **({"grades": BEFORE.grades} | worse))).exposed is exposed


def test_the_investigators_word_on_the_day_of_t0_decides() -> None:
    assert not answer(TeInputs(day("2026-03-10"), onset_before_first_session=True)).exposed


def test_without_treatment_nothing_is_exposed_or_related() -> None:
    found = predicates(AFTER, Judgements({(SITE, CELLS): POSSIBLE}, SERIOUS), None, RULES)
    assert found == Predicates(False, False, False, False, False, False, False)


# related, relatedAssessed


@pytest.mark.parametrize(
    ("value", "related"),
    [
        (Causality.DEFINITE, True),
        (Causality.PROBABLE, True),
        (Causality.POSSIBLE, True),
        (Causality.NOT_ASSESSABLE, True),
        (Causality.UNLIKELY, False),
        (Causality.UNRELATED, False),
    ],
)
@pytest.mark.parametrize("target", list(CausalityTarget))
@pytest.mark.parametrize("assessor", list(Assessor))
def test_related_is_the_or_over_assessors_for_cells_and_device(
    assessor: Assessor, target: CausalityTarget, value: Causality, related: bool
) -> None:
    found = answer(causality=NEITHER | {(assessor, target): value})
    expected = related and target in (CELLS, DEVICE)
    assert (found.related, found.related_assessed) == (expected, expected)


@pytest.mark.parametrize(
    ("causality", "related", "assessed"),
    [
        ({}, True, False),
        ({(SITE, CELLS): UNRELATED}, True, False),
        ({(SITE, DEVICE): UNRELATED}, True, False),
        ({(SPONSOR, CELLS): UNRELATED, (SPONSOR, DEVICE): UNRELATED}, True, False),
        (NEITHER, False, False),
        ({(SITE, CELLS): POSSIBLE}, True, True),
        ({(SPONSOR, DEVICE): POSSIBLE}, True, True),
        (NEITHER | {(SPONSOR, CELLS): POSSIBLE}, True, True),
        ({(SITE, CELLS): POSSIBLE, (SITE, DEVICE): UNRELATED, (SPONSOR, CELLS): UNRELATED}, True, True),
    ],
    ids=[
        "nothing assessed",
        "device not assessed",
        "cells not assessed",
        "only the sponsor assessed",
        "both unrelated",
        "one possible",
        "sponsor possible",
        "sponsor adds",
        "sponsor cannot downgrade",
    ],
)
def test_what_the_investigator_has_not_assessed_counts_as_related(
    causality: dict[tuple[Assessor, CausalityTarget], Causality], related: bool, assessed: bool
) -> None:
    found = answer(causality=causality)
    assert (found.related, found.related_assessed) == (related, assessed)
    not_exposed = answer(BEFORE, causality)
    assert (not_exposed.related, not_exposed.related_assessed) == (False, False)


def test_the_protocol_says_which_values_are_related() -> None:
    strict = SafetyRules(related_set=(Causality.DEFINITE,))
    assert not answer(causality=NEITHER | {(SITE, CELLS): Causality.PROBABLE}, rules=strict).related
    assert answer(causality=NEITHER | {(SITE, CELLS): Causality.DEFINITE}, rules=strict).related


# SUSAR, provisional


@pytest.mark.parametrize(
    ("serious", "related", "expectedness", "voided"),
    list(product((True, False), (True, False), Expectedness, (True, False))),
)
def test_a_susar_is_serious_related_and_not_expected(
    serious: bool, related: bool, expectedness: Expectedness, voided: bool
) -> None:
    causality = NEITHER | {(SITE, CELLS): POSSIBLE if related else UNLIKELY}
    found = answer(causality=causality, criteria=SERIOUS if serious else (), expectedness=expectedness, voided=voided)
    assert found.susar is (serious and related and expectedness is Expectedness.UNEXPECTED and not voided)
    assert not found.provisional


def test_a_susar_only_for_a_missing_assessment_is_provisional() -> None:
    found = answer(criteria=SERIOUS)
    assert (found.susar, found.provisional) == (True, True)
    confirmed = answer(causality={(SITE, CELLS): POSSIBLE}, criteria=SERIOUS)
    assert (confirmed.susar, confirmed.provisional) == (True, False)
    denied = answer(causality=NEITHER, criteria=SERIOUS)
    assert (denied.susar, denied.provisional) == (False, False)
    expected = answer(criteria=SERIOUS, expectedness=Expectedness.EXPECTED)
    assert (expected.susar, expected.provisional) == (False, False)


def test_expectedness_that_nobody_assessed_is_unexpected_and_not_provisional() -> None:
    assert Judgements({}).expectedness is Expectedness.UNEXPECTED
    assert not answer(causality={(SITE, CELLS): POSSIBLE}, criteria=SERIOUS).provisional


# fatalLT, devSAE


@pytest.mark.parametrize("criterion", list(Criterion))
def test_fatal_or_life_threatening_by_its_criteria(criterion: Criterion) -> None:
    wanted = criterion in (Criterion.DEATH, Criterion.LIFE_THREATENING)
    assert answer(criteria=(criterion,)).fatal_lt is wanted
    assert answer(criteria=(Criterion.HOSPITALISATION, criterion)).fatal_lt is wanted


@pytest.mark.parametrize(
    ("causality", "related"),
    [
        ({}, True),
        ({(SITE, CELLS): POSSIBLE}, True),
        ({(SPONSOR, DEVICE): UNRELATED}, True),
        ({(SITE, DEVICE): UNRELATED}, False),
        ({(SITE, CELLS): POSSIBLE, (SITE, DEVICE): UNRELATED}, False),
        ({(SITE, DEVICE): POSSIBLE}, True),
        ({(SITE, DEVICE): UNRELATED, (SPONSOR, DEVICE): POSSIBLE}, True),
    ],
    ids=[
        "nothing assessed",
        "device not assessed",
        "only the sponsor assessed the device",
        "device unrelated",
        "cells related, device not",
        "device related",
        "sponsor adds the device",
    ],
)
@pytest.mark.parametrize(
    ("serious", "event", "voided"),
    [(True, AFTER, False), (False, AFTER, False), (True, BEFORE, False), (True, AFTER, True)],
    ids=["serious and exposed", "not serious", "not exposed", "void"],
)
def test_a_device_sae_is_serious_exposed_and_not_ruled_out_for_the_device(
    serious: bool,
    event: TeInputs,
    voided: bool,
    causality: dict[tuple[Assessor, CausalityTarget], Causality],
    related: bool,
) -> None:
    found = answer(event, causality, criteria=SERIOUS if serious else (), voided=voided)
    assert found.dev_sae is (related and serious and event is AFTER and not voided)


def test_the_procedure_counts_for_the_device_where_the_protocol_says_so() -> None:
    causality = {(SITE, DEVICE): UNRELATED, (SITE, CausalityTarget.PROCEDURE): POSSIBLE}
    included = SafetyRules(device_clock_includes_procedure=True)
    assert not answer(causality=causality, criteria=SERIOUS).dev_sae
    assert answer(causality=causality, criteria=SERIOUS, rules=included).dev_sae
    unassessed = {(SITE, DEVICE): UNRELATED}
    assert answer(causality=unassessed, criteria=SERIOUS, rules=included).dev_sae
    ruled_out = {(SITE, DEVICE): UNRELATED, (SITE, CausalityTarget.PROCEDURE): UNRELATED}
    assert not answer(causality=ruled_out, criteria=SERIOUS, rules=included).dev_sae


_judged = st.builds(
    Judgements,
    st.dictionaries(
        st.tuples(st.sampled_from(list(Assessor)), st.sampled_from(list(CausalityTarget))),
        st.sampled_from(list(Causality)),
    ),
    st.lists(st.sampled_from(list(Criterion)), unique=True).map(tuple),
    st.sampled_from(list(Expectedness)),
    st.booleans(),
)


@given(st.sampled_from([AFTER, BEFORE]), _judged)
def test_predicates_imply_each_other(event: TeInputs, judged: Judgements) -> None:
    found = predicates(event, judged, WINDOW, RULES)
    assert not found.related_assessed or found.related
    assert not found.related or found.exposed
    assert not found.susar or (found.related and judged.criteria and not judged.voided)
    assert not found.provisional or (found.susar and not found.related_assessed)
    assert not found.dev_sae or (found.exposed and judged.criteria and not judged.voided)
