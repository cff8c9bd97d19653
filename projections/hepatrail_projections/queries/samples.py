"""LAB-05: results of one sample that do not fit together.

Decided here, because the reference leaves room: rows of one moment at the bedside are one sample too; of two rows of
one analyte the later one in the log counts; only what is certain is asked about, so that `<5` beside 6 is not.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from uuid import UUID

from hepatrail_projections.clinical.coagulation import SENTENCES, coagulation_checks
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import ResultFact, SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, together

_DIRECT, _TOTAL, _INR, _PTA = "dbil", "tbil", "inr", "pta"
_COMPARED = frozenset({_DIRECT, _TOTAL, _INR, _PTA})


def inconsistent(view: SubjectView, _: ClinicalState) -> Iterator[Finding]:
    """Direct bilirubin above total; INR and prothrombin activity that contradict each other (`scores.md` section 4)."""
    samples: dict[UUID, dict[str, ResultFact]] = {}
    for fact in view.results.values():
        if fact.code in _COMPARED and fact.voided is None and fact.observation.unusable is None:
            samples.setdefault(sample_of(fact), {})[fact.code] = fact
    for sample, rows in samples.items():
        conditions = (*_bilirubin(rows), *_coagulation(rows))
        if conditions:
            ids = together(*(fact.event_ids for fact in rows.values()))
            yield Finding(kind_of_sample(next(iter(rows.values()))), sample, conditions, ids)


def sample_of(fact: ResultFact) -> UUID:
    """The sample, or the event that recorded the moment at the bedside."""
    return fact.sample.sample_id or fact.event_ids[0]


def kind_of_sample(fact: ResultFact) -> QueryObject:
    """Whether its sample was one of a laboratory or a moment at the bedside."""
    return QueryObject.OBSERVATIONS if fact.sample.sample_id is None else QueryObject.SAMPLE


def _bilirubin(rows: Mapping[str, ResultFact]) -> Iterator[Condition]:
    direct, total = rows.get(_DIRECT), rows.get(_TOTAL)
    if direct is None or total is None:
        return
    if direct.comparator not in (None, ">", ">=") or total.comparator not in (None, "<", "<="):
        return
    least, most = direct.canonical.value, total.canonical.value
    if not isinstance(least, Fraction) or not isinstance(most, Fraction):
        return
    apart = direct.comparator == ">" or total.comparator == "<"
    if least > most or (least == most and apart):
        yield Condition(
            "DBIL_ABOVE_TBIL",
            f"Direct bilirubin ({_shown(direct)}) is above total bilirubin ({_shown(total)}); correct the one or the "
            "other.",
        )


def _coagulation(rows: Mapping[str, ResultFact]) -> Iterator[Condition]:
    for code in coagulation_checks(_exact(rows.get(_INR)), _exact(rows.get(_PTA))):
        yield Condition(code, f"{SENTENCES[code].removesuffix('.')}; check both with the laboratory.")


def _exact(fact: ResultFact | None) -> Fraction | None:
    if fact is None or fact.comparator is not None or not isinstance(fact.canonical.value, Fraction):
        return None
    return fact.canonical.value


def _shown(fact: ResultFact) -> str:
    return f"{fact.comparator or ''}{fact.value} {fact.unit or ''}".strip()


LAB_05 = Rule("LAB-05", "1", ((QueryObject.SAMPLE, ""), (QueryObject.OBSERVATIONS, "")), inconsistent)
