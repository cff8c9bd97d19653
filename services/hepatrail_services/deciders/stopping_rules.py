"""The conditions of the stopping rules of the trial, over what participants contribute (`safety.md` section 7).

Pure: the kind of a condition belongs to the rule's id, its numbers stand in the protocol. Which adverse events count
for which rule is found where a participant is known (`safety/stopping.py`); here participants are counted.

Decided here, because the reference leaves room:

- A rule counts participants; a second adverse event of a participant who counts already changes nothing.
- "The first six treated" are those treated so far, at most six, in the order of T0, of equal ones by pseudonym.
- n of SR6 is the number of participants treated so far, whether or not their window has passed.
- A condition holds provisionally where it would not without adverse events that are related only for want of an
  assessment.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import get_args
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.protocol_rules import StoppingRule, StoppingThreshold
from hepatrail_events.safety_desk import StoppingFact, TrialRule

TRIAL = "TRIAL"
"""The scope of a rule that counts all participants."""

TRIAL_RULES = frozenset(get_args(TrialRule))
"""The rules that count all participants, by the kind of their condition."""

_ONE = (StoppingThreshold(participants=1),)
_MAX_DETAIL = 500
_COUNTED: Mapping[str, str] = {
    "SR1": "a related death within {window_days} days of a session",
    "SR2": "a related treatment-emergent adverse event of grade {grade_ge} or more",
    "SR3": "a related thrombosis of grade {grade_ge} or more",
    "SR5": "a dose-limiting toxicity of grade {grade_ge} or more",
    "SR6": "a dose-limiting toxicity of grade {grade_ge} or more",
}


@dataclass(frozen=True, slots=True)
class Participant:
    """What a participant contributes to the rules of the trial; `treated_at` is T0, None while never treated."""

    subject_id: str
    treated_at: datetime | None = None
    adverse_events: tuple[StoppingFact, ...] = ()

    def counting(self, rule_id: str) -> tuple[StoppingFact, ...]:
        """The adverse events that count for a rule."""
        return tuple(fact for fact in self.adverse_events if rule_id in fact.rule_ids)

    def assessed(self) -> "Participant":
        """The participant without what is related only for want of an assessment."""
        return replace(self, adverse_events=tuple(fact for fact in self.adverse_events if not fact.provisional))


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a rule's condition holds, and the participants that it counts; `treated` are all treated so far."""

    fulfilled: bool
    members: tuple[Participant, ...]
    treated: int

    @property
    def subject_ids(self) -> frozenset[str]:
        """Who is counted."""
        return frozenset(member.subject_id for member in self.members)

    def event_ids(self, rule_id: str) -> tuple[UUID, ...]:
        """The events that fulfil the condition, each once."""
        facts = (fact for member in self.members for fact in member.counting(rule_id))
        return tuple(dict.fromkeys(event_id for fact in facts for event_id in fact.event_ids))


def hit_id(rule_id: str, scope_id: str, releases: int) -> UUID:
    """The id of a hit and of its alert; `releases` are those of its hold so far (`safety.md` 6.3)."""
    return derived_id(rule_id, scope_id, releases)


def condition(rule: StoppingRule, participants: Iterable[Participant]) -> Condition:
    """The condition of a rule of the trial over all participants, in the order of T0."""
    ordered = sorted(participants, key=_by_treatment)
    treated = [each for each in ordered if each.treated_at is not None]
    if rule.rule_id == "SR6":
        return _of_rate(rule, treated)
    reached: dict[str, Participant] = {}
    for threshold in rule.thresholds or _ONE:
        first = ordered if threshold.of_first_treated is None else treated[: threshold.of_first_treated]
        counted = [each for each in first if each.counting(rule.rule_id)]
        if len(counted) >= threshold.participants:
            reached |= {each.subject_id: each for each in counted}
    return Condition(bool(reached), tuple(reached.values()), len(treated))


def provisionally(rule: StoppingRule, participants: Iterable[Participant]) -> bool:
    """Whether a condition that holds rests on adverse events which nobody has assessed yet."""
    return not condition(rule, (each.assessed() for each in participants)).fulfilled


def rate_exceeded(rule: StoppingRule, hits: int, of: int) -> bool:
    """SR6: whether P(p > rate | `hits` of `of`) is above the rule's probability."""
    assert rule.rate is not None and rule.probability is not None and rule.prior is not None, "held when published"
    prior = (float(rule.prior[0]), float(rule.prior[1]))
    return probability_above(float(rule.rate), hits, of, prior) > float(Decimal(rule.probability))


@lru_cache(maxsize=1024)
def probability_above(rate: float, hits: int, of: int, prior: tuple[float, float]) -> float:
    """P(p > rate) of the posterior Beta(prior a + hits, prior b + of - hits).

    The regularised incomplete beta function by its series of positive terms (DLMF 8.17.8), good to about 1e-13.
    """
    a, b = prior[0] + hits, prior[1] + of - hits
    front = math.lgamma(a + b) - math.lgamma(a + 1) - math.lgamma(b) + a * math.log(rate) + b * math.log1p(-rate)
    total = term = 1.0
    number = 0
    while term > total * 1e-16:
        term *= rate * (a + b + number) / (a + 1 + number)
        total += term
        number += 1
    return 1.0 - math.exp(front) * total


def words(rule: StoppingRule, found: Condition, *, provisional: bool) -> str:
    """What an officer reads: the rule, what counted, whose, what rests on no assessment, and what is held."""
    counted = _COUNTED[rule.rule_id].format(window_days=rule.window_days, grade_ge=rule.grade_ge)
    unassessed = [each.subject_id for each in found.members if not each.assessed().counting(rule.rule_id)]
    parts = [
        f"{rule.rule_id}: {len(found.members)} of {found.treated} treated with {counted}"
        f" ({', '.join(each.subject_id for each in found.members)})",
        *([f"not yet assessed: {', '.join(unassessed)}"] if unassessed else []),
        *(["holds only until assessed otherwise"] if provisional else []),
        held_until(rule),
    ]
    return "; ".join(parts)[:_MAX_DETAIL]


def held_until(rule: StoppingRule) -> str:
    """What waits for whom."""
    return f"{' and '.join(rule.actions)} until released by {rule.requires}"


def _of_rate(rule: StoppingRule, treated: list[Participant]) -> Condition:
    members = tuple(each for each in treated if each.counting(rule.rule_id))
    fulfilled = bool(members) and rate_exceeded(rule, len(members), len(treated))
    return Condition(fulfilled, members, len(treated))


def _by_treatment(participant: Participant) -> tuple[bool, float, str]:
    at = participant.treated_at
    return at is None, 0.0 if at is None else at.timestamp(), participant.subject_id
