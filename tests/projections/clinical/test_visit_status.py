"""The compliance status, rule by rule (visits.md section 5)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_builders import T0, A, derived, hours, lab_result, session, stop
from hepatrail_events.catalogue import SEED_LABS
from hepatrail_projections.clinical.compliance import VisitStatus, status
from hepatrail_projections.clinical.evidence import Circumstances, evidence
from hepatrail_projections.clinical.inputs import Observation, Session, Stop
from hepatrail_projections.clinical.items import ItemRules
from hepatrail_projections.clinical.visits import DEFAULT_PLAN, VisitPlan

ITEMS = ("alt", "ast", "inr")
D2 = A + timedelta(days=2)
"""Its window is 12 March at the site: 2026-03-11T16:00Z to 2026-03-12T16:00Z."""
D2_OPENS = datetime(2026, 3, 11, 16, tzinfo=UTC)
D2_CLOSES = datetime(2026, 3, 12, 16, tzinfo=UTC)
D7 = A + timedelta(days=7)
MILLISECOND = timedelta(milliseconds=1)


def asked(
    point: str,
    as_of: datetime,
    observations: Sequence[Observation] = (),
    *,
    sessions: Sequence[Session] | None = None,
    stops: Sequence[Stop] = (),
    required: Sequence[str] = ITEMS,
    plan: VisitPlan = DEFAULT_PLAN,
) -> VisitStatus:
    anchored, opened, assignment = derived(observations, [session()] if sessions is None else sessions, plan)
    known = Circumstances(None if anchored is None else anchored.t0, stops, ItemRules(plan))
    window = next((each for each in opened if each.code == point), None)
    visit = evidence(plan.by_code[point], window, assignment.points[point], required, known)
    return status(visit, stops, required, as_of, plan)


def labs(at: datetime | date, *codes: str, visit: str | None = None) -> list[Observation]:
    return [lab_result(code, "1", at, visit=visit) for code in codes or ITEMS]


def test_not_yet_due_then_due_then_missed() -> None:
    assert asked("D2", D2_OPENS - MILLISECOND).status == "not_yet_due"
    assert asked("D2", D2_OPENS).status == "due"
    assert asked("D2", D2_CLOSES - MILLISECOND).status == "due"
    assert asked("D2", D2_CLOSES).status == "missed"


def test_an_instant_window_closes_after_its_last_minute() -> None:
    assert asked("P0_5_1H", A + timedelta(minutes=60, seconds=59)).status == "due"
    assert asked("P0_5_1H", A + timedelta(minutes=61)).status == "missed"
    assert asked("P0_5_1H", A + timedelta(minutes=30)).status == "due"


def test_the_21_labs_complete_a_visit() -> None:
    found = asked("D2", D2_CLOSES, labs(D2, *SEED_LABS), required=SEED_LABS)
    assert (found.status, len(found.satisfied), found.missing) == ("complete_in_window", 21, ())
    found = asked("D2", D2_CLOSES, labs(D2, *SEED_LABS[:-1]), required=SEED_LABS)
    assert (found.status, len(found.satisfied), found.missing) == ("partial", 20, (("aptt", None),))


def test_complete_shows_at_once_also_while_the_window_is_open_or_not_yet() -> None:
    assert asked("D2", D2, labs(D2)).status == "complete_in_window"
    assert asked("D5", D2, labs(D2, visit="D5")).status == "complete_out_of_window"


def test_one_time_out_of_the_window_makes_it_out_of_window() -> None:
    rows = [*labs(D2, "alt", "ast"), *labs(D2 + timedelta(days=1, hours=20), "inr", visit="D2")]
    assert asked("D2", D2_CLOSES, rows).status == "complete_out_of_window"


def test_a_date_alone_at_an_instant_point_is_done_out_of_window() -> None:
    assert asked("H24", D2, labs(date(2026, 3, 11), visit="H24")).status == "complete_out_of_window"


def test_due_counts_what_is_there_and_names_what_is_not() -> None:
    rows = [*labs(D2, "alt"), lab_result("ast", None, D2, not_done="HEMOLYSED")]
    found = asked("D2", D2, rows)
    assert (found.status, found.satisfied, found.required) == ("due", ("alt",), ITEMS)
    assert found.missing == (("ast", "HEMOLYSED"), ("inr", None))


def test_a_row_that_was_not_accepted_satisfies_nothing() -> None:
    rows = [lab_result(code, "1", D2, accepted=False) for code in ITEMS]
    found = asked("D2", D2_CLOSES, rows)
    assert (found.status, found.missing[0]) == ("missed", ("alt", "NOT_ACCEPTED"))


def test_a_censored_result_is_a_result() -> None:
    rows = [lab_result(code, "1", D2, comparator="<") for code in ITEMS]
    assert asked("D2", D2_CLOSES, rows).status == "complete_in_window"


def test_a_late_result_turns_missed_into_complete() -> None:
    assert asked("D2", D2 + timedelta(days=30)).status == "missed"
    assert asked("D2", D2 + timedelta(days=30), labs(D2)).status == "complete_in_window"


def test_while_the_first_session_runs_nothing_after_it_is_due() -> None:
    found = asked("P0_5_1H", A + timedelta(days=3), sessions=[session(ended=None)])
    assert (found.status, found.cause) == ("not_yet_due", None)


def test_before_treatment_nothing_after_it_is_due() -> None:
    assert asked("D2", A, sessions=[]).status == "not_yet_due"


@pytest.mark.parametrize("cause", ["DEATH", "WITHDRAWAL", "NOT_TREATED"])
def test_ended_before_treatment(cause: str) -> None:
    ended = [stop(cause, T0)]  # type: ignore[arg-type]
    baseline, later = asked("BL", A, sessions=[], stops=ended), asked("D2", A, sessions=[], stops=ended)
    assert (baseline.status, baseline.cause) == ("not_applicable", cause)
    assert (later.status, later.cause) == ("not_applicable", "NOT_TREATED")


def test_a_treated_participant_cannot_be_not_treated() -> None:
    assert asked("D2", D2_CLOSES, labs(D2), stops=[stop("NOT_TREATED", A)]).status == "complete_in_window"
    assert asked("D2", D2_CLOSES, stops=[stop("NOT_TREATED", A)]).status == "missed"


@pytest.mark.parametrize("cause", ["DEATH", "WITHDRAWAL"])
def test_a_stop_before_the_window_opens_makes_the_point_not_applicable(cause: str) -> None:
    found = asked("D2", D2_CLOSES, labs(D2), stops=[stop(cause, D2_OPENS - MILLISECOND)])  # type: ignore[arg-type]
    assert (found.status, found.cause, found.required) == ("not_applicable", cause, ())


def test_a_stop_inside_the_window_leaves_what_was_done() -> None:
    death = [stop("DEATH", D2_OPENS)]
    nothing, some = asked("D2", D2_CLOSES, stops=death), asked("D2", D2_CLOSES, labs(D2, "alt"), stops=death)
    assert (nothing.status, nothing.cause) == ("not_applicable", "DEATH")
    assert (some.status, some.cause) == ("partial", "DEATH")
    assert asked("D2", D2_CLOSES, labs(D2), stops=death).status == "complete_in_window"


def test_a_point_missed_before_death_stays_missed() -> None:
    assert asked("D2", D7, stops=[stop("DEATH", D2_CLOSES)]).status == "missed"


def test_death_comes_before_withdrawal_whichever_was_first() -> None:
    both = [stop("WITHDRAWAL", A), stop("DEATH", A + hours(1))]
    assert asked("D2", D2_CLOSES, stops=both).cause == "DEATH"


def test_withdrawal_that_allows_vital_status_leaves_survival_at_its_points() -> None:
    leave = [stop("WITHDRAWAL", A + hours(1), vital_status_allowed=True)]
    items = (*ITEMS, "AE", "SURV")
    found = asked("D7", D7, stops=leave, required=items)
    assert (found.status, found.required, found.missing) == ("due", ("SURV",), (("SURV", None),))
    assert asked("D2", D2, stops=leave).cause == "WITHDRAWAL"
    assert asked("D7", D7, stops=leave).cause == "WITHDRAWAL"
    dead = asked("D7", D7, stops=[*leave, stop("DEATH", A + hours(2))], required=items)
    assert (dead.status, dead.cause) == ("not_applicable", "DEATH")


def test_after_a_transplant_only_safety_and_survival_are_owed() -> None:
    graft = [stop("TRANSPLANT", A + hours(1))]
    assert asked("D7", D7, stops=graft, required=(*ITEMS, "AE", "SURV")).required == ("AE", "SURV")
    found = asked("D2", D2_CLOSES, labs(D2), stops=graft)
    assert (found.status, found.cause) == ("not_applicable", "TRANSPLANT")


def test_a_transplant_inside_the_window_keeps_what_was_observed_before_it() -> None:
    graft = [stop("TRANSPLANT", D2 + hours(1))]
    found = asked("D2", D2_CLOSES, [*labs(D2, "alt"), *labs(D2 + hours(2), "ast")], stops=graft)
    assert (found.status, found.required) == ("complete_in_window", ("alt",))
    nothing = asked("D2", D2_CLOSES, stops=graft)
    assert (nothing.status, nothing.cause) == ("not_applicable", "TRANSPLANT")
    assert asked("D2", D7, stops=[stop("TRANSPLANT", D2_CLOSES)]).status == "missed"


def test_a_protocol_can_keep_everything_after_a_transplant() -> None:
    plan = replace(DEFAULT_PLAN, post_transplant="ALL")
    assert asked("D2", D2_CLOSES, stops=[stop("TRANSPLANT", A)], plan=plan).status == "missed"


def test_the_baseline_after_treatment_began() -> None:
    before, older = T0 - hours(2), T0 - timedelta(days=8)
    assert asked("BL", A, labs(before)).status == "complete_in_window"
    assert asked("BL", A, [*labs(before, "alt", "ast"), *labs(older, "inr")]).status == "complete_out_of_window"
    assert asked("BL", A, labs(before, "alt")).status == "partial"
    assert asked("BL", A, labs(A, visit="BL")).status == "missed"
    assert not asked("BL", A, labs(before)).provisional


def test_the_baseline_before_treatment_is_provisional_and_grows_old() -> None:
    rows = labs(T0 - timedelta(days=5))
    fresh = asked("BL", T0, rows, sessions=[])
    assert (fresh.status, fresh.provisional) == ("complete_in_window", True)
    stale = asked("BL", T0 + timedelta(days=3), rows, sessions=[])
    assert (stale.status, stale.satisfied, stale.provisional) == ("due", (), True)
    dated = asked("BL", T0, labs(date(2026, 3, 3)), sessions=[])
    assert dated.status == "complete_in_window"


def test_a_baseline_survives_a_death_after_treatment() -> None:
    assert asked("BL", D7, labs(T0 - hours(2)), stops=[stop("DEATH", A)]).status == "complete_in_window"


def test_voiding_the_only_session_takes_the_schedule_back() -> None:
    assert asked("D2", D2_CLOSES).status == "missed"
    assert asked("D2", D2_CLOSES, sessions=[]).status == "not_yet_due"


def test_nothing_required_is_not_applicable() -> None:
    assert asked("D2", D2_CLOSES, required=()).status == "not_applicable"


@settings(deadline=None)
@given(
    st.sampled_from([point.code for point in DEFAULT_PLAN.points]),
    st.timedeltas(timedelta(days=-3), timedelta(days=400)),
    st.lists(st.tuples(st.sampled_from(ITEMS), st.timedeltas(timedelta(days=-9), timedelta(days=400))), max_size=12),
    st.lists(
        st.tuples(
            st.sampled_from(["DEATH", "WITHDRAWAL", "TRANSPLANT"]),
            st.timedeltas(timedelta(0), timedelta(days=400)),
        ),
        max_size=3,
    ),
)
def test_satisfied_and_missing_share_out_the_required_items(
    point: str, as_of: timedelta, rows: list[tuple[str, timedelta]], ends: list[tuple[str, timedelta]]
) -> None:
    found = asked(
        point,
        A + as_of,
        [lab_result(code, "1", A + offset) for code, offset in rows],
        stops=[stop(cause, A + offset) for cause, offset in ends],  # type: ignore[arg-type]
    )
    missing = [item for item, _ in found.missing]
    assert sorted([*found.satisfied, *missing]) == sorted(found.required)
    complete = found.status in ("complete_in_window", "complete_out_of_window")
    assert complete == bool(found.required and not missing)
    assert (found.cause is not None) == (found.status == "not_applicable") or found.status == "partial"
