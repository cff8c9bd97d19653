"""The course of one session (SES-03), and what no session begins without (SES-04) or after (SES-02)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import PartialDate, parse_instant
from hepatrail_services.deciders.assessments_state import AssessmentsState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.enrolment import EnrolmentState
from hepatrail_services.deciders.times import is_later


@dataclass(frozen=True, slots=True)
class Session:
    """One session: its times, its pauses, and all correctable fields as text."""

    started_at: datetime
    values: Mapping[str, str | None]
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()
    ended_at: datetime | None = None
    voided: bool = False

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return not self.voided and self.ended_at is None

    @property
    def paused(self) -> bool:
        """Whether the last pause is not closed."""
        return bool(self.pauses) and self.pauses[-1][1] is None


def refuse_disorder(session: Session, path: str) -> None:
    """SES-03: end after start; pauses inside, closed in turn, not overlapping."""
    earliest = session.started_at
    for number, (paused_at, resumed_at) in enumerate(session.pauses, start=1):
        if paused_at < earliest:
            raise CommandRejected(
                "A pause lies inside the session and after the pause before.", rule="SES-03", field=path
            )
        if resumed_at is None and (number < len(session.pauses) or session.ended_at is not None):
            raise CommandRejected("The session is paused: record when it resumed first.", rule="SES-03", field=path)
        if resumed_at is not None and resumed_at <= paused_at:
            raise CommandRejected("A session resumes after it was paused.", rule="SES-03", field=path)
        earliest = resumed_at or paused_at
    if session.ended_at is not None and (session.ended_at <= session.started_at or session.ended_at < earliest):
        raise CommandRejected("A session ends after its start and after its last pause.", rule="SES-03", field=path)


def resumed(session: Session, at: datetime) -> Session:
    """The session with its last pause closed."""
    return replace(session, pauses=(*session.pauses[:-1], (session.pauses[-1][0], at)))


def corrected(session: Session, name: str, text: str | None) -> Session:
    """The session with one field changed; `text` is in the form of the log."""
    values = {**session.values, name: text}
    match name, text:
        case "startedAt", str():
            return replace(session, values=values, started_at=parse_instant(text))
        case "endedAt", str():
            return replace(session, values=values, ended_at=parse_instant(text))
        case _:
            return replace(session, values=values)


def refuse_after_stop(
    enrolment: EnrolmentState, assessments: AssessmentsState, started_at: datetime, path: str, situation: Situation
) -> None:
    """SES-02. A session that is known to have begun before the death or withdrawal is a late entry, and a fact."""
    death = assessments.death
    stops: tuple[tuple[PartialDate | datetime | None, str], ...] = (
        (death.death_at if death else None, "died"),
        *((withdrawal.withdrawn_at, "withdrew") for withdrawal in assessments.withdrawals),
        (enrolment.consent_withdrawn_at, "withdrew consent"),
    )
    for when, what in stops:
        if when is not None and not is_later(when, started_at, situation.zone):
            raise CommandRejected(
                f"The participant {what}: no session may start after that.", rule="SES-02", field=path
            )


def refuse_unreleased(reference: str | None, path: str) -> None:
    """SES-04: CommandRejected when the cell batch has no release reference."""
    if not (reference or "").strip():
        raise CommandRejected("The cell batch has no release reference.", rule="SES-04", field=path)
