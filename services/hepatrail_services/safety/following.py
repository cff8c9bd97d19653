"""Participants' streams as the safety processor reads them: pure steps along the chain, a commit at a time."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from uuid import UUID

from hepatrail_events.codec import Link, Recorded
from hepatrail_events.errors import InvalidMessage, InvalidPayload
from hepatrail_events.sessions import SessionStarted
from hepatrail_events.streams import subject_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.records import Incoming
from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.subject_view import empty_view, fold
from hepatrail_services.decider.memory import StreamState, passed_over


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a participant: the view, and the starts of sessions as they were recorded."""

    view: SubjectView
    starts: tuple[Recorded, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A commit worked into its stream, as far as it could be read.

    `read` are its events, `after` the stream behind them. Where the reading stopped: `error`, and the events of the
    commit from that one on are `rest`.
    """

    before: StreamState
    after: StreamState
    read: tuple[Recorded, ...]
    error: InvalidMessage | None = None
    rest: tuple[Incoming, ...] = ()


@dataclass(slots=True)
class Stream:
    """A participant's stream up to what was reacted to, and what waits behind that.

    `applied` is the protocol version under which it was evaluated last.
    """

    name: str
    end: StreamState
    applied: PublishedProtocol | None = None
    waiting: list[Incoming] = field(default_factory=list)

    @classmethod
    def begin(cls, name: str) -> "Stream":
        """A stream of which nothing was read."""
        subject_id = subject_of(name)
        assert subject_id is not None, "study and desk are folded elsewhere"
        return cls(name, StreamState(Known(empty_view(subject_id))))

    @property
    def known(self) -> Known:
        """What is known of the participant."""
        return known(self.end)


def known(state: StreamState) -> Known:
    """The participant in a stream's state."""
    found = state.state
    assert isinstance(found, Known), "the stream of a participant"
    return found


def commits(events: Sequence[Incoming]) -> Iterator[list[Incoming]]:
    """The events of one stream cut into commits; one that cannot be read stands alone."""
    group: list[Incoming] = []
    last: UUID | None = None
    for event in events:
        commit = event.content.envelope.commitid if isinstance(event.content, Recorded) else None
        if group and (commit is None or commit != last):
            yield group
            group = []
        group.append(event)
        last = commit
    if group:
        yield group


def work_in(before: StreamState, name: str, commit: Sequence[Incoming], released: Set[Place]) -> Step:
    """The stream after a commit, or after as much of it as can be read."""
    state = before
    read: list[Recorded] = []
    for number, event in enumerate(commit):
        if event.place in released:
            state = passed_over(state, name, event.raw)
            continue
        try:
            recorded, link = follow(state, event)
            state = _evolve(state, recorded, link)
        except InvalidMessage as error:
            return Step(before, state, tuple(read), error, tuple(commit[number:]))
        read.append(recorded)
    return Step(before, state, tuple(read))


def follow(state: StreamState, event: Incoming) -> tuple[Recorded, Link]:
    """The event and the end of the chain after it; InvalidMessage when it is not the stream's next."""
    recorded = event.content
    if isinstance(recorded, InvalidMessage):
        raise recorded
    try:
        return recorded, state.link.follow(recorded)
    except InvalidMessage:
        # Of a record that was passed over nobody knows whether its writer had counted it.
        if state.other_end is None:
            raise
        return recorded, state.other_end.follow(recorded)


def _evolve(state: StreamState, recorded: Recorded, link: Link) -> StreamState:
    participant = known(state)
    try:
        view = fold(participant.view, recorded)
    except InvalidMessage:
        raise
    # A bug in the fold must stop this participant only.
    except Exception as error:
        raise InvalidPayload(f"{recorded.envelope.type}: folding it failed: {type(error).__name__}") from error
    starts = participant.starts
    if isinstance(recorded.event, SessionStarted):
        starts = (*starts, recorded)
    return StreamState(Known(view, starts), link, recorded.envelope.recordedat)
