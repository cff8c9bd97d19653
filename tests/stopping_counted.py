"""What counts for stopping rules of the adverse events of one treated participant."""

from datetime import timedelta
from typing import Any

from builders.adverse_events import ae_causality
from builders.ids import AE
from builders.study import site_activated
from builders.times import NOW, at
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import StoppingFact
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import EMPTY_STUDY, PublishedProtocol, fold_study
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.safety.stopping_facts import contribution
from specification import By, recorded
from stopping import protocol_with
from stopping_world import TREATED, reaction

S = "S-001"
ALL = ("SR1", "SR2", "SR3", "SR4", "SR5", "SR6")


def under(*rules: Any) -> PublishedProtocol:
    """A protocol in force that enables these rules."""
    view = EMPTY_STUDY
    for number, event in enumerate((protocol_with(*rules), site_activated()), start=1):
        view = fold_study(view, recorded(STUDY, number, By(event, recorded_at=at(days=200))))
    found = view.published_at(NOW)
    assert found is not None
    return found


def view_of(*events: Event) -> SubjectView:
    """What is known of the participant after these events."""
    return fold_all(S, [recorded(subject_stream(S), number, By(event)) for number, event in enumerate(events, start=1)])


def facts(*events: Event, rules: tuple[Any, ...] = ALL) -> tuple[StoppingFact, ...]:
    """What a treated participant contributes after further events."""
    return contribution(view_of(*TREATED, *events), under(*rules)).adverse_events


def counted(*events: Event, rules: tuple[Any, ...] = ALL) -> set[str]:
    """The rules for which that counts."""
    return {rule_id for fact in facts(*events, rules=rules) for rule_id in fact.rule_ids}


def ae(**changes: Any) -> Event:
    """An adverse event in the session."""
    return reaction(**{"aeId": str(AE), **changes})


def after_end(**later: float) -> dict[str, str]:
    """An onset so long after the end of the session, which was an hour before NOW."""
    moment = at(hours=1) + timedelta(**later)
    return {"value": f"{moment:%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}


def with_onset(onset: dict[str, str], **changes: Any) -> Event:
    """One that began then, its grade of unknown time."""
    return ae(**{**changes, "onset": onset, "gradeAt": None})


def judged_as(value: str, version: int = 2) -> tuple[Event, ...]:
    """The investigator's word on both targets."""
    return tuple(
        ae_causality(version + number, target=target, value=value)
        for number, target in enumerate(("CELL_PRODUCT", "DEVICE"))
    )
