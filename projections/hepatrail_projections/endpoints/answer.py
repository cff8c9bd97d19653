"""What is answered to who asks for the outcomes; light to import, unlike what works them out."""

from dataclasses import dataclass
from datetime import datetime

from hepatrail_projections.clinical.endpoints.cells import Table


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The tables as of an instant, under the protocol version in force then (None: none was, and there is no table).

    `safety_set` is N: participants with a session that was started and is not void. `code_version` is what computed
    them.
    """

    as_of: datetime
    protocol_version: str | None
    code_version: str
    safety_set: int
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class OutcomesRead:
    """Outcomes, and how far the projections were: `provisional` while more may be recorded until their instant."""

    outcomes: Outcomes
    complete_to: datetime | None
    provisional: bool
