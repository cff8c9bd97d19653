"""The scheduler beside the commits: who stops whom, what is refused, what a restart says again (`safety.md` 6.3)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.safety_desk import AlertEscalated
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import HoldPlaced
from hepatrail_services.safety.catching_up import FOLLOWED
from hepatrail_services.safety.timers import TimerMemory
from trial_in_memory import DAY, HOUR, TrialInMemory, Watch, minute, text

BEGIN = datetime(2026, 3, 2, 1, tzinfo=UTC)
FIRST, SECOND = "S-001", "S-002"


class Refusing(TrialInMemory):
    """Deciders that do not want some commands."""

    def __init__(self, begin: datetime) -> None:
        super().__init__(begin)
        self.unwanted: dict[str, Code] = {}
        """Command type, or type of alert, to the rejection."""

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision:  # noqa: ASYNC109
        """A rejection, or the decision of the rules."""
        alert = message.input.get("alert", {})
        code = self.unwanted.get(message.commandtype) or self.unwanted.get(alert.get("type", ""))
        if code is None:
            return await super().ask(message, timeout)
        self.asked.append(message)
        known = self._decided.get((message.stream, message.commandid))
        if known is not None:
            return known.model_copy(update={"repeat": True})
        decision = self._decision(message, code, "No.")
        if decision.binds:
            self._decided[message.stream, message.commandid] = decision
        return decision


async def opened(*subjects: str) -> Refusing:
    trial = Refusing(BEGIN)
    await trial.send("publishProtocol", effectiveAt=text(BEGIN))
    await trial.send("activateSite")
    for subject in subjects:
        await trial.send("recordConsent", subjectId=subject, givenAt=text(BEGIN))
    return trial


async def report(trial: TrialInMemory, subject: str) -> None:
    now = trial.moment
    given: dict[str, Any] = {"onset": minute(now), "awareAt": text(now), "gradeAt": minute(now), "grade": 3}
    await trial.send("reportAdverseEvent", subjectId=subject, criteria=["HOSPITALISATION"], **given)


def told(trial: TrialInMemory, subject: str) -> list[str]:
    return [each.type.value for each in trial.alerts if each.subject_id == subject]


def asked(trial: TrialInMemory, kind: str) -> list[CommandMessage]:
    return [each for each in trial.asked if each.commandtype == kind]


async def test_a_poisoned_participant_stops_nobody_and_its_clocks_go_on_from_what_was_read() -> None:
    trial = await opened(FIRST, SECOND)
    watch = Watch(trial)
    await report(trial, FIRST)
    trial.garbage(subject_stream(FIRST))
    await watch.look()
    assert told(trial, FIRST) == ["SAE_NEW", "SUBJECT_UNREADABLE"]
    trial.moment += HOUR
    await report(trial, SECOND)
    trial.moment = BEGIN + DAY + 2 * HOUR
    await watch.look()
    assert "CLOCK_BREACH" in told(trial, FIRST)
    assert {"SAE_NEW", "CLOCK_BREACH"} <= set(told(trial, SECOND))
    by_priority = {alert.alert_id: alert.priority for alert in trial.alerts}
    assert {by_priority[alert_id] for alert_id, _ in trial.levels} >= {"P1", "P2"}


async def test_escalations_need_only_the_desk() -> None:
    trial = await opened(FIRST)
    watch = Watch(trial)
    await report(trial, FIRST)
    await watch.look()
    trial.moment += 5 * HOUR
    await watch.scheduler.tick_levels()
    assert [level for _, level in trial.levels] == [1]
    assert watch.scheduler.scheduled_to == BEGIN, "the participants were not looked at"


async def test_what_is_overdue_comes_in_order_across_participants() -> None:
    trial = await opened(FIRST, SECOND)
    await report(trial, SECOND)
    trial.moment += HOUR
    await report(trial, FIRST)
    watch = Watch(trial)
    await watch.look()
    trial.moment += 40 * DAY
    await watch.look()
    due = [each.raised_at for each in trial.alerts if each.late]
    assert due == sorted(due)
    assert len({each.subject_id for each in trial.alerts if each.late}) == 2


async def test_a_level_that_the_desk_rules_out_is_asked_for_once() -> None:
    trial = await opened(FIRST)
    watch = Watch(trial)
    await report(trial, FIRST)
    await watch.look()
    trial.moment += HOUR
    # Recorded at the desk, not read by the process.
    await trial.send("acknowledgeSaeAlert", alertId=str(trial.alerts[0].alert_id), actor="officer")
    trial.moment += 5 * HOUR
    for _ in range(3):
        await watch.scheduler.tick_levels()
    assert [each.input["level"] for each in asked(trial, "escalateAlert")] == [1]
    assert trial.levels == []
    assert "refused" not in (watch.scheduler.trouble() or "")


async def test_a_refused_level_holds_back_the_next_of_its_alert_only_and_shows() -> None:
    trial = await opened(FIRST, SECOND)
    watch = Watch(trial)
    await report(trial, FIRST)
    await watch.look()
    trial.unwanted["escalateAlert"] = Code.INTERNAL
    trial.moment += 15 * HOUR
    for _ in range(3):
        await watch.look()
    levels = [each.input["level"] for each in asked(trial, "escalateAlert") if _is(each, trial.alerts[0].alert_id)]
    assert levels == [1], "asked once, and not again within the pause"
    assert "escalations: " in (watch.scheduler.trouble() or "")
    del trial.unwanted["escalateAlert"]
    fresh = Watch(trial)
    await fresh.look()
    assert [level for alert_id, level in trial.levels if alert_id == trial.alerts[0].alert_id] == [1, 2]
    assert fresh.scheduler.trouble() is None


def _is(message: CommandMessage, alert_id: object) -> bool:
    return bool(message.input["alertId"] == str(alert_id))


async def test_a_refused_timer_stops_nobody_else_but_no_commit_passes_it() -> None:
    trial = await opened(FIRST, SECOND)
    watch = Watch(trial)
    await report(trial, FIRST)
    await watch.look()
    trial.unwanted["CLOCK_WARNING"] = Code.SHAPE
    trial.moment += 19 * HOUR
    await report(trial, SECOND)
    await watch.look()
    assert told(trial, SECOND) == ["SAE_NEW"]
    assert "participants' timers: " in (watch.scheduler.trouble() or "")
    assert watch.reactor.held == {}
    trial.moment += HOUR
    await report(trial, FIRST)
    await watch.look()
    assert list(watch.reactor.held) == [subject_stream(FIRST)]
    assert told(trial, FIRST) == ["SAE_NEW"]
    trial.unwanted.clear()
    fresh = Watch(trial)
    await fresh.look()
    assert told(trial, FIRST)[:3] == ["SAE_NEW", "CLOCK_WARNING", "SAE_NEW"]
    assert fresh.reactor.held == {}


async def test_a_bug_in_the_timers_of_one_participant_shows_and_stops_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trial = await opened(FIRST, SECOND)
    watch = Watch(trial)
    await report(trial, FIRST)
    await report(trial, SECOND)
    await watch.look()
    right = TimerMemory.of

    def wrong(self: TimerMemory, view: object, *rest: object) -> object:
        if getattr(view, "subject_id", None) == FIRST:
            raise ZeroDivisionError
        return right(self, view, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(TimerMemory, "of", wrong)
    trial.moment += 19 * HOUR
    await watch.look()
    assert told(trial, FIRST) == ["SAE_NEW"]
    assert "CLOCK_WARNING" in told(trial, SECOND)
    assert "subject-S-001: ZeroDivisionError" in (watch.scheduler.trouble() or "")


async def test_a_process_from_nothing_raises_nothing_again() -> None:
    trial = await opened(FIRST, SECOND)
    watch = Watch(trial)
    await report(trial, FIRST)
    trial.moment += 20 * DAY
    await watch.look()
    await report(trial, SECOND)
    trial.moment += DAY
    await watch.look()
    before = (trial.alerts, trial.levels)
    for _ in range(2):
        await Watch(trial).look()
    assert (trial.alerts, trial.levels) == before
    assert len(before[0]) >= 6


async def test_nothing_is_escalated_before_the_desk_is_read() -> None:
    trial = await opened(FIRST)
    first = Watch(trial)
    await report(trial, FIRST)
    await first.look()
    trial.moment += 5 * HOUR
    waiting = Watch(trial)
    task = asyncio.create_task(waiting.scheduler.escalate())
    await asyncio.sleep(0.05)
    assert trial.levels == []
    waiting.commons.read.set()
    async with asyncio.timeout(5):
        while not trial.levels:
            await asyncio.sleep(0.01)
    task.cancel()


async def test_a_participants_timers_wait_until_its_partition_is_read_past_them() -> None:
    trial = await opened(FIRST)
    watch = Watch(trial)
    await report(trial, FIRST)
    await watch.look()
    trial.moment += DAY
    behind = dict.fromkeys(FOLLOWED, trial.moment)
    behind |= dict.fromkeys([each for each in FOLLOWED if each.topic.endswith("events")], BEGIN + 17 * HOUR)
    await watch.scheduler.tick_participants(watch.reactor.participants, behind)
    assert told(trial, FIRST) == ["SAE_NEW"]
    assert watch.scheduler.scheduled_to == BEGIN
    await watch.scheduler.tick_participants(watch.reactor.participants, dict.fromkeys(FOLLOWED, trial.moment))
    assert "CLOCK_WARNING" in told(trial, FIRST)


async def test_it_is_in_trouble_until_its_first_rounds_and_when_none_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = await opened(FIRST)
    watch = Watch(trial)
    assert watch.scheduler.trouble() == "The scheduler's escalations: No round has ended for 10 s."
    assert watch.scheduler.scheduled_to is None
    await watch.look()
    assert watch.scheduler.trouble() is None
    loop = asyncio.get_running_loop()
    later = loop.time() + 10.5
    monkeypatch.setattr(loop, "time", lambda: later)
    assert "No round has ended" in (watch.scheduler.trouble() or "")


async def test_SR4_holds_are_placed_from_the_desk_and_a_rejected_hold_shows_and_stops_nothing() -> None:
    trial = await hit_in_trial()
    watch = Watch(trial)
    trial.unwanted["placeHold"] = Code.SHAPE
    await watch.look()
    assert "STOPPING_RULE" in told(trial, FIRST)
    assert "holds: " in (watch.scheduler.trouble() or "")
    trial.moment += 5 * HOUR
    await watch.look()
    assert any(isinstance(each.event, AlertEscalated) for each in trial.events(SAFETY_DESK))
    trial.unwanted.clear()
    again = Watch(trial)
    await again.look()
    await again.look()
    held = [each.event for each in trial.events(STUDY) if isinstance(each.event, HoldPlaced)]
    assert [(each.action, each.subject_id, each.rule_id) for each in held] == [("HOLD_SESSIONS", FIRST, "SR4")]
    assert again.scheduler.trouble() is None


async def hit_in_trial() -> Refusing:
    """An infusion reaction of grade 3 under a protocol whose rule SR4 is on."""
    trial = Refusing(BEGIN)
    shipped = shipped_protocol()
    rules = tuple(each.model_copy(update={"enabled": each.rule_id == "SR4"}) for each in shipped.safety.stopping_rules)
    safety = shipped.safety.model_copy(update={"stopping_rules": rules})
    content = Protocol.model_validate({**shipped.model_dump(), "safety": safety.model_dump()}).content()
    await trial.send("publishProtocol", content=content, effectiveAt=text(BEGIN))
    await trial.send("activateSite")
    await trial.send("recordConsent", givenAt=text(BEGIN))
    await trial.send("enrolSubject")
    await trial.send("startSession", startedAt=text(BEGIN), weightMeasuredAt=text(BEGIN))
    trial.moment += HOUR
    now = trial.moment
    given: dict[str, Any] = {"onset": minute(now), "awareAt": text(now), "gradeAt": minute(now), "grade": 3}
    await trial.send("reportAdverseEvent", code="INFUSION_REACTION", criteria=["HOSPITALISATION"], **given)
    trial.moment += timedelta(minutes=1)
    return trial
