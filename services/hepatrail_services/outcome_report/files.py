"""All files of a report: the page, a CSV file a table, a dataset an analysis. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from hepatrail_events.protocol import Protocol
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.endpoints.outcomes import Facts
from hepatrail_services.exporters.dataset_json import Origin
from hepatrail_services.outcome_report.analysis_rows import analysis_files
from hepatrail_services.outcome_report.composing import chapters
from hepatrail_services.outcome_report.csv_files import file_name, table_csv
from hepatrail_services.outcome_report.html import html_report
from hepatrail_services.outcome_report.provenance import Provenance

FLAGS: Final[Mapping[str, str]] = {
    "BEHIND_HORIZON": "The death lies behind the last day that is analysed.",
    "WITHHELD": "The death came after a withdrawal from follow-up, without leave to ask for vital status.",
    "IMPUTED_DATE": "A date that is not known to the day was completed by rule (endpoints.md 3.1).",
    "UNCODED": "The trial's own code: no coder has coded the events in MedDRA.",
    "QUALIFIED_LOW": "Below the limit of detection: the number stands for the limit by rule.",
    "QUALIFIED_HIGH": "Above the upper limit of the method: the number is that limit.",
    "BASELINE_QUALIFIED": "The baseline stands for a limit.",
    "DURING_SESSION": "Collected during a later session.",
    "OUT_OF_WINDOW": "Outside the window of its time point.",
    "AFTER_TRANSPLANT": "After transplantation.",
    "ASSUMED": "An option of the protocol took the place of what was missing.",
}
"""What the flags of cells mean."""


def report_files(
    found: Outcomes, facts: Sequence[Facts], protocol: Protocol, version: str
) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file; the same outcomes and facts give the same bytes.

    `version` is that of the program. ValueError where no protocol was in force.
    """
    if found.protocol_version is None:
        raise ValueError("there is no report without a protocol")
    made = Provenance(protocol.trial, found.as_of, found.protocol_version, found.code_version, found.safety_set)
    parts = chapters(found, facts, protocol)
    yield "report.html", html_report(made, parts, FLAGS)
    for part in parts:
        for table in part.tables:
            yield f"tables/{file_name(table)}", table_csv(table, made)
    origin = Origin(protocol.trial, found.as_of, None, "hepatrail", version, f"MDV.{found.protocol_version}")
    for name, content in analysis_files(facts, protocol, found.as_of, origin):
        yield f"analysis/{name}", content
