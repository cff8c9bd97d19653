"""A participant with a second session, which has a series of visits of its own."""

from datetime import timedelta

from clinical_builders import A, hours
from visit_course import VisitCourse

SECOND = A + timedelta(days=3)
SECOND_ENDS = SECOND + hours(6)


def two_sessions() -> VisitCourse:
    """Two sessions, three days apart."""
    made = VisitCourse()
    made.session()
    made.session(SECOND, SECOND_ENDS)
    return made
