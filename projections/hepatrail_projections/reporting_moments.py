"""From a participant's safety history to the moments of each adverse event that was ever serious.

Each commit is evaluated under the protocol version that it was decided under, never under an older one than was applied
before; each version that takes effect is evaluated on what was known right before.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.derived import Treatment, judgements, te_inputs
from hepatrail_projections.clinical.adverse_events.predicates import Predicates, is_assumed_of_device, predicates
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.reporting.moments import Moment
from hepatrail_projections.protocol_course import place, protocol_under, took_effect_between
from hepatrail_projections.safety_history import SafetyPoint
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.treatment import treatment_under

_NOTHING = Predicates(False, False, False, False, False, False, False)
"""Of what was never serious nothing must be reported; the other predicates matter to no clock."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was known after a commit, or when a protocol version took effect, and the version that it is under."""

    point: SafetyPoint
    published: PublishedProtocol
    took_effect: bool = False

    @property
    def commit_id(self) -> UUID:
        """The commit's, or the publication's."""
        return self.published.row.commit_id if self.took_effect else self.point.commit_id

    @property
    def at(self) -> datetime:
        """When that was: recorded, or in effect, and never before what was known by then."""
        recorded_at = self.point.recorded_at
        return max(recorded_at, self.published.row.effective_from) if self.took_effect else recorded_at

    def event_ids(self, fact: AdverseEventFact) -> tuple[UUID, ...]:
        """The events that concern an adverse event; where none is its own, all of them."""
        if self.took_effect:
            return self.published.row.event_ids
        own = tuple(each for each in self.point.event_ids if each in fact.event_ids)
        return own or self.point.event_ids


def moments_of(
    history: Sequence[SafetyPoint], study: StudyView, at: datetime, only: Collection[UUID] | None = None
) -> Mapping[UUID, tuple[Moment, ...]]:
    """By aeId, the moments of every adverse event that was ever serious, by what was recorded until `at` (aware)."""
    known = [point for point in history if point.recorded_at <= at]
    events = known[-1].adverse_events if known else {}
    asked = (ae_id for ae_id in events if only is None or ae_id in only)
    wanted = [ae_id for ae_id in asked if events[ae_id].ever_serious]
    if not wanted:
        return {}
    steps, treatments = tuple(_steps(known, study, at)), Treatments()
    return {ae_id: found for ae_id in wanted if (found := tuple(_moments(steps, ae_id, treatments)))}


def _steps(known: Sequence[SafetyPoint], study: StudyView, at: datetime) -> Iterator[Step]:
    applied: PublishedProtocol | None = None
    before: SafetyPoint | None = None
    for point in known:
        decided = protocol_under(study, point.recorded_at, point.studyseq)
        if decided is not None and decided is not applied and (applied is None or place(decided) > place(applied)):
            if before is not None:
                yield from _effects(before, study, applied, decided)
            applied = decided
        if applied is not None:
            yield Step(point, applied)
        before = point
    last = study.published_at(at)
    if last is not None:
        yield from _effects(known[-1], study, applied, last)


def _effects(
    before: SafetyPoint, study: StudyView, applied: PublishedProtocol | None, until: PublishedProtocol
) -> Iterator[Step]:
    return (Step(before, published, took_effect=True) for published in took_effect_between(study, applied, until))


class Treatments:
    """What the adverse events of a step are held against, worked out once for the same sessions and version."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Treatment] = {}

    def of(self, step: Step) -> Treatment:
        """The treatment by then; without transplant, on which no predicate depends."""
        key = (id(step.point.sessions), step.published.version)
        found = self._known.get(key)
        if found is None:
            published = step.published
            zone, rules = site_zone(published.plan.zone), published.protocol.safety
            found = self._known[key] = treatment_under(step.point.sessions, None, rules, zone)
        return found


def _moments(steps: Sequence[Step], ae_id: UUID, treatments: Treatments) -> Iterator[Moment]:
    """One moment a step that changed anything of the adverse event."""
    before: Step | None = None
    last: Moment | None = None
    for step in steps:
        fact = step.point.adverse_events.get(ae_id)
        if fact is None or (before is not None and _is_same(before, step, ae_id)):
            continue
        before, moment = step, _moment(step, fact, ae_id, treatments)
        if last is None or step.took_effect or _content(moment) != _content(last):
            last = moment
            yield moment


def _is_same(before: Step, now: Step, ae_id: UUID) -> bool:
    """Whether nothing on which a moment rests is another; quick, because most commits touch one adverse event."""
    old, new = before.point, now.point
    return (
        not now.took_effect
        and before.published is now.published
        and old.adverse_events.get(ae_id) is new.adverse_events.get(ae_id)
        and old.sessions is new.sessions
        and old.baseline_conditions is new.baseline_conditions
        and old.notifications is new.notifications
        and old.submissions is new.submissions
    )


def _moment(step: Step, fact: AdverseEventFact, ae_id: UUID, treatments: Treatments) -> Moment:
    point, published = step.point, step.published
    rules, zone = published.protocol.safety, site_zone(published.plan.zone)
    found, assumed = _NOTHING, False
    if fact.ever_serious:
        judged = judgements(fact)
        given = te_inputs(fact, point.baseline_conditions, zone)
        found = predicates(given, judged, treatments.of(step).window, rules)
        assumed = found.dev_sae and is_assumed_of_device(judged.causality, rules)
    return Moment(
        commit_id=step.commit_id,
        event_ids=step.event_ids(fact),
        at=step.at,
        of_protocol=step.took_effect,
        version=published.version,
        rules=rules,
        zone=zone,
        fact=fact,
        predicates=found,
        device_assumed=assumed,
        notifications=tuple(each for each in point.notifications if each.fact.ae_id == ae_id),
        submissions=tuple(
            each for each in point.submissions.values() if each.fact.ae_id == ae_id and each.voided is None
        ),
    )


def _content(moment: Moment) -> tuple[object, ...]:
    return (
        id(moment.fact),
        moment.predicates,
        moment.device_assumed,
        tuple(map(id, moment.notifications)),
        tuple(map(id, moment.submissions)),
    )
