"""The detectors, written out: what each finds, in which version, and all that it may be about.

A version rises whenever its detector finds something else; what a monitor closed for an older one is open again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hepatrail_projections.clinical.radar import (
    fatality,
    grade_four,
    intervention,
    liver,
    reported_grade,
    stay,
    unreviewed,
)
from hepatrail_projections.clinical.radar.course import Run
from hepatrail_projections.clinical.radar.known import Known
from hepatrail_projections.clinical.radar.sighting import About, FindingKind, Sighting
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView


@dataclass(frozen=True, slots=True)
class Detector:
    """What finds one kind."""

    kind: FindingKind
    version: str
    find: Callable[[Known], Iterator[tuple[About, Run]]]


DETECTORS: tuple[Detector, ...] = (
    Detector(FindingKind.FATAL_WITHOUT_DEATH_CRITERION, "1", fatality.without_criterion),
    Detector(FindingKind.FATAL_WITHOUT_DEATH_RECORD, "1", fatality.without_record),
    Detector(FindingKind.DEATH_WITHOUT_FATAL_EVENT, "1", fatality.without_fatal_event),
    Detector(FindingKind.STAY_WITHOUT_HOSPITALISATION, "1", stay.without_hospitalisation),
    Detector(FindingKind.INTERVENTION_WITHOUT_SERIOUS_EVENT, "1", intervention.without_serious_event),
    Detector(FindingKind.GRADE_4_WITHOUT_CRITERION, "1", grade_four.without_criterion),
    Detector(FindingKind.GRADE_4_WITHOUT_CAUSALITY, "1", grade_four.without_causality),
    Detector(FindingKind.LAB_GRADE_ABOVE_REPORTED, "1", reported_grade.above_reported),
    Detector(FindingKind.LAB_GRADE_UNREVIEWED, "1", unreviewed.unreviewed),
    Detector(FindingKind.HYS_LAW, "1", liver.hys_law),
)


def sightings(view: SubjectView, state: ClinicalState) -> tuple[Sighting, ...]:
    """Every finding of a participant under one protocol version, those whose condition is gone included.

    Asked for the same view and state again, as rows and queries of one derivation do, the answer is remembered.
    """
    remembered = _LAST[0]
    if remembered is None or remembered[0] is not view or remembered[1] is not state:
        remembered = _LAST[0] = (view, state, tuple(_sighted(view, state)))
    return remembered[2]


_LAST: list[tuple[SubjectView, ClinicalState, tuple[Sighting, ...]] | None] = [None]


def _sighted(view: SubjectView, state: ClinicalState) -> Iterator[Sighting]:
    known = Known(view, state)
    for detector in DETECTORS:
        for about, run in detector.find(known):
            at, by = (None, None) if run.gone is None else run.gone
            yield Sighting(detector.kind, detector.version, about, run.seen, run.opened_at, run.waits, at, by)
