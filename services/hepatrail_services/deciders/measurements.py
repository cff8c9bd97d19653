"""Laboratory results and observations (`events.md` 3.3, 3.4, rules LAB).

What LAB-02, LAB-04, LAB-05, OBS-01 and OBS-02 list is accepted: no measurement is refused for its time (DAT-01).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, TypeAlias, TypeVar, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    ObservationCorrected,
    ObservationsRecorded,
    ObservationVoided,
    ObservedRow,
    RejectReason,
    ResultCorrected,
)
from hepatrail_events.roles import INVESTIGATORS, LABORATORIES, SITE, Role
from hepatrail_events.types import Label
from hepatrail_services.command import ReasonText, SubjectCommand
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import CorrectRecord, VoidRecord
from hepatrail_services.deciders.kept import voiding
from hepatrail_services.deciders.measurement_rows import (
    LabSample,
    Moment,
    ObservationRow,
    ResultRow,
    measured,
    refuse_unreadable,
    sample_reason,
)
from hepatrail_services.deciders.results import Row, correct, corrected, laboratory_rows, observed_rows

MAX_ROWS = 500


class RecordLabResults(LabSample):
    """A laboratory reports the results of one sample, as measured."""

    ROLES: ClassVar[frozenset[Role]] = LABORATORIES
    SHAPE_RULES: ClassVar[Mapping[str, str]] = {"collectedAt": "LAB-01", "results": "LAB-01"}

    source_message_id: Label | None = Field(
        None, description="Id of the laboratory's message; a known one is accepted and changes nothing"
    )
    results: Annotated[tuple[ResultRow, ...], Field(min_length=1, max_length=MAX_ROWS)] = Field(
        description="Rows of the report, each as reported"
    )


class CorrectLabResult(CorrectRecord):
    """One field of a laboratory result is corrected; whether it may be used is decided again."""

    ROLES: ClassVar[frozenset[Role]] = LABORATORIES

    id: UUID = Field(description="The result")
    field: Label = Field(description="Name of the field: one of the row, or collectedAt, laboratory, visitCode, ...")


class VoidLabResult(VoidRecord):
    """A laboratory result is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = LABORATORIES

    id: UUID = Field(description="The result")


class ConfirmImplausible(SubjectCommand):
    """The investigator confirms a value outside the plausibility limits; the row may be used from now on."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    result_id: UUID = Field(description="The result that was not accepted as IMPLAUSIBLE")
    reason: ReasonText = Field(description="Why the value is right")


class ReviewLabFinding(SubjectCommand):
    """The investigator judges a laboratory finding: whether it matters, and which grade it has in the end."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    result_id: UUID = Field(description="The result")
    clinically_significant: bool = Field(description="Whether it matters for the participant")
    final_grade: Annotated[int, Field(ge=0, le=5)] | None = Field(
        default=None, description="CTCAE v5.0 grade in the investigator's judgement, 0 for none; absent: as computed"
    )


class RecordObservations(Moment):
    """The site records bedside observations made at one moment."""

    ROLES: ClassVar[frozenset[Role]] = SITE
    SHAPE_RULES: ClassVar[Mapping[str, str]] = {"assessedAt": "LAB-01", "rows": "LAB-01"}

    rows: Annotated[tuple[ObservationRow, ...], Field(min_length=1, max_length=MAX_ROWS)] = Field(
        description="What was observed, row by row"
    )


class CorrectObservation(CorrectRecord):
    """One field of a bedside observation is corrected; whether it may be used is decided again."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    id: UUID = Field(description="The row of the observation")
    field: Label = Field(description="Name of the field: one of the row, or assessedAt, visitCode, preSession")


class VoidObservation(VoidRecord):
    """A bedside observation is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The row of the observation")


MeasurementCommand: TypeAlias = (
    RecordLabResults
    | CorrectLabResult
    | VoidLabResult
    | ConfirmImplausible
    | ReviewLabFinding
    | RecordObservations
    | CorrectObservation
    | VoidObservation
)
MeasurementEvent: TypeAlias = (
    LabResultsRecorded
    | LabResultCorrected
    | LabResultVoided
    | ImplausibleConfirmed
    | LabFindingReviewed
    | ObservationsRecorded
    | ObservationCorrected
    | ObservationVoided
)
CorrectionType = TypeVar("CorrectionType", bound=ResultCorrected)


@dataclass(frozen=True, slots=True)
class MeasurementsState:
    """All rows of a participant by resultId, and the laboratories' messages that are known (LAB-06)."""

    rows: Mapping[UUID, Row] = field(default_factory=dict)
    messages: frozenset[tuple[str, str | None]] = frozenset()


def decide(state: MeasurementsState, command: MeasurementCommand, situation: Situation) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case RecordLabResults():
            if (command.laboratory, command.source_message_id) in state.messages:
                return ()
            return (_results(command, situation),)
        case CorrectLabResult():
            return (_correction(LabResultCorrected, _laboratory_row(state, command.id), command, situation),)
        case VoidLabResult():
            _laboratory_row(state, command.id)
            return (voiding(LabResultVoided, command),)
        case ConfirmImplausible():
            row = _known(state, command.result_id, "resultId")
            if row.reason is not RejectReason.IMPLAUSIBLE:
                raise CommandRejected(
                    "Only a result that was not accepted as IMPLAUSIBLE can be confirmed.",
                    rule="LAB-03",
                    field="resultId",
                )
            return (ImplausibleConfirmed(result_id=command.result_id, reason=command.reason),)
        case ReviewLabFinding():
            _known(state, command.result_id, "resultId")
            return (
                LabFindingReviewed(
                    result_id=command.result_id,
                    clinically_significant=command.clinically_significant,
                    final_grade=command.final_grade,
                ),
            )
        case RecordObservations():
            return (_observations(command, situation),)
        case CorrectObservation():
            return (_correction(ObservationCorrected, _observed_row(state, command.id), command, situation),)
        case VoidObservation():
            _observed_row(state, command.id)
            return (voiding(ObservationVoided, command),)
        case _:
            assert_never(command)


def _results(command: RecordLabResults, situation: Situation) -> LabResultsRecorded:
    refuse_unreadable(command.results, "results")
    of_sample = sample_reason(command.collected_at, command.laboratory, situation)
    return LabResultsRecorded(
        sample_id=object_id(command.command_id, "sample"),
        collected_at=command.collected_at,
        visit_code=command.visit_code,
        pre_session=command.pre_session,
        laboratory=command.laboratory,
        source_message_id=command.source_message_id,
        specimen=command.specimen,
        results=tuple(
            measured(row, object_id(command.command_id, "result", index), of_sample)
            for index, row in enumerate(command.results)
        ),
    )


def _observations(command: RecordObservations, situation: Situation) -> ObservationsRecorded:
    refuse_unreadable(command.rows, "rows")
    of_sample = sample_reason(command.assessed_at, None, situation)
    rows = (
        (row, measured(row, object_id(command.command_id, "result", index), of_sample))
        for index, row in enumerate(command.rows)
    )
    return ObservationsRecorded(
        assessed_at=command.assessed_at,
        visit_code=command.visit_code,
        pre_session=command.pre_session,
        rows=tuple(ObservedRow(**dict(judged), nt_reason=row.nt_reason) for row, judged in rows),
    )


def _known(state: MeasurementsState, result_id: UUID, path: str) -> Row:
    row = state.rows.get(result_id)
    if row is None:
        raise CommandRejected("The participant has no such result.", field=path)
    if row.voided:
        raise CommandRejected("The result is void.", field=path)
    return row


def _laboratory_row(state: MeasurementsState, result_id: UUID) -> Row:
    row = _known(state, result_id, "id")
    if row.observed:
        raise CommandRejected("This is an observation of the site, no laboratory result.", field="id")
    return row


def _observed_row(state: MeasurementsState, result_id: UUID) -> Row:
    row = _known(state, result_id, "id")
    if not row.observed:
        raise CommandRejected("This is a laboratory result, no observation of the site.", field="id")
    return row


def _correction(kind: type[CorrectionType], row: Row, command: CorrectRecord, situation: Situation) -> CorrectionType:
    correction = correct(row, command.field, command.old_value, command.new_value, situation)
    return kind(
        id=command.id,
        field=command.field,
        old_value=correction.old,
        new_value=correction.new,
        reason=command.reason,
        accepted=correction.reason is None,
        reject_reason=correction.reason,
    )


def evolve(state: MeasurementsState, event: MeasurementEvent) -> MeasurementsState:
    """The state after an event."""
    match event:
        case LabResultsRecorded():
            message = (event.laboratory, event.source_message_id)
            return MeasurementsState(
                {**state.rows, **laboratory_rows(event)},
                state.messages | {message} if event.source_message_id else state.messages,
            )
        case ObservationsRecorded():
            return replace(state, rows={**state.rows, **observed_rows(event)})
        case LabResultCorrected() | ObservationCorrected():
            return _with(state, event.id, corrected(state.rows[event.id], event))
        case LabResultVoided() | ObservationVoided():
            return _with(state, event.id, replace(state.rows[event.id], voided=True))
        case LabFindingReviewed():
            return state
        case ImplausibleConfirmed():
            return _with(state, event.result_id, replace(state.rows[event.result_id], reason=None, confirmed=True))
        case _:
            assert_never(event)


def _with(state: MeasurementsState, result_id: UUID, row: Row) -> MeasurementsState:
    return replace(state, rows={**state.rows, result_id: row})
