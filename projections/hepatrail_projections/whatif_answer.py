"""What is answered to who asks what would differ under another protocol; light to import, unlike what works it out."""

from dataclasses import dataclass
from datetime import datetime

from hepatrail_projections.study_view import PublishedProtocol
from hepatrail_projections.whatif import ProtocolDifference
from hepatrail_projections.whatif_outcomes import OutcomeDifferences


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would differ at an instant.

    `in_force` is the version that is (None: none), `hash` the other content's. `complete_to`: every event recorded
    until then is known (None: not known yet); an `at` behind it may be answered otherwise later. `participants` are
    those that were compared, `parked` the streams of which not all could be read. `outcomes` is None where one
    participant alone was asked about: the tables are of all.
    """

    at: datetime
    complete_to: datetime | None
    in_force: PublishedProtocol | None
    hash: str
    participants: int
    differences: tuple[ProtocolDifference, ...]
    outcomes: OutcomeDifferences | None
    parked: tuple[str, ...]
