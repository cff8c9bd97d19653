"""One adverse event, and what is said of it one after the other."""

from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import (
    AEReported,
    Assessor,
    Criterion,
)
from hepatrail_events.codec import Recorded, read
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, Precision, SealedText
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.subject_view import fold_all
from log_commits import adverse_event
from projection_log import LogWriter

S = "S-1"
STREAM = f"subject-{S}"
SHANGHAI = ZoneInfo("Asia/Shanghai")
MENDED = SealedText(kid="k", cid="c2", path="newText", ct="BBBB")
SITE, SPONSOR = Assessor.INVESTIGATOR, Assessor.SPONSOR
HOSPITAL, THREAT, IMPORTANT = (
    Criterion.HOSPITALISATION,
    Criterion.LIFE_THREATENING,
    Criterion.MEDICALLY_IMPORTANT,
)


def day(text: str) -> PartialDate:
    """A date of which the day is known."""
    return PartialDate(value=text, precision=Precision.DAY)


class Course:
    """One adverse event and what is said of it."""

    def __init__(self, **report: object) -> None:
        self.log = LogWriter(17)
        given_report = {"onset": day("2026-01-03"), "grade_at": day("2026-01-03"), **report}
        self.reported: AEReported = adverse_event(self.log, STREAM, **given_report)
        self.ae_id = self.reported.ae_id
        self.version = 1

    def say(self, kind: type[Event], role: str = "INVESTIGATOR", actor: str = "dr-li", **fields: object) -> UUID:
        """Records the next event of the adverse event; its id."""
        self.version += 1
        event = kind.model_validate({"ae_id": self.ae_id, "ae_version": self.version, **fields})
        (record,) = self.log.commit(STREAM, event, role=role, actor=actor)
        return read(record.value or b"").envelope.id

    @property
    def events(self) -> list[Recorded]:
        return [read(each.value or b"") for each in self.log.records if each.topic == "hepatrail.events"]

    @property
    def fact(self) -> AdverseEventFact:
        return fold_all(S, self.events).adverse_events[self.ae_id]
