"""Every cell of every table of outcomes, recounted from the log."""

from event_recount.adverse_event_tables import safe, safety_cells
from event_recount.change import change_cells, entries, together
from event_recount.dates import civil
from event_recount.events import Log
from event_recount.expected import Cells
from event_recount.exposure import exposure_cells, set_cells
from event_recount.laboratory import measured
from event_recount.survival import followed
from event_recount.survival_tables import survival_cells
from event_recount.treated import participants, safety_set
from event_recount.visits import schedule


def recount(log: Log) -> Cells:
    """All cells by table, row and column."""
    everybody, cut = participants(log), civil(log.as_of)
    saf = safety_set(everybody)
    rows = {each.subject_id: measured(each.events) for each in saf}
    schedules = {each.subject_id: schedule(each) for each in saf}
    survival = {each.subject_id: followed(each, rows[each.subject_id], schedules[each.subject_id]) for each in saf}
    safety = [safe(each, survival.get(each.subject_id), schedules.get(each.subject_id)) for each in everybody]
    change = together(entries(each, rows[each.subject_id], schedules[each.subject_id]) for each in saf)
    return {
        **set_cells(everybody),
        **exposure_cells(everybody),
        **safety_cells(safety, cut),
        **survival_cells(list(survival.values()), log.protocol, cut),
        **change_cells(change, len(saf)),
    }
