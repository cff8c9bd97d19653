"""Laboratory and bedside at the 14 time points and after later sessions: some a little late, a few missed."""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.ids import object_id
from hepatrail_events.protocol import Point, shipped_protocol
from hepatrail_services.simulation.bedside import Bedside, bedside_rows, severity_of
from hepatrail_services.simulation.care import Dialysis
from hepatrail_services.simulation.participants import Incident
from hepatrail_services.simulation.physiology import laboratory_rows
from hepatrail_services.simulation.queries import answer
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, LABORATORY, Script, text
from hepatrail_services.simulation.treatment import Session

CENTRAL_LABORATORY = "BFH central laboratory"
_MISSED = 0.04
_OUT_OF_WINDOW = 0.05
_OUTPATIENT_FROM = timedelta(days=12)
_OUTPATIENT_BELOW = 0.4
_DAY = timedelta(days=1)
_FAITHFUL = (Incident.BLEEDING_UPGRADED, Incident.RECORD_ERRORS, Incident.RENAL_FAILURE)
"""Who never misses a visit, because the story goes on at visits or is shown whole."""
_NO_URINE = ("P0_5_1H", "H12")
"""Points at which a collection of 24 h would span the session (`scores.md` section 9, rule 6)."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A time point and when the participant comes.

    `late`: after the window, so that the site names the point; `seen` tells visits that are kept from missed ones.
    """

    point: Point
    at: datetime
    late: bool
    seen: bool

    @property
    def visit_code(self) -> dict[str, str]:
        """What the site states of the point: nothing where the time says it."""
        return {"visitCode": self.point.code} if self.late else {}


@dataclass(frozen=True, slots=True)
class Stay:
    """When the participant can be seen: until death or withdrawal, and not while the site has no contact."""

    until: datetime | None = None
    away_from: datetime | None = None
    away_to: datetime | None = None

    def present(self, at: datetime) -> bool:
        """Whether the participant can be seen at a moment."""
        if self.until is not None and at >= self.until:
            return False
        return self.away_from is None or self.away_to is None or not self.away_from <= at < self.away_to


def plan_visits(script: Script, anchor: datetime, first_start: datetime, stay: Stay) -> tuple[Planned, ...]:
    """When the participant comes to each time point; baseline is never missed."""
    rng, planned = script.rng, []
    faithful = script.participant.incident in _FAITHFUL
    for point in shipped_protocol().points:
        before = point.kind == "pre"
        late = rng.random() < _OUT_OF_WINDOW and not before
        at = first_start - timedelta(minutes=rng.randint(90, 300)) if before else _moment(script, point, anchor, late)
        missed = rng.random() < _MISSED and not (before or faithful)
        planned.append(Planned(point, at, late, not missed and stay.present(at)))
    return tuple(planned)


def attend_visits(
    script: Script,
    planned: Sequence[Planned],
    sessions: Sequence[Session],
    dialyses: Sequence[Dialysis],
    stay: Stay,
) -> None:
    """Everything measured at the time points that are kept, and after later sessions where nothing covers it."""
    anchor = sessions[0].ended
    for visit in planned:
        if visit.seen:
            code = visit.point.code
            taken = _Taken(visit.at, code not in _NO_URINE, code == "BL", code == "D5", visit.visit_code)
            _measure(script, taken, anchor, dialyses)
    seen = [visit.at for visit in planned if visit.seen]
    for at, urine in _after_later_sessions(script, sessions, seen):
        if stay.present(at):
            _measure(script, _Taken(at, urine), anchor, dialyses)


def _after_later_sessions(
    script: Script, sessions: Sequence[Session], seen: Sequence[datetime]
) -> Iterator[tuple[datetime, bool]]:
    """Moments of the auxiliary points (`visits.md` section 2.1) and whether urine is collected there.

    None where the next session supersedes the point, nor where a visit lies in its window.
    """
    instants = [point for point in shipped_protocol().points if point.kind == "instant"]
    for number, session in enumerate(sessions[1:], start=2):
        following = sessions[number].started if number < len(sessions) else None
        for point in instants:
            opens = session.ended + timedelta(minutes=point.earliest_minutes or 0)
            closes = session.ended + timedelta(minutes=point.latest_minutes or 0)
            if (following is not None and following <= closes) or any(opens <= at <= closes for at in seen):
                continue
            target = session.ended + timedelta(minutes=point.target_minutes or 0)
            yield script.later(target, -12, 12), point.code not in _NO_URINE


@dataclass(frozen=True, slots=True)
class _Taken:
    """One visit's sample and assessment: when, whether urine was collected and the weight taken, what code stated.

    `hurried`: no dialysis is stated, whatever was done.
    """

    at: datetime
    urine: bool
    weighed: bool = False
    hurried: bool = False
    visit_code: dict[str, str] = field(default_factory=dict)


def _measure(script: Script, taken: _Taken, anchor: datetime, dialyses: Sequence[Dialysis]) -> None:
    participant, rng, at = script.participant, script.rng, taken.at
    days = (at - anchor) / _DAY
    results = laboratory_rows(participant, days, rng)
    sample = {"collectedAt": text(at), "laboratory": CENTRAL_LABORATORY, "specimen": "venous blood", "results": results}
    command = script.enter(script.later(at, 50, 180), LABORATORY, "recordLabResults", sample | taken.visit_code)
    _review_platelets(script, at, command, results)
    dialysed = any(each.counts_before(at) for each in dialyses)
    circumstances = Bedside(
        days,
        outpatient=at - anchor >= _OUTPATIENT_FROM and severity_of(participant, days) < _OUTPATIENT_BELOW,
        urine=taken.urine,
        dialysis_stated=taken.hurried or not dialysed,
    )
    rows = bedside_rows(participant, circumstances, rng)
    if taken.weighed:
        rows.append({"code": "weight", "value": f"{participant.weight_kg:.1f}", "unit": "kg"})
    observed = {"assessedAt": text(script.later(at, 1, 2)), "rows": rows} | taken.visit_code
    entered = script.later(at, 7, 42)
    command = script.enter(entered, COORDINATOR, "recordObservations", observed)
    if taken.hurried and dialysed:
        place = next(number for number, row in enumerate(rows) if row["code"] == "dialysis_sessions_7d")
        said = "The procedures are right, the count was not looked up"
        answer(script, script.later(entered, 900, 2000), "OBS-02", object_id(command, "result", place), said)


def _review_platelets(script: Script, at: datetime, command: UUID, results: list[dict[str, str]]) -> None:
    """The investigator looks at a low platelet count (`ctcae_labs.md` R13)."""
    place = next(number for number, row in enumerate(results) if row["code"] == "platelets")
    if int(results[place]["value"]) < 50:
        review = {"resultId": str(object_id(command, "result", place)), "clinicallySignificant": True, "finalGrade": 3}
        script.enter(script.later(at, 200, 500), INVESTIGATOR, "reviewLabFinding", review)


def _moment(script: Script, point: Point, anchor: datetime, late: bool) -> datetime:
    rng = script.rng
    if point.kind == "instant":
        earliest, latest = point.earliest_minutes or 0, point.latest_minutes or 0
        minutes = latest + rng.randint(5, 40) if late else rng.randint(earliest + 2, latest - 4)
        return anchor + timedelta(minutes=minutes)
    zone = ZoneInfo(shipped_protocol().site_zone)
    morning = anchor.astimezone(zone).replace(hour=7, minute=30, second=0, microsecond=0)
    due = morning + timedelta(days=point.target_days) if point.target_days is not None else _add_months(morning, point)
    offset = (
        point.days_after + rng.randint(1, 2) if late else rng.randint(-(point.days_before // 2), point.days_after // 2)
    )
    return (due + timedelta(days=offset, minutes=rng.randint(0, 150))).astimezone(anchor.tzinfo)


def _add_months(morning: datetime, point: Point) -> datetime:
    months = morning.month - 1 + (point.target_months or 0)
    year, month = morning.year + months // 12, months % 12 + 1
    return morning.replace(year=year, month=month, day=min(morning.day, calendar.monthrange(year, month)[1]))
