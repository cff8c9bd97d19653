"""Outcomes from the tables, or from the events as of an instant; what did not change since is not worked out again."""

from dataclasses import dataclass
from datetime import datetime

from hepatrail_projections.endpoints.answer import OutcomesRead
from hepatrail_projections.endpoints.outcomes import Facts, TableMemory, facts_of, outcomes
from hepatrail_projections.reading import Reader
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.subject_reading import rows_of
from hepatrail_projections.table import Connection

_AT_ONCE = 25
"""Participants whose rows are held at the same time: memory does not grow with the number of events."""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of all participants at an instant (aware), and the protocol in force then; None: no facts either."""

    at: datetime
    published: PublishedProtocol | None
    facts: tuple[Facts, ...]


class OutcomeFacts:
    """The facts of the participants as last read, by participant: version of the stream and of the protocol beside."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str, Facts]] = {}

    async def read(self, connection: Connection, study: StudyView, as_of: datetime | None, now: datetime) -> Known:
        """The facts now, or as of an instant (both aware), from one snapshot that `connection` reads.

        As of an instant every participant is folded anew, and nothing is kept.
        """
        at = as_of or now
        published = study.published_at(at)
        if published is None:
            return Known(at, None, ())
        rows = await connection.fetch("SELECT subject_id, version FROM subject ORDER BY subject_id")
        versions: dict[str, int] = {row["subject_id"]: row["version"] for row in rows}
        found: dict[str, Facts] = {}
        if as_of is None:
            self._known = {each: kept for each, kept in self._known.items() if each in versions}
            for each, (version, protocol, facts) in self._known.items():
                if (version, protocol) == (versions[each], published.version):
                    found[each] = facts
        wanted = [each for each in versions if each not in found]
        for begin in range(0, len(wanted), _AT_ONCE):
            read = await rows_of(connection, wanted[begin : begin + _AT_ONCE], study, as_of, now)
            for each, derived in read.items():
                facts = found[each] = facts_of(derived.rows, published.protocol)
                if as_of is None:
                    self._known[each] = (derived.rows.subject.version, published.version, facts)
        return Known(at, published, tuple(found[each] for each in sorted(found)))


class OutcomeReader:
    """Answers the outcomes through a reader; what it holds of each participant stays until they change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._facts = OutcomeFacts()
        self._tables = TableMemory()

    async def outcomes(self, as_of: datetime | None = None) -> OutcomesRead:
        """The outcomes now or as of an instant (aware), from one snapshot; raises Unavailable."""
        known, complete_to = await self._reader.answer(self._facts.read, as_of)
        found = outcomes(known.facts, known.published, known.at, self._tables)
        return OutcomesRead(found, complete_to, as_of is None or complete_to is None or as_of > complete_to)
