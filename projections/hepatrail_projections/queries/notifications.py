"""SUB-03: a sponsor who knew of an adverse event before the site did.

Decided here, because the reference leaves room: of several notifications of one adverse event each is asked about
until a later one of the same event takes its place, because a notification is not corrected but said anew.
"""

from collections.abc import Iterator

from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.data_query import QueryObject
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.queries.finding import Condition, Finding, Rule, say, together


def too_early(view: SubjectView, _: ClinicalState) -> Iterator[Finding]:
    """The latest notification of each adverse event, where it lies before the site's awareness."""
    latest = {record.fact.ae_id: record for record in view.notifications}
    for ae_id, record in latest.items():
        ae = view.adverse_events[ae_id]
        notified_at, aware_at = record.fact.notified_at, ae.reported.aware_at
        if ae.voided is None and notified_at < aware_at:
            message = (
                f"The sponsor was notified at {say(notified_at)}, before the site knew at {say(aware_at)}; record the "
                "notification again, or correct when the site knew."
            )
            ids = together(record.event_ids, ae.event_ids)
            condition = Condition("BEFORE_AWARENESS", message)
            yield Finding(QueryObject.SPONSOR_NOTIFICATION, record.event_ids[0], (condition,), ids)


SUB_03 = Rule("SUB-03", "1", ((QueryObject.SPONSOR_NOTIFICATION, ""),), too_early)
