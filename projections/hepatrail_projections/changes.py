"""From a batch's views to the rows that differ from what the tables hold: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hepatrail_events.streams import SAFETY_DESK
from hepatrail_projections.alert import ALERT, AlertRow, alert_row
from hepatrail_projections.audit_review import AUDIT_REVIEW
from hepatrail_projections.derive import SUBJECT_TABLES, derive, stored_at
from hepatrail_projections.draft import Draft
from hepatrail_projections.memory import Memory, Subject
from hepatrail_projections.sealing_key import SEALING_KEY
from hepatrail_projections.stopping_hit import STOPPING_RULE_HIT, stopping_rule_hit_row
from hepatrail_projections.study import ACCESS_WITHDRAWN, HOLD, PROTOCOL, SITE
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.table import Table


@dataclass(slots=True)
class TableChange:
    """New rows, rows to replace and keys to delete in one table."""

    inserts: list[Any] = field(default_factory=list)
    upserts: list[Any] = field(default_factory=list)
    deletes: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch changes in the derived tables, and the memory that stands for it afterwards."""

    tables: Mapping[str, TableChange]
    subjects: Mapping[str, Subject]
    alerts: Mapping[UUID, AlertRow]


def rederives_all(before: StudyView, after: StudyView) -> bool:
    """Whether the study changed so that every participant must be derived again.

    The version in force at the end of a participant's stream lies between those at the two ends of the study, so
    nothing changes for anybody while these two are one.
    """
    if before.protocols != after.protocols:
        return True
    ends = [each.recorded_at for each in (before, after)]
    versions = {None if end is None else _version(after, end) for end in ends}
    return len(versions) > 1


def work_out(draft: Draft, memory: Memory) -> Changes:
    """The changes of a batch; participants to be derived again without events of their own are in memory."""
    changed: dict[str, TableChange] = {}
    all_again = rederives_all(memory.study, draft.study)
    subjects = {}
    again = memory.subjects if all_again else ()
    for subject_id in dict.fromkeys((*draft.views, *again)):
        known = memory.subjects.get(subject_id)
        view = draft.views.get(subject_id) or (None if known is None else known.view)
        assert view is not None, "a participant without events is not derived"
        earlier = None if known is None else (known.view, known.rows)
        rows = derive(view, draft.study, stored_at(view, draft.study), earlier)
        subjects[subject_id] = Subject(view, rows)
        before = {} if known is None else {table.name: rows for table, rows in known.rows.by_table()}
        for table, after in rows.by_table():
            _compare(table, before.get(table.name, ()), after, changed)
    _study(memory.study, draft.study, changed)
    alerts = _alerts(draft, memory, all_again=all_again, changed=changed)
    _hits(draft, changed)
    return Changes(changed, subjects, alerts)


DERIVED_TABLES: tuple[Table[Any], ...] = (
    *SUBJECT_TABLES,
    ALERT,
    STOPPING_RULE_HIT,
    PROTOCOL,
    SITE,
    HOLD,
    ACCESS_WITHDRAWN,
    SEALING_KEY,
    AUDIT_REVIEW,
)


def _version(study: StudyView, at: Any) -> str | None:
    published = study.published_at(at)
    return None if published is None else published.version


def _compare(table: Table[Any], before: Sequence[Any], after: Sequence[Any], changed: dict[str, TableChange]) -> None:
    if before == after:
        return
    change = changed.setdefault(table.name, TableChange())
    if not before:
        change.inserts.extend(after)
        return
    # Most rows are the very same objects: to compare and hash only the others takes a tenth of the time.
    kept, still = {id(row) for row in before}, {id(row) for row in after}
    old = {table.key_of(row): row for row in before if id(row) not in still}
    for row in after:
        if id(row) in kept:
            continue
        known = old.pop(table.key_of(row), None)
        if known is None:
            change.inserts.append(row)
        elif known != row:
            change.upserts.append(row)
    change.deletes.extend(old)


def _study(before: StudyView, after: StudyView, changed: dict[str, TableChange]) -> None:
    if before is after:
        return
    _compare(PROTOCOL, [each.row for each in before.protocols], [each.row for each in after.protocols], changed)
    _compare(SITE, list(before.sites.values()), list(after.sites.values()), changed)
    _compare(HOLD, list(before.holds.values()), list(after.holds.values()), changed)
    _compare(ACCESS_WITHDRAWN, before.access_withdrawn, after.access_withdrawn, changed)
    _compare(SEALING_KEY, before.sealing_keys, after.sealing_keys, changed)
    _compare(AUDIT_REVIEW, before.audit_reviews, after.audit_reviews, changed)


def _alerts(draft: Draft, memory: Memory, *, all_again: bool, changed: dict[str, TableChange]) -> dict[UUID, AlertRow]:
    # Not every alert there ever was is compared: a batch touches few of them.
    touched: Iterable[UUID] = draft.desk.alerts if all_again else _named(draft, "alertId")
    desk, study = draft.desk, draft.study
    rows = {alert_id: alert_row(desk.alerts[alert_id], study) for alert_id in touched}
    differing = [row for alert_id, row in rows.items() if memory.alerts.get(alert_id) != row]
    if differing:
        changed.setdefault(ALERT.name, TableChange()).upserts.extend(differing)
    return rows


def _hits(draft: Draft, changed: dict[str, TableChange]) -> None:
    rows = [stopping_rule_hit_row(draft.desk.hits[hit_id]) for hit_id in _named(draft, "hitId")]
    if rows:
        changed.setdefault(STOPPING_RULE_HIT.name, TableChange()).inserts.extend(rows)


def _named(draft: Draft, what: str) -> Iterable[UUID]:
    """The ids of this kind that the batch's events of the desk name, each once."""
    on_desk = (row.payload for row in draft.events if row.stream == SAFETY_DESK)
    return dict.fromkeys(UUID(payload[what]) for payload in on_desk if what in payload)
