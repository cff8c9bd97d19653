"""The sections of the protocol that hold its rules: visits, scores, safety, endpoints.

Every field has the default of the domain reference, so that content published before the field existed reads as it
was meant. Sources: `visits.md`, `scores.md` section 12, `safety.md` section 10, `endpoints.md`.
"""

from typing import Annotated, Literal

from pydantic import Field

from hepatrail_events.adverse_events import Causality
from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.concomitant import ProcedureKind
from hepatrail_events.study import HoldAction, HoldRequires, HoldScope
from hepatrail_events.types import Code, DecimalText, Fact, Grade, Instant, Label

Hours = Annotated[int, Field(ge=1, le=24 * 60)]
ScoreId = Literal["meld_2002", "meld_na_2016", "meld_3_0", "gcs", "sofa_1996", "apache_ii_1985"]

COMPOSITE_ITEMS = ("MELD_CTX", "GCS", "SOFA_IN", "APACHE_IN")
"""Items of every time point beside the laboratory analytes (`visits.md` section 1.1)."""

SCORES_BY_WORST: tuple[ScoreId, ...] = ("gcs", "sofa_1996", "apache_ii_1985")
"""Scores whose inputs may be the worst values of 24 hours (`scores.md` section 9)."""

CONTINUOUS_DIALYSIS = (ProcedureKind.CVVHD, ProcedureKind.CVVHDF, ProcedureKind.CVVH)
"""Kinds of procedure whose hours may count as CVVHD (`scores.md`, notes on the MELD family)."""


class VisitRules(Fact):
    """Rules around the time points (`visits.md`)."""

    items: tuple[Code, ...] = Field(
        default=(*SEED_LABS, *COMPOSITE_ITEMS), description="Items of every time point, beside AE and SURV"
    )
    auxiliary_items: tuple[Code, ...] = Field(
        default=(*SEED_LABS, *COMPOSITE_ITEMS), description="Items of the points after a later session (AUX_ITEMS)"
    )
    post_transplant: Literal["SAFETY_AND_SURVIVAL", "ALL"] = "SAFETY_AND_SURVIVAL"
    no_abg_from: Code = Field(
        default="W2", description="First point at which OUTPATIENT_NO_ABG waives an arterial blood gas"
    )
    no_abg_inputs: tuple[Code, ...] = ("pao2", "paco2", "fio2", "ph_arterial")
    safety_follow_up_days: Annotated[int, Field(ge=0, le=60)] = Field(
        default=14, description="Days before and after the target of SFU12"
    )
    entry_grace_hours: Hours = Field(default=24, description="Overdue notice this long after a window has closed")


class ScoreFeed(Fact):
    """Which data may feed one score at one time point, where it is not `closest` (`scores.md` section 9)."""

    score: ScoreId
    point: Code
    selection: Literal["closest", "worst_24h"]


class ScoreRules(Fact):
    """Options of the scores (`scores.md` sections 0.6, 5 to 9, 12)."""

    enabled: tuple[ScoreId, ...] = (
        "meld_2002",
        "meld_na_2016",
        "meld_3_0",
        "gcs",
        "sofa_1996",
        "apache_ii_1985",
    )
    sofa_unit_mode: Literal["si", "conventional"] = "si"
    hfnc_counts_as_support: bool = False
    rrt_scores_4: bool = False
    verbal_nt_policy: Literal["incomplete", "score_1", "pre_intubation", "brennan"] = "incomplete"
    missing_policy: Literal["strict", "assume_normal"] = "strict"
    assume_normal_points: tuple[Code, ...] = Field(
        default=(), description="Points at which missing_policy holds; empty: all of them"
    )
    barometric_pressure: DecimalText = Field(default="760", description="mm[Hg], one constant for the whole trial")
    meld3_cap: Literal["40", "none"] = "40"
    crrt_modalities_counting_as_cvvhd: tuple[ProcedureKind, ...] = CONTINUOUS_DIALYSIS
    feeds: tuple[ScoreFeed, ...] = ()
    moment_lookback_hours: Hours = Field(
        default=24, description="How old an input may be when a score is asked for at a moment of no time point"
    )
    age_basis: Literal["ENROLMENT"] = "ENROLMENT"


class RsiEntry(Fact):
    """One expected reaction of the reference safety information."""

    term: Label
    max_grade: Grade
    fatal: bool = False
    life_threatening: bool = False


class RsiVersion(Fact):
    """A version of the reference safety information, in force from `effectiveFrom` until the next one."""

    version: Label
    effective_from: Instant
    entries: tuple[RsiEntry, ...] = ()


class StoppingThreshold(Fact):
    """So many participants meet the condition, among the first so many treated where that is stated."""

    participants: Annotated[int, Field(ge=1)]
    of_first_treated: Annotated[int, Field(ge=1)] | None = None


class StoppingRule(Fact):
    """A stopping rule of `safety.md` section 7; the kind of its condition belongs to its id, its numbers stand here."""

    rule_id: Literal["SR1", "SR2", "SR3", "SR4", "SR5", "SR6"]
    enabled: bool = False
    scope: HoldScope
    actions: tuple[HoldAction, ...] = Field(min_length=1)
    requires: HoldRequires = HoldRequires.DSMB
    window_days: Annotated[int, Field(ge=0, le=3650)] | None = Field(
        default=None, description="Onset at most this long after the end of a session"
    )
    grade_ge: Grade | None = Field(default=None, description="Least CTCAE grade that counts")
    thresholds: tuple[StoppingThreshold, ...] = Field(default=(), description="Any of them fulfils the condition")
    rate: DecimalText | None = Field(default=None, description="Rate of toxicity that must not be exceeded")
    probability: DecimalText | None = Field(default=None, description="Posterior probability from which it is hit")
    prior: tuple[DecimalText, DecimalText] | None = Field(default=None, description="Parameters of the Beta prior")


def _shipped_stopping_rules() -> tuple[StoppingRule, ...]:
    trial, sessions, enrolment = HoldScope.TRIAL, HoldAction.HOLD_SESSIONS, HoldAction.HOLD_ENROLMENT
    two = (StoppingThreshold(participants=2),)
    staged = tuple(StoppingThreshold(participants=hit, of_first_treated=of) for hit, of in ((2, 6), (4, 12)))
    return (
        StoppingRule(rule_id="SR1", scope=trial, actions=(sessions, enrolment), window_days=30),
        StoppingRule(rule_id="SR2", scope=trial, actions=(enrolment,), grade_ge=4, thresholds=two),
        StoppingRule(rule_id="SR3", scope=trial, actions=(sessions,), grade_ge=3, thresholds=two),
        StoppingRule(
            rule_id="SR4", scope=HoldScope.PARTICIPANT, actions=(sessions,), requires=HoldRequires.PI, grade_ge=3
        ),
        StoppingRule(rule_id="SR5", scope=trial, actions=(enrolment,), grade_ge=3, window_days=7, thresholds=staged),
        StoppingRule(
            rule_id="SR6",
            scope=trial,
            actions=(enrolment,),
            grade_ge=3,
            window_days=7,
            rate="0.30",
            probability="0.80",
            prior=("0.5", "0.5"),
        ),
    )


class RadarRules(Fact):
    """When something serious seems unflagged; none of it is clinical truth, all of it asks somebody to look.

    Hy's law for livers that are ill before treatment: transaminases and bilirubin are held against the participant's
    own baseline where that is abnormal, against the laboratory's upper limit where it is normal.
    """

    stay_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=14, description="An admission for an adverse event that lasts longer seems prolonged"
    )
    transaminase_x_uln: DecimalText = Field(default="3", description="Times the upper limit, baseline normal")
    bilirubin_x_uln: DecimalText = Field(default="2", description="Times the upper limit, baseline normal")
    transaminase_x_baseline: DecimalText = Field(default="3", description="Times the baseline, where that is abnormal")
    bilirubin_x_baseline: DecimalText = Field(default="2", description="Times the baseline, where that is abnormal")
    alp_below_x_uln: DecimalText = Field(default="2", description="No cholestasis while ALP stays below")
    hys_law_days: Annotated[int, Field(ge=0, le=90)] = Field(
        default=14, description="Both thresholds passed within so many days"
    )


class SafetyRules(Fact):
    """Rules of adverse events, reporting and alerts (`safety.md` section 10)."""

    ae_collection_start: Literal["CONSENT"] = "CONSENT"
    te_start_anchor: Literal["ACCESS", "T0"] = "ACCESS"
    safety_end_anchor: Literal["LAST_SESSION_END", "FIRST_SESSION_END"] = "LAST_SESSION_END"
    safety_end_months: Annotated[int, Field(ge=1, le=60)] = 12
    serious_counts_as_worsening: bool = True
    related_set: tuple[Causality, ...] = (
        Causality.DEFINITE,
        Causality.PROBABLE,
        Causality.POSSIBLE,
        Causality.NOT_ASSESSABLE,
    )
    device_clock_includes_procedure: bool = False
    regimes: tuple[Literal["CN_DRUG", "CN_DEVICE"], ...] = ("CN_DRUG", "CN_DEVICE")
    ec_sae_24h: bool = Field(default=True, description="Whether the clock to the ethics committee runs (EC_SAE_24H)")
    sponsor_is_site: bool = False
    fu8_from: Literal["SUBMISSION", "DAY7"] = "SUBMISSION"
    acute_reaction_hours: Hours = 24
    recurrence_gap_hours: Hours = Field(default=24, description="A longer gap makes a worsening a new event (INV-19)")
    entry_reminder_hours: Hours = Field(default=24, description="Time to complete an entry (INV-18, INV-20)")
    alert_aesi_grade_ge: Grade = 3
    alert_lab_grade_ge: Grade = 3
    lab_review_hours: Hours = 24
    clock_warning_hours: Hours = Field(default=6, description="Warning before a clock of 24 hours is due")
    clock_warning_days: Annotated[int, Field(ge=0, le=30)] = Field(
        default=2, description="Warning before a clock of days is due"
    )
    follow_up_days: Annotated[int, Field(ge=1, le=60)] = Field(
        default=15, description="Time for a follow-up or nullification of what was submitted (SUSAR_FU_15D)"
    )
    alert_latency_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=5, description="Within how long of its commit an alert is to be seen (`safety.md` 6.3)"
    )
    disease_progression_exempt: bool = False
    radar: RadarRules = Field(default_factory=RadarRules)
    stopping_rules: tuple[StoppingRule, ...] = Field(default_factory=_shipped_stopping_rules)


class EndpointRules(Fact):
    """Choices of the outcome measures (`endpoints.md`)."""

    confidence: DecimalText = "0.95"
    landmark_days: tuple[Annotated[int, Field(ge=1)], ...] = (7, 28, 84, 183, 365)
    os_horizon_days: Annotated[int, Field(ge=1)] = 379
    in_window_only: bool = True
    exclude_after_transplant: bool = True
    quantile: Literal["TYPE2"] = "TYPE2"
    censored_low: Literal["HALF", "LIMIT"] = "HALF"
    dose_target_scope: Literal["SESSION", "TOTAL"] = "SESSION"
