"""Data queries that somebody answers and closes: their ids follow from rule, participant and object."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.roles import Role
from hepatrail_projections.queries.catalogue import RULES
from hepatrail_services.simulation.script import COORDINATOR, MONITOR, Script

_RULES = {rule.rule_id: rule for rule in RULES}


def answer(
    script: Script, at: datetime, rule: str, object_id: UUID, said: str, role: Role = COORDINATOR
) -> dict[str, Any]:
    """The site or the laboratory answers what a rule asks about an object; returns the query as `close` takes it."""
    query = {"queryId": str(_RULES[rule].query_id(script.participant.subject_id, object_id))}
    script.enter(at, role, "answerQuery", query | {"text": said})
    return query | {"ruleVersion": _RULES[rule].version}


def close(script: Script, at: datetime, query: dict[str, Any], reason: str) -> None:
    """The monitor closes the query for the present version of its rule."""
    script.enter(at, MONITOR, "closeQuery", query | {"reason": reason})
