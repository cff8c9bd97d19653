"""Sessions by duration, early end, age of the weight and dose (`endpoints.md` section 5).

Decided here, because the reference leaves room: the dose of a session without weight keeps no band and breaks none;
where the protocol means the dose of all sessions, the two lines of the dose count participants alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from hepatrail_events.protocol import Protocol
from hepatrail_events.sessions import EndReason
from hepatrail_projections.clinical.endpoints.cells import Column, Row, Table
from hepatrail_projections.clinical.endpoints.proportion import proportion_cell, share_cell
from hepatrail_projections.endpoints.exposure_cells import held, share_of_sessions
from hepatrail_projections.endpoints.exposure_facts import ExposureFacts, GivenSession
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_cells import empty
from hepatrail_projections.session import in_band

Holds: TypeAlias = Callable[[GivenSession], bool]

_SESSIONS = Column("SESSIONS", "Sessions, n (%)")
_PARTICIPANTS = Column("PARTICIPANTS", "Participants, n (%)")

_STOPPED = {
    EndReason.AE: "Adverse event",
    EndReason.DEVICE: "Device",
    EndReason.CLOTTING: "Clotting",
    EndReason.PARTICIPANT: "Participant",
    EndReason.OTHER: "Other",
}


@dataclass(frozen=True, slots=True)
class _Line:
    code: str
    label: str
    holds: Holds
    level: int = 0


def counts_table(saf: Sequence[ExposureFacts], protocol: Protocol, memory: Memory) -> Table:
    """How many sessions, and how many participants with such a session; `saf` in the order of the participants."""
    confidence = Decimal(protocol.endpoints.confidence)
    rows = [_row(line, saf, confidence, memory) for line in _lines(protocol)]
    if protocol.endpoints.dose_target_scope == "TOTAL":
        rows += _of_participants(saf, protocol, confidence)
    else:
        rows += [_row(line, saf, confidence, memory) for line in _dose_lines(protocol)]
    return Table(
        code="EXPOSURE_COUNTS",
        title="Treatment sessions by duration, end and dose",
        section="5",
        columns=(_SESSIONS, _PARTICIPANTS),
        rows=tuple(rows),
        notes=(
            f"N = {len(saf)} participants of the safety set. A session out of range is a deviation and counts as "
            "exposure all the same.",
        ),
    )


def _lines(protocol: Protocol) -> Iterator[_Line]:
    low, high = protocol.session_hours_low, protocol.session_hours_high
    yield _Line("STARTED", "Sessions started", _any)
    yield _Line("DURATION_BELOW", f"Shorter than {low} h (deviation)", _lasting(f"<{low}"), 1)
    yield _Line("DURATION_WITHIN", f"{low} to {high} h", _lasting(f"{low}-{high}"), 1)
    yield _Line("DURATION_ABOVE", f"Longer than {high} h (deviation)", _lasting(f">{high}"), 1)
    yield _Line("RUNNING", "Running", lambda given: given.hours is None, 1)
    yield _Line("STOPPED_EARLY", "Stopped early", lambda given: given.stopped_by is not None)
    for reason, label in _STOPPED.items():
        yield _Line(f"STOPPED_{reason}", label, _stopped(reason), 1)
    oldest = protocol.weight_max_age_days
    yield _Line("WEIGHT_TOO_OLD", f"Weight older than {oldest} days", lambda given: given.weight_too_old)


def _dose_lines(protocol: Protocol) -> Iterator[_Line]:
    band = _band(protocol)
    yield _Line("DOSE_IN_BAND", f"Dose of the session {band}", lambda given: given.in_band is True)
    yield _Line(
        "DOSE_OUT_OF_BAND",
        f"Dose of the session not {band} (deviation)",
        lambda given: given.in_band is False,
    )


def _band(protocol: Protocol) -> str:
    tolerance = Decimal(protocol.dose_tolerance)
    return f"{1 - tolerance} to {1 + tolerance} of the target"


def _any(_given: GivenSession) -> bool:
    return True


def _lasting(name: str) -> Holds:
    return lambda given: given.duration_class == name


def _stopped(reason: EndReason) -> Holds:
    return lambda given: given.stopped_by == reason


def _row(line: _Line, saf: Sequence[ExposureFacts], confidence: Decimal, memory: Memory) -> Row:
    found = [(each.subject_id, given.event_ids) for each in saf for given in each.sessions if line.holds(given)]
    who = held(found, line.code, memory)
    cells = (
        share_of_sessions(_SESSIONS.code, len(found), sum(len(each.sessions) for each in saf), who),
        share_cell(_PARTICIPANTS.code, who, len(saf), confidence),
    )
    return Row(line.code, line.label, cells, line.level)


def _of_participants(saf: Sequence[ExposureFacts], protocol: Protocol, confidence: Decimal) -> Iterator[Row]:
    band = _band(protocol)
    for code, label, kept in (
        ("DOSE_IN_BAND", f"Dose of all sessions {band}", True),
        ("DOSE_OUT_OF_BAND", f"Dose of all sessions not {band} (deviation)", False),
    ):
        who = [(each.subject_id, each.event_ids) for each in saf if in_band(each.ratio, protocol) is kept]
        yield Row(code, label, (empty(_SESSIONS.code), proportion_cell(_PARTICIPANTS.code, who, len(saf), confidence)))
