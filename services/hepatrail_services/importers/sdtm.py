"""The four domains of a directory as one plan."""

from zoneinfo import ZoneInfo

from hepatrail_services.importers.adverse_events import fatal_events, plan_adverse_events
from hepatrail_services.importers.ae_reports import fatal_reports, plan_reports
from hepatrail_services.importers.demographics import plan_demographics
from hepatrail_services.importers.exposure import plan_exposure
from hepatrail_services.importers.laboratory import plan_laboratory
from hepatrail_services.importers.mapping import AeReports, SdtmMapping, check_columns
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.source import Source


def plan_import(source: Source, mapping: SdtmMapping, reports: AeReports | None = None) -> Plan:
    """Every row read is in exactly one unit of its own phase or in a refusal; StartRefused when a column is missing.

    With `reports` (the mapping's `ae.reports`) the rows of AE are reports, several of them of one adverse event.
    """
    check_columns(source, mapping, reports)
    zone, dm, ae = ZoneInfo(mapping.zone), source.rows["DM"], source.rows["AE"]
    deaths = {row[mapping.dm.subject]: row[mapping.dm.death_date] for row in dm if row[mapping.dm.death_date]}
    fatal = fatal_reports(ae, mapping.ae, reports) if reports else fatal_events(ae, mapping.ae)
    drafts = (
        plan_demographics(dm, mapping.dm, zone, fatal),
        plan_exposure(source.rows["EX"], mapping.ex, zone),
        plan_laboratory(source.rows["LB"], mapping.lb, zone),
        plan_reports(ae, mapping.ae, reports, zone, deaths)
        if reports
        else plan_adverse_events(ae, mapping.ae, zone, deaths),
    )
    return Plan(
        study=mapping.study,
        read={domain: len(rows) for domain, rows in source.rows.items()},
        units=tuple(unit for draft in drafts for unit in draft.units),
        refusals=tuple(refusal for draft in drafts for refusal in draft.refusals),
        findings=tuple(finding for draft in drafts for finding in draft.findings),
    )
