"""What a participant's stream makes the processor say as time passes and commits come: pure, in order (`safety.md` 6).

Between two commits the view does not change. So everything that time raises in between is known when the next commit
is read: it is said before that commit is reacted to, whether somebody looked in time or not. A protocol version that
took effect has its place there too: before the first commit that was decided with knowledge of it, else at the end of
the stream from its instant on (`docs/adr/0008`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import InvalidEnvelope
from hepatrail_projections.desk_view import DeskView
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.safety_course import protocol_under, took_effect_between
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.command import Command
from hepatrail_services.safety.due import Timer, fallen_due
from hepatrail_services.safety.react import react, reevaluate
from hepatrail_services.safety.stopping import stopping_commands

_TICK = timedelta(milliseconds=1)
"""The resolution of recordedAt."""


@dataclass(frozen=True, slots=True)
class Around:
    """The study and the desk as far as they are read, and the present instant."""

    study: StudyView
    desk: DeskView
    now: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A command and the instant that it belongs to."""

    at: datetime
    command: Command


@dataclass(frozen=True, slots=True)
class Passage:
    """What passes up to an instant, in order, and the protocol version under which the participant stands then."""

    said: tuple[Said, ...]
    applied: PublishedProtocol | None


def before_commit(
    view: SubjectView,
    applied: PublishedProtocol | None,
    timers: Sequence[Timer],
    commit: Sequence[Recorded],
    around: Around,
) -> Passage:
    """What passed between the view and its next commit; `applied` None: no commit was evaluated yet.

    `timers` are the view's as of `just_before(commit)`. Raises InvalidEnvelope when the commit names a study without
    protocol.
    """
    published = in_force(around.study, applied, commit)
    return _passage(view, applied, published, _fired(timers, just_before(commit), around), around)


def just_before(commit: Sequence[Recorded]) -> datetime:
    """The last instant before the commit was recorded."""
    return commit[0].envelope.recordedat - _TICK


def own_commands(
    before: SubjectView, after: SubjectView, published: PublishedProtocol, commit: Sequence[Recorded], around: Around
) -> tuple[Command, ...]:
    """What the commit itself demands: alerts, hits and facts for stopping rules."""
    commit_id = commit[-1].envelope.commitid
    return (
        *react(before, after, commit, around.study, published),
        *stopping_commands(before, after, commit_id, published, around.study),
    )


def at_the_end(
    view: SubjectView,
    applied: PublishedProtocol | None,
    timers: Sequence[Timer],
    until: datetime,
    around: Around,
    *,
    held: bool = False,
) -> Passage:
    """What has passed by `until`, up to which everything recorded is in the view; `timers` are the view's then.

    In a held stream no version takes effect: before which of the waiting commits it has its place is not known.
    """
    published = applied if held else around.study.published_at(until)
    return _passage(view, applied, published, _fired(timers, until, around), around)


def in_force(study: StudyView, applied: PublishedProtocol | None, commit: Sequence[Recorded]) -> PublishedProtocol:
    """The version under which a commit is evaluated: that of its decision, never an older one than applied before.

    Raises InvalidEnvelope when there was none.
    """
    envelope = commit[-1].envelope
    decided = protocol_under(study, envelope.recordedat, envelope.studyseq)
    if decided is None:
        raise InvalidEnvelope(f"{envelope.stream}@{envelope.streamseq}: no protocol was in force at this studyseq")
    return decided if applied is None else max(applied, decided, key=_place)


def _passage(
    view: SubjectView,
    applied: PublishedProtocol | None,
    published: PublishedProtocol | None,
    fired: Sequence[Said],
    around: Around,
) -> Passage:
    if published is None or (applied is not None and _place(published) <= _place(applied)):
        return Passage(tuple(fired), applied)
    if applied is None:
        return Passage(tuple(fired), published)
    said = [*fired, *_taking_effect(view, applied, published, around)]
    return Passage(tuple(sorted(said, key=lambda each: each.at)), published)


def _fired(timers: Sequence[Timer], until: datetime, around: Around) -> tuple[Said, ...]:
    fired = fallen_due(timers, around.desk, until)
    return tuple(Said(each.fire_at, each.command(around.now)) for each in fired)


def _taking_effect(
    view: SubjectView, applied: PublishedProtocol, published: PublishedProtocol, around: Around
) -> Iterator[Said]:
    """Every version after the applied one evaluates the participant again, in the order of taking effect."""
    study, old = around.study, applied
    for new in took_effect_between(study, applied, published):
        commit_id = new.row.commit_id
        commands = (
            *reevaluate(view, study, old, new),
            *stopping_commands(view, view, commit_id, new, study, again=True),
        )
        yield from (Said(new.row.effective_from, command) for command in commands)
        old = new


def _place(published: PublishedProtocol) -> tuple[datetime, int]:
    """What orders versions in time: when they took effect, of equal ones when they were published."""
    return published.row.effective_from, published.row.streamseq
