"""The lines of the primary safety measure and the groups of special interest (`endpoints.md` section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hepatrail_events.adverse_events import ActionTaken
from hepatrail_projections.clinical.endpoints.cells import Cell, Row, Table
from hepatrail_projections.clinical.endpoints.proportion import share_cell
from hepatrail_projections.endpoints.safety_cells import (
    EVENTS,
    PARTICIPANTS,
    Holds,
    SafetySet,
    count_all,
    events_of,
)
from hepatrail_projections.endpoints.safety_facts import CountedEvent, SafetyFacts
from hepatrail_projections.endpoints.safety_terms import AESI_GROUPS

SEVERE = 3
"""The CTCAE grade from which an event counts as severe."""

_ENDED = (ActionTaken.SESSION_STOPPED_EARLY, ActionTaken.TREATMENT_DISCONTINUED)


@dataclass(frozen=True, slots=True)
class Line:
    """A line: the participants with at least one event that holds; `level` 1 stands beside the line above."""

    code: str
    label: str
    holds: Holds
    level: int = 0

    def falls(self, _facts: SafetyFacts, event: CountedEvent) -> bool:
        """Whether an event of a participant counts here, whoever that is."""
        return self.holds(event)


def _emergent(code: str, label: str, holds: Holds, level: int = 0) -> Line:
    return Line(code, label, lambda event: event.teae and holds(event), level)


TEAE = Line("TEAE", "At least one treatment-emergent adverse event (TEAE)", lambda event: event.teae)
TESAE = Line("TESAE", "At least one treatment-emergent serious adverse event", lambda event: event.tesae)
ANY_SAE = Line("ANY_SAE", "Any serious adverse event from consent on (not the endpoint)", lambda event: event.serious)

EMERGENT: tuple[Line, ...] = (
    _emergent("RELATED", "Related TEAE (cells or device), as assessed", lambda event: event.related),
    _emergent("RELATED_NOT_ASSESSED", "TEAE not yet assessed for relation", lambda event: event.not_assessed, 1),
    _emergent("AESI", "TEAE of special interest", lambda event: event.group is not None),
    _emergent("GRADE_3", "TEAE of grade 3 or higher", lambda event: event.grade is not None and event.grade >= SEVERE),
    _emergent("FATAL", "Fatal TEAE", lambda event: event.fatal),
    _emergent("SUSAR", "TEAE that is a SUSAR, as assessed", lambda event: event.susar),
    _emergent("SUSAR_PROVISIONAL", "TEAE that is a SUSAR until assessed", lambda event: event.susar_provisional, 1),
    _emergent(
        "ACTION_ENDED",
        "TEAE with session stopped or treatment discontinued",
        lambda event: event.action_taken in _ENDED,
    ),
    _emergent("ACTION_STOPPED", "Session stopped early", lambda event: event.action_taken == _ENDED[0], 1),
    _emergent("ACTION_DISCONTINUED", "Treatment discontinued", lambda event: event.action_taken == _ENDED[1], 1),
)

OVERVIEW: tuple[Line, ...] = (TEAE, TESAE, ANY_SAE, *EMERGENT)
RATED: tuple[Line, ...] = (TEAE, TESAE, *EMERGENT)


def _of_group(code: str) -> Holds:
    return lambda event: event.teae and event.group == code


def overview_table(saf: SafetySet, untreated: Sequence[SafetyFacts]) -> Table:
    """The primary safety measure; beside any SAE from consent on those of participants who were never treated."""
    rows = [_row(line, saf) for line in OVERVIEW]
    outside = count_all(untreated, ANY_SAE.falls)
    share = share_cell(PARTICIPANTS.code, outside.held, len(untreated), saf.confidence)
    cells: tuple[Cell, ...] = (share, events_of(share, EVENTS.code, outside.events))
    label = "Any serious adverse event of participants outside the safety set"
    rows.insert(OVERVIEW.index(ANY_SAE) + 1, Row("ANY_SAE_UNTREATED", label, cells, 1))
    return Table(
        code="TEAE_OVERVIEW",
        title="Treatment-emergent and serious adverse events",
        section="2",
        columns=(PARTICIPANTS, EVENTS),
        rows=tuple(rows),
        notes=(
            f"N = {saf.n} participants of the safety set; exact (Clopper-Pearson) intervals.",
            "An event that is not yet assessed for cells and device by the investigator counts as related nowhere "
            "here; it is shown beside the line.",
            f"The line of participants outside the safety set is of {len(untreated)} participants.",
        ),
    )


def groups_table(saf: SafetySet) -> Table:
    """Adverse events of special interest by the groups of the registration."""
    lines = [Line(code, label, _of_group(code)) for code, label in AESI_GROUPS.items()]
    total = Line("AESI", "Any TEAE of special interest", lambda event: event.teae and event.group is not None)
    return Table(
        code="TEAE_BY_AESI_GROUP",
        title="Treatment-emergent adverse events of special interest by group",
        section="2",
        columns=(PARTICIPANTS, EVENTS),
        rows=tuple(_row(line, saf) for line in (total, *lines)),
        notes=(f"N = {saf.n} participants of the safety set.",),
    )


def _row(line: Line, saf: SafetySet) -> Row:
    cells = saf.cells(PARTICIPANTS.code, EVENTS.code, saf.counted(line.code, line.falls))
    return Row(line.code, line.label, cells, line.level)
