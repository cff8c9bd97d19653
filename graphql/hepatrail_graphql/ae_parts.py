"""What an adverse event consists of: its course, its judgements, and what became of its record (`safety.md` 4.1)."""

from datetime import datetime
from enum import Enum
from typing import Any, TypedDict
from uuid import UUID

import strawberry

from hepatrail_graphql.common import PartialDate, instant, optional_instant, partial_date
from hepatrail_graphql.enums import (
    ActionTaken,
    AeVoidReason,
    Assessor,
    Causality,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_graphql.text import Opener, Text, sealed_text


@strawberry.enum(description="Where an adverse event stands.")
class AdverseEventState(Enum):
    """Where an adverse event stands."""

    OPEN = strawberry.enum_value("OPEN", description="It lasts, or its end is not known.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="It ended.")
    FATAL = strawberry.enum_value("FATAL", description="The participant died of it.")
    VOIDED = strawberry.enum_value("VOIDED", description="Its record is void: it counts nowhere and stays readable.")


@strawberry.enum(description="Why an adverse event is treatment-emergent (`safety.md` section 3).")
class TeaeCase(Enum):
    """Why an adverse event is treatment-emergent."""

    A = strawberry.enum_value("A", description="New: it began in the window.")
    B = strawberry.enum_value("B", description="There before, and worse in intensity in the window.")
    C = strawberry.enum_value("C", description="There before, and more frequent in the window.")
    D = strawberry.enum_value("D", description="There before, and serious for the first time in the window.")


@strawberry.enum(description="What to know before using a treatment emergence.")
class TeFlag(Enum):
    """What to know before using a treatment emergence."""

    gradeBaselineUnknown = strawberry.enum_value(
        "gradeBaselineUnknown", description="The grade before treatment is unknown."
    )
    postTransplant = strawberry.enum_value("postTransplant", description="It began after a liver transplantation.")


@strawberry.type(description="One point of the severity's course.")
class GradePoint:
    """One point of the severity's course."""

    grade: int = strawberry.field(description="CTCAE v5.0 grade, 1 to 5 (AETOXGR).")
    grade_at: PartialDate | None = strawberry.field(description="Since when; null: since onset.")
    event_id: UUID = strawberry.field(description="The event that recorded it: names it in a correction.")


@strawberry.type(description="A point of the severity's course that was replaced or removed.")
class GradeCorrection:
    """A point of the severity's course that was replaced or removed."""

    grade_event_id: UUID = strawberry.field(description="The event that recorded the point.")
    old_grade: int = strawberry.field(description="The grade that stood there.")
    old_grade_at: PartialDate | None = strawberry.field(description="Since when that was.")
    new_grade: int | None = strawberry.field(description="The grade that stands there; null: the point was removed.")
    new_grade_at: PartialDate | None = strawberry.field(description="Since when that is.")
    reason: Text = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that made it.")
    event_id: UUID = strawberry.field(description="The event of the correction.")


@strawberry.type(
    description="What one assessor finds serious now (AESDTH, AESLIFE, AESHOSP, AESDISAB, AESCONG, AESMIE)."
)
class AssessorCriteria:
    """What one assessor finds serious."""

    assessor: Assessor = strawberry.field(description="Who.")
    criteria: list[Criterion] = strawberry.field(description="The criteria that hold in the assessor's view.")


@strawberry.type(description="The seriousness criteria of one assessor from one event on.")
class CriteriaChange:
    """The seriousness criteria of one assessor from one event on."""

    assessor: Assessor = strawberry.field(description="Who.")
    criteria: list[Criterion] = strawberry.field(description="All criteria that hold from then on; none: not serious.")
    since: PartialDate | None = strawberry.field(description="Since when it is serious, where it was not before.")
    aware_at: datetime | None = strawberry.field(description="When the assessor knew; null of a downgrade.")
    reason_code: DowngradeReason | None = strawberry.field(description="Why it is no longer serious.")
    reason: Text | None = strawberry.field(description="The same in words.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event.")


@strawberry.type(description="One assessor's causality for one target (AEREL).")
class CausalityAssessment:
    """One assessor's causality for one target."""

    assessor: Assessor = strawberry.field(description="Who.")
    target: CausalityTarget = strawberry.field(description="What may have caused the event.")
    value: Causality = strawberry.field(description="WHO-UMC causality.")
    rationale: Text | None = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event.")


@strawberry.type(description="The latest judgement against the reference safety information (RSI); the sponsor's.")
class ExpectednessAssessment:
    """The latest judgement against the reference safety information."""

    value: Expectedness = strawberry.field(description="Whether the RSI expects it.")
    rsi_version: str | None = strawberry.field(description="Version of the RSI.")
    rsi_term: str | None = strawberry.field(description="The entry of the RSI.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event.")


@strawberry.type(description="The coding in MedDRA, as the coder entered it.")
class MedDraCoding:
    """The coding in MedDRA."""

    version: str = strawberry.field(description="Version of MedDRA.")
    llt_code: str = strawberry.field(description="Code of the lowest level term (AELLTCD).")
    llt_name: str | None = strawberry.field(description="The lowest level term (AELLT).")
    pt_code: str = strawberry.field(description="Code of the preferred term (AEPTCD).")
    pt_name: str | None = strawberry.field(description="The preferred term (AEDECOD).")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that coded it.")
    event_id: UUID = strawberry.field(description="The event.")


@strawberry.type(description="New information about an adverse event.")
class FollowUp:
    """New information about an adverse event."""

    info_received_at: datetime = strawberry.field(description="When the information came.")
    text: Text = strawberry.field(description="What it says.")
    outcome: Outcome | None = strawberry.field(description="The outcome that it states.")
    action_taken: ActionTaken | None = strawberry.field(description="The action that it states.")
    frequency_worsened_at: PartialDate | None = strawberry.field(description="Since when the event comes more often.")
    attachments: list[str] = strawberry.field(description="References of documents.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event.")


@strawberry.type(description="An adverse event that had ended goes on.")
class Reopening:
    """An adverse event that had ended goes on."""

    reason: Text = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event.")


@strawberry.type(description="A request to void an adverse event, or the void itself.")
class AdverseEventVoid:
    """A request to void an adverse event, or the void itself."""

    reason_code: AeVoidReason = strawberry.field(description="Why.")
    reason_text: Text = strawberry.field(description="Why, in words.")
    duplicate_of: UUID | None = strawberry.field(description="The adverse event that it doubles.")
    co_signer: str | None = strawberry.field(description="The second person, where the event was ever serious.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event.")


class _Origin(TypedDict):
    recorded_at: datetime
    recorded_by: str
    event_id: UUID


def _origin(stored: dict[str, Any]) -> _Origin:
    return _Origin(
        recorded_at=instant(stored["recordedAt"]), recorded_by=stored["actorId"], event_id=UUID(stored["eventId"])
    )


def grade_point(stored: dict[str, Any]) -> GradePoint:
    """A point of a row's column."""
    return GradePoint(grade=stored["grade"], grade_at=partial_date(stored["gradeAt"]), event_id=UUID(stored["eventId"]))


def grade_correction(stored: dict[str, Any], opener: Opener) -> GradeCorrection:
    """A correction of a row's column."""
    old, new = stored["old"], stored["new"] or {}
    return GradeCorrection(
        grade_event_id=UUID(stored["gradeEventId"]),
        old_grade=old["grade"],
        old_grade_at=partial_date(old["gradeAt"]),
        new_grade=new.get("grade"),
        new_grade_at=partial_date(new.get("gradeAt")),
        reason=opener.needed(sealed_text(stored["reason"])),
        **_origin(stored),
    )


def criteria_change(stored: dict[str, Any], opener: Opener) -> CriteriaChange:
    """A change of criteria of a row's column."""
    code = stored["reasonCode"]
    return CriteriaChange(
        assessor=Assessor(stored["assessor"]),
        criteria=[Criterion(each) for each in stored["criteria"]],
        since=partial_date(stored["since"]),
        aware_at=optional_instant(stored["awareAt"]),
        reason_code=None if code is None else DowngradeReason(code),
        reason=opener.open(sealed_text(stored["reason"])),
        **_origin(stored),
    )


def causality_assessment(stored: dict[str, Any], opener: Opener) -> CausalityAssessment:
    """A causality of a row's column."""
    return CausalityAssessment(
        assessor=Assessor(stored["assessor"]),
        target=CausalityTarget(stored["target"]),
        value=Causality(stored["value"]),
        rationale=opener.open(sealed_text(stored["rationale"])),
        **_origin(stored),
    )


def expectedness_assessment(stored: dict[str, Any] | None) -> ExpectednessAssessment | None:
    """The expectedness of a row's column; None while it is not assessed."""
    if stored is None:
        return None
    return ExpectednessAssessment(
        value=Expectedness(stored["value"]),
        rsi_version=stored.get("rsiVersion"),
        rsi_term=stored.get("rsiTerm"),
        **_origin(stored),
    )


def meddra_coding(stored: dict[str, Any] | None) -> MedDraCoding | None:
    """The coding of a row's column; None while there is none."""
    if stored is None:
        return None
    return MedDraCoding(
        version=stored["meddraVersion"],
        llt_code=stored["lltCode"],
        llt_name=stored.get("lltName"),
        pt_code=stored["ptCode"],
        pt_name=stored.get("ptName"),
        **_origin(stored),
    )


def follow_up(stored: dict[str, Any], opener: Opener) -> FollowUp:
    """A follow-up of a row's column."""
    outcome, action = stored.get("outcome"), stored.get("actionTaken")
    return FollowUp(
        info_received_at=instant(stored["infoReceivedAt"]),
        text=opener.needed(sealed_text(stored["text"])),
        outcome=None if outcome is None else Outcome(outcome),
        action_taken=None if action is None else ActionTaken(action),
        frequency_worsened_at=partial_date(stored.get("frequencyWorsenedAt")),
        attachments=list(stored.get("attachments", ())),
        **_origin(stored),
    )


def reopening(stored: dict[str, Any], opener: Opener) -> Reopening:
    """A reopening of a row's column."""
    return Reopening(reason=opener.needed(sealed_text(stored["reason"])), **_origin(stored))


def adverse_event_void(stored: dict[str, Any] | None, opener: Opener) -> AdverseEventVoid | None:
    """A void, or the request for one, of a row's column; None when there is none."""
    if stored is None:
        return None
    duplicate = stored.get("duplicateOf")
    return AdverseEventVoid(
        reason_code=AeVoidReason(stored["reasonCode"]),
        reason_text=opener.needed(sealed_text(stored["reasonText"])),
        duplicate_of=None if duplicate is None else UUID(duplicate),
        co_signer=stored.get("coSigner"),
        **_origin(stored),
    )
