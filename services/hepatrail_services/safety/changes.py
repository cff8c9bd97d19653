"""What a commit changed, as its alert shows it: field, old and new (`safety.md` 6.2), derived values included."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Assessor, CausalityTarget
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.safety_desk import AlertCausality, AlertChange
from hepatrail_events.types import PartialDate
from hepatrail_projections.facts import AdverseEventFact
from hepatrail_services.safety.lifecycle import Standing

_MAX_TEXT = 200


def changes_between(before: Standing | None, after: Standing, zone: ZoneInfo) -> tuple[AlertChange, ...]:
    """The fields of an adverse event that differ; none of one that is new."""
    return () if before is None else differences(_shown(before, zone), _shown(after, zone))


def changes_of_death(before: ParticipantDied | None, after: ParticipantDied | None) -> tuple[AlertChange, ...]:
    """How the time of death differs, one that is new or taken back included."""
    shown = (None if death is None else text_of(death.death_at) for death in (before, after))
    old, new = ({"deathAt": text} for text in shown)
    return differences(old, new)


def differences(old: Mapping[str, str | None], new: Mapping[str, str | None]) -> tuple[AlertChange, ...]:
    """The fields of `new` whose text is another one in `old`, in the order of `new`."""
    return tuple(
        AlertChange(field=name, old=_short(old.get(name)), new=_short(shown))
        for name, shown in new.items()
        if old.get(name) != shown
    )


def causality_of(fact: AdverseEventFact) -> tuple[AlertCausality, ...]:
    """The judgements in force, the investigator's first, in the order of the targets."""
    in_force = fact.causality_in_force
    return tuple(
        AlertCausality(assessor=assessor, target=target, value=in_force[assessor, target].value)
        for assessor in Assessor
        for target in CausalityTarget
        if (assessor, target) in in_force
    )


def text_of(when: PartialDate) -> str:
    """A date as a change shows it: as far as it is known."""
    return when.value or when.precision.value


def truth(holds: bool) -> str:
    """A truth value as a change shows it."""
    return "true" if holds else "false"


def _shown(standing: Standing, zone: ZoneInfo) -> dict[str, str | None]:
    fact, reported, predicates = standing.fact, standing.fact.reported, standing.found.predicates
    return {
        "code": reported.code,
        "ctcaeTerm": reported.ctcae_term,
        "grade": _number(fact.current_grade(zone)),
        "maxGrade": _number(fact.max_grade),
        "criteria": ", ".join(fact.criteria) or None,
        "outcome": fact.outcome.value,
        "onset": text_of(reported.onset),
        "endAt": None if fact.end_at is None else text_of(fact.end_at),
        "actionTaken": fact.action_taken.value,
        "expectedness": fact.expectedness.value,
        **{f"causality.{each.assessor}.{each.target}": each.value.value for each in causality_of(fact)},
        "teae": truth(standing.found.emergence.teae),
        "related": truth(predicates.related),
        "susar": truth(predicates.susar),
        "provisional": truth(predicates.provisional),
        "voided": None if fact.voided is None else fact.voided.event.reason_code.value,
    }


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _short(value: str | None) -> str | None:
    return None if value is None else value[:_MAX_TEXT]
