"""What passing time makes due, as pure functions of state and instant: nothing here remembers what it said.

Decided here, because the reference leaves room:

- A participant's timers are what time raises while nothing more is recorded. They are asked for up to an instant until
  which everything recorded has been read, and once more before each commit up to its recordedAt (`passing.py`). So
  what fires does not depend on when anybody looked.
- A reminder whose reason came about after its time (a fatal event voided a week after the death) is due at that moment.
- Late means more than 60 s after the due instant.
- A level of escalation counts from raisedAt by the protocol in force now; a reporter's own acknowledgement stops it
  where the protocol says so.
- INV-20 (no causality, or no grade, 24 h after the report) is no alert of `safety.md` 6.1: it is a data query, which
  the projection opens by time. Nothing is due for it here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from uuid import UUID

from hepatrail_events.adverse_events import Outcome
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import Protocol
from hepatrail_events.safety_desk import AlertContent, AlertType
from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.desk_view import AlertFact, DeskView
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.lab_grades import unreviewed_findings
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.deciders.safety_desk import EscalateAlert, RaiseAlert
from hepatrail_services.deciders.study import PlaceHold
from hepatrail_services.safety import identity
from hepatrail_services.safety.stopping import hold_commands
from hepatrail_services.safety.timed_content import clock_alert, death_without_ae_alert, lab_finding_alert

LATE = timedelta(seconds=60)
"""What comes longer than this after its time is marked late."""


@dataclass(frozen=True, slots=True)
class Timer:
    """An alert that time raises at `fire_at` if nothing is recorded until then; `content` says what, late or not."""

    fire_at: datetime
    alert_id: UUID
    content: Callable[[bool], AlertContent]

    def command(self, now: datetime) -> RaiseAlert:
        """The command, sent at `now`."""
        return identity.raising(self.content(_is_late(self.fire_at, now)))


@dataclass(frozen=True, slots=True)
class Level:
    """A level of escalation that has not fired, and when it is to."""

    fire_at: datetime
    alert_seq: int
    level: int
    alert_id: UUID

    def command(self, now: datetime) -> EscalateAlert:
        """The command, sent at `now`; its id is the level's (`safety.md` 6.3)."""
        return EscalateAlert(
            command_id=derived_id(self.alert_id, self.level),
            alert_id=self.alert_id,
            level=self.level,
            late=_is_late(self.fire_at, now),
        )


def levels_of(alert: AlertFact, protocol: Protocol) -> tuple[Level, ...]:
    """The levels of an alert that have not fired and that no acknowledgement has stopped so far."""
    raised = alert.raised
    minutes = next((each.minutes for each in protocol.escalation if each.priority == raised.priority), ())
    fired = {each.event.level for each in alert.escalations}
    stopped_at = alert.stopped_at(protocol.self_ack)
    ahead = (
        Level(raised.raised_at + timedelta(minutes=after), raised.alert_seq, level, raised.alert_id)
        for level, after in enumerate(minutes, 1)
        if level not in fired
    )
    return tuple(each for each in ahead if stopped_at is None or stopped_at > each.fire_at)


def fallen_due_levels(levels: Iterable[Level], now: datetime, settled: Set[tuple[UUID, int]]) -> list[Level]:
    """Those of the levels whose time has come and that are not settled, in the order of their times."""
    due = (each for each in levels if each.fire_at <= now and (each.alert_id, each.level) not in settled)
    return sorted(due, key=attrgetter("fire_at", "alert_seq", "level"))


def fallen_due(timers: Iterable[Timer], desk: DeskView, until: datetime) -> Iterator[Timer]:
    """Those of the timers that have fired by `until` and that the desk does not hold."""
    return (each for each in timers if each.fire_at <= until and each.alert_id not in desk.alerts)


def timers_of(
    view: SubjectView, study: StudyView, at: datetime, clocks: Mapping[UUID, Iterable[Clock]]
) -> tuple[Timer, ...]:
    """Everything that time raises of a participant of whom nothing more is recorded, past and to come, in order.

    `at` decides which protocol is in force; what the view holds beyond it counts. `clocks` are the view's, by aeId.
    """
    if view.recorded_at is None:
        return ()
    reached = max(at, view.recorded_at)
    published = study.published_at(reached)
    if published is None:
        return ()
    begun = max(view.recorded_at, published.row.effective_from)
    timers = (
        *_of_clocks(view, study, clocks),
        *_of_death(view, study, published, begun),
        *_of_findings(view, study, published, begun),
    )
    return tuple(sorted(timers, key=attrgetter("fire_at", "alert_id")))


def holds_due(desk: DeskView, study: StudyView) -> tuple[PlaceHold, ...]:
    """The holds that hits of stopping rules demand and that the study has never seen, oldest hit first."""
    missing = (hit for hit in desk.hits.values() if any(hold_id not in study.holds for hold_id in hit.hold_ids))
    return tuple(
        command
        for hit in missing
        for command in hold_commands(hit.event, hit.envelope, study)
        if command.hit_id is not None and derived_id(command.hit_id, command.action) not in study.holds
    )


def _of_clocks(view: SubjectView, study: StudyView, clocks: Mapping[UUID, Iterable[Clock]]) -> Iterator[Timer]:
    for of_one in clocks.values():
        for clock in of_one:
            warn_at = max(clock.warn_at, clock.changed_at)
            if warn_at < clock.due_at:
                yield from _of_clock(view, study, clock, AlertType.CLOCK_WARNING, warn_at)
            yield from _of_clock(view, study, clock, AlertType.CLOCK_BREACH, max(clock.due_at, clock.changed_at))


def _of_clock(view: SubjectView, study: StudyView, clock: Clock, kind: AlertType, fire_at: datetime) -> Iterator[Timer]:
    """The alert, unless by then it was known that the report was handed over or that it is not needed."""
    known = (clock.met_recorded_at, clock.cancelled_at)
    if all(moment is None or moment > fire_at for moment in known):
        alert_id = identity.clock_alert(clock.clock_id, kind)
        yield Timer(fire_at, alert_id, partial(clock_alert, view, study, clock, kind, fire_at))


def _of_death(view: SubjectView, study: StudyView, published: PublishedProtocol, begun: datetime) -> Iterator[Timer]:
    """INV-18: a death without a fatal adverse event."""
    record = view.death_record
    if record is None or not record.stands or any(_fatal(view)):
        return
    due_at = record.recorded_at + timedelta(hours=published.protocol.safety.entry_reminder_hours)
    fire_at = max(due_at, begun)
    alert_id = identity.death_without_ae_alert(view.subject_id)
    yield Timer(fire_at, alert_id, partial(death_without_ae_alert, view, study, fire_at))


def _fatal(view: SubjectView) -> Iterator[bool]:
    return (fact.voided is None and fact.outcome is Outcome.FATAL for fact in view.adverse_events.values())


def _of_findings(view: SubjectView, study: StudyView, published: PublishedProtocol, begun: datetime) -> Iterator[Timer]:
    """Severe laboratory grades that nobody has reviewed in time (`ctcae_labs.md` R13)."""
    if not view.results:
        return
    for finding in unreviewed_findings(view, clinical_state(view, published)):
        fire_at = max(finding.opens_at, begun)
        alert_id = identity.lab_finding_alert(finding.result_id)
        yield Timer(fire_at, alert_id, partial(lab_finding_alert, view, study, finding, fire_at))


def _is_late(fire_at: datetime, now: datetime) -> bool:
    return now - fire_at > LATE
