"""From the events of one stream to the rows of its trail: a pure fold."""

from collections.abc import Mapping
from typing import Any

from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidEnvelope, InvalidPayload
from hepatrail_events.roles import Role
from hepatrail_events.streams import subject_of
from hepatrail_projections.trail.row import TrailRow
from hepatrail_projections.trail.special import changes_of, reason_of
from hepatrail_projections.trail.state import Change, Said, TrailState


def trail_rows(state: TrailState, raw: bytes) -> tuple[TrailRow, ...]:
    """The rows of the next event of a stream, at least one; the state goes on by it.

    `raw` is the event as it stands in the log, `state` what the events before it said (`TrailState()`: it is the
    first). Raises InvalidMessage when the bytes are no event.
    """
    envelope, said, subject_id = _said(state, raw)
    reason = reason_of(said)
    return tuple(
        TrailRow(
            stream=envelope.stream,
            streamseq=envelope.streamseq,
            row=number,
            event_id=envelope.id,
            recorded_at=envelope.recordedat,
            received_at=envelope.receivedat,
            subject_id=subject_id,
            actor_id=envelope.actorid,
            actor_role=envelope.actorrole,
            actor_org=envelope.actororg,
            event_type=envelope.type,
            object_id=change.object_id,
            field=change.field,
            old=change.old,
            new=change.new,
            reason=reason if change.reason is None else change.reason,
            automated=envelope.actorrole == Role.SYSTEM,
            protocol_version=envelope.protocolversion,
        )
        for number, change in enumerate(_changes(said, state))
    )


def pass_over(state: TrailState, raw: bytes) -> None:
    """The state goes on by an event whose rows nobody wants; raises as `trail_rows`."""
    _, said, _ = _said(state, raw)
    _changes(said, state)


def _changes(said: Said, state: TrailState) -> list[Change]:
    try:
        return changes_of(said, state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # The codec has read what is in the projections; straight from the log, a payload may lack what its event has.
        raise InvalidPayload(f"{said.event_type[:80]}: {error!r:.200}") from None


def _said(state: TrailState, raw: bytes) -> tuple[Envelope, Said, str | None]:
    body = parse_object(raw)
    envelope, data = Envelope.from_json(body), body.get("data")
    if not isinstance(data, dict):
        raise InvalidEnvelope("data must be an object")
    said = Said(envelope.type, data, str(envelope.id), envelope.actorrole)
    state.version = envelope.streamseq
    return envelope, said, _subject(state, envelope, said)


def _subject(state: TrailState, envelope: Envelope, said: Said) -> str | None:
    """Whom the event concerns: the participant of the stream; of the desk and the study, whom its object names."""
    own = subject_of(envelope.stream)
    if own is not None:
        return own
    named = _named(said.payload)
    if named is not None:
        state.subjects[said.object_id] = named
    return state.subjects.get(said.object_id)


def _named(payload: Mapping[str, Any]) -> str | None:
    subject_id = payload.get("subjectId")
    return subject_id if isinstance(subject_id, str) else None
