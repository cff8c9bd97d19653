"""Lanes: the partitions with p mod L = lane, each written by one transactional producer (DESIGN section 2, fact 1)."""

from typing import NamedTuple

from hepatrail_infra.kafka_admin import PARTITIONS

LAYOUTS = (1, 2, 3, 4, 6, 12)
"""The numbers of lanes that can be set: the divisors of the number of partitions."""


class Lane(NamedTuple):
    """Lane `number` of a layout of `of` lanes."""

    number: int
    of: int

    @property
    def partitions(self) -> tuple[int, ...]:
        """The partitions of commands, events and decisions that belong to the lane."""
        return tuple(range(self.number, PARTITIONS, self.of))

    @property
    def transactional_id(self) -> str:
        """The id whose newest producer alone may write to the lane."""
        return f"hepatrail-decider-{self.number}-of-{self.of}"


def lanes_of(layout: int) -> tuple[Lane, ...]:
    """All lanes of a layout; ValueError when the partitions cannot be divided so."""
    if layout not in LAYOUTS:
        raise ValueError(f"lanes must be one of {', '.join(map(str, LAYOUTS))}")
    return tuple(Lane(number, layout) for number in range(layout))


def sharing(lane: Lane) -> tuple[Lane, ...]:
    """Every lane of every layout that shares a partition with this one, itself included.

    Whoever takes a lane over initialises the ids of all of them, so that a zombie of another layout is fenced too.
    """
    mine = set(lane.partitions)
    return tuple(other for layout in LAYOUTS for other in lanes_of(layout) if mine & set(other.partitions))
