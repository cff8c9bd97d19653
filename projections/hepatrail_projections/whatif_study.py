"""The study as it would be under a protocol that nobody has published: pure.

A publication never reaches back (DAT-07, STU-03): it takes effect at the later of its effective time and its recording,
and from then on everything is derived under it, what was recorded long before included, but reporting clocks, which
stay under the rules that they opened under. `taken_effect` is a study in which that has just happened; `from_the_start`
one in which no other protocol has ever been in force, which only the clocks tell apart.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import Protocol, content_hash
from hepatrail_projections.plan import visit_plan
from hepatrail_projections.protocol_course import place
from hepatrail_projections.study import ProtocolRow
from hepatrail_projections.study_view import PublishedProtocol, StudyView

_NOBODY: Final = "nobody"


def taken_effect(study: StudyView, protocol: Protocol, at: datetime) -> StudyView:
    """The study in which the protocol was published last and takes effect at `at` (aware).

    `study` must hold nothing that was recorded later than that.
    """
    published = _unpublished(protocol, study.version + 1, at)
    return replace(study, protocols=(*study.protocols, published))


def from_the_start(study: StudyView, protocol: Protocol, at: datetime) -> StudyView:
    """The study in which the protocol is the only one, in force since the first was (`at`, aware, before any)."""
    if not study.protocols:
        return taken_effect(study, protocol, at)
    first = min(study.protocols, key=place).row
    streamseq = min(each.row.streamseq for each in study.protocols)
    made = _unpublished(protocol, streamseq, first.effective_from, first.commit_id, first.event_ids)
    return replace(study, protocols=(made,))


def _unpublished(
    protocol: Protocol,
    streamseq: int,
    effective_from: datetime,
    commit_id: UUID | None = None,
    event_ids: Iterable[UUID] | None = None,
) -> PublishedProtocol:
    """As if published there. Its name follows from its content, for what is remembered of a version goes by name."""
    content = protocol.content()
    digest = content_hash(content)
    made = derived_id("WHATIF", digest)
    row = ProtocolRow(
        version=f"what if {digest}",
        streamseq=streamseq,
        content=orjson.loads(content),
        hash=digest,
        approved_by=_NOBODY,
        reason="what if",
        effective_at=effective_from,
        effective_from=effective_from,
        published_at=effective_from,
        commit_id=commit_id or made,
        event_ids=(made,) if event_ids is None else tuple(event_ids),
    )
    return PublishedProtocol(row, protocol, visit_plan(protocol))
