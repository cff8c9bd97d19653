"""The domains of a directory as one plan."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from hepatrail_services.importers.adverse_events import fatal_events, plan_adverse_events
from hepatrail_services.importers.ae_reports import fatal_reports, plan_reports
from hepatrail_services.importers.columns import check_columns
from hepatrail_services.importers.demographics import plan_demographics
from hepatrail_services.importers.disposition import Told, death_dates, plan_disposition
from hepatrail_services.importers.exposure import plan_exposure
from hepatrail_services.importers.laboratory import plan_laboratory
from hepatrail_services.importers.mapping import AeReports, SdtmMapping
from hepatrail_services.importers.plan import Draft, Plan, RowRef, plan_of
from hepatrail_services.importers.records_mapping import RecordsMapping
from hepatrail_services.importers.records_plan import plan_records
from hepatrail_services.importers.source import Source, SourceRow
from hepatrail_services.importers.visits import NOT_MADE, plan_visits
from hepatrail_services.importers.vital_signs import plan_vital_signs


def plan_import(source: Source, mapping: SdtmMapping | RecordsMapping, reports: AeReports | None = None) -> Plan:
    """Every row read is in a unit, kept, or refused; StartRefused when a column is missing.

    The form of the mapping says whether rows are whole records or want stand-ins. With `reports` (the mapping's
    `ae.reports`) the rows of AE are reports, several of them of one adverse event.
    """
    if isinstance(mapping, RecordsMapping):
        return plan_records(source, mapping)
    check_columns(source, mapping, reports)
    zone, dm, ae = ZoneInfo(mapping.zone), source.rows["DM"], source.rows["AE"]
    deaths = _deaths(source, mapping)
    fatal = fatal_reports(ae, mapping.ae, reports) if reports else fatal_events(ae, mapping.ae)
    drafts = (
        plan_demographics(dm, mapping.dm, zone, fatal),
        plan_exposure(source.rows["EX"], mapping.ex, zone),
        plan_laboratory(source.rows["LB"], mapping.lb, zone),
        plan_reports(ae, mapping.ae, reports, zone, deaths)
        if reports
        else plan_adverse_events(ae, mapping.ae, zone, deaths),
        *_course(source, mapping, zone, fatal),
    )
    return plan_of(mapping.study, source, drafts)


def _deaths(source: Source, mapping: SdtmMapping) -> dict[str, str]:
    """Subject -> date of its death, by DM or else by DS."""
    dm, ds = mapping.dm, mapping.ds
    of_dm = {row[dm.subject]: row[dm.death_date] for row in source.rows["DM"] if row[dm.death_date]}
    of_ds = death_dates(source.rows.get("DS", ()), ds) if ds else {}
    return {subject: died for subject, died in of_ds.items() if died} | of_dm


def _course(source: Source, mapping: SdtmMapping, zone: ZoneInfo, fatal: Mapping[str, str]) -> list[Draft]:
    """The domains that may be absent, from the source and from the mapping."""
    vs, sv, ds = mapping.vs, mapping.sv, mapping.ds
    planned: dict[str, Callable[[tuple[SourceRow, ...]], Draft] | None] = {
        "VS": (lambda rows: plan_vital_signs(rows, vs, zone)) if vs else None,
        "SV": (lambda rows: plan_visits(rows, sv, zone)) if sv else None,
        "DS": (lambda rows: plan_disposition(rows, ds, zone, _told(source, mapping, fatal))) if ds else None,
    }
    drafts: list[Draft] = []
    for domain, plan in planned.items():
        rows = source.rows.get(domain, ())
        drafts.append(plan(rows) if plan else _unmapped(rows))
    return drafts


def _unmapped(rows: tuple[SourceRow, ...]) -> Draft:
    draft = Draft()
    for row in rows:
        ref = RowRef(row.domain, str(row.number), row.number)
        draft.refuse(ref, "NOT_MAPPED", f"The mapping has no table {row.domain.lower()}.")
    return draft


def _told(source: Source, mapping: SdtmMapping, fatal: Mapping[str, str]) -> Told:
    """What DM, AE and SV tell of what DS tells, too."""
    dm, sv = mapping.dm, mapping.sv
    rows = [row for row in source.rows["DM"] if row.whole]
    marker = dm.screen_failure
    deaths = {row[dm.subject]: ("DM", row[dm.death_date]) for row in rows if row[dm.death_date]}
    for subject in fatal:
        deaths[subject] = ("AE", deaths[subject][1] if subject in deaths else "")
    made = [row for row in source.rows.get("SV", ()) if row.whole and row[sv.occurred] != NOT_MADE] if sv else []
    return Told(
        deaths=deaths,
        screen_failures=frozenset(row[dm.subject] for row in rows if row[marker.column] == marker.value),
        consents=frozenset(row[dm.subject] for row in rows),
        visits=frozenset((row[sv.subject], row[sv.visit]) for row in made) if sv else frozenset(),
    )
