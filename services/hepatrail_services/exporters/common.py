"""What all domains share: the first columns, the reference day, the numbers of the visits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.protocol import Protocol
from hepatrail_projections.adverse_event import AdverseEventRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.session import SessionRow
from hepatrail_services.exporters.civil import stamp
from hepatrail_services.exporters.dataset_json import Value, Variable

UNSCHEDULED = "UNSCHEDULED"


def identifiers(domain: str) -> tuple[Variable, ...]:
    """STUDYID, DOMAIN, USUBJID, and the sequence number of every domain but those of one row a participant or visit."""
    first = (
        Variable("STUDYID", "Study Identifier", length=200, key=1),
        Variable("DOMAIN", "Domain Abbreviation", length=2),
        Variable("USUBJID", "Unique Subject Identifier", length=40, key=2),
    )
    if domain in ("DM", "SV"):
        return first
    return (*first, Variable(f"{domain}SEQ", "Sequence Number", "integer", key=3))


@dataclass(frozen=True, slots=True)
class Frame:
    """One participant within the trial: what every row of theirs refers to.

    `reference` is RFSTDTC, the civil start of the first session that is not void, "" before it.
    """

    protocol: Protocol
    zone: ZoneInfo
    subject_id: str
    reference: str
    visits: Mapping[str, int]

    def first(self, domain: str, number: int | None = None) -> dict[str, Value]:
        """The identifying values of a row."""
        values: dict[str, Value] = {
            "STUDYID": self.protocol.trial,
            "DOMAIN": domain,
            "USUBJID": self.subject_id,
        }
        return values if number is None else values | {f"{domain}SEQ": number}

    def visit(self, point: str | None) -> dict[str, Value]:
        """VISITNUM and VISIT of a time point; an unscheduled observation has no number."""
        if point is None:
            return {"VISIT": UNSCHEDULED}
        return {"VISITNUM": self.visits.get(point), "VISIT": point}


def frame_of(rows: SubjectRows, protocol: Protocol) -> Frame:
    """The frame of a participant."""
    zone = _zone(protocol.site_zone)
    first = next(iter(standing_sessions(rows)), None)
    return Frame(
        protocol=protocol,
        zone=zone,
        subject_id=rows.subject.subject_id,
        reference="" if first is None else stamp(first.started_at, zone),
        visits={row.code: row.ordinal + 1 for row in rows.visits},
    )


def standing_sessions(rows: SubjectRows) -> tuple[SessionRow, ...]:
    """The sessions that are not void, by start."""
    return tuple(row for row in rows.sessions if not row.voided)


def known_events(rows: SubjectRows) -> tuple[AdverseEventRow, ...]:
    """The adverse events that are not void, by what they say: AESEQ does not depend on when or where they came in."""
    return tuple(sorted((each for each in rows.adverse_events if each.state != "VOIDED"), key=_of_event))


def _of_event(event: AdverseEventRow) -> tuple[str, ...]:
    said = (event.onset, event.code, event.ctcae_term, event.outcome, event.end_at, event.action_taken)
    grades = [(each["grade"], each["gradeAt"]) for each in event.grades]
    return (event.aware_at.isoformat(), *map(repr, said), repr(grades), repr(event.criteria))


def numbers_of(events: Iterable[AdverseEventRow]) -> dict[UUID, int]:
    """AESEQ by the id of the adverse event."""
    return {each.ae_id: number for number, each in enumerate(events, 1)}


def going_on(ended: object) -> str:
    """xxENRF: ONGOING without an end, so that an end of which nothing is known is not taken for none."""
    return "ONGOING" if ended is None else ""


def yes_no(said: bool | None) -> str:
    """Y, N, or "" where nothing was said."""
    return "" if said is None else "Y" if said else "N"


def flag(said: bool | None) -> str:
    """A flag of SDTM: Y or nothing."""
    return "Y" if said else ""


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
