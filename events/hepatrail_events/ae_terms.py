"""The trial's own codes of adverse events and the CTCAE v5.0 grades that exist (`safety.md` 2.1, INV-03)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class AeCode(StrEnum):
    """The trial's own code of an adverse event; alerts and rules go by it."""

    FEVER = "FEVER"
    RASH = "RASH"
    RASH_URTICARIA = "RASH_URTICARIA"
    CHEST_TIGHTNESS = "CHEST_TIGHTNESS"
    CHEST_PAIN_CARDIAC = "CHEST_PAIN_CARDIAC"
    PALPITATIONS = "PALPITATIONS"
    INFUSION_REACTION = "INFUSION_REACTION"
    ALLERGIC_REACTION = "ALLERGIC_REACTION"
    ANAPHYLAXIS = "ANAPHYLAXIS"
    CYTOKINE_RELEASE = "CYTOKINE_RELEASE"
    IMMUNE_REJECTION_CELLS = "IMMUNE_REJECTION_CELLS"
    IMMUNE_REJECTION_GRAFT = "IMMUNE_REJECTION_GRAFT"
    INFECTION_OTHER = "INFECTION_OTHER"
    INFECTION_CATHETER = "INFECTION_CATHETER"
    INFECTION_DEVICE = "INFECTION_DEVICE"
    SEPSIS = "SEPSIS"
    LOCAL_HEMATOMA = "LOCAL_HEMATOMA"
    LOCAL_BLEEDING = "LOCAL_BLEEDING"
    VASCULAR_ACCESS_COMPLICATION = "VASCULAR_ACCESS_COMPLICATION"
    THROMBOSIS_VENOUS = "THROMBOSIS_VENOUS"
    THROMBOSIS_ARTERIAL = "THROMBOSIS_ARTERIAL"
    THROMBOSIS_PORTAL = "THROMBOSIS_PORTAL"
    BLEEDING_SYSTEMIC = "BLEEDING_SYSTEMIC"
    HEPATIC_FAILURE_WORSENING = "HEPATIC_FAILURE_WORSENING"
    DEATH_NOS = "DEATH_NOS"
    LAB_ABNORMALITY = "LAB_ABNORMALITY"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class AeTerm:
    """A code's default CTCAE term (None: named in `ctcaeTerm`), its grades, and whether it is of special interest."""

    ctcae_term: str | None
    grades: range | frozenset[int]
    special_interest: bool


def _to(lowest: int, highest: int) -> range:
    return range(lowest, highest + 1)


_ANY = _to(1, 5)

AE_TERMS: Mapping[str, AeTerm] = {
    AeCode.FEVER: AeTerm("Fever", _ANY, True),
    AeCode.RASH: AeTerm("Rash maculo-papular", _to(1, 3), True),
    AeCode.RASH_URTICARIA: AeTerm("Urticaria", _to(1, 3), True),
    AeCode.CHEST_TIGHTNESS: AeTerm("Non-cardiac chest pain", _to(1, 3), True),
    AeCode.CHEST_PAIN_CARDIAC: AeTerm("Chest pain - cardiac", _to(1, 3), True),
    AeCode.PALPITATIONS: AeTerm("Palpitations", _to(1, 2), True),
    AeCode.INFUSION_REACTION: AeTerm("Infusion related reaction", _ANY, True),
    AeCode.ALLERGIC_REACTION: AeTerm("Allergic reaction", _ANY, True),
    AeCode.ANAPHYLAXIS: AeTerm("Anaphylaxis", _to(3, 5), True),
    AeCode.CYTOKINE_RELEASE: AeTerm("Cytokine release syndrome", _ANY, True),
    AeCode.IMMUNE_REJECTION_CELLS: AeTerm("Immune system disorders - Other, specify", _ANY, True),
    AeCode.IMMUNE_REJECTION_GRAFT: AeTerm("Immune system disorders - Other, specify", _ANY, True),
    AeCode.INFECTION_OTHER: AeTerm("Infections and infestations - Other, specify", _ANY, True),
    AeCode.INFECTION_CATHETER: AeTerm("Catheter related infection", _to(2, 5), True),
    AeCode.INFECTION_DEVICE: AeTerm("Device related infection", _to(2, 5), True),
    AeCode.SEPSIS: AeTerm("Sepsis", _to(3, 5), True),
    AeCode.LOCAL_HEMATOMA: AeTerm("Hematoma", _ANY, True),
    AeCode.LOCAL_BLEEDING: AeTerm("Injury, poisoning and procedural complications - Other, specify", _ANY, True),
    AeCode.VASCULAR_ACCESS_COMPLICATION: AeTerm("Vascular access complication", _ANY, True),
    AeCode.THROMBOSIS_VENOUS: AeTerm("Thromboembolic event", _ANY, True),
    AeCode.THROMBOSIS_ARTERIAL: AeTerm("Arterial thromboembolism", _to(3, 5), True),
    AeCode.THROMBOSIS_PORTAL: AeTerm("Portal vein thrombosis", _to(2, 5), True),
    AeCode.BLEEDING_SYSTEMIC: AeTerm(None, _ANY, False),
    AeCode.HEPATIC_FAILURE_WORSENING: AeTerm("Hepatic failure", _to(3, 5), False),
    AeCode.DEATH_NOS: AeTerm("Death NOS", _to(5, 5), False),
    AeCode.LAB_ABNORMALITY: AeTerm(None, _ANY, False),
    AeCode.OTHER: AeTerm(None, _ANY, False),
}

_LABORATORY_TERMS: Mapping[str, range | frozenset[int]] = {
    "Alanine aminotransferase increased": _to(1, 4),
    "Aspartate aminotransferase increased": _to(1, 4),
    "Alkaline phosphatase increased": _to(1, 4),
    "Blood bilirubin increased": _to(1, 4),
    "Creatinine increased": _to(1, 4),
    "Platelet count decreased": _to(1, 4),
    "White blood cell decreased": _to(1, 4),
    "Leukocytosis": _to(3, 5),
    "Hemoglobin increased": _to(1, 3),
    "INR increased": _to(1, 3),
    "Activated partial thromboplastin time prolonged": _to(1, 3),
    "Acidosis": frozenset({1, 3, 4, 5}),
    "Alkalosis": frozenset({1, 3, 4, 5}),
    "Blood bicarbonate decreased": _to(1, 1),
    "Urine output decreased": _to(3, 4),
}
"""Laboratory terms of `ctcae_labs.md` section 2 that lack a grade; every other named term is taken as 1 to 5."""

_BY_TERM: Mapping[str, range | frozenset[int]] = {
    term.casefold(): grades
    for term, grades in (
        *_LABORATORY_TERMS.items(),
        *((known.ctcae_term, known.grades) for known in AE_TERMS.values() if known.ctcae_term),
    )
}


def grade_exists(code: str, ctcae_term: str | None, grade: int) -> bool:
    """INV-03: whether the grade exists for the code and for the CTCAE term named beside it.

    A code that this version does not know (from an older log) is judged by its term alone.
    """
    known = AE_TERMS.get(code)
    of_code = known.grades if known else _ANY
    of_term = _BY_TERM.get((ctcae_term or "").strip().casefold(), _ANY)
    return grade in of_code and grade in of_term


def is_special_interest(code: str) -> bool:
    """AESI: whether the code is one of the events that the trial's registration names."""
    known = AE_TERMS.get(code)
    return known is not None and known.special_interest
