"""A year in seconds: whenever the scheduler ticks, the same fires, each once, in order (`safety.md` 6.3)."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.measurements import row
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.safety_desk import AlertEscalated, AlertRaised
from hepatrail_events.streams import SAFETY_DESK, subject_stream
from trial_in_memory import DAY, HOUR, TrialInMemory, Watch, minute, text

BEGIN = datetime(2026, 3, 2, 1, tzinfo=UTC)
SUBJECTS = ("S-001", "S-002", "S-003")

Act: TypeAlias = Callable[[TrialInMemory], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Fired:
    """What a year has brought: alerts and levels, whoever looked when."""

    alerts: frozenset[UUID]
    levels: frozenset[tuple[UUID, int]]
    by_time: tuple[tuple[UUID, datetime], ...]


def publish(version: str, effective: datetime | None = None, **safety: Any) -> Act:
    async def act(trial: TrialInMemory) -> None:
        shipped = shipped_protocol()
        rules = shipped.safety.model_copy(update=safety)
        content = Protocol.model_validate({**shipped.model_dump(), "safety": rules.model_dump()}).content()
        await trial.send(
            "publishProtocol", version=version, content=content, effectiveAt=text(effective or trial.moment)
        )

    return act


def send(name: str, **changes: Any) -> Act:
    async def act(trial: TrialInMemory) -> None:
        await trial.send(name, **changes)

    return act


def enter(subject: str) -> Act:
    async def act(trial: TrialInMemory) -> None:
        now = text(trial.moment)
        await trial.send("recordConsent", subjectId=subject, givenAt=now)
        await trial.send("enrolSubject", subjectId=subject)
        await trial.send("startSession", subjectId=subject, startedAt=now, weightMeasuredAt=now)

    return act


def report(subject: str, *criteria: str, grade: int = 3, code: str = "FEVER", **changes: Any) -> Act:
    async def act(trial: TrialInMemory) -> None:
        now = trial.moment
        await trial.send(
            "reportAdverseEvent",
            subjectId=subject,
            code=code,
            grade=grade,
            criteria=list(criteria),
            **{"onset": minute(now), "awareAt": text(now), "gradeAt": minute(now), **changes},
        )

    return act


def of_last(subject: str, name: str, **changes: Any) -> Act:
    """A command about the participant's last adverse event."""

    async def act(trial: TrialInMemory) -> None:
        events = [each.event for each in trial.events(subject_stream(subject))]
        ae_id = [each.ae_id for each in events if isinstance(each, AEReported)][-1]
        stamps = {"recordSubmission": "submittedAt", "changeSeriousnessCriteria": "awareAt"}
        stamped = {stamps[name]: text(trial.moment)} if name in stamps else {}
        given: dict[str, Any] = {"subjectId": subject, "aeId": str(ae_id), **stamped, **changes}
        await trial.send(name, **given)

    return act


def labs(subject: str, **values: float) -> Act:
    async def act(trial: TrialInMemory) -> None:
        rows = [row(code, value, low="3.5", high="5.5") for code, value in values.items()]
        await trial.send("recordLabResults", subjectId=subject, collectedAt=text(trial.moment), results=rows)

    return act


def die(subject: str) -> Act:
    async def act(trial: TrialInMemory) -> None:
        now = trial.moment
        await trial.send("recordDeath", subjectId=subject, deathAt=minute(now), awareAt=text(now))

    return act


def submit(subject: str, to: str, kind: str = "INITIAL") -> Act:
    return of_last(subject, "recordSubmission", to=to, kind=kind)


YEAR: tuple[tuple[timedelta, Act], ...] = (
    (0 * HOUR, publish("1.0")),
    (1 * HOUR, send("activateSite")),
    *((number * DAY, enter(subject)) for number, subject in enumerate(SUBJECTS, 1)),
    (5 * DAY, report("S-001", "HOSPITALISATION")),
    (5 * DAY + 3 * HOUR, submit("S-001", "EC")),
    (5 * DAY + 26 * HOUR, submit("S-001", "INSTITUTION")),
    (12 * DAY, submit("S-001", "NMPA")),
    (16 * DAY, labs("S-001", potassium=6.5)),
    (20 * DAY, report("S-002", "LIFE_THREATENING", grade=4)),
    (26 * DAY, submit("S-002", "NMPA")),
    (31 * DAY, of_last("S-002", "assessCausality", target="DEVICE", value="UNRELATED")),
    (32 * DAY, of_last("S-002", "assessCausality", target="CELL_PRODUCT", value="UNRELATED")),
    (60 * DAY, publish("2.0", BEGIN + 90 * DAY, clock_warning_hours=12, alert_aesi_grade_ge=2)),
    (70 * DAY, report("S-001", code="THROMBOSIS_VENOUS", grade=2)),
    (88 * DAY + 20 * HOUR, report("S-003", "HOSPITALISATION")),
    (89 * DAY, of_last("S-003", "changeSeriousnessCriteria", added=["MEDICALLY_IMPORTANT"])),
    (120 * DAY, labs("S-003", potassium=6.4)),
    (120 * DAY + 20 * HOUR, labs("S-003", potassium=4)),
    (200 * DAY, die("S-002")),
    (300 * DAY, report("S-003", "LIFE_THREATENING", grade=4)),
)
END = BEGIN + 365 * DAY


async def live(ticks: Sequence[datetime], restart_at: Sequence[datetime] = ()) -> tuple[Fired, TrialInMemory]:
    """The year, with the process looking at these instants; from `restart_at` on another one that knows nothing."""
    trial = TrialInMemory(BEGIN)
    watch = Watch(trial)
    moments: list[tuple[datetime, int, Act | None]] = [(BEGIN + after, 0, act) for after, act in YEAR]
    moments += [(tick, 1, None) for tick in {*ticks, END}] + [(moment, 2, None) for moment in restart_at]
    for moment, kind, act in sorted(moments, key=lambda each: each[:2]):
        trial.moment = moment
        if act is not None:
            await act(trial)
        elif kind == 1:
            await watch.look()
        else:
            watch = Watch(trial)
    return fired(trial), trial


def fired(trial: TrialInMemory) -> Fired:
    """What stands on the desk; each once, levels in order, numbers without a gap."""
    alerts, levels = trial.alerts, trial.levels
    assert [each.alert_seq for each in alerts] == list(range(1, len(alerts) + 1))
    assert len({each.alert_id for each in alerts}) == len(alerts)
    assert len(set(levels)) == len(levels)
    for alert in alerts:
        of_alert = [level for alert_id, level in levels if alert_id == alert.alert_id]
        assert of_alert == sorted(of_alert)
    timed = tuple((each.alert_id, each.raised_at) for each in alerts if _by_time(each))
    return Fired(frozenset(each.alert_id for each in alerts), frozenset(levels), tuple(sorted(timed)))


def _by_time(alert: AlertRaised) -> bool:
    return alert.type in ("CLOCK_WARNING", "CLOCK_BREACH", "DEATH_WITHOUT_AE", "LAB_GRADE_UNREVIEWED")


@pytest.fixture(scope="module")
def continuous() -> Fired:
    """The year with a look every hour."""
    return asyncio.run(live([BEGIN + number * HOUR for number in range(365 * 24)]))[0]


def test_the_year_holds_every_alert_of_time(continuous: Fired) -> None:
    _, trial = asyncio.run(live([BEGIN + number * DAY for number in range(365)]))
    types = {each.type for each in trial.alerts}
    assert types >= {"CLOCK_WARNING", "CLOCK_BREACH", "DEATH_WITHOUT_AE", "LAB_GRADE_UNREVIEWED", "AESI_SEVERE"}
    assert fired(trial) == continuous


def test_one_look_at_the_end_of_the_year_finds_everything_and_marks_it_late(continuous: Fired) -> None:
    found, trial = asyncio.run(live([]))
    assert found == continuous
    assert all(each.late for each in trial.alerts if _by_time(each))
    assert all(each.event.late for each in trial.events(SAFETY_DESK) if isinstance(each.event, AlertEscalated))


_HOURS = st.integers(0, 365 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))


@settings(max_examples=25, deadline=None)
@given(ticks=st.lists(_HOURS, max_size=40), restarts=st.lists(_HOURS, max_size=3))
def test_whenever_it_looks_and_whenever_it_starts_from_nothing_the_same_fires(
    continuous: Fired, ticks: list[datetime], restarts: list[datetime]
) -> None:
    found, _ = asyncio.run(live(ticks, restarts))
    assert found == continuous
