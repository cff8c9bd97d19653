"""How long each analysis follows a participant from T0, and what ends it (`endpoints.md` 3.1).

Times are whole civil days of the site, counted from the date of T0.

Decided here, because the reference leaves room: a death or a transplant behind the horizon is not there for the
curves, so that the participant is censored when last known alive, never at a day that only the later death proves;
whatever is dated before T0 counts at day 0; at its own calendar landmark somebody is alive who dies later, whenever
that is.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from hepatrail_projections.clinical.endpoints.cells import Contribution, in_order
from hepatrail_projections.clinical.endpoints.competing import Cause, FirstEvent
from hepatrail_projections.clinical.endpoints.survival import Followed


@dataclass(frozen=True, slots=True)
class Known:
    """A civil day of which something is known, and the events that tell it.

    `instant` is there when the minute is known; `imputed`: the day itself was not reported.
    """

    day: date
    event_ids: tuple[UUID, ...]
    instant: datetime | None = None
    imputed: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What the curves rest on: `t0` is the start of the first session, `alive` the day last known alive (LKA).

    `transplant` is the first after T0. `withheld` is a death that was learned after a withdrawal from follow-up
    without leave to ask for vital status: it is known and not analysed.
    """

    subject_id: str
    t0: Known
    alive: Known
    death: Known | None = None
    transplant: Known | None = None
    withheld: Known | None = None

    def days(self, known: Known) -> int:
        """Days from T0, 0 for what is dated before it."""
        return max(0, (known.day - self.t0.day).days)


class End(StrEnum):
    """What ends the time of a participant in an analysis."""

    CENSORED = "CENSORED"
    TRANSPLANT = "TRANSPLANT"
    DEATH = "DEATH"


_CAUSES = {
    End.CENSORED: Cause.CENSORED,
    End.TRANSPLANT: Cause.TRANSPLANT,
    End.DEATH: Cause.DEATH_WITHOUT_TRANSPLANT,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """The time of a participant in an analysis, in days from T0; `held` names the events of T0 and of the end."""

    subject_id: str
    days: int
    end: End
    held: Contribution
    imputed: bool = False

    @property
    def happened(self) -> bool:
        """Whether an event ended the time, rather than the end of knowledge."""
        return self.end is not End.CENSORED

    @property
    def followed(self) -> Followed:
        """As Kaplan and Meier read it."""
        return Followed(self.subject_id, self.days, self.happened)

    @property
    def first_event(self) -> FirstEvent:
        """As Aalen and Johansen read it."""
        return FirstEvent(self.subject_id, self.days, _CAUSES[self.end])


def overall(of: FollowUp, cut: date, horizon: int, *, imputed: bool = True) -> Ended:
    """The time until death from any cause; a transplant does not end it.

    `cut` is the civil day of the data cut, `horizon` the last day from T0 that is analysed. Without `imputed`, whose
    date of death is not known to the day is censored when last known alive.
    """
    death = _analysed(of, of.death, cut, horizon)
    if death is None or (death.imputed and not imputed):
        return _censored(of, cut, horizon)
    return _ended(of, death, End.DEATH)


def transplant_free(of: FollowUp, cut: date, horizon: int) -> Ended:
    """The time until the first of transplant and death."""
    death = _analysed(of, of.death, cut, horizon)
    transplant = _analysed(of, of.transplant, cut, horizon)
    if transplant is not None and not (death is not None and _precedes(death, transplant)):
        return _ended(of, transplant, End.TRANSPLANT)
    return _censored(of, cut, horizon) if death is None else _ended(of, death, End.DEATH)


class Standing(StrEnum):
    """What is known of a participant at a landmark."""

    ALIVE = "ALIVE"
    DEAD = "DEAD"
    UNKNOWN = "UNKNOWN"


def standing(of: FollowUp, landmark: date, seen: tuple[UUID, ...]) -> tuple[Standing, tuple[UUID, ...]]:
    """Whether somebody lives at the own calendar landmark, and the events that tell it (unknown: the last contact).

    `seen` are the survival statuses that found the participant alive inside the window of the landmark's visit.
    """
    if of.death is not None:
        return Standing.DEAD if of.death.day <= landmark else Standing.ALIVE, of.death.event_ids
    if of.alive.day >= landmark:
        return Standing.ALIVE, of.alive.event_ids
    return (Standing.ALIVE, seen) if seen else (Standing.UNKNOWN, of.alive.event_ids)


def _analysed(of: FollowUp, known: Known | None, cut: date, horizon: int) -> Known | None:
    return known if known is not None and known.day <= cut and of.days(known) <= horizon else None


def _precedes(death: Known, transplant: Known) -> bool:
    """Whether death came before the transplant; of one day without both times the transplant counts as first."""
    if death.day != transplant.day or death.instant is None or transplant.instant is None:
        return death.day < transplant.day
    return death.instant < transplant.instant


def _ended(of: FollowUp, known: Known, end: End) -> Ended:
    return Ended(of.subject_id, of.days(known), end, _held(of, known), known.imputed)


def _censored(of: FollowUp, cut: date, horizon: int) -> Ended:
    days = max(0, min(of.days(of.alive), (cut - of.t0.day).days, horizon))
    return Ended(of.subject_id, days, End.CENSORED, _held(of, of.alive))


def _held(of: FollowUp, known: Known) -> Contribution:
    return Contribution(of.subject_id, in_order((*of.t0.event_ids, *known.event_ids)))
