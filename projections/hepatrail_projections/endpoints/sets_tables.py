"""The analysis sets (`endpoints.md` section 1).

Decided here, because the reference leaves room: evaluable at a time point is who has a change from baseline in the
main analysis of section 4, so that both tables tell the same n.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from operator import attrgetter

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table
from hepatrail_projections.clinical.endpoints.proportion import count_cell, share_cell
from hepatrail_projections.endpoints.change_facts import Analysis, ChangeEntry, ChangeFacts, by_place
from hepatrail_projections.endpoints.change_parameters import parameters, point_label, post_points
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_facts import SafetyFacts

_PARTICIPANTS = Column("PARTICIPANTS", "Participants")


def sets_tables(
    safety: Sequence[SafetyFacts],
    change: Sequence[ChangeFacts],
    protocol: Protocol,
    as_of: datetime,
    memory: Memory | None = None,
) -> tuple[Table, ...]:
    """The sets, and who is evaluable for each parameter at each point; facts of the data cut `as_of` in any order."""
    cut = local_date(as_of, site_zone(protocol.site_zone))
    return _sets(safety, cut.isoformat()), _evaluable(safety, change, protocol, memory or Memory())


def _sets(safety: Sequence[SafetyFacts], cut: str) -> Table:
    enrolled = [(each.subject_id, each.enrolment_ids) for each in safety if each.enrolment_ids]
    treated = [(each.subject_id, each.session_ids) for each in safety if each.treated]
    return Table(
        code="ANALYSIS_SETS",
        title="Analysis sets",
        section="1",
        columns=(_PARTICIPANTS,),
        rows=(
            Row("ENROLLED", "Enrolled", (count_cell(_PARTICIPANTS.code, len(enrolled), enrolled),)),
            Row("SAF", "Safety set", (count_cell(_PARTICIPANTS.code, len(treated), treated),)),
        ),
        notes=(
            f"As of {cut}. The safety set is who had at least one session started that is not void, whatever its "
            "duration or dose: the denominator of every safety and survival proportion.",
        ),
    )


def _evaluable(
    safety: Sequence[SafetyFacts], change: Sequence[ChangeFacts], protocol: Protocol, memory: Memory
) -> Table:
    n, points = sum(each.treated for each in safety), post_points(protocol)
    in_set = sorted((each for each in change if each.in_safety_set), key=lambda each: each.subject_id)
    places = memory.made("places", in_set, lambda: by_place(in_set))

    def cell(parameter: str, point: str) -> Cell:
        made_of = places.get((parameter, point), []), n, Decimal(protocol.endpoints.confidence)
        return memory.made(("evaluable", parameter, point), made_of, partial(_cell, point, *made_of))

    return Table(
        code="EVALUABLE",
        title="Participants evaluable at each time point",
        section="1",
        columns=tuple(Column(point, point_label(point)) for point in points),
        rows=tuple(
            Row(each.code, each.label, tuple(cell(each.code, point) for point in points))
            for each in parameters(protocol)
        ),
        notes=(f"N = {n} participants of the safety set. Evaluable: with baseline and a value at the time point.",),
    )


def _cell(point: str, entries: Iterable[ChangeEntry], n: int, confidence: Decimal) -> Cell:
    found = (each.of_change for each in entries if each.change is not None and Analysis.MAIN in each.analyses)
    return share_cell(point, tuple(sorted(found, key=attrgetter("subject_id"))), n, confidence)
