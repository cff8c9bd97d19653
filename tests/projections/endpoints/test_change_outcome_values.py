"""Which value stands at a point, and what its change is: the lines of `endpoints.md` section 4, one by one."""

from datetime import timedelta
from fractions import Fraction

import pytest

from change_course import BEFORE, DAY, OFFSETS, ChangeTrial, Participant
from clinical_builders import A
from hepatrail_events.assessments import WithdrawalScope
from hepatrail_projections.endpoints.change_facts import Analysis, ChangeEntry, Flag

D7 = A + OFFSETS["D7"]
EVERY = frozenset(Analysis)


def treated(**protocol: object) -> tuple[ChangeTrial, Participant]:
    trial = ChangeTrial(**protocol)  # type: ignore[arg-type]
    return trial, trial.participant()


def entry(trial: ChangeTrial, parameter: str, point: str) -> ChangeEntry:
    [facts] = trial.facts()
    return facts.entries[parameter, point]


def test_change_is_post_minus_baseline_in_canonical_units_and_an_increase_is_positive() -> None:
    trial, someone = treated()
    someone.labs(BEFORE, tbil="10 mg/dL")
    someone.labs(D7, tbil="200")
    someone.labs(A + OFFSETS["W2"], tbil="12 mg/dL")
    found = entry(trial, "tbil", "D7")
    assert (found.baseline, found.value, found.change, found.unit) == (
        Fraction(171),
        Fraction(200),
        Fraction(29),
        "umol/L",
    )
    assert entry(trial, "tbil", "W2").change == Fraction("205.2") - 171


def test_percent_change_is_of_labs_with_a_baseline_above_zero_only() -> None:
    trial, someone = treated()
    someone.labs(BEFORE, alt="80", afp="0")
    someone.labs(D7, alt="60", afp="3")
    assert entry(trial, "alt", "D7").percent == -25
    assert (entry(trial, "afp", "D7").change, entry(trial, "afp", "D7").percent) == (Fraction(3), None)
    someone.scored(BEFORE, creatinine="100")
    someone.scored(D7, creatinine="300")
    found = entry(trial, "meld_2002", "D7")
    assert found.change is not None and found.change > 0 and found.percent is None


def test_the_value_is_the_observation_chosen_by_the_visits() -> None:
    trial, someone = treated()
    someone.labs(D7 + timedelta(hours=5), alt="70")
    someone.labs(D7 - timedelta(hours=2), alt="50")
    someone.labs(D7 + timedelta(days=40), visit="D7", alt="90")
    assert entry(trial, "alt", "D7").value == 50


def test_analysis_uses_in_window_observations_and_the_sensitivity_all_assigned() -> None:
    trial, someone = treated()
    someone.labs(D7 + 4 * DAY, visit="D7", alt="50")
    found = entry(trial, "alt", "D7")
    assert (found.value, found.flags) == (Fraction(50), (Flag.OUT_OF_WINDOW,))
    assert found.analyses == {Analysis.ALL_ASSIGNED}
    assert found.reason == "OUT_OF_WINDOW"
    trial, someone = treated(endpoints={"in_window_only": False})
    someone.labs(D7 + 4 * DAY, visit="D7", alt="50")
    assert (entry(trial, "alt", "D7").analyses, entry(trial, "alt", "D7").reason) == (EVERY, None)


def test_a_score_of_inputs_out_of_their_window_is_out_of_it() -> None:
    trial, someone = treated()
    someone.scored(D7 + 4 * DAY, visit="D7")
    someone.scored(A + OFFSETS["W4"])
    assert entry(trial, "sofa_1996", "D7").analyses == {Analysis.ALL_ASSIGNED}
    assert entry(trial, "sofa_1996", "W4").analyses == EVERY


def test_oxygen_that_was_in_force_before_does_not_take_a_score_out_of_its_window() -> None:
    trial, someone = treated()
    someone.bedside(A + timedelta(minutes=20), fio2="0.4", respiratory_support="mask")
    someone.scored(A + OFFSETS["P0_5_1H"], fio2="", respiratory_support="")
    [rows] = trial.rows()
    (row,) = (each for each in rows.scores if (each.score_id, each.point) == ("sofa_1996", "P0_5_1H"))
    assert {each["code"]: each["value"] for each in row.inputs}["fio2"] == "0.4"
    assert entry(trial, "sofa_1996", "P0_5_1H").analyses == EVERY


def test_after_a_transplant_a_value_is_excluded_unless_the_protocol_keeps_it() -> None:
    for rules, analyses in (({}, frozenset[Analysis]()), ({"exclude_after_transplant": False}, EVERY)):
        trial, someone = treated(endpoints=rules)
        someone.transplant(A + 10 * DAY)
        someone.labs(D7, alt="50")
        someone.scored(D7)
        someone.labs(A + OFFSETS["W4"], alt="30")
        someone.scored(A + OFFSETS["W4"])
        for parameter in ("alt", "sofa_1996"):
            assert entry(trial, parameter, "D7").analyses == EVERY
            after = entry(trial, parameter, "W4")
            assert (after.analyses, after.flags) == (analyses, (Flag.AFTER_TRANSPLANT,))
            assert after.reason == (None if analyses else "AFTER_TRANSPLANT")


def test_voided_and_not_accepted_values_are_excluded() -> None:
    trial, someone = treated()
    [void] = someone.labs(D7, alt="50")
    someone.void(void)
    someone.labs(D7, ast="!50")
    [facts] = trial.facts()
    assert not {("alt", "D7"), ("ast", "D7")} & set(facts.entries)


def test_a_value_during_a_later_session_is_included_and_flagged_and_left_out_of_the_sensitivity() -> None:
    trial, someone = treated()
    someone.session(D7 - timedelta(hours=1), D7 + timedelta(hours=3))
    someone.labs(D7, alt="50")
    someone.scored(D7)
    someone.labs(D7 + timedelta(hours=3), ast="50")
    for parameter in ("alt", "sofa_1996", "gcs"):
        found = entry(trial, parameter, "D7")
        assert (found.flags, found.analyses) == ((Flag.DURING_SESSION,), EVERY - {Analysis.WITHOUT_SESSION})
    assert entry(trial, "ast", "D7").analyses == EVERY


def test_nothing_is_imputed_nor_carried_forward_and_death_gives_no_value() -> None:
    trial, someone = treated()
    someone.labs(BEFORE, alt="80")
    someone.labs(D7, alt="60")
    someone.death(A + 13 * DAY)
    someone.labs(A + OFFSETS["W2"], alt="40")
    [facts] = trial.facts()
    assert ("alt", "W4") not in facts.entries
    dead = facts.entries["alt", "W2"]
    assert (dead.analyses, dead.reason) == (frozenset(), "AFTER_DEATH")
    score = facts.entries["meld_2002", "W4"]
    assert (score.value, score.reason, score.analyses) == (None, "NOT_APPLICABLE", frozenset())


def test_what_was_observed_after_a_withdrawal_counts_nowhere_unless_it_was_from_treatment_only() -> None:
    for scope, reason in ((WithdrawalScope.FOLLOW_UP, "AFTER_WITHDRAWAL"), (WithdrawalScope.TREATMENT_ONLY, None)):
        trial, someone = treated()
        someone.withdrawal(D7 - timedelta(hours=1), scope)
        someone.labs(D7, alt="50")
        someone.scored(D7)
        assert [entry(trial, each, "D7").reason for each in ("alt", "gcs")] == [reason, reason]


def test_a_limit_below_counts_half_or_whole_and_one_above_as_it_stands() -> None:
    for rules, below in (({}, Fraction(5, 2)), ({"censored_low": "LIMIT"}, Fraction(5))):
        trial, someone = treated(endpoints=rules)
        someone.labs(BEFORE, afp="<5", pt="100")
        someone.labs(D7, afp="9", pt=">120")
        assert entry(trial, "afp", "BL").value == below
        assert entry(trial, "afp", "BL").flags == (Flag.QUALIFIED_LOW,)
        later = entry(trial, "afp", "D7")
        assert (later.change, later.flags) == (9 - below, (Flag.BASELINE_QUALIFIED,))
        high = entry(trial, "pt", "D7")
        assert (high.value, high.change, high.flags, high.reported) == (
            Fraction(120),
            Fraction(20),
            (Flag.QUALIFIED_HIGH,),
            ">120",
        )


def test_a_score_is_the_one_of_its_point_with_its_algorithm_and_an_incomplete_one_is_missing() -> None:
    trial, someone = treated()
    someone.scored(BEFORE)
    someone.scored(D7, tbil="300")
    someone.labs(A + OFFSETS["W2"], tbil="300")
    [rows] = trial.rows()
    for score_id in ("meld_2002", "gcs", "sofa_1996", "apache_ii_1985"):
        found = entry(trial, score_id, "D7")
        (row,) = (each for each in rows.scores if (each.score_id, each.point) == (score_id, "D7"))
        assert (found.value, found.change, found.algorithm) == (row.value, row.change, score_id)
        assert found.value is not None and set(found.of_change.event_ids) == set(row.event_ids)
        missing = entry(trial, score_id, "W2")
        assert (missing.value, missing.reason, missing.change_reason) == (None, "INCOMPLETE", "NO_VALUE")


@pytest.mark.parametrize("component", ["gcs_eye", "gcs_verbal", "gcs_motor"])
def test_the_coma_scale_has_a_total_only_if_all_three_were_tested(component: str) -> None:
    trial, someone = treated()
    someone.scored(D7, **{component: "NT"})
    assert (entry(trial, "gcs", "D7").value, entry(trial, "gcs", "D7").reason) == (None, "INCOMPLETE")


def test_no_policy_for_an_untested_verbal_response_makes_a_total() -> None:
    trial, someone = treated(scores={"verbal_nt_policy": "score_1"})
    someone.scored(BEFORE)
    someone.scored(D7, gcs_verbal="NT")
    assert (entry(trial, "gcs", "D7").value, entry(trial, "gcs", "D7").reason) == (None, "NOT_TESTABLE")
    sofa = entry(trial, "sofa_1996", "D7")
    assert sofa.value is not None and (sofa.flags, sofa.change) == ((Flag.ASSUMED,), None)
    assert sofa.change_reason == "COMPLETE_WITH_ASSUMPTIONS"


def test_no_change_rests_on_a_baseline_by_assumption() -> None:
    trial, someone = treated(scores={"verbal_nt_policy": "score_1"})
    someone.scored(BEFORE, gcs_verbal="NT")
    someone.scored(D7)
    first, later = entry(trial, "sofa_1996", "BL"), entry(trial, "sofa_1996", "D7")
    assert (first.value, first.reason) == (None, "ASSUMED")
    assert later.value is not None and (later.change, later.baseline) == (None, None)


def test_a_baseline_out_of_the_look_back_gives_no_change_and_leaves_the_value() -> None:
    trial, someone = treated()
    someone.labs(BEFORE - 9 * DAY, alt="80")
    someone.labs(D7, alt="60")
    [facts] = trial.facts()
    found = facts.entries["alt", "D7"]
    assert ("alt", "BL") not in facts.entries
    assert (found.value, found.change, found.change_reason, found.analyses) == (
        Fraction(60),
        None,
        "NO_BASELINE",
        EVERY,
    )


def test_a_value_names_its_events_and_a_change_those_of_the_baseline_too() -> None:
    trial, someone = treated()
    someone.labs(BEFORE, alt="80")
    someone.labs(D7, alt="60")
    [rows] = trial.rows()
    (first,), (later,) = ([each for each in rows.lab_results if each.point == point] for point in ("BL", "D7"))
    found = entry(trial, "alt", "D7")
    assert found.of_value.event_ids == later.event_ids
    assert found.of_change.event_ids == tuple(sorted((*first.event_ids, *later.event_ids)))


def test_who_was_never_treated_contributes_nothing() -> None:
    trial = ChangeTrial()
    trial.participant(treated=False).labs(BEFORE, alt="80")
    [facts] = trial.facts()
    assert (facts.in_safety_set, dict(facts.entries)) == (False, {})
