"""Why a decider ends by itself, or leaves its lanes."""

from hepatrail_events.errors import HepatrailError


class Halted(HepatrailError):
    """Deciding on would not be safe: the study or the safety desk cannot be read, or the rules keep failing."""


class LaneLost(HepatrailError):
    """A lane can no longer be written to, or it is not known what became of its last transaction.

    The process leaves the group and joins again; what is true is read from the log after the next assignment.
    `fenced`: another producer has the lane. `refused`: Kafka did not want the records.
    """

    def __init__(self, why: str, *, fenced: bool = False, refused: bool = False) -> None:
        super().__init__(why)
        self.fenced = fenced
        self.refused = refused
