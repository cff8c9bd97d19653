"""A participant as the radar reads it: every record with its versions, and how long adverse events lasted.

Decided here, because the reference leaves room: an adverse event may cover a moment when its partial dates allow that
it did, an unknown begin lies before and an unknown end behind everything. T0, the baseline and the protocol are those
of the whole log that is looked at; only records have a history.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.adverse_events.window import span
from hepatrail_projections.clinical.grading.circumstances import moment
from hepatrail_projections.clinical.radar.course import Point, Version, ends, standing, versions
from hepatrail_projections.clinical.radar.events_said import each_once
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import DeathFact, ResultFact, Review, SubjectView

EVER, NEVER = datetime(1800, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)

Lasted = tuple[datetime, datetime]
"""From the first instant that it can have begun to the one after the last that it can have gone on."""

Events = Sequence[Version[AdverseEventFact]]
Results = Sequence[Version[ResultFact]]


class Known:
    """One participant's view under one protocol version, read once for all detectors."""

    def __init__(self, view: SubjectView, state: ClinicalState) -> None:
        self.view = view
        self.state = state

    @property
    def zone(self) -> ZoneInfo:
        """The civil time of the site."""
        return self.state.zone

    @property
    def safety(self) -> SafetyRules:
        """The rules of safety of the protocol."""
        return self.state.published.protocol.safety

    @cached_property
    def adverse_events(self) -> Mapping[UUID, Events]:
        """Every adverse event with its versions, in the order in which they were reported."""
        earlier = self.view.superseded
        return {
            ae_id: versions(fact, earlier.get(("adverse_events", ae_id), ()), fact.reported_at, fact.event_ids[0])
            for ae_id, fact in self.view.adverse_events.items()
        }

    @cached_property
    def death(self) -> Sequence[Version[DeathFact]]:
        """The death record with its versions; none while there is none."""
        current, earlier = self.view.death_record, self.view.superseded.get(("death_record", None), ())
        if current is None:
            return ()
        first: DeathFact = earlier[0].fact if earlier else current
        return versions(current, earlier, first.recorded_at, first.event_ids[0])

    @cached_property
    def results(self) -> Mapping[str, Results]:
        """Laboratory results and bedside observations by code, with their versions, in the log's order."""
        found: dict[str, list[Version[ResultFact]]] = defaultdict(list)
        earlier = self.view.superseded
        for result_id, fact in self.view.results.items():
            before = earlier.get(("results", result_id), ())
            since, made_by = fact.sample.recorded_at, fact.event_ids[0]
            for each in versions(fact, before, since, made_by) if before else (Version(fact, since, made_by),):
                found[each.fact.code].append(each)
        return found

    def usable(self, codes: Iterable[str]) -> Iterator[Version[ResultFact]]:
        """The versions of results of these codes that feed something."""
        for code in codes:
            for each in self.results.get(code, ()):
                if each.fact.voided is None and each.fact.observation.unusable is None:
                    yield each

    def reviews(self, result_id: UUID) -> Sequence[Version[Review]]:
        """An investigator's judgements of a result."""
        current = self.view.reviews.get(result_id)
        if current is None:
            return ()
        earlier = self.view.superseded.get(("reviews", result_id), ())
        first: Review = earlier[0].fact if earlier else current
        return versions(current, earlier, first.reviewed_at, first.event_id)

    def lasted(self, fact: AdverseEventFact) -> Lasted:
        """How long an adverse event can have lasted."""
        onset = span(fact.reported.onset, self.zone)
        end = None if fact.end_at is None else span(fact.end_at, self.zone)
        return (EVER if onset is None else onset[0], NEVER if end is None else end[1])

    @cached_property
    def _lasted(self) -> Mapping[UUID, Sequence[Lasted]]:
        """By adverse event, each time that it was ever said to have lasted."""
        return {
            ae_id: tuple(dict.fromkeys(self.lasted(each.fact) for each in course))
            for ae_id, course in self.adverse_events.items()
        }

    @cached_property
    def _ever_serious(self) -> Mapping[UUID, Sequence[Lasted]]:
        return {ae_id: said for ae_id, said in self._lasted.items() if self.view.adverse_events[ae_id].ever_serious}

    def ever_covering(self, first: datetime, last: datetime, *, serious: bool = False) -> list[Events]:
        """The adverse events of which any version may cover a part of a time, both ends included.

        `serious` asks only for those that ever were serious.
        """
        among = self._ever_serious if serious else self._lasted
        return [
            self.adverse_events[ae_id]
            for ae_id, said in among.items()
            if any(begin <= last and first < end for begin, end in said)
        ]

    def covers(self, fact: AdverseEventFact, first: datetime, last: datetime) -> bool:
        """Whether an adverse event that counts may cover a part of a time, both ends included."""
        begin, end = self.lasted(fact)
        return fact.voided is None and begin <= last and first < end

    def said_of(self, courses: Iterable[Events], at: datetime | None) -> tuple[UUID, ...]:
        """The events of adverse events until a moment: what hangs on whether they account for something."""
        facts = (standing(course, at) for course in courses)
        return each_once(*(fact.event_ids for fact in facts if fact is not None))

    def death_standing(self, at: datetime | None) -> DeathFact | None:
        """The death that stood just before a moment of recording."""
        record = standing(self.death, at)
        return record if record is not None and record.stands else None

    def moment(self, fact: ResultFact) -> datetime:
        """When a result was collected; of a date alone, noon of that day at the site."""
        return moment(fact.observation.collected, self.zone)


def points_of(courses: Iterable[Events]) -> list[Point]:
    """The moments at which another version took the place of one, of several adverse events."""
    return [point for course in courses for point in ends(course)]


def begins(courses: Iterable[Events]) -> list[Point]:
    """The moments at which adverse events were reported: what they account for goes then."""
    return [Point(course[0].since, course[0].made_by) for course in courses]
