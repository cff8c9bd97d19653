"""What was observed of a parameter at a point, by `visits.md` section 4: the observation chosen, or the one score.

Read from the rows of one participant. Nothing is chosen anew here: the value is the one that compliance and scores use.
Decided here, because the reference leaves room:

- A score lies in its window when every input assigned to the point does. What was in force before (oxygen, dialysis)
  or is the worst of 24 hours is not assigned and has no say.
- A later session is any but the first by start; a score is during one when any of its inputs is.
- A day alone stands at its last moment where it is held against a transplant, a death or a withdrawal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import WithdrawalScope
from hepatrail_events.protocol import Protocol
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.inputs import Collected, Session
from hepatrail_projections.clinical.scores.periods import collected_range
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.clinical.windows import during_session
from hepatrail_projections.clinical_stops import latest_moment
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.endpoints.change_parameters import parameters
from hepatrail_projections.lab_result import LabValue
from hepatrail_projections.score import ScoreValue

_PRESSURES = ("map", "sbp", "dbp")
"""A mean pressure may stand for the cuff's two."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One parameter at one point, as observed.

    `number` is None where there is none, `reason` says why. `collected` is the time of a laboratory sample, None of a
    score, which has several. `change_reason` is why a score has no change although both values are there. `algorithm`
    names the formula of a score. `text` is the number as decimal text.
    """

    number: Fraction | None
    text: str | None = None
    comparator: str | None = None
    collected: Collected | None = None
    in_window: bool = True
    during_session: bool = False
    after_transplant: bool = False
    after_stop: str | None = None
    assumed: bool = False
    reason: str | None = None
    change_reason: str | None = None
    algorithm: str | None = None
    event_ids: tuple[UUID, ...] = ()


def observed(rows: OutcomeRows, protocol: Protocol) -> Mapping[tuple[str, str], Observed]:
    """By code and point, what was observed; nothing for a point without any. The baseline is that of `visits.md` 6."""
    course, codes = _Course.of(rows, protocol), {each.code for each in parameters(protocol)}
    found: dict[tuple[str, str], Observed] = {}
    for row in rows.lab_results:
        if row.code in codes and row.point is not None and (row.baseline if row.point == BASELINE else row.used):
            found[row.code, row.point] = _lab(row, course)
    for score in rows.scores:
        if score.score_id in codes:
            found[score.score_id, score.point] = _score(score, course)
    return found


@dataclass(frozen=True, slots=True)
class _Course:
    """What else happened to the participant; `placed` tells of an input whether it lies in the window of its point."""

    zone: ZoneInfo
    later_sessions: tuple[Session, ...]
    transplant: datetime | None
    stops: tuple[tuple[str, datetime], ...]
    placed: Mapping[tuple[str, str, str], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: OutcomeRows, protocol: Protocol) -> "_Course":
        zone = site_zone(protocol.site_zone)
        placed: dict[tuple[str, str, str], bool] = {}
        for row in rows.lab_results:
            if row.point is not None:
                key = (row.code, row.point, str(row.event_ids[0]))
                placed[key] = placed.get(key, False) or bool(row.in_window)
        return cls(zone, _later_sessions(rows), _transplant(rows, zone), tuple(_stops(rows, zone)), placed)

    def during_session(self, times: Iterable[Collected]) -> bool:
        return bool(self.later_sessions) and any(during_session(each, self.later_sessions) for each in times)

    def after_transplant(self, at: Collected) -> bool:
        return self.transplant is not None and collected_range(at, self.zone).last > self.transplant

    def after_stop(self, times: Iterable[Collected]) -> str | None:
        """The reason by which nothing counts that was observed after the end of life or of participation."""
        if not self.stops:
            return None
        last = max((collected_range(each, self.zone).last for each in times), default=None)
        return next((cause for cause, at in self.stops if last is not None and last > at), None)

    def in_window(self, row: ScoreValue) -> bool:
        return all(
            self.placed.get((code, row.point, event_id), True)
            for given in row.inputs
            if given["problem"] is None
            for code in (_PRESSURES if given["code"] == "map" else (given["code"],))
            for event_id in given["eventIds"][:1]
        )


def _later_sessions(rows: OutcomeRows) -> tuple[Session, ...]:
    return tuple(
        Session(each.session_id, each.started_at, each.ended_at, each.event_ids)
        for each in rows.sessions
        if each.ordinal is not None and each.ordinal > 1
    )


def _transplant(rows: OutcomeRows, zone: ZoneInfo) -> datetime | None:
    """The first transplant after T0, at the moment that the compliance of visits takes for it too."""
    first = {each["eventId"] for each in rows.subject.transplants if each["firstAfterT0"]}
    moments = (
        latest_moment(PartialDate.model_validate(each.happened), each.recorded_at, zone)
        for each in rows.assessments
        if str(each.event_id) in first
    )
    return min(moments, default=None)


def _stops(rows: OutcomeRows, zone: ZoneInfo) -> Iterable[tuple[str, datetime]]:
    subject = rows.subject
    if subject.death_at is not None and subject.death_aware_at is not None:
        death = PartialDate.model_validate(subject.death_at)
        yield "AFTER_DEATH", latest_moment(death, subject.death_aware_at, zone)
    for each in rows.assessments:
        left = each.kind == "WITHDRAWAL" and each.facts["scope"] != WithdrawalScope.TREATMENT_ONLY.value
        if left and not each.voided and each.at is not None:
            yield "AFTER_WITHDRAWAL", each.at


def _lab(row: LabValue, course: _Course) -> Observed:
    collected = Collected(row.collected_at, row.collected_on)
    return Observed(
        number=_number(row.canonical_exact),
        text=row.canonical_value,
        comparator=row.comparator,
        collected=collected,
        in_window=bool(row.in_window),
        during_session=course.during_session((collected,)),
        after_transplant=course.after_transplant(collected),
        after_stop=course.after_stop((collected,)),
        event_ids=row.event_ids,
    )


@lru_cache(maxsize=1 << 14)
def _number(exact: str | None) -> Fraction | None:
    """Of a fraction of integers; sooner than by `Fraction` itself, which looks for decimals too."""
    if exact is None:
        return None
    above, _, below = exact.partition("/")
    return Fraction(int(above), int(below or 1))


def _score(row: ScoreValue, course: _Course) -> Observed:
    """A total of the coma scale needs all three components tested, whatever the protocol puts in place of one."""
    assumed = row.status == "complete_with_assumptions"
    untested = assumed and row.score_id == "gcs"
    number = None if row.value is None or untested else Fraction(row.value)
    times = _times(row.inputs) if row.during_session or course.stops else ()
    reason = "NOT_TESTABLE" if untested else row.status.upper()
    own = {each for given in row.inputs for each in given["eventIds"]}
    return Observed(
        number=number,
        text=None if number is None else str(number),
        in_window=course.in_window(row),
        during_session=row.during_session and course.during_session(times),
        after_transplant=row.post_transplant,
        after_stop=course.after_stop(times),
        assumed=assumed,
        reason=reason if number is None else None,
        change_reason=None if row.change_reason is None else row.change_reason.upper(),
        algorithm=row.algorithm,
        event_ids=tuple(each for each in row.event_ids if str(each) in own),
    )


def _times(inputs: Iterable[Mapping[str, Any]]) -> tuple[Collected, ...]:
    """When the inputs that entered were collected; those of the enrolment have no time."""
    found = []
    for given in inputs:
        if given["problem"] is None and given["collectedAt"] is not None:
            found.append(Collected(datetime.fromisoformat(given["collectedAt"])))
        elif given["problem"] is None and given["collectedOn"] is not None:
            found.append(Collected(None, datetime.fromisoformat(given["collectedOn"]).date()))
    return tuple(found)
