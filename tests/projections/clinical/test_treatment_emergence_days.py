"""Dates without a time lie in days of the site: treatment emergence around its midnight (`safety.md` 0, 3)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.ae_facts import GradePoint
from hepatrail_projections.clinical.adverse_events.emergence import TeFlag, TeInputs, treatment_emergence
from hepatrail_projections.clinical.adverse_events.window import TeWindow, span, te_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = SafetyRules()
MIDNIGHT = datetime(2026, 3, 9, 16, tzinfo=UTC)
"""The first instant of 10 March at the site."""
_SHAPES = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY, 17: Precision.MINUTE}


def when(text: str) -> PartialDate:
    return PartialDate(value=text, precision=_SHAPES[len(text)])


def point(grade: int, text: str) -> GradePoint:
    return GradePoint(grade, when(text), uuid4())


def window(starts: datetime = MIDNIGHT) -> TeWindow:
    """A window that the access opened, six hours before the first session."""
    made = te_window(starts + timedelta(hours=6), starts, starts + timedelta(hours=12), RULES, SHANGHAI)
    assert made is not None
    return made


def test_the_day_before_a_window_that_opens_at_midnight_lies_before_it_and_the_day_itself_may() -> None:
    assert window().is_before(when("2026-03-09"))
    assert not window().may_precede(when("2026-03-09"))
    assert not window().is_before(when("2026-03-10"))
    assert window().may_precede(when("2026-03-10"))


def test_one_millisecond_before_midnight_the_day_before_may_lie_in_the_window() -> None:
    early = window(MIDNIGHT - timedelta(milliseconds=1))
    assert not early.is_before(when("2026-03-09"))
    assert early.may_precede(when("2026-03-09"))
    assert not early.may_precede(when("2026-03-10"))


def test_a_month_and_a_year_span_their_site_days() -> None:
    assert span(when("2026"), SHANGHAI) == (
        datetime(2025, 12, 31, 16, tzinfo=UTC),
        datetime(2026, 12, 31, 16, tzinfo=UTC),
    )
    assert span(when("2026-02"), SHANGHAI) == (
        datetime(2026, 1, 31, 16, tzinfo=UTC),
        datetime(2026, 2, 28, 16, tzinfo=UTC),
    )


def test_nothing_is_exposed_before_t0_though_the_access_opened_the_window() -> None:
    assert window().t0 == window().from_t0().starts == MIDNIGHT + timedelta(hours=6)
    assert window().starts == MIDNIGHT


@pytest.mark.parametrize(
    ("onset", "transplant_at", "flagged"),
    [
        ("2026-04-02T03:00Z", datetime(2026, 4, 2, 3, tzinfo=UTC), True),
        ("2026-04-02T02:59Z", datetime(2026, 4, 2, 3, tzinfo=UTC), False),
        ("2026-04-02", datetime(2026, 4, 1, 16, tzinfo=UTC), True),
        ("2026-04-02", datetime(2026, 4, 1, 17, tzinfo=UTC), False),
    ],
)
def test_an_onset_is_flagged_as_after_the_transplant_when_it_cannot_lie_before_it(
    onset: str, transplant_at: datetime, flagged: bool
) -> None:
    found = treatment_emergence(TeInputs(when(onset)), window(), RULES, transplant_at)
    assert found.teae
    assert (TeFlag.POST_TRANSPLANT in found.flags) is flagged


def test_the_grade_before_the_window_is_the_last_by_the_sites_clock() -> None:
    """Grade 1 from 01:00 at the site came after grade 3 of that day, though by UTC it is of the day before."""
    points = (point(3, "2026-03-09"), point(1, "2026-03-08T17:00Z"), point(2, "2026-03-11T01:00Z"))
    found = treatment_emergence(TeInputs(when("2026-03-01"), grades=points), window(), RULES)
    assert (found.teae, found.case) == (True, "B")


def test_the_earliest_worsening_counts_by_the_sites_clock() -> None:
    """Grade 4 from 01:00 on 12 March at the site is later than grade 3 of that day, which begins at midnight."""
    points = (point(1, "2026-03-01"), point(4, "2026-03-11T17:00Z"), point(3, "2026-03-12"))
    found = treatment_emergence(TeInputs(when("2026-03-01"), grades=points), window(), RULES)
    assert (found.case, found.onset) == ("B", when("2026-03-12"))
