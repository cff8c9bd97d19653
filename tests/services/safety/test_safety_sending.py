"""Commands of the safety process on their way: the same id until it is answered, and only "accepted" is an answer."""

import asyncio
from uuid import UUID

import pytest

from builders.safety_desk import alert_content
from builders.times import NOW
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.errors import Unavailable
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import (
    AlertEscalated,
    AlertRaised,
    NotificationChannel,
    NotificationSent,
    StoppingRuleTriggered,
)
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import HoldAction, HoldPlaced, HoldRequires, HoldScope, SiteActivated
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.records import incoming
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import (
    EscalateAlert,
    RaiseAlert,
    RecordNotification,
    TriggerStoppingRule,
)
from hepatrail_services.deciders.study import PlaceHold
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.identity import raise_command
from hepatrail_services.safety.sending import CommandRefused, Sender, attempt_id
from log_commits import publish
from projection_log import LogWriter

ALERT = alert_content()
RAISE = RaiseAlert(command_id=raise_command(ALERT.alert_id), alert=ALERT)
HIT = UUID(int=0xB17)
HOLD = PlaceHold(
    command_id=derived_id(HIT, "hold"),
    action=HoldAction.HOLD_SESSIONS,
    scope=HoldScope.TRIAL,
    rule_id="SR3",
    hit_id=HIT,
    requires=HoldRequires.DSMB,
    reason="The stopping rule SR3 was hit.",
)


class Port:
    """Answers as the test says, the last answer again and again."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[CommandMessage] = []

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
        self.asked.append(message)
        await asyncio.sleep(0)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Exception):
            raise said
        if said is None:
            return None
        code, repeat = said if isinstance(said, tuple) else (said, False)
        return _decision(message, None if code == "accepted" else Code(code), repeat=repeat)

    @property
    def ids(self) -> list[UUID]:
        """The ids that were asked for, in order."""
        return [each.commandid for each in self.asked]


def _decision(message: CommandMessage, code: Code | None, *, repeat: bool) -> Decision:
    return Decision(
        commandid=message.commandid,
        commandtype=message.commandtype,
        stream=message.stream,
        bodyhash=message.bodyhash,
        verdict=Verdict.ACCEPTED if code is None else Verdict.REJECTED,
        code=code,
        message=None if code is None else "No.",
        version=1,
        recordedat=NOW,
        receivedat=NOW,
        actorid=message.actor.id,
        actorrole=message.actor.role.value,
        studyseq=1,
        producer="hepatrail/test",
        repeat=repeat,
    )


def knowing(*events: tuple[str, Event]) -> Commons:
    """A study with its protocol and a desk, with these events read."""
    log, commons = LogWriter(81), Commons()
    publish(log)
    for stream, event in events:
        log.commit(stream, event, role="SYSTEM")
    for each in log.records:
        if each.topic.endswith("events"):
            commons.fold(incoming(Place(each.topic, each.partition, each.offset), each.key, each.value), frozenset())
    return commons


def sender(port: Port, commons: Commons | None = None) -> Sender:
    return Sender(port, SystemClock(), "Sponsor", commons or knowing(), patience=0.01)


async def test_without_an_answer_the_same_id_is_asked_for_again() -> None:
    port = Port(None, Unavailable("Kafka is away"), "NOT_READY", "accepted")
    await sender(port).put(RAISE, None)
    assert port.ids == [RAISE.command_id] * 4
    assert len({each.bodyhash for each in port.asked}) == 1


async def test_what_was_accepted_is_not_sent_again() -> None:
    port = Port("accepted")
    one = sender(port)
    await one.put(RAISE, None)
    await one.put(RAISE, None)
    assert len(port.asked) == 1


RAISED = AlertRaised(**dict(ALERT), alert_seq=1)
TRIGGERED = StoppingRuleTriggered(
    hit_id=HIT, rule_id="SR4", scope_id="S-001", commit_id=UUID(int=7), actions=(HoldAction.HOLD_SESSIONS,)
)
PLACED = HoldPlaced(
    hold_id=derived_id(HIT, HoldAction.HOLD_SESSIONS),
    action=HoldAction.HOLD_SESSIONS,
    scope=HoldScope.TRIAL,
    rule_id="SR3",
    requires=HoldRequires.DSMB,
    reason="The stopping rule SR3 was hit.",
)
DONE: dict[str, tuple[Command, tuple[tuple[str, Event], ...]]] = {
    "the alert": (RAISE, ((SAFETY_DESK, RAISED),)),
    "the level": (
        EscalateAlert(command_id=UUID(int=1), alert_id=ALERT.alert_id, level=1, late=True),
        ((SAFETY_DESK, RAISED), (SAFETY_DESK, AlertEscalated(alert_id=ALERT.alert_id, level=1, late=False))),
    ),
    "the delivery": (
        RecordNotification(
            command_id=UUID(int=2), alert_id=ALERT.alert_id, channel=NotificationChannel.EMAIL, attempt=3, level=1
        ),
        (
            (SAFETY_DESK, RAISED),
            (
                SAFETY_DESK,
                NotificationSent(alert_id=ALERT.alert_id, channel=NotificationChannel.EMAIL, attempt=1, level=1),
            ),
        ),
    ),
    "the hit of the commit": (
        TriggerStoppingRule(
            command_id=UUID(int=3),
            rule_id="SR4",
            scope_id="S-001",
            commit_id=UUID(int=7),
            studyseq=1,
            actions=(HoldAction.HOLD_SESSIONS,),
            alert=ALERT,
        ),
        ((SAFETY_DESK, TRIGGERED),),
    ),
    "the hold": (HOLD, ((STUDY, PLACED),)),
}


@pytest.mark.parametrize("what", DONE)
async def test_what_desk_or_study_show_is_not_asked_for(what: str) -> None:
    command, events = DONE[what]
    port = Port("accepted")
    await sender(port, knowing(*events)).put(command, None)
    assert port.asked == []


@pytest.mark.parametrize("what", DONE)
async def test_what_they_do_not_show_is_asked_for(what: str) -> None:
    command, events = DONE[what]
    port = Port("accepted")
    await sender(port, knowing(*events[:-1])).put(command, None)
    assert port.ids == [command.command_id]


async def test_a_rejection_is_told() -> None:
    port = Port("SHAPE")
    with pytest.raises(CommandRefused, match=r"SHAPE: No\.") as refused:
        await sender(port).put(RAISE, None)
    assert not refused.value.may_pass
    assert len(port.asked) == 1


async def test_a_fault_of_the_decider_may_pass() -> None:
    with pytest.raises(CommandRefused) as refused:
        await sender(Port("INTERNAL")).put(RAISE, None)
    assert refused.value.may_pass


@pytest.mark.parametrize("before", [("SHAPE", True), ("CONFLICT", True)])
async def test_a_rejection_from_before_is_passed_over_with_the_next_id(before: tuple[str, bool]) -> None:
    port = Port(before, before, "accepted")
    await sender(port).put(RAISE, None)
    assert port.ids == [RAISE.command_id, derived_id(RAISE.command_id, 1), derived_id(RAISE.command_id, 2)]
    assert port.ids == [attempt_id(RAISE, number) for number in range(3)]


async def test_what_a_rule_says_is_not_asked_again() -> None:
    port = Port(("RULE", True))
    with pytest.raises(CommandRefused):
        await sender(port).put(RAISE, None)
    assert len(port.asked) == 1


async def test_the_desk_is_told_how_far_the_study_was_read_and_the_study_is_not() -> None:
    port = Port("accepted")
    one = sender(port, knowing((STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"))))
    await one.put(RAISE, None)
    await one.put(HOLD, None)
    assert [(each.stream, each.studyversion) for each in port.asked] == [(SAFETY_DESK, 2), (STUDY, 0)]


async def test_a_study_that_does_not_answer_leaves_the_desk_its_way() -> None:
    class OnlyDesk(Port):
        async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
            if message.stream == STUDY:
                await asyncio.Event().wait()
            return await super().ask(message, timeout)

    port = OnlyDesk("accepted")
    one = sender(port)
    holds = [
        asyncio.create_task(one.put(HOLD.model_copy(update={"command_id": UUID(int=n)}), None)) for n in range(200)
    ]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await one.put(RAISE, None)
    assert port.ids == [RAISE.command_id]
    for each in holds:
        each.cancel()


async def test_it_knows_for_how_long_an_answer_is_missing() -> None:
    port = Port(None)
    one = sender(port)
    task = asyncio.create_task(one.put(RAISE, None))
    await asyncio.sleep(0.1)
    assert one.waiting() > 0.05
    task.cancel()
    await asyncio.wait([task])
    assert one.waiting() == 0.0
