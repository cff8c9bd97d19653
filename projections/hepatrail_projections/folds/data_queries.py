"""Answers to data queries and their closure by the monitor (`events.md` 3.10).

A query is derived and no event, so an answer is kept whether or not its query is open at the moment.
"""

from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import Closure, QueryAnswer, SubjectView
from hepatrail_projections.folds.correcting import with_item
from hepatrail_projections.replacing import replace


def query_answered(view: SubjectView, event: QueryAnswered, envelope: Envelope) -> SubjectView:
    """One more answer."""
    made = QueryAnswer(event.text, envelope.recordedat, envelope.actorid, envelope.actorrole, envelope.id)
    answers = (*view.query_answers.get(event.query_id, ()), made)
    return replace(view, query_answers=with_item(view.query_answers, event.query_id, answers))


def query_closed(view: SubjectView, event: QueryClosed, envelope: Envelope) -> SubjectView:
    """Closed for one version of its rule; closures for other versions stand beside it."""
    closure = Closure(event.reason, event.rule_version, envelope.recordedat, envelope.actorid, envelope.id)
    closures = (*view.query_closures.get(event.query_id, ()), closure)
    return replace(view, query_closures=with_item(view.query_closures, event.query_id, closures))
