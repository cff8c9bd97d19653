"""Random histories: what the radar says of the whole log is what a system has said that looked after every commit.

T0, the baseline and the protocol stand still here; everything else that a finding rests on is recorded, mended, taken
away and recorded late.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.adverse_events import AECorrected, AEReported, Criterion, Outcome
from hepatrail_events.assessments import DeathRecordCorrected
from hepatrail_events.codec import read
from hepatrail_events.concomitant import ProcedureKind, ProcedureVoided
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.radar.catalogue import sightings
from hepatrail_projections.clinical.radar.sighting import FindingKind, Sighting
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.subject_view import SubjectView, empty_view, fold
from projection_log import SEALED
from query_course import S, minute, void
from radar_course import RadarCourse

Identity = tuple[FindingKind, UUID, str]
CODES = (
    {"code": "FEVER"},
    {"code": "HEPATIC_FAILURE_WORSENING"},
    {"code": "LAB_ABNORMALITY", "ctcae_term": "Platelet count decreased"},
)
CRITERIA = ((), (), (Criterion.HOSPITALISATION,), (Criterion.LIFE_THREATENING,), (Criterion.DEATH,))


@dataclass
class Player:
    """Whoever records things, at random."""

    course: RadarCourse
    chance: random.Random
    events: list[AEReported] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)
    results: list[UUID] = field(default_factory=list)
    procedures: list[UUID] = field(default_factory=list)
    dead: bool = False

    def act(self) -> None:
        """One commit, some hours later."""
        self.course.wait(hours=self.chance.choice((0.2, 3, 30, 100)))
        deeds = [self.report, self.measure, self.measure, self.breathe, self.treat, self.die]
        deeds += [self.judge, self.judge, self.judge] if self.events else []
        deeds += [self.mend, self.review] if self.results else []
        deeds += [self.take_back] if self.procedures else []
        self.chance.choice(deeds)()

    def earlier(self) -> datetime:
        """Now, or some time before."""
        return self.course.now - timedelta(hours=self.chance.choice((0, 0, 0, 5, 50, 300)))

    def report(self) -> None:
        begun = minute(self.earlier())
        grade = self.chance.choice((None, 1, 2, 2, 3, 4, 4, 5))
        event = self.course.adverse_event(
            **self.chance.choice(CODES),
            onset=begun,
            grade=grade,
            grade_at=None if grade is None else begun,
            criteria=self.chance.choice(CRITERIA),
            outcome=self.chance.choice((Outcome.NOT_RECOVERED, Outcome.NOT_RECOVERED, Outcome.FATAL)),
            causality=(),
        )
        self.events.append(event)
        self.versions[event.ae_id] = 1

    def judge(self) -> None:
        event = self.chance.choice(self.events)
        version = self.versions[event.ae_id] = self.versions[event.ae_id] + 1
        course = self.course
        deeds: list[Callable[[], object]] = [
            lambda: course.regrade(event, self.chance.choice((1, 2, 3, 4, 5)), version),
            lambda: course.upgrade(event, self.chance.choice(CRITERIA[2:])[0], version=version),
            lambda: course.downgrade(event, version),
            lambda: course.resolve(event, self.chance.choice((Outcome.RECOVERED, Outcome.FATAL)), version),
            lambda: course.void_ae(event, version),
            lambda: course.commit(
                AECorrected(
                    ae_id=event.ae_id,
                    ae_version=version,
                    field="onset",
                    new_value=minute(self.earlier()).value,
                    reason=SEALED,
                )
            ),
        ]
        self.chance.choice(deeds)()

    def measure(self) -> None:
        values = {
            "platelets": self.chance.choice(("140", "60", "40", "20")),
            "alt": self.chance.choice(("200", "400", "700")),
            "tbil": self.chance.choice(("340", "500", "800")),
            "alp": self.chance.choice(("100", "100", "400")),
        }
        chosen = dict(self.chance.sample(sorted(values.items()), self.chance.randint(1, 4)))
        self.results += self.course.sampled(chosen, self.earlier())

    def breathe(self) -> None:
        self.results.append(self.chance.choice((self.course.gas, self.course.outpatient))(at=self.earlier()))

    def treat(self) -> None:
        kind = self.chance.choice((ProcedureKind.HD, ProcedureKind.CVVHD, ProcedureKind.PLASMA_EXCHANGE))
        self.procedures.append(self.course.procedure(kind, minute(self.earlier())))

    def take_back(self) -> None:
        procedure_id = self.procedures.pop(self.chance.randrange(len(self.procedures)))
        self.course.commit(ProcedureVoided(**void(procedure_id)))

    def mend(self) -> None:
        result_id = self.chance.choice(self.results)
        if self.chance.random() < 0.3:
            self.results.remove(result_id)
            self.course.void_result(result_id)
        else:
            self.course.correct_result(result_id, self.chance.choice(("20", "60", "140", "500", "800")))

    def review(self) -> None:
        self.course.review(self.chance.choice(self.results), self.chance.choice((None, 1, 3, 4)))

    def die(self) -> None:
        if self.dead:
            self.course.commit(DeathRecordCorrected(revived=True, reason=SEALED))
        else:
            self.course.died()
        self.dead = not self.dead


@dataclass
class Watcher:
    """Looks after every commit at what holds now, and remembers since when, and how what it listed went."""

    going: dict[Identity, tuple[datetime, datetime]] = field(default_factory=dict)
    gone: dict[Identity, tuple[datetime, datetime]] = field(default_factory=dict)
    """By finding, when it was listed and, of those that went, when that was recorded."""

    def look(self, seen: dict[Identity, Sighting], now: datetime) -> None:
        for identity in [each for each in self.going if each not in seen]:
            _, listed = self.going.pop(identity)
            if listed < now:
                self.gone[identity] = (listed, now)
        for identity, each in seen.items():
            if identity not in self.going:
                hours = 0 if identity in self.gone else each.seen.wait_hours
                self.going[identity] = (now, now + timedelta(hours=hours))


def identity(sighting: Sighting) -> Identity:
    return sighting.kind, sighting.about.object_id, sighting.about.aspect


@dataclass
class Live:
    """The participant as folded event by event."""

    course: RadarCourse
    view: SubjectView = field(default_factory=lambda: empty_view(S))
    read: int = 0

    def seen(self) -> tuple[Sighting, ...]:
        """What the radar says now."""
        records = self.course.log.records
        for each in records[self.read :]:
            recorded = read(each.value or b"") if each.topic == EVENTS else None
            if recorded is not None and recorded.envelope.stream == self.course.stream:
                self.view = fold(self.view, recorded)
        self.read = len(records)
        return sightings(self.view, clinical_state(self.view, self.course.published))


def begun() -> RadarCourse:
    course = RadarCourse()
    course.lab(platelets="140", alt="200", tbil="340", alp="100")
    course.gas()
    course.wait(hours=1)
    course.session()
    course.wait(days=20)
    return course


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_the_whole_log_tells_what_was_seen_commit_by_commit(seed: int) -> None:
    course, watcher = begun(), Watcher()
    player, live = Player(course, random.Random(seed)), Live(course)
    for _ in range(30):
        player.act()
        watcher.look({identity(each): each for each in live.seen() if each.gone_at is None}, course.now)
    told = live.seen()
    assert {identity(each): each.opened_at for each in told if each.gone_at is None} == {
        each: listed for each, (_, listed) in watcher.going.items()
    }
    assert {identity(each): (each.opened_at, each.gone_at) for each in told if each.gone_at is not None} == {
        each: times for each, times in watcher.gone.items() if each not in watcher.going
    }


def test_the_histories_show_every_kind_open_and_gone() -> None:
    seen: set[tuple[FindingKind, bool]] = set()
    for seed in range(25):
        course = begun()
        player = Player(course, random.Random(seed))
        for _ in range(30):
            player.act()
        seen |= {(each.kind, each.gone_at is None) for each in Live(course).seen()}
    assert seen == {(kind, holds) for kind in FindingKind for holds in (True, False)}
