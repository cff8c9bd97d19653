"""The Glasgow Coma Scale (`scores.md` section 5).

Teasdale G, Jennett B. Lancet 1974;2:81-84. Teasdale G, et al. Lancet Neurol 2014;13:844-854. Brennan PM, Murray GD,
Teasdale GM. J Neurosurg 2021;135:214-219; the mapping of `brennan` is the reference's, which has it from memory and
asks for a check before use. `pre_intubation` takes the last verbal response before the tube, which must carry its
time; without one the total stays open.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hepatrail_events.catalogue import NOT_TESTABLE
from hepatrail_projections.clinical.scores.common import Inputs, Options, Score, ScoreInput, ScoreResult, why_missing

EYE, VERBAL, MOTOR = COMPONENTS = ("gcs_eye", "gcs_verbal", "gcs_motor")
TOTAL = "gcs_total"
BEFORE_TUBE = "gcs_verbal_pre_intubation"
"""Not a measurement of `labs.csv`: the verbal response that `pre_intubation` puts in place of `NT`, with its time."""
SEDATED = "sedated"

MOST = {EYE: 4, VERBAL: 5, MOTOR: 6}
_LETTERS = {EYE: "E", VERBAL: "V", MOTOR: "M"}
_BRENNAN = {2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 2, 8: 4, 9: 4, 10: 5}


@dataclass(frozen=True, slots=True)
class Coma:
    """What the inputs say: the total, or the greatest that is still possible and what is missing."""

    total: int | None
    greatest: int
    missing: Mapping[str, str | None]
    assumed: Mapping[str, int]
    components: Mapping[str, int | None]
    flags: tuple[str, ...]


def read_coma(inputs: Inputs, options: Options, *, total_read: bool) -> Coma:
    """Reads the components; `total_read`: a total alone counts where no component was recorded (section 0.2)."""
    flags = ("sedated",) if SEDATED in inputs and inputs[SEDATED].text == "yes" else ()
    present = [code for code in COMPONENTS if code in inputs]
    if total_read and all(inputs[code].problem is not None for code in present):
        stated = inputs.get(TOTAL)
        number = _points(stated)
        if number is not None:
            return Coma(number, number, {}, {}, {}, flags)
        if not present:
            return Coma(None, sum(MOST.values()), {TOTAL: why_missing(stated)}, {}, {}, flags)
    points = {code: _points(inputs.get(code)) for code in COMPONENTS}
    missing = {code: _why(inputs.get(code)) for code, known in points.items() if known is None}
    assumed = {}
    if missing.get(VERBAL) == "not_testable":
        verbal = _instead_of_verbal(points[EYE], points[MOTOR], inputs.get(BEFORE_TUBE), options)
        if verbal is not None:
            assumed = {VERBAL: verbal}
            del missing[VERBAL]
    reached = {code: assumed.get(code, known) for code, known in points.items()}
    greatest = sum(MOST[code] if known is None else known for code, known in reached.items())
    return Coma(None if missing else greatest, greatest, missing, assumed, reached, flags)


def gcs(inputs: Inputs, options: Options) -> ScoreResult:
    """The total 3 to 15 of three tested components; `NT` leaves it open unless the protocol says otherwise."""
    coma = read_coma(inputs, options, total_read=False)
    complete = coma.total is not None
    return ScoreResult(
        "gcs",
        "incomplete" if not complete else "complete_with_assumptions" if coma.assumed else "complete",
        score=coma.total,
        missing=tuple(sorted(coma.missing)),
        reasons={code: why for code, why in sorted(coma.missing.items()) if why is not None},
        assumed=coma.assumed if complete else {},
        components=coma.components,
        display="".join(f"{_LETTERS[code]}{_shown(inputs.get(code))}" for code in COMPONENTS),
        flags=coma.flags,
    )


def _points(given: ScoreInput | None) -> int | None:
    number = None if given is None else given.number
    return None if number is None else int(number)


def _why(given: ScoreInput | None) -> str | None:
    if given is not None and given.text == NOT_TESTABLE:
        return "not_testable"
    return why_missing(given)


def _shown(given: ScoreInput | None) -> str:
    if given is None or given.problem is not None or given.value is None:
        return "?"
    return str(given.value)


def _instead_of_verbal(eye: int | None, motor: int | None, before: ScoreInput | None, options: Options) -> int | None:
    match options.verbal_nt_policy:
        case "score_1":
            return 1
        case "pre_intubation":
            return None if before is None or before.collected is None else _points(before)
        case "brennan":
            return None if eye is None or motor is None else _BRENNAN[eye + motor]
        case _:
            return None


GCS_INPUTS = (*COMPONENTS, SEDATED, BEFORE_TUBE)
GCS = Score("gcs", GCS_INPUTS, gcs, option_names=("verbal_nt_policy",))
