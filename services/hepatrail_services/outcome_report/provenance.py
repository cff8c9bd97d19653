"""What every result carries: of when it is, by which rules it was made, of how many (`endpoints.md`)."""

from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.types import format_instant


@dataclass(frozen=True, slots=True)
class Provenance:
    """`as_of` is the data cut, `n` the size of the safety set."""

    trial: str
    as_of: datetime
    protocol_version: str
    code_version: str
    n: int

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Names and values, as a reader meets them."""
        return (
            ("trial", self.trial),
            ("data cut (as of)", format_instant(self.as_of)),
            ("protocol version", self.protocol_version),
            ("code version", self.code_version),
            ("N (safety set)", str(self.n)),
        )
