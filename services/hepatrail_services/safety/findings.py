"""Laboratory grades that an officer must hear of at once (`safety.md` 6.1, LAB_GRADE_UNREVIEWED; `ctcae_labs.md` R13).

Grading a participant's results takes some milliseconds, so it is done only where a commit can bring such a finding: by
results, by sessions (T0), and by an adverse event of a laboratory term that no longer accounts for a result. A review
takes findings away and never brings one; medications and procedures decide no grade that is told at once.
"""

from collections.abc import Mapping
from uuid import UUID

from hepatrail_projections.clinical.grading.terms import TERM_NAMED
from hepatrail_projections.clinical.grading.unreviewed import Finding
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.facts import AdverseEventFact, SubjectView
from hepatrail_projections.lab_grades import ctcae_term, findings_of, unreviewed_findings
from hepatrail_projections.study_view import PublishedProtocol

_LABORATORY_TERMS = frozenset(name.casefold() for name in TERM_NAMED)


def findings_at_once(
    before: SubjectView, after: SubjectView, published: PublishedProtocol, earlier: PublishedProtocol | None = None
) -> tuple[Finding, ...]:
    """The findings that are told without delay and that `before` did not have, one a result, by when they came.

    `earlier` is the protocol version that `before` is held against, where it is another one.
    """
    if earlier is None and not _may_bring_findings(before, after):
        return ()
    found = _at_once(after, published)
    if not found:
        return ()
    known = _at_once(before, earlier or published)
    return tuple(finding for result_id, finding in found.items() if result_id not in known)


def _at_once(view: SubjectView, published: PublishedProtocol) -> Mapping[UUID, Finding]:
    if not view.results or all(session.voided is not None for session in view.sessions.values()):
        return {}
    found = findings_of(unreviewed_findings(view, clinical_state(view, published)))
    return {result_id: finding for result_id, finding in found.items() if finding.opens_at <= finding.since}


def _may_bring_findings(before: SubjectView, after: SubjectView) -> bool:
    return (
        after.results is not before.results
        or after.sessions is not before.sessions
        or _accounts_for_less(before, after)
    )


def _accounts_for_less(before: SubjectView, after: SubjectView) -> bool:
    """Whether an adverse event of a laboratory term may have ceased to be linked with a result."""
    if after.adverse_events is before.adverse_events:
        return False
    return any(
        ctcae_term(fact) in _LABORATORY_TERMS and _linking(fact) != _linking(after.adverse_events[ae_id])
        for ae_id, fact in before.adverse_events.items()
    )


def _linking(fact: AdverseEventFact) -> tuple[object, ...]:
    return ctcae_term(fact), fact.reported.onset, fact.end_at, fact.voided is not None
