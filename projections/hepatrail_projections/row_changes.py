"""Which derived values changed between two instants, and because of whom and of what: pure (AUD-12, AUD-13).

A stream is derived three times: as of the first instant, as of the second without the events in between, and as of
the second. What differs between the first two has come with time or with the protocol; between the last two, with
the stream's own events. Of these, the ones on which a row rests now and did not before are named; where it does not
say, all of them are.

ENR-05 is left out: that a participant is one too many is no matter of one stream.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from hepatrail_events.codec import Recorded
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_of
from hepatrail_events.study import ProtocolPublished
from hepatrail_projections.alert import ALERT, alert_row
from hepatrail_projections.derive import derive
from hepatrail_projections.desk_view import EMPTY_DESK, fold_desk
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.responsible_event import ResponsibleEvent, responsible, streamseq_of
from hepatrail_projections.row_values import changed_columns, key_of, rests_on, shown_of, value_of
from hepatrail_projections.stopping_hit import STOPPING_RULE_HIT, stopping_rule_hit_row
from hepatrail_projections.study import ACCESS_WITHDRAWN, HOLD, PROTOCOL, SITE
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import empty_view, fold
from hepatrail_projections.table import Json, Table

SEALED = "sealed"
"""What is said of a reason that is sealed text."""


@dataclass(frozen=True, slots=True)
class Cause(ResponsibleEvent):
    """An event behind a change; `why` is its reason in the clear, SEALED, or None where it has none."""

    why: str | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """A value that became another one; `key` is the row's among those of its participant, parts divided by `|`.

    Without `column` the whole row is new (`old` is None) or gone (`new` is None). Values are JSON. Without `causes`
    nothing was recorded: it is time alone that made the difference, as when a query opens.
    """

    subject_id: str | None
    table: str
    key: str
    column: str | None
    old: Json | None
    new: Json | None
    causes: tuple[Cause, ...]


class _Rows(NamedTuple):
    """One table's rows: before, then (the same facts, later), and after.

    `elapsed` is what may have made the difference between the first two, beside time.
    """

    table: Table[Any]
    before: Sequence[Any]
    then: Sequence[Any]
    after: Sequence[Any]
    elapsed: tuple[Recorded, ...] = ()


def changes_between(
    events: Sequence[Recorded], study_events: Sequence[Recorded], t1: datetime, t2: datetime
) -> Iterator[RowChange]:
    """The changes of what is derived from one stream, by table and row, from `t1` to `t2` (aware, t1 before t2).

    `events` are that stream's in order, a participant's, the study's or the desk's, `study_events` the study's; what
    was recorded after `t2` is left out of account. Provenance (event ids, protocol versions) is no value, except a
    participant's own protocol version.
    """
    known = [each for each in events if each.envelope.recordedat <= t2]
    if not known:
        return
    between = [each for each in known if each.envelope.recordedat > t1]
    earlier = known[: len(known) - len(between)]
    study = _Study.of(study_events, t1, t2)
    stream = known[0].envelope.stream
    if stream == STUDY:
        rows = _study_rows(study)
    elif stream == SAFETY_DESK:
        rows = _desk_rows(earlier, between, study)
    else:
        rows = _subject_rows(stream, earlier, between, study)
    for of_one_table in rows:
        yield from _changes(of_one_table, between)


@dataclass(frozen=True, slots=True)
class _Study:
    """The study at both instants, and what of it may have changed what is derived elsewhere."""

    before: StudyView
    after: StudyView
    t1: datetime
    t2: datetime
    elapsed: tuple[Recorded, ...]

    @classmethod
    def of(cls, events: Sequence[Recorded], t1: datetime, t2: datetime) -> "_Study":
        known = [each for each in events if each.envelope.recordedat <= t2]
        before = after = EMPTY_STUDY
        for recorded in known:
            after = fold_study(after, recorded)
            before = after if recorded.envelope.recordedat <= t1 else before
        here = after.published_at(t2)
        if here is not None and _version(before, t1) != here.version:
            elapsed = [each for each in known if each.envelope.id in here.row.event_ids]
        else:
            elapsed = [each for each in known if each.envelope.recordedat > t1 and _is_protocol(each)]
        return cls(before, after, t1, t2, tuple(elapsed))

    @property
    def same(self) -> bool:
        """Whether the same is derived of the same facts at both instants."""
        return self.before.protocols == self.after.protocols and _version(self.before, self.t1) == _version(
            self.after, self.t2
        )


def _is_protocol(recorded: Recorded) -> bool:
    return isinstance(recorded.event, ProtocolPublished)


def _version(study: StudyView, at: datetime) -> str | None:
    published = study.published_at(at)
    return None if published is None else published.version


def _subject_rows(
    stream: str, earlier: Sequence[Recorded], between: Sequence[Recorded], study: _Study
) -> Iterator[_Rows]:
    subject_id = subject_of(stream)
    assert subject_id is not None, "the stream of a participant"
    view = _folded(empty_view(subject_id), earlier)
    before, then, known = None, None, None
    elapsed: tuple[Recorded, ...] = ()
    if earlier:
        first = derive(view, study.before, study.t1)
        again = first if study.same else derive(view, study.after, study.t2)
        before, then, known = open_at(first, study.t1), open_at(again, study.t2), (view, again)
        # Where both are the same, what opens or closes by itself is no matter of the protocol.
        elapsed = () if again == first else study.elapsed
    after = then
    if between:
        after = open_at(derive(_folded(view, between), study.after, study.t2, known), study.t2)
    assert after is not None, "a stream has events"
    old, same_facts = ({} if rows is None else dict(rows.by_table()) for rows in (before, then))
    for table, rows in after.by_table():
        yield _Rows(table, old.get(table, ()), same_facts.get(table, ()), rows, elapsed)


def _folded(view: SubjectView, events: Iterable[Recorded]) -> SubjectView:
    for recorded in events:
        view = fold(view, recorded)
    return view


def _study_rows(study: _Study) -> Iterator[_Rows]:
    before, after = study.before, study.after
    for table, old, new in (
        (PROTOCOL, [each.row for each in before.protocols], [each.row for each in after.protocols]),
        (SITE, list(before.sites.values()), list(after.sites.values())),
        (HOLD, list(before.holds.values()), list(after.holds.values())),
        (ACCESS_WITHDRAWN, before.access_withdrawn, after.access_withdrawn),
    ):
        yield _Rows(cast(Table[Any], table), old, old, new)


def _desk_rows(earlier: Sequence[Recorded], between: Sequence[Recorded], study: _Study) -> Iterator[_Rows]:
    before = after = EMPTY_DESK
    for recorded in earlier:
        before = after = fold_desk(before, recorded)
    for recorded in between:
        after = fold_desk(after, recorded)
    # No version takes effect before it is recorded, so none changes what became of an earlier acknowledgement.
    alerts = [[alert_row(each, study.after) for _, each in desk.alerts.items()] for desk in (before, after)]
    yield _Rows(ALERT, alerts[0], alerts[0], alerts[1])
    hits = [[stopping_rule_hit_row(each) for _, each in desk.hits.items()] for desk in (before, after)]
    yield _Rows(STOPPING_RULE_HIT, hits[0], hits[0], hits[1])


def _changes(rows: _Rows, between: Sequence[Recorded]) -> Iterator[RowChange]:
    sides = (rows.before, rows.then, rows.after)
    before, then, after = ({rows.table.key_of(row): row for row in side} for side in sides)
    happened = {each.envelope.id: each for each in between}
    for key in dict.fromkeys((*before, *after)):
        old, same_facts, new = before.get(key), then.get(key), after.get(key)
        if old is new or old == new:
            continue
        for column in changed_columns(rows.table, old, new):
            # A row that only one side has is compared as a whole.
            values = [each is not None if column is None else value_of(each, column) for each in (old, same_facts, new)]
            causes: list[Recorded] = []
            if values[1] != values[2]:
                named = [happened[each] for each in rests_on(new) - rests_on(old) if each in happened]
                causes += sorted(named, key=streamseq_of) or between
            if values[0] != values[1]:
                causes += rows.elapsed
            yield RowChange(
                subject_id=getattr(old or new, "subject_id", None),
                table=rows.table.name,
                key=key_of(rows.table, old or new),
                column=column,
                old=shown_of(old, column),
                new=shown_of(new, column),
                causes=tuple(map(_cause, causes)),
            )


def _cause(recorded: Recorded) -> Cause:
    return Cause(**asdict(responsible(recorded)), why=_why(recorded.event.payload()))


def _why(payload: dict[str, Any]) -> str | None:
    said = [payload[name] for name in ("reasonCode", "reason", "reasonText") if payload.get(name) is not None]
    return ", ".join(each if isinstance(each, str) else SEALED for each in said) or None
