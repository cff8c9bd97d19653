"""EX: the first dose of a subject stands for the first session; the other rows are refused, each with its reason."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from hepatrail_events.types import format_instant
from hepatrail_services.importers.mapping import ExMapping
from hepatrail_services.importers.plan import Draft, Phase, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, civil


def plan_exposure(rows: tuple[SourceRow, ...], mapping: ExMapping, zone: ZoneInfo) -> Draft:
    """One unit a subject: the session of its earliest row (by start, then by number in the file)."""
    draft = Draft()
    kept = readable(rows, draft, mapping.subject, mapping.sequence)
    first: dict[str, SourceRow] = {}
    for row, _ in sorted(kept, key=lambda pair: (pair[0][mapping.start] or "9999", pair[0].number)):
        first.setdefault(row[mapping.subject], row)
    for row, ref in kept:
        subject = row[mapping.subject]
        if first[subject] is not row:
            draft.refuse(ref, "NOT_FIRST_DOSE", "Only the first dose of a subject stands for a session.")
            continue
        try:
            steps = _session(row, mapping, zone)
        except UnreadableTime as error:
            draft.refuse(ref, "UNREADABLE_TIME", str(error))
            continue
        draft.units.append(Unit(ref.key, subject, Phase.TREATMENT, (ref,), steps))
    return draft


def _session(row: SourceRow, mapping: ExMapping, zone: ZoneInfo) -> tuple[Step, Step]:
    constants, subject = mapping.stand_in, row[mapping.subject]
    started = civil(row[mapping.start][:10], constants.start_time, zone)
    ended = started + timedelta(hours=constants.duration_hours)
    start = {
        "subjectId": subject,
        "startedAt": format_instant(started),
        "accessVein": constants.access_vein.value,
        "side": constants.side.value,
        "deviceLot": constants.device_lot,
        "cellBatch": constants.cell_batch,
        "batchReleaseRef": constants.batch_release_ref,
        "viabilityPercent": constants.viability_percent,
        "viableCells": constants.viable_cells,
        "weightKg": constants.weight_kg,
        "weightMeasuredAt": format_instant(started),
    }
    end = {"subjectId": subject, "endedAt": format_instant(ended), "reason": constants.end_reason.value}
    return Step("startSession", start), Step("endSession", end)
