"""What one commit made of one adverse event (`safety.md` 6.1): the rows of the table that apply, highest first.

The slice knows no causality or expectedness after the report, no downgrade and no void: the rows that stand on these
(`SUSAR_*`, `SAE_DOWNGRADED`, `SAE_VOIDED`) join the table when their events do.
"""

from collections.abc import Callable

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.ae_terms import is_special_interest
from hepatrail_events.safety_desk import AlertType, Priority
from hepatrail_projections.facts import AdverseEventFact

AESI_GRADE = 3
"""Maximum grade from which an event of special interest alerts although it is not serious (`ALERT_AESI_GRADE_GE`)."""

FATAL = "FATAL"
LIFE_THREATENING = "LIFE_THREATENING"
AESI = "AESI"

_OWN_ROWS = frozenset({Criterion.DEATH, Criterion.LIFE_THREATENING})

_Applies = Callable[[AdverseEventFact | None, AdverseEventFact], bool]


def transitions(before: AdverseEventFact | None, after: AdverseEventFact) -> tuple[AlertType, ...]:
    """Every type that applies, highest row first; empty when nobody needs to be told."""
    return tuple(kind for kind, applies in _TABLE if applies(before, after))


def priority(types: tuple[AlertType, ...], after: AdverseEventFact) -> Priority:
    """The highest of the priorities of the types that apply."""
    return min(_priority(kind, after) for kind in types)


def flags(after: AdverseEventFact) -> tuple[str, ...]:
    """What the reasons name besides the types."""
    stated = {
        FATAL: Criterion.DEATH in after.criteria,
        LIFE_THREATENING: Criterion.LIFE_THREATENING in after.criteria,
        AESI: is_special_interest(after.reported.code),
    }
    return tuple(flag for flag, holds in stated.items() if holds)


def became_fatal(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    """Whether the commit stated that the participant died of this event."""
    return Criterion.DEATH in _added(before, after)


def _priority(kind: AlertType, after: AdverseEventFact) -> Priority:
    match kind:
        case AlertType.SAE_FATAL | AlertType.SAE_LIFE_THREATENING:
            return Priority.P1
        case AlertType.SAE_NEW | AlertType.SAE_UPGRADED:
            return Priority.P1 if _OWN_ROWS & set(after.criteria) else Priority.P2
        case _:
            return Priority.P3


def _new(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    return before is None and after.serious


def _upgraded(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    return before is not None and not before.serious and after.serious


def _turned(criterion: Criterion) -> _Applies:
    def applies(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
        return before is not None and before.serious and criterion in _added(before, after)

    return applies


def _changed(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    if before is None or not (before.serious and after.serious):
        return False
    return (
        bool((_added(before, after) - _OWN_ROWS) | _added(after, before))
        or (after.max_grade or 0) > (before.max_grade or 0)
        or after.reported.code != before.reported.code
        or after.reported.onset != before.reported.onset
        or _left_sequelae(before, after)
    )


def _left_sequelae(before: AdverseEventFact, after: AdverseEventFact) -> bool:
    return before.outcome is not after.outcome and after.outcome is Outcome.RECOVERED_WITH_SEQUELAE


def _severe_interest(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    return not after.serious and _severe(after) and not (before is not None and _severe(before))


def _severe(fact: AdverseEventFact) -> bool:
    return is_special_interest(fact.reported.code) and (fact.max_grade or 0) >= AESI_GRADE


def _added(before: AdverseEventFact | None, after: AdverseEventFact) -> set[Criterion]:
    return set(after.criteria) - set(before.criteria if before is not None else ())


_TABLE: tuple[tuple[AlertType, _Applies], ...] = (
    (AlertType.SAE_NEW, _new),
    (AlertType.SAE_UPGRADED, _upgraded),
    (AlertType.SAE_FATAL, _turned(Criterion.DEATH)),
    (AlertType.SAE_LIFE_THREATENING, _turned(Criterion.LIFE_THREATENING)),
    (AlertType.SAE_CHANGED, _changed),
    (AlertType.AESI_SEVERE, _severe_interest),
)
