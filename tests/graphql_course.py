"""A participant's whole course for tests of the API, and questions that ask for everything the schema has."""

from collections.abc import Iterator
from uuid import UUID

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_required_argument,
)

from builders import adverse_events, ids, measurements, participant, payloads, records, times
from graphql_world import World
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.assessments import AssessmentCorrected, TransplantDone
from hepatrail_events.concomitant import MedicationCorrected, ProcedureVoided
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultCorrected, LabResultsRecorded
from hepatrail_events.safety_desk import AlertRaised, AlertType, Priority
from hepatrail_events.streams import SAFETY_DESK, subject_stream
from hepatrail_events.submissions import SubmissionCorrected
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from log_commits import publish
from projection_log import LogWriter

STREAM = subject_stream(ids.SUBJECT)
BEFORE_TREATMENT = {"alt": 40, "tbil": 300, "creatinine": 180, "inr": "2.1", "dialysis_sessions_7d": 0}


async def whole_course(world: World) -> None:
    """One participant of whom every kind of record is there, until the death and its correction; projected."""
    log = world.log
    log.now = times.at(hours=8)
    publish(log)
    for event in _before_treatment():
        log.commit(STREAM, event)
    log.now = times.NOW
    verbatim = await world.seal(ids.SUBJECT, "fever with chills")
    for event in _treated(adverse_events.ae_reported(verbatim=verbatim.payload(), criteria=["HOSPITALISATION"])):
        log.commit(STREAM, event)
    log.commit(SAFETY_DESK, _alert(log), actor="system", role="SYSTEM")
    log.tick(1)
    world.clock.at = log.now
    await world.project()


def _before_treatment() -> Iterator[Event]:
    yield participant.consent()
    yield participant.consent(version="ICF-3")
    yield participant.enrolled()
    yield records.baseline_condition(onset=times.day("2026-03-01"), grade=3)
    yield records.medication(atc="B01AA03", dose="5", unit="mg", route="oral")
    yield MedicationCorrected(
        id=ids.MEDICATION, field="dose", old_value="5", new_value="2.5", reason=payloads.a_sealed()
    )
    yield records.procedure()
    yield records.procedure("CVVHD", procedureId=str(UUID(int=2)), startedAt=times.minute(days=1))
    yield ProcedureVoided(
        id=UUID(int=2), reason_code=VoidReason.WRONG_PARTICIPANT, reason_text=payloads.a_sealed("reasonText")
    )
    yield _sample(BEFORE_TREATMENT, 20, collectedAt=times.iso(hours=7))


def _treated(reported: AEReported) -> Iterator[Event]:
    yield participant.session_started()
    yield participant.session_paused(hours=4)
    yield participant.session_resumed(hours=3.5)
    yield participant.session_ended(hours=2)
    yield _sample({**BEFORE_TREATMENT, "alt": 900}, 10, collectedAt=times.iso(hours=1.25))
    yield LabResultCorrected(
        id=derived_id("row", 11),
        field="value",
        old_value="300",
        new_value="200",
        reason=payloads.a_sealed(),
        accepted=True,
    )
    yield measurements.observation(map=70)
    yield reported
    yield adverse_events.ae_followed_up()
    yield adverse_events.ae_grade_changed(3, 3)
    yield adverse_events.ae_causality(4)
    yield adverse_events.ae_expectedness(version=5)
    yield adverse_events.ae_coded(6)
    yield records.sponsor_notified()
    yield records.submission()
    yield SubmissionCorrected(id=ids.SUBMISSION, field="reference", new_value="EC-7", reason=payloads.a_sealed())
    yield records.narrative()
    yield records.deficiency(linkedAeId=str(ids.AE))
    assessment = participant.ae_assessment("Y")
    yield assessment
    yield participant.survival()
    yield TransplantDone.model_validate({"transplantAt": times.minute(minutes=45), "donor": "LIVING"})
    yield participant.lost_to_follow_up()
    yield participant.contact_regained()
    yield participant.withdrew("TREATMENT_ONLY")
    yield participant.died(
        primaryCauseAeId=str(ids.AE), deathAt=times.minute(minutes=30), awareAt=times.iso(minutes=20)
    )
    yield participant.death_corrected(autopsyDone=True)


def correct_assessment(log: LogWriter, event_id: UUID) -> None:
    """The site had seen nothing new after all."""
    log.commit(
        STREAM,
        AssessmentCorrected(id=event_id, field="anyNew", old_value="Y", new_value="N", reason=payloads.a_sealed()),
    )


def _sample(values: dict[str, object], first: int, **changes: str) -> LabResultsRecorded:
    rows = [
        measurements.row(code, value, low="10", high="50")
        | {"resultId": str(derived_id("row", first + number)), "accepted": True}
        for number, (code, value) in enumerate(values.items())
    ]
    stated = {"sampleId": str(derived_id("sample", first)), "laboratory": "BFH-LAB", "results": rows}
    return LabResultsRecorded.model_validate(stated | {"collectedAt": format_instant(times.NOW)} | changes)


def _alert(log: LogWriter) -> AlertRaised:
    return AlertRaised(
        alert_id=ids.ALERT,
        type=AlertType.SAE_NEW,
        priority=Priority.P2,
        raised_at=log.now,
        commit_id=log.uuid(),
        reporter_id="dr-li",
        subject_id=ids.SUBJECT,
        site_id=ids.SITE,
        ae_id=ids.AE,
        alert_seq=1,
    )


def every_field(schema: GraphQLSchema, kind: GraphQLNamedType) -> str:
    """A selection of every field of a type, and of the types below, as far as none needs an argument."""
    if isinstance(kind, GraphQLInterfaceType):
        inside = [f"... on {each.name} {every_field(schema, each)}" for each in schema.get_possible_types(kind)]
        return f"{{ __typename {' '.join(inside)} }}"
    assert isinstance(kind, GraphQLObjectType)
    chosen = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        composite = isinstance(below, GraphQLObjectType | GraphQLInterfaceType)
        chosen.append(f"{name} {every_field(schema, below)}" if composite else name)
    return f"{{ {' '.join(chosen)} }}"


def all_of_a_subject(schema: GraphQLSchema) -> str:
    """The question for everything of one participant, scores at a moment included."""
    subject, score = (schema.type_map[name] for name in ("Subject", "Score"))
    below = every_field(schema, subject)[1:-1]
    moment = f"scoresAt(at: $at) {every_field(schema, score)}"
    asked = f"subject(id: $id, asOf: $asOf) {{ {below} {moment} }}"
    return f"query All($id: ID!, $at: DateTime!, $asOf: DateTime) {{ {asked} }}"
