"""Builders of clinical facts for tests: each names only what matters."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID, uuid4

from hepatrail_projections.clinical.assignment import Assignment, assign
from hepatrail_projections.clinical.auxiliary import auxiliary_points
from hepatrail_projections.clinical.inputs import Cause, Collected, Observation, Session, Stop
from hepatrail_projections.clinical.visits import DEFAULT_PLAN, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window, anchor, windows

T0 = datetime(2026, 3, 10, 2, tzinfo=UTC)
"""10:00 at the site."""

A = datetime(2026, 3, 10, 8, tzinfo=UTC)
"""16:00 at the site, the end of the first session."""


def session(started: datetime = T0, ended: datetime | None = A) -> Session:
    """A session of six hours unless told otherwise."""
    return Session(uuid4(), started, ended, (uuid4(), uuid4()))


def collected(at: datetime | date) -> Collected:
    """A collection time from an instant or a civil date."""
    return Collected(at, None) if isinstance(at, datetime) else Collected(None, at)


def lab_result(
    code: str = "alt",
    value: str | Fraction | None = "30",
    at: datetime | date = A,
    *,
    sample: UUID | None = None,
    visit: str | None = None,
    pre_session: bool | None = None,
    not_done: str | None = None,
    accepted: bool = True,
    comparator: str | None = None,
) -> Observation:
    """An accepted result; a text value is read as the canonical number."""
    number = Fraction(value) if isinstance(value, str) and not value.isalpha() else value
    return Observation(
        result_id=uuid4(),
        event_id=uuid4(),
        sample_id=sample,
        code=code,
        value=None if not_done else number,
        comparator=comparator,
        unit=None,
        collected=collected(at),
        visit_code=visit,
        pre_session=pre_session,
        not_done=not_done,
        accepted=accepted,
    )


def draw(at: datetime | date, *, visit: str | None = None, **values: str) -> list[Observation]:
    """Several results of one sample, by code."""
    sample = uuid4()
    return [lab_result(code, value, at, sample=sample, visit=visit) for code, value in values.items()]


def stop(cause: Cause, at: datetime, *, vital_status_allowed: bool = False) -> Stop:
    """A stop with an event behind it."""
    return Stop(cause, at, vital_status_allowed, (uuid4(),))


def derived(
    observations: Iterable[Observation], sessions: Iterable[Session] = (), plan: VisitPlan = DEFAULT_PLAN
) -> tuple[Anchor | None, tuple[Window, ...], Assignment]:
    """Anchor, windows and assignment in one go."""
    known = tuple(sessions)
    anchored = anchor(known, plan)
    opened = windows(anchored, plan)
    return anchored, opened, assign(observations, opened, anchored, plan, auxiliary_points(known, anchored, plan))


def days(count: float) -> timedelta:
    """A span of days of 24 h."""
    return timedelta(days=count)


def hours(count: float) -> timedelta:
    """A span of hours."""
    return timedelta(hours=count)
