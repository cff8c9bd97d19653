"""Which observations a score takes: rules 1, 2, 5, 6 and 7 (scores.md section 9)."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import pytest

from clinical_builders import A, draw, hours, session
from hepatrail_projections.clinical.scores.common import change_from_baseline
from hepatrail_projections.clinical.scores.feed import DEFAULT_RULES
from score_feed_builders import D2, STATICS, apache_rows, at_point, minutes, row, rows_of, sofa_rows, used

# Rule 1: assigned inputs, statics exempt


def test_static_inputs_are_those_of_the_enrolment_and_exempt_from_the_spread() -> None:
    scored = at_point("apache_ii_1985", apache_rows())
    assert (scored.result.status, scored.result.score) == ("complete", 7)
    for code, value in (("age", 54), ("chronic_health", "true"), ("admission_type", "nonoperative")):
        found = used(scored, code)
        assert found is not None
        assert (found.value, found.event_ids, found.collected) == (value, STATICS.event_ids, None)


def test_an_outlying_input_of_sofa_is_missing() -> None:
    rows = [*sofa_rows(platelets=None), row("platelets", "90", D2 + hours(6.5))]
    result = at_point("sofa_1996", rows).result
    assert (result.missing, result.reasons) == (("platelets",), {"platelets": "spread_exceeded"})
    assert result.components["coagulation"] is None


def test_a_total_of_the_coma_scale_beside_components_does_not_count() -> None:
    rows = [*sofa_rows(gcs_eye="4", gcs_verbal="4", gcs_motor="6"), row("gcs_total", "3", D2 + minutes(1))]
    scored = at_point("sofa_1996", rows)
    assert scored.result.components["cns"] == 1
    assert used(scored, "gcs_total") is None


# Rule 2: closest or worst


def test_the_closest_value_to_the_target_counts() -> None:
    rows = [*sofa_rows(), row("platelets", "10", D2 + hours(1))]
    scored = at_point("sofa_1996", rows)
    assert scored.result.components["coagulation"] == 0
    assert scored.result.options["selection"] == "closest"


WORST = replace(DEFAULT_RULES, worst=frozenset({("sofa_1996", "D2"), ("apache_ii_1985", "D2"), ("gcs", "D2")}))


def test_the_worst_of_twenty_four_hours_is_a_labelled_alternative() -> None:
    before = D2 - hours(20)
    rows = [
        *sofa_rows(gcs_total=None, gcs_eye="4", gcs_verbal="5", gcs_motor="6"),
        row("platelets", "10", before),
        row("platelets", "9", D2 - hours(25)),
        row("platelets", "8", D2 + hours(1)),
        row("map", "50", before),
        *rows_of({"gcs_eye": "1", "gcs_verbal": "2", "gcs_motor": "4"}, before),
        *rows_of({"pao2": "49", "fio2": "0.5", "respiratory_support": "imv"}, before),
        *rows_of(
            {"vasoactive_given": "yes", "norepinephrine_dose": "0.3", "norepinephrine_duration_min": "90"}, before
        ),
        row("urine_output_24h", "150", before),
    ]
    scored = at_point("sofa_1996", rows, rules=WORST)
    assert scored.result.components == {
        "respiration": 4,
        "coagulation": 4,
        "liver": 0,
        "cardiovascular": 4,
        "cns": 3,
        "renal": 4,
    }
    assert scored.result.options["selection"] == "worst_24h"
    assert at_point("gcs", rows, rules=WORST).result.score == 7
    closest = at_point("sofa_1996", rows)
    assert closest.result.score == 0
    assert change_from_baseline(closest.result, scored.result).reason == "different_options"


def test_the_worst_of_apache_is_the_one_with_most_points_on_either_side() -> None:
    before = D2 - hours(3)
    rows = [
        *apache_rows(gcs_total="15"),
        *(row("temperature", value, before + minutes(10 * number)) for number, value in enumerate(("29", "40", "36"))),
        row("sodium", "115", before),
        row("acute_renal_failure", "true", before),
        row("creatinine", "320", before),
        *rows_of({"pao2": "50", "ph_arterial": "7.40", "fio2": "0.21"}, before),
        *rows_of({"pao2": "90", "ph_arterial": "7.10", "fio2": "0.21"}, before + hours(1)),
    ]
    components = at_point("apache_ii_1985", rows, rules=WORST).result.components
    found = {code: components[code] for code in ("temperature", "sodium", "creatinine", "oxygenation", "acid_base")}
    assert found == {"temperature": 4, "sodium": 3, "creatinine": 8, "oxygenation": 4, "acid_base": 4}


def test_the_worst_total_of_the_coma_scale_counts_where_no_component_was_recorded() -> None:
    rows = [*sofa_rows(), row("gcs_total", "4", D2 - hours(10))]
    assert at_point("sofa_1996", rows, rules=WORST).result.components["cns"] == 4


def test_the_meld_family_has_no_worst() -> None:
    rules = replace(DEFAULT_RULES, worst=frozenset({("meld_2002", "D2")}))
    scored = at_point("meld_2002", draw(D2, creatinine="100", tbil="200", inr="2"), rules=rules)
    assert scored.result.options["selection"] == "closest"


# Rule 5: samples while a circuit runs


def test_the_score_inherits_that_a_circuit_ran() -> None:
    sessions = [session(), session(D2 - hours(2), D2 - minutes(30))]
    rows = [*sofa_rows(fio2=None), row("fio2", "0.21", D2 - minutes(40))]
    assert at_point("sofa_1996", rows, sessions=sessions).during_session
    assert not at_point("sofa_1996", sofa_rows(), sessions=sessions).during_session


# Rule 6: urine


@pytest.mark.parametrize(
    ("point", "at", "basis"),
    [
        ("P0_5_1H", A + minutes(45), "creatinine_only"),
        ("H12", A + hours(12), "creatinine_only"),
        ("H24", A + hours(24), None),
        ("D2", D2, None),
    ],
)
def test_urine_is_not_used_where_its_collection_would_span_the_session(
    point: str, at: datetime, basis: str | None
) -> None:
    scored = at_point("sofa_1996", sofa_rows(at, urine_output_24h="100"), point)
    assert scored.result.details.get("renal_basis") == basis
    assert scored.result.components["renal"] == (0 if basis else 4)


def test_a_collection_that_ends_outside_the_window_is_not_used() -> None:
    rows = [*sofa_rows(urine_output_24h=None), row("urine_output_24h", "100", D2 + hours(20), visit="D2")]
    assert at_point("sofa_1996", rows).result.components["renal"] == 0


# Rule 7: infusions


def test_a_dose_is_that_of_the_statement_and_a_duration_that_of_its_dose() -> None:
    running = {"vasoactive_given": "yes", "norepinephrine_dose": "0.05", "norepinephrine_duration_min": "90"}
    rows = [
        *sofa_rows(**running),
        *rows_of({"dopamine_dose": "20", "dopamine_duration_min": "300"}, D2 - hours(4)),
        row("norepinephrine_duration_min", "5", D2 - hours(1)),
    ]
    scored = at_point("sofa_1996", rows)
    assert scored.result.components["cardiovascular"] == 3
    assert used(scored, "dopamine_dose") is None


def test_a_dose_stated_within_the_hour_belongs_to_the_statement() -> None:
    late = rows_of({"dopamine_dose": "20", "dopamine_duration_min": "300"}, D2 + minutes(60))
    assert at_point("sofa_1996", [*sofa_rows(vasoactive_given="yes"), *late]).result.components["cardiovascular"] == 4
    later = [replace(each, collected=row("map", "1", D2 + minutes(61)).collected) for each in late]
    assert at_point("sofa_1996", [*sofa_rows(vasoactive_given="yes"), *later]).result.missing == ("vasoactive_dose",)


def test_an_agent_outside_the_table_leaves_the_pressure_with_a_warning() -> None:
    rows = sofa_rows(vasoactive_given="yes", other_vasoactive="terlipressin", map="60")
    result = at_point("sofa_1996", rows).result
    assert (result.components["cardiovascular"], result.warnings) == (1, ("vasoactive_outside_table",))


def test_mean_pressure_is_derived_from_a_cuff_and_marked() -> None:
    rows = [*sofa_rows(map=None), row("sbp", "90"), row("dbp", "59")]
    scored = at_point("sofa_1996", rows)
    pressure = used(scored, "map")
    assert pressure is not None
    assert (pressure.value, pressure.derived) == (Fraction(208, 3), True)
    assert set(pressure.event_ids) == {rows[-1].event_id, rows[-2].event_id}
    assert scored.result.components["cardiovascular"] == 1
    measured = used(at_point("sofa_1996", [*rows, row("map", "80", D2 + hours(3))]), "map")
    assert measured is not None
    assert (measured.value, measured.derived) == (Fraction(80), False)
    apart = [*sofa_rows(map=None), row("sbp", "90"), row("dbp", "59", D2 + minutes(1))]
    assert at_point("sofa_1996", apart).result.missing == ("map",)


def test_site_of_temperature_and_sedation_belong_to_their_moment() -> None:
    rows = apache_rows(temperature_site="axillary", sedated="yes")
    result = at_point("apache_ii_1985", rows).result
    assert (result.warnings, result.flags) == (("temperature_axillary",), ("sedated",))
    others = [*apache_rows(), row("temperature_site", "axillary", D2 + hours(1)), row("sedated", "yes", D2 - hours(1))]
    result = at_point("apache_ii_1985", others).result
    assert (result.warnings, result.flags) == ((), ())
