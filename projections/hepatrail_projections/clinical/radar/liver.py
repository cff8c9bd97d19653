"""Hy's law in the words of the protocol: drug-induced injury of a liver that is ill already (`RadarRules`).

A participant whose transaminase and bilirubin both pass their thresholds within `hys_law_days` of each other, from T0
on, without cholestasis. The baseline decides what a value is held against: where it is abnormal (above the upper limit
of its own report, `ctcae_labs.md` R7) against the baseline, which is the ordinary case of this population; where it is
normal against the upper limit of the value's own report.

Decided here, because the reference leaves room:

- A threshold is passed by a value that reaches it. Without a baseline, or with one that leaves open whether it is
  abnormal, the upper limit counts: that errs on the safe side. Without either nothing can be said.
- Cholestasis: the ALP nearest to the bilirubin, within the same days, reaches its multiple of the upper limit. No ALP
  shows none.
- What a serious adverse event of the liver that was going accounts for is flagged already.
- One finding an episode: whatever lies within the same days of a pair that is known belongs to it. It is about the
  bilirubin of the pair that was recorded first, so that a later result asks nothing anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.ae_terms import AeCode
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.baseline import baseline_values
from hepatrail_projections.clinical.grading.grade import baseline_status
from hepatrail_projections.clinical.grading.reported import read_report
from hepatrail_projections.clinical.placement import before_t0
from hepatrail_projections.clinical.radar.course import Point, Run, Version, ends, runs, standing
from hepatrail_projections.clinical.radar.events_said import each_once, result_said
from hepatrail_projections.clinical.radar.known import Events, Known, begins, points_of
from hepatrail_projections.clinical.radar.sighting import About, Question, Seen, Severity
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import ResultFact
from hepatrail_projections.lab_grades import ctcae_term, reported

TRANSAMINASES, BILIRUBIN, PHOSPHATASE = ("alt", "ast"), "tbil", "alp"

_OF_THE_LIVER = frozenset(
    {
        "hepatic failure",
        "alanine aminotransferase increased",
        "aspartate aminotransferase increased",
        "blood bilirubin increased",
        "hepatobiliary disorders - other, specify",
    }
)
_AT_LEAST = (None, ">", ">=")
_read = lru_cache(maxsize=1 << 14)(read_report)


class _Passed(NamedTuple):
    """A result that reaches its threshold: how many times what, and the baseline's events where that counted."""

    version: Version[ResultFact]
    moment: datetime
    said: str
    beside: tuple[UUID, ...]


class _Pair(NamedTuple):
    """Transaminase and bilirubin within the days; `since` is when both were recorded."""

    transaminase: _Passed
    bilirubin: _Passed

    @property
    def since(self) -> datetime:
        return max(self.transaminase.version.since, self.bilirubin.version.since)


class _Phosphatase(NamedTuple):
    """An ALP result, and whether it is as high as in cholestasis."""

    version: Version[ResultFact]
    moment: datetime
    high: bool


def hys_law(known: Known) -> Iterator[tuple[About, Run]]:
    """One finding an episode, about its first bilirubin."""
    if known.state.anchored is None:
        return
    pairs = sorted(_pairs(known), key=lambda each: each.since)
    if not pairs:
        return
    liver = [course for course in known.adverse_events.values() if any(_liver(each.fact) for each in course)]
    phosphatases = list(_phosphatases(known))

    def look(at: datetime | None) -> Mapping[About, Seen]:
        found: list[tuple[_Pair, _Phosphatase | None]] = []
        for pair in pairs:
            if all(each.version.known_before(at) for each in pair):
                nearest = _nearest(pair, phosphatases, known, at)
                if nearest is None or not nearest.high:
                    found.append((pair, nearest))
        firsts = _episodes(found, known)
        return dict(
            _seen(*first, known.said_of(liver, at)) for first in firsts if not _flagged(first[0], liver, known, at)
        )

    passed = dict.fromkeys(each.version for pair in pairs for each in pair)
    came = [Point(each.version.since, each.version.made_by) for each in phosphatases]
    mended = ends([*passed, *(each.version for each in phosphatases)])
    yield from runs([*mended, *came, *points_of(liver), *begins(liver)], look).items()


def _pairs(known: Known) -> Iterator[_Pair]:
    days = timedelta(days=known.safety.radar.hys_law_days)
    bilirubins = _passed((BILIRUBIN,), known)
    for transaminase in _passed(TRANSAMINASES, known) if bilirubins else ():
        for bilirubin in bilirubins:
            if abs(transaminase.moment - bilirubin.moment) <= days:
                yield _Pair(transaminase, bilirubin)


def _passed(codes: Sequence[str], known: Known) -> list[_Passed]:
    """The results from T0 on that reach the threshold of their code."""
    rules, anchored = known.safety.radar, known.state.anchored
    first = baseline_values(known.state.assignment, anchored)
    found = []
    for code in codes:
        bilirubin = code == BILIRUBIN
        of_limit = Fraction(rules.bilirubin_x_uln if bilirubin else rules.transaminase_x_uln)
        of_baseline = Fraction(rules.bilirubin_x_baseline if bilirubin else rules.transaminase_x_baseline)
        observed = first.get(code)
        start = None if observed is None else known.view.results[observed.result_id]
        before = None if start is None else _read(code, reported(start))
        abnormal = baseline_status(before) == "abnormal" and before is not None and before.comparator is None
        for version in known.usable((code,)):
            fact = version.fact
            report = _read(code, reported(fact))
            if report is None or anchored is None or report.comparator not in _AT_LEAST:
                continue
            against = before.value if abnormal and before is not None else report.uln
            factor, what = (of_baseline, "baseline") if abnormal else (of_limit, "upper limit")
            if not against or report.value < factor * against:
                continue
            if before_t0(fact.observation.collected, fact.sample.pre_session, anchored):
                continue
            said = f"{result_said(fact)}, {float(report.value / against):.1f} x {what}"
            beside = start.event_ids if start is not None else ()
            found.append(_Passed(version, known.moment(fact), said, beside))
    return found


def _phosphatases(known: Known) -> Iterator[_Phosphatase]:
    below = Fraction(known.safety.radar.alp_below_x_uln)
    for version in known.usable((PHOSPHATASE,)):
        report = _read(PHOSPHATASE, reported(version.fact))
        if report is not None and report.uln:
            high = report.comparator in _AT_LEAST and report.value >= below * report.uln
            yield _Phosphatase(version, known.moment(version.fact), high)


def _nearest(
    pair: _Pair, phosphatases: Sequence[_Phosphatase], known: Known, at: datetime | None
) -> _Phosphatase | None:
    """The ALP nearest to the bilirubin, within the days; None says nothing about cholestasis."""
    days = timedelta(days=known.safety.radar.hys_law_days)
    apart = [
        (abs(each.moment - pair.bilirubin.moment), number)
        for number, each in enumerate(phosphatases)
        if each.version.known_before(at)
    ]
    least = min(apart, default=None)
    return None if least is None or least[0] > days else phosphatases[least[1]]


def _episodes(
    found: Sequence[tuple[_Pair, _Phosphatase | None]], known: Known
) -> list[tuple[_Pair, _Phosphatase | None]]:
    """The first pair of each episode, by the order in which they were recorded."""
    days = timedelta(days=known.safety.radar.hys_law_days)
    firsts: list[tuple[_Pair, _Phosphatase | None]] = []
    episodes: list[dict[UUID, datetime]] = []
    for pair, phosphatase in found:
        result_id, moment = pair.bilirubin.version.fact.result_id, pair.bilirubin.moment
        own = next((each for each in episodes if result_id in each), None)
        own = own or next((one for one in episodes if any(abs(at - moment) <= days for at in one.values())), None)
        if own is None:
            firsts.append((pair, phosphatase))
            episodes.append({result_id: moment})
        else:
            own[result_id] = moment
    return firsts


def _seen(pair: _Pair, phosphatase: _Phosphatase | None, beside: tuple[UUID, ...]) -> tuple[About, Seen]:
    words = (
        f"Hy's law: {pair.transaminase.said}, with {pair.bilirubin.said}, without cholestasis; look for another cause "
        "than the treatment, and report a serious adverse event when there is none."
    )
    transaminase, bilirubin = pair.transaminase.version.fact, pair.bilirubin.version.fact
    evidence = each_once(
        transaminase.event_ids,
        bilirubin.event_ids,
        pair.transaminase.beside,
        pair.bilirubin.beside,
        () if phosphatase is None else phosphatase.version.fact.event_ids,
    )
    about = About(QueryObject.LAB_FINDING, bilirubin.result_id)
    return about, Seen(pair.since, Severity.CRITICAL, words, evidence, Question("RAD-05"), beside)


def _flagged(pair: _Pair, liver: Sequence[Events], known: Known, at: datetime | None) -> bool:
    """Whether a serious adverse event of the liver may have been going at either moment."""
    facts = (standing(course, at) for course in liver)
    moments = (pair.transaminase.moment, pair.bilirubin.moment)
    return any(fact is not None and fact.serious and known.covers(fact, min(moments), max(moments)) for fact in facts)


def _liver(fact: AdverseEventFact) -> bool:
    return ctcae_term(fact) in _OF_THE_LIVER or fact.reported.code == AeCode.HEPATIC_FAILURE_WORSENING
