"""Survival and transplantation of the safety set (`endpoints.md` section 3), from the assessments of the log.

Decided where the reference leaves room, as the product's documentation says it: of a year 1 July stands for the 15th,
a death without any date is the day after the participant was last known alive, and no death lies behind what was
reported or the day on which the site knew of it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from event_recount.dates import DAY, civil, days, exact, instant, to_the_day
from event_recount.laboratory import Row
from event_recount.treated import Participant
from event_recount.visits import Schedule

NEVER = date(9000, 1, 1)
DRAWN = (None, "HEMOLYSED", "INSUFFICIENT", "CLOTTED")
"""A sample was taken: it has a value, or could not be measured."""


@dataclass(frozen=True, slots=True)
class Day:
    """A civil day of which something is known, and the events that tell it; `at` where the minute is known."""

    day: date
    event_ids: list[UUID]
    at: datetime | None = None
    imputed: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """A treated participant; `death` and `transplant` only where they may be used, `withheld` a death that may not."""

    subject_id: str
    t0: Day
    alive: Day
    death: Day | None
    withheld: Day | None
    transplant: Day | None
    seen: dict[str, list[UUID]]

    def t(self, day: date) -> int:
        """Whole civil days from LD(T0); what is dated before it counts at 0."""
        return max(0, (day - self.t0.day).days)


def followed(each: Participant, rows: list[Row], schedule: Schedule) -> Followed:
    """How a treated participant was followed."""
    t0 = Day(each.t0_day, each.sessions[0].event_ids)
    possible = _days_of_death(each)
    alive = _last_known_alive(each, rows, t0, NEVER if possible is None else possible[1])
    death = None if possible is None else _death(each, possible, alive)
    usable = possible is None or possible[1] <= last_day(each, vital=True)
    return Followed(
        each.subject_id,
        t0,
        alive,
        death if usable else None,
        None if usable else death,
        _transplant(each, t0, death),
        _seen_alive(each, schedule),
    )


def last_day(each: Participant, *, vital: bool) -> date:
    """The last day of which something may be used: of a visit, or (`vital`) of life, death and transplant."""
    binding = [record for record in each.withdrawals if not (vital and record.data["vitalStatusAllowed"])]
    return min((civil(instant(record.data["withdrawnAt"])) for record in binding), default=NEVER)


def _days_of_death(each: Participant) -> tuple[date, date] | None:
    if each.death is None:
        return None
    aware = civil(each.death.aware)
    first, last = days(each.death.when) or (date.min, aware)
    return first, aware if first <= aware <= last else last


def _last_known_alive(each: Participant, rows: list[Row], t0: Day, until: date) -> Day:
    """The latest day that a contact proves, with all contacts of that day."""
    visits = [(civil(session.end), session.event_ids) for session in each.sessions if session.end is not None]
    taken: dict[date, list[UUID]] = {}
    for row in rows:
        if row.accepted and row.not_done in DRAWN:
            taken.setdefault(row.day, []).extend(row.event_ids)
    visits += taken.items()
    asked = each.standing("AEAssessmentDone")
    visits += [(civil(instant(record.data["at"])), record.event_ids) for record in asked]
    alive = [record for record in each.standing("SurvivalStatusRecorded") if record.data["alive"] == "Y"]
    vital = [(civil(instant(record.data["at"])), record.event_ids) for record in alive]
    grafts = [(days(record.data["transplantAt"]), record.event_ids) for record in each.standing("TransplantDone")]
    vital += [(possible[0], told) for possible, told in grafts if possible is not None]
    proofs = [proof for proof in visits if proof[0] <= min(until, last_day(each, vital=False))]
    proofs += [proof for proof in vital if proof[0] <= min(until, last_day(each, vital=True))]
    proofs.append((t0.day, t0.event_ids))
    last = max(day for day, _ in proofs)
    return Day(last, [event_id for day, told in proofs if day == last for event_id in told])


def _death(each: Participant, possible: tuple[date, date], alive: Day) -> Day:
    assert each.death is not None
    when, (first, last) = each.death.when, possible
    if first == last:
        day = first
    elif alive.day >= first:
        day = min(alive.day + DAY, last)
    else:
        middle = first.replace(day=15) if when["precision"] == "MONTH" else first.replace(month=7)
        day = min(middle, last)
    return Day(day, each.death.event_ids, exact(when), not to_the_day(when))


def _transplant(each: Participant, t0: Day, death: Day | None) -> Day | None:
    """The first after T0; of a date that is known in part the last day possible, not after death."""
    if each.transplant is None or civil(each.transplant[0]) > last_day(each, vital=True):
        return None
    at, record = each.transplant
    when, day = record.data["transplantAt"], civil(at)
    if not to_the_day(when) and death is not None:
        day = max(t0.day, min(day, death.day))
    return Day(day, record.event_ids, exact(when), not to_the_day(when))


def _seen_alive(each: Participant, schedule: Schedule) -> dict[str, list[UUID]]:
    """The statuses that found the participant alive inside the window of the point to which they are assigned."""
    found: dict[str, list[UUID]] = {}
    for record in each.standing("SurvivalStatusRecorded"):
        at = instant(record.data["at"])
        place = schedule.place(at, record.data.get("visitCode"))
        said = record.data["alive"] == "Y" and civil(at) <= last_day(each, vital=True)
        if said and place is not None and place.in_window:
            found.setdefault(place.point, []).extend(record.event_ids)
    return found


@dataclass(frozen=True, slots=True)
class Time:
    """The time of a participant in an analysis; `end` is CENSORED, TRANSPLANT or DEATH."""

    subject_id: str
    days: int
    end: str
    event_ids: list[UUID]
    imputed: bool

    @property
    def event(self) -> bool:
        """Whether something happened."""
        return self.end != "CENSORED"


def overall(each: Followed, cut: date, horizon: int, *, imputed: bool = True) -> Time:
    """OS: death from any cause, also after transplant; else censored when last known alive."""
    death = _analysed(each, each.death, cut, horizon)
    if death is not None and (imputed or not death.imputed):
        return _ended(each, death, "DEATH")
    return _censored(each, cut, horizon)


def transplant_free(each: Followed, cut: date, horizon: int) -> Time:
    """The first of transplant and death; of one day the transplant, unless both times say otherwise."""
    death, graft = _analysed(each, each.death, cut, horizon), _analysed(each, each.transplant, cut, horizon)
    if graft is not None and (death is None or _is_first(graft, death)):
        return _ended(each, graft, "TRANSPLANT")
    return _censored(each, cut, horizon) if death is None else _ended(each, death, "DEATH")


def _analysed(each: Followed, what: Day | None, cut: date, horizon: int) -> Day | None:
    return what if what is not None and what.day <= cut and each.t(what.day) <= horizon else None


def _is_first(graft: Day, death: Day) -> bool:
    if graft.day == death.day and graft.at is not None and death.at is not None:
        return graft.at <= death.at
    return graft.day <= death.day


def _ended(each: Followed, what: Day, end: str) -> Time:
    return Time(each.subject_id, each.t(what.day), end, [*each.t0.event_ids, *what.event_ids], what.imputed)


def _censored(each: Followed, cut: date, horizon: int) -> Time:
    last = min(each.alive.day, cut, each.t0.day + timedelta(days=horizon))
    return Time(each.subject_id, each.t(last), "CENSORED", [*each.t0.event_ids, *each.alive.event_ids], False)
