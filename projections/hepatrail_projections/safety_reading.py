"""What the API may ask of safety: alerts, the desk's events in order, escalations, stopping rules, reporting clocks."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_projections.alert import ALERT, ANY_ALERT, AlertFilter, AlertRow, alerts_after
from hepatrail_projections.clock_reading import ANY_CLOCK, ClockFilter, clocks_of_trial
from hepatrail_projections.desk_reading import (
    ANY_ESCALATION,
    DeskEntry,
    DeskRead,
    EscalationFilter,
    alert_seq_until,
    desk_after,
    escalations_after,
)
from hepatrail_projections.reporting_clock import ReportingClockRow
from hepatrail_projections.snapshots import MAX_PAGE, Page, Snapshots, bounded, page, zone_at
from hepatrail_projections.stopping_hit import STOPPING_RULE_HIT, StoppingRuleHitRow


class SafetyReader(Snapshots):
    """The part of `reading.Reader` that concerns the safety desk."""

    async def alerts(self, first: int, after: int | None = None, chosen: AlertFilter = ANY_ALERT) -> Page[AlertRow]:
        """Alerts by alertSeq, those behind the number `after`."""
        async with self._snapshot() as connection:
            return page(await alerts_after(connection, after, chosen, bounded(first) + 1), first)

    async def alert(self, alert_id: UUID) -> AlertRow | None:
        """One alert."""
        async with self._snapshot() as connection:
            found = await ALERT.where(connection, "alert_id = $1", alert_id)
        return found[0] if found else None

    async def desk_after(self, after: int | None, limit: int = MAX_PAGE) -> DeskRead:
        """The desk's events behind a streamseq with their alerts, and the desk's end; None: only its end."""
        async with self._snapshot() as connection:
            return await desk_after(connection, after, bounded(limit))

    async def alert_seq_until(self, streamseq: int) -> int:
        """The number of the last alert at or before a place on the desk; 0 before any."""
        async with self._snapshot() as connection:
            return await alert_seq_until(connection, streamseq)

    async def escalations(
        self, first: int, after: int = 0, chosen: EscalationFilter = ANY_ESCALATION
    ) -> Page[DeskEntry]:
        """Escalations in the desk's order, those behind a streamseq, with their alerts."""
        async with self._snapshot() as connection:
            return page(await escalations_after(connection, after, chosen, bounded(first) + 1), first)

    async def stopping_rule_hits(self) -> list[StoppingRuleHitRow]:
        """All hits of stopping rules, in the desk's order."""
        async with self._snapshot() as connection:
            return await STOPPING_RULE_HIT.where(connection, "true", order="streamseq")

    async def reporting_clocks(
        self, first: int, after: tuple[datetime, UUID] | None = None, chosen: ClockFilter = ANY_CLOCK
    ) -> Page[ReportingClockRow]:
        """Reporting clocks by (due, id), those behind `after`, as they stand now."""
        async with self._snapshot() as connection:
            study, now = await self._study_view(connection, None), self._clock.now()
            return page(await clocks_of_trial(connection, study, now, after, chosen, bounded(first) + 1), first)

    async def site_zone(self) -> ZoneInfo:
        """The time zone of the sites by the protocol in force; UTC before the first took effect."""
        async with self._snapshot() as connection:
            study = await self._study_view(connection, None)
        return zone_at(study, self._clock.now())
