"""What an alert says (`safety.md` 6.2).

`clocks` is empty and `teae`, `susar`, `provisional` are absent: they are told together with the reporting clocks.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Assessor, CausalityTarget
from hepatrail_events.envelope import Envelope
from hepatrail_events.safety_desk import AlertCausality, AlertChange, AlertContent, AlertType, Priority
from hepatrail_events.types import PartialDate
from hepatrail_projections.adverse_event import session_before
from hepatrail_projections.facts import AdverseEventFact, SubjectView
from hepatrail_services.safety import identity
from hepatrail_services.safety.lifecycle import flags, priority

_CENT = Decimal("0.01")
_SECONDS_AN_HOUR = 3600
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Occasion:
    """A commit as its alerts tell of it: its last envelope, the participant after it, the time zone of the sites."""

    envelope: Envelope
    after: SubjectView
    zone: ZoneInfo


def adverse_event_alert(
    occasion: Occasion,
    before: AdverseEventFact | None,
    after: AdverseEventFact,
    types: tuple[AlertType, ...],
    also: tuple[AlertChange, ...] = (),
) -> AlertContent:
    """The alert of the types that apply to one adverse event; `also` are changes of the commit beyond it."""
    envelope, reported, zone = occasion.envelope, after.reported, occasion.zone
    session_id = session_before(occasion.after.sessions, reported.onset, zone)
    since_start, since_end = None, None
    if session_id is not None and (onset := reported.onset.instant) is not None:
        session = occasion.after.sessions[session_id]
        since_start = _hours(session.started.started_at, onset)
        since_end = None if session.ended_at is None else _hours(session.ended_at, onset)
    return AlertContent(
        alert_id=identity.adverse_event_alert(reported.ae_id, envelope.commitid),
        type=types[0],
        priority=priority(types, after),
        reasons=(*types, *flags(after)),
        raised_at=envelope.recordedat,
        commit_id=envelope.commitid,
        reporter_id=envelope.actorid,
        subject_id=occasion.after.subject_id,
        site_id=occasion.after.site_id,
        ae_id=reported.ae_id,
        ae_version=after.version,
        code=reported.code,
        verbatim=reported.verbatim,
        grade=after.current_grade(zone),
        max_grade=after.max_grade,
        criteria=after.criteria,
        outcome=after.outcome,
        onset=reported.onset,
        session_id=session_id,
        hours_from_session_start=since_start,
        hours_from_session_end=since_end,
        action_taken=after.action_taken,
        causality=_causality(after),
        expectedness=after.expectedness,
        aware_at=after.serious_aware_at or reported.aware_at,
        changes=(*_changes(before, after, zone), *also),
        detail=None,
    )


def participant_alert(
    occasion: Occasion, kind: AlertType, *, aware_at: datetime, changes: tuple[AlertChange, ...]
) -> AlertContent:
    """The P1 alert of a death that no adverse event carries."""
    envelope, after = occasion.envelope, occasion.after
    return AlertContent(
        alert_id=identity.death_alert(after.subject_id, envelope.commitid),
        type=kind,
        priority=Priority.P1,
        reasons=(kind,),
        raised_at=envelope.recordedat,
        commit_id=envelope.commitid,
        reporter_id=envelope.actorid,
        subject_id=after.subject_id,
        site_id=after.site_id,
        aware_at=aware_at,
        changes=changes,
        detail=None,
    )


def text_of(when: PartialDate) -> str:
    """A date as a change shows it: as far as it is known."""
    return when.value or when.precision.value


def _changes(before: AdverseEventFact | None, after: AdverseEventFact, zone: ZoneInfo) -> tuple[AlertChange, ...]:
    if before is None:
        return ()
    old, new = _shown(before, zone), _shown(after, zone)
    return tuple(
        AlertChange(field=name, old=_short(old.get(name)), new=_short(shown))
        for name, shown in new.items()
        if old.get(name) != shown
    )


def _causality(fact: AdverseEventFact) -> tuple[AlertCausality, ...]:
    """The judgements in force, the investigator's first, in the order of the targets."""
    in_force = fact.causality_in_force
    return tuple(
        AlertCausality(assessor=assessor, target=target, value=in_force[assessor, target].value)
        for assessor in Assessor
        for target in CausalityTarget
        if (assessor, target) in in_force
    )


def _shown(fact: AdverseEventFact, zone: ZoneInfo) -> dict[str, str | None]:
    reported = fact.reported
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
        **{f"causality.{each.assessor}.{each.target}": each.value.value for each in _causality(fact)},
        "voided": None if fact.voided is None else fact.voided.event.reason_code.value,
    }


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _short(value: str | None) -> str | None:
    return None if value is None else value[:_MAX_TEXT]


def _hours(begin: datetime, onset: datetime) -> str:
    """Hours to two decimals, by the minute as onset is; negative when onset lies before `begin`, a session's end."""
    hours = Decimal((onset - begin.replace(second=0, microsecond=0)).total_seconds()) / _SECONDS_AN_HOUR
    return f"{hours.quantize(_CENT, ROUND_HALF_EVEN) + 0:f}"
