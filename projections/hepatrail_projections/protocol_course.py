"""Which protocol version a commit is evaluated under, and which took effect between two of them."""

from datetime import datetime

from hepatrail_projections.study_view import PublishedProtocol, StudyView


def place(published: PublishedProtocol) -> tuple[datetime, int]:
    """Where a version stands among those that take effect: by when it does, then by when it was published."""
    return published.row.effective_from, published.row.streamseq


def protocol_under(study: StudyView, recorded_at: datetime, studyseq: int) -> PublishedProtocol | None:
    """The version in force at an instant among those that were published by a version of the study; None before any.

    This is the version that a commit was decided under, given its `recordedat` and `studyseq`.
    """
    known = (
        each for each in study.protocols if each.row.streamseq <= studyseq and each.row.effective_from <= recorded_at
    )
    return max(known, key=place, default=None)


def took_effect_between(
    study: StudyView, after: PublishedProtocol | None, until: PublishedProtocol
) -> tuple[PublishedProtocol, ...]:
    """The versions that took effect behind one (None: from the first on) up to another, included, in that order."""
    return tuple(
        each
        for each in sorted(study.protocols, key=place)
        if (after is None or place(each) > place(after)) and place(each) <= place(until)
    )
