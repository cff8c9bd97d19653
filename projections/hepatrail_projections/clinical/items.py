"""What a time point requires: single results, and items with sub-inputs (`visits.md` section 1.1).

Decided here, because the reference leaves room:

- What an item shares with others (platelets, creatinine, the coma scale) is one of its sub-inputs: it is satisfied
  when the score could be computed, and names the shared one too where it lacks.
- Any component of the coma scale may be not testable, with a reason; `gcs_total` alone does not satisfy the item.
- A mean pressure may be replaced by both cuff pressures of one moment, from which it is derived (`labs.csv`).
- An agent without any dose or duration was not given; one with a dose of zero needs no duration. An infusion that
  the table of SOFA does not have satisfies by its name.
- A waived blood gas counts at the time of the row that states it. It is no waiver where that point has breathing
  support other than `none`: the participant is then not without oxygen.
- Dialysis recorded as procedures stands at the time of the creatinine sample that it is counted for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from hepatrail_events.catalogue import NOT_TESTABLE
from hepatrail_projections.clinical.assignment import NOTHING, Assigned, PointAssignment, best
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.inputs import Period
from hepatrail_projections.clinical.scores.periods import dialysis_counts
from hepatrail_projections.clinical.visits import DEFAULT_PLAN, VisitPlan

Basis: TypeAlias = Literal["VALUE", "WAIVER", "PROCEDURES", "CUFF"]

WAIVER = "OUTPATIENT_NO_ABG"
NO_REASON = "NOT_TESTABLE_WITHOUT_REASON"
NOT_ENROLLED = "NOT_ENROLLED"

_COUNTS = ("dialysis_sessions_7d", "cvvhd_hours_7d")
_COMPONENTS = ("gcs_eye", "gcs_verbal", "gcs_motor")
_AGENTS = ("dopamine", "dobutamine", "epinephrine", "norepinephrine")
_OF_ENROLMENT = ("age", "chronic_health", "admission_type")
_HALF = Fraction(1, 2)


class Part(NamedTuple):
    """A sub-input that is there: the observation, what it is there as, and events that it rests on besides."""

    code: str
    assigned: Assigned
    basis: Basis
    further_event_ids: tuple[UUID, ...] = ()


class Item(NamedTuple):
    """An item with sub-inputs: those that are there, and those that lack, each with the reason of its unusable row."""

    parts: tuple[Part, ...]
    lacking: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class ItemRules:
    """What items depend on beside the observations of their point."""

    plan: VisitPlan
    enrolled: bool = True
    procedures: Sequence[Period] = ()


def composite(item: str, point_code: str, assigned: PointAssignment, rules: ItemRules) -> Item | None:
    """An item with sub-inputs at a point; None for an item that is one single result."""
    fill = _COMPOSITES.get(item)
    if fill is None:
        return None
    looked_up = _LookUp(point_code, assigned, rules)
    fill(looked_up)
    return Item(tuple(looked_up.parts), tuple(looked_up.lacking))


@cache
def nothing_there(required: tuple[str, ...], *, enrolled: bool) -> Mapping[str, tuple[tuple[str, str | None], ...]]:
    """The sub-inputs that lack where a point has no observation at all, by item."""
    made = ((item, composite(item, "", NOTHING, ItemRules(DEFAULT_PLAN, enrolled))) for item in required)
    return MappingProxyType({item: found.lacking for item, found in made if found is not None})


class _LookUp:
    """Gathers the sub-inputs of one item at one point."""

    def __init__(self, point_code: str, assigned: PointAssignment, rules: ItemRules) -> None:
        self.assigned = assigned
        self.rules = rules
        self.parts: list[Part] = []
        self.lacking: list[tuple[str, str | None]] = []
        self._waiving = point_code in rules.plan.no_abg_points

    def value(self, code: str) -> Fraction | str | None:
        """The value that counts, None when there is none."""
        found = self.assigned.used.get(code)
        return None if found is None else found.observation.value

    def need(self, *codes: str) -> None:
        """Any one of the codes: a value, else a waiver."""
        used = self.assigned.used
        for code in codes:
            found = used.get(code)
            if found is not None:
                self.parts.append(Part(code, found, "VALUE"))
                return
        waived = next((code for code in codes if self._waived(code)), None)
        if waived is not None:
            self.parts.append(Part(waived, self.assigned.refused[waived], "WAIVER"))
            return
        reasons = (self.assigned.unusable[code] for code in codes if code in self.assigned.unusable)
        self.lack("|".join(codes), next(reasons, None))

    def lack(self, code: str, reason: str | None = None) -> None:
        """Names a sub-input that is not there."""
        self.lacking.append((code, reason))

    def mentions(self, code: str) -> bool:
        """Whether any row of the code, usable or not, belongs to the point."""
        return code in self.assigned.used or code in self.assigned.refused

    def _waived(self, code: str) -> bool:
        plan = self.rules.plan
        if not self._waiving or code not in plan.no_abg_inputs or self.assigned.unusable.get(code) != WAIVER:
            return False
        return self.value("respiratory_support") in (None, "none")


def _meld_context(item: _LookUp) -> None:
    sample = item.assigned.used.get("creatinine")
    if item.rules.procedures and sample is not None:
        plan = item.rules.plan
        taken = sample.observation.collected
        counted = dialysis_counts(item.rules.procedures, taken, plan.crrt_kinds, site_zone(plan.zone))
        if counted is not None:
            item.parts += [Part(code, sample, "PROCEDURES", counted.sessions.event_ids) for code in _COUNTS]
            return
    for code in _COUNTS:
        item.need(code)


def _coma(item: _LookUp) -> None:
    for code in _COMPONENTS:
        found = item.assigned.used.get(code)
        if found is not None and found.observation.value == NOT_TESTABLE and found.observation.nt_reason is None:
            item.lack(code, NO_REASON)
        else:
            item.need(code)


def _sofa(item: _LookUp) -> None:
    for code in ("pao2", "fio2", "respiratory_support"):
        item.need(code)
    _pressure(item)
    _infusions(item)
    for code in ("platelets", "tbil", "creatinine"):
        item.need(code)
    _coma(item)


def _apache(item: _LookUp) -> None:
    for code in ("temperature", "temperature_site"):
        item.need(code)
    _pressure(item)
    for code in ("heart_rate", "resp_rate", "fio2", "pao2"):
        item.need(code)
    if _is_half_or_more(item):
        item.need("paco2")
    item.need("ph_arterial", "hco3_serum")
    for code in ("sodium", "potassium", "hematocrit", "acute_renal_failure", "wbc", "creatinine"):
        item.need(code)
    _coma(item)
    if not item.rules.enrolled:
        for code in _OF_ENROLMENT:
            item.lack(code, NOT_ENROLLED)


def _pressure(item: _LookUp) -> None:
    candidates = item.assigned.candidates
    if "map" not in candidates:
        lower = {each.observation.collected for each in candidates.get("dbp", ()) if not each.observation.comparator}
        upper = [
            each
            for each in candidates.get("sbp", ())
            if each.observation.collected in lower and not each.observation.comparator
        ]
        if upper:
            item.parts.append(Part("map", best(upper), "CUFF"))
            return
    item.need("map")


def _infusions(item: _LookUp) -> None:
    item.need("vasoactive_given")
    if item.value("vasoactive_given") != "yes":
        return
    given = [agent for agent in _AGENTS if item.mentions(f"{agent}_dose") or item.mentions(f"{agent}_duration_min")]
    for agent in given:
        item.need(f"{agent}_dose")
        if item.value(f"{agent}_dose") != 0:
            item.need(f"{agent}_duration_min")
    if not given and "other_vasoactive" in item.assigned.used:
        item.need("other_vasoactive")
    elif not given:
        item.lack("vasoactive_dose")


def _is_half_or_more(item: _LookUp) -> bool:
    oxygen = item.assigned.used.get("fio2")
    if oxygen is None or not isinstance(oxygen.observation.value, Fraction):
        return False
    value = oxygen.observation.value
    return value > _HALF or (value == _HALF and oxygen.observation.comparator != "<")


_COMPOSITES: Mapping[str, Callable[[_LookUp], None]] = {
    "MELD_CTX": _meld_context,
    "GCS": _coma,
    "SOFA_IN": _sofa,
    "APACHE_IN": _apache,
}
