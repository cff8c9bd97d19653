"""Whether a participant was an outpatient: no event says so, but a blood gas that was not taken for that reason does.

Decided here, because the reference leaves room: participants "are usually already inpatients" (`safety.md` 2.3), so
one counts as an inpatient until an arterial blood gas is recorded as OUTPATIENT_NO_ABG, and again from the next one
that was taken.
"""

from uuid import UUID

from hepatrail_events.measurements import NotDone
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.scores.periods import collected_range
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView


class Admission:
    """The blood gases of a participant, read once for all moments that are asked about."""

    def __init__(self, view: SubjectView, state: ClinicalState) -> None:
        gases = frozenset(state.published.protocol.visits.no_abg_inputs)
        self._zone = state.zone
        self._taken = [
            (collected_range(fact.observation.collected, state.zone).first, fact)
            for fact in view.results.values()
            if fact.code in gases and fact.voided is None
        ]

    def outpatient_at(self, when: PartialDate) -> tuple[bool, tuple[UUID, ...]]:
        """Whether the last one at or before a time was left out for an outpatient, and the events that say so."""
        known = span(when, self._zone)
        before = [] if known is None else [each for each in self._taken if each[0] < known[1]]
        if not before:
            return False, ()
        # Of equal times the last in the log counts.
        _, latest = max(reversed(before), key=lambda each: each[0])
        return latest.not_done == NotDone.OUTPATIENT_NO_ABG, latest.event_ids
