"""Whatever is asked of a participant, valid or not: no invariant breaks, and nothing but CommandRejected is raised.

What was decided is read by an auditor who knows nothing of the deciders (`invariants/`), goes through the codec and
into the projection, and folds alike however it is read.
"""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from hypothesis import HealthCheck, currently_in_test_context, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from builders.commands import command_input
from builders.ids import SITE, SUBJECT
from builders.payloads import sealed
from builders.study import protocol_published
from builders.times import NOW
from hepatrail_events.codec import Link, Recorded, read, record
from hepatrail_events.commands import Actor
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.families import FAMILIES
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_projections.derive import derive, stored_at
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_view import SubjectView, empty_view, fold, fold_all
from hepatrail_services.command import Command, read_command
from hepatrail_services.deciders.catalogue import COMMANDS, State, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from histories import BY_TOPIC, OF_A_SUBJECT, Asked, asked
from invariants.auditor import Auditor
from invariants.kept import Study

STREAM = subject_stream(SUBJECT)
SEEDS = st.integers(0, 2**32)
COURSES = 300
BROKEN_ON_THE_WAY = {
    "ENR-01", "ENR-02", "ENR-03", "ENR-04", "SES-01", "SES-02", "SES-03", "SES-04", "SES-05", "SES-06", "LAB-01",
    "LAB-03", "VIS-01", "VIS-02", "VIS-03", "VIS-04", "VIS-05", "CON-01", "SUB-01", "SUB-02", "INV-02", "INV-03",
    "INV-04", "INV-05", "INV-06", "INV-07", "INV-08", "INV-09", "INV-11", "INV-12", "INV-14", "INV-21",
    "SHAPE", "FORBIDDEN", "CONFLICT",
}  # fmt: skip
"""Rules, and codes of rejections without a rule, that the courses try."""


class Stream:
    """One stream's decider, with its log, as a shell keeps them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: list[Recorded] = []
        self.state: State = initial_state(name)
        self._link = Link()

    def take(self, events: tuple[Event, ...], command: Command, context: Context) -> list[Recorded]:
        """Writes a commit and folds what is read back."""
        written = [self._written(event, index, len(events), command, context) for index, event in enumerate(events)]
        self.log += written
        return written

    def _written(self, event: Event, index: int, size: int, command: Command, context: Context) -> Recorded:
        envelope = Envelope(
            id=uuid5(command.command_id, f"{self.name}|{index}"),
            type=event.type_name(),
            version=event.VERSION,
            stream=self.name,
            streamseq=self._link.streamseq + 1,
            commitid=command.command_id,
            commitindex=index,
            commitsize=size,
            prevhash=self._link.hash,
            receivedat=context.received_at,
            recordedat=context.now,
            actorid=context.actor.id,
            actorrole=context.actor.role,
            actororg=context.actor.org,
            producer="hepatrail/test",
            studyseq=0,
        )
        written = record(envelope, event)
        again = read(written.raw)
        assert again == written, "what is read is what was written"
        self._link = self._link.follow(again)
        self.state = evolve(self.state, again)
        return again


class Course:
    """One participant in a study that goes on beside: what is sent, decided, read by the auditor and projected."""

    def __init__(self) -> None:
        self.now = NOW
        self.number = 0
        self.study, self.subject = Stream(STUDY), Stream(STREAM)
        self.auditor = Auditor(SUBJECT, Study())
        self.view: SubjectView = empty_view(SUBJECT)
        self.study_view: StudyView = EMPTY_STUDY
        self.rejected: Counter[str | None] = Counter()
        self._tell("publishProtocol", Role.SPONSOR)
        self._tell("activateSite", Role.ADMIN)

    def begin(self) -> None:
        """Consent and enrolment, as with most participants."""
        for name in ("recordConsent", "enrolSubject"):
            self.number += 1
            body = command_input(name, commandId=str(UUID(int=self.number)))
            self._decide(Asked(name, Role.INVESTIGATOR, "dr-li", ("*",), body))

    def ask(self, topic: str, chance: Random) -> None:
        """Somebody sends a command of this topic."""
        self.number += 1
        self.now += timedelta(minutes=1)
        sent = asked(chance, topic, self.auditor, self.number, self.now, len(self.subject.log))
        self._decide(sent)

    def steer(self, what: str) -> None:
        """Something happens in the study: a hold, its release, the site's approval, a new protocol version."""
        of_one = {"scope": "PARTICIPANT", "subjectId": SUBJECT, "reason": sealed()}
        match what:
            case "hold sessions":
                self._tell("placeHold", Role.PRINCIPAL_INVESTIGATOR)
            case "hold one":
                self._tell("placeHold", Role.PRINCIPAL_INVESTIGATOR, **of_one)
            case "hold enrolment":
                self._tell("placeHold", Role.PRINCIPAL_INVESTIGATOR, action="HOLD_ENROLMENT")
            case "release":
                for hold_id in list(self.auditor.study.holds):
                    self._tell("releaseHold", Role.PRINCIPAL_INVESTIGATOR, holdId=hold_id)
            case "site" if SITE in self.auditor.study.sites:
                self._tell("deactivateSite", Role.ADMIN)
            case "site":
                self._tell("activateSite", Role.ADMIN)
            case _ if len(self.study_view.protocols) == 1:
                content = protocol_published(laboratories=("BFH-LAB",), weight_max_age_days=9).content
                self._tell("publishProtocol", Role.SPONSOR, version="2.0", content=content)

    def hold_however_it_is_read(self) -> None:
        """Live, from the log's bytes, and as of the last event: the same state, the same view, the same rows."""
        log = [read(each.raw) for each in self.subject.log]
        state = initial_state(STREAM)
        for each in log:
            state = evolve(state, each)
        assert state == self.subject.state
        again = fold_all(SUBJECT, log)
        assert again == self.view
        if log:
            as_of = [each for each in log if each.envelope.recordedat <= log[-1].envelope.recordedat]
            assert fold_all(SUBJECT, as_of) == self.view
            at = stored_at(self.view, self.study_view)
            assert derive(again, self.study_view, at) == derive(self.view, self.study_view, at)

    def _tell(self, name: str, role: Role, **changes: Any) -> None:
        """A command to the study, always one that is accepted."""
        self.number += 1
        command = read_command(COMMANDS[name], command_input(name, commandId=str(UUID(int=self.number)), **changes))
        context = Context(self.now, Actor(id="pi", role=role, org="BFH", sites=("*",)), command.command_id, self.now)
        assert isinstance(self.study.state, StudyState)
        events = decide(self.study.state, self.study.state, command, context)
        for each in self.study.take(events, command, context):
            self.auditor.study.take(each)
            self.study_view = fold_study(self.study_view, each)

    def _decide(self, sent: Asked) -> None:
        """The decider's answer; the auditor and the projection take what was decided."""
        if currently_in_test_context():
            note(f"{self.now:%d %H:%M} {sent.name} {sent.role} {sent.who} {sent.sites} {sent.body}")
        before = self.subject.state
        assert isinstance(self.study.state, StudyState)
        try:
            command = read_command(COMMANDS[sent.name], sent.body)
            actor = Actor(id=sent.who, role=sent.role, org="BFH", sites=sent.sites)
            context = Context(self.now, actor, command.command_id, self.now)
            events = decide(before, self.study.state, command, context)
        except CommandRejected as rejection:
            assert rejection.message.endswith((".", ")"))
            self.rejected[rejection.rule or rejection.code] += 1
            return
        assert decide(before, self.study.state, command, context) == events, "a decision is a pure function"
        commit = self.subject.take(events, command, context)
        for each in commit:
            self.view = fold(self.view, each)
        if commit:
            self.auditor.take(commit)
            assert (self.view.version, self.view.last_hash) == (len(self.subject.log), commit[-1].hash)


STEPS = (*BY_TOPIC, "course", "course", "course")
"""Topics as often as their rules are many."""
IN_THE_STUDY = (
    "hold sessions",
    "hold one",
    "hold enrolment",
    "release",
    "release",
    "release",
    "site",
    "site",
    "protocol",
)


class Participant(RuleBasedStateMachine):
    """Commands of every topic in any order, from anybody; a failure is shrunk to the steps that it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.course = Course()

    @initialize(enrolled=st.sampled_from([True, True, True, False]))
    def begin(self, enrolled: bool) -> None:
        """Mostly a participant who is enrolled, sometimes nobody yet."""
        if enrolled:
            self.course.begin()

    @rule(topic=st.sampled_from(STEPS), seed=SEEDS)
    def ask(self, topic: str, seed: int) -> None:
        """Somebody sends a command; the step's number keeps equal seeds apart."""
        self.course.ask(topic, Random(seed + self.course.number))

    @precondition(lambda self: self.course.auditor.events)
    @rule(seed=SEEDS)
    def follow(self, seed: int) -> None:
        """Somebody sends a command about an adverse event that is there."""
        self.course.ask("course", Random(seed + self.course.number))

    @rule(hours=st.sampled_from([1, 25, 24 * 8]))
    def wait(self, hours: float) -> None:
        """Time goes by."""
        self.course.now += timedelta(hours=hours)

    @rule(what=st.sampled_from(IN_THE_STUDY))
    def steer(self, what: str) -> None:
        """Something happens in the study."""
        self.course.steer(what)

    def teardown(self) -> None:
        """However the stream is read, it says the same."""
        self.course.hold_however_it_is_read()


TestParticipant = Participant.TestCase
TestParticipant.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_every_command_may_be_drawn() -> None:
    assert sorted(name for names in BY_TOPIC.values() for name in names) == sorted(OF_A_SUBJECT)


def test_lawful_courses_bring_about_every_event_and_break_no_invariant() -> None:
    """The same by plain chance: long courses, always the same ones, so that nothing here stays untried."""
    seen: Counter[str] = Counter()
    rejected: Counter[str | None] = Counter()
    for seed in range(COURSES):
        chance, course = Random(seed), Course()
        if seed % 6:
            course.begin()
        for _ in range(80):
            course.ask(chance.choice(STEPS), chance)
            if chance.random() < 0.05:
                course.steer(chance.choice(IN_THE_STUDY))
            if chance.random() < 0.1:
                course.now += timedelta(hours=chance.choice([1, 25, 24 * 8]))
        course.hold_however_it_is_read()
        seen.update(each.envelope.type for each in course.subject.log)
        rejected.update(course.rejected)
    kinds = {kind for family, kinds in FAMILIES.items() if family not in ("study", "safety_desk") for kind in kinds}
    assert {kind.type_name() for kind in kinds} - seen.keys() == set()
    assert BROKEN_ON_THE_WAY - rejected.keys() == set()
