"""What an import is going to send, decided before anything is sent: pure, the same for the same files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role
from hepatrail_services.importers.source import Source, SourceRow


class Phase(IntEnum):
    """The order of a subject's units: a death comes late, because nothing may be treated after it.

    Before enrolment come the consents, after the death what refers to it: the survival status, deficiencies.
    """

    CONSENT = 0
    ENROLMENT = 1
    TREATMENT = 2
    LABORATORY = 3
    OBSERVATIONS = 4
    VISITS = 5
    ADVERSE_EVENTS = 6
    DISPOSITION = 7
    DEATH = 8
    AFTERWARDS = 9


@dataclass(frozen=True, slots=True)
class RowRef:
    """A row of the source: domain, key and record number."""

    domain: str
    key: str
    number: int


@dataclass(frozen=True, slots=True)
class Made:
    """Stands in the input of a step for the id of an object that an earlier unit, or step of the same unit, makes.

    The unit is known by the domain of its first row and its key; `kind` is that of `object_id` (session, ae, ...),
    `row` the place of a result within its sample.
    """

    domain: str
    key: str
    kind: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a unit, without its id; `part` tells steps of one mutation apart within their unit.

    `by` is the role in whose name it must go, None for whoever imports; its input may hold `Made`.
    """

    mutation: str
    input: Mapping[str, Any]
    part: str = ""
    by: Role | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that stand or fall together, and the commands that carry them, sent in turn until one is refused.

    `follows` is the key of the unit that reports the adverse event which the steps are about.
    """

    key: str
    subject_id: str
    phase: Phase
    rows: tuple[RowRef, ...]
    steps: tuple[Step, ...]
    follows: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not in the log, or (`CHANGED`) is there with other content; attempt 0 was never sent."""

    row: RowRef
    code: str
    sentence: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a row that a person should know; the row went on."""

    row: RowRef
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that is right and needs no command: another domain tells it, or the trial has none for it."""

    row: RowRef
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an import will do: rows read a domain, units to send, rows refused at once, findings, rows kept."""

    study: str
    read: Mapping[str, int]
    units: tuple[Unit, ...]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]
    kept: tuple[Kept, ...] = ()


@dataclass(slots=True)
class Draft:
    """What the mapping of one domain has collected so far."""

    units: list[Unit] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def refuse(self, row: RowRef, code: str, sentence: str) -> None:
        """Sets a row aside with its reason."""
        self.refusals.append(Refusal(row, code, sentence))

    def find(self, row: RowRef, kind: str, sentence: str) -> None:
        """Notes something about a row."""
        self.findings.append(Finding(row, kind, sentence))

    def keep(self, row: RowRef, reason: str, sentence: str) -> None:
        """Leaves a row without a command, its reason being a finding."""
        self.kept.append(Kept(row, reason))
        self.find(row, reason, sentence)


def plan_of(study: str, source: Source, drafts: Iterable[Draft]) -> Plan:
    """The plan of a study, from what each part of its mapping has collected."""
    collected = tuple(drafts)
    return Plan(
        study=study,
        read={domain: len(rows) for domain, rows in source.rows.items()},
        units=tuple(unit for draft in collected for unit in draft.units),
        refusals=tuple(refusal for draft in collected for refusal in draft.refusals),
        findings=tuple(finding for draft in collected for finding in draft.findings),
        kept=tuple(kept for draft in collected for kept in draft.kept),
    )


class RowRefused(ValueError):
    """A row that cannot be mapped; caught by the loop over its domain."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def command_id(study: str, unit: Unit, step: Step, attempt: int) -> UUID:
    """The id of one attempt: the same row, the same mutation and attempt give the same id on every run."""
    domain = unit.rows[0].domain
    named = f"{step.mutation}/{step.part}" if step.part else step.mutation
    return derived_id("sdtm", study, domain, unit.key, named, attempt)


def reference(row: SourceRow, *columns: str) -> RowRef:
    """The reference of a row whose key is made of `columns`."""
    return RowRef(row.domain, "|".join(row[column] for column in columns), row.number)


def readable(rows: Iterable[SourceRow], draft: Draft, *columns: str) -> list[tuple[SourceRow, RowRef]]:
    """The rows with a whole line and a key of their own; the others are refused here."""
    seen: set[str] = set()
    kept: list[tuple[SourceRow, RowRef]] = []
    for row in rows:
        ref = reference(row, *columns)
        if not row.whole:
            draft.refuse(ref, "UNREADABLE_ROW", "The line has more or fewer fields than the header.")
        elif not all(row[column] for column in columns):
            draft.refuse(ref, "NO_KEY", f"{' and '.join(columns)} identify the row and one of them is empty.")
        elif ref.key in seen:
            draft.refuse(ref, "DUPLICATE_KEY", "An earlier row has the same key.")
        else:
            seen.add(ref.key)
            kept.append((row, ref))
    return kept
