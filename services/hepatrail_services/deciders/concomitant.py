"""Medication and procedures beside the trial's treatment (`events.md` 3.6, rules CON)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.concomitant import (
    AtcCode,
    MedicationCorrected,
    MedicationRecorded,
    MedicationVoided,
    ProcedureCorrected,
    ProcedureKind,
    ProcedureRecorded,
    ProcedureVoided,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Label, PartialDate
from hepatrail_services.command import Comment, SubjectCommand
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, CorrectRecordWithText, VoidRecord, correctable
from hepatrail_services.deciders.kept import Kept, added, change, corrected, known, voided, voiding
from hepatrail_services.deciders.numbers import PositiveDecimal
from hepatrail_services.deciders.times import is_later, say


class RecordMedication(SubjectCommand):
    """The investigator records a medication; the anticoagulant of the circuit belongs to the session."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    verbatim: Comment = Field(description="The medication in the recorder's words")
    atc: AtcCode | None = Field(default=None, description="WHO ATC code, any level")
    dose: PositiveDecimal | None = Field(default=None, description="Dose in the unit beside it")
    unit: Label | None = Field(default=None, description="Unit of the dose, UCUM")
    route: Label | None = Field(default=None, description="Route of administration")
    started_at: PartialDate = Field(description="Since when it was given, as far as it is known")
    ended_at: PartialDate | None = Field(default=None, description="Until when it was given; absent while it goes on")
    therapeutic_anticoagulant: bool = Field(
        description="Therapeutic anticoagulation, which the grading of INR depends on; never the circuit's"
    )


class CorrectMedication(CorrectRecordWithText):
    """One field of a medication is corrected; the original stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The medication")


class VoidMedication(VoidRecord):
    """The record of a medication is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The medication")


class RecordProcedure(SubjectCommand):
    """The investigator records a procedure, dialysis above all: it feeds the scores that ask for it."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    kind: ProcedureKind = Field(description="Kind of the procedure; a CiPS-BAL session is none of them")
    started_at: PartialDate = Field(description="When it began, as far as it is known")
    ended_at: PartialDate | None = Field(default=None, description="When it ended; absent while it goes on")
    description: Comment | None = Field(default=None, description="The procedure in the recorder's words")


class CorrectProcedure(CorrectRecordWithText):
    """One field of a procedure is corrected; the original stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The procedure")


class VoidProcedure(VoidRecord):
    """The record of a procedure is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The procedure")


ConcomitantCommand: TypeAlias = (
    RecordMedication | CorrectMedication | VoidMedication | RecordProcedure | CorrectProcedure | VoidProcedure
)
ConcomitantEvent: TypeAlias = (
    MedicationRecorded
    | MedicationCorrected
    | MedicationVoided
    | ProcedureRecorded
    | ProcedureCorrected
    | ProcedureVoided
)

CORRECTABLE_OF_MEDICATION: Mapping[str, Correctable] = correctable(
    RecordMedication,
    ("verbatim", "atc", "dose", "unit", "route", "startedAt", "endedAt", "therapeuticAnticoagulant"),
)
CORRECTABLE_OF_PROCEDURE: Mapping[str, Correctable] = correctable(
    RecordProcedure, ("kind", "startedAt", "endedAt", "description")
)


@dataclass(frozen=True, slots=True)
class ConcomitantState:
    """All medications and procedures of a participant by their ids."""

    medications: Mapping[UUID, Kept[MedicationRecorded]] = field(default_factory=dict)
    procedures: Mapping[UUID, Kept[ProcedureRecorded]] = field(default_factory=dict)


def decide(state: ConcomitantState, command: ConcomitantCommand, situation: Situation) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site. Overlaps are accepted (CON-02)."""
    match command:
        case RecordMedication():
            _refuse_times(command.started_at, command.ended_at, situation)
            return (_medication(command),)
        case CorrectMedication():
            medication = known(state.medications, command.id, "medication")
            of_medication = change(medication, CORRECTABLE_OF_MEDICATION, command, situation)
            _refuse_early_end(of_medication.fact.started_at, of_medication.fact.ended_at, "newValue", situation)
            return (of_medication.event(MedicationCorrected, command),)
        case VoidMedication():
            known(state.medications, command.id, "medication")
            return (voiding(MedicationVoided, command),)
        case RecordProcedure():
            _refuse_times(command.started_at, command.ended_at, situation)
            return (_procedure(command),)
        case CorrectProcedure():
            procedure = known(state.procedures, command.id, "procedure")
            of_procedure = change(procedure, CORRECTABLE_OF_PROCEDURE, command, situation)
            _refuse_early_end(of_procedure.fact.started_at, of_procedure.fact.ended_at, "newValue", situation)
            return (of_procedure.event(ProcedureCorrected, command),)
        case VoidProcedure():
            known(state.procedures, command.id, "procedure")
            return (voiding(ProcedureVoided, command),)
        case _:
            assert_never(command)


def _refuse_times(started_at: PartialDate, ended_at: PartialDate | None, situation: Situation) -> None:
    situation.past("startedAt", started_at)
    situation.past("endedAt", ended_at)
    _refuse_early_end(started_at, ended_at, "endedAt", situation)


def _refuse_early_end(started_at: PartialDate, ended_at: PartialDate | None, path: str, situation: Situation) -> None:
    if ended_at is not None and is_later(started_at, ended_at, situation.zone):
        raise CommandRejected(
            f"The end on {say(ended_at)} lies before the start on {say(started_at)}.", rule="CON-01", field=path
        )


def _medication(command: RecordMedication) -> MedicationRecorded:
    return MedicationRecorded(
        medication_id=object_id(command.command_id, "medication"),
        verbatim=command.verbatim,
        atc=command.atc,
        dose=command.dose,
        unit=command.unit,
        route=command.route,
        started_at=command.started_at,
        ended_at=command.ended_at,
        therapeutic_anticoagulant=command.therapeutic_anticoagulant,
    )


def _procedure(command: RecordProcedure) -> ProcedureRecorded:
    return ProcedureRecorded(
        procedure_id=object_id(command.command_id, "procedure"),
        kind=command.kind,
        started_at=command.started_at,
        ended_at=command.ended_at,
        description=command.description,
    )


def evolve(state: ConcomitantState, event: ConcomitantEvent) -> ConcomitantState:
    """The state after an event."""
    match event:
        case MedicationRecorded():
            return replace(state, medications=added(state.medications, event.medication_id, event))
        case MedicationCorrected():
            return replace(state, medications=corrected(state.medications, event))
        case MedicationVoided():
            return replace(state, medications=voided(state.medications, event))
        case ProcedureRecorded():
            return replace(state, procedures=added(state.procedures, event.procedure_id, event))
        case ProcedureCorrected():
            return replace(state, procedures=corrected(state.procedures, event))
        case ProcedureVoided():
            return replace(state, procedures=voided(state.procedures, event))
        case _:
            assert_never(event)
