"""Times in which safety did not work, as pure functions: when one begins and ends, and what is told of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from hepatrail_events.ids import derived_id, uuid7
from hepatrail_events.types import format_instant
from hepatrail_services.notifying.notice import Audience, Notice

_SURE = 30.0
"""Seconds without a break after which what is seen is believed, for the worse as for the better."""
_REPEAT = 3600.0


class Kind(StrEnum):
    """What is told of an episode."""

    BEGAN = "began"
    GOES_ON = "goes-on"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which safety did not work. `why` is what was seen last."""

    id: UUID
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """What was seen. `turning` is since when it is otherwise than `episode` says: steady seconds, and instant."""

    episode: Episode | None = None
    turning: tuple[float, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel was told last: of which episode, when (steady seconds), and how often."""

    episode: Episode
    at: float
    times: int


def observed(course: Course, trouble: str | None, now: datetime, steady: float) -> Course:
    """The course after a look; `trouble` says why safety does not work, None that it does."""
    if (trouble is None) == (course.episode is None):
        episode = course.episode if course.episode is None or trouble is None else replace(course.episode, why=trouble)
        return Course(episode)
    began, since = course.turning or (steady, now)
    if steady - began < _SURE:
        return Course(course.episode, (began, since))
    return Course(None if trouble is None else Episode(uuid7(since), since, trouble))


def owed(episode: Episode | None, told: Told | None, steady: float) -> tuple[Kind, Episode] | None:
    """What a channel is to be told now, and of which episode, if anything."""
    if episode is None:
        return None if told is None else (Kind.OVER, told.episode)
    if told is None or told.episode.id != episode.id:
        return Kind.BEGAN, episode
    return (Kind.GOES_ON, episode) if steady - told.at >= _REPEAT else None


def outage_notice(kind: Kind, episode: Episode, times: int, now: datetime, link: str | None) -> Notice:
    """The notice; `times` is how often the channel was told of the episode before."""
    since, place = format_instant(episode.since), "" if link is None else f" ({link})"
    if kind is Kind.OVER:
        title = "Safety alerts work again"
        lines = (
            f"The safety desk{place} works again; it did not since {since}.",
            "What fell due in between is raised and escalated now, marked as late.",
        )
    else:
        title = "Safety alerts do not work" if kind is Kind.BEGAN else "Safety alerts still do not work"
        lines = (
            f"The safety desk{place} has not worked since {since}. {episode.why}",
            "Until you are told otherwise no alert and no escalation may reach you: look at the records themselves.",
        )
    return Notice(
        id=derived_id(episode.id, kind, times),
        kind=f"safety.outage.{kind}",
        audience=Audience.OUTAGE,
        at=now,
        title=title,
        lines=lines,
        data={"since": since, "why": episode.why, "link": link},
    )
