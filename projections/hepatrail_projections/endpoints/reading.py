"""Outcomes from the tables, or from the events as of an instant; what did not change since is not worked out again."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from hepatrail_projections.collecting import without_gc
from hepatrail_projections.endpoints.answer import OutcomesRead
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.outcomes import Facts, facts_of, outcomes
from hepatrail_projections.reading import Reader
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.subject_reading import outcome_rows_of
from hepatrail_projections.table import Connection

_AT_ONCE = 25
"""Participants whose rows are held at the same time: memory does not grow with the number of events."""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of all participants at an instant (aware), and the protocol in force then; None: no facts either."""

    at: datetime
    published: PublishedProtocol | None
    facts: tuple[Facts, ...]


class _Kept(NamedTuple):
    """The facts of a participant as of a version of their stream, under a version of the protocol."""

    version: int
    protocol: str
    facts: Facts


class OutcomeFacts:
    """The facts of the participants as last read."""

    def __init__(self) -> None:
        self._known: dict[str, _Kept] = {}

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
            for each, kept in self._known.items():
                if (kept.version, kept.protocol) == (versions[each], published.version):
                    found[each] = kept.facts
        wanted = [each for each in versions if each not in found]
        for begin in range(0, len(wanted), _AT_ONCE):
            read = await outcome_rows_of(connection, wanted[begin : begin + _AT_ONCE], study, as_of, now)
            for each, rows_of_one in read.items():
                known = self._known.get(each) if as_of is None else None
                before = known.facts if known is not None and known.protocol == published.version else None
                found[each] = facts_of(rows_of_one, published.protocol, before)
                if as_of is None:
                    self._known[each] = _Kept(rows_of_one.subject.version, published.version, found[each])
        return Known(at, published, tuple(found[each] for each in sorted(found)))


class OutcomeReader:
    """Answers the outcomes through a reader; what it holds of each participant stays until they change."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._facts = OutcomeFacts()
        self._under: str | None = None
        self._memory = Memory()

    async def outcomes(self, as_of: datetime | None = None) -> OutcomesRead:
        """The outcomes now or as of an instant (aware), from one snapshot; raises Unavailable."""
        with without_gc():
            known, complete_to = await self._reader.answer(self._facts.read, as_of)
            found = outcomes(known.facts, known.published, known.at, self._kept(known) if as_of is None else None)
        return OutcomesRead(found, complete_to, as_of is None or complete_to is None or as_of > complete_to)

    def _kept(self, known: Known) -> Memory:
        """What was made for the answer before, under the same version of the protocol."""
        under = None if known.published is None else known.published.version
        if under != self._under:
            self._under, self._memory = under, Memory()
        return self._memory
