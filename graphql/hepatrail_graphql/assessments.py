"""What the site asked and learned of a participant: assessments, survival, transplants, contact (`events.md` 3.5)."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias, TypedDict, cast, get_args
from uuid import UUID

import strawberry

from hepatrail_graphql.common import (
    PartialDate,
    Record,
    RecordFields,
    instant,
    needed_date,
    partial_date,
    record_fields,
)
from hepatrail_graphql.enums import Donor, SurvivalSource, TransplantStatus, VitalStatus, WithdrawalScope, YesNo
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.assessment import AssessmentRow


@strawberry.enum(description="What an assessment is about.")
class AssessmentKind(Enum):
    """What an assessment is about."""

    AE_ASSESSMENT = strawberry.enum_value("AE_ASSESSMENT", description="Whether there are new adverse events.")
    SURVIVAL_STATUS = strawberry.enum_value("SURVIVAL_STATUS", description="Whether the participant lives.")
    TRANSPLANT = strawberry.enum_value("TRANSPLANT", description="A liver transplantation.")
    WITHDRAWAL = strawberry.enum_value("WITHDRAWAL", description="A withdrawal by the participant.")
    LOSS_TO_FOLLOW_UP = strawberry.enum_value("LOSS_TO_FOLLOW_UP", description="The site lost contact.")
    CONTACT_REGAINED = strawberry.enum_value("CONTACT_REGAINED", description="The site regained contact.")


@strawberry.interface(description="What the site asked or learned at a visit or between; never a death.")
class Assessment(Record):
    """What the site asked or learned."""

    id: UUID = strawberry.field(description="The id of the event that recorded it: names it in a correction.")
    kind: AssessmentKind = strawberry.field(description="What it is about.")


@strawberry.interface(description="An assessment that belongs to a time point.")
class PlacedAssessment(Assessment):
    """An assessment that belongs to a time point."""

    at: datetime = strawberry.field(description="When the site asked.")
    visit_code: str | None = strawberry.field(description="The time point as the site stated it (VISIT).")
    point: str | None = strawberry.field(description="The time point that it was assigned to; null: unscheduled.")
    in_window: bool | None = strawberry.field(description="Whether it lies in that point's window.")
    used: bool = strawberry.field(description="Whether it is the one that counts there.")


@strawberry.type(description="The site asked for adverse events; that there is none is stated (item AE).")
class AeAssessment(PlacedAssessment):
    """The site asked for adverse events."""

    any_new: YesNo = strawberry.field(description="Whether there are new ones (AEYN).")


@strawberry.type(description="What the site knows of the participant's life (item SURV; CDISC SS).")
class SurvivalStatus(PlacedAssessment):
    """What the site knows of the participant's life."""

    alive: VitalStatus = strawberry.field(description="Whether the participant lives (SSORRES of SURVSTAT).")
    transplant: TransplantStatus = strawberry.field(description="Where the participant stands on the way to a liver.")
    transplant_at: PartialDate | None = strawberry.field(description="When the transplantation was, as stated here.")
    source: SurvivalSource = strawberry.field(description="Where the knowledge comes from.")


@strawberry.type(description="A liver transplantation (CDISC PR).")
class Transplant(Assessment):
    """A liver transplantation."""

    transplant_at: PartialDate | None = strawberry.field(description="When it was (PRSTDTC); never null.")
    donor: Donor | None = strawberry.field(description="The donor.")
    first_after_t0: bool = strawberry.field(
        name="firstAfterT0", description="Whether it is the first one after T0, which ends a part of the schedule."
    )


@strawberry.type(description="The participant withdrew (CDISC DS).")
class Withdrawal(Assessment):
    """The participant withdrew."""

    withdrawn_at: datetime = strawberry.field(description="When (DSSTDTC).")
    scope: WithdrawalScope = strawberry.field(description="From what.")
    vital_status_allowed: bool = strawberry.field(description="Whether vital status may still be asked for.")
    reason: Text | None = strawberry.field(description="Why, as far as the participant said.")


@strawberry.type(description="The site cannot reach the participant any more.")
class LossToFollowUp(Assessment):
    """The site cannot reach the participant any more."""

    last_contact_at: datetime = strawberry.field(description="The last contact.")


@strawberry.type(description="The site reached the participant again.")
class ContactRegained(Assessment):
    """The site reached the participant again."""

    at: datetime = strawberry.field(description="When.")


AnyAssessment: TypeAlias = AeAssessment | SurvivalStatus | Transplant | Withdrawal | LossToFollowUp | ContactRegained

ASSESSMENTS = get_args(AnyAssessment)
"""The kinds of an assessment, for the schema: some are found by no field but through the interface."""


class _AssessmentFields(RecordFields):
    id: UUID
    kind: AssessmentKind


class _PlacedFields(TypedDict):
    at: datetime
    visit_code: str | None
    point: str | None
    in_window: bool | None
    used: bool


def assessment(row: AssessmentRow, opener: Opener, first_transplant: Iterable[str] = ()) -> AnyAssessment:
    """An assessment's row as the schema shows it; `first_transplant` are the event ids of transplants after T0 that
    count."""
    facts, kind = cast(dict[str, Any], row.facts), AssessmentKind(row.kind)
    common = _AssessmentFields(
        **record_fields(row, "assessment", opener, row.protocol_version), id=row.event_id, kind=kind
    )
    match kind:
        case AssessmentKind.AE_ASSESSMENT:
            return AeAssessment(**common, **_placed(row), any_new=YesNo(facts["anyNew"]))
        case AssessmentKind.SURVIVAL_STATUS:
            return SurvivalStatus(
                **common,
                **_placed(row),
                alive=VitalStatus(facts["alive"]),
                transplant=TransplantStatus(facts["transplant"]),
                transplant_at=partial_date(facts.get("transplantAt")),
                source=SurvivalSource(facts["source"]),
            )
        case AssessmentKind.TRANSPLANT:
            return Transplant(
                **common,
                transplant_at=needed_date(facts["transplantAt"]),
                donor=None if facts.get("donor") is None else Donor(facts["donor"]),
                first_after_t0=str(row.event_id) in first_transplant,
            )
        case AssessmentKind.WITHDRAWAL:
            return Withdrawal(
                **common,
                withdrawn_at=instant(facts["withdrawnAt"]),
                scope=WithdrawalScope(facts["scope"]),
                vital_status_allowed=facts["vitalStatusAllowed"],
                reason=opener.open(sealed_text(facts.get("reason"))),
            )
        case AssessmentKind.LOSS_TO_FOLLOW_UP:
            return LossToFollowUp(**common, last_contact_at=instant(facts["lastContactAt"]))
        case AssessmentKind.CONTACT_REGAINED:
            return ContactRegained(**common, at=instant(facts["at"]))


def _placed(row: AssessmentRow) -> _PlacedFields:
    assert row.at is not None, "an assessment of a time point has an instant"
    return _PlacedFields(at=row.at, visit_code=row.visit_code, point=row.point, in_window=row.in_window, used=row.used)
