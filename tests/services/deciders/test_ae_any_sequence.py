"""Whatever is asked of adverse events and of the death, in whatever order: the invariants hold (`safety.md` 4.2)."""

from collections import Counter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.adverse_events import ae_reported
from builders.commands import command_input
from builders.ids import SUBJECT
from builders.participant import consent
from builders.times import NOW, day, iso, minute
from hepatrail_events.adverse_events import AEVoided, AEVoidRequested, Criterion, Outcome
from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_services.command import read_command
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.catalogue import COMMANDS, decide, evolve
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.deciders.subject import SubjectState
from hepatrail_services.deciders.times import is_later, same_time
from specification import READY, By, fold, recorded

STREAM = subject_stream(SUBJECT)
ZONE = ZoneInfo("Asia/Shanghai")
ENDED = {Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE, Outcome.FATAL}
DAYS = st.integers(0, 6)
WHEN = DAYS.map(lambda days: minute(days=days)) | st.sampled_from(
    [day("2026-03-18"), day("2026-03-16"), {"value": "2026-03", "precision": "MONTH"}, {"precision": "UNKNOWN"}]
)
INSTANTS = DAYS.map(lambda days: iso(days=days))
CRITERIA = st.lists(st.sampled_from(["DEATH", "HOSPITALISATION", "LIFE_THREATENING"]), max_size=2)
OUTCOMES = st.sampled_from(["RECOVERED", "NOT_RECOVERED", "RECOVERING", "FATAL"])
CODES = st.sampled_from(["FEVER", "SEPSIS", "PALPITATIONS", "DEATH_NOS"])
CORRECTIONS = st.sampled_from(
    [
        ("onset", "2026-03-16"),
        ("onset", "UNKNOWN"),
        ("outcome", "RECOVERING"),
        ("outcome", "FATAL"),
        ("endAt", "2026-03-19"),
        ("endAt", None),
        ("code", "SEPSIS"),
        ("code", "PALPITATIONS"),
        ("awareAt", iso(days=2)),
    ]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "awareAt": INSTANTS,
    "onset": WHEN,
    "endAt": WHEN,
    "deathAt": WHEN,
    "gradeAt": WHEN,
    "seriousSince": WHEN,
    "grade": st.integers(1, 5),
    "toGrade": st.integers(1, 5),
    "code": CODES,
    "criteria": CRITERIA,
    "added": CRITERIA,
    "removed": CRITERIA,
    "outcome": OUTCOMES,
    "revived": st.booleans(),
    "death": st.fixed_dictionaries({"deathAt": WHEN, "primaryCause": st.booleans()}),
}
NAMES = sorted(name for name in COMMANDS if "AdverseEvent" in name or "AeVoid" in name or "Death" in name)
NAMES += ["changeSeriousnessCriteria", "reportAdverseEvent", "recordDeath", "correctDeathRecord"]
FATAL = {"code": "SEPSIS", "grade": 5, "gradeAt": minute(days=2), "outcome": "FATAL", "criteria": ["DEATH"]}


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, dict[str, Any], Role, str]:
    """A command with some of its fields drawn anew, and somebody who asks."""
    name = draw(st.sampled_from(NAMES))
    fields = {str(field.alias) for field in COMMANDS[name].model_fields.values()} & VALUES.keys()
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=3)) if fields else []
    changes = {field: draw(VALUES[field]) for field in chosen}
    if name == "reportAdverseEvent" and draw(st.booleans()):
        changes = FATAL | {"death": {"deathAt": minute(days=2), "primaryCause": draw(st.booleans())}}
    if name == "correctAdverseEvent":
        changes["field"], changes["newValue"] = draw(CORRECTIONS)
    return name, changes, draw(st.sampled_from(sorted(COMMANDS[name].ROLES))), draw(st.sampled_from(["u-1", "u-2"]))


def _with_ids(
    name: str, changes: dict[str, Any], state: SubjectState, number: int, data: st.DataObject
) -> dict[str, Any]:
    """The input led to what is on record: its ids are drawn from the state."""
    events = state.adverse_events.events
    body = command_input(name, **changes, commandId=str(UUID(int=number)))
    if not events:
        return body
    ids = st.sampled_from(sorted(events))
    if "aeId" in body:
        body["aeId"] = str(data.draw(ids))
        points = events[UUID(body["aeId"])].grades
        if "gradeEventId" in body and points:
            body["gradeEventId"] = str(data.draw(st.sampled_from(points)).event_id)
    if name == "recordDeath":
        listed = data.draw(st.lists(ids, unique=True, max_size=2))
        body |= {"fatalAes": [{"aeId": str(ae_id), "code": "SEPSIS"} for ae_id in listed]}
        body |= {"primaryCauseAeId": str(listed[0])} if listed else {}
    if name == "correctDeathRecord":
        if body["revived"]:
            body = {key: value for key, value in body.items() if key not in ("autopsyDone", "deathAt")}
        body["aes"] = [_taken(data, ae_id) for ae_id in data.draw(st.lists(ids, unique=True, max_size=3))]
        if not body["revived"] and data.draw(st.booleans()):
            body["primaryCauseAeId"] = str(data.draw(ids))
    return body


def _taken(data: st.DataObject, ae_id: UUID) -> dict[str, Any]:
    if data.draw(st.booleans()):
        return {"aeId": str(ae_id), "grade": 5, "outcome": "FATAL", "criteria": ["DEATH"]}
    criteria = data.draw(CRITERIA)
    return {"aeId": str(ae_id), "outcome": data.draw(OUTCOMES), "criteria": criteria, "endAt": minute(days=1)}


@settings(max_examples=60, deadline=None)
@given(st.lists(asked(), min_size=10, max_size=40), st.data())
def test_inv_01_to_inv_14_and_inv_21_hold_after_any_sequence(sequence: list[Any], data: st.DataObject) -> None:
    study = fold(STUDY, READY)
    log = [By(consent()), By(ae_reported())]
    state = fold(STREAM, log)
    assert isinstance(study, StudyState)
    for number, (name, changes, role, who) in enumerate(sequence):
        assert isinstance(state, SubjectState)
        body = _with_ids(name, changes, state, number, data)
        actor = Actor(id=who, role=role, org="BFH", sites=("*",))
        try:
            command = read_command(COMMANDS[name], body)
            events = decide(state, study, command, Context(NOW, actor, command.command_id, NOW))
        except CommandRejected as rejection:
            assert rejection.message
            continue
        for event in events:
            log.append(By(event, role, NOW, who))
            state = evolve(state, recorded(STREAM, len(log), log[-1]))
    assert isinstance(state, SubjectState)
    assert fold(STREAM, log) == state
    _hold_for_each(state, log)
    _hold_for_the_death(state)
    _hold_for_voids(log)


def _hold_for_each(state: SubjectState, log: list[By]) -> None:
    counted = Counter(fact.event.payload()["aeId"] for fact in log if "aeVersion" in fact.event.payload())
    for ae_id, event in state.adverse_events.events.items():
        assert event.version == counted[str(ae_id)]
        assert Criterion.DEATH not in event.sponsor.criteria
        if event.voided:
            continue
        dead = event.outcome is Outcome.FATAL
        assert dead == (event.max_grade == 5) == (Criterion.DEATH in event.investigator.criteria)
        assert not dead or event.grade_in_force(ZONE) == 5
        assert (event.end_at is not None) == (event.outcome in ENDED)
        _in_order(event)


def _in_order(event: AdverseEvent) -> None:
    times: list[Any] = [event.report.aware_at, *(point.grade_at for point in event.grades)]
    times += [found.since for found in (event.investigator, event.sponsor) if found.since is not None]
    for when in times:
        assert not is_later(event.onset, when, ZONE)
        assert not is_later(when, NOW, ZONE)
    if event.end_at is not None:
        assert not any(is_later(point.grade_at, event.end_at, ZONE) for point in event.grades)
        assert not is_later(event.onset, event.end_at, ZONE)


def _hold_for_the_death(state: SubjectState) -> None:
    fatal, death = state.adverse_events.fatal(), state.assessments.death
    if death is None:
        assert not fatal
        return
    assert death.primary_cause_ae_id in (fatal or {None})
    for event in state.adverse_events.standing().values():
        assert not is_later(event.onset, death.death_at, ZONE)
        if event.fatal:
            assert event.end_at is not None
            assert same_time(event.end_at, death.death_at, ZONE)


def _hold_for_voids(log: list[By]) -> None:
    void: set[UUID] = set()
    serious: set[UUID] = set()
    requesters: dict[UUID, str] = {}
    for fact in log:
        event, ae_id = fact.event, getattr(fact.event, "ae_id", None)
        if ae_id is None:
            continue
        assert ae_id not in void, "INV-11"
        if getattr(event, "criteria", ()) or getattr(event, "added", ()):
            serious.add(ae_id)
        if isinstance(event, AEVoidRequested):
            requesters[ae_id] = fact.who
        if isinstance(event, AEVoided):
            void.add(ae_id)
            assert (ae_id in serious) == (event.co_signer is not None)
            assert ae_id not in serious or requesters[ae_id] != event.co_signer == fact.who
