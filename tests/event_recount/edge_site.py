"""A participant of whom a site records late what the simulated trial never does; the rules of the trial decide it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from builders.commands import command_input
from event_recount.laboratory import catalogue
from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from hepatrail_services.importers.api_client import Accepted
from pure_spine import PureSpine

BEGIN = datetime(2027, 6, 1, 2, tzinfo=UTC)
"""10:00 at the site: the start of every first session."""
RECORDED = datetime(2028, 8, 1, tzinfo=UTC)
TEXTS = {
    "reportAdverseEvent": {"verbatim": "as the ward wrote it"},
    "recordBaselineCondition": {"verbatim": "as the ward wrote it"},
    "pauseSession": {"reason": "pressure alarm"},
    "correctDeathRecord": {"reason": "the registry says otherwise"},
    "correctLabResult": {"reason": "read from the wrong line"},
    "assessCausality": {"rationale": "close in time"},
    "followUpAdverseEvent": {"text": "seen again"},
    "correctAdverseEventGrade": {"reason": "mistyped on the ward"},
    "correctAdverseEvent": {"reason": "read from the wrong line"},
    "correctSession": {"reason": "the clock was wrong"},
    "confirmImplausible": {"reason": "measured twice"},
}


def after(**shift: float) -> str:
    """An instant so long after the start of the first session."""
    return format_instant(BEGIN + timedelta(**shift))


def minute(**shift: float) -> dict[str, str]:
    """The same, as a partial date that is known to the minute."""
    return {"value": f"{BEGIN + timedelta(**shift):%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}


def day(text: str) -> dict[str, str]:
    """A date that is known to the day, month or year, by its length."""
    return {"value": text, "precision": {4: "YEAR", 7: "MONTH", 10: "DAY"}[len(text)]}


class Site:
    """One participant, of whom the site records everything late."""

    def __init__(self, spine: PureSpine, subject_id: str) -> None:
        self.spine, self.subject_id = spine, subject_id

    async def send(self, mutation: str, by: Role = Role.INVESTIGATOR, **given: Any) -> dict[str, Any]:
        """An accepted command; the payload of its first event, with the id of that event."""
        stated = {**TEXTS.get(mutation, {}), **given}
        command = command_input(mutation, subjectId=self.subject_id, **stated)
        answer = await self.spine.acting_as(by).send(mutation, command)
        assert isinstance(answer, Accepted), (self.subject_id, mutation, answer)
        recorded = self.spine.recorded[f"subject-{self.subject_id}"]
        first = next(each for each in recorded if each.envelope.commitid == answer.command_id)
        return {"eventId": str(first.envelope.id), **first.event.payload()}

    async def enrolled(self, **given: Any) -> None:
        """Consent and enrolment."""
        await self.send("recordConsent", givenAt=after(days=-3))
        await self.send("enrolSubject", **given)

    async def session(self, begin: float = 0, hours: float | None = 6, **given: Any) -> dict[str, Any]:
        """A session so many hours after the first one's start; `hours` None: it has no end."""
        started = {"startedAt": after(hours=begin), "weightMeasuredAt": after(hours=begin - 24), **given}
        session = await self.send("startSession", **started)
        if hours is not None:
            await self.send(
                "endSession", sessionId=session["sessionId"], endedAt=after(hours=begin + hours), reason="COMPLETED"
            )
        return session

    async def treated(self, **given: Any) -> None:
        """Enrolled, with one session of six hours."""
        await self.enrolled()
        await self.session(**given)

    async def event(self, onset: Mapping[str, str], **given: Any) -> dict[str, Any]:
        """An adverse event of grade 2 since its onset."""
        stated = {"onset": onset, "gradeAt": onset, "awareAt": format_instant(RECORDED), **given}
        if stated.get("grade", 2) is None:
            stated["gradeAt"] = None
        return await self.send("reportAdverseEvent", **stated)

    async def sample(self, collected: str, visit: str | None = None, **values: str) -> list[dict[str, Any]]:
        """A sample; a value is text in the canonical unit, with its sign before it."""
        given = await self.send(
            "recordLabResults",
            collectedAt=collected,
            visitCode=visit,
            results=[row(code, value) for code, value in values.items()],
        )
        rows: list[dict[str, Any]] = given["results"]
        return rows

    async def observe(self, assessed: str, **values: str) -> None:
        """Bedside observations of one moment."""
        rows = [row(code, value) for code, value in values.items()]
        await self.send("recordObservations", assessedAt=assessed, rows=rows)


def row(code: str, text: str) -> dict[str, Any]:
    """A measured row in its canonical unit; the sign of a censored value stands before it."""
    sign = text[:2].rstrip("0123456789. ") if text[0] in "<>" else ""
    given = {"code": code, "value": text.removeprefix(sign), "unit": catalogue()[code]["canonical_unit_ucum"]}
    if given["unit"][0] in "{[":
        del given["unit"]
    return given | ({"comparator": sign} if sign else {})
