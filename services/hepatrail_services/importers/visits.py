"""SV: a visit that was attended. The trial derives its visits from what was done at them and has no command for one.

What the row does tell is that the participant was alive on that day, and that becomes a survival status. The visits
are those of another trial, so it names no time point.
"""

from zoneinfo import ZoneInfo

from hepatrail_events.assessments import VitalStatus
from hepatrail_events.types import format_instant
from hepatrail_services.importers.mapping_course import SvMapping
from hepatrail_services.importers.plan import Draft, Phase, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, civil, instant_or_day

NOT_MADE = "N"


def plan_visits(rows: tuple[SourceRow, ...], mapping: SvMapping, zone: ZoneInfo) -> Draft:
    """One unit a visit; a visit that was not made is kept as a finding: the trial derives what was missed."""
    draft = Draft()
    for row, ref in readable(rows, draft, mapping.subject, mapping.visit):
        if row[mapping.occurred] == NOT_MADE:
            draft.keep(ref, "VISIT_NOT_MADE", f"{mapping.occurred} is N: the trial derives missed visits by itself.")
            continue
        try:
            at = _at(row[mapping.start], mapping.stand_in.time, zone)
        except UnreadableTime as error:
            draft.refuse(ref, "UNREADABLE_TIME", str(error))
            continue
        status = {
            "subjectId": row[mapping.subject],
            "at": at,
            "alive": VitalStatus.Y.value,
            "transplant": mapping.stand_in.transplant.value,
            "source": mapping.stand_in.source.value,
        }
        steps = (Step("recordSurvivalStatus", status),)
        draft.units.append(Unit(ref.key, row[mapping.subject], Phase.VISITS, (ref,), steps))
    return draft


def _at(text: str, clock: str, zone: ZoneInfo) -> str:
    """The instant of the visit's start; a date takes the stand-in's time of the day."""
    return format_instant(civil(text, clock, zone)) if len(text) <= 10 else instant_or_day(text, zone)
