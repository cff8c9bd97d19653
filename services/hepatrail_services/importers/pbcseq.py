"""The Mayo Clinic's trial in primary biliary cholangitis, sequential data (`pbcseq`), as rows of SDTM.

One file (`therneau/survival`, `data/pbc.rda`), one row a visit: `id`, `day` of the visit and of its laboratory values,
and for each patient `age` and `sex` at entry, `futime` and `status` at its end (0 alive, 1 transplanted, 2 dead).
It holds days and no dates, so the calendar is made: day 0, the entry, is `DAY_0` for everybody, and whatever belongs to
a visit is at `CLOCK`, which the mapping puts before the session that stands for randomisation: what was measured on
day 0 was measured before treatment.

Units are those of the documentation (`pbcseq.Rd`, `pbc.Rd`), with three remarks. Albumin is mg/dl in the one and g/dl
in the other; the values (1 to 7) are g/dl. AST is U/ml in both, a colorimetric unit of its time: it goes in as stated
and no factor is guessed. The count of platelets is in thousands a microlitre and the prothrombin time in seconds by
Fleming and Harrington (1991), appendix D. An empty value (or NA) says nothing of why: there is no row for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, NoReturn

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.source import Source, SourceRow, read_file

DAY_0 = date(2001, 1, 1)
"""The made date of everybody's entry; no date of the source."""
CLOCK = "08:00"
"""The made time of every visit, in the zone of the mapping."""


class _Test(NamedTuple):
    code: str
    category: str
    unit: str


_TESTS: Mapping[str, _Test] = {
    "bili": _Test("BILI", "CHEMISTRY", "mg/dL"),
    "chol": _Test("CHOL", "CHEMISTRY", "mg/dL"),
    "albumin": _Test("ALB", "CHEMISTRY", "g/dL"),
    "alk.phos": _Test("ALP", "CHEMISTRY", "U/L"),
    "ast": _Test("AST", "CHEMISTRY", "U/mL"),
    "platelet": _Test("PLAT", "HEMATOLOGY", "10*3/uL"),
    "protime": _Test("PT", "COAGULATION", "s"),
}
_OF_A_PATIENT = ("futime", "status", "trt", "age", "sex")
_COLUMNS = frozenset(("id", "day", *_OF_A_PATIENT, *_TESTS))
_ENDS = {"0": ("ALIVE", "Alive at the end of follow-up"), "1": ("LIVER TRANSPLANT", ""), "2": ("DEATH", "")}
_ABSENT = ("", "NA")
_WHOLE = re.compile(r"[0-9]{1,5}")
_YEARS = re.compile(r"([0-9]{1,3})(\.[0-9]*)?")


def read_pbcseq(path: Path) -> Source:
    """The file as SDTM; StartRefused when it is not there, no CSV, or not what `pbcseq_source` takes."""
    if not path.is_file():
        raise StartRefused(f"{path} is no file: name pbcseq.csv.")
    return pbcseq_source(read_file("PBCSEQ", path), path.name)


def pbcseq_source(rows: Sequence[SourceRow], name: str = "pbcseq.csv") -> Source:
    """DM, EX, LB, SV and DS of the rows of the file, and an AE without rows; patients stay in the file's order.

    Every row is a row of SV, every value one of LB. `ignored` names the columns that are not carried over.
    StartRefused names the row which lacks a field, a number, or the constants of its patient.
    """
    columns = rows[0].values.keys() if rows else frozenset[str]()
    if missing := sorted(_COLUMNS - columns):
        raise StartRefused(f"{name} has no column {', '.join(missing)}.")
    domains: dict[str, list[dict[str, str]]] = {domain: [] for domain in ("DM", "EX", "LB", "SV", "AE", "DS")}
    seen: set[str] = set()
    for patient, visits in groupby(_checked(rows, name), key=lambda row: row["id"]):
        if patient in seen:
            raise StartRefused(f"{name}: the rows of id {patient} do not stand together.")
        seen.add(patient)
        _add(domains, f"PBC-{patient}", tuple(visits))
    return Source(
        rows={
            domain: tuple(SourceRow(domain, number, values) for number, values in enumerate(found, 1))
            for domain, found in domains.items()
        },
        ignored=tuple(sorted(columns - _COLUMNS)),
        files=dict.fromkeys(domains, name),
    )


def _checked(rows: Sequence[SourceRow], name: str) -> Iterator[SourceRow]:
    """The rows with what everything else rests on; the values of the laboratory are for the trial to judge."""
    first: dict[str, SourceRow] = {}
    last: dict[str, int] = {}

    def refuse(row: SourceRow, sentence: str) -> NoReturn:
        raise StartRefused(f"{name}, row {row.number}: {sentence}.")

    for row in rows:
        if not row.whole:
            refuse(row, "it has more or fewer fields than the header")
        known = first.setdefault(row["id"], row)
        for column in _OF_A_PATIENT:
            if row[column] != known[column]:
                refuse(row, f"{column} {row[column]!r} is not that of row {known.number}, the same patient")
        for column, form in (("id", _WHOLE), ("day", _WHOLE), ("futime", _WHOLE), ("age", _YEARS)):
            if not form.fullmatch(row[column]):
                refuse(row, f"{column} {row[column]!r} is no such number")
        if row["status"] not in _ENDS:
            refuse(row, f"status {row['status']!r} is none of {', '.join(_ENDS)}")
        day = int(row["day"])
        if not last.get(row["id"], -1) < day <= int(row["futime"]):
            refuse(row, f"day {day} is not after the patient's earlier row, or after futime")
        last[row["id"]] = day
        yield row


def _add(domains: Mapping[str, list[dict[str, str]]], subject: str, visits: Sequence[SourceRow]) -> None:
    """The rows of one patient, whose visits are in the order of their days."""
    of, who = visits[0], {"USUBJID": subject}
    end, (decode, term) = _date(of["futime"]), _ENDS[of["status"]]
    domains["DM"].append(
        who
        | {"SITEID": "MAYO", "DMDTC": DAY_0.isoformat(), "SEX": of["sex"].upper(), "ARMCD": of["trt"]}
        | {"AGE": of["age"].partition(".")[0], "AGEU": "YEARS", "DTHDTC": end if decode == "DEATH" else ""}
    )
    domains["EX"].append(who | {"EXSEQ": "1", "EXSTDTC": DAY_0.isoformat()})
    domains["DS"].append(who | {"DSSEQ": "1", "DSTERM": term, "DSDECOD": decode, "DSSTDTC": end, "VISITNUM": ""})
    sequence = 0
    for number, row in enumerate(visits, 1):
        visit, at = who | {"VISITNUM": str(number)}, f"{_date(row['day'])}T{CLOCK}"
        domains["SV"].append(visit | {"SVSTDTC": at})
        for column, test in _TESTS.items():
            if row[column] in _ABSENT:
                continue
            sequence += 1
            domains["LB"].append(
                visit
                | {"LBSEQ": str(sequence), "LBDTC": at, "LBTESTCD": test.code, "LBCAT": test.category}
                | {"LBORRES": row[column], "LBORRESU": test.unit, "LBORNRLO": "", "LBORNRHI": ""}
            )


def _date(days: str) -> str:
    return (DAY_0 + timedelta(days=int(days))).isoformat()
