"""Interventions as the record shows them: what began, when, and which events say so.

Decided here, because the reference leaves room:

- Dialysis and filtration are procedures; a transfusion is a medication of ATC B05AX, a vasopressor one of ATC C01CA or
  an infusion at the bedside; ventilation is a respiratory support of niv, imv or ecmo_resp, or a coma scale that could
  not be tested for intubation.
- Plasma exchange and albumin dialysis are none: they are given, as the trial's treatment is, for the failing liver, and
  would be asked about all the time. A procedure of kind OTHER says what it was in sealed text, which no rule reads.
- One begins when none of its sort began within the 7 days before it (the span of the MELD rule for dialysis): the next
  dialysis of a course is no new intervention.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from hepatrail_events.assessments import TransplantDone
from hepatrail_events.concomitant import MedicationRecorded, ProcedureKind, ProcedureRecorded
from hepatrail_events.measurements import NotTestable
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.radar.course import Version, versions
from hepatrail_projections.clinical.radar.known import Known
from hepatrail_projections.clinical.radar.sighting import About
from hepatrail_projections.clinical.scores.periods import collected_range
from hepatrail_projections.corrections import Record
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import ResultFact

_APART = timedelta(days=7)
_MINUTE = timedelta(minutes=1)
_PROCEDURES: Mapping[ProcedureKind, str] = {
    ProcedureKind.HD: "dialysis",
    ProcedureKind.CVVHD: "dialysis",
    ProcedureKind.CVVHDF: "dialysis",
    ProcedureKind.CVVH: "dialysis",
}
_MEDICATIONS = {"B05AX": "transfusion", "C01CA": "vasopressor"}
_SUPPORTED = frozenset({"niv", "imv", "ecmo_resp"})
_DOSES = ("dopamine_dose", "dobutamine_dose", "epinephrine_dose", "norepinephrine_dose")
_COMA_SCALE = ("gcs_eye", "gcs_verbal", "gcs_motor")


class Intervention(NamedTuple):
    """One version of something that was done: its sort, the first and last instant of its begin, and its events."""

    sort: str
    about: About
    first: datetime
    last: datetime
    since: datetime
    event_ids: tuple[UUID, ...]
    version: Version[object]


def interventions_of(known: Known) -> list[Intervention]:
    """Every version of everything that was done, by begin."""
    found = [*_procedures(known), *_medications(known), *_transplants(known), *_bedside(known)]
    return sorted(found, key=lambda each: (each.first, each.since, each.about))


def begun(interventions: Iterable[Intervention]) -> Iterator[Intervention]:
    """Those, of interventions of one sort by begin, before which none began within 7 days."""
    latest: datetime | None = None
    for each in interventions:
        if latest is None or each.first - latest > _APART:
            yield each
        latest = each.last if latest is None else max(latest, each.last)


def _procedures(known: Known) -> Iterator[Intervention]:
    for procedure_id, record in known.view.procedures.items():
        for version in _of_record(known, "procedures", procedure_id, record):
            fact: ProcedureRecorded = version.fact.fact
            sort = _PROCEDURES.get(fact.kind)
            if sort is not None:
                about = About(QueryObject.PROCEDURE, procedure_id)
                yield from _dated(sort, about, fact.started_at, version, known)


def _medications(known: Known) -> Iterator[Intervention]:
    for medication_id, record in known.view.medications.items():
        for version in _of_record(known, "medications", medication_id, record):
            fact: MedicationRecorded = version.fact.fact
            sort = _MEDICATIONS.get((fact.atc or "")[:5])
            if sort is not None:
                about = About(QueryObject.MEDICATION, medication_id)
                yield from _dated(sort, about, fact.started_at, version, known)


def _transplants(known: Known) -> Iterator[Intervention]:
    for event_id, record in known.view.assessments.items():
        for version in _of_record(known, "assessments", event_id, record):
            fact = version.fact.fact
            if isinstance(fact, TransplantDone):
                about = About(QueryObject.ASSESSMENT, event_id)
                yield from _dated("liver transplantation", about, fact.transplant_at, version, known)


def _of_record(known: Known, name: str, object_id: UUID, record: Record[Any]) -> Iterator[Version[Record[Any]]]:
    earlier = known.view.superseded.get((name, object_id), ())
    for version in versions(record, earlier, record.recorded_at, record.event_ids[0]):
        if version.fact.voided is None:
            yield version


def _dated(
    sort: str, about: About, started: PartialDate, version: Version[Record[Any]], known: Known
) -> Iterator[Intervention]:
    """The intervention; one of an unknown begin cannot be held against anything."""
    begin = span(started, known.zone)
    if begin is not None:
        ids = version.fact.event_ids
        yield Intervention(sort, about, begin[0], begin[1] - _MINUTE, version.since, ids, version)


def _bedside(known: Known) -> Iterator[Intervention]:
    for code in ("respiratory_support", "vasoactive_given", "other_vasoactive", *_DOSES):
        for version in known.usable((code,)):
            sort = _sort(version.fact)
            if sort is not None:
                yield _observed(sort, version, known)
    for code in _COMA_SCALE:
        for version in known.usable((code,)):
            if version.fact.nt_reason == NotTestable.INTUBATED:
                yield _observed("ventilation", version, known)


def _sort(fact: ResultFact) -> str | None:
    value = fact.canonical.value
    match fact.code:
        case "respiratory_support":
            return "ventilation" if value in _SUPPORTED else None
        case "vasoactive_given":
            return "vasopressor" if value == "yes" else None
        case "other_vasoactive":
            return "vasopressor"
        case _:
            return "vasopressor" if not isinstance(value, str) and value else None


def _observed(sort: str, version: Version[ResultFact], known: Known) -> Intervention:
    fact = version.fact
    first, last = collected_range(fact.observation.collected, known.zone)
    kind = QueryObject.OBSERVATION if fact.sample.observed else QueryObject.LAB_FINDING
    return Intervention(sort, About(kind, fact.result_id), first, last, version.since, fact.event_ids, version)
