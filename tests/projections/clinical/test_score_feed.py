"""Which observations a score takes at a time point (scores.md section 9)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_builders import T0, A, derived, draw, hours, lab_result, session, stop
from hepatrail_projections.clinical.inputs import Observation, Session, Stop
from hepatrail_projections.clinical.scores.at_point import PointScore, ScoreContext, score_at_point
from hepatrail_projections.clinical.scores.meld import MELD_2002
from hepatrail_projections.clinical.visits import DEFAULT_PLAN

D2 = A + timedelta(days=2)
LABS = {"creatinine": "100", "tbil": "200", "inr": "2"}


def meld_at(
    point: str,
    observations: Sequence[Observation],
    *,
    sessions: Sequence[Session] | None = None,
    stops: Sequence[Stop] = (),
) -> PointScore:
    treated = [session()] if sessions is None else sessions
    anchored, opened, assignment = derived(observations, treated)
    context = ScoreContext(assignment, anchored, opened, DEFAULT_PLAN, treated, stops)
    return score_at_point(MELD_2002, point, context)


def context_row(at: datetime | date, count: str = "0", visit: str | None = None) -> Observation:
    return lab_result("dialysis_sessions_7d", count, at, visit=visit)


def inputs_of(scored: PointScore) -> dict[str, object]:
    return {each.code: each.collected.instant for each in scored.result.inputs if each.collected is not None}


def test_a_score_names_the_events_of_its_inputs() -> None:
    rows = [*draw(D2, **LABS), context_row(D2)]
    scored = meld_at("D2", [*rows, lab_result("sodium", "140", D2)])
    assert scored.result.status == "complete"
    assert set(scored.result.event_ids) == {row.event_id for row in rows}
    assert (scored.during_session, scored.provisional) == (False, False)


def test_one_blood_draw_with_all_inputs_is_preferred_to_nearer_single_values() -> None:
    whole = draw(D2 - hours(3), **LABS)
    scored = meld_at("D2", [lab_result("inr", "3", D2), *whole, context_row(D2)])
    assert inputs_of(scored) | {"dialysis_sessions_7d": None} == {
        "creatinine": D2 - hours(3),
        "tbil": D2 - hours(3),
        "inr": D2 - hours(3),
        "dialysis_sessions_7d": None,
    }


def test_of_two_draws_the_nearer_one_is_taken_and_a_repeat_of_the_same_time_replaces_it() -> None:
    first, second = draw(D2 - hours(1), **LABS), draw(D2 + hours(2), **LABS)
    assert inputs_of(meld_at("D2", [*second, *first, context_row(D2)]))["inr"] == D2 - hours(1)
    repeat = draw(D2 - hours(1), creatinine="100", tbil="200", inr="4")
    scored = meld_at("D2", [*first, *repeat, context_row(D2)])
    assert {row.event_id for row in repeat} < set(scored.result.event_ids)


def test_without_a_whole_draw_the_closest_within_the_spread_are_taken() -> None:
    rows = [
        lab_result("creatinine", "100", D2 - hours(5)),
        lab_result("creatinine", "100", D2 + hours(7)),
        lab_result("tbil", "200", D2 + hours(4)),
        lab_result("inr", "2", D2 + hours(3)),
        context_row(D2 + hours(3)),
    ]
    scored = meld_at("D2", rows)
    assert scored.result.status == "complete"
    assert inputs_of(scored)["creatinine"] == D2 + hours(7)


def test_the_outlying_input_is_missing() -> None:
    rows = [
        lab_result("creatinine", "100", D2 - hours(5)),
        lab_result("tbil", "200", D2 + hours(4)),
        lab_result("inr", "2", D2 + hours(3)),
        context_row(D2 + hours(3)),
    ]
    result = meld_at("D2", rows).result
    assert (result.status, result.missing) == ("incomplete", ("creatinine",))
    assert result.reasons == {"creatinine": "spread_exceeded"}


@pytest.mark.parametrize(("apart", "status"), [(6.0, "complete"), (6.01, "incomplete")])
def test_the_spread_is_inclusive(apart: float, status: str) -> None:
    early = D2 - hours(4)
    rows = [
        *draw(early, creatinine="100", tbil="200"),
        lab_result("inr", "2", early + hours(apart)),
        context_row(early),
    ]
    assert meld_at("D2", rows).result.status == status


def test_a_dialysis_statement_too_far_from_the_draw_is_missing_unless_it_is_not_needed() -> None:
    far = context_row(D2 + hours(7))
    assert meld_at("D2", [*draw(D2, **LABS), far]).result.reasons == {"dialysis_sessions_7d": "spread_exceeded"}
    assert meld_at("D2", [*draw(D2, **(LABS | {"creatinine": "400"})), far]).result.status == "complete"
    near = context_row(D2 + hours(5))
    assert meld_at("D2", [*draw(D2, **LABS), far, near]).result.status == "complete"


def test_a_row_that_was_not_accepted_is_missing_with_that_reason() -> None:
    rows = [*draw(D2, creatinine="100", tbil="200"), lab_result("inr", "2", D2, accepted=False), context_row(D2)]
    assert meld_at("D2", rows).result.reasons == {"inr": "not_accepted"}
    hemolysed = [*draw(D2, creatinine="100", tbil="200"), lab_result("inr", None, D2, not_done="CLOTTED")]
    result = meld_at("D2", [*hemolysed, context_row(D2)]).result
    assert (result.missing, result.reasons) == (("inr",), {})


def test_a_corrected_row_brings_all_its_events() -> None:
    rows = [*draw(D2, **LABS), context_row(D2)]
    correction = lab_result().event_id
    rows[0] = replace(rows[0], further_event_ids=(correction,))
    assert correction in meld_at("D2", rows).result.event_ids


def test_the_baseline_takes_the_last_value_of_each_input() -> None:
    rows = [*draw(T0 - hours(30), **LABS), lab_result("inr", "3", T0 - hours(7)), context_row(T0 - hours(10))]
    scored = meld_at("BL", rows)
    assert inputs_of(scored)["inr"] == T0 - hours(7)
    assert scored.result.status == "complete"


def test_a_baseline_spread_over_more_than_a_day_is_missing() -> None:
    rows = [*draw(T0 - hours(30), **LABS), lab_result("inr", "3", T0 - hours(5)), context_row(T0 - hours(5))]
    result = meld_at("BL", rows).result
    assert (result.status, result.score) == ("incomplete", None)
    assert set(result.reasons.values()) == {"spread_exceeded"}


def test_at_the_baseline_an_input_that_the_formula_would_not_need_lies_too_far_away_all_the_same() -> None:
    at_the_cap = {**LABS, "creatinine": "400"}
    rows = [*draw(T0 - hours(1), **at_the_cap), context_row(T0 - hours(30))]
    result = meld_at("BL", rows).result
    assert (result.status, result.score) == ("incomplete", None)
    assert set(result.reasons.values()) == {"spread_exceeded"}
    assert meld_at("BL", [*draw(T0 - hours(1), **at_the_cap), context_row(T0 - hours(24))]).result.status == "complete"


def test_a_value_older_than_the_look_back_is_no_baseline_input() -> None:
    rows = [*draw(T0 - timedelta(days=8), **LABS), context_row(T0 - hours(5))]
    assert meld_at("BL", rows).result.missing == ("creatinine", "inr", "tbil")


def test_before_treatment_the_baseline_score_is_provisional() -> None:
    rows = [*draw(T0, **LABS), context_row(T0)]
    scored = meld_at("BL", rows, sessions=[])
    assert (scored.result.status, scored.provisional) == ("complete", True)


def test_dates_alone_hold_the_spread_only_where_a_whole_day_does() -> None:
    w2, d2 = date(2026, 3, 24), date(2026, 3, 12)
    assert meld_at("W2", [*draw(w2, **LABS), context_row(w2)]).result.status == "complete"
    result = meld_at("D2", [*draw(d2, **LABS), context_row(d2)]).result
    assert result.reasons == {"dialysis_sessions_7d": "spread_exceeded"}


@pytest.mark.parametrize("cause", ["DEATH", "WITHDRAWAL"])
def test_after_a_stop_a_score_does_not_apply(cause: str) -> None:
    rows = [*draw(D2, **LABS), context_row(D2)]
    ended = [stop(cause, A + hours(20))]  # type: ignore[arg-type]
    assert meld_at("D2", rows, stops=ended).result.status == "not_applicable"
    assert meld_at("H24", rows, stops=ended).result.status == "incomplete"
    assert meld_at("BL", rows, stops=ended).result.status == "incomplete"
    assert meld_at("BL", rows, sessions=[], stops=ended).result.status == "not_applicable"


def test_a_sample_taken_while_a_circuit_runs_is_flagged() -> None:
    rows = [*draw(D2, **LABS), context_row(D2)]
    assert meld_at("D2", rows, sessions=[session(), session(D2 - hours(1), D2 + hours(5))]).during_session


def test_a_point_without_window_has_no_inputs() -> None:
    result = meld_at("D2", [], sessions=[session(ended=None)]).result
    assert (result.status, result.missing) == ("incomplete", ("creatinine", "inr", "tbil"))


OFFSETS = st.integers(-12 * 60, 12 * 60).map(lambda minutes: timedelta(minutes=minutes))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*LABS, "dialysis_sessions_7d"]), OFFSETS), max_size=14),
    st.lists(OFFSETS, max_size=2),
)
def test_what_a_score_uses_never_lies_further_apart_than_allowed(
    rows: list[tuple[str, timedelta]], draws: list[timedelta]
) -> None:
    centre = datetime(2026, 3, 12, 4, tzinfo=UTC)
    values = LABS | {"dialysis_sessions_7d": "0"}
    observations = [lab_result(code, values[code], centre + offset) for code, offset in rows]
    observations += [row for offset in draws for row in draw(centre + offset, **LABS)]
    result = meld_at("D2", observations).result
    times = [each.collected.instant for each in result.inputs if each.problem is None and each.collected is not None]
    known = [time for time in times if time is not None]
    assert not known or max(known) - min(known) <= hours(6)
    left_out = [each for each in result.inputs if each.problem is not None]
    assert not left_out or known
