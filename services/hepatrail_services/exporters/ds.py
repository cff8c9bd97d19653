"""DS, disposition: consent, enrolment, how the participation ended, and other events of the course."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import WithdrawalScope
from hepatrail_events.protocol import Protocol
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.civil import partial, stamp, study_day, written_instant
from hepatrail_services.exporters.common import Frame, frame_of, identifiers, known_events, numbers_of, yes_no
from hepatrail_services.exporters.dataset_json import Dataset, Row, Value, Variable

DS = Dataset(
    "DS",
    "Disposition",
    (
        *identifiers("DS"),
        Variable("DSSPID", "Sponsor-Defined Identifier", length=36),
        Variable("DSTERM", "Reported Term for the Disposition Event", length=240),
        Variable("DSDECOD", "Standardized Disposition Term", length=40, key=6),
        Variable("DSCAT", "Category for Disposition Event", length=20, key=4),
        Variable("DSSCAT", "Subcategory for Disposition Event", length=20),
        Variable("DSSTDTC", "Start Date/Time of Disposition Event", length=23, key=5),
        Variable("DSSTDY", "Study Day of Start of Disposition Event", "integer"),
        Variable("DSCONVER", "Version of the Consent", length=200),
        Variable("DSHLTCON", "Consent to Health Data Processing", length=1),
        Variable("DSVSOK", "Vital Status May Be Asked for", length=1),
        Variable("DSDONOR", "Donor of the Liver", length=10),
        Variable("DSAWRDTC", "Date/Time of Awareness", "datetime"),
        Variable("DSAESEQ", "Sequence Number of the Cause of Death", "integer"),
        Variable("DSAUTOP", "Autopsy Done", length=1),
    ),
)

MILESTONE, DISPOSITION, OTHER = "PROTOCOL MILESTONE", "DISPOSITION EVENT", "OTHER EVENT"
CONSENT, ENROLLED = "INFORMED CONSENT OBTAINED", "ENROLLED"
SCREEN_FAILURE, DEATH = "SCREEN FAILURE", "DEATH"
WITHDRAWAL, LOST = "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"
TRANSPLANT, CONTACT_LOST, CONTACT_REGAINED = "LIVER TRANSPLANT", "CONTACT LOST", "CONTACT REGAINED"
CONSENT_WITHDRAWN = "CONSENT WITHDRAWN"
PARTICIPATION = "STUDY PARTICIPATION"
PARTS = {
    WithdrawalScope.TREATMENT_ONLY.value: "STUDY TREATMENT",
    WithdrawalScope.FOLLOW_UP.value: PARTICIPATION,
    WithdrawalScope.ALL_DATA_USE.value: "ALL USE OF DATA",
}


@dataclass(frozen=True, slots=True)
class _Event:
    """One event; `dtc` as far as it is known, `more` are the variables that only events of its kind have."""

    decoded: str
    category: str
    dtc: str
    part: str = ""
    term: str | None = None
    identity: UUID | None = None
    more: Mapping[str, Value] = field(default_factory=dict)


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """Consents, enrolment, what came between in the order of the log, the death. Reasons are sealed and stay out.

    The order of the log tells whether contact that was lost was regained, which the dates of the two do not.
    """
    frame = frame_of(subject, protocol)
    return tuple(_row(frame, number, each) for number, each in enumerate(_events(subject, frame), 1))


def _row(frame: Frame, number: int, event: _Event) -> Row:
    return DS.row(
        {
            **frame.first("DS", number),
            "DSSPID": None if event.identity is None else str(event.identity),
            "DSTERM": event.term or event.decoded,
            "DSDECOD": event.decoded,
            "DSCAT": event.category,
            "DSSCAT": event.part,
            "DSSTDTC": event.dtc,
            "DSSTDY": study_day(event.dtc, frame.reference),
            **event.more,
        }
    )


def _events(subject: SubjectRows, frame: Frame) -> Iterator[_Event]:
    told, zone = subject.subject, frame.zone
    for each in told.consents:
        signed = written_instant(each["givenAt"], zone)
        term = f"{CONSENT}, VERSION {each['version']}"
        more = {"DSCONVER": each["version"], "DSHLTCON": yes_no(each["healthDataConsent"])}
        yield _Event(CONSENT, MILESTONE, signed, term=term, identity=UUID(each["eventId"]), more=more)
    if told.enrolled_at is not None:
        yield _Event(ENROLLED, MILESTONE, stamp(told.enrolled_at, zone))
    elif told.screen_failure_reason is not None:
        yield _Event(SCREEN_FAILURE, DISPOSITION, "", PARTICIPATION)
    yield from _assessed(subject, frame)
    if told.consent_withdrawn_at is not None:
        # The scope is that of the withdrawal that stands, which came with it once the participant was enrolled.
        withdrawn = stamp(told.consent_withdrawn_at, zone)
        part = PARTS.get(told.withdrawal_scope or "", PARTICIPATION)
        may_ask = {"DSVSOK": yes_no(told.vital_status_allowed)}
        yield _Event(WITHDRAWAL, DISPOSITION, withdrawn, part, CONSENT_WITHDRAWN, more=may_ask)
    if told.death_at is not None:
        yield _Event(DEATH, DISPOSITION, partial(told.death_at, zone), PARTICIPATION, more=_death(subject, zone))


def _death(subject: SubjectRows, zone: ZoneInfo) -> dict[str, Value]:
    """When the site knew of the death, its cause among the adverse events, and whether there was an autopsy."""
    told, numbers = subject.subject, numbers_of(known_events(subject))
    cause = told.primary_cause_ae_id
    return {
        "DSAWRDTC": stamp(told.death_aware_at, zone),
        "DSAESEQ": None if cause is None else numbers.get(cause),
        "DSAUTOP": yes_no(told.autopsy_done),
    }


def _assessed(subject: SubjectRows, frame: Frame) -> Iterator[_Event]:
    """Withdrawals, transplants and contact; only a loss that still holds is how the participation ended."""
    standing = [each for each in subject.assessments if not each.voided]
    contact = [each for each in standing if each.kind in ("LOSS_TO_FOLLOW_UP", "CONTACT_REGAINED")]
    for each in standing:
        match each.kind:
            case "WITHDRAWAL":
                yield _withdrawal(each, frame)
            case "TRANSPLANT":
                happened = partial(each.happened, frame.zone)
                donor = {"DSDONOR": each.facts.get("donor")}
                yield _Event(TRANSPLANT, OTHER, happened, identity=each.event_id, more=donor)
            case "CONTACT_REGAINED":
                yield _Event(CONTACT_REGAINED, OTHER, stamp(each.at, frame.zone), identity=each.event_id)
            case "LOSS_TO_FOLLOW_UP" if each is contact[-1]:
                lost = stamp(each.at, frame.zone)
                yield _Event(LOST, DISPOSITION, lost, PARTICIPATION, identity=each.event_id)
            case "LOSS_TO_FOLLOW_UP":
                yield _Event(CONTACT_LOST, OTHER, stamp(each.at, frame.zone), identity=each.event_id)
            case _:
                pass  # Questions about adverse events are in XA, about survival in SS.


def _withdrawal(row: AssessmentRow, frame: Frame) -> _Event:
    part = PARTS[row.facts["scope"]]
    may_ask = {"DSVSOK": yes_no(row.facts["vitalStatusAllowed"])}
    return _Event(WITHDRAWAL, DISPOSITION, stamp(row.at, frame.zone), part, identity=row.event_id, more=may_ask)
