"""Short names (SDTM --TESTCD, at most 8 characters) and names (--TEST, at most 40) of the trial's measurements.

Of CDISC controlled terminology where it has the test, else the sponsor's own. A code that is not in the catalogue
goes out as it was reported, in the category UNCODED, so that it is never mistaken for a known one on the way back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hepatrail_events.catalogue import catalogue

UNCODED = "UNCODED"
CHEMISTRY, HEMATOLOGY, COAGULATION = "CHEMISTRY", "HEMATOLOGY", "COAGULATION"
BLOOD_GAS, VITAL_SIGNS, RESPIRATION = "BLOOD GAS", "VITAL SIGNS", "RESPIRATORY SUPPORT"
VASOACTIVES, COMA, KIDNEY, STATICS = "VASOACTIVE AGENTS", "COMA SCALE", "KIDNEY", "BASIC DATA"


@dataclass(frozen=True, slots=True)
class Term:
    """A measurement in SDTM: its short name, its name and its category."""

    short: str
    name: str
    category: str


_SHORT: Mapping[str, Mapping[str, str]] = {
    CHEMISTRY: {
        "lactate": "LACTICAC", "afp": "AFP", "ceruloplasmin": "CERULOPL", "ammonia": "NH3", "alt": "ALT",
        "ast": "AST", "tbil": "BILI", "dbil": "BILDIR", "alp": "ALP", "bun": "UREA", "creatinine": "CREAT",
        "albumin": "ALB", "glucose": "GLUC", "sodium": "SODIUM", "potassium": "K", "hco3_serum": "BICARB",
    },
    HEMATOLOGY: {"rbc": "RBC", "hemoglobin": "HGB", "wbc": "WBC", "platelets": "PLAT", "hematocrit": "HCT"},
    COAGULATION: {"pt": "PT", "pta": "PTA", "inr": "INR", "aptt": "APTT"},
    BLOOD_GAS: {"ph_arterial": "PH", "pao2": "PO2", "paco2": "PCO2", "pf_ratio": "PFRATIO", "a_ado2": "AADO2"},
    VITAL_SIGNS: {
        "map": "MAP", "sbp": "SYSBP", "dbp": "DIABP", "heart_rate": "HR", "resp_rate": "RESP",
        "temperature": "TEMP", "temperature_site": "TEMPSITE", "spo2": "OXYSAT", "weight": "WEIGHT",
    },
    RESPIRATION: {
        "fio2": "FIO2", "fio2_source": "FIO2SRC", "respiratory_support": "RESPSUP", "o2_flow": "O2FLOW",
        "barometric_pressure": "BAROMPR",
    },
    VASOACTIVES: {
        "dopamine_dose": "DOPADOSE", "dopamine_duration_min": "DOPADUR", "dobutamine_dose": "DOBUDOSE",
        "dobutamine_duration_min": "DOBUDUR", "epinephrine_dose": "EPIDOSE", "epinephrine_duration_min": "EPIDUR",
        "norepinephrine_dose": "NOREDOSE", "norepinephrine_duration_min": "NOREDUR", "vasoactive_given": "VASOGIVN",
        "other_vasoactive": "VASOOTH", "vasoactive_dose": "VASODOSE",
    },
    COMA: {
        "gcs_eye": "GCSEYE", "gcs_verbal": "GCSVERB", "gcs_motor": "GCSMOTOR", "gcs_total": "GCSTOT",
        "sedated": "SEDATED",
    },
    KIDNEY: {
        "urine_output_24h": "URINE24H", "dialysis_sessions_7d": "DIALYS7D", "cvvhd_hours_7d": "CVVHD7D",
        "acute_renal_failure": "ARF",
    },
    STATICS: {
        "age": "AGE", "sex": "SEX", "chronic_health": "CHRONHLT", "admission_type": "ADMTYPE",
        "on_anticoagulation": "ANTICOAG",
    },
}  # fmt: skip

_LONG_NAMES: Mapping[str, str] = {
    "bun": "Urea",
    "dopamine_duration_min": "Dopamine infusion duration at the rate",
    "dobutamine_duration_min": "Dobutamine infusion duration at the rate",
    "epinephrine_duration_min": "Epinephrine infusion duration at rate",
    "norepinephrine_duration_min": "Norepinephrine infusion duration at rate",
    "other_vasoactive": "Vasoactive agents not in SOFA's table",
    "dialysis_sessions_7d": "Dialysis sessions, preceding 7 days",
    "cvvhd_hours_7d": "Hours of CVVHD, preceding 7 days",
    "chronic_health": "Severe chronic organ insufficiency",
    "a_ado2": "Alveolar-arterial oxygen difference",
    "aptt": "Activated partial thromboplastin time",
}
"""Names of the catalogue that have more than 40 characters, and one that says more than SDTM's."""


def _terms() -> dict[str, Term]:
    known = catalogue()
    return {
        code: Term(short, _LONG_NAMES.get(code, known[code].name), category)
        for category, codes in _SHORT.items()
        for code, short in codes.items()
    }


TERMS: Mapping[str, Term] = _terms()
"""Code of the catalogue -> test of SDTM; every code has one of its own."""


def term_of(code: str) -> Term:
    """The test of a code as reported."""
    return TERMS.get(code) or Term(code, code[:40], UNCODED)
