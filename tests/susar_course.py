"""A SUSAR that was reported, and the clocks that follow it."""

from hepatrail_projections.clinical.reporting.clock import Clock, ClockType
from reporting_course import NMPA, Course

SEVEN, EIGHT, FIFTEEN, FOLLOWING = (
    ClockType.SUSAR_7D,
    ClockType.SUSAR_FU_8D,
    ClockType.SUSAR_15D,
    ClockType.SUSAR_FU_15D,
)


def reported_susar() -> Course:
    """A SUSAR of 6 March that was reported on the next day."""
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.submitted("03-07 09:00", NMPA)
    return course


def following(course: Course) -> list[Clock]:
    """The clocks of follow-up, in the order in which they opened."""
    return sorted((each for each in course.clocks() if each.type is FOLLOWING), key=lambda each: each.opened_at)
