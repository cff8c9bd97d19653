"""The gateway: what is checked, sealed and stamped before a command is published (DESIGN section 1)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Code, Decision
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import SealedText
from hepatrail_infra.clock import Clock
from hepatrail_infra.sealing_keys import SubjectKey
from hepatrail_services.access_log import AccessLog
from hepatrail_services.command import Command, read_command
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.deciders.catalogue import COMMANDS
from hepatrail_services.deciders.enrolment import RecordConsent
from hepatrail_services.sealing import DESK_OWNER, Seal, key_owner, seal_input

MAX_INPUT_BYTES = 256 * 1024
ANSWER_SECONDS = 5.0

AlertSubject = Callable[[UUID], Awaitable[str | None]]
"""From an alert to its participant, None for an alert without one; raises CommandRejected for an unknown alert."""


KnownSubject = Callable[[str], Awaitable[bool]]
"""Whether a participant's stream has an event; Unavailable when that cannot be told."""


class Sealing(Protocol):
    """What the gateway needs of the vault."""

    async def key_for(self, subject_id: str, create: bool = False) -> SubjectKey:
        """The key of a participant; KeyDestroyed after an erasure."""
        ...

    def seal(self, key: SubjectKey, cid: UUID | str, path: str, text: str) -> SealedText:
        """The sealed text."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """No decision within 5 s. Ask `command(stream, id)`, or send again with the same id."""

    commandid: UUID
    stream: str


class Gateway:
    """Takes commands from authenticated callers to the deciders and their answers back."""

    def __init__(
        self,
        bus: CommandBus,
        vault: Sealing,
        clock: Clock,
        access_log: AccessLog,
        *,
        commands: Mapping[str, type[Command]] = COMMANDS,
        alert_subject: AlertSubject,
        known_subject: KnownSubject,
    ) -> None:
        self._bus = bus
        self._vault = vault
        self._clock = clock
        self._access_log = access_log
        self._commands = commands
        self._alert_subject = alert_subject
        self._known_subject = known_subject

    async def submit(
        self,
        name: str,
        raw_input: Mapping[str, Any],
        actor: Actor,
        *,
        traceparent: str | None = None,
        correlationid: str | None = None,
    ) -> Decision | Pending:
        """Sends the command `name` with its GraphQL input (camelCase keys) and awaits the decision.

        Raises CommandRejected (FORBIDDEN, SHAPE, TOO_LARGE, KEY_DESTROYED), written to the access log before, and
        Unavailable when the vault or the access log cannot be used; then nothing was sent.
        """
        try:
            message = await self._message(name, raw_input, actor, traceparent, correlationid)
        except CommandRejected as refusal:
            await self._access_log.refused(
                actor,
                name,
                code=refusal.code,
                rule=refusal.rule,
                field=refusal.field,
                bodyhash=_hash_of(raw_input),
                commandid=_id_of(raw_input),
            )
            raise
        decision = await self._bus.ask(message, ANSWER_SECONDS)
        return Pending(message.commandid, message.stream) if decision is None else decision

    async def _message(
        self, name: str, raw_input: Mapping[str, Any], actor: Actor, traceparent: str | None, correlationid: str | None
    ) -> CommandMessage:
        kind = self._commands.get(name)
        if kind is None:
            raise CommandRejected(f"There is no command {name[:80]}.", code=Code.SHAPE)
        if actor.role not in kind.ROLES:
            raise CommandRejected(f"The role {actor.role.value} may not send {name}.", code=Code.FORBIDDEN)
        _refuse_too_large(raw_input)
        sealed = await seal_input(kind, raw_input, await self._seal_for(kind, raw_input))
        command = read_command(kind, sealed)
        if isinstance(command, RecordConsent) and not await self._known_subject(command.subject_id):
            await self._vault.key_for(command.subject_id, create=True)
        return CommandMessage(
            commandid=command.command_id,
            commandtype=name,
            stream=command.stream(),
            input=command.payload(),
            actor=actor,
            receivedat=self._clock.now(),
            studyversion=self._bus.study_version,
            correlationid=correlationid,
            traceparent=traceparent,
        )

    async def _seal_for(self, kind: type[Command], raw_input: Mapping[str, Any]) -> Seal | None:
        """How free text of this input is sealed; None when it stays plain or there is none."""
        owner, command_id = key_owner(kind, raw_input), _id_of(raw_input)
        if owner is None or command_id is None:
            return None
        subject_id = owner.subject_id
        if subject_id is None and owner.alert_id is not None:
            subject_id = await self._alert_subject(owner.alert_id)
        key = await self._key_of(subject_id or DESK_OWNER)
        return lambda path, text: self._vault.seal(key, command_id, path, text)

    async def _key_of(self, owner: str) -> SubjectKey:
        """The owner's key; made before the consent that opens a participant's stream, never for one who is known.

        A lost key stays missing (Unavailable, readiness red) until it is restored: a second one of the same id would
        hide the loss and leave the older text unreadable.
        """
        known = owner != DESK_OWNER and await self._known_subject(owner)
        return await self._vault.key_for(owner, create=not known)


def _refuse_too_large(raw_input: Mapping[str, Any]) -> None:
    try:
        size = len(orjson.dumps(raw_input, default=str))
    except (TypeError, ValueError) as error:
        raise CommandRejected("The input cannot be read as JSON.", code=Code.SHAPE) from error
    if size > MAX_INPUT_BYTES:
        raise CommandRejected(f"The input has {size} bytes; at most {MAX_INPUT_BYTES} are taken.", code=Code.TOO_LARGE)


def _hash_of(raw_input: Mapping[str, Any]) -> str | None:
    """The hash of what was sent, for the access log; None when it is no canonical JSON."""
    try:
        return sha256_hex(canonical_json(dict(raw_input)))
    except (ValueError, RecursionError):
        return None


def _id_of(raw_input: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(str(raw_input.get("commandId")))
    except ValueError:
        return None
