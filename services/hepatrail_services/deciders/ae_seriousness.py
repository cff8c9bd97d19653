"""Seriousness by assessor (`safety.md` 2.3, 4.1): each fills, changes and empties its own set of criteria (INV-14).

The role tells the assessor: the sponsor judges for itself, an investigator for the site. DEATH stands only in the
investigator's set and comes and goes with the record of the death (INV-02, INV-04).
"""

from typing import Annotated, ClassVar

from pydantic import Field

from hepatrail_events.adverse_events import (
    AEDowngradedToNonSerious,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Assessor,
    Criterion,
    DowngradeReason,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Instant, PartialDate, SealedText
from hepatrail_services.command import AdverseEventCommand, ReasonText, Sealable
from hepatrail_services.deciders.ae_rules import Commit, distinct, known, naming, refuse_broken, refuse_unaware
from hepatrail_services.deciders.ae_state import AdverseEvent, assessor_of
from hepatrail_services.deciders.context import Situation

LongReasonText = Annotated[SealedText, Sealable(min_length=10)]
"""A reason in at least ten characters, as a downgrade and a void need (`safety.md` 2.6)."""
_ASSESSORS = INVESTIGATORS | {Role.SPONSOR}


class UpgradeAdverseEvent(AdverseEventCommand):
    """An assessor who had stated no seriousness criterion finds the event serious."""

    ROLES: ClassVar[frozenset[Role]] = _ASSESSORS

    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=6, description="Seriousness criteria (ICH E2A)")
    serious_since: PartialDate = Field(description="Since when it is serious")
    aware_at: Instant = Field(description="When the assessor first knew that it is serious")


class ChangeSeriousnessCriteria(AdverseEventCommand):
    """The assessor who found the event serious changes its own criteria; some are left."""

    ROLES: ClassVar[frozenset[Role]] = _ASSESSORS

    added: tuple[Criterion, ...] = Field((), max_length=6, description="Criteria that hold as well")
    removed: tuple[Criterion, ...] = Field((), max_length=6, description="Criteria that do not hold after all")
    reason: ReasonText | None = Field(default=None, description="Why criteria are removed; required then")
    aware_at: Instant = Field(description="When the assessor first knew")


class DowngradeAdverseEvent(AdverseEventCommand):
    """An assessor no longer finds the event serious; the other assessor's criteria stay."""

    ROLES: ClassVar[frozenset[Role]] = _ASSESSORS

    reason_code: DowngradeReason = Field(description="Why it is not serious")
    reason_text: LongReasonText = Field(description="Explanation in the assessor's words, at least 10 characters")


def upgrade(commit: Commit, command: UpgradeAdverseEvent, death_at: PartialDate | None, situation: Situation) -> Commit:
    """AEUpgradedToSerious of an assessor whose set is empty."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    assessor = _assessor(situation)
    _refuse_sponsors_death(assessor, command.criteria, "criteria")
    if event.judged_by(assessor).criteria:
        raise CommandRejected(
            "This assessor has found the event serious already; change its criteria instead.", field="criteria"
        )
    commit = commit.then(
        AEUpgradedToSerious(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            criteria=distinct(command.criteria),
            serious_since=command.serious_since,
            aware_at=command.aware_at,
        )
    )
    refuse_broken(commit[command.ae_id], death_at, situation, naming(outcome="criteria"))
    return commit


def change_criteria(
    commit: Commit, command: ChangeSeriousnessCriteria, death_at: PartialDate | None, situation: Situation
) -> Commit:
    """AESeriousnessCriteriaChanged of an assessor whose set is not empty, before and after."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    assessor = _assessor(situation)
    added, removed = distinct(command.added), distinct(command.removed)
    _refuse_sponsors_death(assessor, added, "added")
    _refuse_unfitting(event, assessor, frozenset(added), frozenset(removed))
    if removed and command.reason is None:
        raise CommandRejected("Criteria are not removed without a reason.", rule="INV-13", field="reason")
    refuse_unaware(event.onset, command.aware_at, situation)
    commit = commit.then(
        AESeriousnessCriteriaChanged(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            assessor=assessor,
            added=added,
            removed=removed,
            reason=command.reason,
            aware_at=command.aware_at,
        )
    )
    refuse_broken(commit[command.ae_id], death_at, situation, naming(outcome="added"))
    return commit


def downgrade(
    commit: Commit, command: DowngradeAdverseEvent, death_at: PartialDate | None, situation: Situation
) -> Commit:
    """AEDowngradedToNonSerious of an assessor whose set is neither empty nor holds DEATH."""
    event = known(commit.state.events, command.ae_id, command.expected_ae_version)
    assessor = _assessor(situation)
    own = event.judged_by(assessor).criteria
    if not own and event.serious:
        raise CommandRejected(
            "The criteria are the other assessor's: each takes back only its own.", rule="INV-14", field="aeId"
        )
    if not own:
        raise CommandRejected("The adverse event is not serious.", field="aeId")
    _refuse_removed_death(own, "aeId")
    commit = commit.then(
        AEDowngradedToNonSerious(
            ae_id=command.ae_id,
            ae_version=commit.next_version(command.ae_id),
            assessor=assessor,
            reason_code=command.reason_code,
            reason_text=command.reason_text,
        )
    )
    refuse_broken(commit[command.ae_id], death_at, situation)
    return commit


def _assessor(situation: Situation) -> Assessor:
    return assessor_of(situation.context.actor.role)


def _refuse_sponsors_death(assessor: Assessor, criteria: tuple[Criterion, ...], field: str) -> None:
    if assessor is Assessor.SPONSOR and Criterion.DEATH in criteria:
        raise CommandRejected("The sponsor never sets the criterion DEATH.", rule="INV-14", field=field)


def _refuse_removed_death(removed: frozenset[Criterion], field: str) -> None:
    if Criterion.DEATH in removed:
        raise CommandRejected(
            "The criterion DEATH is removed by a correction of the death record only.", rule="INV-04", field=field
        )


def _refuse_unfitting(
    event: AdverseEvent, assessor: Assessor, added: frozenset[Criterion], removed: frozenset[Criterion]
) -> None:
    own = event.judged_by(assessor).criteria
    if not added and not removed:
        raise CommandRejected("Nothing is added or removed.", code="SHAPE", field="added")
    if added & removed:
        raise CommandRejected("A criterion is added or removed, not both.", code="SHAPE", field="removed")
    if not own and added and not removed:
        raise CommandRejected("This assessor has stated no criterion: upgrade the event instead.", field="added")
    for criterion in sorted(removed - own):
        if criterion in event.criteria:
            raise CommandRejected(
                f"{criterion} is the other assessor's: each removes only its own.", rule="INV-14", field="removed"
            )
        raise CommandRejected(f"This assessor has not stated {criterion}.", field="removed")
    _refuse_removed_death(removed, "removed")
    for criterion in sorted(added & own):
        raise CommandRejected(f"This assessor has stated {criterion} already.", field="added")
    if not (own | added) - removed:
        raise CommandRejected("No criterion would be left: downgrade the event instead.", field="removed")
