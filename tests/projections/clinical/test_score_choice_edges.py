"""Which of several values enters a score, at the edges of the rules, and what the answer says of itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from clinical_builders import T0, draw, hours, stop
from hepatrail_projections.clinical.inputs import Cause
from hepatrail_projections.clinical.scores.at_point import score_at_moment, score_at_point
from hepatrail_projections.clinical.scores.catalogue import SCORES
from hepatrail_projections.clinical.scores.common import Options, ScoreInput, ScoreResult
from hepatrail_projections.clinical.scores.feed import DEFAULT_RULES
from hepatrail_projections.clinical.scores.gcs import BEFORE_TUBE
from hepatrail_projections.clinical.scores.meld import MELD_2002
from hepatrail_projections.clinical.scores.meld_3_0 import MELD_3_0
from hepatrail_projections.clinical.scores.meld_na import MELD_NA_2016
from hepatrail_projections.clinical.scores.sofa import SOFA_1996
from score_feed_builders import D2, LABS, at_point, context_of, gas, minutes, row, rows_of, sofa_rows, used
from score_inputs import MELD_INPUTS, SOFA_INPUTS, read

DIALYSED = {"dialysis_sessions_7d": "2", "creatinine": None}


def meld(score: object, **changes: str | None) -> ScoreResult:
    return score.of(read(MELD_INPUTS | changes), Options())  # type: ignore[attr-defined,no-any-return]


# What a score says of itself


@pytest.mark.parametrize(
    ("score", "components"),
    [
        (MELD_2002, {"creatinine_mg_dl", "tbil_mg_dl", "inr"}),
        (MELD_NA_2016, {"creatinine_mg_dl", "tbil_mg_dl", "inr", "sodium"}),
        (MELD_3_0, {"creatinine_mg_dl", "tbil_mg_dl", "inr", "sodium", "albumin_g_dl"}),
    ],
)
@pytest.mark.parametrize("inr", ["1.5", None], ids=["complete", "incomplete"])
def test_a_meld_names_itself_its_components_and_the_dialysis_rule_whether_or_not_it_is_complete(
    score: object, components: set[str], inr: str | None
) -> None:
    found = meld(score, inr=inr, **DIALYSED)
    assert found.status == ("complete" if inr else "incomplete")
    assert found.score_id == score.score_id  # type: ignore[attr-defined]
    assert set(found.components) == components
    assert found.components["inr"] == (Fraction("1.5") if inr else None)
    assert found.flags == ("dialysis_rule",)
    assert meld(score, inr=inr).flags == ()


# A score at any moment


@pytest.mark.parametrize("cause", ["DEATH", "WITHDRAWAL"])
def test_a_moment_has_scores_until_the_stop_itself_and_none_after_it(cause: Cause) -> None:
    context = context_of(draw(D2, **LABS), stops=[stop(cause, D2)])
    score = SCORES["meld_2002"]
    at_the_stop = score_at_moment(score, D2, context)
    assert (at_the_stop.result.status, at_the_stop.provisional) == ("incomplete", False)
    after = score_at_moment(score, D2 + timedelta(milliseconds=1), context)
    assert (after.point, after.result.score_id, after.result.status) == ("AT", "meld_2002", "not_applicable")
    assert after.result.options == {**score.recorded(Options()), "selection": "closest"}


def test_a_transplant_ends_no_score_but_marks_those_after_it() -> None:
    context = context_of(draw(D2, **LABS), stops=[stop("TRANSPLANT", D2 - hours(1))])
    scored = score_at_moment(SCORES["meld_2002"], D2, context)
    assert (scored.result.status, scored.post_transplant) == ("incomplete", True)


def test_the_options_of_a_moment_are_strict_where_normal_is_assumed_at_named_points_only() -> None:
    rules = replace(
        DEFAULT_RULES, options=Options(missing_policy="assume_normal"), assume_normal_points=frozenset({"D2"})
    )
    context = context_of(sofa_rows(D2, gcs_total=None), rules=rules)
    sofa = SCORES["sofa_1996"]
    assert score_at_point(sofa, "D2", context).result.status == "complete_with_assumptions"
    assert score_at_moment(sofa, D2, context).result.status == "incomplete"


# Blood gas and oxygen


def test_of_two_earlier_fractions_the_later_is_in_force_and_that_of_the_gas_before_both() -> None:
    taken = gas(D2, pao2="80")
    earlier = [row("fio2", "0.3", D2 - minutes(40)), row("fio2", "0.4", D2 - minutes(20))]
    support = row("respiratory_support", "mask", D2)
    for rows in (earlier, list(reversed(earlier))):
        found = used(at_point("sofa_1996", [*taken, *rows, support]), "fio2")
        assert found is not None
        assert found.value == Fraction("0.4")
    own = row("fio2", "0.5", D2, sample=taken[0].sample_id)
    for rows in ([own, *earlier], [*earlier, own]):
        found = used(at_point("sofa_1996", [*taken, *rows, support]), "fio2")
        assert found is not None
        assert found.value == Fraction("0.5")


def test_of_two_doses_the_nearer_counts_and_of_two_as_near_the_one_recorded_last() -> None:
    given = row("vasoactive_given", "yes", D2)

    def dose(*rows: tuple[str, timedelta]) -> object:
        doses = [row("norepinephrine_dose", value, D2 + away) for value, away in rows]
        found = used(
            at_point("sofa_1996", [*sofa_rows(D2, vasoactive_given=None), given, *doses]), "norepinephrine_dose"
        )
        return None if found is None else found.value

    assert dose(("0.05", minutes(-30)), ("0.2", minutes(20))) == Fraction("0.2")
    assert dose(("0.2", minutes(20)), ("0.05", minutes(-30))) == Fraction("0.2")
    assert dose(("0.05", minutes(-30)), ("0.2", minutes(30))) == Fraction("0.2")
    assert dose(("0.2", minutes(30)), ("0.05", minutes(-30))) == Fraction("0.05")
    assert dose(("0.05", minutes(60))) == Fraction("0.05")
    assert dose(("0.05", minutes(61))) is None


# The verbal response before the tube


def test_the_last_response_that_was_tested_before_the_tube_counts() -> None:
    rules = replace(DEFAULT_RULES, options=Options(verbal_nt_policy="pre_intubation"))
    now = [row("gcs_eye", "2"), row("gcs_motor", "4"), row("gcs_verbal", "NT")]

    def verbal(*earlier: object) -> object:
        found = used(at_point("gcs", [*earlier, *now], rules=rules), BEFORE_TUBE)  # type: ignore[list-item]
        return None if found is None else found.value

    first, second = row("gcs_verbal", "5", D2 - hours(9)), row("gcs_verbal", "3", D2 - hours(5))
    assert verbal(first, second) == verbal(second, first) == 3
    assert verbal(row("gcs_verbal", "4", date(2026, 3, 11))) is None, "a day and a minute are not compared"
    assert verbal() is None
    assert verbal(row("gcs_verbal", "4", D2 + hours(1))) is None


# Vasoactive agents


def test_an_infusion_of_unknown_dose_leaves_open_what_it_may_give_when_it_ran_an_hour() -> None:
    def cardiovascular(**changes: str | None) -> tuple[object, tuple[str, ...]]:
        found = SOFA_1996.of(read(SOFA_INPUTS | {"vasoactive_given": "yes"} | changes), Options())
        return found.components["cardiovascular"], found.missing

    assert cardiovascular(norepinephrine_dose="0.05", norepinephrine_duration_min="60") == (3, ())
    assert cardiovascular(norepinephrine_dose="0.05", norepinephrine_duration_min="59") == (0, ())
    assert cardiovascular(norepinephrine_dose="0.05") == (None, ("norepinephrine_duration_min",))
    assert cardiovascular(norepinephrine_dose="<0.2", norepinephrine_duration_min="60") == (
        None,
        ("norepinephrine_dose",),
    )


# The worst of 24 hours

WORST = replace(
    DEFAULT_RULES,
    worst=frozenset({("sofa_1996", "D2"), ("gcs", "D2"), ("apache_ii_1985", "D2"), ("sofa_1996", "P0_5_1H")}),
)


def test_of_equally_bad_values_the_latest_counts() -> None:
    rows = [*sofa_rows(D2), row("tbil", "40", D2 - hours(8)), row("tbil", "40", D2 - hours(3))]
    for order in (rows, list(reversed(rows))):
        found = used(at_point("sofa_1996", order, rules=WORST), "tbil")
        assert found is not None
        assert found.collected is not None
        assert (found.value, found.collected.instant) == (Fraction(40), D2 - hours(3))


def test_the_day_begins_and_ends_with_its_instants() -> None:
    for at, counts in (
        (D2 - hours(24), True),
        (D2 - hours(24) - timedelta(milliseconds=1), False),
        (D2, True),
        (D2 + timedelta(milliseconds=1), False),
    ):
        found = used(at_point("sofa_1996", [*sofa_rows(D2 - hours(1)), row("tbil", "250", at)], rules=WORST), "tbil")
        assert found is not None
        assert (found.value == 250) is counts, at


def test_the_worst_coma_is_one_moment_and_the_latest_of_equal_ones() -> None:
    def coma(eye: str, verbal: str, motor: str, at: object) -> list[object]:
        return list(rows_of({"gcs_eye": eye, "gcs_verbal": verbal, "gcs_motor": motor}, at))  # type: ignore[arg-type]

    rows = [*coma("4", "5", "6", D2), *coma("1", "5", "6", D2 - hours(9)), *coma("4", "2", "6", D2 - hours(4))]
    scored = at_point("gcs", rows, rules=WORST)  # type: ignore[arg-type]
    assert (scored.result.score, scored.result.status) == (12, "complete")
    eye = used(scored, "gcs_eye")
    assert eye is not None
    assert eye.collected is not None
    assert eye.collected.instant == D2 - hours(4)


def test_what_cannot_be_used_is_named_with_its_reason() -> None:
    refused = row("platelets", "50", D2 - hours(2), accepted=False)
    scored = at_point("sofa_1996", [*sofa_rows(D2, platelets=None), refused], rules=WORST)
    assert scored.result.reasons["platelets"] == "not_accepted"
    usable = row("platelets", "90", D2 - hours(5))
    again = at_point("sofa_1996", [*sofa_rows(D2, platelets=None), usable, refused], rules=WORST)
    assert again.result.components["coagulation"] == 2


def test_the_answers_of_one_moment_are_not_completed_by_those_of_another() -> None:
    whole = rows_of({"gcs_eye": "4", "gcs_verbal": "5", "gcs_motor": "6"}, D2 - hours(3))
    scored = at_point("gcs", [*whole, row("gcs_eye", "1", D2 - hours(1))], rules=WORST)
    assert (scored.result.score, scored.result.status) == (15, "complete")


@pytest.mark.parametrize(("pre_session", "counts"), [(True, True), (False, False), (None, False)])
def test_a_value_of_the_minute_of_t0_is_of_the_day_before_it_only_where_it_says_so(
    pre_session: bool | None, counts: bool
) -> None:
    rules = replace(DEFAULT_RULES, worst=frozenset({("sofa_1996", "BL")}))
    rows = [*sofa_rows(T0 - hours(2)), row("tbil", "250", T0, pre_session=pre_session)]
    found = used(at_point("sofa_1996", rows, "BL", rules=rules), "tbil")
    assert found is not None
    assert (found.value == 250) is counts


def test_a_value_known_by_its_day_counts_when_the_whole_site_day_lies_in_the_24_hours() -> None:
    midnight = datetime(2026, 3, 12, 16, tzinfo=UTC)
    rows = [row("tbil", "250", date(2026, 3, 12)), *sofa_rows(midnight - hours(30))]
    found = {
        at: used(score_at_moment(SCORES["sofa_1996"], at, context_of(rows)), "tbil")
        for at in (midnight, midnight - minutes(1), midnight + minutes(1))
    }
    values = {at: None if each is None else each.value for at, each in found.items()}
    assert values == {midnight: 250, midnight - minutes(1): None, midnight + minutes(1): None}


def test_an_infusion_whose_dose_cannot_be_used_leaves_its_most_open_when_it_ran_an_hour() -> None:
    dose = ScoreInput("norepinephrine_dose", None, problem="not_accepted")

    def cardiovascular(minutes_run: str | None) -> tuple[object, tuple[str, ...], object]:
        lasted = {"norepinephrine_duration_min": minutes_run, "vasoactive_given": "yes"}
        found = SOFA_1996.of(read(SOFA_INPUTS | lasted) | {dose.code: dose}, Options())
        return found.components["cardiovascular"], found.missing, found.range

    assert cardiovascular("60") == (None, ("norepinephrine_dose",), (0, 4))
    assert cardiovascular(None) == (None, ("norepinephrine_dose",), (0, 4))
    assert cardiovascular("59") != cardiovascular("60")


@pytest.mark.parametrize(
    ("sessions", "renal"), [("1", 4), ("0", 0), (">=1", 4), (">0", 4), (">=0", 0), ("<2", 0), (None, 0)]
)
def test_renal_replacement_counts_where_a_session_is_certain(sessions: str | None, renal: int) -> None:
    inputs = read(SOFA_INPUTS | {"dialysis_sessions_7d": sessions})
    assert SOFA_1996.of(inputs, Options(rrt_scores_4=True)).components["renal"] == renal
