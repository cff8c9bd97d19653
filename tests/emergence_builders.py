"""A participant treated first on 10 March 2026: access at 09:00, blood in the circuit at 10:00 (site time), and events.

The last session ended on 31 March, so TE_END is the end of 31 March 2027.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.ae_facts import GradePoint
from hepatrail_projections.clinical.adverse_events.emergence import Emergence, TeInputs, treatment_emergence
from hepatrail_projections.clinical.adverse_events.window import TeWindow, te_window

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = SafetyRules()
ACCESS = datetime(2026, 3, 10, 1, tzinfo=UTC)
T0 = datetime(2026, 3, 10, 2, tzinfo=UTC)
T_LAST = datetime(2026, 3, 31, 8, tzinfo=UTC)
UNKNOWN = PartialDate(precision=Precision.UNKNOWN)
_SHAPES = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY, 17: Precision.MINUTE}


def when(text: str) -> PartialDate:
    """A partial date, its precision by its shape; a minute is UTC."""
    return PartialDate(value=text, precision=_SHAPES[len(text)])


def site(text: str) -> PartialDate:
    """A minute of the site's clock."""
    utc = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)
    return when(f"{utc:%Y-%m-%dT%H:%MZ}")


def grades(*points: tuple[int, str]) -> tuple[GradePoint, ...]:
    """A grade timeline, each point with its date."""
    return tuple(GradePoint(grade, when(at), uuid4()) for grade, at in points)


def window(
    t0: datetime = T0, access: datetime | None = ACCESS, t_last: datetime | None = T_LAST, **rules: Any
) -> TeWindow:
    """The window of that participant, or as changed."""
    made = te_window(t0, access, t_last, SafetyRules(**rules), SHANGHAI)
    assert made is not None
    return made


def emergence(event: TeInputs, against: TeWindow | None = None, **rules: Any) -> Emergence:
    """What is found of an event, by default against that window."""
    return treatment_emergence(event, against or window(), SafetyRules(**rules))


def ae(onset: str | PartialDate, *points: tuple[int, str], **fields: Any) -> TeInputs:
    """An event that was not linked, judged or ended unless stated."""
    given_onset = onset if isinstance(onset, PartialDate) else when(onset)
    return TeInputs(given_onset, grades=grades(*points), **fields)
