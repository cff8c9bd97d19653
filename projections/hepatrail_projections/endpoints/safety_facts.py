"""What one participant contributes to the analysis sets and to the tables of adverse events (`endpoints.md` 1 and 2).

Decided here, because the reference leaves room:

- The target dates count from the anchor's civil date; while the anchor session runs, from that of T0.
- "Not yet assessed" is an event that counts as related only because the investigator has not judged cells and device.
- A date of which only a part is known may be any day of it that lies in the treatment-emergent window.
- Last contact is the last day known alive of section 3.1, so that one rule serves both.
- Followed to a point: last contact on or after its target date, or an assessment of adverse events in its window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Outcome
from hepatrail_events.protocol import Protocol
from hepatrail_events.types import PartialDate
from hepatrail_projections.adverse_event import CountedAdverseEvent
from hepatrail_projections.clinical.adverse_events.window import TeWindow, span, te_window
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.follow_up import FollowUp
from hepatrail_projections.derive import OutcomeRows
from hepatrail_projections.endpoints.safety_terms import TableTerm, aesi_group, system_organ_class, table_term
from hepatrail_projections.plan import visit_plan

_RESOLUTION = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """An adverse event that is not void and counts in some table: treatment-emergent, or serious.

    `grade` is the highest in the treatment-emergent window, None where none is known. `susar` holds by assessed
    causality alone, `susar_provisional` by one that is not assessed yet. `onset_from` and `onset_to` are the first and
    last civil date that the treatment-emergent onset can be; `onset_to` None: nothing is known of it.
    """

    ae_id: UUID
    event_ids: tuple[UUID, ...]
    term: TableTerm
    system: str | None
    group: str | None
    teae: bool
    tesae: bool
    serious: bool
    related: bool
    not_assessed: bool
    grade: int | None
    fatal: bool
    susar: bool
    susar_provisional: bool
    action_taken: str
    onset_from: date | None
    onset_to: date | None


@dataclass(frozen=True, slots=True)
class SafetyFacts:
    """One participant: in the safety set with a session, at risk from `t0` to the first of the three dates after it.

    `session_ids` are the events of the sessions that are not void, `enrolment_ids` those of consent and enrolment
    (empty: not enrolled), `contact_ids` those of the last contact. `te_end` is the last day of the treatment-emergent
    window (None: treatment continues), `last_contact` and `death` are as survival has them (section 3.1). `targets` are
    the points at which adverse events are assessed, `assessed` those of them at which they were, in the window.
    """

    subject_id: str
    enrolment_ids: tuple[UUID, ...]
    session_ids: tuple[UUID, ...]
    t0: date | None
    te_end: date | None
    last_contact: date | None
    contact_ids: tuple[UUID, ...]
    death: date | None
    targets: tuple[tuple[str, date], ...]
    assessed: tuple[str, ...]
    events: tuple[CountedEvent, ...]

    @property
    def treated(self) -> bool:
        """SAF: at least one session that is not void was started."""
        return bool(self.session_ids)

    def followed_to(self, point: str, target: date) -> bool:
        """Whether the participant was followed to a point."""
        return point in self.assessed or (self.last_contact is not None and self.last_contact >= target)

    def days_at_risk(self, cut: date) -> int:
        """Civil days from T0 to the first of last contact, TE_END, death and data cut; 0 for who was not treated."""
        if self.t0 is None:
            return 0
        ends = [each for each in (self.last_contact, self.te_end, self.death, cut) if each is not None]
        return max(0, (min(ends) - self.t0).days)


def safety_facts(rows: OutcomeRows, protocol: Protocol, followed: FollowUp | None) -> SafetyFacts:
    """The facts of a participant under the protocol version by which the rows were derived.

    `followed` is what survival has of the participant (`survival_facts`), None for who was never treated.
    """
    zone, subject = site_zone(protocol.site_zone), rows.subject
    given = [row for row in rows.sessions if not row.voided]
    window = _window(rows, protocol, zone)
    counting = [row for row in rows.adverse_events if row.state != "VOIDED" and (row.teae or row.serious)]
    return SafetyFacts(
        subject_id=subject.subject_id,
        enrolment_ids=() if subject.enrolled_at is None else subject.event_ids[: len(subject.consents) + 1],
        session_ids=tuple(event_id for row in given for event_id in row.event_ids),
        t0=None if window is None else local_date(window.t0, zone),
        te_end=None if window is None or window.ends is None else local_date(window.ends - _RESOLUTION, zone),
        last_contact=None if followed is None else followed.alive.day,
        contact_ids=() if followed is None else followed.alive.event_ids,
        death=None if followed is None or followed.death is None else followed.death.day,
        targets=() if window is None else tuple(_targets(subject.anchor or window.t0, protocol, zone)),
        assessed=tuple(sorted(_assessed(rows))),
        events=tuple(_counted(row, window) for row in counting),
    )


def _window(rows: OutcomeRows, protocol: Protocol, zone: ZoneInfo) -> TeWindow | None:
    given = [row for row in rows.sessions if not row.voided]
    if not given:
        return None
    closing = given[-1] if protocol.safety.safety_end_anchor == "LAST_SESSION_END" else given[0]
    return te_window(given[0].started_at, given[0].access_placed_at, closing.ended_at, protocol.safety, zone)


def _targets(counted_from: datetime, protocol: Protocol, zone: ZoneInfo) -> Iterator[tuple[str, date]]:
    day = local_date(counted_from, zone)
    for point in visit_plan(protocol).points:
        if point.ae and point.kind == "date":
            yield point.code, point.target_date(day)


def _assessed(rows: OutcomeRows) -> set[str]:
    return {
        row.point
        for row in rows.assessments
        if row.kind == "AE_ASSESSMENT" and row.in_window and row.point is not None and not row.voided
    }


def _counted(row: CountedAdverseEvent, window: TeWindow | None) -> CountedEvent:
    began, ended = _onset(row, window)
    return CountedEvent(
        ae_id=row.ae_id,
        event_ids=row.event_ids,
        term=table_term(row),
        system=system_organ_class(row),
        group=aesi_group(row.code) if row.aesi else None,
        teae=row.teae,
        tesae=row.tesae,
        serious=row.serious,
        related=row.related_assessed,
        not_assessed=row.related and not row.related_assessed,
        grade=row.max_grade_te,
        fatal=row.outcome == Outcome.FATAL,
        susar=row.susar and not row.provisional,
        susar_provisional=row.susar and row.provisional,
        action_taken=row.action_taken,
        onset_from=began,
        onset_to=ended,
    )


def _onset(row: CountedAdverseEvent, window: TeWindow | None) -> tuple[date | None, date | None]:
    if window is None or not row.teae or row.te_onset is None:
        return None, None
    zone = window.zone
    first_of_window = local_date(window.starts, zone)
    bounds = span(PartialDate.model_validate(row.te_onset), zone)
    if bounds is None:
        return first_of_window, None
    began, ended = local_date(bounds[0], zone), local_date(bounds[1] - _RESOLUTION, zone)
    last = ended if window.ends is None else min(ended, local_date(window.ends - _RESOLUTION, zone))
    return max(began, first_of_window), last
