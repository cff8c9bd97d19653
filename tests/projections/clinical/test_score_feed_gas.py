"""One blood gas with the oxygen in force at it: rule 4 (scores.md section 9)."""

import pytest

from clinical_builders import A, hours
from score_feed_builders import D2, apache_rows, at_point, gas, minutes, row, rows_of, sofa_rows

# Rule 4: one blood gas, and the oxygen in force


def test_the_values_of_a_blood_gas_come_from_one_sample() -> None:
    rows = [
        *apache_rows(pao2=None, paco2=None, ph_arterial=None, fio2=None),
        *gas(D2 - hours(1), pao2="90", paco2="40", ph_arterial="7.60"),
        *gas(D2 + minutes(30), ph_arterial="7.00"),
        row("fio2", "0.21", D2 - hours(1.5)),
    ]
    scored = at_point("apache_ii_1985", rows)
    assert scored.result.components["acid_base"] == 3
    alone = [*apache_rows(pao2=None, paco2=None, ph_arterial=None), *gas(D2, ph_arterial="7.60")]
    assert at_point("apache_ii_1985", alone).result.missing == ("pao2",)


def test_ph_of_another_sample_is_missing() -> None:
    rows = [
        *apache_rows(pao2=None, paco2=None, ph_arterial=None),
        *gas(D2, pao2="90", paco2="40"),
        *gas(D2 + minutes(30), ph_arterial="7.40"),
    ]
    assert at_point("apache_ii_1985", rows).result.reasons == {"ph_arterial|hco3_serum": "spread_exceeded"}


def test_a_gas_with_everything_comes_before_a_nearer_one_without_oxygen() -> None:
    rows = [
        *sofa_rows(pao2=None, fio2=None, respiratory_support=None),
        *gas(D2 - hours(2), pao2="49"),
        *rows_of({"fio2": "0.5", "respiratory_support": "imv"}, D2 - hours(2.5)),
        *gas(D2 + minutes(5), pao2="400"),
    ]
    scored = at_point("sofa_1996", rows)
    assert scored.result.components["respiration"] == 4


@pytest.mark.parametrize(("before", "known"), [(0, True), (60, True), (60.1, False), (-1, False)])
def test_oxygen_is_in_force_for_an_hour_and_never_from_afterwards(before: float, known: bool) -> None:
    rows = [*sofa_rows(fio2=None), row("fio2", "0.21", D2 - minutes(before))]
    result = at_point("sofa_1996", rows).result
    assert (result.status == "complete") is known
    assert result.reasons == ({} if known else {"fio2": "spread_exceeded"})


def test_oxygen_is_in_force_whatever_point_it_was_assigned_to() -> None:
    sample = A + minutes(35)
    rows = [*sofa_rows(sample, fio2=None), row("fio2", "0.21", A + minutes(10))]
    scored = at_point("sofa_1996", rows, "P0_5_1H")
    assert scored.result.components["respiration"] == 0


def test_the_latest_setting_before_the_sample_counts() -> None:
    rows = [
        *sofa_rows(pao2="49", fio2=None, respiratory_support=None),
        *rows_of({"fio2": "0.21", "respiratory_support": "mask"}, D2 - minutes(50)),
        *rows_of({"fio2": "0.50", "respiratory_support": "imv"}, D2 - minutes(20)),
        *rows_of({"fio2": "0.40", "respiratory_support": "mask"}, D2 + minutes(5)),
    ]
    scored = at_point("sofa_1996", rows)
    assert scored.result.components["respiration"] == 4


def test_oxygen_recorded_before_the_support_changed_is_no_longer_in_force() -> None:
    rows = [
        *sofa_rows(fio2=None, respiratory_support=None),
        *rows_of({"fio2": "0.21", "respiratory_support": "mask"}, D2 - minutes(50)),
        row("respiratory_support", "imv", D2 - minutes(20)),
    ]
    assert at_point("sofa_1996", rows).result.reasons == {"fio2": "spread_exceeded"}


def test_a_setting_that_was_not_accepted_hides_the_one_before() -> None:
    rows = [
        *sofa_rows(fio2=None),
        row("fio2", "0.21", D2 - minutes(50)),
        row("fio2", "40", D2 - minutes(10), accepted=False),
    ]
    assert at_point("sofa_1996", rows).result.reasons == {"fio2": "not_accepted"}


def test_an_estimated_oxygen_fraction_is_flagged() -> None:
    rows = [*sofa_rows(), row("fio2_source", "estimated")]
    assert at_point("sofa_1996", rows).result.flags == ("fio2_estimated",)
    assert at_point("sofa_1996", [*sofa_rows(), row("fio2_source", "estimated", D2 - minutes(5))]).result.flags == ()
