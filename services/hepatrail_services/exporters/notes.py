"""What a reader of an export must know and the datasets cannot say: the text that is written beside them. Pure."""

from collections.abc import Mapping

from hepatrail_services.exporters.dataset_json import Form, Origin
from hepatrail_services.exporters.domains import DOMAINS

FILE = "NOTES.md"

_NOTES = """
## What stands in place of what

- **Participants** are pseudonyms (USUBJID, SUBJID). Birth date, race and country are not held and are not exported.
- **Free text is sealed and stays out.** AETERM and MHTERM are the CTCAE term, or the trial's code where there is none,
  CMTRT is the ATC code, in place of the site's own words; a reason for a screen failure, a withdrawal, a void or a
  pause has nothing in its place. Values and codes of laboratories are as they were reported.
- **Void records are left out, corrected ones are as they stand.** The audit trail has the rest.
- **Times** are civil times of the sites ({zone}), to the second, or the millisecond where it is recorded; a date is cut
  short where no more is known. An hour that the clocks repeat comes back as the first of the two.
  Study days count from RFSTDTC, the first session; there is no day 0. xxENRF is ONGOING where there is no end.
- **Arms**: there is one. ARMNRS says why a participant has none: SCREEN FAILURE, NOT ASSIGNED (not enrolled yet),
  ASSIGNED, NOT TREATED. DATAUSFL marks who withdrew all use of data: their rows are for safety only.
- **EX, XP**: a row is a session, its pauses are in XP; EXDOSE counts viable cells; EXDUR is flow without pauses.
- **LB, VS**: xxORRES is as reported with its sign, xxSTRESC and xxSTRESN are in the canonical unit, exact, and only of
  accepted values (xxACCEPT, xxREJRSN). A code that the trial does not know is as reported, in the category UNCODED.
  LBTOXGR is the highest CTCAE v5.0 grade of the value, LBCLSGR the investigator's. VS holds all that was observed at
  the bedside, the coma scale, ventilation and infusions included. xxGRPID tells what was recorded together, in the
  order of the log, over LB and VS.
- **AE**: a row is an event as it stands, AETOXGR its highest grade, criteria those of investigator and sponsor
  together. AEACNDEV is the action in the trial's own words, AEACN in those of CDISC, which cannot tell a session that
  was stopped from one interrupted. AEREL, AERELDEV and AERELNST are the investigator's, AERELSPN is the sponsor's.
- **FA**: the course of an event (FAAESEQ): grades with their times, the criteria of each assessor from then on, and
  the causality for every target. FAREPFL marks what the first report said.
- **DS, SS**: LIVER TRANSPLANT and contact lost and regained are OTHER EVENT; a loss that still holds is a disposition.
  SS is what was learned of survival and transplant, and from whom.
- **SV**: visits at which something was observed. What is due or missed depends on the day and is no row.
- **RS**: scores are derived (RSMETHOD names the algorithm); RSSTATUS is `complete` or says why there is no result.
- **XA, DE**: the question about new adverse events, and the deficiencies of the device. Variables that SDTM does not
  have stand at the end of their domain; domains that begin with X are the sponsor's.

## Coming back

`hepatrail import sdtm DIR --mapping DIR/import_mapping.toml` reads everything but RS, which is derived again and is the
same. What only the sponsor may say needs the token of a SPONSOR beside the investigator's. Imported into a trial under
the same protocol and exported again, every row is the same but for:

- identifiers (xxSPID, LBREFID), which are made of those of the commands;
- the date of ENROLLED in DS: an enrolment states no time but that of its recording, which is that of the import;
- a result that was refused because it lay in the future (TIME_IN_FUTURE), which by then it does not.

A deficiency of a session that is void is refused, because it must name its session. Not exported, and so not back:
sealed words, for which a sentence stands; who recorded what and when; corrections and void records; follow-up reports
but for what they changed; the end of an event that was reopened; of causality, coding, expectedness and frequency all
but the last; the link of an event or a deficiency to an event that is void; notifications, submissions, narratives,
queries, alerts and holds, which are no data of SDTM.
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
