"""AE, adverse events: one row an event that is not void, as it stands; its grades and judgements in their order: FA."""

from collections.abc import Mapping, Sequence
from typing import Any

from hepatrail_events.adverse_events import Assessor, CausalityTarget
from hepatrail_events.protocol import Protocol
from hepatrail_projections.adverse_event import AdverseEventRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.ae_terms import ACTIONS, CAUSALITIES, CRITERIA, OUTCOMES, stated_term
from hepatrail_services.exporters.civil import partial, stamp, study_day
from hepatrail_services.exporters.common import (
    Frame,
    flag,
    frame_of,
    going_on,
    identifiers,
    known_events,
    numbers_of,
    yes_no,
)
from hepatrail_services.exporters.dataset_json import Dataset, Row, Value, Variable
from hepatrail_services.exporters.mh import standing_conditions

AE = Dataset(
    "AE",
    "Adverse Events",
    (
        *identifiers("AE"),
        Variable("AESPID", "Sponsor-Defined Identifier", length=36),
        Variable("AETERM", "Reported Term for the Adverse Event", length=200),
        Variable("AELLT", "Lowest Level Term", length=200),
        Variable("AELLTCD", "Lowest Level Term Code", "integer"),
        Variable("AEDECOD", "Dictionary-Derived Term", length=200, key=4),
        Variable("AEPTCD", "Preferred Term Code", "integer"),
        Variable("AECAT", "Category for Adverse Event", length=60),
        Variable("AESER", "Serious Event", length=1),
        Variable("AEACN", "Action Taken with Study Treatment", length=20),
        Variable("AEACNDEV", "Action Taken with Device", length=30),
        Variable("AEREL", "Causality", length=20),
        Variable("AERELDEV", "Relationship of Event to Device", length=20),
        Variable("AERELNST", "Relationship to Non-Study Treatment", length=200),
        Variable("AEOUT", "Outcome of Adverse Event", length=40),
        Variable("AESCONG", "Congenital Anomaly or Birth Defect", length=1),
        Variable("AESDISAB", "Persist or Signif Disability/Incapacity", length=1),
        Variable("AESDTH", "Results in Death", length=1),
        Variable("AESHOSP", "Requires or Prolongs Hospitalization", length=1),
        Variable("AESLIFE", "Is Life Threatening", length=1),
        Variable("AESMIE", "Other Medically Important Serious Event", length=1),
        Variable("AETOXGR", "Standard Toxicity Grade", length=1),
        Variable("AEDTC", "Date/Time of Collection", "datetime"),
        Variable("AESTDTC", "Start Date/Time of Adverse Event", length=19, key=5),
        Variable("AEENDTC", "End Date/Time of Adverse Event", length=19),
        Variable("AESTDY", "Study Day of Start of Adverse Event", "integer"),
        Variable("AEENDY", "Study Day of End of Adverse Event", "integer"),
        Variable("AEENRF", "End Relative to Reference Period", length=7),
        Variable("AETRTEM", "Treatment Emergent Flag", length=1),
        Variable("AETESER", "Treatment Emergent Serious Flag", length=1),
        Variable("AETEGR", "Highest Grade While Treatment Emergent", length=1),
        Variable("AEAESIFL", "Special Interest Flag", length=1),
        Variable("AEEXPECT", "Expectedness", length=20),
        Variable("AESUSAR", "SUSAR Flag", length=1),
        Variable("AERELSPN", "Causality by the Sponsor", length=20),
        Variable("AEMEDVER", "MedDRA Version", length=200),
        Variable("AECTCAE", "CTCAE Term as Stated", length=200),
        Variable("AERSIVER", "Version of Reference Safety Information", length=200),
        Variable("AERSITRM", "Entry of Reference Safety Information", length=200),
        Variable("AEREPRTR", "Function of the Reporter", length=200),
        Variable("AEAGE", "Age at Onset (Years)", "integer"),
        Variable("AEBEFFST", "Began before First Session as Stated", length=1),
        Variable("AEFRQDTC", "Date/Time since Which More Frequent", length=19),
        Variable("AEMHSEQ", "Sequence Number of Worsened Condition", "integer"),
        Variable("AERECSEQ", "Sequence Number of Event That Came Back", "integer"),
    ),
)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The adverse events by the time of awareness."""
    frame, events = frame_of(subject, protocol), known_events(subject)
    numbers = numbers_of(events)
    conditions = {each.baseline_condition_id: number for number, each in enumerate(standing_conditions(subject), 1)}
    return tuple(
        AE.row(
            {
                **frame.first("AE", number),
                **_of_event(frame, event),
                "AEMHSEQ": None if (known := event.baseline_condition_id) is None else conditions.get(known),
                "AERECSEQ": None if (earlier := event.recurrence_of) is None else numbers.get(earlier),
            }
        )
        for number, event in enumerate(events, 1)
    )


def _of_event(frame: Frame, event: AdverseEventRow) -> dict[str, Value]:
    began, ended = partial(event.onset, frame.zone), partial(event.end_at, frame.zone)
    return {
        "AESPID": str(event.ae_id),
        "AETERM": stated_term(event.code, event.ctcae_term),
        **_coded(event),
        "AECAT": event.code,
        "AESER": yes_no(event.serious),
        "AEACN": ACTIONS[event.action_taken],
        "AEACNDEV": event.action_taken,
        **_causality(event.causality),
        "AEOUT": OUTCOMES[event.outcome],
        **_criteria(event.criteria),
        "AETOXGR": _grade(event.max_grade),
        "AEDTC": stamp(event.aware_at, frame.zone),
        "AESTDTC": began,
        "AEENDTC": ended,
        "AESTDY": study_day(began, frame.reference),
        "AEENDY": study_day(ended, frame.reference),
        "AEENRF": going_on(event.end_at),
        **_derived(event),
        "AEEXPECT": event.expectedness,
        "AECTCAE": event.ctcae_term,
        **_expected(event.rsi),
        "AEREPRTR": event.reporter,
        "AEAGE": event.age_years,
        "AEBEFFST": yes_no(event.onset_before_first_session),
        "AEFRQDTC": partial(event.frequency_worsened_at, frame.zone),
    }


def _derived(event: AdverseEventRow) -> dict[str, Value]:
    """What the trial makes of it and nobody states."""
    return {
        "AETRTEM": yes_no(event.teae),
        "AETESER": flag(event.tesae),
        "AETEGR": _grade(event.max_grade_te),
        "AEAESIFL": flag(event.aesi),
        "AESUSAR": flag(event.susar),
    }


def _expected(assessed: Mapping[str, Any] | None) -> dict[str, Value]:
    """Where the reference safety information expects it; nothing where nobody has compared them."""
    said = assessed or {}
    return {"AERSIVER": said.get("rsiVersion"), "AERSITRM": said.get("rsiTerm")}


def _grade(grade: int | None) -> str:
    return "" if grade is None else str(grade)


def _coded(event: AdverseEventRow) -> dict[str, Value]:
    """The MedDRA terms where the event is coded; an uncoded one has its stated term as the derived one."""
    coding: Mapping[str, Any] | None = event.meddra
    if coding is None:
        return {"AEDECOD": stated_term(event.code, event.ctcae_term)}
    return {
        "AELLT": coding.get("lltName"),
        "AELLTCD": int(coding["lltCode"]),
        "AEDECOD": coding.get("ptName") or stated_term(event.code, event.ctcae_term),
        "AEPTCD": int(coding["ptCode"]),
        "AEMEDVER": coding["meddraVersion"],
    }


def _criteria(criteria: Mapping[str, Sequence[str]]) -> dict[str, Value]:
    """Y for what either assessor finds, N for the others: seriousness is their union."""
    found = {each for by_one in criteria.values() for each in by_one}
    return {column: yes_no(criterion in found) for criterion, column in CRITERIA.items()}


def _causality(judged: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
    """By the investigator for cells, device and the rest; by the sponsor for the cells. Rationales are sealed."""
    by = {(each["assessor"], each["target"]): CAUSALITIES[each["value"]] for each in judged}
    cells, device = CausalityTarget.CELL_PRODUCT, CausalityTarget.DEVICE
    others = [each for each in CausalityTarget if each not in (cells, device)]
    told = [f"{each}: {said}" for each in others if (said := by.get((Assessor.INVESTIGATOR, each)))]
    return {
        "AEREL": by.get((Assessor.INVESTIGATOR, cells)),
        "AERELDEV": by.get((Assessor.INVESTIGATOR, device)),
        "AERELNST": "; ".join(told),
        "AERELSPN": by.get((Assessor.SPONSOR, cells)),
    }
