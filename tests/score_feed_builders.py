"""Builders of what feeds a score at a point: observations, periods and the context around them, for tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from uuid import uuid4

from clinical_builders import A, derived, lab_result, session
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.inputs import Observation, Period, Session, Statics, Stop
from hepatrail_projections.clinical.scores.at_point import PointScore, ScoreContext, score_at_point
from hepatrail_projections.clinical.scores.catalogue import SCORES
from hepatrail_projections.clinical.scores.common import ScoreInput
from hepatrail_projections.clinical.scores.feed import DEFAULT_RULES, FeedRules
from hepatrail_projections.clinical.visits import DEFAULT_PLAN
from score_inputs import APACHE_INPUTS, SOFA_INPUTS

D2 = A + timedelta(days=2)
STATICS = Statics("female", 54, True, "nonoperative", (uuid4(),))
LABS = {"creatinine": "100", "tbil": "200", "inr": "2", "sodium": "130", "albumin": "30"}
WORDS = ("none", "no", "yes", "imv", "mask", "false", "true", "axillary", "core", "NT", "terlipressin", "estimated")


def row(code: str, value: str, at: datetime | date = D2, **how: object) -> Observation:
    """One observation; a number is canonical, a word a code."""
    made = lab_result(code, None, at, **how)  # type: ignore[arg-type]
    return replace(made, value=value if value in WORDS else Fraction(value))


def sofa_rows(at: datetime | date = D2, /, **changes: str | None) -> list[Observation]:
    """What SOFA needs, normal but for what is named; None leaves an input out."""
    return rows_of({**SOFA_INPUTS, **changes}, at)


def apache_rows(at: datetime | date = D2, /, **changes: str | None) -> list[Observation]:
    """What APACHE II needs beside the enrolment, normal but for what is named."""
    statics: dict[str, str | None] = {"age": None, "chronic_health": None}
    return rows_of({"paco2": "40", **APACHE_INPUTS, **statics, **changes}, at)


def rows_of(values: Mapping[str, str | None], at: datetime | date) -> list[Observation]:
    """Observations of one moment, by code."""
    return [row(code, value, at) for code, value in values.items() if value is not None]


def context_of(
    observations: Sequence[Observation],
    sessions: Sequence[Session] | None = None,
    stops: Sequence[Stop] = (),
    procedures: Sequence[Period] = (),
    medications: Sequence[Period] = (),
    rules: FeedRules = DEFAULT_RULES,
) -> ScoreContext:
    """The context of a participant with these observations, treated once unless told otherwise."""
    treated = [session()] if sessions is None else sessions
    anchored, opened, assignment = derived(observations, treated)
    history: dict[str, list[Observation]] = {}
    for each in observations:
        history.setdefault(each.code, []).append(each)
    return ScoreContext(
        assignment, anchored, opened, DEFAULT_PLAN, treated, stops, STATICS, procedures, medications, history, rules
    )


def at_point(score_id: str, observations: Sequence[Observation], point: str = "D2", **how: object) -> PointScore:
    """A score at a point."""
    return score_at_point(SCORES[score_id], point, context_of(observations, **how))  # type: ignore[arg-type]


def used(scored: PointScore, code: str) -> ScoreInput | None:
    """The input of a code that a score shows, None when it shows none."""
    return next((each for each in scored.result.inputs if each.code == code), None)


def minutes(count: float) -> timedelta:
    """A span of minutes."""
    return timedelta(minutes=count)


def gas(at: datetime, **values: str) -> list[Observation]:
    """The values of one blood gas."""
    sample = uuid4()
    return [row(code, value, at, sample=sample) for code, value in values.items()]


def period(kind: str, started: datetime, ended: datetime | None = None) -> Period:
    """A procedure or a medication between two instants."""

    def minute(at: datetime) -> PartialDate:
        return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)

    return Period(kind, minute(started), None if ended is None else minute(ended), (uuid4(),))
