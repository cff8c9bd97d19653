"""A participant's stream as far as it was read, and what is common to its records: corrections and voids."""

from dataclasses import dataclass, field
from typing import Any

from invariants.kept import Ae, Json, Kept, Session, Study, text


@dataclass
class Reading:
    """Everything that is on record of one participant."""

    subject_id: str
    study: Study
    consents: list[Json] = field(default_factory=list)
    enrolled: bool = False
    screen_failed: bool = False
    consent_withdrawn: bool = False
    consent_withdrawn_at: Any = None
    death: Json | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    rows: dict[str, Kept] = field(default_factory=dict)
    messages: set[tuple[str, str]] = field(default_factory=set)
    records: dict[str, Kept] = field(default_factory=dict)
    events: dict[str, Ae] = field(default_factory=dict)

    def _corrected(self, kept: Kept, body: Json) -> None:
        assert not kept.voided, "DAT-02: known and not void"
        name, old, new = body["field"], body.get("oldValue"), body.get("newValue")
        if "newText" in body:
            kept.body[name] = body["newText"]
            return
        if not (isinstance(kept.body.get(name), dict) and "kid" in kept.body[name]):
            assert old == text(kept.body.get(name)), f"oldValue of {name} is not what stood there"
        kept.body.pop(name, None)
        if new is not None:
            kept.body[name] = new

    def _voided(self, kept: Kept) -> None:
        assert not kept.voided, "DAT-02: known and not void"
        kept.voided = True

    def _valid(self, *kinds: str) -> list[Kept]:
        return [kept for kept in self.records.values() if kept.kind in kinds and not kept.voided]
