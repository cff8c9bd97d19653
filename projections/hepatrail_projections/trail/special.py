"""What is special about an event's rows in the trail; written, one function a kind of event.

Decided here, because the reference leaves room: what adds to an object and replaces nothing (a pause of a session, an
acknowledgement of an alert) has no old value. Criteria and causality are fields of each assessor, `criteria.SPONSOR`,
`causality.INVESTIGATOR.DEVICE`. A point of the grade timeline is corrected as `grade@<event that recorded it>`. An
adverse event that is reopened has no end and the outcome NOT_RECOVERED, as the folds have it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from hepatrail_events.adverse_events import Outcome
from hepatrail_events.roles import Role
from hepatrail_projections.trail.fields import Value, flatten, value_of
from hepatrail_projections.trail.state import Change, Said, TrailState

Rule = Callable[[Said, TrailState], Iterable[Change | None]]
"""The changes that an event makes, in the order of its rows; None is none."""

_TRUE, _FALSE = "true", "false"
_REASONS: Final = ("reason", "reasonText")
REASON_IS_A_FIELD: Final = frozenset({"SessionEnded", "ScreenFailed"})
"""Events whose `reason` is a fact that they record, not why they were recorded."""

_ADDED: Final = frozenset(
    {"SessionPaused", "SessionResumed", "AlertAcknowledged", "AlertEscalated", "NotificationSent"}
)
_WHOLE: Final[Mapping[str, tuple[str, ...]]] = {
    "AECoded": ("lltName", "ptName"),
    "LabFindingReviewed": ("finalGrade",),
}


def changes_of(said: Said, state: TrailState) -> list[Change]:
    """The rows of an event; the state goes on. An event that only repeats what is known keeps its rows, old = new."""
    made = [change for change in _rule_of(said.event_type)(said, state) if change is not None]
    return made or [Change(object_id, name, value, value) for object_id, name, value in _stated_fields(said)]


def _rule_of(event_type: str) -> Rule:
    if event_type in SPECIAL:
        return SPECIAL[event_type]
    if event_type.endswith("Corrected"):
        return _corrected
    return _voided if event_type.endswith("Voided") else _stated


def reason_of(said: Said) -> Value:
    """Why the event was recorded, as far as it says so: text or sealed text."""
    if said.event_type in REASON_IS_A_FIELD:
        return None
    return next((said.payload[name] for name in _REASONS if name in said.payload), None)


def _stated_fields(said: Said, *but: str) -> Iterator[tuple[str, str, Value]]:
    left_out = {*but} if said.event_type in REASON_IS_A_FIELD else {*but, *_REASONS}
    for object_id, name, value in flatten(said.event_type, said.payload, said.event_id):
        if object_id != said.object_id or name not in left_out:
            yield object_id, name, value


def _stated(said: Said, state: TrailState, *but: str) -> Iterator[Change | None]:
    """Each field that the payload states has that value from now on."""
    for object_id, name, value in _stated_fields(said, *but):
        yield state.put(object_id, name, value)
    # What an event states as a whole is gone when it is not stated again.
    for name in _WHOLE.get(said.event_type, ()):
        if name not in said.payload:
            yield state.put(said.object_id, name, None)


def _added(said: Said, _state: TrailState) -> Iterator[Change | None]:
    """What the payload states is new beside what was stated before."""
    for object_id, name, value in _stated_fields(said):
        yield Change(object_id, name, None, value)


def _corrected(said: Said, state: TrailState) -> Iterator[Change | None]:
    """One field, whose old value the event names itself unless it is sealed; a row even if both are equal."""
    payload, object_id = said.payload, said.object_id
    name = str(payload["field"])
    before = payload.get("oldValue", state.get(object_id, name))
    given = [value_of(payload[key]) for key in ("newValue", "newText") if key in payload]
    for new in given or [None]:
        state.put(object_id, name, new)
        yield Change(object_id, name, before, new)
    if "accepted" in payload:
        yield state.put(object_id, "accepted", value_of(payload["accepted"]))
        yield state.put(object_id, "rejectReason", value_of(payload.get("rejectReason")))
    yield from _version(said, state)


def _voided(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _flag(said, state, "voided")
    yield from _stated(said, state)


def _flag(said: Said, state: TrailState, name: str, old: str = _FALSE, new: str = _TRUE) -> Change:
    """A field that is `old` until something else was said."""
    before = state.get(said.object_id, name)
    state.put(said.object_id, name, new)
    return Change(said.object_id, name, old if before is None else before, new)


def _version(said: Said, state: TrailState) -> Iterator[Change | None]:
    if "aeVersion" in said.payload:
        yield state.put(said.object_id, "aeVersion", value_of(said.payload["aeVersion"]))


def _ae_reported(said: Said, state: TrailState) -> Iterator[Change | None]:
    """Criteria and causality in a report are the site's; its grade is the first point of the timeline."""
    yield from _stated(said, state, "criteria", "causality")
    yield _criteria(said, state, Role.INVESTIGATOR.value, said.payload.get("criteria", ()))
    for each in said.payload.get("causality", ()):
        yield _causality(said, state, Role.INVESTIGATOR.value, each)
    if "grade" in said.payload:
        _note_grade(said, state, said.payload["grade"])


def _grade_changed(said: Said, state: TrailState) -> Iterator[Change | None]:
    payload = said.payload
    new = value_of(payload["toGrade"])
    state.put(said.object_id, "grade", new)
    _note_grade(said, state, payload["toGrade"])
    yield Change(said.object_id, "grade", value_of(payload.get("fromGrade")), new)
    yield from _stated(said, state, "fromGrade", "toGrade")


def _note_grade(said: Said, state: TrailState, grade: int) -> None:
    """Remembers a point of the timeline, so that a correction of it can say what it was."""
    state.put(said.object_id, f"grade@{said.event_id}", value_of(grade))
    state.put(said.object_id, f"gradeAt@{said.event_id}", value_of(said.payload.get("gradeAt")))


def _grade_corrected(said: Said, state: TrailState) -> Iterator[Change | None]:
    """A point that has no grade any more is removed; one without another time keeps its own."""
    payload, object_id = said.payload, said.object_id
    grade, grade_at = (f"{name}@{payload['gradeEventId']}" for name in ("grade", "gradeAt"))
    new, at = payload.get("grade"), payload.get("gradeAt")
    before = state.get(object_id, grade)
    state.put(object_id, grade, value_of(new))
    yield Change(object_id, grade, before, value_of(new))
    if at is not None or new is None:
        yield state.put(object_id, grade_at, value_of(at))
    yield from _version(said, state)


def _upgraded(said: Said, state: TrailState) -> Iterator[Change | None]:
    """Who found it serious, the role of the sender says."""
    sponsor = said.actor_role == Role.SPONSOR
    assessor = (Role.SPONSOR if sponsor else Role.INVESTIGATOR).value
    yield _criteria(said, state, assessor, said.payload["criteria"])
    yield state.put(said.object_id, f"criteria.{assessor}.since", value_of(said.payload["seriousSince"]))
    yield state.put(said.object_id, f"criteria.{assessor}.awareAt", value_of(said.payload["awareAt"]))
    yield from _version(said, state)


def _criteria_changed(said: Said, state: TrailState) -> Iterator[Change | None]:
    payload, assessor = said.payload, str(said.payload["assessor"])
    held = state.get(said.object_id, f"criteria.{assessor}") or []
    now = {*held, *payload.get("added", ())} - {*payload.get("removed", ())}
    yield _criteria(said, state, assessor, now)
    yield state.put(said.object_id, f"criteria.{assessor}.awareAt", value_of(payload["awareAt"]))
    yield from _version(said, state)


def _downgraded(said: Said, state: TrailState) -> Iterator[Change | None]:
    assessor = str(said.payload["assessor"])
    yield _criteria(said, state, assessor, ())
    yield Change(said.object_id, f"criteria.{assessor}.reasonCode", None, said.payload["reasonCode"])
    yield from _version(said, state)


def _criteria(said: Said, state: TrailState, assessor: str, criteria: Iterable[str]) -> Change | None:
    return state.put(said.object_id, f"criteria.{assessor}", sorted(criteria))


def _causality_assessed(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _causality(said, state, str(said.payload["assessor"]), said.payload)
    yield from _version(said, state)


def _causality(said: Said, state: TrailState, assessor: str, statement: Mapping[str, Any]) -> Change:
    """The judgement and why; a row also when the value is the same, because the rationale may be another."""
    name = f"causality.{assessor}.{statement['target']}"
    before = state.get(said.object_id, name)
    state.put(said.object_id, name, statement["value"])
    return Change(said.object_id, name, before, statement["value"], statement.get("rationale"))


def _expectedness(said: Said, state: TrailState) -> Iterator[Change | None]:
    """An assessment is whole: what it does not say of the reference is not said any more."""
    yield state.put(said.object_id, "expectedness", said.payload["value"])
    for name in ("rsiVersion", "rsiTerm"):
        yield state.put(said.object_id, name, value_of(said.payload.get(name)))
    yield from _version(said, state)


def _reopened(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield state.put(said.object_id, "outcome", Outcome.NOT_RECOVERED.value)
    yield state.put(said.object_id, "endAt", None)
    yield from _version(said, state)


def _followed_up(said: Said, state: TrailState) -> Iterator[Change | None]:
    """The information is new; what it says of outcome, action and frequency counts from now on."""
    counting = ("outcome", "actionTaken", "frequencyWorsenedAt", "aeVersion")
    for object_id, name, value in _stated_fields(said):
        yield state.put(object_id, name, value) if name in counting else Change(object_id, name, None, value)


def _void_requested(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _flag(said, state, "voidRequested")
    for object_id, name, value in _stated_fields(said, "aeVersion"):
        yield Change(object_id, f"voidRequested.{name}", None, value)
    yield from _version(said, state)


def _died(said: Said, state: TrailState) -> Iterator[Change | None]:
    state.death = said.event_id
    yield from _stated(said, state)


def _death_corrected(said: Said, state: TrailState) -> Iterator[Change | None]:
    """Field by field on the record of the death; one that was taken back says nothing any more."""
    death, payload = state.death or said.event_id, said.payload
    revived = value_of(payload["revived"])
    before = state.get(death, "revived")
    state.put(death, "revived", revived)
    yield Change(death, "revived", _FALSE if before is None else before, revived)
    for name in ("deathAt", "primaryCauseAeId", "autopsyDone"):
        if name in payload or payload["revived"]:
            yield state.put(death, name, value_of(payload.get(name)))


def _narrative(said: Said, state: TrailState) -> Iterator[Change | None]:
    """The latest of a language counts."""
    yield state.put(said.object_id, f"narrative.{said.payload['language']}", said.payload["narrative"])


def _confirmed(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _flag(said, state, "accepted")
    yield state.put(said.object_id, "rejectReason", None)


def _answered(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _flag(said, state, "status", "OPEN", "ANSWERED")
    yield from _added(said, state)


def _closed(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _flag(said, state, "status", "OPEN", "CLOSED")
    yield from _stated(said, state)


def _hold_placed(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield state.put(said.object_id, "released", _FALSE)
    yield from _stated(said, state)


def _hold_released(said: Said, state: TrailState) -> Iterator[Change | None]:
    yield _flag(said, state, "released")
    yield from _stated(said, state)


def _site(said: Said, state: TrailState) -> Iterator[Change | None]:
    active = said.event_type == "SiteActivated"
    yield _flag(said, state, "active", _FALSE, _TRUE if active else _FALSE)
    yield from _stated(said, state)


SPECIAL: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(_ADDED, _added),
    "AEReported": _ae_reported,
    "AEFollowedUp": _followed_up,
    "AEGradeChanged": _grade_changed,
    "AEGradeCorrected": _grade_corrected,
    "AEUpgradedToSerious": _upgraded,
    "AESeriousnessCriteriaChanged": _criteria_changed,
    "AEDowngradedToNonSerious": _downgraded,
    "AECausalityAssessed": _causality_assessed,
    "AEExpectednessAssessed": _expectedness,
    "AEReopened": _reopened,
    "AEVoidRequested": _void_requested,
    "ParticipantDied": _died,
    "DeathRecordCorrected": _death_corrected,
    "NarrativeWritten": _narrative,
    "ImplausibleConfirmed": _confirmed,
    "QueryAnswered": _answered,
    "QueryClosed": _closed,
    "HoldPlaced": _hold_placed,
    "HoldReleased": _hold_released,
    "SiteActivated": _site,
    "SiteDeactivated": _site,
}
"""Events that are not only what their payload states."""
