"""Reacting looks only at what a commit may have turned: over random histories it finds what looking at all finds."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from uuid import UUID

from hepatrail_events.codec import Recorded, read
from hepatrail_events.safety_desk import AlertType
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.adverse_event import treatment_of
from hepatrail_projections.clinical.adverse_events.derived import derived
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.lab_grades import findings_of, unreviewed_findings
from hepatrail_projections.safety_course import clocks_of, protocol_under
from hepatrail_projections.study_view import EMPTY_STUDY, PublishedProtocol, StudyView, fold_study
from hepatrail_projections.subject_view import empty_view, fold
from hepatrail_services.safety.identity import lab_finding_alert
from hepatrail_services.safety.lifecycle import Standing, transitions
from hepatrail_services.safety.react import react
from safety_world import raised_alerts
from trial_history import history

_OF_EVENTS = frozenset(AlertType) - {
    AlertType.PARTICIPANT_DIED,
    AlertType.DEVICE_DEFICIENCY,
    AlertType.LAB_GRADE_UNREVIEWED,
    AlertType.SESSION_UNDER_HOLD,
}
Step = tuple[SubjectView, SubjectView, list[Recorded], PublishedProtocol]


def _steps(seed: int) -> tuple[StudyView, list[Step]]:
    """Every commit of every participant, with the participant before and after."""
    events = [read(each.value or b"") for each in history(seed, steps=400).records if each.topic == EVENTS]
    study = EMPTY_STUDY
    for each in events:
        study = fold_study(study, each) if each.envelope.stream == STUDY else study
    return study, [step for stream in _streams(events) for step in _of_stream(stream, study)]


def _streams(events: list[Recorded]) -> list[list[Recorded]]:
    by_stream: dict[str, list[Recorded]] = {}
    for each in events:
        by_stream.setdefault(each.envelope.stream, []).append(each)
    return [stream for name, stream in by_stream.items() if subject_of(name) is not None]


def _of_stream(events: list[Recorded], study: StudyView) -> Iterator[Step]:
    view = empty_view(subject_of(events[0].envelope.stream) or "")
    for _, group in groupby(events, key=lambda each: each.envelope.commitid):
        before, commit = view, list(group)
        for each in commit:
            view = fold(view, each)
        envelope = commit[-1].envelope
        published = protocol_under(study, envelope.recordedat, envelope.studyseq)
        assert published is not None
        yield before, view, commit, published


def _turned(before: SubjectView, after: SubjectView, published: PublishedProtocol) -> dict[UUID, tuple[AlertType, ...]]:
    """The types by adverse event, from all of them under the whole clinical state."""
    old, new = _all(before, published), _all(after, published)
    types = {ae_id: transitions(old.get(ae_id), standing) for ae_id, standing in new.items()}
    return {ae_id: found for ae_id, found in types.items() if found}


def _all(view: SubjectView, published: PublishedProtocol) -> Mapping[UUID, Standing]:
    treatment = treatment_of(view, clinical_state(view, published))
    return {
        ae_id: Standing(fact, derived(fact, view.baseline_conditions, treatment), published.protocol.safety)
        for ae_id, fact in view.adverse_events.items()
    }


def _found(view: SubjectView, published: PublishedProtocol) -> set[UUID]:
    findings = findings_of(unreviewed_findings(view, clinical_state(view, published)))
    return {result_id for result_id, each in findings.items() if each.priority == "P2"}


def _types(step: Step, study: StudyView) -> set[AlertType]:
    """What a step raises, once it is held to what all adverse events and all results say."""
    before, after, commit, published = step
    alerts = raised_alerts(react(before, after, commit, study, published))
    lifecycle = {each.ae_id: each for each in alerts if each.type in _OF_EVENTS}
    assert len(lifecycle) == sum(each.type in _OF_EVENTS for each in alerts), "one alert a commit and event"
    wanted = _turned(before, after, published)
    assert wanted == {ae_id: tuple(t for t in each.reasons if t in set(AlertType)) for ae_id, each in lifecycle.items()}
    told = {each.alert_id for each in alerts if each.type is AlertType.LAB_GRADE_UNREVIEWED}
    found = _found(after, published) - _found(before, published)
    assert told == {lab_finding_alert(result_id) for result_id in found}
    return {each.type for each in alerts}


def test_what_is_left_out_would_have_raised_nothing() -> None:
    seen: set[AlertType] = set()
    study, steps = _steps(seed=3)
    for step in steps:
        seen |= _types(step, study)
    assert seen >= {
        AlertType.SAE_NEW,
        AlertType.SAE_UPGRADED,
        AlertType.SAE_LIFE_THREATENING,
        AlertType.SUSAR_QUALIFIED,
        AlertType.SUSAR_DISQUALIFIED,
        AlertType.SAE_CHANGED,
        AlertType.SAE_DOWNGRADED,
        AlertType.SAE_VOIDED,
        AlertType.AESI_SEVERE,
        AlertType.LAB_GRADE_UNREVIEWED,
        AlertType.PARTICIPANT_DIED,
    }


def test_the_clocks_of_an_alert_are_those_among_all_of_the_participant() -> None:
    study, steps = _steps(seed=3)
    compared = 0
    for _, view, commit, _ in steps[::9]:
        at = commit[-1].envelope.recordedat
        for ae_id, clocks in clocks_of(view, study, at).items():
            assert clocks_of(view, study, at, [ae_id]) == {ae_id: clocks}
            compared += len(clocks)
    assert compared > 100
