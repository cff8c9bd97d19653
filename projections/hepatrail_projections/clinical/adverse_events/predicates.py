"""What must be reported of an adverse event, as predicates (`safety.md` 2.4, 2.5 and 5.1).

Decided here, because the reference leaves room: "not yet assessed" is said of the investigator, whose assessment the
sponsor adds to and never replaces; where the device clock includes the procedure (`DEVICE_CLOCK_INCLUDES_PROCEDURE`),
both targets are asked alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from hepatrail_events.adverse_events import Assessor, Causality, CausalityTarget, Criterion, Expectedness
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_projections.clinical.adverse_events.emergence import (
    TeaeCase,
    TeInputs,
    onset_before,
    treatment_emergence,
)
from hepatrail_projections.clinical.adverse_events.window import TeWindow

Judged: TypeAlias = Mapping[tuple[Assessor, CausalityTarget], Causality]
"""The latest value of each assessor for each target."""

PRODUCT_TARGETS = (CausalityTarget.CELL_PRODUCT, CausalityTarget.DEVICE)
"""What is investigated: cells and device."""

_WORSE = frozenset({TeaeCase.B, TeaeCase.C, TeaeCase.D})
_FATAL_OR_THREATENING = frozenset({Criterion.DEATH, Criterion.LIFE_THREATENING})


@dataclass(frozen=True, slots=True)
class Judgements:
    """What assessors have said of one adverse event, in its latest version."""

    causality: Judged
    criteria: tuple[Criterion, ...] = ()
    expectedness: Expectedness = Expectedness.UNEXPECTED
    voided: bool = False


@dataclass(frozen=True, slots=True)
class Predicates:
    """The predicates of one adverse event; `related` counts what the investigator has not yet assessed as related."""

    exposed: bool
    related: bool
    related_assessed: bool
    susar: bool
    provisional: bool
    fatal_lt: bool
    dev_sae: bool


def predicates(given: TeInputs, judged: Judgements, window: TeWindow | None, rules: SafetyRules) -> Predicates:
    """All predicates under the rules of the protocol; `window` None: never treated."""
    is_exposed = exposed(given, window, rules)
    serious = bool(judged.criteria) and not judged.voided
    assessed = is_exposed and is_related(judged.causality, PRODUCT_TARGETS, rules)
    related = assessed or (is_exposed and is_unassessed(judged.causality, PRODUCT_TARGETS))
    susar = serious and related and judged.expectedness is not Expectedness.EXPECTED
    return Predicates(
        exposed=is_exposed,
        related=related,
        related_assessed=assessed,
        susar=susar,
        provisional=susar and not assessed,
        fatal_lt=bool(_FATAL_OR_THREATENING & {*judged.criteria}),
        dev_sae=serious and is_exposed and _of_device(judged.causality, rules),
    )


def exposed(given: TeInputs, window: TeWindow | None, rules: SafetyRules) -> bool:
    """Whether it began at or after T0 or worsened since: always T0, never the placing of the access."""
    if window is None:
        return False
    since_t0 = window.from_t0()
    if not onset_before(given, since_t0):
        return True
    return treatment_emergence(replace(given, voided=False), since_t0, rules).case in _WORSE


def is_related(judged: Judged, targets: Iterable[CausalityTarget], rules: SafetyRules) -> bool:
    """Whether any assessor's value for any of the targets is one of RELATED_SET."""
    wanted = frozenset(targets)
    return any(target in wanted and value in rules.related_set for (_, target), value in judged.items())


def is_unassessed(judged: Judged, targets: Iterable[CausalityTarget]) -> bool:
    """Whether the investigator has yet to assess any of the targets."""
    return any((Assessor.INVESTIGATOR, target) not in judged for target in targets)


def is_assumed_of_device(judged: Judged, rules: SafetyRules) -> bool:
    """Whether it counts as related to the device only because the investigator has not assessed that yet."""
    targets = _device_targets(rules)
    return is_unassessed(judged, targets) and not is_related(judged, targets, rules)


def _of_device(judged: Judged, rules: SafetyRules) -> bool:
    targets = _device_targets(rules)
    return is_related(judged, targets, rules) or is_unassessed(judged, targets)


def _device_targets(rules: SafetyRules) -> tuple[CausalityTarget, ...]:
    if rules.device_clock_includes_procedure:
        return CausalityTarget.DEVICE, CausalityTarget.PROCEDURE
    return (CausalityTarget.DEVICE,)
