"""AE: a row as a report; seriousness from the criteria, whatever the source's own flag says.

Here every row is an adverse event of its own; `ae_reports` is for a file in which several rows report one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.types import format_instant
from hepatrail_services.deciders.ae_state import ENDED
from hepatrail_services.importers.mapping import AeMapping, EndOfOngoing
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, civil, is_partial, partial

_FATAL_GRADE = 5
_Mapped = TypeVar("_Mapped")


@dataclass(frozen=True, slots=True)
class AeReader:
    """Reads rows as reports: `death_dates` (subject -> DTHDTC, else DSSTDTC of DS) gives a death its date, `primary`
    names the report (row key) that tells a subject's death."""

    mapping: AeMapping
    zone: ZoneInfo
    death_dates: Mapping[str, str]
    primary: Mapping[str, str]

    def report(self, row: SourceRow, ref: RowRef, draft: Draft) -> dict[str, Any]:
        """The input of reportAdverseEvent; raises RowRefused and UnreadableTime."""
        mapping, subject = self.mapping, row[self.mapping.subject]
        report = _report(row, ref, mapping, self.zone, draft)
        if _is_fatal(row, mapping):
            report |= _death(row, ref, mapping, self.zone, self.death_dates.get(subject, ""), draft)
            report["death"]["primaryCause"] = self.primary[subject] == ref.key
        _note(row, ref, mapping, report, draft)
        return report


def fatal_events(rows: Iterable[SourceRow], mapping: AeMapping) -> dict[str, str]:
    """Subject -> row key of its first event with outcome FATAL or criterion DEATH: the one that tells the death."""
    found: dict[str, str] = {}
    for row in rows:
        if row.whole and _is_fatal(row, mapping):
            found.setdefault(row[mapping.subject], f"{row[mapping.subject]}|{row[mapping.sequence]}")
    return found


def plan_adverse_events(
    rows: tuple[SourceRow, ...], mapping: AeMapping, zone: ZoneInfo, death_dates: Mapping[str, str]
) -> Draft:
    """One unit a row, a fatal one last of its subject; `death_dates` (subject -> date) gives the death its date."""
    draft = Draft()
    reader = AeReader(mapping, zone, death_dates, fatal_events(rows, mapping))
    for row, ref in readable(rows, draft, mapping.subject, mapping.sequence):
        try:
            report = reader.report(row, ref, draft)
        except (RowRefused, UnreadableTime) as error:
            draft.refuse(ref, getattr(error, "code", "UNREADABLE_TIME"), str(error))
            continue
        draft.units.append(first_report(ref, report))
    return draft


def first_report(ref: RowRef, report: Mapping[str, Any]) -> Unit:
    """The unit that reports an adverse event for the first time."""
    phase = Phase.DEATH if "death" in report else Phase.ADVERSE_EVENTS
    return Unit(ref.key, report["subjectId"], phase, (ref,), (Step("reportAdverseEvent", report),))


def _is_fatal(row: SourceRow, mapping: AeMapping) -> bool:
    return mapping.outcomes.get(row[mapping.outcome]) is Outcome.FATAL or Criterion.DEATH in _criteria(row, mapping)


def _criteria(row: SourceRow, mapping: AeMapping) -> tuple[Criterion, ...]:
    return tuple(criterion for column, criterion in mapping.criteria.items() if row[column] == "Y")


def _report(row: SourceRow, ref: RowRef, mapping: AeMapping, zone: ZoneInfo, draft: Draft) -> dict[str, Any]:
    constants = mapping.stand_in
    term = row[mapping.term]
    code = mapping.codes.get(term, constants.code)
    onset = partial(row[mapping.onset], zone)
    report: dict[str, Any] = {
        "subjectId": row[mapping.subject],
        "code": code.value,
        "verbatim": row[mapping.verbatim],
        "onset": onset,
        "awareAt": format_instant(civil(_aware_on(row, ref, mapping, draft), constants.aware_time, zone)),
        "criteria": [criterion.value for criterion in _criteria(row, mapping)],
        **_ending(row, ref, mapping, zone, draft),
        "actionTaken": _mapped(mapping.action, row, mapping.actions).value,
        "reporter": constants.reporter,
    }
    if code == constants.code and term:
        report["ctcaeTerm"] = term
    if row[mapping.severity]:
        report |= {"grade": _mapped(mapping.severity, row, mapping.grades), "gradeAt": onset}
    if row[mapping.causality]:
        judged = _mapped(mapping.causality, row, mapping.causalities)
        report["causality"] = [{"target": constants.target.value, "value": judged.value}]
    return report


def _aware_on(row: SourceRow, ref: RowRef, mapping: AeMapping, draft: Draft) -> str:
    """The day on which the site knew: that of the report, of the onset where the report is dated before it."""
    onset, reported = row[mapping.onset][:10], row[mapping.reported][:10]
    if not onset or len(reported) < 10 or reported[: len(onset)] >= onset:
        return reported
    draft.find(
        ref,
        "REPORTED_BEFORE_ONSET",
        f"{mapping.reported} {reported} lies before {mapping.onset} {onset}: known since the onset (INV-05).",
    )
    return onset + "-01" * ((10 - len(onset)) // 3)


def _ending(row: SourceRow, ref: RowRef, mapping: AeMapping, zone: ZoneInfo, draft: Draft) -> dict[str, Any]:
    """Outcome and, where that ends the event, the end (INV-07); a fatal event ends with the death."""
    outcome, ended = _mapped(mapping.outcome, row, mapping.outcomes), row[mapping.end]
    if _is_fatal(row, mapping) or not (ended or outcome in ENDED):
        return {"outcome": outcome.value}
    end_at = partial(ended, zone)
    if outcome in ENDED:
        if not ended:
            draft.find(ref, "END_UNKNOWN", f"{mapping.outcome} is {row[mapping.outcome]} and {mapping.end} is empty.")
        return {"outcome": outcome.value, "endAt": end_at}
    stated = f"{mapping.end} {ended} with {mapping.outcome} {row[mapping.outcome]!r}"
    if mapping.stand_in.end_of_ongoing is EndOfOngoing.LEAVE_OUT:
        draft.find(ref, "END_LEFT_OUT", f"{stated}: the outcome counts, the event goes on (INV-07).")
        return {"outcome": outcome.value}
    draft.find(ref, "OUTCOME_BY_END", f"{stated}: the end counts, the outcome is RECOVERED (INV-07).")
    return {"outcome": Outcome.RECOVERED.value, "endAt": end_at}


def _death(row: SourceRow, ref: RowRef, mapping: AeMapping, zone: ZoneInfo, died: str, draft: Draft) -> dict[str, Any]:
    ended = row[mapping.end]
    if not died and not ended:
        raise RowRefused(
            "DEATH_DATE_MISSING", "The event is fatal and neither DM nor AE nor DS holds the date of death."
        )
    if died and ended and died != ended:
        draft.find(
            ref,
            "FATAL_END_DIFFERS",
            f"{mapping.end} {ended} is not the date of death {died} of DM or DS, which counts (INV-07).",
        )
    death_at = partial(died or ended, zone)
    criteria = _criteria(row, mapping)
    if Criterion.DEATH not in criteria:
        criteria = (Criterion.DEATH, *criteria)
        draft.find(
            ref, "FATAL_WITHOUT_CRITERION", f"{mapping.outcome} is FATAL: DEATH goes in as a criterion (INV-02)."
        )
    if mapping.outcomes.get(row[mapping.outcome]) is not Outcome.FATAL:
        draft.find(ref, "DEATH_NOT_FATAL", f"{mapping.outcome} {row[mapping.outcome]!r} with criterion DEATH is FATAL.")
    draft.find(ref, "FATAL_GRADE", f"{mapping.severity} {row[mapping.severity]} of a fatal event is grade 5 (INV-02).")
    return {
        "criteria": [criterion.value for criterion in criteria],
        "outcome": Outcome.FATAL.value,
        "grade": _FATAL_GRADE,
        "gradeAt": death_at,
        "endAt": death_at,
        "death": {"deathAt": death_at},
    }


def _mapped(column: str, row: SourceRow, table: Mapping[str, _Mapped]) -> _Mapped:
    text = row[column]
    if text not in table:
        raise RowRefused("UNMAPPED_VALUE", f"{column} {text!r} is not in the mapping.")
    return table[text]


def _note(row: SourceRow, ref: RowRef, mapping: AeMapping, report: Mapping[str, Any], draft: Draft) -> None:
    flagged = row[mapping.serious_flag] == "Y"
    if report["criteria"] and not flagged:
        named = ", ".join(report["criteria"])
        draft.find(
            ref,
            "SERIOUS_WITHOUT_FLAG",
            f"{row[mapping.verbatim]}: serious by {named}, {mapping.serious_flag} is not Y.",
        )
    if flagged and not report["criteria"]:
        draft.find(
            ref, "FLAG_WITHOUT_CRITERION", f"{mapping.serious_flag} is Y and no criterion is: goes in as not serious."
        )
    for column, meaning in mapping.no_criterion.items():
        if row[column] == "Y":
            draft.find(
                ref, "NO_E2A_CRITERION", f"{column} is Y: {meaning} is by itself no seriousness criterion of ICH E2A."
            )
    for column in (mapping.onset, mapping.end):
        if row[column] and is_partial(row[column]):
            draft.find(ref, "PARTIAL_DATE", f"{column} {row[column]} stays as far as it is known.")
    if not row[mapping.causality]:
        draft.find(ref, "CAUSALITY_MISSING", f"{mapping.causality} is empty: the causality is not assessed.")
