"""What the safety officer of the demo sees: alerts as they arrive over the subscription; the first is acknowledged."""

import asyncio
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import Accepted, ApiClient
from hepatrail_services.importers.api_subscription import subscribe

ALERTS = """subscription Alerts($after: String!) { saeAlerts(after: $after) { __typename
... on SaeAlert { cursor alertId alertSeq type priority subjectId code criteria grade }
... on AlertAcknowledged { cursor alertId by }
... on Heartbeat { cursor lastSeq safetyHealthy } } }"""
_COMMENT = "Seen in the demo"


class Officer:
    """Listens until cancelled; `seen` counts the alerts, whose numbers have no gap."""

    def __init__(self, ready: Mapping[str, Any], console: Console) -> None:
        self._ready = ready
        self._console = console
        self._token: str = ready["tokens"][Role.SAFETY_OFFICER]
        self.seen: list[int] = []
        self.acknowledged: str | None = None
        self._news = asyncio.Event()

    async def listen(self) -> None:
        """Prints each alert; acknowledges the first. Raises ApiError and Unavailable as the subscription does."""
        async with ApiClient(self._ready["graphql"], self._token) as client:
            async for data in subscribe(self._ready["websocket"], self._token, ALERTS, {"after": "start"}):
                event = data["saeAlerts"]
                match event["__typename"]:
                    case "SaeAlert":
                        await self._alert(event, client)
                    case "AlertAcknowledged":
                        self.acknowledged = event["by"]
                        self._console.print(f"  [green]alert acknowledged by {event['by']}[/]", highlight=False)
                self._news.set()

    async def until_quiet(self, expected: int, seconds: float = 20.0) -> None:
        """Returns when that many alerts were seen and one is acknowledged, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.seen) < expected or self.acknowledged is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return

    async def _alert(self, alert: Mapping[str, Any], client: ApiClient) -> None:
        self.seen.append(alert["alertSeq"])
        criteria = ", ".join(alert["criteria"]) or "no criterion"
        self._console.print(
            f"  [bold red]{alert['priority']}[/] alert {alert['alertSeq']} {alert['type']}: {alert['subjectId']} "
            f"{alert['code']} grade {alert['grade']} ({criteria})",
            highlight=False,
        )
        if len(self.seen) == 1:
            alert_id = alert["alertId"]
            command = {"commandId": str(derived_id("demo", alert_id)), "alertId": alert_id, "comment": _COMMENT}
            outcome = await client.send("acknowledgeSaeAlert", command)
            if not isinstance(outcome, Accepted):
                self._console.print(f"  not acknowledged: {outcome.message}", highlight=False, markup=False)
