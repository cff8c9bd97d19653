"""What a plan of an import holds: inputs of commands, findings, refusals."""

from collections.abc import Callable
from typing import Any

from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.source import Source

Rows = Callable[..., Source]
"""Makes a source of rows, each with what matters."""


def inputs_of(plan: Plan, mutation: str) -> list[dict[str, Any]]:
    """The inputs of one mutation, in order."""
    return [dict(step.input) for unit in plan.units for step in unit.steps if step.mutation == mutation]


def kinds(plan: Plan) -> list[tuple[str, str]]:
    """Row and kind of each finding."""
    return [(finding.row.key, finding.kind) for finding in plan.findings]


def refused(plan: Plan) -> list[tuple[str, int, str]]:
    """Domain, number and code of each refusal."""
    return [(refusal.row.domain, refusal.row.number, refusal.code) for refusal in plan.refusals]
