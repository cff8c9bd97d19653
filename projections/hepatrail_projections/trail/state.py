"""What the trail of one stream knows of its objects: the present value of every field, to be shown as the old one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hepatrail_projections.trail.fields import Value, object_of


@dataclass(frozen=True, slots=True)
class Said:
    """One event as it was recorded: its type, payload and id, the id of the object it is about, the actor's role."""

    event_type: str
    payload: Mapping[str, Any]
    event_id: str
    actor_role: str

    @property
    def object_id(self) -> str:
        """The object that it is about."""
        return object_of(self.event_type, self.payload, self.event_id)


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the trail in the making; `reason` where the field has another one than the event."""

    object_id: str
    field: str
    old: Value
    new: Value
    reason: Value = None


@dataclass(slots=True)
class TrailState:
    """The fold of one stream.

    `values` by (object, field); `subjects` are the participants whom objects of the desk and the study concern;
    `death` is the event that recorded the death.
    """

    version: int = 0
    values: dict[tuple[str, str], Value] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    death: str | None = None

    def get(self, object_id: str, name: str) -> Value:
        """The present value, None when there is none."""
        return self.values.get((object_id, name))

    def put(self, object_id: str, name: str, new: Value, *, reason: Value = None) -> Change | None:
        """Gives a field a value; the change, None when it had that value before."""
        key = (object_id, name)
        old = self.values.get(key)
        self.values[key] = new
        if old == new or (old is None and new == []):
            return None
        return Change(object_id, name, old, new, reason)

    def copy(self) -> "TrailState":
        """Another one that goes on by itself."""
        return TrailState(self.version, dict(self.values), dict(self.subjects), self.death)
