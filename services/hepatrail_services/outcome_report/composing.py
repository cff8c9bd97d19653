"""The report of a trial: which tables and figures stand in which chapter. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.clinical.endpoints.follow_up import End, FollowUp, overall
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.endpoints.change_listing import ChangeCourse, change_courses
from hepatrail_projections.endpoints.outcomes import Facts
from hepatrail_projections.endpoints.safety_facts import SafetyFacts
from hepatrail_projections.endpoints.survival_tables import survival_steps
from hepatrail_services.outcome_report.adverse_event_figure import TermCounts, adverse_events_by_grade
from hepatrail_services.outcome_report.change_figure import ChangeLine, change_from_baseline
from hepatrail_services.outcome_report.drawing import Drawn
from hepatrail_services.outcome_report.html import Part
from hepatrail_services.outcome_report.incidence_figure import cumulative_incidence
from hepatrail_services.outcome_report.survival_figure import kaplan_meier
from hepatrail_services.outcome_report.swimmer_figure import Lane, LaneEvent, swimmer

_TERMS = "TEAE_BY_TERM_AND_GRADE"
_CHAPTERS = (
    ("SETS", "Analysis sets", "1"),
    ("SAFETY", "Adverse events", "2"),
    ("SURVIVAL", "Survival and transplantation", "3"),
    ("CHANGE", "Change from baseline", "4"),
    ("EXPOSURE", "Exposure", "5"),
)


def chapters(found: Outcomes, facts: Iterable[Facts], protocol: Protocol) -> tuple[Part, ...]:
    """The chapters of `endpoints.md` with its tables and their figures, from what the outcomes were made of."""
    known = sorted(facts, key=lambda each: each.subject_id)
    figures = {
        "SAFETY": _safety(found.tables),
        "SURVIVAL": _survival(known, protocol, found.as_of),
        "CHANGE": tuple(map(_change, change_courses([each.change for each in known], protocol))),
        "EXPOSURE": swimmer("COURSES", "Course of each participant", _lanes(known, protocol, found.as_of)),
    }
    return tuple(
        Part(code, title, tuple(each for each in found.tables if _in(each, section)), figures.get(code, ()))
        for code, title, section in _CHAPTERS
    )


def _in(table: Table, section: str) -> bool:
    return table.section.partition(".")[0] == section


def _safety(tables: Sequence[Table]) -> tuple[Drawn, ...]:
    """A bar a preferred term: the participants by the highest grade that the table counts."""
    title = "Participants by preferred term and highest grade of treatment-emergent adverse events"
    terms = [
        TermCounts(
            row.label,
            {**{grade: row.cell(f"GRADE_{grade}").n or 0 for grade in range(1, 6)}, None: row.cell("MISSING").n or 0},
        )
        for table in tables
        if table.code == _TERMS
        for row in table.rows
        if row.level == 1
    ]
    return adverse_events_by_grade("TEAE_BY_TERM", title, terms)


def _survival(facts: Sequence[Facts], protocol: Protocol, as_of: datetime) -> tuple[Drawn, ...]:
    steps, landmarks = (
        survival_steps([each.survival for each in facts], protocol, as_of),
        protocol.endpoints.landmark_days,
    )
    end = max((each.days for each in steps.transplant_free), default=None)
    return (
        kaplan_meier(
            "OVERALL_SURVIVAL",
            "Overall survival",
            steps.overall,
            landmarks,
            quantity="Overall survival",
            events="deaths",
        ),
        kaplan_meier(
            "TRANSPLANT_FREE_SURVIVAL",
            "Transplant-free survival",
            steps.transplant_free,
            landmarks,
            quantity="Transplant-free survival",
            events="deaths or transplants",
        ),
        cumulative_incidence(
            "CUMULATIVE_INCIDENCE",
            "Cumulative incidence of transplantation and of death without it",
            steps.incidence,
            end,
            landmarks,
        ),
    )


def _change(course: ChangeCourse) -> Drawn:
    parameter = course.parameter
    lines = [
        ChangeLine(each.subject_id, tuple((step.point, step.change) for step in each.steps if step.change is not None))
        for each in course.lines
    ]
    return change_from_baseline(
        f"CHANGE_{parameter.code.upper()}",
        f"{parameter.name}: change from baseline",
        [each for each in lines if each.changes],
        [(each.point, each.change) for each in course.medians if each.change is not None],
        [each.point for each in course.medians],
        parameter.unit or "points",
    )


def _lanes(facts: Sequence[Facts], protocol: Protocol, as_of: datetime) -> list[Lane]:
    zone, horizon = site_zone(protocol.site_zone), protocol.endpoints.os_horizon_days
    cut = local_date(as_of, zone)
    return [
        _lane(each, follow_up, protocol, cut, horizon)
        for each in facts
        if (follow_up := each.survival.follow_up) is not None
    ]


def _lane(of: Facts, follow_up: FollowUp, protocol: Protocol, cut: date, horizon: int) -> Lane:
    zone, t0 = site_zone(protocol.site_zone), follow_up.t0.day
    ended = overall(follow_up, cut, horizon)
    sessions = [((local_date(each.started_at, zone) - t0).days, each.hours or 0) for each in of.exposure.sessions]
    transplant = None if follow_up.transplant is None else follow_up.days(follow_up.transplant)
    return Lane(
        subject_id=of.subject_id,
        follow_up_days=ended.days,
        sessions=tuple(sessions),
        adverse_events=tuple(_events(of.safety, t0)),
        transplant_day=transplant if transplant is not None and transplant <= ended.days else None,
        death_day=ended.days if ended.end is End.DEATH else None,
        censored=ended.end is not End.DEATH,
    )


def _events(safety: SafetyFacts, t0: date) -> Iterable[LaneEvent]:
    for each in safety.events:
        if each.teae and each.onset_from is not None and each.onset_to is not None:
            yield LaneEvent((each.onset_from - t0).days, each.grade, each.tesae)
