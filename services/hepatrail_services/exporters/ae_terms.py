"""Controlled terminology of AE: the trial's values in the words of CDISC, each value with words of its own."""

from collections.abc import Mapping

from hepatrail_events.adverse_events import ActionTaken, Causality, Criterion, Outcome
from hepatrail_events.ae_terms import AE_TERMS

OUTCOMES: Mapping[str, str] = {
    Outcome.RECOVERED: "RECOVERED/RESOLVED",
    Outcome.RECOVERING: "RECOVERING/RESOLVING",
    Outcome.NOT_RECOVERED: "NOT RECOVERED/NOT RESOLVED",
    Outcome.RECOVERED_WITH_SEQUELAE: "RECOVERED/RESOLVED WITH SEQUELAE",
    Outcome.FATAL: "FATAL",
    Outcome.UNKNOWN: "UNKNOWN",
}
ACTIONS: Mapping[str, str] = {
    ActionTaken.NO_CHANGE: "DOSE NOT CHANGED",
    ActionTaken.SESSION_INTERRUPTED_RESUMED: "DRUG INTERRUPTED",
    ActionTaken.SESSION_STOPPED_EARLY: "DRUG INTERRUPTED",
    ActionTaken.DOSE_REDUCED: "DOSE REDUCED",
    ActionTaken.DOSE_INCREASED: "DOSE INCREASED",
    ActionTaken.TREATMENT_DISCONTINUED: "DRUG WITHDRAWN",
    ActionTaken.NOT_APPLICABLE: "NOT APPLICABLE",
    ActionTaken.UNKNOWN: "UNKNOWN",
}
"""AEACN, which does not tell a session stopped early from one interrupted; AEACNDEV has the trial's own value."""
CAUSALITIES: Mapping[str, str] = {each: each.value.replace("_", " ") for each in Causality}
"""AEREL has no terminology of CDISC: the WHO-UMC categories."""
CRITERIA: Mapping[str, str] = {
    Criterion.DEATH: "AESDTH",
    Criterion.LIFE_THREATENING: "AESLIFE",
    Criterion.HOSPITALISATION: "AESHOSP",
    Criterion.DISABILITY: "AESDISAB",
    Criterion.CONGENITAL: "AESCONG",
    Criterion.MEDICALLY_IMPORTANT: "AESMIE",
}
"""Criterion of ICH E2A -> the column that is Y."""


def stated_term(code: str, ctcae_term: str | None) -> str:
    """AETERM: the CTCAE term, else the trial's code. It stands in place of the verbatim, which is sealed."""
    if ctcae_term is not None:
        return ctcae_term
    known = AE_TERMS.get(code)
    return code if known is None or known.ctcae_term is None else known.ctcae_term
