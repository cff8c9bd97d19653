"""Every default that the domain reference calls configurable stands in the shipped protocol, with its value."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.protocol_rules import EndpointRules, SafetyRules, ScoreRules, VisitRules
from hepatrail_events.types import Fact

DOCUMENT = tomllib.loads(files("hepatrail_events").joinpath("data/cips_bal.toml").read_text())
SECTIONS: dict[str, type[Fact]] = {
    "visits": VisitRules,
    "scores": ScoreRules,
    "safety": SafetyRules,
    "endpoints": EndpointRules,
}


def test_the_shipped_file_leaves_nothing_to_defaults() -> None:
    assert DOCUMENT.keys() == Protocol.model_fields.keys()
    for name, rules in SECTIONS.items():
        assert DOCUMENT[name].keys() == rules.model_fields.keys(), name


@pytest.mark.parametrize(("name", "rules"), SECTIONS.items())
def test_the_default_of_a_rule_is_what_ships(name: str, rules: type[Any]) -> None:
    assert getattr(shipped_protocol(), name) == rules()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        # visits.md
        ("anchor", "FIRST_SESSION_END"),
        ("baseline_lookback_days", 7),
        ("baseline_spread_hours", 24),
        ("session_end_overdue_hours", 12),
        ("visits.post_transplant", "SAFETY_AND_SURVIVAL"),
        ("visits.no_abg_from", "W2"),
        ("visits.no_abg_inputs", ("pao2", "paco2", "fio2", "ph_arterial")),
        ("visits.safety_follow_up_days", 14),
        ("visits.entry_grace_hours", 24),
        # safety.md section 10
        ("safety.ae_collection_start", "CONSENT"),
        ("safety.te_start_anchor", "ACCESS"),
        ("scores.age_basis", "ENROLMENT"),
        ("planned_n", 12),
        ("safety.safety_end_anchor", "LAST_SESSION_END"),
        ("safety.safety_end_months", 12),
        ("safety.serious_counts_as_worsening", True),
        ("safety.related_set", ("DEFINITE", "PROBABLE", "POSSIBLE", "NOT_ASSESSABLE")),
        ("safety.device_clock_includes_procedure", False),
        ("safety.regimes", ("CN_DRUG", "CN_DEVICE")),
        ("safety.ec_sae_24h", True),
        ("safety.sponsor_is_site", False),
        ("safety.fu8_from", "SUBMISSION"),
        ("safety.acute_reaction_hours", 24),
        ("safety.recurrence_gap_hours", 24),
        ("safety.entry_reminder_hours", 24),
        ("safety.alert_aesi_grade_ge", 3),
        ("safety.alert_lab_grade_ge", 3),
        ("safety.lab_review_hours", 24),
        ("safety.alert_latency_seconds", 5),
        ("self_ack", False),
        ("safety.disease_progression_exempt", False),
        # scores.md sections 0.6, 5 to 9, 12
        ("scores.missing_policy", "strict"),
        ("scores.verbal_nt_policy", "incomplete"),
        ("scores.sofa_unit_mode", "si"),
        ("scores.hfnc_counts_as_support", False),
        ("scores.rrt_scores_4", False),
        ("scores.meld3_cap", "40"),
        ("scores.barometric_pressure", "760"),
        ("scores.crrt_modalities_counting_as_cvvhd", ("CVVHD", "CVVHDF", "CVVH")),
        ("scores.feeds", ()),
        # endpoints.md
        ("endpoints.confidence", "0.95"),
        ("endpoints.landmark_days", (7, 28, 84, 183, 365)),
        ("endpoints.os_horizon_days", 379),
        ("endpoints.in_window_only", True),
        ("endpoints.exclude_after_transplant", True),
        ("endpoints.quantile", "TYPE2"),
        ("endpoints.censored_low", "HALF"),
        ("dose_tolerance", "0.20"),
        ("cells_per_kg", 167_000_000),
        ("endpoints.dose_target_scope", "SESSION"),
    ],
)
def test_a_default_is_that_of_the_reference(where: str, value: Any) -> None:
    found: Any = shipped_protocol()
    for name in where.split("."):
        found = getattr(found, name)
    assert found == value


def test_items_are_25_at_every_point() -> None:
    assert len(shipped_protocol().visits.items) == len(shipped_protocol().visits.auxiliary_items) == 25


SPREADS = {
    "BL": 24, "P0_5_1H": 1, "H12": 2, "H24": 4, "D2": 6, "D3": 6, "D5": 12, "D7": 12,
    "W2": 24, "W4": 24, "W6": 24, "W12": 72, "M6": 72, "M12": 72,
}  # fmt: skip


def test_the_inputs_of_a_score_lie_as_close_as_the_reference_asks() -> None:
    assert {point.code: point.score_spread_minutes for point in shipped_protocol().points} == {
        code: hours * 60 for code, hours in SPREADS.items()
    }


def test_stopping_rules_are_proposals_switched_off_with_the_numbers_of_the_reference() -> None:
    rules = {rule.rule_id: rule for rule in shipped_protocol().safety.stopping_rules}
    assert [rule.enabled for rule in rules.values()] == [False] * 6
    assert rules["SR1"].window_days == 30
    assert (rules["SR2"].grade_ge, rules["SR3"].grade_ge, rules["SR4"].grade_ge) == (4, 3, 3)
    staged = [(each.participants, each.of_first_treated) for each in rules["SR5"].thresholds]
    assert (rules["SR5"].window_days, staged) == (7, [(2, 6), (4, 12)])
    assert (rules["SR6"].rate, rules["SR6"].probability, rules["SR6"].prior) == ("0.30", "0.80", ("0.5", "0.5"))
    assert {rule_id: rule.requires for rule_id, rule in rules.items() if rule.requires == "PI"} == {"SR4": "PI"}
