"""Whether a participant was in hospital, as far as blood gases say it (`queries/admission.py` decides the same).

No event says when a participant came or went. A blood gas that was taken shows an inpatient, one that was left out as
OUTPATIENT_NO_ABG an outpatient; participants "are usually already inpatients" (`safety.md` 2.3), so one counts as an
inpatient until the first that was left out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from hepatrail_events.measurements import NotDone
from hepatrail_projections.clinical.radar.course import Version
from hepatrail_projections.clinical.radar.known import Known
from hepatrail_projections.clinical.scores.periods import collected_range
from hepatrail_projections.facts import ResultFact


class Gas(NamedTuple):
    """One version of a blood gas: the first and the last instant that it can be of, and what it shows."""

    version: Version[ResultFact]
    first: datetime
    last: datetime
    outpatient: bool


def gases_of(known: Known) -> list[Gas]:
    """The blood gases that show something, by time; the rows of one gas that stood equally long count once."""
    found: dict[tuple[object, ...], Gas] = {}
    for code in dict.fromkeys(known.state.published.protocol.visits.no_abg_inputs):
        for version in known.results.get(code, ()):
            fact = version.fact
            outpatient = fact.not_done == NotDone.OUTPATIENT_NO_ABG
            if fact.voided is None and (outpatient or fact.observation.unusable is None):
                gas = Gas(version, *collected_range(fact.observation.collected, known.zone), outpatient)
                found.setdefault((fact.sample, version.since, version.until, outpatient), gas)
    return sorted(found.values(), key=lambda each: (each.first, each.version.since))


def outpatient_at(gases: Sequence[Gas], when: datetime) -> Gas | None:
    """The last gas before a moment, where it shows an outpatient."""
    before = [each for each in gases if each.first < when]
    return before[-1] if before and before[-1].outpatient else None
