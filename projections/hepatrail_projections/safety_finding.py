"""`safety_finding`: where something serious seems unflagged, open and closed (`clinical/radar/` finds it).

The life of a finding, a pure function of the participant's stream and the protocol version:

| status | closed by | |
|---|---|---|
| OPEN | | its condition holds and its query waits for a first answer |
| CLOSED | ANSWERED | the site answered the query since it was listed; whether that settles it, the query says |
| CLOSED | QUERY_CLOSED | the monitor closed the query for the present version of its rule |
| CLOSED | CONDITION_GONE | something was mended, judged or added that accounts for it |

A closed finding stays listed. Where its condition went and came again it is open again, under the same id and with the
same query, and an answer of the time before does not close it: it was about other facts. Whatever came first closed it.

Decided here, because the reference leaves room: a finding whose condition went before it was ever listed has no row.
Nor has one that is seen no more because T0, a baseline or the protocol became another; if somebody spoke about it, its
query is listed still. INV-15 asks about more than one finding asks, so what was said before one was listed is not about
it; a query of the radar's own that the monitor closed closes its finding also where it comes again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_projections.clinical.radar.catalogue import sightings
from hepatrail_projections.clinical.radar.sighting import FindingKind, Sighting
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.catalogue import RULES
from hepatrail_projections.queries.finding import query_id, together
from hepatrail_projections.queries.radar import RADAR_RULES
from hepatrail_projections.table import Table


class FindingStatus(StrEnum):
    """Whether somebody still has to look."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class ClosedBy(StrEnum):
    """What closed a finding."""

    ANSWERED = "ANSWERED"
    QUERY_CLOSED = "QUERY_CLOSED"
    CONDITION_GONE = "CONDITION_GONE"


@dataclass(frozen=True, slots=True)
class SafetyFindingRow:
    """A finding: id = derived_id("FINDING", kind, subjectId, objectId with the aspect behind it).

    `kind` is a `FindingKind`, `severity` a `Severity`, `status` a `FindingStatus`, `closed_by` a `ClosedBy`,
    `object_kind` a `QueryObject`. `words` say what seems wrong and what would be right. `evidence` are the events that
    show it, `event_ids` all on which the row rests. `opened_at` and `closed_at` are moments of recording, or, where it
    is listed some hours later, that moment; `closing_event_id` is the event that closed it. The query that asks is
    known by `query_id` and its `rule`, which may be one of those that would ask anyway.
    """

    subject_id: str
    finding_id: UUID
    site_id: str | None
    kind: str
    detector_version: str
    severity: str
    status: str
    object_kind: str
    object_id: UUID
    words: str
    evidence: tuple[UUID, ...]
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closing_event_id: UUID | None
    rule: str
    query_id: UUID
    protocol_version: str | None
    event_ids: tuple[UUID, ...]

    def exists_at(self, at: datetime) -> bool:
        """Whether it is listed at an instant (aware)."""
        return self.opened_at <= at


SAFETY_FINDING = Table(
    "safety_finding",
    SafetyFindingRow,
    ("subject_id", "finding_id"),
)

_VERSIONS = {rule.rule_id: rule.version for rule in RULES}
_OWN = frozenset(rule.rule_id for rule in RADAR_RULES)


@dataclass(frozen=True, slots=True)
class _Closing:
    """What closed a finding, and when it was recorded."""

    at: datetime
    by: ClosedBy
    event_id: UUID


def finding_id(kind: FindingKind, subject_id: str, object_id: UUID, aspect: str = "") -> UUID:
    """The id of a finding, the same for ever."""
    return derived_id("FINDING", kind.value, subject_id, f"{object_id}{aspect}")


def safety_finding_rows(view: SubjectView, state: ClinicalState | None) -> tuple[SafetyFindingRow, ...]:
    """All findings of a participant, in the order of the detectors; none without a protocol.

    Those that are listed later are among them: `exists_at` decides when the row is read.
    """
    return () if state is None else tuple(_row(view, state, each) for each in sightings(view, state))


def _row(view: SubjectView, state: ClinicalState, sighting: Sighting) -> SafetyFindingRow:
    about, seen = sighting.about, sighting.seen
    asked = query_id(seen.question.rule, view.subject_id, about.object_id, seen.question.aspect)
    closing = min(_closings(view, sighting, asked), key=lambda each: each.at, default=None)
    return SafetyFindingRow(
        subject_id=view.subject_id,
        finding_id=finding_id(sighting.kind, view.subject_id, about.object_id, about.aspect),
        site_id=view.site_id,
        kind=sighting.kind.value,
        detector_version=sighting.version,
        severity=seen.severity.value,
        status=(FindingStatus.OPEN if closing is None else FindingStatus.CLOSED).value,
        object_kind=about.kind.value,
        object_id=about.object_id,
        words=seen.words,
        evidence=seen.evidence,
        opened_at=sighting.opened_at,
        closed_at=None if closing is None else closing.at,
        closed_by=None if closing is None else closing.by.value,
        closing_event_id=None if closing is None else closing.event_id,
        rule=seen.question.rule,
        query_id=asked,
        protocol_version=state.published.version,
        event_ids=together(seen.evidence, seen.rests_on, () if closing is None else (closing.event_id,)),
    )


def _closings(view: SubjectView, sighting: Sighting, asked: UUID) -> Iterator[_Closing]:
    """All that may have closed it since it was listed."""
    if sighting.gone_at is not None and sighting.gone_by is not None:
        yield _Closing(sighting.gone_at, ClosedBy.CONDITION_GONE, sighting.gone_by)
    for answer in view.query_answers.get(asked, ()):
        if answer.answered_at >= sighting.opened_at:
            yield _Closing(answer.answered_at, ClosedBy.ANSWERED, answer.event_id)
    rule = sighting.seen.question.rule
    for closure in view.query_closures.get(asked, ()):
        in_force = closure.rule_version == _VERSIONS[rule]
        if in_force and (closure.closed_at >= sighting.opened_at or rule in _OWN):
            at = max(closure.closed_at, sighting.opened_at)
            yield _Closing(at, ClosedBy.QUERY_CLOSED, closure.event_id)
