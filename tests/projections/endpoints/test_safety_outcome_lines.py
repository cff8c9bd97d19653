"""The primary safety measure, line by line (`endpoints.md` section 2), and the groups of special interest."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from clinical_builders import T0
from hepatrail_events.adverse_events import (
    ActionTaken,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEVoided,
    AeVoidReason,
    Assessor,
    Causality,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.clinical.endpoints.proportion import clopper_pearson
from projection_log import SEALED
from safety_outcome_course import OutcomeTrial, who

DAY = timedelta(days=1)
SERIOUS: dict[str, Any] = {"criteria": (Criterion.HOSPITALISATION,)}


@pytest.fixture
def trial() -> OutcomeTrial:
    """Four treated participants and one who is not."""
    made = OutcomeTrial()
    made.treated("S-1", "S-2", "S-3", "S-4")
    made.enrolled("S-5")
    return made


def test_participants_with_a_teae_count_once_of_the_safety_set_with_the_exact_interval(trial: OutcomeTrial) -> None:
    trial.ae("S-1")
    trial.ae("S-1", T0 + 5 * DAY)
    trial.ae("S-2", T0 - DAY)
    trial.ae("S-5")
    table = trial.tables()["TEAE_OVERVIEW"]
    participants, events = table.row("TEAE").cells
    assert (participants.n, participants.of, participants.value, participants.display) == (1, 4, "0.25", "1 (25.0 %)")
    assert participants.interval == clopper_pearson(1, 4, Decimal("0.95"))
    assert (events.n, events.of) == (2, None)
    assert who(table, "TEAE", "PARTICIPANTS") == ["S-1"]
    assert len(participants.contributions[0].event_ids) == 2


def test_a_downgraded_event_is_no_sae_any_more_and_a_void_one_never_counts(trial: OutcomeTrial) -> None:
    first, second = trial.ae("S-1", **SERIOUS), trial.ae("S-2", **SERIOUS)
    trial.ae("S-3", **SERIOUS)
    assert trial.counts("TEAE_OVERVIEW")["TESAE"] == 3
    given = {"assessor": Assessor.INVESTIGATOR, "reason_code": DowngradeReason.CRITERION_MISAPPLIED}
    trial.say("S-1", AEDowngradedToNonSerious(ae_id=first.ae_id, ae_version=2, reason_text=SEALED, **given))
    void = AEVoided(ae_id=second.ae_id, ae_version=2, reason_code=AeVoidReason.NOT_AN_AE, reason_text=SEALED)
    trial.say("S-2", void)
    counts = trial.counts("TEAE_OVERVIEW")
    assert (counts["TEAE"], counts["TESAE"], counts["ANY_SAE"]) == (2, 1, 1)


def test_any_sae_from_consent_is_a_line_of_its_own_and_those_of_the_untreated_another(trial: OutcomeTrial) -> None:
    trial.ae("S-1", T0 - 2 * DAY, **SERIOUS)
    trial.ae("S-2", T0 + 400 * DAY, **SERIOUS)
    trial.ae("S-5", **SERIOUS)
    table = trial.tables()["TEAE_OVERVIEW"]
    assert table.row("TESAE").cell("PARTICIPANTS").n == 0
    assert who(table, "ANY_SAE", "PARTICIPANTS") == ["S-1", "S-2"]
    outside = table.row("ANY_SAE_UNTREATED").cell("PARTICIPANTS")
    assert (outside.n, outside.of, outside.contributions[0].subject_id) == (1, 1, "S-5")


def test_related_is_as_assessed_and_the_number_not_yet_assessed_stands_beside_it(trial: OutcomeTrial) -> None:
    related, unrelated = trial.ae("S-1"), trial.ae("S-2")
    trial.judged("S-1", related, Causality.POSSIBLE)
    trial.judged("S-2", unrelated, Causality.UNRELATED)
    trial.ae("S-3")
    trial.ae("S-3", T0 + DAY)
    table = trial.tables()["TEAE_OVERVIEW"]
    assert who(table, "RELATED", "PARTICIPANTS") == ["S-1"]
    assert who(table, "RELATED_NOT_ASSESSED", "PARTICIPANTS") == ["S-3"]
    assert [table.row(row).cell("EVENTS").n for row in ("RELATED", "RELATED_NOT_ASSESSED")] == [1, 2]


def test_a_not_assessable_event_is_related(trial: OutcomeTrial) -> None:
    trial.judged("S-1", trial.ae("S-1"), Causality.NOT_ASSESSABLE)
    assert trial.counts("TEAE_OVERVIEW")["RELATED"] == 1


def test_a_susar_counts_as_assessed_and_the_provisional_one_beside_it(trial: OutcomeTrial) -> None:
    trial.judged("S-1", trial.ae("S-1", **SERIOUS), Causality.PROBABLE)
    trial.ae("S-2", **SERIOUS)
    expected = trial.ae("S-3", **SERIOUS)
    trial.judged("S-3", expected, Causality.PROBABLE)
    told = AEExpectednessAssessed(
        ae_id=expected.ae_id, ae_version=4, value=Expectedness.EXPECTED, rsi_version="1", rsi_term="Fever"
    )
    trial.say("S-3", told, role="SPONSOR")
    table = trial.tables()["TEAE_OVERVIEW"]
    assert (who(table, "SUSAR", "PARTICIPANTS"), who(table, "SUSAR_PROVISIONAL", "PARTICIPANTS")) == (["S-1"], ["S-2"])


def test_grade_3_or_higher_fatal_and_special_interest(trial: OutcomeTrial) -> None:
    trial.ae("S-1", grade=3, code="OTHER")
    trial.ae("S-2", grade=5, code="SEPSIS", outcome=Outcome.FATAL, end_at=None, criteria=(Criterion.DEATH,))
    trial.ae("S-3", grade=None, code="RASH")
    trial.ae("S-4", grade=3, code="HEPATIC_FAILURE_WORSENING")
    table = trial.tables()["TEAE_OVERVIEW"]
    assert who(table, "GRADE_3", "PARTICIPANTS") == ["S-1", "S-2", "S-4"]
    assert who(table, "FATAL", "PARTICIPANTS") == ["S-2"]
    assert who(table, "AESI", "PARTICIPANTS") == ["S-2", "S-3"]


def test_a_session_stopped_and_a_treatment_discontinued_are_one_line_and_each_its_own(trial: OutcomeTrial) -> None:
    trial.ae("S-1", action_taken=ActionTaken.SESSION_STOPPED_EARLY)
    trial.ae("S-2", action_taken=ActionTaken.TREATMENT_DISCONTINUED)
    trial.ae("S-2", action_taken=ActionTaken.SESSION_STOPPED_EARLY)
    trial.ae("S-3", action_taken=ActionTaken.SESSION_INTERRUPTED_RESUMED)
    counts, events = trial.counts("TEAE_OVERVIEW"), trial.counts("TEAE_OVERVIEW", "EVENTS")
    rows = ("ACTION_ENDED", "ACTION_STOPPED", "ACTION_DISCONTINUED")
    assert [(counts[row], events[row]) for row in rows] == [(2, 3), (2, 2), (1, 1)]


GROUPS = {
    "FEVER": ("FEVER",),
    "RASH": ("RASH", "RASH_URTICARIA"),
    "CHEST_TIGHTNESS": ("CHEST_TIGHTNESS", "CHEST_PAIN_CARDIAC"),
    "PALPITATIONS": ("PALPITATIONS",),
    "ACUTE_INFUSION_REACTION": ("INFUSION_REACTION", "ALLERGIC_REACTION", "ANAPHYLAXIS", "CYTOKINE_RELEASE"),
    "IMMUNE_REJECTION": ("IMMUNE_REJECTION_CELLS", "IMMUNE_REJECTION_GRAFT"),
    "INFECTION": ("INFECTION_OTHER", "INFECTION_CATHETER", "INFECTION_DEVICE", "SEPSIS"),
    "LOCAL_COMPLICATION": ("LOCAL_HEMATOMA", "LOCAL_BLEEDING", "VASCULAR_ACCESS_COMPLICATION"),
    "THROMBOSIS": ("THROMBOSIS_VENOUS", "THROMBOSIS_ARTERIAL", "THROMBOSIS_PORTAL"),
}
NONE = ("BLEEDING_SYSTEMIC", "HEPATIC_FAILURE_WORSENING", "DEATH_NOS", "LAB_ABNORMALITY", "OTHER")


def test_every_code_of_special_interest_is_in_the_group_of_its_seed_wording(trial: OutcomeTrial) -> None:
    for code in (*(code for codes in GROUPS.values() for code in codes), *NONE):
        trial.ae("S-1", code=code)
    events, participants = trial.counts("TEAE_BY_AESI_GROUP", "EVENTS"), trial.counts("TEAE_BY_AESI_GROUP")
    assert events == {"AESI": 22} | {group: len(codes) for group, codes in GROUPS.items()}
    assert set(participants.values()) == {1}


def test_without_its_only_session_a_participant_leaves_the_safety_set(trial: OutcomeTrial) -> None:
    trial.enrolled("S-6")
    begun = trial.session("S-6", T0)
    trial.ae("S-6")
    assert trial.tables()["TEAE_OVERVIEW"].row("TEAE").cell("PARTICIPANTS").of == 5
    void = SessionVoided(id=begun.session_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED)
    trial.say("S-6", void)
    left = trial.tables()["TEAE_OVERVIEW"].row("TEAE").cell("PARTICIPANTS")
    assert (left.n, left.of) == (0, 4)
