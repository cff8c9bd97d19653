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
from hepatrail_events.streams import subject_stream
from hepatrail_services.importers.api_client import Accepted, Outcome, Rejected
from hepatrail_services.importers.plan import Plan, Refusal, Step, Unit, command_id

_NOT_BINDING = frozenset(code.value for code in NOT_BINDING)
_PROJECTION_WAITS = (0.2, 0.4, 0.8)
CHANGED = "CHANGED"


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


async def run_plan(
    plan: Plan, sender: Sender, *, concurrency: int = 16, on_settled: Callable[[Settled], None] = lambda _: None
) -> tuple[Settled, ...]:
    """Settles every unit of the plan; raises what the sender raises, and a later run goes on from there."""
    subjects: dict[str, list[Unit]] = defaultdict(list)
    for unit in sorted(plan.units, key=lambda unit: unit.phase):
        subjects[unit.subject_id].append(unit)
    settled: list[Settled] = []
    places = asyncio.Semaphore(concurrency)

    async def run_subject(subject_id: str, units: list[Unit]) -> None:
        async with places:
            first = [command_id(plan.study, unit, step, 1) for unit in units for step in unit.steps]
            known = await sender.commands(subject_stream(subject_id), first)
            reported: dict[str, UUID] = {}
            for unit in units:
                done = await _settle(plan.study, unit, known, reported, sender)
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
    study: str, unit: Unit, first: Mapping[UUID, Outcome], reported: dict[str, UUID], sender: Sender
) -> Settled:
    """Settles one unit; `reported` (unit key -> adverse event) grows by what the unit reports."""
    if unit.follows is not None and unit.follows not in reported:
        sentence = f"The first report of the adverse event ({unit.follows}) is not in the log."
        return Settled(unit, Fate.REFUSED, tuple(Refusal(row, "FIRST_REPORT_REFUSED", sentence) for row in unit.rows))
    ae_id = None if unit.follows is None else reported[unit.follows]
    fate, refusals, made = Fate.UNCHANGED, tuple[Refusal, ...](), dict[str, UUID]()
    for step in unit.steps:
        answer = await _settle_step(study, unit, _filled(step, made, ae_id), first, sender)
        made[step.mutation] = answer.command_id
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


async def _settle_step(study: str, unit: Unit, step: Step, first: Mapping[UUID, Outcome], sender: Sender) -> _Answer:
    """Attempts 1, 2, ...: the first that has no binding rejection is sent; an accepted one is sent as a probe.

    The probe adds no event: the ledger answers the stored decision for the same body and CONFLICT for another.
    `first` is what became of the first attempts of the subject, asked for in one go.
    """
    stream = subject_stream(unit.subject_id)
    attempt = 1
    while True:
        identity = command_id(study, unit, step, attempt)
        known = first.get(identity) if attempt == 1 else await _ask(stream, identity, sender)
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


def _sentence(step: Step, fate: Fate, attempt: int, rejected: Rejected) -> str:
    if fate is Fate.CHANGED:
        return (
            f"Accepted before (attempt {attempt}) with other content, or in another user's name; not sent: "
            "correct it in the trial, or import in the same user's name."
        )
    where = f" ({rejected.field})" if rejected.field else ""
    return f"{step.mutation}{where}: {rejected.message}"
