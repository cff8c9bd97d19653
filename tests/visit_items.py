"""A participant with one session, and what the items of a visit lack."""

from datetime import datetime, timedelta

from clinical_builders import A
from visit_course import VisitCourse

D2 = A + timedelta(days=2)
D7 = A + timedelta(days=7)


def one_session() -> VisitCourse:
    """One session, and nothing else yet."""
    made = VisitCourse()
    made.session()
    return made


def lacking(course: VisitCourse, item: str, point: str = "D2") -> list[tuple[str, str | None]]:
    """What an item lacks; nothing when it is satisfied."""
    found = course.status(point)
    assert (item in found.lacking) == (item not in found.satisfied)
    return list(found.lacking.get(item, ()))


def bedside(course: VisitCourse, at: datetime = D2, **changes: object) -> None:
    """Every laboratory value, and what is read at the bedside."""
    course.labs(at)
    course.bedside(at, **changes)  # type: ignore[arg-type]
