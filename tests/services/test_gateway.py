"""Before a command is published: role, shape, size, free text; what is refused is in the access log."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import Role
from hepatrail_events.types import SealedText
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.sealing_keys import KeyDestroyed, KeyMissing, SubjectKey, kid_of, open_with, seal
from hepatrail_services.gateway import MAX_INPUT_BYTES, Gateway, Pending
from hepatrail_services.sealing import DESK_OWNER

PI = Actor(id="dr-who", role=Role.PRINCIPAL_INVESTIGATOR, org="Trial site", sites=("S1",))
AUDITOR = Actor(id="inspector", role=Role.AUDITOR, org="Authority")
SESSION = "5a1c0e4e-6d55-4b0e-9c39-0f7d2c1b8a10"


class Bus:
    """Keeps what was sent; answers unless told not to."""

    study_version = 7

    def __init__(self, answers: bool = True) -> None:
        self.sent: list[CommandMessage] = []
        self._answers = answers

    async def ask(self, message: CommandMessage, timeout: float) -> Decision | None:  # noqa: ASYNC109
        self.sent.append(message)
        assert timeout == 5.0
        if not self._answers:
            return None
        now = datetime.now(UTC)
        return Decision(
            commandid=message.commandid,
            commandtype=message.commandtype,
            stream=message.stream,
            bodyhash=message.bodyhash,
            verdict=Verdict.ACCEPTED,
            version=1,
            recordedat=now,
            receivedat=now,
            actorid=message.actor.id,
            actorrole=message.actor.role.value,
            studyseq=7,
            producer="test",
        )


class Keys:
    """One key a subject, made from its name."""

    def __init__(self) -> None:
        self.destroyed: set[str] = set()
        self.asked: list[str] = []
        self.made: set[str] = set()

    async def key_for(self, subject_id: str, create: bool = False) -> SubjectKey:
        self.asked.append(subject_id)
        if create:
            self.made.add(subject_id)
        elif subject_id not in self.made:
            raise KeyMissing(subject_id)
        if subject_id in self.destroyed:
            raise KeyDestroyed
        return SubjectKey(kid_of(subject_id), subject_id.ljust(64, "-").encode())

    def seal(self, key: SubjectKey, cid: UUID | str, path: str, text: str) -> SealedText:
        return seal(key, cid, path, text)


class Log:
    def __init__(self) -> None:
        self.refusals: list[tuple[Actor, str, dict[str, Any]]] = []

    async def refused(self, actor: Actor, command: str, **fields: Any) -> None:
        self.refusals.append((actor, command, fields))


class Case:
    """A gateway with everything around it at hand."""

    def __init__(self, answers: bool = True) -> None:
        self.bus, self.keys, self.log = Bus(answers), Keys(), Log()
        self.alerts: dict[UUID, str | None] = {}
        self.known: set[str] = set()

        async def known_subject(subject_id: str) -> bool:
            return subject_id in self.known

        async def alert_subject(alert: UUID) -> str | None:
            if alert not in self.alerts:
                raise CommandRejected("There is no such alert.", field="alertId")
            return self.alerts[alert]

        self.gateway = Gateway(
            self.bus,  # type: ignore[arg-type]
            self.keys,
            SystemClock(),
            self.log,  # type: ignore[arg-type]
            alert_subject=alert_subject,
            known_subject=known_subject,
        )

    async def send(self, name: str, body: Mapping[str, Any], actor: Actor = PI) -> Decision | Pending:
        return await self.gateway.submit(name, body, actor, traceparent="00-a-b-01", correlationid="c-1")

    async def refusal(self, name: str, body: Mapping[str, Any], actor: Actor = PI) -> CommandRejected:
        """The refusal, which must be in the access log and must not have been sent."""
        with pytest.raises(CommandRejected) as caught:
            await self.send(name, body, actor)
        (who, command, fields) = self.log.refusals.pop()
        assert (who, command) == (actor, name)
        assert (fields["code"], fields["rule"], fields["field"]) == (
            caught.value.code,
            caught.value.rule,
            caught.value.field,
        )
        assert self.bus.sent == []
        return caught.value


@pytest.fixture
def case() -> Case:
    return Case()


def pause(**changes: Any) -> dict[str, Any]:
    body = {
        "commandId": str(uuid4()),
        "subjectId": "P-001",
        "sessionId": SESSION,
        "at": "2026-03-10T08:30:00.000Z",
        "reason": "alarm of the pump",
    }
    return {**body, **changes}


def consent() -> dict[str, Any]:
    return {
        "commandId": str(uuid4()),
        "subjectId": "P-001",
        "siteId": "S1",
        "version": "1.0",
        "givenAt": "2026-03-09T08:30:00.000Z",
        "healthDataConsent": True,
    }


async def test_a_command_is_stamped_and_sent_to_its_stream(case: Case) -> None:
    body = pause()
    decision = await case.send("pauseSession", body)
    assert isinstance(decision, Decision)
    (message,) = case.bus.sent
    assert (message.commandtype, message.stream) == ("pauseSession", "subject-P-001")
    assert str(message.commandid) == body["commandId"] == message.input["commandId"]
    assert (message.studyversion, message.actor) == (7, PI)
    assert (message.traceparent, message.correlationid) == ("00-a-b-01", "c-1")
    assert (datetime.now(UTC) - message.receivedat).total_seconds() < 5


@pytest.mark.parametrize("stamp", ["receivedAt", "recordedAt"])
async def test_tim_01_no_time_of_a_client_is_the_time_of_receipt(case: Case, stamp: str) -> None:
    refusal = await case.refusal("pauseSession", pause(**{stamp: "2001-01-01T00:00:00.000Z"}))
    assert (refusal.code, refusal.field) == ("SHAPE", stamp)
    begin = SystemClock().now()
    await case.send("pauseSession", pause(commandId="00e04bb3-9800-7000-8000-000000000000"))
    (message,) = case.bus.sent
    assert begin <= message.receivedat <= SystemClock().now(), "and not the year 2001 of the command's id or its input"
    assert (message.receivedat.utcoffset(), message.receivedat.microsecond % 1000) == (timedelta(0), 0)


async def test_free_text_leaves_the_gateway_sealed_and_opens_with_the_subjects_key(case: Case) -> None:
    await case.send("pauseSession", pause())
    (message,) = case.bus.sent
    assert b"alarm of the pump" not in message.raw()
    sealed = SealedText.model_validate(message.input["reason"])
    assert open_with(await case.keys.key_for("P-001", True), sealed) == "alarm of the pump"
    assert (sealed.path, sealed.cid) == ("reason", str(message.commandid))


async def test_two_tries_of_one_command_are_the_same_body(case: Case) -> None:
    body = pause()
    await case.send("pauseSession", body)
    await case.send("pauseSession", dict(reversed(list(body.items()))))
    first, second = case.bus.sent
    assert first.bodyhash == second.bodyhash


async def test_no_decision_in_time_is_pending() -> None:
    case = Case(answers=False)
    body = pause()
    assert await case.send("pauseSession", body) == Pending(UUID(body["commandId"]), "subject-P-001")


async def test_aud_11_the_role_is_checked_first(case: Case) -> None:
    refusal = await case.refusal("pauseSession", {"subjectId": "?"}, AUDITOR)
    assert refusal.code == "FORBIDDEN"
    assert case.keys.asked == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subjectId": "no pseudonym!"}, "subjectId"),
        ({"commandId": "7"}, "commandId"),
        ({"at": "yesterday"}, "at"),
        ({"dose": 1}, "dose"),
        ({"reason": 7}, "reason"),
        ({"sessionId": None}, "sessionId"),
    ],
)
async def test_aud_11_a_wrong_shape_names_its_field(case: Case, changes: dict[str, Any], field: str) -> None:
    refusal = await case.refusal("pauseSession", pause(**changes))
    assert (refusal.code, refusal.field) == ("SHAPE", field)


async def test_an_unknown_command_is_refused(case: Case) -> None:
    assert (await case.refusal("dance", {"commandId": str(uuid4())})).code == "SHAPE"


async def test_more_than_256_kib_is_refused(case: Case) -> None:
    assert (await case.refusal("pauseSession", pause(reason="x" * MAX_INPUT_BYTES))).code == "TOO_LARGE"


async def test_identifiers_and_damaged_characters_in_free_text_are_refused(case: Case) -> None:
    refusal = await case.refusal("pauseSession", pause(reason="call 13812345678 or a@b.example"))
    assert (refusal.code, refusal.rule, refusal.field) == ("SHAPE", "PRV-02", "reason")
    assert (await case.refusal("pauseSession", pause(reason="pump\x00"))).rule == "PRV-02"
    assert (await case.refusal("pauseSession", pause(reason="pump\ud800"))).code == "SHAPE"


async def test_after_an_erasure_no_text_is_taken(case: Case) -> None:
    case.keys.destroyed.add("P-001")
    assert (await case.refusal("pauseSession", pause())).code == "KEY_DESTROYED"


async def test_the_first_consent_makes_the_participants_key(case: Case) -> None:
    await case.send("recordConsent", consent())
    assert case.keys.made == {"P-001"}
    case.known.add("P-001")
    case.keys.destroyed.add("P-001")
    assert isinstance(await case.send("recordConsent", consent()), Decision)


async def test_a_lost_key_is_not_replaced_for_a_participant_who_is_known(case: Case) -> None:
    case.known.add("P-001")
    with pytest.raises(KeyMissing):
        await case.send("pauseSession", pause())
    assert case.bus.sent == []


async def test_nesting_without_end_is_a_wrong_shape(case: Case) -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    assert (await case.refusal("pauseSession", pause(extra=deep))).code == "SHAPE"


async def test_the_comment_on_an_alert_is_sealed_with_its_participants_key(case: Case) -> None:
    alert, lone = uuid4(), uuid4()
    case.alerts = {alert: "P-007", lone: None}
    for alert_id in (alert, lone):
        body = {"commandId": str(uuid4()), "alertId": str(alert_id), "comment": "seen, on my way"}
        await case.send("acknowledgeSaeAlert", body)
    assert case.keys.asked == ["P-007", DESK_OWNER]
    assert {message.stream for message in case.bus.sent} == {"safety-desk"}


async def test_the_study_is_not_sealed(case: Case) -> None:
    admin = Actor(id="root", role=Role.ADMIN, org="Trial office", sites=("*",))
    body = {"commandId": str(uuid4()), "siteId": "S1", "approvalRef": "EC-1"}
    await case.send("activateSite", body, admin)
    assert case.keys.asked == []
    assert case.bus.sent[0].stream == "study"


async def test_many_at_once_do_not_mix(case: Case) -> None:
    bodies = [pause(subjectId=f"P-{number:03}") for number in range(50)]
    decisions = await asyncio.gather(*(case.send("pauseSession", body) for body in bodies))
    assert [str(decision.commandid) for decision in decisions] == [body["commandId"] for body in bodies]
