"""Dialysis, options, stops and moments: rules 8, 10 and 11 (scores.md section 9)."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from clinical_builders import T0, A, draw, hours, lab_result, stop
from hepatrail_events.protocol import shipped_protocol
from hepatrail_projections.clinical.scores.at_point import score_at_moment
from hepatrail_projections.clinical.scores.catalogue import SCORES, options_of
from hepatrail_projections.clinical.scores.common import Options
from hepatrail_projections.clinical.scores.feed import DEFAULT_RULES, FeedRules
from score_feed_builders import D2, LABS, at_point, context_of, gas, minutes, period, row, rows_of, sofa_rows, used

# Rule 8: dialysis


def test_recorded_procedures_count_before_what_is_stated() -> None:
    rows = [*draw(D2, **LABS), row("dialysis_sessions_7d", "0"), row("cvvhd_hours_7d", "0")]
    assert at_point("meld_na_2016", rows).result.flags == ()
    dialysed = [period("HD", D2 - hours(100), D2 - hours(96)), period("HD", D2 - hours(20), D2 - hours(16))]
    scored = at_point("meld_na_2016", rows, procedures=dialysed)
    counted = used(scored, "dialysis_sessions_7d")
    assert counted is not None
    assert (counted.value, counted.derived) == (Fraction(2), True)
    assert set(counted.event_ids) == {event for each in dialysed for event in each.event_ids}
    assert scored.result.flags == ("dialysis_rule",)


def test_without_procedures_in_the_week_the_stated_count_stands() -> None:
    rows = [*draw(D2, **LABS), row("dialysis_sessions_7d", "2"), row("cvvhd_hours_7d", "0")]
    old = [period("HD", D2 - hours(169), D2 - hours(168.5))]
    counted = used(at_point("meld_na_2016", rows, procedures=old), "dialysis_sessions_7d")
    assert counted is not None
    assert (counted.value, counted.derived) == (Fraction(2), False)


def test_hours_of_counting_kinds_inside_the_week_are_added() -> None:
    rows = draw(D2, **LABS)
    running = [period("CVVHDF", D2 - hours(170), D2 - hours(150)), period("CVVH", D2 - hours(6))]
    scored = at_point("meld_3_0", rows, procedures=running)
    counted = used(scored, "cvvhd_hours_7d")
    assert counted is not None
    assert counted.value == 18 + 6
    assert scored.result.status == "complete"
    only_cvvhd = replace(DEFAULT_RULES, crrt_kinds=frozenset({"CVVHD"}))
    assert at_point("meld_3_0", rows, procedures=running, rules=only_cvvhd).result.missing == (
        "cvvhd_hours_7d",
        "dialysis_sessions_7d",
    )


def test_counts_need_no_nearness_when_they_are_recorded() -> None:
    rows = [*draw(D2, **LABS), row("dialysis_sessions_7d", "0", D2 + hours(7)), row("cvvhd_hours_7d", "0")]
    assert at_point("meld_na_2016", rows).result.reasons == {"dialysis_sessions_7d": "spread_exceeded"}
    one = [period("HD", D2 - hours(20))]
    assert at_point("meld_na_2016", rows, procedures=one).result.status == "complete"


def test_renal_replacement_feeds_sofa_only_by_option() -> None:
    rules = replace(DEFAULT_RULES, options=Options(rrt_scores_4=True))
    one = [period("HD", D2 - hours(20))]
    assert at_point("sofa_1996", sofa_rows(), procedures=one, rules=rules).result.components["renal"] == 4
    plain = at_point("sofa_1996", sofa_rows(), procedures=one)
    assert plain.result.components["renal"] == 0
    assert used(plain, "dialysis_sessions_7d") is None


# Rule 10 and 11, options of points


def test_assume_normal_holds_at_the_named_points_only() -> None:
    rules = replace(
        DEFAULT_RULES, options=Options(missing_policy="assume_normal"), assume_normal_points=frozenset({"W12"})
    )
    w12 = A + timedelta(days=84)
    rows = [*sofa_rows(pao2=None, fio2=None), *sofa_rows(w12, pao2=None, fio2=None)]
    assert at_point("sofa_1996", rows, rules=rules).result.status == "incomplete"
    assert at_point("sofa_1996", rows, "W12", rules=rules).result.status == "complete_with_assumptions"
    everywhere = replace(rules, assume_normal_points=frozenset())
    assert at_point("sofa_1996", rows, rules=everywhere).result.status == "complete_with_assumptions"


def test_a_waived_blood_gas_leaves_the_score_incomplete() -> None:
    rows = [*sofa_rows(pao2=None), lab_result("pao2", None, D2, not_done="OUTPATIENT_NO_ABG")]
    result = at_point("sofa_1996", rows).result
    assert (result.status, result.missing, result.reasons) == ("incomplete", ("pao2",), {})


def test_the_baseline_takes_each_last_value_with_its_own_oxygen() -> None:
    rows = [
        *sofa_rows(T0 - hours(3)),
        *gas(T0 - hours(1), pao2="49"),
        *rows_of({"fio2": "0.5", "respiratory_support": "imv"}, T0 - hours(1.5)),
        *gas(T0 - hours(2), pao2="400"),
    ]
    scored = at_point("sofa_1996", rows, "BL")
    assert (scored.result.status, scored.result.components["respiration"]) == ("complete", 4)


@pytest.mark.parametrize("score_id", sorted(SCORES))
def test_after_death_no_score_applies(score_id: str) -> None:
    scored = at_point(score_id, sofa_rows(), stops=[stop("DEATH", A + hours(20))])
    assert (scored.result.status, scored.result.score, scored.result.missing) == ("not_applicable", None, ())


def test_after_a_transplantation_scores_are_computed_and_flagged() -> None:
    transplanted = [stop("TRANSPLANT", D2 - hours(5))]
    scored = at_point("meld_2002", [*draw(D2, **LABS), row("dialysis_sessions_7d", "0")], stops=transplanted)
    assert (scored.result.status, scored.post_transplant) == ("complete", True)
    earlier = [*draw(D2 - hours(6), **LABS), row("dialysis_sessions_7d", "0", D2 - hours(6))]
    assert not at_point("meld_2002", earlier, stops=transplanted).post_transplant


def test_confounders_of_the_day_before_are_kept_with_the_meld_family() -> None:
    rows = [*draw(D2, **LABS), row("dialysis_sessions_7d", "0")]
    exchange, old = period("PLASMA_EXCHANGE", D2 - hours(20), D2 - hours(18)), period("ALBUMIN_DIALYSIS", A, A)
    anticoagulant = period("ANTICOAGULATION", A)
    scored = at_point("meld_2002", rows, procedures=[exchange, old], medications=[anticoagulant])
    assert scored.confounders == {
        "anticoagulant": anticoagulant.event_ids,
        "plasma_exchange_24h": exchange.event_ids,
    }
    assert at_point("sofa_1996", sofa_rows(), procedures=[exchange]).confounders == {}


def test_pre_intubation_takes_the_last_response_before_the_tube_with_its_events() -> None:
    rules = replace(DEFAULT_RULES, options=Options(verbal_nt_policy="pre_intubation"))
    rows = [
        row("gcs_verbal", "5", T0),
        row("gcs_verbal", "3", A + hours(1)),
        *rows_of({"gcs_eye": "4", "gcs_verbal": "NT", "gcs_motor": "6"}, D2),
        row("gcs_verbal", "1", D2 + hours(5)),
    ]
    scored = at_point("gcs", rows, rules=rules)
    assert (scored.result.score, scored.result.assumed) == (13, {"gcs_verbal": 3})
    assert rows[1].event_id in scored.result.event_ids
    assert at_point("gcs", rows).result.status == "incomplete"


# Any moment


def test_at_any_moment_the_latest_values_of_the_last_day_count() -> None:
    at = D2 + hours(9)
    rows = [*draw(D2, **LABS), row("dialysis_sessions_7d", "0", D2 - hours(14)), row("inr", "1", D2 + hours(8))]
    rows += [row("inr", "9", at + minutes(1)), row("tbil", "999", D2 - hours(16))]
    scored = score_at_moment(SCORES["meld_2002"], at, context_of(rows))
    assert (scored.point, scored.result.status) == ("AT", "complete")
    assert scored.result.components["inr"] == 1
    later = score_at_moment(SCORES["meld_2002"], at + hours(2), context_of(rows))
    assert later.result.missing == ("dialysis_sessions_7d",)


def test_at_any_moment_after_death_nothing_applies() -> None:
    context = context_of(sofa_rows(), stops=[stop("DEATH", D2 + hours(1))])
    assert score_at_moment(SCORES["sofa_1996"], D2 + minutes(59), context).result.status == "complete"
    assert score_at_moment(SCORES["sofa_1996"], D2 + minutes(61), context).result.status == "not_applicable"


def test_at_any_moment_a_day_alone_counts_only_when_it_lies_inside_whole() -> None:
    rules = replace(DEFAULT_RULES, lookback=hours(72))
    rows = [*draw(date(2026, 3, 12), **LABS), row("dialysis_sessions_7d", "0")]
    context = context_of(rows, rules=rules)
    assert score_at_moment(SCORES["meld_2002"], D2 + hours(3), context).result.missing == ("creatinine", "inr", "tbil")
    assert score_at_moment(SCORES["meld_2002"], D2 + hours(12), context).result.status == "complete"


def test_options_come_from_the_protocol() -> None:
    protocol = shipped_protocol()
    assert options_of(protocol) == Options()
    scores = protocol.scores.model_copy(
        update={"meld3_cap": "none", "barometric_pressure": "755.5", "sofa_unit_mode": "conventional"}
    )
    changed = options_of(protocol.model_copy(update={"scores": scores}))
    assert (changed.meld3_cap, changed.barometric_pressure) == (None, Fraction("755.5"))
    assert changed.sofa_unit_mode == "conventional"
    assert FeedRules.of(protocol) == DEFAULT_RULES
