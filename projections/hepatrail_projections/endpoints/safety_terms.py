"""How an adverse event is named and grouped in the tables: special interest, preferred term, system organ class.

Decided here, because the reference leaves room:

- MedDRA is licensed and no part of it is shipped, so the system organ class is that of the CTCAE v5.0 term, whose
  chapters are MedDRA's classes: of the coded name where that is a CTCAE term, else of the term that the site named,
  else of the default term of the trial's code. A term that is not listed here has no known class.
- The trial's codes that name no term themselves (`OTHER`, `LAB_ABNORMALITY`, `BLEEDING_SYSTEMIC`) would pool unlike
  events under one preferred term; there the CTCAE term that the site named beside the code is part of the name.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hepatrail_events.ae_terms import AE_TERMS, AeCode
from hepatrail_projections.adverse_event import CountedAdverseEvent

AESI_GROUPS: Mapping[str, str] = {
    "FEVER": "Fever",
    "RASH": "Rash",
    "CHEST_TIGHTNESS": "Chest tightness",
    "PALPITATIONS": "Palpitations",
    "ACUTE_INFUSION_REACTION": "Acute infusion reaction",
    "IMMUNE_REJECTION": "Immune rejection",
    "INFECTION": "Infection",
    "LOCAL_COMPLICATION": "Local complication (hematoma, bleeding, access)",
    "THROMBOSIS": "Thrombosis",
}
"""The groups of special interest in the order of the registration."""

_GROUP: Mapping[str, str] = {
    AeCode.FEVER: "FEVER",
    AeCode.RASH: "RASH",
    AeCode.RASH_URTICARIA: "RASH",
    AeCode.CHEST_TIGHTNESS: "CHEST_TIGHTNESS",
    AeCode.CHEST_PAIN_CARDIAC: "CHEST_TIGHTNESS",
    AeCode.PALPITATIONS: "PALPITATIONS",
    AeCode.INFUSION_REACTION: "ACUTE_INFUSION_REACTION",
    AeCode.ALLERGIC_REACTION: "ACUTE_INFUSION_REACTION",
    AeCode.ANAPHYLAXIS: "ACUTE_INFUSION_REACTION",
    AeCode.CYTOKINE_RELEASE: "ACUTE_INFUSION_REACTION",
    AeCode.IMMUNE_REJECTION_CELLS: "IMMUNE_REJECTION",
    AeCode.IMMUNE_REJECTION_GRAFT: "IMMUNE_REJECTION",
    AeCode.INFECTION_OTHER: "INFECTION",
    AeCode.INFECTION_CATHETER: "INFECTION",
    AeCode.INFECTION_DEVICE: "INFECTION",
    AeCode.SEPSIS: "INFECTION",
    AeCode.LOCAL_HEMATOMA: "LOCAL_COMPLICATION",
    AeCode.LOCAL_BLEEDING: "LOCAL_COMPLICATION",
    AeCode.VASCULAR_ACCESS_COMPLICATION: "LOCAL_COMPLICATION",
    AeCode.THROMBOSIS_VENOUS: "THROMBOSIS",
    AeCode.THROMBOSIS_ARTERIAL: "THROMBOSIS",
    AeCode.THROMBOSIS_PORTAL: "THROMBOSIS",
}

TERMS_FILE = "ctcae_v5_terms.csv"
"""All 837 terms of CTCAE v5.0 (NCI, 27 November 2017, in the public domain) with their classes."""

_OTHER = re.compile(r"^(?P<chapter>.+?) - other(, specify)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableTerm:
    """The preferred term under which an event is counted; `coded`: MedDRA's, else the trial's own code."""

    code: str
    label: str
    coded: bool


def aesi_group(code: str) -> str | None:
    """The group of special interest of a trial's code, None for none."""
    return _GROUP.get(code)


def table_term(row: CountedAdverseEvent) -> TableTerm:
    """MedDRA's preferred term if the event is coded, else the trial's code."""
    if row.meddra is not None:
        code = row.meddra["ptCode"]
        return TableTerm(f"PT_{code}", row.meddra.get("ptName") or code, True)
    label = row.code.replace("_", " ").capitalize()
    if _names_no_term(row.code) and row.ctcae_term and (named := upper_snake(row.ctcae_term)):
        return TableTerm(f"CODE_{row.code}_{named}", f"{label}: {row.ctcae_term.strip().capitalize()}", False)
    return TableTerm(f"CODE_{row.code}", label, False)


def system_organ_class(row: CountedAdverseEvent) -> str | None:
    """The class of an event, None where no name of it is listed."""
    known = AE_TERMS.get(row.code)
    coded = None if row.meddra is None else row.meddra.get("ptName")
    for name in (coded, row.ctcae_term, None if known is None else known.ctcae_term):
        if name is not None and (chapter := _chapter(name)) is not None:
            return chapter
    return None


def upper_snake(words: str) -> str:
    """Words as a code."""
    return "_".join(re.findall(r"\w+", words.upper()))


def _names_no_term(code: str) -> bool:
    known = AE_TERMS.get(code)
    return known is None or known.ctcae_term is None


def _chapter(name: str) -> str | None:
    term = name.strip()
    other = _OTHER.match(term)
    return _chapters().get(f"{other['chapter']} - other, specify".casefold() if other else term.casefold())


@cache
def _chapters() -> Mapping[str, str]:
    """The class of each term, by the term without its case."""
    text = files("hepatrail_projections.endpoints").joinpath(TERMS_FILE).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    # NCI spells one of these "disorder - Other, specify"; a site may write it like its class.
    named = {f"{row['system_organ_class']} - other, specify".casefold(): row["system_organ_class"] for row in rows}
    return named | {row["term"].casefold(): row["system_organ_class"] for row in rows}
