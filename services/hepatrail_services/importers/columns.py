"""Whether the files of a source have the columns that the mapping names."""

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.mapping import AeReports, SdtmMapping
from hepatrail_services.importers.source import Source


def check_columns(source: Source, mapping: SdtmMapping, reports: AeReports | None = None) -> None:
    """StartRefused when a domain lacks a column that the mapping names.

    May be absent: what says that a row was not done (LBSTAT, VSSTAT, SVOCCUR), AEACN, and how and of what a row of
    VS or DS speaks (VSPOS, DSSCAT, ...).
    """
    for domain, columns in _needed(mapping, reports).items():
        rows = source.rows.get(domain, ())
        missing = sorted(columns - rows[0].values.keys()) if rows and rows[0].whole else []
        if missing:
            named = f"{domain} ({source.files[domain]})" if domain in source.files else domain
            raise StartRefused(f"{named} has no column {', '.join(missing)}: mend the mapping or the file.")


def _needed(mapping: SdtmMapping, reports: AeReports | None) -> dict[str, set[str]]:
    dm, ex, lb, ae = mapping.dm, mapping.ex, mapping.lb, mapping.ae
    vs, sv, ds = mapping.vs, mapping.sv, mapping.ds
    return {
        "DM": {dm.subject, dm.site, dm.consent_date, dm.sex, dm.age, dm.death_date, dm.screen_failure.column},
        "EX": {ex.subject, ex.sequence, ex.start},
        "LB": {lb.subject, lb.sequence, lb.collected_at, lb.visit, lb.test, lb.value, lb.unit, lb.low, lb.high},
        "VS": {vs.subject, vs.sequence, vs.assessed_at, vs.visit, vs.test, vs.value, vs.unit} if vs else set(),
        "SV": {sv.subject, sv.visit, sv.start} if sv else set(),
        "AE": {ae.subject, ae.sequence, ae.verbatim, ae.onset, ae.end, ae.reported, ae.severity, ae.outcome}
        | {ae.causality, *ae.criteria, *((reports.event,) if reports else ())},
        "DS": {ds.subject, ds.sequence, ds.term, ds.decode, ds.start} if ds else set(),
    }
