"""What concerns the whole study in the report: protocol versions, sites, holds, alerts, refusals, the quarantine."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import DECISIONS, PARTITIONS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Released, read_quarantine
from hepatrail_projections.alert import alert_row
from hepatrail_projections.desk_view import DeskView
from hepatrail_projections.study_view import StudyView
from hepatrail_services.audit.bundle.html import Values, names, table
from hepatrail_services.audit.bundle.source import Bundle


def study_tables(study: StudyView, values: Values) -> Iterator[str]:
    """Protocol versions, sites and holds."""
    protocols = (
        [each.version, values.text(each.row.effective_from), each.row.approved_by, each.row.reason, each.row.hash]
        for each in study.protocols
    )
    yield from table("Protocol versions", ["version", "effectiveFrom", "approvedBy", "reason", "hash"], protocols)
    sites = ("site_id", "active", "approval_ref", "reason", "since")
    yield from _rows("Sites", sites, [study.sites[each] for each in sorted(study.sites)], values)
    holds = (
        "action", "scope", "subject_id", "rule_id", "requires", "reason", "placed_at", "placed_by", "released_at",
        "released_by", "release_reason", "dsmb_reference",
    )  # fmt: skip
    yield from _rows("Holds", holds, list(study.holds.values()), values)


def alert_tables(desk: DeskView, study: StudyView, values: Values) -> Iterator[str]:
    """The alerts of the safety desk, by number."""
    columns = (
        "alert_seq", "type", "priority", "raised_at", "subject_id", "ae_id", "acknowledged_at", "acknowledged_by",
        "acknowledgements", "escalations", "deliveries",
    )  # fmt: skip
    rows = [alert_row(each, study) for each in desk.alerts.values()]
    yield from _rows("Alerts", columns, sorted(rows, key=attrgetter("alert_seq")), values)


def _rows(caption: str, columns: Sequence[str], rows: Sequence[Any], values: Values) -> Iterator[str]:
    yield from table(caption, names(columns), ([values.text(getattr(row, name)) for name in columns] for row in rows))


def rejected_commands(bundle: Bundle, values: Values) -> Iterator[str]:
    """Every command that was refused, and why (AUD-11)."""
    columns = ["recordedAt", "stream", "command", "actor", "code", "rule", "field", "message", "commandId"]

    def rows() -> Iterator[list[str]]:
        for partition in range(PARTITIONS):
            for _, _, value in bundle.records(DECISIONS, partition):
                try:
                    one = Decision.read(value or b"")
                except InvalidMessage:
                    continue
                if one.verdict is Verdict.REJECTED:
                    actor = f"{one.actorid} ({one.actorrole})"
                    said = (one.recordedat, one.stream, one.commandtype, actor, one.code, one.rule, one.field)
                    yield [values.text(each) for each in (*said, one.message, one.commandid)]

    yield from table("Rejected commands, with their bodies in decisions/", columns, rows())


def quarantined(bundle: Bundle) -> Iterator[str]:
    """What could not be read, and what somebody has decided to pass over."""

    def rows() -> Iterator[list[str]]:
        for _, _, value in bundle.records(QUARANTINE, 0):
            try:
                one = read_quarantine(value or b"")
            except InvalidMessage:
                continue
            by = one.by if isinstance(one, Released) else one.code
            place = f"{one.topic}/{one.partition}@{one.offset}"
            yield [format_instant(one.at), one.kind, place, one.stream or "", by, one.reason]

    yield from table("Quarantine", ["at", "kind", "place", "stream", "by or code", "reason"], rows())
