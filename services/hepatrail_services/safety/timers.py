"""What lies ahead of participants and alerts, worked out again only where something changed.

So a tick costs next to nothing while nothing is due, with thousands of open alerts too.
"""

from collections.abc import Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hepatrail_projections.desk_view import AlertFact, DeskView
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.known_clocks import KnownClocks, clocks_since
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_services.safety.due import Level, Timer, fallen_due_levels, levels_of, timers_of


class _Basis(NamedTuple):
    """What the timers of a participant depend on."""

    version: int
    protocols: int
    in_force: int


class _Known(NamedTuple):
    """The timers of a participant, and the clocks that they are of."""

    basis: _Basis
    timers: tuple[Timer, ...]
    clocks: KnownClocks


class TimerMemory:
    """Remembers `timers_of` by participant, for the view that was asked for last.

    Of another view only the clocks of adverse events that something has touched since are worked out again.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def of(self, view: SubjectView, study: StudyView, at: datetime) -> tuple[Timer, ...]:
        """The participant's timers at an instant, in order."""
        reached = at if view.recorded_at is None else max(at, view.recorded_at)
        published = study.published_at(reached)
        if published is None:
            return ()
        basis = _Basis(view.version, len(study.protocols), published.row.streamseq)
        known = self._known.get(view.subject_id)
        if known is None or known.basis != basis:
            clocks = clocks_since(None if known is None else known.clocks, view, study, reached)
            timers = timers_of(view, study, reached, clocks)
            known = _Known(basis, timers, KnownClocks(view, published.version, clocks))
            self._known[view.subject_id] = known
        return known.timers


class LevelMemory:
    """Remembers `levels_of` by alert, of alerts that have levels ahead."""

    def __init__(self) -> None:
        self._version = 0
        self._in_force: PublishedProtocol | None = None
        self._alerts: dict[int, AlertFact] = {}
        self._ahead: dict[int, tuple[Level, ...]] = {}

    def due(self, desk: DeskView, study: StudyView, now: datetime, settled: Set[tuple[UUID, int]]) -> list[Level]:
        """The levels whose time has come, in the order of their times; `settled` are those the desk does not want."""
        published = study.published_at(now)
        if published is None:
            return []
        if published is not self._in_force:
            self._in_force = published
            self._version, self._alerts, self._ahead = 0, {}, {}
        if desk.version != self._version:
            self._version = desk.version
            self._take(desk, published)
        return fallen_due_levels((each for levels in self._ahead.values() for each in levels), now, settled)

    def _take(self, desk: DeskView, published: PublishedProtocol) -> None:
        for alert in desk.alerts.values():
            number = alert.raised.alert_seq
            if self._alerts.get(number) is alert:
                continue
            self._alerts[number] = alert
            levels = levels_of(alert, published.protocol)
            if levels:
                self._ahead[number] = levels
            else:
                self._ahead.pop(number, None)
