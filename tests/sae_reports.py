"""Serious adverse events reported through a running stack's API, and tokens for the people who see them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.types import format_instant
from hepatrail_infra.settings import Settings
from hepatrail_infra.tokens import TokenSigner
from stack import Stack


def report(subject: str, at: datetime, *criteria: str, grade: int = 3, **changes: Any) -> dict[str, Any]:
    """The input of `reportAdverseEvent` for an event that began, and was known, at `at`."""
    instant, minute = format_instant(at), {"value": f"{at:%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}
    return {
        "commandId": str(uuid4()),
        "subjectId": subject,
        "code": "LOCAL_BLEEDING",
        "verbatim": "bled after line removal",
        "onset": minute,
        "awareAt": instant,
        "criteria": list(criteria or ("HOSPITALISATION",)),
        "grade": grade,
        "gradeAt": minute,
        "outcome": "NOT_RECOVERED",
        "actionTaken": "NO_CHANGE",
        "reporter": "ward physician",
        **changes,
    }


async def reported(stack: Stack, subject: str, **changes: Any) -> dict[str, Any]:
    """Reports a serious event of 6 January 2026; the answer."""
    return await stack.accept("reportAdverseEvent", **report(subject, datetime(2026, 1, 6, 20, tzinfo=UTC), **changes))


def token_for(stack: Stack, person: str, role: Role = Role.SAFETY_OFFICER, life: timedelta = timedelta(days=1)) -> str:
    """A token of the stack for one named person."""
    settings = Settings()
    signer = TokenSigner.load(stack.data_dir, settings.jwt_issuer, settings.jwt_audience)
    return signer.sign(person, role, settings.sponsor_org, [ALL_SITES], life)
