"""The Glasgow Coma Scale, rule by rule (scores.md section 5)."""

from datetime import UTC, datetime

import pytest

from hepatrail_projections.clinical.inputs import Collected
from hepatrail_projections.clinical.scores.common import Options, ScoreInput, ScoreResult, given
from hepatrail_projections.clinical.scores.gcs import BEFORE_TUBE, GCS
from score_inputs import read

EARLIER = Collected(datetime(2026, 3, 10, 8, tzinfo=UTC))


def coma(options: Options | None = None, /, **texts: str) -> ScoreResult:
    return GCS.of(read({f"gcs_{name}": text for name, text in texts.items()}), options or Options())


@pytest.mark.parametrize(
    ("eye", "verbal", "motor", "score"), [("4", "5", "6", 15), ("1", "1", "1", 3), ("4", "1", "3", 8)]
)
def test_the_total_is_the_sum(eye: str, verbal: str, motor: str, score: int) -> None:
    result = coma(eye=eye, verbal=verbal, motor=motor)
    assert (result.status, result.score, result.display) == ("complete", score, f"E{eye}V{verbal}M{motor}")
    assert result.components == {"gcs_eye": int(eye), "gcs_verbal": int(verbal), "gcs_motor": int(motor)}


def test_not_testable_gives_no_total_and_shows_so() -> None:
    result = coma(eye="4", verbal="NT", motor="6")
    assert (result.status, result.score, result.display) == ("incomplete", None, "E4VNTM6")
    assert (result.missing, result.reasons) == (("gcs_verbal",), {"gcs_verbal": "not_testable"})


@pytest.mark.parametrize("alias", ["T", "1T"])
def test_the_import_aliases_of_a_tube_are_not_testable(alias: str) -> None:
    assert coma(eye="4", verbal=alias, motor="6").display == "E4VNTM6"
    assert coma(eye="C", verbal="5", motor="6").display == "ENTV5M6"


def test_what_was_not_recorded_is_missing_without_reason_whatever_the_policy() -> None:
    for policy in ("incomplete", "score_1", "brennan"):
        result = coma(Options(verbal_nt_policy=policy), eye="3", motor="5")
        assert (result.missing, result.reasons, result.display) == (("gcs_verbal",), {}, "E3V?M5")
    assert GCS.of({}).missing == ("gcs_eye", "gcs_motor", "gcs_verbal")


def test_the_policy_never_covers_eye_or_motor() -> None:
    for policy in ("score_1", "brennan"):
        result = coma(Options(verbal_nt_policy=policy), eye="NT", verbal="5", motor="6")
        assert result.reasons == {"gcs_eye": "not_testable"}
    both = coma(Options(verbal_nt_policy="brennan"), eye="NT", verbal="NT", motor="6")
    assert both.reasons == {"gcs_eye": "not_testable", "gcs_verbal": "not_testable"}
    one = coma(Options(verbal_nt_policy="score_1"), eye="NT", verbal="NT", motor="6")
    assert (one.reasons, one.assumed) == ({"gcs_eye": "not_testable"}, {})


def test_score_1_is_a_labelled_assumption() -> None:
    result = coma(Options(verbal_nt_policy="score_1"), eye="4", verbal="NT", motor="6")
    assert (result.status, result.score, result.assumed) == ("complete_with_assumptions", 11, {"gcs_verbal": 1})
    assert result.options == {"verbal_nt_policy": "score_1"}


@pytest.mark.parametrize(
    ("eye", "motor", "verbal"),
    [(1, 1, 1), (1, 5, 1), (2, 5, 2), (3, 4, 2), (2, 6, 4), (4, 5, 4), (3, 6, 4), (4, 6, 5)],
)
def test_brennan_takes_verbal_from_eye_and_motor(eye: int, motor: int, verbal: int) -> None:
    result = coma(Options(verbal_nt_policy="brennan"), eye=str(eye), verbal="NT", motor=str(motor))
    assert (result.score, result.assumed) == (eye + motor + verbal, {"gcs_verbal": verbal})


def test_pre_intubation_takes_the_last_verbal_response_that_carries_its_time() -> None:
    options = Options(verbal_nt_policy="pre_intubation")
    inputs = read({"gcs_eye": "4", "gcs_verbal": "NT", "gcs_motor": "6"})
    assert GCS.of(inputs, options).reasons == {"gcs_verbal": "not_testable"}
    before = given("gcs_verbal", "4")
    untimed = ScoreInput(BEFORE_TUBE, before.value)
    assert GCS.of(inputs | {BEFORE_TUBE: untimed}, options).status == "incomplete"
    timed = ScoreInput(BEFORE_TUBE, before.value, collected=EARLIER)
    result = GCS.of(inputs | {BEFORE_TUBE: timed}, options)
    assert (result.status, result.score, result.assumed) == ("complete_with_assumptions", 14, {"gcs_verbal": 4})
    assert GCS.of(inputs | {BEFORE_TUBE: timed}).status == "incomplete"


@pytest.mark.parametrize(("component", "value"), [("eye", "5"), ("verbal", "6"), ("motor", "0"), ("motor", "2.5")])
def test_a_point_that_the_scale_does_not_have_is_invalid(component: str, value: str) -> None:
    result = coma(**({"eye": "4", "verbal": "5", "motor": "6"} | {component: value}))
    assert (result.status, result.invalid, result.display) == ("invalid_input", (f"gcs_{component}",), None)


def test_a_total_alone_is_no_score_of_its_own() -> None:
    assert GCS.of(read({"gcs_total": "14"})).missing == ("gcs_eye", "gcs_motor", "gcs_verbal")


def test_sedation_is_flagged_and_the_score_kept() -> None:
    inputs = read({"gcs_eye": "2", "gcs_verbal": "2", "gcs_motor": "4"})
    assert GCS.of(inputs | read({"sedated": "yes"})).flags == ("sedated",)
    assert GCS.of(inputs | read({"sedated": "yes"})).score == 8
    assert GCS.of(inputs | read({"sedated": "no"})).flags == ()
