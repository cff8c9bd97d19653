"""Points by bands, exact, also of censored values (`scores.md` sections 0.3 to 0.5), and how banded scores add up.

Decided here, because the reference leaves room: a value with `<` may be anything from zero on, one with `>` has no
upper limit; the hard limits of `labs.csv` play no part. Under `assume_normal` an open component gets the least
points that what is known still allows, which is 0 unless something was measured (a PaO2/FiO2 of 180 with unknown
support gives 2). A value that was there but could not be used (censored, not accepted, too far away, not testable)
was measured, so `assume_normal` does not cover it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import NamedTuple, TypeAlias

from hepatrail_projections.clinical.scores.common import Inputs, Options, ScoreInput, ScoreResult, why_missing

Edge: TypeAlias = tuple[Fraction | float, int]
"""A number and where the edge lies: -1 just below it, 0 at it, 1 just above it."""


class Span(NamedTuple):
    """All values that a quantity may have; both edges belong to it."""

    low: Edge
    high: Edge

    @property
    def exact(self) -> Fraction | None:
        """The one value, None when several are possible."""
        number = self.low[0]
        return number if self.low == self.high and isinstance(number, Fraction) else None

    def scaled(self, factor: Fraction) -> "Span":
        """Times a positive number."""
        return Span((self.low[0] * factor, self.low[1]), (self.high[0] * factor, self.high[1]))

    def minus(self, other: "Span") -> "Span":
        """The difference of two independent quantities."""
        low = (self.low[0] - other.high[0], 1 if self.low[1] or other.high[1] else 0)
        high = (self.high[0] - other.low[0], -1 if self.high[1] or other.low[1] else 0)
        return Span(low, high)

    def over(self, other: "Span") -> "Span":
        """The quotient of two quantities that are not negative."""
        low = (self.low[0] / other.high[0], 1 if self.low[1] or other.high[1] else 0)
        if other.low[0] == 0:
            return Span(low, (inf, 0))
        return Span(low, (self.high[0] / other.low[0], -1 if self.high[1] or other.low[1] else 0))


class _Cut(NamedTuple):
    at: Edge
    points: int


@dataclass(frozen=True, slots=True)
class Bands:
    """Half-open bands: from each cut upwards its points, below the last one `below`."""

    cuts: tuple[_Cut, ...]
    below: int

    def points(self, span: Span) -> tuple[int, int]:
        """Fewest and most points that the values of the span get."""
        first, last = self._index(span.high), self._index(span.low)
        if first == last:
            points = self._points(first)
            return points, points
        reached = [self._points(index) for index in range(first, last + 1)]
        return min(reached), max(reached)

    def of(self, value: Fraction) -> int:
        """The points of an exact value."""
        return self._points(self._index((value, 0)))

    def scaled(self, factor: Fraction) -> "Bands":
        """The same table in another unit: every limit times a positive number."""
        return Bands(tuple(_Cut((cut.at[0] * factor, cut.at[1]), cut.points) for cut in self.cuts), self.below)

    def _index(self, edge: Edge) -> int:
        for index, cut in enumerate(self.cuts):
            if edge >= cut.at:
                return index
        return len(self.cuts)

    def _points(self, index: int) -> int:
        return self.cuts[index].points if index < len(self.cuts) else self.below


def bands(limits: Mapping[str, int], below: int) -> Bands:
    """A table as printed, from the highest limit down: `"41"` is inclusive, `">204"` is not."""
    cuts = tuple(
        _Cut((Fraction(limit.removeprefix(">")), 1 if limit.startswith(">") else 0), points)
        for limit, points in limits.items()
    )
    return Bands(cuts, below)


def span_of(given: ScoreInput | None) -> Span | None:
    """The values that an input allows; None when there is no usable one."""
    number = None if given is None else given.number
    if given is None or number is None:
        return None
    match given.comparator:
        case "<":
            return Span((Fraction(0), 0), (number, -1))
        case "<=":
            return Span((Fraction(0), 0), (number, 0))
        case ">":
            return Span((number, 1), (inf, 0))
        case ">=":
            return Span((number, 0), (inf, 0))
        case _:
            return Span((number, 0), (number, 0))


@dataclass(frozen=True, slots=True)
class Part:
    """One component: its points, or the least that is certain and what is missing, by code with the reason."""

    points: int | None
    least: int = 0
    missing: Mapping[str, str | None] = field(default_factory=dict)


def scored(points: int) -> Part:
    """A component whose points are certain."""
    return Part(points, points)


def open_part(inputs: Inputs, *codes: str, least: int = 0) -> Part:
    """A component that lacks these codes, each with the reason why its value could not be used."""
    return Part(None, least, {code: why_missing(inputs.get(code)) for code in codes})


def settled(points: tuple[int, int], inputs: Inputs, *codes: str) -> Part:
    """The component where fewest and most points agree; else those of `codes` that are censored are missing."""
    if points[0] == points[1]:
        return scored(points[0])
    censored = [code for code in codes if code in inputs and inputs[code].comparator is not None]
    return open_part(inputs, *censored, least=points[0])


def banded(code: str, inputs: Inputs, table: Bands) -> Part:
    """A component that one input decides."""
    span = span_of(inputs.get(code))
    return open_part(inputs, code) if span is None else settled(table.points(span), inputs, code)


@dataclass(frozen=True, slots=True)
class Sum:
    """The components of a banded score with the most that each can give, and what else belongs to the result."""

    score_id: str
    parts: Mapping[str, Part]
    most: Mapping[str, int]
    never_assumed: frozenset[str] = frozenset()
    assumed: Mapping[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def result(self, options: Options) -> ScoreResult:
        """The total with its status, under the option for missing inputs."""
        assumed = dict(self.assumed)
        if options.missing_policy == "assume_normal":
            assumed |= {name: part.least for name, part in self.parts.items() if self._assumable(part)}
        points = {name: assumed.get(name, part.points) for name, part in self.parts.items()}
        known = [each for each in points.values() if each is not None]
        whole = len(known) == len(points)
        certain = {name: part.points for name, part in self.parts.items()}
        missing = {code: why for part in self.parts.values() for code, why in part.missing.items()}
        return ScoreResult(
            self.score_id,
            "incomplete" if not whole else "complete_with_assumptions" if assumed else "complete",
            score=sum(known) if whole else None,
            missing=tuple(sorted(missing)),
            reasons={code: why for code, why in sorted(missing.items()) if why is not None},
            assumed=assumed if whole else {},
            components=points if whole else certain,
            range=None if whole else self._range(),
            flags=self.flags,
            warnings=self.warnings,
        )

    def _range(self) -> tuple[int, int]:
        sure = sum(part.points for part in self.parts.values() if part.points is not None)
        return sure, sure + sum(self.most[name] for name, part in self.parts.items() if part.points is None)

    def _assumable(self, part: Part) -> bool:
        if part.points is not None or self.never_assumed & part.missing.keys():
            return False
        return all(why is None for why in part.missing.values())
