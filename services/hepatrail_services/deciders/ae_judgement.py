"""Judgements about an adverse event: causality, expectedness, coding (`safety.md` 2.4, 2.5, 4.1).

Decided here, because the reference leaves room: the effective grade of 2.5 is the greatest of the timeline, and without
any grade an event cannot be EXPECTED, because its severity cannot be compared. A version of the reference safety
information is in force on LD(onset) when it was at any moment of that date, or of the month or year that is all that is
known of the onset. The term is compared without regard to case.
"""

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AEExpectednessAssessed,
    Causality,
    CausalityTarget,
    Criterion,
    Expectedness,
    MedDraCode,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.protocol_rules import RsiEntry, RsiVersion
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Label, PartialDate
from hepatrail_services.command import AdverseEventCommand, Comment
from hepatrail_services.deciders.ae_rules import Commit, known
from hepatrail_services.deciders.ae_state import AdverseEvent, assessor_of
from hepatrail_services.deciders.context import Situation


class AssessCausality(AdverseEventCommand):
    """An investigator or the sponsor judges one target's causality; each changes only its own judgement."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS | {Role.SPONSOR}

    target: CausalityTarget = Field(description="What the adverse event may have been caused by")
    value: Causality = Field(description="WHO-UMC category")
    rationale: Comment = Field(description="Why, in the assessor's words")


class AssessExpectedness(AdverseEventCommand):
    """The sponsor judges whether the reference safety information (RSI) expects the event."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SPONSOR})

    value: Expectedness = Field(description="UNEXPECTED, or EXPECTED by an entry of the RSI")
    rsi_version: Label | None = Field(
        default=None, description="Version of the RSI in force at onset; required when EXPECTED"
    )
    rsi_term: Label | None = Field(default=None, description="Its entry; required when EXPECTED")


class CodeAdverseEvent(AdverseEventCommand):
    """A coder codes the event in MedDRA; the codes are kept as entered."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SAFETY_OFFICER, Role.SPONSOR})

    meddra_version: Label = Field(description="MedDRA version, as 28.1")
    llt_code: MedDraCode = Field(description="Code of the lowest level term")
    llt_name: Label | None = Field(default=None, description="Lowest level term")
    pt_code: MedDraCode = Field(description="Code of the preferred term")
    pt_name: Label | None = Field(default=None, description="Preferred term")


def assess_causality(commit: Commit, command: AssessCausality, situation: Situation) -> Commit:
    """AECausalityAssessed of the assessor that the role stands for."""
    known(commit.state.events, command.ae_id, command.expected_ae_version)
    return commit.then(
        AECausalityAssessed(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            assessor=assessor_of(situation.context.actor.role),
            target=command.target,
            value=command.value,
            rationale=command.rationale,
        )
    )


def assess_expectedness(commit: Commit, command: AssessExpectedness, situation: Situation) -> Commit:
    """AEExpectednessAssessed; EXPECTED is refused where the reference safety information does not cover the event."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    if command.value is Expectedness.EXPECTED:
        _refuse_uncovered(event, command, situation)
    return commit.then(
        AEExpectednessAssessed(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            value=command.value,
            rsi_version=command.rsi_version,
            rsi_term=command.rsi_term,
        )
    )


def code(commit: Commit, command: CodeAdverseEvent) -> Commit:
    """AECoded; the latest coding counts."""
    known(commit.state.events, command.ae_id, command.expected_ae_version)
    return commit.then(
        AECoded(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            meddra_version=command.meddra_version,
            llt_code=command.llt_code,
            llt_name=command.llt_name,
            pt_code=command.pt_code,
            pt_name=command.pt_name,
        )
    )


def _refuse_uncovered(event: AdverseEvent, command: AssessExpectedness, situation: Situation) -> None:
    entry = _entry(event, command, situation)
    if event.max_grade is None:
        raise CommandRejected("Without a grade its severity cannot be expected: record the grade first.", field="value")
    if event.max_grade > entry.max_grade:
        raise CommandRejected(
            f"The event has grade {event.max_grade}; the RSI expects {entry.term} up to grade {entry.max_grade}.",
            field="value",
        )
    for criterion, listed in ((Criterion.DEATH, entry.fatal), (Criterion.LIFE_THREATENING, entry.life_threatening)):
        if criterion in event.criteria and not listed:
            raise CommandRejected(
                f"The event has the criterion {criterion}, which the RSI does not list for {entry.term}.", field="value"
            )


def _entry(event: AdverseEvent, command: AssessExpectedness, situation: Situation) -> RsiEntry:
    for stated, path in ((command.rsi_version, "rsiVersion"), (command.rsi_term, "rsiTerm")):
        if stated is None:
            raise CommandRejected(
                f"{path} is required: EXPECTED names the version of the RSI and its entry.", field=path
            )
    in_force = [known for known in _in_force(situation, event.onset) if known.version == command.rsi_version]
    if not in_force:
        raise CommandRejected("This version of the RSI was not in force at the onset of the event.", field="rsiVersion")
    term = (command.rsi_term or "").strip().casefold()
    entry = next((entry for entry in in_force[0].entries if entry.term.strip().casefold() == term), None)
    if entry is None:
        raise CommandRejected("This version of the RSI has no such entry.", field="rsiTerm")
    return entry


def _in_force(situation: Situation, onset: PartialDate) -> list[RsiVersion]:
    """The versions in force at some moment of what is known of the onset."""
    first, behind = _span(onset, situation.zone, situation.now)
    versions = sorted(situation.protocol.rsi, key=lambda version: version.effective_from)
    if not versions:
        return []
    ends = [*(version.effective_from for version in versions[1:]), datetime.max.replace(tzinfo=UTC)]
    return [
        version for version, end in zip(versions, ends, strict=True) if version.effective_from < behind and first < end
    ]


def _span(onset: PartialDate, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """First instant of the civil date, month or year of the onset at the site, and the first one behind it."""
    exact = onset.instant
    if exact is not None:
        day = exact.astimezone(zone).date()
        return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    parts = [int(part) for part in (onset.value or "").split("-") if part]
    match parts:
        case [year, month, number]:
            day = date(year, month, number)
            return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        case [year, month]:
            behind = date(year + month // 12, month % 12 + 1, 1)
            return _midnight(date(year, month, 1), zone), _midnight(behind, zone)
        case [year]:
            return _midnight(date(year, 1, 1), zone), _midnight(date(year + 1, 1, 1), zone)
    return datetime.min.replace(tzinfo=UTC), now


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
