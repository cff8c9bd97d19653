"""What an alert consists of beside its plain fields: clocks, causality, changes, who has seen it, how far it went."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from hepatrail_graphql.common import instant
from hepatrail_graphql.enums import Causality, CausalityTarget, NotificationChannel
from hepatrail_graphql.text import Opener, Text, sealed_text


@strawberry.type(description="A reporting clock as it stood when the alert was raised.")
class AlertClock:
    """A reporting clock as it stood when the alert was raised."""

    type: str = strawberry.field(description="The clock.")
    due_at: datetime = strawberry.field(description="When the report is due.")
    status: str = strawberry.field(description="Whether it ran, was met or was missed.")


@strawberry.type(description="One assessor's causality for one target.")
class AlertCausality:
    """One assessor's causality for one target."""

    assessor: str = strawberry.field(description="INVESTIGATOR or SPONSOR.")
    target: CausalityTarget = strawberry.field(description="What may have caused the event.")
    value: Causality = strawberry.field(description="WHO-UMC causality.")


@strawberry.type(description="A field that changed in the commit behind the alert.")
class AlertChange:
    """A field that changed in the commit behind the alert."""

    field: str = strawberry.field(description="The field.")
    old: str | None = strawberry.field(description="Before.")
    new: str | None = strawberry.field(description="After.")


@strawberry.type(description="Somebody confirmed having seen the alert.")
class Acknowledgement:
    """Somebody confirmed having seen the alert."""

    by: str = strawberry.field(description="The account.")
    at: datetime = strawberry.field(description="When it was confirmed.")
    comment: Text | None = strawberry.field(description="What they remarked.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event_id: UUID = strawberry.field(description="Its event.")
    stopping: bool = strawberry.field(description="Whether it stops escalation; the reporter's own does not.")


LEVELS = "1: all safety officers and PIs, 2: the sponsor's medical monitor, 3: DSMB chair and institution office."


@strawberry.type(description="Nobody had acknowledged the alert in time: the next level was told.")
class Escalation:
    """Nobody had acknowledged the alert in time."""

    level: int = strawberry.field(description=LEVELS)
    late: bool = strawberry.field(description="Whether its time had passed during an outage.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event_id: UUID = strawberry.field(description="Its event.")


@strawberry.type(description="A delivery of the alert beside the subscription; it holds no identifying text.")
class AlertDelivery:
    """A delivery of the alert beside the subscription."""

    channel: NotificationChannel = strawberry.field(description="The way.")
    level: int | None = strawberry.field(description="The escalation that was told; null: the alert itself.")


def alert_clock(stored: dict[str, Any]) -> AlertClock:
    """A clock of an alert's content."""
    return AlertClock(type=stored["type"], due_at=instant(stored["dueAt"]), status=stored["status"])


def alert_causality(stored: dict[str, Any]) -> AlertCausality:
    """A causality of an alert's content."""
    return AlertCausality(
        assessor=stored["assessor"], target=CausalityTarget(stored["target"]), value=Causality(stored["value"])
    )


def alert_change(stored: dict[str, Any]) -> AlertChange:
    """A change of an alert's content."""
    return AlertChange(field=stored["field"], old=stored.get("old"), new=stored.get("new"))


def acknowledgement(stored: dict[str, Any], opening: Opener) -> Acknowledgement:
    """An acknowledgement of a row's column."""
    return Acknowledgement(
        by=stored["by"],
        at=instant(stored["at"]),
        comment=opening.open(sealed_text(stored.get("comment"))),
        recorded_at=instant(stored["recordedAt"]),
        event_id=UUID(stored["eventId"]),
        stopping=stored["stopping"],
    )


def escalation(stored: dict[str, Any]) -> Escalation:
    """An escalation of a row's column."""
    return Escalation(
        level=stored["level"],
        late=stored["late"],
        recorded_at=instant(stored["recordedAt"]),
        event_id=UUID(stored["eventId"]),
    )


def alert_delivery(stored: dict[str, Any]) -> AlertDelivery:
    """A delivery of a row's column."""
    return AlertDelivery(channel=NotificationChannel(stored["channel"]), level=stored.get("level"))
