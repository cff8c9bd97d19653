"""Every cell of the tables of exposure recounted by plain loops over the sessions (`endpoints.md` section 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from random import Random
from statistics import median, stdev
from uuid import UUID

import pytest

from clinical_builders import T0
from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.endpoints.exposure_facts import ExposureFacts, exposure_facts
from hepatrail_projections.endpoints.exposure_tables import exposure_tables
from hepatrail_projections.session import SessionRow
from safety_outcome_course import OutcomeTrial, derived
from trial_history import history

TRIALS = pytest.mark.parametrize(("seed", "steps"), [(1, 90), (2, 200), (3, 260), (4, 40), (5, 1), (6, 0)])
Made = tuple[list[SubjectRows], Protocol, list[ExposureFacts], datetime]


@cache
def made(seed: int, steps: int) -> Made:
    """Rows and facts of a random trial; half way the second protocol has another tolerance, and means all sessions."""
    log = history(seed, 4, steps)
    rows, protocol = derived(log, log.now)
    return rows, protocol, [exposure_facts(each, protocol) for each in rows], log.now


def tables(trial: Made) -> dict[str, Table]:
    _, protocol, facts, at = trial
    return {table.code: table for table in exposure_tables(facts, protocol, at)}


def sessions(rows: Sequence[SubjectRows]) -> Iterator[tuple[str, SessionRow]]:
    for each in rows:
        for session in each.sessions:
            if not session.voided:
                yield each.subject.subject_id, session


def hours(session: SessionRow) -> float | None:
    """Hours as seconds of flow, one pause after the other."""
    if session.ended_at is None:
        return None
    seconds = (session.ended_at - session.started_at).total_seconds()
    for pause in session.pauses:
        until = session.ended_at
        if pause["resumedAt"]:
            until = datetime.fromisoformat(pause["resumedAt"])
        seconds -= (until - datetime.fromisoformat(pause["at"])).total_seconds()
    return seconds / 3600


def cells_per_kg(session: SessionRow) -> float:
    return session.viable_cells / float(session.weight_kg)


def _of(table: Table, row: str, column: str) -> float | None:
    value = table.row(row).cell(column).value
    return None if value is None else float(value)


@TRIALS
def test_the_summary_is_that_of_the_values_of_the_rows(seed: int, steps: int) -> None:
    rows, protocol, _, _ = trial = made(seed, steps)
    given = list(sessions(rows))
    by_one = {who: [session for whom, session in given if whom == who] for who, _ in given}
    total_cells = [sum(map(cells_per_kg, held)) for held in by_one.values()]
    values = {
        "SESSIONS": [float(len(held)) for held in by_one.values()],
        "HOURS": [each for _, session in given if (each := hours(session)) is not None],
        "WEIGHT": [float(session.weight_kg) for _, session in given],
        "CELLS_PER_KG": [cells_per_kg(session) for _, session in given],
        "RATIO": [cells_per_kg(session) / protocol.cells_per_kg for _, session in given],
        "CUMULATIVE_HOURS": [sum(hours(session) or 0 for session in held) for held in by_one.values()],
        "CUMULATIVE_CELLS_PER_KG": total_cells,
        "CUMULATIVE_RATIO": [each / protocol.cells_per_kg for each in total_cells],
    }
    table = tables(trial)["EXPOSURE_SUMMARY"]
    assert [row.code for row in table.rows] == list(values)
    for code, held in values.items():
        assert table.row(code).cell("N").n == len(held)
        expected = {
            "MEAN": sum(held) / len(held) if held else None,
            "SD": stdev(held) if len(held) > 1 else None,
            "MEDIAN": median(held) if held else None,
            "MIN": min(held, default=None),
            "MAX": max(held, default=None),
            "TOTAL": None if code in ("WEIGHT", "RATIO", "CUMULATIVE_RATIO") else sum(held),
        }
        assert {column: _of(table, code, column) for column in expected} == {
            column: None if value is None else pytest.approx(value, rel=1e-9, abs=1e-6)
            for column, value in expected.items()
        }
        quartiles = [_of(table, code, column) for column in ("MIN", "Q1", "MEDIAN", "Q3", "MAX")]
        assert quartiles == sorted(quartiles, key=lambda each: each or 0)


@TRIALS
def test_the_counts_are_those_of_plain_loops_over_the_sessions(seed: int, steps: int) -> None:
    rows, protocol, _, _ = trial = made(seed, steps)
    found: dict[str, list[tuple[str, tuple[UUID, ...]]]] = {}

    def put(code: str, who: str, session: SessionRow, holds: bool) -> None:
        found.setdefault(code, []).extend([(who, session.event_ids)] if holds else [])

    for who, session in sessions(rows):
        lasted, tolerance = hours(session), float(protocol.dose_tolerance)
        put("STARTED", who, session, True)
        put("DURATION_BELOW", who, session, lasted is not None and lasted < 4)
        put("DURATION_WITHIN", who, session, lasted is not None and 4 <= lasted <= 8)
        put("DURATION_ABOVE", who, session, lasted is not None and lasted > 8)
        put("RUNNING", who, session, lasted is None)
        put("STOPPED_EARLY", who, session, session.end_reason not in (None, "COMPLETED"))
        for reason in ("AE", "DEVICE", "CLOTTING", "PARTICIPANT", "OTHER"):
            put(f"STOPPED_{reason}", who, session, session.end_reason == reason)
        old = session.started_at - session.weight_measured_at > timedelta(days=7)
        put("WEIGHT_TOO_OLD", who, session, old)
        if protocol.endpoints.dose_target_scope == "SESSION":
            kept = abs(cells_per_kg(session) / protocol.cells_per_kg - 1) <= tolerance
            put("DOSE_IN_BAND", who, session, kept)
            put("DOSE_OUT_OF_BAND", who, session, not kept)
    table = tables(trial)["EXPOSURE_COUNTS"]
    everybody = {who for who, _ in sessions(rows)}
    for row in table.rows:
        by_session, by_participant = row.cells
        if by_session.display == "":
            assert protocol.endpoints.dose_target_scope == "TOTAL"
            continue
        held = found.get(row.code, [])
        assert (by_session.n, by_session.of) == (len(held), len(list(sessions(rows))))
        assert (by_participant.n, by_participant.of) == (len({who for who, _ in held}), len(everybody))
        behind = {each.subject_id: set(each.event_ids) for each in by_session.contributions}
        assert behind == {who: {i for whom, ids in held if whom == who for i in ids} for who, _ in held}


@TRIALS
def test_each_session_and_each_participant_has_a_row_that_agrees_with_the_projections(seed: int, steps: int) -> None:
    rows, _, _, _ = trial = made(seed, steps)
    found = tables(trial)
    by_session = iter(found["EXPOSURE_BY_SESSION"].rows)
    for each in sorted(rows, key=lambda each: each.subject.subject_id):
        for session in (session for session in each.sessions if not session.voided):
            row = next(by_session)
            assert row.code == f"{session.subject_id}/{session.ordinal}"
            assert row.cell("HOURS").display == (session.duration_hours or "NE")
            assert row.cell("CLASS").display == (session.duration_class or "")
            assert ("WEIGHT_TOO_OLD" in row.cell("WEIGHT").flags) == session.weight_too_old
            assert ("DOSE_OUT_OF_BAND" in row.cell("RATIO").flags) == (session.in_tolerance is False)
            assert _of(found["EXPOSURE_BY_SESSION"], row.code, "RATIO") == pytest.approx(
                float(session.target_ratio or 0)
            )
            assert [contribution.event_ids for contribution in row.cell("RATIO").contributions] == [
                tuple(sorted(session.event_ids))
            ]
        if each.exposure.sessions:
            total = found["EXPOSURE_BY_PARTICIPANT"].row(each.subject.subject_id)
            assert total.cell("SESSIONS").n == each.exposure.sessions
            assert total.cell("HOURS").display == each.exposure.total_hours
            assert ("DOSE_OUT_OF_BAND" in total.cell("RATIO").flags) == (each.exposure.in_tolerance is False)
            assert float(total.cell("RATIO").value or 0) == pytest.approx(float(each.exposure.cumulative_ratio or 0))
    assert next(by_session, None) is None


@TRIALS
def test_the_order_of_the_participants_changes_nothing(seed: int, steps: int) -> None:
    _, protocol, facts, at = trial = made(seed, steps)
    turned = facts[:]
    Random(seed).shuffle(turned)
    assert repr(exposure_tables(turned, protocol, at)) == repr(tuple(tables(trial).values()))


def test_the_facts_hold_values_alone_and_no_row() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1")
    (rows,), protocol = derived(trial.log, T0)
    facts = exposure_facts(rows, protocol)
    assert [each.name for each in fields(facts)] == [
        "subject_id",
        "sessions",
        "event_ids",
        "hours",
        "cells_per_kg",
        "ratio",
    ]
    assert facts.sessions[0].hours == Fraction(6)
    assert hash(facts) == hash(exposure_facts(rows, protocol))
