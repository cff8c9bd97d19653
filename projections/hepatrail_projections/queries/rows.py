"""From the rules to rows: every query of a participant, with what was said about it (`data_query.py` tells its life).

Live, as of an instant and rebuild use this one function; it depends on the participant's stream and the protocol
version alone.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from uuid import UUID

from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryRow, QueryStatus, answers_to, closures_of, status_of
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.catalogue import RULES
from hepatrail_projections.queries.finding import Finding, Rule, query_id
from hepatrail_projections.queries.objects import OBJECTS
from hepatrail_projections.queries.results import LAB_02, not_accepted

RESOLVED_MESSAGE = "What was asked about holds no longer; the query closed by itself."

_known_id = lru_cache(maxsize=1 << 16)(query_id)


def query_rows(view: SubjectView, state: ClinicalState | None, rules: tuple[Rule, ...] = RULES) -> tuple[QueryRow, ...]:
    """All queries of a participant; without a protocol only what was not accepted can be asked about."""
    found = _found(view, state, rules)
    rows = {row.query_id: row for row in (_row(view, state, rule, each) for rule, each in found)}
    silent = {*view.query_answers, *view.query_closures} - rows.keys()
    return (*rows.values(), *(_resolved(view, state, rules, silent) if silent else ()))


def _found(view: SubjectView, state: ClinicalState | None, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Finding]]:
    if state is None:
        yield from ((LAB_02, each) for each in not_accepted(view, None))
        return
    for rule in rules:
        yield from ((rule, each) for each in rule.find(view, state))


def _row(view: SubjectView, state: ClinicalState | None, rule: Rule, found: Finding) -> QueryRow:
    identity = _known_id(rule.rule_id, view.subject_id, found.object_id, found.aspect)
    answers, closures = answers_to(view, identity), closures_of(view, identity)
    return QueryRow(
        subject_id=view.subject_id,
        query_id=identity,
        site_id=view.site_id,
        rule=rule.rule_id,
        rule_version=rule.version,
        status=status_of(answers, closures, rule.version).value,
        code=found.conditions[0].code,
        object_kind=found.kind.value,
        object_id=found.object_id,
        message=" ".join(each.message for each in found.conditions),
        details=[{"code": each.code, "message": each.message} for each in found.conditions],
        opens_at=found.opens_at,
        answers=answers,
        closures=closures,
        protocol_version=None if state is None else state.published.version,
        event_ids=found.event_ids,
    )


def _resolved(
    view: SubjectView, state: ClinicalState | None, rules: Iterable[Rule], silent: set[UUID]
) -> Iterator[QueryRow]:
    """Rows of queries about which something was said, and whose condition is gone."""
    left = set(silent)
    for rule in rules:
        for kind, aspect in rule.asks_about:
            for object_id in OBJECTS[kind](view):
                identity = _known_id(rule.rule_id, view.subject_id, object_id, aspect)
                if identity not in left:
                    continue
                left.remove(identity)
                answers, closures = answers_to(view, identity), closures_of(view, identity)
                yield QueryRow(
                    subject_id=view.subject_id,
                    query_id=identity,
                    site_id=view.site_id,
                    rule=rule.rule_id,
                    rule_version=rule.version,
                    status=QueryStatus.RESOLVED.value,
                    code=QueryStatus.RESOLVED.value,
                    object_kind=kind.value,
                    object_id=object_id,
                    message=RESOLVED_MESSAGE,
                    details=[],
                    opens_at=None,
                    answers=answers,
                    closures=closures,
                    protocol_version=None if state is None else state.published.version,
                    event_ids=tuple(UUID(each["eventId"]) for each in (*answers, *closures)),
                )
                if not left:
                    return
