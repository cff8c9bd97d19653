"""Everything of a participant that a query may be about, void records included, by kind."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.samples import sample_of


def _rows(view: SubjectView, *, observed: bool) -> Iterable[UUID]:
    return (each.result_id for each in view.results.values() if each.sample.observed is observed)


def _samples(view: SubjectView, *, laboratory: bool) -> Iterable[UUID]:
    facts = (each for each in view.results.values() if (each.sample.sample_id is not None) is laboratory)
    return dict.fromkeys(sample_of(each) for each in facts)


OBJECTS: Mapping[QueryObject, Callable[[SubjectView], Iterable[UUID]]] = {
    QueryObject.ENROLMENT: lambda view: view.enrolment_event_ids,
    QueryObject.SESSION: lambda view: view.sessions,
    QueryObject.LAB_RESULT: lambda view: _rows(view, observed=False),
    QueryObject.LAB_FINDING: lambda view: view.results,
    QueryObject.OBSERVATION: lambda view: _rows(view, observed=True),
    QueryObject.SAMPLE: lambda view: _samples(view, laboratory=True),
    QueryObject.OBSERVATIONS: lambda view: _samples(view, laboratory=False),
    QueryObject.ASSESSMENT: lambda view: view.assessments,
    QueryObject.DEATH: lambda view: () if view.death_record is None else view.death_record.event_ids,
    QueryObject.PROCEDURE: lambda view: view.procedures,
    QueryObject.MEDICATION: lambda view: view.medications,
    QueryObject.ADVERSE_EVENT: lambda view: view.adverse_events,
    QueryObject.SPONSOR_NOTIFICATION: lambda view: (each.event_ids[0] for each in view.notifications),
}
"""The ids of the objects of a kind; of those known by an event, any event that may have recorded one."""
