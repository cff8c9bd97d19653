"""Sending a plan through the API: a subject's units in turn, subjects side by side; safe to run again at any point."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from hepatrail_events.decisions import NOT_BINDING, Code
from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_events.streams import subject_stream
from hepatrail_services.importers.api_client import Accepted, Outcome, Rejected
from hepatrail_services.importers.plan import Made, Plan, Refusal, Step, Unit, command_id

_NOT_BINDING = frozenset(code.value for code in NOT_BINDING)
_PROJECTION_WAITS = (0.2, 0.4, 0.8)
CHANGED = "CHANGED"
_MAKES: Mapping[str, str] = {
    "startSession": "session",
    "reportAdverseEvent": "ae",
    "recordBaselineCondition": "baselineCondition",
    "recordLabResults": "result",
    "recordObservations": "result",
}
"""Commands that make what later ones refer to, and the kind of it (`Made`)."""
_Commands = dict[tuple[str, str, str], UUID]
"""Domain of a unit, its key and the kind of what it made -> the command that made it."""


class Sender(Protocol):
    """What the run needs of the API; `ApiClient` is one."""

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        """Sends a command until it is decided."""
        ...

    async def commands(self, stream: str, command_ids: Sequence[UUID]) -> Mapping[UUID, Outcome]:
        """What became of commands; unknown ones are left out."""
        ...


class Fate(StrEnum):
    """What became of a unit."""

    ACCEPTED = "ACCEPTED"
    UNCHANGED = "UNCHANGED"
    CHANGED = "CHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Settled:
    """A unit with its fate; `refusals` has one entry a row when the fate is REFUSED or CHANGED."""

    unit: Unit
    fate: Fate
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    fate: Fate
    attempt: int
    command_id: UUID
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True)
class _Senders:
    """Who sends a step: whoever imports, or for `others` the user of the role that it asks for."""

    importer: Sender
    others: Mapping[Role, Sender]

    def lacking(self, unit: Unit) -> Role | None:
        """A role in whose name a step must go and nobody can send."""
        return next((step.by for step in unit.steps if step.by is not None and step.by not in self.others), None)

    def of(self, step: Step) -> Sender:
        """The sender of a step whose role is not lacking."""
        return self.importer if step.by is None else self.others[step.by]


async def run_plan(
    plan: Plan,
    sender: Sender,
    *,
    others: Mapping[Role, Sender] | None = None,
    concurrency: int = 16,
    on_settled: Callable[[Settled], None] = lambda _: None,
) -> tuple[Settled, ...]:
    """Settles every unit of the plan; raises what the sender raises, and a later run goes on from there.

    `others` send what goes in another role's name (`Step.by`); a unit with such a step is refused without one.
    """
    senders = _Senders(sender, others or {})
    subjects: dict[str, list[Unit]] = defaultdict(list)
    for unit in sorted(plan.units, key=lambda unit: unit.phase):
        subjects[unit.subject_id].append(unit)
    settled: list[Settled] = []
    places = asyncio.Semaphore(concurrency)

    async def run_subject(subject_id: str, units: list[Unit]) -> None:
        async with places:
            first = [command_id(plan.study, unit, step, 1) for unit in units for step in unit.steps if step.by is None]
            known = await sender.commands(subject_stream(subject_id), first)
            reported: dict[str, UUID] = {}
            made: _Commands = {}
            for unit in units:
                done = await _settle(plan.study, unit, known, reported, made, senders)
                settled.append(done)
                on_settled(done)

    try:
        async with asyncio.TaskGroup() as group:
            for subject_id, units in subjects.items():
                group.create_task(run_subject(subject_id, units))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return tuple(settled)


async def _settle(
    study: str,
    unit: Unit,
    first: Mapping[UUID, Outcome],
    reported: dict[str, UUID],
    objects: _Commands,
    senders: _Senders,
) -> Settled:
    """Settles one unit; `reported` (unit key -> adverse event) and `objects` grow by what the unit makes."""
    if (hindrance := _hindrance(unit, reported, senders)) is not None:
        return _unsent(unit, *hindrance)
    ae_id = None if unit.follows is None else reported[unit.follows]
    fate, refusals, made = Fate.UNCHANGED, tuple[Refusal, ...](), dict[str, UUID]()
    for step in unit.steps:
        try:
            filled = _filled(step, made, ae_id)
            whole = replace(filled, input=_with_ids(dict(filled.input), objects))
        except _NotMade as lack:
            return _unsent(unit, "NOT_IN_THE_LOG", str(lack))
        answer = await _settle_step(study, unit, whole, first, senders.of(step))
        made[step.mutation] = answer.command_id
        if step.mutation in _MAKES and answer.fate is not Fate.REFUSED:
            objects[unit.rows[0].domain, unit.key, _MAKES[step.mutation]] = answer.command_id
        if answer.rejected is not None:
            sentence = _sentence(step, answer.fate, answer.attempt, answer.rejected)
            code = CHANGED if answer.fate is Fate.CHANGED else answer.rejected.rule or answer.rejected.code
            refusals = tuple(Refusal(row, code, sentence, answer.attempt) for row in unit.rows)
        if answer.fate is Fate.REFUSED:
            return Settled(unit, Fate.REFUSED, refusals)
        if fate is not Fate.CHANGED and answer.fate is not Fate.UNCHANGED:
            fate = answer.fate
    if "reportAdverseEvent" in made:
        reported[unit.key] = object_id(made["reportAdverseEvent"], "ae")
    return Settled(unit, fate, refusals)


def _hindrance(unit: Unit, reported: Mapping[str, UUID], senders: _Senders) -> tuple[str, str] | None:
    """Why a unit cannot be sent at all: code and sentence."""
    if (role := senders.lacking(unit)) is not None:
        return "NO_TOKEN", f"It goes in the name of a user with the role {role}, and there is no token of one."
    if unit.follows is not None and unit.follows not in reported:
        return "FIRST_REPORT_REFUSED", f"The first report of the adverse event ({unit.follows}) is not in the log."
    return None


def _unsent(unit: Unit, code: str, sentence: str) -> Settled:
    return Settled(unit, Fate.REFUSED, tuple(Refusal(row, code, sentence) for row in unit.rows))


async def _settle_step(study: str, unit: Unit, step: Step, first: Mapping[UUID, Outcome], sender: Sender) -> _Answer:
    """Attempts 1, 2, ...: the first that has no binding rejection is sent; an accepted one is sent as a probe.

    The probe adds no event: the ledger answers the stored decision for the same body and CONFLICT for another.
    `first` is what became of the importer's first attempts for the subject, asked for in one go.
    """
    stream = subject_stream(unit.subject_id)
    attempt = 1
    while True:
        identity = command_id(study, unit, step, attempt)
        asked = attempt == 1 and step.by is None
        known = first.get(identity) if asked else await _ask(stream, identity, sender)
        if not _binds(known):
            answer = await sender.send(step.mutation, {"commandId": str(identity), **step.input})
            if isinstance(answer, Accepted):
                fate = Fate.UNCHANGED if isinstance(known, Accepted) else Fate.ACCEPTED
                return _Answer(fate, attempt, identity)
            if answer.code != Code.CONFLICT:
                return _Answer(Fate.REFUSED, attempt, identity, answer)
            if not _binds(known or await _projected(stream, identity, sender)):
                # Accepted before, or decided for another user, whose decisions are not shown: a next attempt
                # would record the row twice.
                return _Answer(Fate.CHANGED, attempt, identity, answer)
        attempt += 1


async def _ask(stream: str, identity: UUID, sender: Sender) -> Outcome | None:
    return (await sender.commands(stream, [identity])).get(identity)


def _binds(known: Outcome | None) -> bool:
    """Whether this attempt is spent: rejected for good."""
    return isinstance(known, Rejected) and known.code not in _NOT_BINDING


async def _projected(stream: str, identity: UUID, sender: Sender) -> Outcome | None:
    """The first decision of a command that is known in the ledger but was not yet projected when it was asked for."""
    for wait in _PROJECTION_WAITS:
        known = await _ask(stream, identity, sender)
        if isinstance(known, Accepted | Rejected):
            return known
        await asyncio.sleep(wait)
    return None


def _filled(step: Step, made: Mapping[str, UUID], ae_id: UUID | None) -> Step:
    """The step with the ids of what earlier steps made: the unit's session, the adverse event that it follows."""
    if step.mutation == "endSession":
        return replace(step, input={"sessionId": str(object_id(made["startSession"], "session")), **step.input})
    if ae_id is None:
        return step
    if step.mutation == "recordDeath":
        fatal = {"primaryCauseAeId": str(ae_id), "fatalAes": [{"aeId": str(ae_id)}]}
        return replace(step, input={**step.input, **fatal})
    return replace(step, input={"aeId": str(ae_id), **step.input})


class _NotMade(Exception):
    """What a step refers to is not in the log; the message is a sentence."""


def _with_ids(value: Any, objects: _Commands) -> Any:
    """The input with the id of each object in the place of its `Made`; raises _NotMade where there is none."""
    match value:
        case Made():
            maker = objects.get((value.domain, value.key, value.kind))
            if maker is None:
                raise _NotMade(f"It refers to {value.domain} {value.key}, which is not in the log.")
            return str(object_id(maker, value.kind, value.row))
        case dict():
            return {name: _with_ids(each, objects) for name, each in value.items()}
        case list():
            return [_with_ids(each, objects) for each in value]
        case _:
            return value


def _sentence(step: Step, fate: Fate, attempt: int, rejected: Rejected) -> str:
    if fate is Fate.CHANGED:
        return (
            f"Accepted before (attempt {attempt}) with other content, or in another user's name; not sent: "
            "correct it in the trial, or import in the same user's name."
        )
    where = f" ({rejected.field})" if rejected.field else ""
    return f"{step.mutation}{where}: {rejected.message}"
