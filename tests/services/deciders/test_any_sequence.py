"""Whatever is asked, in whatever order: `decide` rejects in words, `evolve` never fails, versions count events."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, SUBJECT, command_input, day, minute, row, sealed
from hepatrail_events.codec import read
from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_services.command import SubjectCommand, read_command
from hepatrail_services.deciders.catalogue import COMMANDS, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.deciders.subject import SubjectState
from specification import READY, By, fold, recorded

STREAM = subject_stream(SUBJECT)
OF_A_SUBJECT = sorted(name for name, kind in COMMANDS.items() if issubclass(kind, SubjectCommand))
HOURS = st.integers(-1, 12)
WHEN = HOURS.map(lambda hours: minute(hours=hours)) | st.sampled_from(
    [day("2026-03-20"), day("2026-03-19"), {"precision": "UNKNOWN"}, {"value": "2026", "precision": "YEAR"}]
)
INSTANTS = HOURS.map(lambda hours: (NOW - timedelta(hours=hours)).isoformat())
FIELDS = ["weightKg", "startedAt", "endedAt", "endReason", "value", "unit", "collectedAt", "notDone", "low"]
TEXTS = st.none() | INSTANTS | st.sampled_from(["61.5", "COMPLETED", "U/L", "mmol/L", "99999999", "OTHER", ""])
CRITERIA = st.lists(st.sampled_from(["DEATH", "HOSPITALISATION", "LIFE_THREATENING"]), max_size=2)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "startedAt": INSTANTS,
    "endedAt": INSTANTS,
    "at": INSTANTS,
    "awareAt": INSTANTS,
    "withdrawnAt": INSTANTS,
    "onset": WHEN,
    "endAt": WHEN,
    "deathAt": WHEN,
    "gradeAt": WHEN,
    "seriousSince": WHEN,
    "grade": st.integers(1, 5),
    "toGrade": st.integers(1, 5),
    "criteria": CRITERIA,
    "outcome": st.sampled_from(["RECOVERED", "NOT_RECOVERED", "FATAL", "UNKNOWN"]),
    "scope": st.sampled_from(["TREATMENT_ONLY", "FOLLOW_UP", "ALL_DATA_USE"]),
    "healthDataConsent": st.booleans(),
    "field": st.sampled_from(FIELDS),
    "newValue": TEXTS,
    "oldValue": TEXTS,
    "results": st.lists(
        st.sampled_from([row("alt", 130), row("alt", 99999999), row("ast", 3, unit="x"), {"code": "alt"}]),
        min_size=1,
        max_size=3,
    ),
    "death": st.fixed_dictionaries({"deathAt": WHEN, "primaryCause": st.booleans()}),
    "causality": st.just([{"target": "DEVICE", "value": "POSSIBLE", "rationale": sealed()}]),
}


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, dict[str, Any], Role]:
    """A command with some of its fields drawn anew, and somebody who asks."""
    name = draw(st.sampled_from(OF_A_SUBJECT))
    fields = {str(field.alias) for field in COMMANDS[name].model_fields.values()} & VALUES.keys()
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True)) if fields else []
    return name, {field: draw(VALUES[field]) for field in chosen}, draw(st.sampled_from(list(Role)))


def _known_ids(state: SubjectState) -> dict[str, list[UUID]]:
    return {
        "sessionId": list(state.sessions.sessions),
        "id": [*state.sessions.sessions, *state.measurements.rows],
        "resultId": list(state.measurements.rows),
        "aeId": list(state.adverse_events.events),
    }


@settings(max_examples=120, deadline=None)
@given(st.lists(asked(), min_size=5, max_size=30), st.data())
def test_any_sequence_of_commands_keeps_the_stream_whole(sequence: list[Any], data: st.DataObject) -> None:
    study = fold(STUDY, READY)
    state = initial_state(STREAM)
    log: list[By] = []
    assert isinstance(study, StudyState)
    for name, changes, drawn in [
        ("recordConsent", {}, Role.INVESTIGATOR),
        ("enrolSubject", {}, Role.INVESTIGATOR),
        *sequence,
    ]:
        assert isinstance(state, SubjectState)
        known = {field: ids for field, ids in _known_ids(state).items() if ids and field in command_input(name)}
        picked = {field: str(data.draw(st.sampled_from(ids))) for field, ids in known.items()}
        role = drawn if drawn in COMMANDS[name].ROLES or name == "recordConsent" else Role.INVESTIGATOR
        before = state
        try:
            command = read_command(COMMANDS[name], command_input(name, **picked | changes, commandId=str(uuid4())))
            actor = Actor(id="u-1", role=role, org="BFH", sites=("*",))
            events = decide(state, study, command, Context(NOW, actor, command.command_id, NOW))
        except CommandRejected as rejection:
            assert rejection.message
            assert state == before
            continue
        for event in events:
            log.append(By(event, role))
            written = recorded(STREAM, len(log), log[-1])
            assert read(written.raw) == written
            state = evolve(state, written)
        assert state.version == before.version + len(events) == len(log)
    assert fold(STREAM, log) == state
