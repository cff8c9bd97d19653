"""What one commit made of one adverse event (`safety.md` 6.1): the rows of the table that apply, highest first.

Decided here, because the reference leaves room:

- A void is no downgrade and no change: it raises SAE_VOIDED, and SUSAR_DISQUALIFIED where it ends a confirmed SUSAR.
- A criterion that only one assessor takes back, while the other's stands, changes nothing: the effective set counts.
- "Other significant change" leaves out what a row of its own tells of the criteria (DEATH or LIFE_THREATENING added). A
  change of `related` is one beside SUSAR_QUALIFIED and SUSAR_DISQUALIFIED: expectedness alone may bring those too.
- A confirmed SUSAR that becomes provisional again has not become false: SUSAR_DISQUALIFIED does not apply.
- The flag SUSAR stands for a confirmed one, SUSAR_PROVISIONAL for one that rests on a missing assessment; never both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.ae_terms import is_special_interest
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.safety_desk import AlertType, Priority
from hepatrail_projections.clinical.adverse_events.derived import DerivedAdverseEvent
from hepatrail_projections.facts import AdverseEventFact, SubjectView
from hepatrail_projections.safety_course import evaluated
from hepatrail_projections.study_view import PublishedProtocol

FATAL = "FATAL"
LIFE_THREATENING = "LIFE_THREATENING"
SUSAR = "SUSAR"
SUSAR_PROVISIONAL = "SUSAR_PROVISIONAL"
AESI = "AESI"

_OWN_ROWS = frozenset({Criterion.DEATH, Criterion.LIFE_THREATENING})


@dataclass(frozen=True, slots=True)
class Standing:
    """An adverse event as it stands at one moment: the fact, what follows from it, and the rules that say so."""

    fact: AdverseEventFact
    found: DerivedAdverseEvent
    rules: SafetyRules

    @property
    def voided(self) -> bool:
        """Whether it is void."""
        return self.fact.voided is not None

    @property
    def confirmed_susar(self) -> bool:
        """Whether it is a SUSAR by what was assessed, not for want of an assessment."""
        return self.found.predicates.susar and not self.found.predicates.provisional

    @property
    def severe_interest(self) -> bool:
        """Whether it is of special interest and reached the grade from which that alerts."""
        reached = (self.fact.max_grade or 0) >= self.rules.alert_aesi_grade_ge
        return reached and is_special_interest(self.fact.reported.code)


_Applies = Callable[[Standing | None, Standing], bool]


def standings(view: SubjectView, published: PublishedProtocol) -> Mapping[UUID, Standing]:
    """Every adverse event of a view under a protocol version, in the view's order."""
    found, rules = evaluated(view, published), published.protocol.safety
    return {ae_id: Standing(fact, found[ae_id], rules) for ae_id, fact in view.adverse_events.items()}


def transitions(before: Standing | None, after: Standing) -> tuple[AlertType, ...]:
    """Every type that applies, highest row first; empty when nobody needs to be told."""
    if before is not None and before.voided:
        return ()
    table = _OF_A_VOID if after.voided else _TABLE
    return tuple(kind for kind, applies in table if applies(before, after))


def priority(types: tuple[AlertType, ...], after: Standing) -> Priority:
    """The highest of the priorities of the types that apply."""
    return min(_priority(kind, after) for kind in types)


def flags(after: Standing) -> tuple[str, ...]:
    """What the reasons name besides the types."""
    criteria, predicates = after.fact.criteria, after.found.predicates
    stated = {
        FATAL: Criterion.DEATH in criteria,
        LIFE_THREATENING: Criterion.LIFE_THREATENING in criteria,
        SUSAR: after.confirmed_susar,
        SUSAR_PROVISIONAL: predicates.provisional,
        AESI: is_special_interest(after.fact.reported.code),
    }
    return tuple(flag for flag, holds in stated.items() if holds)


def became_fatal(before: Standing | None, after: Standing) -> bool:
    """Whether the commit stated that the participant died of this event."""
    return not after.voided and Criterion.DEATH in _added(before, after)


def no_longer_fatal(before: Standing | None, after: Standing) -> bool:
    """Whether the commit took back that the participant died of this event."""
    return before is not None and Criterion.DEATH in _added(after, before)


def _priority(kind: AlertType, after: Standing) -> Priority:
    match kind:
        case AlertType.SAE_FATAL | AlertType.SAE_LIFE_THREATENING | AlertType.SUSAR_QUALIFIED:
            return Priority.P1
        case AlertType.SAE_NEW | AlertType.SAE_UPGRADED:
            return Priority.P1 if after.found.predicates.fatal_lt else Priority.P2
        case _:
            return Priority.P3


def _new(before: Standing | None, after: Standing) -> bool:
    return before is None and after.fact.serious


def _upgraded(before: Standing | None, after: Standing) -> bool:
    return before is not None and not before.fact.serious and after.fact.serious


def _turned(criterion: Criterion) -> _Applies:
    def applies(before: Standing | None, after: Standing) -> bool:
        return before is not None and before.fact.serious and criterion in _added(before, after)

    return applies


def _susar_qualified(before: Standing | None, after: Standing) -> bool:
    return after.confirmed_susar and not (before is not None and before.confirmed_susar)


def _susar_disqualified(before: Standing | None, after: Standing) -> bool:
    return before is not None and before.confirmed_susar and not after.found.predicates.susar


def _changed(before: Standing | None, after: Standing) -> bool:
    if before is None or not (before.fact.serious and after.fact.serious):
        return False
    old, new = before.fact, after.fact
    return (
        bool((_added(before, after) - _OWN_ROWS) | _added(after, before))
        or (new.max_grade or 0) > (old.max_grade or 0)
        or new.reported.code != old.reported.code
        or new.reported.onset != old.reported.onset
        or after.found.predicates.related is not before.found.predicates.related
        or _left_sequelae(old, new)
    )


def _left_sequelae(old: AdverseEventFact, new: AdverseEventFact) -> bool:
    return old.outcome is not new.outcome and new.outcome is Outcome.RECOVERED_WITH_SEQUELAE


def _downgraded(before: Standing | None, after: Standing) -> bool:
    return before is not None and before.fact.serious and not after.fact.serious


def _voided(_before: Standing | None, after: Standing) -> bool:
    return after.fact.ever_serious


def _severe_interest(before: Standing | None, after: Standing) -> bool:
    reached = before is not None and before.severe_interest
    return not after.fact.serious and after.severe_interest and not reached


def _added(before: Standing | None, after: Standing) -> set[Criterion]:
    return set(after.fact.criteria) - set(before.fact.criteria if before is not None else ())


_TABLE: tuple[tuple[AlertType, _Applies], ...] = (
    (AlertType.SAE_NEW, _new),
    (AlertType.SAE_UPGRADED, _upgraded),
    (AlertType.SAE_FATAL, _turned(Criterion.DEATH)),
    (AlertType.SAE_LIFE_THREATENING, _turned(Criterion.LIFE_THREATENING)),
    (AlertType.SUSAR_QUALIFIED, _susar_qualified),
    (AlertType.SUSAR_DISQUALIFIED, _susar_disqualified),
    (AlertType.SAE_CHANGED, _changed),
    (AlertType.SAE_DOWNGRADED, _downgraded),
    (AlertType.AESI_SEVERE, _severe_interest),
)
_OF_A_VOID: tuple[tuple[AlertType, _Applies], ...] = (
    (AlertType.SUSAR_DISQUALIFIED, _susar_disqualified),
    (AlertType.SAE_VOIDED, _voided),
)
