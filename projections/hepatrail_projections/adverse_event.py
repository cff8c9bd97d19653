"""`adverse_event`: an adverse event in its latest state, with what follows from it (`safety.md` sections 3 to 5.1, 9).

Clocks, open queries and the last alert belong to other tables and join it when it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Expectedness, Outcome
from hepatrail_events.ae_terms import is_special_interest
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.types import PartialDate
from hepatrail_projections import adverse_event_json as as_json
from hepatrail_projections.clinical.adverse_events.derived import DerivedAdverseEvent, Treatment, derived
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import AdverseEventFact, SessionFact, SubjectView
from hepatrail_projections.partial_dates import civil_minute, known_parts, order_key
from hepatrail_projections.table import Json, Table
from hepatrail_projections.treatment import treatment_under


@dataclass(frozen=True, slots=True)
class CountedAdverseEvent:
    """The columns of an `AdverseEventRow` by which outcomes count: a quarter of them."""

    subject_id: str
    ae_id: UUID
    reported_at: datetime
    code: str
    ctcae_term: str | None
    meddra: Json | None
    state: str
    max_grade_te: int | None
    serious: bool
    teae: bool
    te_onset: Json | None
    tesae: bool
    aesi: bool
    related: bool
    related_assessed: bool
    susar: bool
    provisional: bool
    outcome: str
    action_taken: str
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class AdverseEventRow(CountedAdverseEvent):
    """One adverse event; dates may be partial (`{value, precision}`), free text is sealed.

    `state` is OPEN, RESOLVED, FATAL or VOIDED; what a void one says stays as it was. `grades` is the timeline
    `{grade, gradeAt, eventId}` in the log's order; `current_grade` the one of the greatest `gradeAt`, `max_grade` the
    greatest of all, `max_grade_te` the greatest in the treatment-emergent window. `criteria` is
    `{INVESTIGATOR: [...], SPONSOR: [...]}`, `serious` whether their union is not empty. `causality` is the latest of
    each assessor for each target. `teae_case` is A, B, C or D, None where the event is not treatment-emergent;
    `te_flags` are gradeBaselineUnknown and postTransplant, `grade_before` is the grade in force at TE_START,
    `te_provisional` whether treatment continues, so that the window has no end yet. `related` counts as related what
    the investigator has not assessed yet, `related_assessed` does not; `provisional` is a SUSAR only for that.
    `dev_sae` is an SAE related to the device, `fatal_lt` says that DEATH or LIFE_THREATENING is in force.
    `related_session_id` is the latest session started at or before onset, `aesi` whether the code is on the trial's
    list of special interest. `void_requested`: a request waits for a second person. `derived_event_ids` are the events
    beside its own on which the derived values rest.
    """

    ae_version: int
    verbatim: Json
    onset: Json
    end_at: Json | None
    aware_at: datetime
    current_grade: int | None
    max_grade: int | None
    grades: Json
    grade_corrections: Json
    criteria: Json
    criteria_history: Json
    ever_serious: bool
    serious_since: Json | None
    serious_aware_at: datetime | None
    teae_case: str | None
    te_flags: Json
    te_provisional: bool
    grade_before: int | None
    post_transplant: bool
    exposed: bool
    unexpected: bool
    expectedness: str
    rsi: Json | None
    fatal_lt: bool
    dev_sae: bool
    frequency_worsened_at: Json | None
    reporter: str
    reporter_id: str
    age_years: int | None
    causality: Json
    causality_history: Json
    follow_ups: Json
    reopenings: Json
    corrections: Json
    baseline_condition_id: UUID | None
    recurrence_of: UUID | None
    replaces: UUID | None
    duplicate_of: UUID | None
    onset_before_first_session: bool | None
    related_session_id: UUID | None
    ongoing_at_death: bool
    void_requested: bool
    void_request: Json | None
    void: Json | None
    protocol_version: str | None
    derived_event_ids: tuple[UUID, ...]


ADVERSE_EVENT = Table("adverse_event", AdverseEventRow, ("subject_id", "ae_id"), indexes=("(ae_id)",))
COUNTED_ADVERSE_EVENT = Table("adverse_event", CountedAdverseEvent, ("subject_id", "ae_id"))
"""The same table, read in part; only `ADVERSE_EVENT` makes and writes it."""

_UTC = ZoneInfo("UTC")
_ENDED = frozenset({Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE})


def adverse_event_rows(view: SubjectView, state: ClinicalState | None) -> tuple[AdverseEventRow, ...]:
    """All adverse events in the order in which they were reported, each derived anew from what is known now."""
    treatment = treatment_of(view, state)
    version = None if state is None else state.published.version
    starts = session_starts(view.sessions, treatment.zone)
    return tuple(
        _row(
            view,
            fact,
            treatment,
            derived(fact, view.baseline_conditions, treatment),
            session_before(starts, fact.reported.onset, treatment.zone),
            version,
        )
        for fact in view.adverse_events.values()
    )


def treatment_of(view: SubjectView, state: ClinicalState | None) -> Treatment:
    """What every adverse event of the participant is held against; without a protocol nobody counts as treated."""
    if state is None:
        return Treatment(None, None, SafetyRules(), _UTC)
    transplant = next((stop for stop in state.stops if stop.cause == "TRANSPLANT"), None)
    return treatment_under(view.sessions, transplant, state.published.protocol.safety, state.zone)


def state_of(fact: AdverseEventFact) -> str:
    """OPEN, RESOLVED, FATAL or VOIDED."""
    if fact.voided is not None:
        return "VOIDED"
    if fact.outcome is Outcome.FATAL:
        return "FATAL"
    return "RESOLVED" if fact.outcome in _ENDED else "OPEN"


Starts: TypeAlias = Sequence[tuple[tuple[int, ...], UUID]]
"""The civil minute at which each session that is not void started, the latest first."""


def session_starts(sessions: Mapping[UUID, SessionFact], zone: ZoneInfo) -> Starts:
    """The starts of a participant's sessions, against which each adverse event is held."""
    standing = ((fact.started.started_at, session_id) for session_id, fact in sessions.items() if fact.voided is None)
    return [(civil_minute(at, zone), session_id) for at, session_id in sorted(standing, reverse=True)]


def session_before(starts: Starts, onset: PartialDate, zone: ZoneInfo) -> UUID | None:
    """The latest session that is not void and started at or before onset, compared at the coarser precision."""
    known = known_parts(onset)
    if known == 0:
        return None
    began = order_key(onset, zone)[:known]
    return next((session_id for start, session_id in starts if start[:known] <= began), None)


def _row(
    view: SubjectView,
    fact: AdverseEventFact,
    treatment: Treatment,
    found: DerivedAdverseEvent,
    session_id: UUID | None,
    version: str | None,
) -> AdverseEventRow:
    reported, emergence, predicates, zone = fact.reported, found.emergence, found.predicates, treatment.zone
    voided = fact.voided
    return AdverseEventRow(
        subject_id=view.subject_id,
        ae_id=reported.ae_id,
        ae_version=fact.version,
        reported_at=fact.reported_at,
        code=reported.code,
        ctcae_term=reported.ctcae_term,
        meddra=as_json.entry(fact.coding),
        verbatim=reported.verbatim.payload(),
        onset=reported.onset.payload(),
        end_at=as_json.optional(fact.end_at),
        aware_at=reported.aware_at,
        state=state_of(fact),
        current_grade=fact.current_grade(zone),
        max_grade=fact.max_grade,
        max_grade_te=emergence.max_grade,
        grades=as_json.grades(fact),
        grade_corrections=as_json.grade_corrections(fact),
        criteria=as_json.criteria(fact),
        criteria_history=as_json.criteria_history(fact),
        serious=fact.serious,
        ever_serious=fact.ever_serious,
        serious_since=as_json.optional(fact.serious_since),
        serious_aware_at=fact.serious_aware_at,
        teae=emergence.teae,
        teae_case=None if emergence.case is None else emergence.case.value,
        te_onset=as_json.optional(emergence.onset),
        te_flags=[flag.value for flag in emergence.flags],
        te_provisional=treatment.window is not None and treatment.window.provisional,
        grade_before=emergence.grade_before,
        tesae=emergence.tesae,
        post_transplant=found.post_transplant,
        aesi=is_special_interest(reported.code),
        exposed=predicates.exposed,
        related=predicates.related,
        related_assessed=predicates.related_assessed,
        unexpected=fact.expectedness is not Expectedness.EXPECTED,
        expectedness=fact.expectedness.value,
        rsi=as_json.rsi(fact),
        susar=predicates.susar,
        provisional=predicates.provisional,
        fatal_lt=predicates.fatal_lt,
        dev_sae=predicates.dev_sae,
        outcome=fact.outcome.value,
        action_taken=fact.action_taken.value,
        frequency_worsened_at=as_json.optional(fact.frequency_worsened_at),
        reporter=reported.reporter,
        reporter_id=fact.reporter_id,
        age_years=reported.age_years,
        causality=as_json.causality(fact),
        causality_history=as_json.causality_history(fact),
        follow_ups=as_json.entries(fact.follow_ups),
        reopenings=as_json.entries(fact.reopenings),
        corrections=[made.json() for made in fact.corrections],
        baseline_condition_id=reported.baseline_condition_id,
        recurrence_of=reported.recurrence_of,
        replaces=reported.replaces,
        duplicate_of=None if voided is None else voided.event.duplicate_of,
        onset_before_first_session=reported.onset_before_first_session,
        related_session_id=session_id,
        ongoing_at_death=view.death is not None and state_of(fact) == "OPEN",
        void_requested=fact.void_request is not None and voided is None,
        void_request=as_json.entry(fact.void_request),
        void=as_json.entry(voided),
        protocol_version=version,
        event_ids=fact.event_ids,
        derived_event_ids=found.event_ids,
    )
