"""Whatever is recorded, corrected and void of a course, in whatever order: the rules of `events.md` hold afterwards."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.adverse_events import ae_reported, ae_voided
from builders.commands import command_input
from builders.ids import AE, SUBJECT
from builders.participant import consent, enrolled
from builders.payloads import sealed
from builders.times import NOW, minute
from hepatrail_events.assessments import (
    ContactRegained,
    LostToFollowUp,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
)
from hepatrail_events.codec import read
from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.submissions import SubmissionKind, SubmissionRecorded
from hepatrail_services.command import read_command
from hepatrail_services.deciders import (
    assessments,
    baseline_conditions,
    concomitant,
    device_deficiencies,
    results,
    sessions,
    submissions,
)
from hepatrail_services.deciders.catalogue import COMMANDS, decide, evolve
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.correcting import Correctable
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.deciders.subject import SubjectState
from hepatrail_services.deciders.times import is_later
from specification import READY, By, fold, recorded

STREAM = subject_stream(SUBJECT)
SITE_ZONE = ZoneInfo("Asia/Shanghai")
OTHER_AE = UUID("00000000-0000-4000-8000-0000000000af")
BEGIN = [By(consent()), By(enrolled()), By(ae_reported()), By(ae_reported(aeId=str(OTHER_AE)))]
HOURS = st.integers(1, 9)
WHEN = HOURS.map(lambda hours: minute(hours=hours)) | st.just({"precision": "UNKNOWN"})
INSTANTS = HOURS.map(lambda hours: (NOW - timedelta(hours=hours)).isoformat())
INPUTS: dict[str, st.SearchStrategy[Any]] = {
    "at": INSTANTS,
    "startedAt": WHEN,
    "endedAt": WHEN,
    "lastContactAt": INSTANTS,
    "submittedAt": INSTANTS,
    "withdrawnAt": INSTANTS,
    "alive": st.sampled_from(["Y", "N", "UNKNOWN"]),
    "transplant": st.sampled_from(["NONE", "DONE"]),
    "scope": st.sampled_from(["TREATMENT_ONLY", "FOLLOW_UP", "ALL_DATA_USE"]),
    "kind": st.sampled_from(["INITIAL", "FOLLOW_UP", "NULLIFICATION"]),
    "to": st.sampled_from(["EC", "NMPA"]),
    "aeId": st.sampled_from([str(AE), str(OTHER_AE)]),
}
NEW_VALUES: dict[str, st.SearchStrategy[str]] = {
    **{field: INPUTS[field] for field in ("at", "lastContactAt", "submittedAt", "withdrawnAt", "alive", "scope", "to")},
    "transplant": INPUTS["transplant"],
    "kind": INPUTS["kind"] | st.sampled_from(["HD", "CVVH"]),
    "startedAt": INSTANTS | WHEN.map(lambda when: when.get("value", "UNKNOWN")),
    "endedAt": INSTANTS | WHEN.map(lambda when: when.get("value", "UNKNOWN")),
    "transplantAt": WHEN.map(lambda when: when.get("value", "UNKNOWN")),
    "vitalStatusAllowed": st.sampled_from(["true", "false"]),
}
OTHER_VALUES = st.sampled_from(["OTHER", "4", "60", "true", "2026-03", "LIVING", "FAMILY", "mmHg"])
NAMES = [
    "startSession", "endSession", "recordObservations", "recordAeAssessment", "recordSurvivalStatus",
    "recordTransplant", "recordDeath", "withdrawSubject", "recordLossToFollowUp", "recordContactRegained",
    "recordMedication", "recordProcedure", "recordBaselineCondition", "recordSubmission", "recordSubmission",
    "reportDeviceDeficiency", "answerQuery", "closeQuery",
]  # fmt: skip
FAMILIES = (
    "Session", "Observation", "Assessment", "Assessment", "Medication", "Procedure", "BaselineCondition",
    "Submission", "DeviceDeficiency",
)  # fmt: skip


def _records(state: SubjectState, family: str) -> Mapping[UUID, Any]:
    return {
        "Session": state.sessions.sessions,
        "Observation": state.measurements.rows,
        "Assessment": state.assessments.assessments,
        "Medication": state.concomitant.medications,
        "Procedure": state.concomitant.procedures,
        "BaselineCondition": state.baseline_conditions.conditions,
        "Submission": state.submissions.submissions,
        "DeviceDeficiency": state.device_deficiencies.deficiencies,
    }[family]


def _fields(family: str, record: Any) -> Mapping[str, Correctable]:
    if family == "Assessment":
        return assessments.CORRECTABLE[type(record.fact)]
    return {
        "Session": sessions.CORRECTABLE,
        "Observation": results.CORRECTABLE_OF_OBSERVATION,
        "Medication": concomitant.CORRECTABLE_OF_MEDICATION,
        "Procedure": concomitant.CORRECTABLE_OF_PROCEDURE,
        "BaselineCondition": baseline_conditions.CORRECTABLE,
        "Submission": submissions.CORRECTABLE,
        "DeviceDeficiency": device_deficiencies.CORRECTABLE,
    }[family]


def _asked(data: st.DataObject, state: SubjectState) -> tuple[str, dict[str, Any]]:
    """A new record, or a correction or void of one that is there."""
    family = data.draw(st.sampled_from(FAMILIES))
    records = _records(state, family)
    act = data.draw(st.sampled_from(["record", "record", "correct", "void"])) if records else "record"
    if act == "record":
        name = data.draw(st.sampled_from(NAMES))
        stated = {str(field.alias) for field in COMMANDS[name].model_fields.values()} & INPUTS.keys()
        if name in ("startSession", "endSession", "recordProcedure"):
            stated -= {"startedAt", "endedAt", "kind"} if name != "recordProcedure" else {"kind"}
        changes = {field: data.draw(INPUTS[field]) for field in sorted(stated) if data.draw(st.booleans())}
        if state.sessions.sessions and name in ("endSession", "reportDeviceDeficiency"):
            changes["sessionId"] = str(data.draw(st.sampled_from(list(state.sessions.sessions))))
        return name, changes
    record_id = data.draw(st.sampled_from(list(records)))
    if act == "void":
        return f"void{family}", {"id": str(record_id)}
    fields = _fields(family, records[record_id])
    field = data.draw(st.sampled_from(sorted(fields)))
    new = {"newValue": data.draw(NEW_VALUES.get(field, OTHER_VALUES))}
    if fields[field].sealed:
        new = {"newValue": None, "newText": sealed("newText")}  # type: ignore[dict-item]  # the input takes both
    return f"correct{family}", {"id": str(record_id), "field": field, **new}


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 30), st.booleans(), st.data())
def test_the_rules_of_a_course_hold_after_any_sequence(length: int, void_ae: bool, data: st.DataObject) -> None:
    study = fold(STUDY, READY)
    log = [*BEGIN, By(ae_voided(aeId=str(OTHER_AE)))] if void_ae else list(BEGIN)
    state = fold(STREAM, log)
    assert isinstance(study, StudyState)
    for _ in range(length):
        assert isinstance(state, SubjectState)
        name, changes = _asked(data, state)
        role = min(COMMANDS[name].ROLES)
        before = state
        try:
            command = read_command(COMMANDS[name], command_input(name, **changes, commandId=str(uuid4())))
            actor = Actor(id="u-1", role=role, org="BFH", sites=("*",))
            events = decide(state, study, command, Context(NOW, actor, command.command_id, NOW))
        except CommandRejected as rejection:
            assert rejection.message.endswith(".")
            assert state == before
            continue
        for event in events:
            log.append(By(event, role))
            written = recorded(STREAM, len(log), log[-1])
            assert read(written.raw) == written
            state = evolve(state, written)
        assert isinstance(state, SubjectState)
        _hold(state)
    assert fold(STREAM, log) == state


def _hold(state: SubjectState) -> None:
    assert sum(session.open for session in state.sessions.sessions.values()) <= 1, "SES-01"
    assert all(
        session.ended_at is None or session.ended_at > session.started_at
        for session in state.sessions.sessions.values()
    ), "SES-03"
    _hold_assessments(state)
    _hold_submissions(state)
    concomitants: Iterable[Any] = (*state.concomitant.medications.values(), *state.concomitant.procedures.values())
    assert not any(
        kept.fact.ended_at is not None and is_later(kept.fact.started_at, kept.fact.ended_at, SITE_ZONE)
        for kept in concomitants
    ), "CON-01"


def _hold_assessments(state: SubjectState) -> None:
    of = state.assessments
    for status in of.valid(SurvivalStatusRecorded):
        assert status.alive is not VitalStatus.N or of.death is not None, "VIS-01"
        assert status.transplant is not TransplantStatus.DONE or of.valid(TransplantDone), "VIS-01"
    scopes = [list(WithdrawalScope).index(withdrawal.scope) for withdrawal in of.withdrawals]
    assert scopes == sorted(scopes), "VIS-04"
    assert all(one.scope is WithdrawalScope.FOLLOW_UP for one in of.withdrawals if one.vital_status_allowed), "VIS-04"
    contacts = [
        kept.fact
        for kept in of.assessments.values()
        if not kept.voided and isinstance(kept.fact, LostToFollowUp | ContactRegained)
    ]
    assert all(isinstance(fact, (LostToFollowUp, ContactRegained)[number % 2]) for number, fact in enumerate(contacts))
    times = [fact.at if isinstance(fact, ContactRegained) else fact.last_contact_at for fact in contacts]
    assert all(earlier <= later for earlier, later in pairwise(times)), "VIS-05"


def _hold_submissions(state: SubjectState) -> None:
    valid: list[SubmissionRecorded] = [kept.fact for kept in state.submissions.submissions.values() if not kept.voided]
    for one in valid:
        if one.kind is SubmissionKind.NULLIFICATION:
            assert state.adverse_events.events[one.ae_id].voided, "SUB-02"
        if one.kind is not SubmissionKind.INITIAL:
            initial = {(each.ae_id, each.to) for each in valid if each.kind is SubmissionKind.INITIAL}
            assert (one.ae_id, one.to) in initial, "SUB-02"
