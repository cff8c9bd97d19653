"""What every happening of a random trial needs: the participant's stream, and times that lie behind."""

from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_events.codec import read
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, Precision
from log_commits import enrol
from projection_log import LogWriter


class Course:
    """A participant's stream on the log, and when things happened."""

    def __init__(self, log: LogWriter, subject_id: str) -> None:
        self.log = log
        self.subject_id = subject_id
        self.stream = enrol(log, subject_id)

    def commit(self, *events: Event, role: str = "INVESTIGATOR") -> UUID:
        """The id of the first event."""
        (first, *_) = self.log.commit(self.stream, *events, role=role)
        return read(first.value or b"").envelope.id

    def past(self, days: int = 3) -> datetime:
        """An instant of the last days."""
        return self.log.now - timedelta(days=self.log.chance.uniform(0, days))

    def day(self, days: int = 3) -> PartialDate:
        """The same as a clinical time of any precision."""
        at = self.past(days)
        if self.log.chance.random() < 0.3:
            return PartialDate(value=f"{at:%Y-%m-%dT%H:%MZ}", precision=Precision.MINUTE)
        if self.log.chance.random() < 0.1:
            return PartialDate(value=f"{at:%Y-%m}", precision=Precision.MONTH)
        return PartialDate(value=f"{at:%Y-%m-%d}", precision=Precision.DAY)
