"""Terms, classes and groups of adverse events (`safety.md` 2.1, `endpoints.md` section 2), written down anew.

The class is that of the CTCAE v5.0 term: of the coded name, else of the site's term, else of the code's default term
(decided by the product's documentation).
"""

import csv
import re
from functools import cache
from importlib.resources import files

from event_recount.adverse_events import AdverseEvent

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
"""Of special interest, in the words of the registration."""

_TERMS = {
    "FEVER": "Fever",
    "RASH": "Rash maculo-papular",
    "RASH_URTICARIA": "Urticaria",
    "CHEST_TIGHTNESS": "Non-cardiac chest pain",
    "CHEST_PAIN_CARDIAC": "Chest pain - cardiac",
    "PALPITATIONS": "Palpitations",
    "INFUSION_REACTION": "Infusion related reaction",
    "ALLERGIC_REACTION": "Allergic reaction",
    "ANAPHYLAXIS": "Anaphylaxis",
    "CYTOKINE_RELEASE": "Cytokine release syndrome",
    "IMMUNE_REJECTION_CELLS": "Immune system disorders - Other, specify",
    "IMMUNE_REJECTION_GRAFT": "Immune system disorders - Other, specify",
    "INFECTION_OTHER": "Infections and infestations - Other, specify",
    "INFECTION_CATHETER": "Catheter related infection",
    "INFECTION_DEVICE": "Device related infection",
    "SEPSIS": "Sepsis",
    "LOCAL_HEMATOMA": "Hematoma",
    "LOCAL_BLEEDING": "Injury, poisoning and procedural complications - Other, specify",
    "VASCULAR_ACCESS_COMPLICATION": "Vascular access complication",
    "THROMBOSIS_VENOUS": "Thromboembolic event",
    "THROMBOSIS_ARTERIAL": "Arterial thromboembolism",
    "THROMBOSIS_PORTAL": "Portal vein thrombosis",
    "HEPATIC_FAILURE_WORSENING": "Hepatic failure",
    "DEATH_NOS": "Death NOS",
}
"""The default term of each code that has one."""

_NAMELESS = ("OTHER", "LAB_ABNORMALITY", "BLEEDING_SYSTEMIC")
"""Codes that name no term themselves: there the site's term is part of the name."""


def group(ae: AdverseEvent) -> str | None:
    """The group of special interest, None for none."""
    return next((name for name, codes in GROUPS.items() if ae.data["code"] in codes), None)


def term(ae: AdverseEvent) -> str:
    """The row of an event: MedDRA's preferred term if coded, else the trial's code."""
    if ae.coding is not None:
        return f"PT_{ae.coding['ptCode']}"
    code, named = ae.data["code"], ae.data.get("ctcaeTerm")
    if code in _NAMELESS and named:
        return f"CODE_{code}_{_as_code(named)}"
    return f"CODE_{code}"


def system(ae: AdverseEvent) -> str | None:
    """The system organ class of an event as the code of its row, None where no name of it is a term of CTCAE v5.0."""
    names = ((ae.coding or {}).get("ptName"), ae.data.get("ctcaeTerm"), _TERMS.get(ae.data["code"]))
    found = [chapters()[name.strip().lower()] for name in names if name and name.strip().lower() in chapters()]
    return _as_code(found[0]) if found else None


@cache
def chapters() -> dict[str, str]:
    """The class of each term of CTCAE v5.0, from the list that is shipped, read as data."""
    listed = files("hepatrail_projections.endpoints").joinpath("ctcae_v5_terms.csv").read_text(encoding="utf-8")
    return {row["term"].lower(): row["system_organ_class"] for row in csv.DictReader(listed.splitlines())}


def _as_code(words: str) -> str:
    return re.sub("[^A-Z0-9]+", "_", words.upper()).strip("_")
