"""What a reader of an export must know and the datasets cannot say: the text that is written beside them. Pure."""

from collections.abc import Mapping

from hepatrail_services.exporters.dataset_json import Form, Origin
from hepatrail_services.exporters.domains import DOMAINS

FILE = "NOTES.md"

_NOTES = """
## What stands in place of what

- **Participants** are pseudonyms (USUBJID, SUBJID). Birth date, race and country are not held and are not exported.
- **Free text is sealed and stays out.** AETERM is the CTCAE term, or the trial's code where there is none, in place
  of the site's own words; a reason for a screen failure, a withdrawal, a void or a pause has nothing in its place.
  Values and codes of laboratories are as they were reported.
- **Void records are left out, corrected ones are as they stand.** The audit trail has the rest.
- **Times** are civil times of the sites ({zone}), to the second; a date is cut short where no more is known. An hour
  that the clocks repeat comes back as the first of the two.
  Study days count from RFSTDTC, the first session; there is no day 0.
- **Arms**: there is one. ARMNRS says why a participant has none: SCREEN FAILURE, NOT ASSIGNED (not enrolled yet),
  ASSIGNED, NOT TREATED. DATAUSFL marks who withdrew all use of data: their rows are for safety only.
- **EX**: a row is a session; EXDOSE counts viable cells; EXDUR is flow without pauses.
- **LB, VS**: xxORRES is as reported with its sign, xxSTRESC and xxSTRESN are in the canonical unit, exact, and only of
  accepted values (xxACCEPT, xxREJRSN). A code that the trial does not know is as reported, in the category UNCODED.
  LBTOXGR is the highest CTCAE v5.0 grade of the value, LBCLSGR the investigator's. VS holds all that was observed at
  the bedside, the coma scale, ventilation and infusions included.
- **AE**: a row is an event as it stands. AETOXGR is its highest grade. Criteria are those of investigator and sponsor
  together. AEACNDEV is the action in the trial's own words, AEACN in those of CDISC, which cannot tell a session that
  was stopped from one interrupted. AEREL, AERELDEV and AERELNST are the investigator's, AERELSPN is the sponsor's.
- **DS**: LIVER TRANSPLANT and contact lost and regained are OTHER EVENT; a loss that still holds is a disposition.
- **SV**: visits at which something was observed. What is due or missed depends on the day and is no row.
- **RS**: scores are derived (RSMETHOD names the algorithm); RSSTATUS is `complete` or says why there is no result.
- Variables that SDTM does not have stand at the end of their domain.

## Coming back

`hepatrail import sdtm DIR --mapping DIR/import_mapping.toml` reads DM, EX, LB, VS, SV, AE and DS. What the importer
takes for a constant (`stand_in` in the mapping) does not come back as it was: of EX everything but the day of the
first session, of DM indication, chronic health, admission type and height, the time of the day at which a site learned
of an event, the causality for other targets than the cells, the scope of a withdrawal from all use of data, why a
measurement was not done, and a CTCAE term beside a code other than OTHER.
"""


def notes(origin: Origin, zone: str, protocol_version: str, form: Form, counts: Mapping[str, int]) -> str:
    """The text of an export; `counts` are the rows of each dataset."""
    head = (
        f"# {origin.study} as SDTM-shaped CDISC Dataset-JSON v1.1",
        "",
        f"As of {origin.created.isoformat(timespec='seconds').replace('+00:00', 'Z')}, protocol version "
        f"{protocol_version}, by {origin.system} {origin.version}. The same instant gives the same bytes.",
        "",
        "| file | dataset | rows |",
        "|---|---|---|",
        *(f"| {each.stem}.{form} | {each.dataset.label} | {counts[each.dataset.name]} |" for each in DOMAINS),
    )
    return "\n".join(head) + "\n" + _NOTES.format(zone=zone)
