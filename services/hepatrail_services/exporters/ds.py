"""DS, disposition: consent, enrolment, how the participation ended, and other events of the course."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from hepatrail_events.assessments import WithdrawalScope
from hepatrail_events.protocol import Protocol
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.civil import partial, stamp, study_day, written_instant
from hepatrail_services.exporters.common import Frame, frame_of, identifiers
from hepatrail_services.exporters.dataset_json import Dataset, Row, Variable

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
        Variable("DSSTDTC", "Start Date/Time of Disposition Event", length=19, key=5),
        Variable("DSSTDY", "Study Day of Start of Disposition Event", "integer"),
    ),
)

MILESTONE, DISPOSITION, OTHER = "PROTOCOL MILESTONE", "DISPOSITION EVENT", "OTHER EVENT"
CONSENT, ENROLLED = "INFORMED CONSENT OBTAINED", "ENROLLED"
SCREEN_FAILURE, DEATH = "SCREEN FAILURE", "DEATH"
WITHDRAWAL, LOST = "WITHDRAWAL BY SUBJECT", "LOST TO FOLLOW-UP"
TRANSPLANT, CONTACT_LOST, CONTACT_REGAINED = "LIVER TRANSPLANT", "CONTACT LOST", "CONTACT REGAINED"
PARTICIPATION = "STUDY PARTICIPATION"
_FROM = {
    WithdrawalScope.TREATMENT_ONLY.value: "STUDY TREATMENT",
    WithdrawalScope.FOLLOW_UP.value: PARTICIPATION,
    WithdrawalScope.ALL_DATA_USE.value: "ALL USE OF DATA",
}


@dataclass(frozen=True, slots=True)
class _Event:
    """One event; `dtc` as far as it is known."""

    decoded: str
    category: str
    dtc: str
    part: str = ""
    term: str | None = None
    identity: UUID | None = None


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The events of a participant by date, those without one last. Reasons are sealed and stay out."""
    frame = frame_of(subject, protocol)
    events = sorted(_events(subject, frame), key=lambda each: each.dtc or "9999")
    return tuple(_row(frame, number, each) for number, each in enumerate(events, 1))


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
        }
    )


def _events(subject: SubjectRows, frame: Frame) -> Iterator[_Event]:
    told, zone = subject.subject, frame.zone
    for each in told.consents:
        signed = written_instant(each["givenAt"], zone)
        term = f"{CONSENT}, VERSION {each['version']}"
        yield _Event(CONSENT, MILESTONE, signed, term=term, identity=UUID(each["eventId"]))
    if told.enrolled_at is not None:
        yield _Event(ENROLLED, MILESTONE, stamp(told.enrolled_at, zone))
    elif told.screen_failure_reason is not None:
        yield _Event(SCREEN_FAILURE, DISPOSITION, "", PARTICIPATION)
    yield from _assessed(subject, frame)
    if told.consent_withdrawn_at is not None:
        withdrawn = stamp(told.consent_withdrawn_at, zone)
        yield _Event(WITHDRAWAL, DISPOSITION, withdrawn, PARTICIPATION, "CONSENT WITHDRAWN")
    if told.death_at is not None:
        yield _Event(DEATH, DISPOSITION, partial(told.death_at, zone), PARTICIPATION)


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
                yield _Event(TRANSPLANT, OTHER, happened, identity=each.event_id)
            case "CONTACT_REGAINED":
                yield _Event(CONTACT_REGAINED, OTHER, stamp(each.at, frame.zone), identity=each.event_id)
            case "LOSS_TO_FOLLOW_UP" if each is contact[-1]:
                lost = stamp(each.at, frame.zone)
                yield _Event(LOST, DISPOSITION, lost, PARTICIPATION, identity=each.event_id)
            case "LOSS_TO_FOLLOW_UP":
                yield _Event(CONTACT_LOST, OTHER, stamp(each.at, frame.zone), identity=each.event_id)
            case _:
                pass  # Questions about adverse events and survival are parts of the visits, in SV.


def _withdrawal(row: AssessmentRow, frame: Frame) -> _Event:
    part = _FROM[row.facts["scope"]]
    return _Event(WITHDRAWAL, DISPOSITION, stamp(row.at, frame.zone), part, identity=row.event_id)
