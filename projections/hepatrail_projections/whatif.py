"""Which derived values of a participant would differ under another protocol, and which events they rest on: pure.

A participant is derived twice of the same events, under the study as it is and under the one that `whatif_study.py`
makes. Named as responsible are the events on which a value rests on one side only, as a sample that falls out of its
window does; where both sides rest on the same events, all of these. A value behind which there is no event at all, as
the window of somebody who was not treated, is the protocol's alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from hepatrail_events.codec import Recorded
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.responsible_event import ResponsibleEvent, responsible, streamseq_of
from hepatrail_projections.row_values import changed_columns, key_of, rests_on, shown_of
from hepatrail_projections.table import Json, Table
from hepatrail_projections.whatif_kinds import ECHOES, Kind, kind_of, parameter_of, said_at

_IDS_IN_JSON = ("eventIds", "eventId")


@dataclass(frozen=True, slots=True)
class ProtocolDifference:
    """A value that would be another one; `key` is the row's among those of its participant, parts divided by `|`.

    Without `column` the whole row would be there in addition (`now` is None) or would not (`then` is None). Values are
    JSON. `column` may also be what the row says at the instant asked about: `status`, `deviation` and `notices` of a
    visit, `status` of a reporting clock. `parameter` is the analyte, score, time point, rule, ... by which it counts.
    `events` are in the order of their stream.
    """

    subject_id: str
    kind: Kind
    table: str
    key: str
    parameter: str | None
    column: str | None
    now: Json | None
    then: Json | None
    events: tuple[ResponsibleEvent, ...]

    @property
    def change(self) -> Literal["changed", "new", "gone"]:
        """Whether a value would be another one, or its whole row would be there or not."""
        if self.column is not None:
            return "changed"
        return "new" if self.now is None else "gone"


class _Sides(NamedTuple):
    """The events on which something rests, as it is and as it would be."""

    before: frozenset[UUID]
    after: frozenset[UUID]

    def within(self, others: "_Sides") -> "_Sides":
        """Those that are among the others of their side."""
        return _Sides(self.before & others.before, self.after & others.after)


def differences(
    now: SubjectRows, then: SubjectRows, events: Iterable[Recorded], at: datetime
) -> Iterator[ProtocolDifference]:
    """What differs between the rows of one participant as they are and as they would be at `at` (aware).

    By table and row. `events` are all of the participant's that were recorded by then.
    """
    known = {each.envelope.id: each for each in events}
    about, of_sessions = _about(now, then), _Sides(*map(_of_sessions, (now, then)))
    for (table, old_rows), (_, new_rows) in zip(now.by_table(), then.by_table(), strict=True):
        before, after = ({table.key_of(row): row for row in rows} for rows in (old_rows, new_rows))
        for key in dict.fromkeys((*before, *after)):
            pair = _Pair(table, before.get(key), after.get(key))
            row = pair.one
            for column, old, new in pair.differing(at):
                kind, behind = kind_of(table.name, column), pair.behind(column)
                sides = (behind, *(about[each] for each in _subjects(row) if each in about))
                if kind is Kind.VISIT_WINDOW:
                    # A window counts from the sessions; what lies in it has no part in where it is.
                    sides = (behind.within(of_sessions), *sides)
                yield ProtocolDifference(
                    subject_id=now.subject.subject_id,
                    kind=kind,
                    table=table.name,
                    key=key_of(table, row),
                    parameter=parameter_of(table.name, row),
                    column=column,
                    now=old,
                    then=new,
                    events=tuple(map(responsible, _first_named(sides, known))),
                )


def _about(now: SubjectRows, then: SubjectRows) -> dict[UUID | str, _Sides]:
    """Where a row rests on no event itself: the events of the time point or the adverse event that it is about.

    So it is with a score at a point at which there is nothing, and with a clock that the version itself starts.
    """
    nothing = _Sides(frozenset(), frozenset())
    found: dict[UUID | str, _Sides] = {}
    for row in now.visits:
        found[row.code] = nothing._replace(before=rests_on(row))
    for row in then.visits:
        found[row.code] = found.get(row.code, nothing)._replace(after=rests_on(row))
    for each in now.adverse_events:
        found[each.ae_id] = nothing._replace(after=rests_on(each))
    return found


def _of_sessions(rows: SubjectRows) -> frozenset[UUID]:
    return frozenset(each for row in rows.sessions for each in rests_on(row))


def _subjects(row: Any) -> Iterator[UUID | str]:
    yield from (value for name in ("point", "ae_id") if (value := getattr(row, name, None)) is not None)


def _first_named(sides: Iterable[_Sides], known: Mapping[UUID, Recorded]) -> list[Recorded]:
    """The events of the first that names any, in the order of their stream."""
    for before, after in sides:
        found = (before ^ after) & known.keys() or (before | after) & known.keys()
        if found:
            return sorted((known[each] for each in found), key=streamseq_of)
    return []


class _Pair(NamedTuple):
    """A row of a table under one key, as it is and as it would be; one of them may be missing."""

    table: Table[Any]
    old: Any
    new: Any

    @property
    def one(self) -> Any:
        """One that is there."""
        return self.new if self.old is None else self.old

    def differing(self, at: datetime) -> Iterator[tuple[str | None, Json | None, Json | None]]:
        """The columns that differ, with both values; None alone where the row is on one side only."""
        if self.old is self.new or self.old == self.new:
            return
        echoes = ECHOES.get(self.table.name, frozenset())
        for column in changed_columns(self.table, self.old, self.new):
            if column is None:
                yield None, _whole(self.old), _whole(self.new)
            elif column not in echoes:
                yield column, shown_of(self.old, column), shown_of(self.new, column)
        if self.old is not None and self.new is not None:
            says, would_say = (said_at(self.table, row, at) for row in (self.old, self.new))
            for name, value in says.items():
                if value != would_say[name]:
                    yield name, value, would_say[name]

    def behind(self, column: str | None) -> _Sides:
        """The events on which a column rests, as it is and as it would be."""
        return _Sides(*(rests_on(row) | _within(row, column) for row in (self.old, self.new)))


def _whole(row: Any) -> Json | None:
    """A row without the version that it was derived under, which is a made-up one on one of the sides."""
    shown: dict[str, Json] | None = shown_of(row, None)
    return None if shown is None else {name: value for name, value in shown.items() if name != "protocol_version"}


def _within(row: Any, column: str | None) -> frozenset[UUID]:
    """The events that a structured value names itself."""
    return frozenset() if row is None or column is None else frozenset(_ids(getattr(row, column, None)))


def _ids(value: Any) -> Iterator[UUID]:
    if isinstance(value, list):
        for each in value:
            yield from _ids(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in _IDS_IN_JSON:
                yield from (UUID(str(one)) for one in (each if isinstance(each, list | tuple) else (each,)) if one)
            else:
                yield from _ids(each)
