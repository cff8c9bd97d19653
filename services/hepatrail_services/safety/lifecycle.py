"""What one commit made of one adverse event (`safety.md` 6.1): the rows of the table that apply, highest first.

Decided here, because the reference leaves room:

- A void is no downgrade: whatever the event was until then, its void raises SAE_VOIDED alone.
- A criterion that only one assessor takes back, while the other's stands, changes nothing: the effective set counts.
- What the reporting clocks stand on (`SUSAR_*`, the derived `related`) is told with them.
"""

from collections.abc import Callable

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.ae_terms import is_special_interest
from hepatrail_events.safety_desk import AlertType, Priority
from hepatrail_projections.facts import AdverseEventFact

FATAL = "FATAL"
LIFE_THREATENING = "LIFE_THREATENING"
AESI = "AESI"

_OWN_ROWS = frozenset({Criterion.DEATH, Criterion.LIFE_THREATENING})

_Applies = Callable[[AdverseEventFact | None, AdverseEventFact], bool]


def transitions(before: AdverseEventFact | None, after: AdverseEventFact, aesi_grade_ge: int) -> tuple[AlertType, ...]:
    """Every type that applies, highest row first; empty when nobody needs to be told.

    `aesi_grade_ge` is the maximum grade from which an event of special interest alerts although it is not serious.
    """
    if after.voided:
        return (AlertType.SAE_VOIDED,) if after.ever_serious and not (before is not None and before.voided) else ()
    severe = _severe_interest(before, after, aesi_grade_ge)
    found = tuple(kind for kind, applies in _TABLE if applies(before, after))
    return (*found, AlertType.AESI_SEVERE) if severe else found


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


def no_longer_fatal(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    """Whether the commit took back that the participant died of this event."""
    return before is not None and Criterion.DEATH in _added(after, before)


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


def _downgraded(before: AdverseEventFact | None, after: AdverseEventFact) -> bool:
    return before is not None and before.serious and not after.serious


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


def _severe_interest(before: AdverseEventFact | None, after: AdverseEventFact, grade_ge: int) -> bool:
    reached = before is not None and _severe(before, grade_ge)
    return not after.serious and _severe(after, grade_ge) and not reached


def _severe(fact: AdverseEventFact, grade_ge: int) -> bool:
    return is_special_interest(fact.reported.code) and (fact.max_grade or 0) >= grade_ge


def _added(before: AdverseEventFact | None, after: AdverseEventFact) -> set[Criterion]:
    return set(after.criteria) - set(before.criteria if before is not None else ())


_TABLE: tuple[tuple[AlertType, _Applies], ...] = (
    (AlertType.SAE_NEW, _new),
    (AlertType.SAE_UPGRADED, _upgraded),
    (AlertType.SAE_FATAL, _turned(Criterion.DEATH)),
    (AlertType.SAE_LIFE_THREATENING, _turned(Criterion.LIFE_THREATENING)),
    (AlertType.SAE_CHANGED, _changed),
    (AlertType.SAE_DOWNGRADED, _downgraded),
)
