"""A source of whole records as one plan."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.ae_course import EventReader, Finding, plan_adverse_course
from hepatrail_services.importers.measured import plan_measured
from hepatrail_services.importers.plan import Draft, Plan, RowRef, plan_of, readable, reference
from hepatrail_services.importers.records import Records, is_one
from hepatrail_services.importers.records_fields import Reader
from hepatrail_services.importers.records_mapping import RecordsMapping
from hepatrail_services.importers.source import Source, SourceRow


def plan_records(source: Source, mapping: RecordsMapping) -> Plan:
    """Every row read is in a unit, kept, or refused; StartRefused when a column is missing."""
    _check_columns(source, mapping)
    dm = {("DM", row[mapping.subject]): row for row in source.rows["DM"]}
    reader = Reader(mapping.subject, ZoneInfo(mapping.zone), mapping.values, dm)
    planner = Records(source, reader, mapping.death, Draft())
    draft = planner.draft
    for domain in dict.fromkeys(record.domain for record in mapping.records):
        planner.plan(domain, tuple(each for each in mapping.records if each.domain == domain))
    measured = plan_measured(source, mapping, reader)
    events = Draft()
    deaths = _deaths(source, mapping)
    plan_adverse_course(_rows(source, "AE"), _rows(source, "FA"), deaths, EventReader(mapping, reader, events))
    for domain in mapping.derived:
        for row in _rows(source, domain):
            ref = RowRef(domain, str(row.number), row.number)
            draft.keep(ref, "DERIVED", f"{domain} is derived: the trial makes it anew.")
    return plan_of(mapping.study, source, (draft, measured, events))


def _rows(source: Source, domain: str) -> tuple[SourceRow, ...]:
    return source.rows.get(domain, ())


def _deaths(source: Source, mapping: RecordsMapping) -> Iterator[Finding]:
    """The rows that tell a death; what cannot be read was refused with its domain."""
    death = mapping.death
    for row, _ in readable(_rows(source, death.domain), Draft(), mapping.subject, death.key):
        if is_one(row, death.when):
            yield row, reference(row, mapping.subject, death.key)


def _check_columns(source: Source, mapping: RecordsMapping) -> None:
    missing = sorted(
        {
            f"{domain}.{column}"
            for domain, column in mapping.needed()
            if (rows := _rows(source, domain)) and rows[0].whole and column not in rows[0].values
        }
    )
    if missing:
        raise StartRefused(f"The columns {', '.join(missing)} are missing: mend the mapping or the files.")
