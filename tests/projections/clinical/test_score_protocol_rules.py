"""What the protocol says of the scores reaches them (scores.md 0.6, 9, 12), and what a sample decides about others."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from clinical_builders import hours
from hepatrail_events.concomitant import ProcedureKind
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.protocol_rules import ScoreFeed, ScoreRules
from hepatrail_projections.clinical.inputs import Statics
from hepatrail_projections.clinical.scores.at_point import score_at_point
from hepatrail_projections.clinical.scores.catalogue import SCORES
from hepatrail_projections.clinical.scores.common import Options
from hepatrail_projections.clinical.scores.feed import DEFAULT_RULES, FeedRules
from score_feed_builders import D2, LABS, apache_rows, at_point, context_of, period, row, sofa_rows, used


def rules_of(**changes: object) -> FeedRules:
    """The rules of the shipped protocol with other rules of scores."""
    scores = ScoreRules.model_validate(changes)
    return FeedRules.of(shipped_protocol().model_copy(update={"scores": scores}))


def test_the_shipped_protocol_has_the_default_rules() -> None:
    assert FeedRules.of(shipped_protocol()) == DEFAULT_RULES


def test_every_rule_of_the_protocol_reaches_the_scores() -> None:
    feeds = (
        ScoreFeed(score="sofa_1996", point="D2", selection="worst_24h"),
        ScoreFeed(score="sofa_1996", point="D3", selection="closest"),
    )
    found = rules_of(
        missing_policy="assume_normal",
        assume_normal_points=("D2", "D7"),
        sofa_unit_mode="conventional",
        hfnc_counts_as_support=True,
        rrt_scores_4=True,
        verbal_nt_policy="score_1",
        barometric_pressure="700",
        meld3_cap="none",
        crrt_modalities_counting_as_cvvhd=(ProcedureKind.CVVHD,),
        feeds=feeds,
        moment_lookback_hours=36,
    )
    assert found == FeedRules(
        options=Options(
            missing_policy="assume_normal",
            sofa_unit_mode="conventional",
            hfnc_counts_as_support=True,
            rrt_scores_4=True,
            verbal_nt_policy="score_1",
            barometric_pressure=Fraction(700),
            meld3_cap=None,
        ),
        assume_normal_points=frozenset({"D2", "D7"}),
        crrt_kinds=frozenset({"CVVHD"}),
        worst=frozenset({("sofa_1996", "D2")}),
        lookback=timedelta(hours=36),
    )


@pytest.mark.parametrize(("chronic", "points"), [(True, 5), (False, 0)])
def test_chronic_health_and_admission_are_those_of_the_enrolment(chronic: bool, points: int) -> None:
    context = context_of(apache_rows())
    enrolled = Statics("female", 54, chronic, "nonoperative", (UUID(int=1),))
    scored = score_at_point(SCORES["apache_ii_1985"], "D2", replace(context, statics=enrolled))
    assert scored.result.components["chronic_health"] == points


@pytest.mark.parametrize(
    ("sampled", "confounded"),
    [
        ({"inr": 0, "creatinine": 5, "tbil": 5}, False),
        ({"creatinine": 5, "tbil": 5}, True),
        ({"creatinine": 0, "tbil": 5}, False),
        ({"tbil": 5}, True),
        ({"tbil": 0}, False),
    ],
)
def test_what_confounds_a_meld_ran_in_the_day_before_its_sample(sampled: dict[str, float], confounded: bool) -> None:
    """The sample is that of the INR; without one that of creatinine, then that of bilirubin."""
    rows = [row(code, LABS[code], D2 - hours(before)) for code, before in sampled.items()]
    exchange = [period("PLASMA_EXCHANGE", D2 - hours(27), D2 - hours(26))]
    assert bool(at_point("meld_2002", rows, procedures=exchange).confounders) is confounded


def test_inputs_apart_by_the_greatest_spread_are_used_and_a_minute_more_is_too_much() -> None:
    def problem(apart: timedelta) -> object:
        rows = [row("tbil", "200", D2), row("inr", "2", D2), row("creatinine", "100", D2 + apart)]
        rows += [row("dialysis_sessions_7d", "0"), row("cvvhd_hours_7d", "0")]
        found = at_point("meld_2002", rows).result
        return found.status, found.reasons.get("creatinine")

    assert problem(hours(6)) == ("complete", None)
    assert problem(hours(6) + timedelta(minutes=1)) == ("incomplete", "spread_exceeded")


def test_normal_is_assumed_at_the_points_of_the_protocol_only() -> None:
    rules = rules_of(missing_policy="assume_normal", assume_normal_points=("D3",))
    scored = at_point("sofa_1996", sofa_rows(gcs_total=None), rules=rules)
    assert scored.result.status == "incomplete"
    assert scored.result.options["missing_policy"] == "strict"
    assert used(scored, "tbil") is not None
