"""Random but lawful histories of a trial: every kind of event of every family may happen, from a seed.

The folds need no more than that an event refers to what is there, so the histories are wider than deciders would allow.
"""

from collections.abc import Callable
from datetime import timedelta

from happenings.adverse_events import AdverseEvents
from happenings.assessments import Assessments
from happenings.course import Course
from happenings.measurements import Measurements
from happenings.records import Records
from happenings.sessions import Sessions
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.enrolment import ConsentRecorded, ScreenFailed
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.study import SiteActivated
from log_commits import acknowledge, alert, publish
from projection_log import SEALED, LogWriter


def history(seed: int, subjects: int = 3, steps: int = 60) -> LogWriter:
    """A random trial; a second protocol version is published half way and takes effect a day later."""
    log = LogWriter(seed)
    publish(log)
    log.commit(STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"), role="ADMIN")
    _screen_failure(log)
    players = [_Player(log, f"S-{number:02d}") for number in range(subjects)]
    alerts = 0
    for step in range(steps):
        log.tick(log.chance.uniform(1, 600))
        player = log.chance.choice(players)
        event = player.act()
        if event is not None and log.chance.random() < 0.5:
            alerts += 1
            raised = alert(log, alerts, event, player.subject_id)
            for by in ("dr-li", "officer")[: log.chance.randint(0, 2)]:
                acknowledge(log, raised, by)
        if step == steps // 2:
            later, whole = log.now + timedelta(days=1), EndpointRules(dose_target_scope="TOTAL").model_dump()
            publish(log, "2.0", later, dose_tolerance="0.05", self_ack=True, endpoints=whole)
    return log


def _screen_failure(log: LogWriter) -> None:
    stream = subject_stream("S-FAILED")
    log.commit(stream, ConsentRecorded(site_id="BFH", version="1", given_at=log.now, health_data_consent=True))
    log.commit(stream, ScreenFailed(reason=SEALED))


class _Player:
    """One participant to whom something happens each time."""

    def __init__(self, log: LogWriter, subject_id: str) -> None:
        self.subject_id = subject_id
        self._course = course = Course(log, subject_id)
        measurements, sessions, adverse_events = Measurements(course), Sessions(course), AdverseEvents(course)
        assessments = Assessments(course)
        records = Records(course, measurements, sessions, adverse_events)
        self._deeds: tuple[tuple[Callable[[], AEReported | None], int], ...] = (
            (measurements.take_sample, 4),
            (measurements.observe, 2),
            (sessions.treat, 4),
            (measurements.mend, 3),
            (sessions.mend, 1),
            (adverse_events.report, 3),
            (adverse_events.change, 6),
            (assessments.assess, 3),
            (records.record, 3),
            (records.mend, 2),
            (records.submit, 2),
            (records.query, 2),
            (assessments.end, 1),
        )

    def act(self) -> AEReported | None:
        """Something happens; the adverse event if one was reported."""
        (deed,) = self._course.log.chance.choices(
            [each for each, _ in self._deeds], [weight for _, weight in self._deeds]
        )
        return deed()
