"""The tables of exposure (`endpoints.md` section 5), from what all participants contribute.

The protocol's sentence "approximately 1.67 × 10^8 per kg" says neither of each session nor of all: both ratios are
shown, and `dose_target_scope` says which of them can be a deviation.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import TypeAlias

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table, contributions
from hepatrail_projections.endpoints.exposure_cells import STATISTICS, held, number, statistics
from hepatrail_projections.endpoints.exposure_counts import counts_table
from hepatrail_projections.endpoints.exposure_facts import ExposureFacts, GivenSession
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.session import in_band

DURATION_OUT_OF_RANGE = "DURATION_OUT_OF_RANGE"
WEIGHT_TOO_OLD = "WEIGHT_TOO_OLD"
DOSE_OUT_OF_BAND = "DOSE_OUT_OF_BAND"
RUNNING = "RUNNING"
"""Flags: a deviation of duration, a weight too old, a deviation of dose, a session that has no end yet."""

_CELLS = 10**8
_CELLS_PER_KG = Column("CELLS_PER_KG", "Cells (10^8/kg)")
_RATIO = Column("RATIO", "Ratio to the target")
_HOURS = Column("HOURS", "Duration (h)")

_Cells: TypeAlias = tuple[Cell, ...]


def exposure_tables(
    facts: Sequence[ExposureFacts], protocol: Protocol, as_of: datetime, memory: Memory | None = None
) -> tuple[Table, ...]:
    """Every table of section 5; `facts` in any order, derived as of the data cut `as_of` (aware)."""
    saf = sorted((each for each in facts if each.sessions), key=lambda each: each.subject_id)
    known = memory or Memory()
    cut = f"As of {local_date(as_of, site_zone(protocol.site_zone)).isoformat()}."
    return (
        _summary(saf, protocol, cut, known),
        counts_table(saf, protocol, known),
        _by_participant(saf, protocol, known),
        _by_session(saf, protocol, known),
    )


def _summary(saf: Sequence[ExposureFacts], protocol: Protocol, cut: str, memory: Memory) -> Table:
    confidence = Decimal(protocol.endpoints.confidence)
    everybody = held(((each.subject_id, each.event_ids) for each in saf), "everybody", memory)

    def of_participants(
        values: Sequence[Fraction], decimals: int, total: Fraction | None = None, per: int = 1
    ) -> _Cells:
        return statistics(values, everybody, decimals, confidence, total=total, per=per)

    def of_sessions(name: str, decimals: int, total: Fraction | None = None, per: int = 1) -> _Cells:
        known = [
            (each.subject_id, given.event_ids, value)
            for each in saf
            for given in each.sessions
            if (value := getattr(given, name)) is not None
        ]
        # Of one place for all names: nearly always they are known of the same sessions.
        of = held(((subject_id, event_ids) for subject_id, event_ids, _ in known), "measured sessions", memory)
        return statistics([value for _, _, value in known], of, decimals, confidence, total=total, per=per)

    counts = [Fraction(len(each.sessions)) for each in saf]
    hours, cells = [each.hours for each in saf], [each.cells_per_kg for each in saf]
    total_hours, total_cells = sum(hours, Fraction(0)), sum(cells, Fraction(0))
    rows = (
        ("SESSIONS", "Sessions of a participant", of_participants(counts, 0, sum(counts, Fraction(0)))),
        ("HOURS", "Duration of a session (h)", of_sessions("hours", 2, total_hours)),
        ("WEIGHT", "Weight at a session (kg)", of_sessions("weight_kg", 1)),
        ("CELLS_PER_KG", "Cells of a session (10^8/kg)", of_sessions("cells_per_kg", 2, total_cells, _CELLS)),
        ("RATIO", "Session's ratio to the target", of_sessions("ratio", 2)),
        ("CUMULATIVE_HOURS", "Hours of a participant over all sessions", of_participants(hours, 2, total_hours)),
        (
            "CUMULATIVE_CELLS_PER_KG",
            "Cells of a participant over all sessions (10^8/kg)",
            of_participants(cells, 2, total_cells, _CELLS),
        ),
        (
            "CUMULATIVE_RATIO",
            "Participant's ratio to the target over all sessions",
            of_participants([each.ratio for each in saf], 2),
        ),
    )
    return Table(
        code="EXPOSURE_SUMMARY",
        title="Exposure to the bioartificial liver",
        section="5",
        columns=STATISTICS,
        rows=tuple(Row(code, label, cells) for code, label, cells in rows),
        notes=(cut, f"N = {len(saf)} participants of the safety set. The duration of a running session is not known."),
    )


def _by_participant(saf: Sequence[ExposureFacts], protocol: Protocol, memory: Memory) -> Table:
    def row(each: ExposureFacts) -> Row:
        return Row(each.subject_id, each.subject_id, _sums(each, protocol))

    return Table(
        code="EXPOSURE_BY_PARTICIPANT",
        title="Exposure of each participant over all sessions",
        section="5",
        columns=(Column("SESSIONS", "Sessions"), _HOURS, _CELLS_PER_KG, _RATIO),
        rows=tuple(memory.made(("exposed", each.subject_id), each, partial(row, each)) for each in saf),
        notes=_dose_notes(protocol),
    )


def _sums(each: ExposureFacts, protocol: Protocol) -> tuple[Cell, ...]:
    of = contributions([(each.subject_id, each.event_ids)])
    running = (RUNNING,) if any(given.hours is None for given in each.sessions) else ()
    count = len(each.sessions)
    judged = protocol.endpoints.dose_target_scope == "TOTAL" and in_band(each.ratio, protocol) is False
    return (
        Cell("SESSIONS", str(count), str(count), count, contributions=of, flags=running),
        number("HOURS", each.hours, 2, of, running),
        number("CELLS_PER_KG", each.cells_per_kg, 2, of, per=_CELLS),
        number("RATIO", each.ratio, 2, of, (DOSE_OUT_OF_BAND,) if judged else ()),
    )


def _by_session(saf: Sequence[ExposureFacts], protocol: Protocol, memory: Memory) -> Table:
    def rows(each: ExposureFacts) -> tuple[Row, ...]:
        return tuple(_session_row(each, given, protocol) for given in each.sessions)

    columns = (_HOURS, Column("CLASS", "Class (h)"), Column("END", "Stopped early by"), Column("WEIGHT", "Weight (kg)"))
    return Table(
        code="EXPOSURE_BY_SESSION",
        title="Exposure in each session",
        section="5",
        columns=(*columns, _CELLS_PER_KG, _RATIO),
        rows=tuple(
            row
            for each in saf
            for row in memory.made(("sessions", each.subject_id), each.sessions, partial(rows, each))
        ),
        notes=_dose_notes(protocol),
    )


def _session_row(each: ExposureFacts, given: GivenSession, protocol: Protocol) -> Row:
    of = contributions([(each.subject_id, given.event_ids)])
    within = f"{protocol.session_hours_low}-{protocol.session_hours_high}"
    odd = (DURATION_OUT_OF_RANGE,) if given.duration_class not in (None, within) else ()
    by_session = protocol.endpoints.dose_target_scope == "SESSION"
    off = (DOSE_OUT_OF_BAND,) if by_session and given.in_band is False else ()
    cells = (
        number("HOURS", given.hours, 2, of, (RUNNING,) if given.hours is None else odd),
        Cell("CLASS", None, given.duration_class or "", contributions=of, flags=odd),
        Cell("END", None, given.stopped_by or "", contributions=of),
        number("WEIGHT", given.weight_kg, 1, of, (WEIGHT_TOO_OLD,) if given.weight_too_old else ()),
        number("CELLS_PER_KG", given.cells_per_kg, 2, of, per=_CELLS),
        number("RATIO", given.ratio, 2, of, off),
    )
    return Row(f"{each.subject_id}/{given.ordinal}", f"{each.subject_id}, session {given.ordinal}", cells)


def _dose_notes(protocol: Protocol) -> tuple[str, ...]:
    judged = "each session" if protocol.endpoints.dose_target_scope == "SESSION" else "all sessions together"
    tolerance = Decimal(protocol.dose_tolerance)
    return (
        f"Target {protocol.cells_per_kg} cells/kg; a deviation is a ratio outside {1 - tolerance} to {1 + tolerance} "
        f"of {judged}.",
    )
