"""The books of an import: accepted + kept unaccepted + refused = rows read, and the two files for people to read."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hepatrail_events.acceptance import Unaccepted, accept
from hepatrail_services.importers.plan import Finding, Plan, Refusal, RowRef, Unit
from hepatrail_services.importers.run import CHANGED, Fate, Settled
from hepatrail_services.importers.source import DOMAINS


@dataclass(frozen=True, slots=True)
class DomainAccount:
    """One domain: `changed` rows are in the log with their earlier content and count as accepted or kept.

    `kept` rows are in the log unaccepted (LB, VS), or need no command (`Kept`) and stand in the findings.
    """

    domain: str
    read: int
    accepted: int
    kept: int
    refused: int
    changed: int

    @property
    def balanced(self) -> bool:
        """Whether nothing vanished."""
        return self.accepted + self.kept + self.refused == self.read


@dataclass(frozen=True, slots=True)
class Account:
    """The result of an import; `adverse_events` counts those that the rows of AE are reports of."""

    domains: tuple[DomainAccount, ...]
    adverse_events: int
    kept_reasons: Mapping[tuple[str, str], int]
    refused_reasons: Mapping[tuple[str, str], int]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]

    def domain(self, name: str) -> DomainAccount:
        """The account of one domain."""
        return next(one for one in self.domains if one.domain == name)

    @property
    def found(self) -> Mapping[tuple[str, str], int]:
        """How often each kind of finding was made, by domain."""
        return Counter((finding.row.domain, finding.kind) for finding in self.findings)


def settle_account(plan: Plan, settled: Iterable[Settled]) -> Account:
    """Adds up what became of every row; a row with several units is accepted only when all of them are."""
    done = tuple(settled)
    late = [refusal for one in done for refusal in one.refusals]
    refusals = _one_a_row((*plan.refusals, *late))
    refused = {refusal.row for refusal in refusals if refusal.code != CHANGED}
    changed = {refusal.row for refusal in refusals if refusal.code == CHANGED}
    kept = {one.row: one.reason for one in plan.kept}
    kept |= {row: reason for one in done if one.fate is not Fate.REFUSED for row, reason in _kept(one.unit)}
    reached = {row for one in done for row in one.unit.rows} - refused - kept.keys()
    domains = tuple(
        DomainAccount(
            domain=domain,
            read=plan.read[domain],
            accepted=_count(reached, domain),
            kept=_count(kept, domain),
            refused=_count(refused, domain),
            changed=_count(changed, domain),
        )
        for domain in DOMAINS
        if domain in plan.read
    )
    kept_reasons = Counter((row.domain, reason) for row, reason in kept.items())
    reasons = Counter((refusal.row.domain, refusal.code) for refusal in refusals)
    return Account(domains, _adverse_events(done), kept_reasons, reasons, refusals, plan.findings)


def write_refusals(path: Path, refusals: Iterable[Refusal]) -> None:
    """The file of refused and changed rows (CSV, UTF-8), in the order of the source."""
    header = ("domain", "row_key", "source_row", "code", "reason", "attempt")
    ordered = sorted(refusals, key=lambda refusal: _place(refusal.row))
    _write(path, header, ((*_columns(one.row), one.code, one.sentence, one.attempt) for one in ordered))


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """The file of findings (CSV, UTF-8), in the order of the source."""
    header = ("domain", "row_key", "source_row", "finding", "sentence")
    ordered = sorted(findings, key=lambda finding: _place(finding.row))
    _write(path, header, ((*_columns(one.row), one.kind, one.sentence) for one in ordered))


def _kept(unit: Unit) -> Iterable[tuple[RowRef, str]]:
    """The rows of a sample or moment that the trial stores unaccepted, by the very function that decides it.

    A value that a later step of the unit confirms is not one of them.
    """
    confirmed = {step.part for step in unit.steps if step.mutation == "confirmImplausible"}
    for step in unit.steps:
        for row, result in zip(unit.rows, step.input.get("results", step.input.get("rows", ())), strict=False):
            judged = accept(result["code"], result.get("value"), result.get("comparator"), result.get("unit"))
            if isinstance(judged, Unaccepted) and row.key not in confirmed:
                yield row, judged.reason


def _adverse_events(done: Iterable[Settled]) -> int:
    """Units that hold an adverse event's first report and are in the log."""
    first = (one for one in done if any(step.mutation == "reportAdverseEvent" for step in one.unit.steps))
    return sum(one.fate is not Fate.REFUSED for one in first)


def _one_a_row(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    first: dict[RowRef, Refusal] = {}
    for refusal in refusals:
        first.setdefault(refusal.row, refusal)
    return tuple(first.values())


def _count(rows: Iterable[RowRef], domain: str) -> int:
    return sum(row.domain == domain for row in rows)


def _place(row: RowRef) -> tuple[int, int]:
    return DOMAINS.index(row.domain), row.number


def _columns(row: RowRef) -> tuple[str, str, int]:
    return row.domain, row.key, row.number


def _write(path: Path, header: tuple[str, ...], lines: Iterable[tuple[Any, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(lines)
