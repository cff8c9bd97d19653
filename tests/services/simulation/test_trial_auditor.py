"""The auditor trusts bytes only: a gap, a changed byte or a swapped order is found."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from hepatrail_events import codec
from hepatrail_events.codec import Link, Recorded
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import BrokenChain, InvalidMessage, StreamGap
from hepatrail_events.ids import uuid7
from hepatrail_events.study import SiteActivated
from hepatrail_services.simulation.auditor import verify_chains

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)


def _next(stream: str, link: Link, site: str) -> Recorded:
    envelope = Envelope(
        id=uuid7(AT),
        type="SiteActivated",
        version=1,
        stream=stream,
        streamseq=link.streamseq + 1,
        commitid=UUID(int=1),
        commitindex=0,
        commitsize=1,
        prevhash=link.hash,
        receivedat=AT,
        recordedat=AT,
        actorid="admin-1",
        actorrole="ADMIN",
        actororg="Trial site",
        producer="hepatrail/0.1.0",
        studyseq=1,
    )
    return codec.record(envelope, SiteActivated(site_id=site, approval_ref="EC-1"))


def _chain(stream: str, length: int) -> list[bytes]:
    link, values = Link(), []
    for number in range(length):
        recorded = _next(stream, link, f"S{number}")
        link = link.follow(recorded)
        values.append(recorded.raw)
    return values


def test_streams_are_verified_each_by_itself() -> None:
    first, second = _chain("study", 3), _chain("subject-A-1", 2)
    verified = verify_chains([first[0], second[0], first[1], second[1], first[2]])
    assert {stream: link.streamseq for stream, link in verified.heads.items()} == {"study": 3, "subject-A-1": 2}
    assert verified.types == {"SiteActivated": 5}
    assert verified.events == 5
    assert verified.producers == ("hepatrail/0.1.0",)


def test_a_missing_event_is_found() -> None:
    first, _, third = _chain("study", 3)
    with pytest.raises(StreamGap):
        verify_chains([first, third])


def test_a_changed_byte_breaks_the_chain() -> None:
    first, second = _chain("study", 2)
    with pytest.raises(BrokenChain):
        verify_chains([first.replace(b"EC-1", b"EC-2"), second])


def test_bytes_that_cannot_be_read_are_found() -> None:
    with pytest.raises(InvalidMessage):
        verify_chains([b"no event"])
