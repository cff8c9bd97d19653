"""Hands out whole lanes to the members of the decider's group.

Each member says in its user data which layout it runs, which lanes it holds and since when (`term`: the number of
assignments that led to it). The layout that counts is that of the holder with the highest term, so that neither a
zombie nor the first process of a new layout takes anything from those that serve. Members of another layout get
nothing until the last of that layout is gone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from hepatrail_infra.kafka_admin import COMMANDS
from hepatrail_services.decider.lanes import LAYOUTS, Lane, lanes_of

NAME = "hepatrail-lanes"
_VERSION = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What a member says of itself: its layout, the lanes it holds, and the term in which it got them."""

    layout: int
    held: tuple[int, ...] = ()
    term: int = 0

    def encode(self) -> bytes:
        """The user data of a join request."""
        return orjson.dumps({"layout": self.layout, "held": list(self.held), "term": self.term})

    @classmethod
    def decode(cls, raw: bytes) -> "Claim":
        """Reads user data; a member whose data cannot be read has layout 0 and gets nothing."""
        try:
            body = orjson.loads(raw)
            return cls(int(body["layout"]), tuple(int(lane) for lane in body["held"]), int(body["term"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return cls(0)


@dataclass(frozen=True, slots=True)
class Assigned:
    """What the leader gives to a member: lanes of a layout, and the term of this assignment."""

    layout: int
    lanes: tuple[int, ...]
    term: int

    def encode(self) -> bytes:
        """The user data of an assignment."""
        return orjson.dumps({"layout": self.layout, "lanes": list(self.lanes), "term": self.term})

    @classmethod
    def decode(cls, raw: bytes) -> "Assigned":
        """Reads what `encode` wrote."""
        body = orjson.loads(raw)
        return cls(body["layout"], tuple(body["lanes"]), body["term"])


def share_out(claims: Mapping[str, Claim]) -> dict[str, Assigned]:
    """Lanes for every member: whole, each once, spread evenly, and where they are if that is fair.

    Deterministic: the same claims give the same answer whoever leads the group.
    """
    term = max((claim.term for claim in claims.values()), default=0) + 1
    layout = _layout(claims)
    takers = sorted(member for member, claim in claims.items() if claim.layout == layout and layout in LAYOUTS)
    given: dict[str, list[int]] = {member: [] for member in takers}
    free = set(range(layout)) if takers else set()
    most = -(-layout // len(takers)) if takers else 0
    # Of two that say they hold a lane, the later term is right: the other is a zombie.
    for member in sorted(takers, key=lambda member: (-claims[member].term, member)):
        for lane in sorted(claims[member].held):
            if lane in free and len(given[member]) < most:
                given[member].append(lane)
                free.remove(lane)
    for lane in sorted(free):
        given[min(takers, key=lambda member: (len(given[member]), member))].append(lane)
    return {member: Assigned(layout, tuple(sorted(given.get(member, ()))), term) for member in claims}


def _layout(claims: Mapping[str, Claim]) -> int:
    known = [claim for claim in claims.values() if claim.layout in LAYOUTS]
    if not known:
        return 0
    holders = [claim for claim in known if claim.held]
    if holders:
        return max(holders, key=lambda claim: (claim.term, claim.layout)).layout
    return max(claim.layout for claim in known)


class LaneAssignor:
    """aiokafka's side of it: one object a process, whose claim follows its assignments.

    Not a subclass of its `AbstractPartitionAssignor`, whose methods are class methods and so know no process.
    """

    name = NAME

    def __init__(self, layout: int) -> None:
        self._claim = Claim(layout)
        self._assigned: Assigned | None = None

    @property
    def assigned(self) -> Assigned | None:
        """The last assignment, as the leader wrote it."""
        return self._assigned

    def lanes(self) -> tuple[Lane, ...]:
        """The lanes of the last assignment; none when it was made for another layout."""
        if self._assigned is None or self._assigned.layout != self._claim.layout:
            return ()
        return tuple(lane for lane in lanes_of(self._assigned.layout) if lane.number in self._assigned.lanes)

    def for_another_layout(self) -> bool:
        """Whether the last assignment gave lanes of another layout: left over from who had this instance's name."""
        return self._assigned is not None and bool(self._assigned.lanes) and not self.lanes()

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member sends when it joins."""
        return ConsumerProtocolMemberMetadata(_VERSION, sorted(topics), self._claim.encode())

    def assign(
        self, _cluster: object, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """The assignment of all members, when this one leads the group."""
        claims = {member: Claim.decode(metadata.user_data) for member, metadata in members.items()}
        return {member: _message(assigned) for member, assigned in share_out(claims).items()}

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Takes note of what this member got."""
        self._assigned = Assigned.decode(assignment.user_data)
        held = tuple(lane.number for lane in self.lanes())
        self._claim = Claim(self._claim.layout, held, self._assigned.term)


def _message(assigned: Assigned) -> ConsumerProtocolMemberAssignment:
    partitions = sorted(partition for lane in assigned.lanes for partition in Lane(lane, assigned.layout).partitions)
    topics = [(COMMANDS, partitions)] if partitions else []
    return ConsumerProtocolMemberAssignment(_VERSION, topics, assigned.encode())
