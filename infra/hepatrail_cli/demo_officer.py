"""What the safety officer of the demo sees and does: alerts as they arrive, one left alone until it escalates."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console

from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.types import parse_instant
from hepatrail_infra.clock import SimulatedClock
from hepatrail_services.importers.api_client import Accepted, ApiClient
from hepatrail_services.importers.api_subscription import subscribe
from hepatrail_services.simulation.player import Played

ALERTS = """subscription Alerts($after: String!) { saeAlerts(after: $after) { __typename
... on SaeAlert { cursor alertId alertSeq type priority subjectId code criteria grade commitId aeId raisedAt }
... on AlertAcknowledged { cursor alertId by }
... on AlertEscalated { cursor alertId alertSeq level }
... on Heartbeat { cursor lastSeq safetyHealthy } } }"""
CLOCKS = """query Clocks($ae: UUID!, $position: Position) {
reportingClocks(first: 20, filter: {aeId: $ae}, minPosition: $position) {
  edges { node { type status dueAt dueAtSite } } } }"""
_COMMENT = "Seen in the demo"
_SURE, _PERHAPS = 10.0, 0.12
_MAY_ALERT = frozenset(
    {
        "assessCausality",
        "assessExpectedness",
        "changeAdverseEventGrade",
        "changeSeriousnessCriteria",
        "coSignAeVoid",
        "correctAdverseEvent",
        "correctDeathRecord",
        "downgradeAdverseEvent",
        "recordDeath",
        "reportAdverseEvent",
        "reportDeviceDeficiency",
        "resolveAdverseEvent",
        "upgradeAdverseEvent",
        "voidSession",
    }
)
"""Mutations after which the clock waits a moment for an alert, so that the officer is as quick as a person would be."""


class Officer:
    """Listens until cancelled; `seen` counts the alerts, whose numbers have no gap."""

    def __init__(self, ready: Mapping[str, Any], console: Console) -> None:
        self._ready = ready
        self._console = console
        self._token: str = ready["tokens"][Role.SAFETY_OFFICER]
        self.seen: list[int] = []
        self.acknowledged: set[str] = set()
        self.escalated: dict[str, int] = {}
        self.clocks_met: set[str] = set()
        self._left_alone: Mapping[str, Any] | None = None
        self._by_commit: dict[UUID, Mapping[str, Any]] = {}
        self._shown: dict[str, str] = {}
        self._news = asyncio.Event()

    async def listen(self) -> None:
        """Prints each alert and acknowledges it, except the first. Raises as the subscription and the API do."""
        async with ApiClient(self._ready["graphql"], self._token) as client:
            async for data in subscribe(self._ready["websocket"], self._token, ALERTS, {"after": "start"}):
                event = data["saeAlerts"]
                match event["__typename"]:
                    case "SaeAlert":
                        await self._alert(event, client)
                    case "AlertAcknowledged":
                        self.acknowledged.add(event["alertId"])
                    case "AlertEscalated":
                        self.escalated[event["alertId"]] = event["level"]
                        self._say(
                            f"[bold magenta]alert {event['alertSeq']} escalated to level {event['level']}[/]: "
                            "nobody acknowledged it in time"
                        )
                self._news.set()
                # Whoever waits for this message goes on before the next one.
                await asyncio.sleep(0)

    async def keep_pace(self, played: Played) -> None:
        """Waits for the alerts of a command; lets the first one escalate, and shows its clocks as they are met."""
        if not isinstance(played.outcome, Accepted):
            return
        command = played.command
        if command.mutation in _MAY_ALERT:
            commit = played.outcome.command_id
            await self._until(lambda: commit in self._by_commit, _SURE if command.input.get("criteria") else _PERHAPS)
        alone = self._left_alone
        if alone is not None and alone["alertId"] not in self.acknowledged:
            await self._let_escalate(alone, played.outcome.position)
        elif alone is not None and command.input.get("aeId") == alone["aeId"]:
            await self._show_clocks(alone["aeId"], played.outcome.position)

    async def until_quiet(self, expected: int, seconds: float = 20.0) -> None:
        """Returns when that many alerts were seen and one is acknowledged, or after `seconds`."""
        await self._until(lambda: len(self.seen) >= expected and bool(self.acknowledged), seconds)

    async def _alert(self, alert: Mapping[str, Any], client: ApiClient) -> None:
        self.seen.append(alert["alertSeq"])
        self._by_commit[UUID(alert["commitId"])] = alert
        criteria = ", ".join(alert["criteria"]) or "no criterion"
        about = f"{alert['code']} grade {alert['grade']} ({criteria})" if alert["code"] else ""
        self._console.print(
            f"  [bold red]{alert['priority']}[/] alert {alert['alertSeq']} {alert['type']}: {alert['subjectId']} "
            f"{about}",
            highlight=False,
        )
        if self._left_alone is None and alert["aeId"] is not None:
            self._left_alone = alert
        else:
            await self._acknowledge(alert, client)

    async def _let_escalate(self, alert: Mapping[str, Any], position: str) -> None:
        """Nobody looks until the first level's time has come; then the officer does."""
        minutes = next(each.minutes for each in shipped_protocol().escalation if each.priority == alert["priority"])
        await self._show_clocks(alert["aeId"], position)
        clock = SimulatedClock(Path(self._ready["clock"]))
        try:
            clock.advance_to(parse_instant(alert["raisedAt"]) + timedelta(minutes=minutes[0], seconds=1))
        finally:
            clock.close()
        self._say(f"{minutes[0]} minutes pass, nobody acknowledges alert {alert['alertSeq']}")
        await self._until(lambda: alert["alertId"] in self.escalated, _SURE)
        async with ApiClient(self._ready["graphql"], self._token) as client:
            await self._acknowledge(alert, client)
        await self._until(lambda: alert["alertId"] in self.acknowledged, _SURE)
        self._say(f"[green]alert {alert['alertSeq']} acknowledged by the officer: escalation stops[/]")

    async def _acknowledge(self, alert: Mapping[str, Any], client: ApiClient) -> None:
        alert_id = alert["alertId"]
        command = {"commandId": str(derived_id("demo", alert_id)), "alertId": alert_id, "comment": _COMMENT}
        outcome = await client.send("acknowledgeSaeAlert", command)
        if not isinstance(outcome, Accepted):
            self._console.print(f"  not acknowledged: {outcome.message}", highlight=False, markup=False)

    async def _show_clocks(self, ae_id: str, position: str) -> None:
        """Prints the reporting clocks of the event that are new or stand otherwise than last time."""
        async with ApiClient(self._ready["graphql"], self._token) as client:
            answer = await client.execute(CLOCKS, {"ae": ae_id, "position": position})
        for clock in (edge["node"] for edge in answer["reportingClocks"]["edges"]):
            name, status = clock["type"], clock["status"]
            if self._shown.get(name) != status:
                self._shown[name] = status
                colour = "green" if status == "MET" else "yellow"
                self._say(f"clock {name} [{colour}]{status}[/], due {clock['dueAtSite']}")
            if status == "MET":
                self.clocks_met.add(name)

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    def _say(self, text: str) -> None:
        self._console.print(f"    {text}", highlight=False)
