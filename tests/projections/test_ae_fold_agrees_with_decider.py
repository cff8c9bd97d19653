"""What is read of an adverse event is what it was decided on: the fold and the deciders' state after any history."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.adverse_events import Assessor
from hepatrail_events.codec import Recorded, read
from hepatrail_events.families import FAMILIES
from hepatrail_events.streams import subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.deciders.ae_state import AdverseEvent, AdverseEventsState, Origin, applied, assessor_of
from trial_history import history

ZONE = site_zone("Asia/Shanghai")
OF_ADVERSE_EVENTS = frozenset(kind.__name__ for kind in FAMILIES["adverse_events"])


def decided(events: list[Recorded]) -> AdverseEventsState:
    state = AdverseEventsState()
    for recorded in events:
        envelope = recorded.envelope
        if envelope.type in OF_ADVERSE_EVENTS:
            origin = Origin(envelope.id, assessor_of(envelope.actorrole), envelope.actorid)
            state = applied(state, recorded.event, origin)  # type: ignore[arg-type]
    return state


def as_decided(event: AdverseEvent) -> tuple[object, ...]:
    return (
        event.version,
        event.report,
        [(point.event_id, point.grade, point.grade_at) for point in event.grades],
        event.grade_in_force(ZONE),
        event.max_grade,
        event.investigator.criteria,
        event.sponsor.criteria,
        event.ever_serious,
        event.voided,
    )


def as_read(fact: AdverseEventFact) -> tuple[object, ...]:
    return (
        fact.version,
        fact.reported,
        [(point.event_id, point.grade, point.grade_at) for point in fact.grades],
        fact.current_grade(ZONE),
        fact.max_grade,
        frozenset(fact.criteria_of(Assessor.INVESTIGATOR)),
        frozenset(fact.criteria_of(Assessor.SPONSOR)),
        fact.ever_serious,
        fact.voided is not None,
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_fold_and_the_decider_say_the_same_of_every_adverse_event(seed: int) -> None:
    log = history(seed, subjects=1, steps=80)
    events = [read(each.value or b"") for each in log.records if each.topic == EVENTS]
    own = [each for each in events if each.envelope.stream == subject_stream("S-00")]
    read_side = fold_all("S-00", own).adverse_events
    assert {ae_id: as_read(fact) for ae_id, fact in read_side.items()} == {
        ae_id: as_decided(event) for ae_id, event in decided(own).events.items()
    }
