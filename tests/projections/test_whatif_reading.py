"""What would differ, asked of a real live projection that stays what it is."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from hepatrail_events.errors import Unavailable
from hepatrail_events.protocol import content_hash
from hepatrail_infra.postgres import connection
from hepatrail_projections.digests import digests
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.reading import Reader
from hepatrail_projections.replay_reader import StandingClock
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_projections.whatif_kinds import Kind
from hepatrail_projections.whatif_outcomes import OutcomeDifferences
from hepatrail_projections.whatif_reading import WhatIfReader
from projection_log import LogWriter
from projection_tables import Tables
from trial_history import history
from whatif_course import asked, other, outcomes_asked, recorded

ANCHOR = other(anchor="LAST_SESSION_END", scores={"enabled": ("meld_3_0",)})


@dataclass
class Live:
    """A trial in a live projection, and who asks it at the log's end."""

    log: LogWriter
    tables: Tables
    reader: WhatIfReader

    async def digests(self) -> dict[str, str]:
        """Those of the live schema."""
        async with connection(self.tables.dsns.owner) as owner:
            return await digests(owner, self.tables.schema)


@pytest.fixture
async def live(tables: Tables) -> Live:
    """Three participants."""
    log = history(612, subjects=3, steps=120)
    await tables.project(log.records)
    return Live(log, tables, WhatIfReader(tables.pool, StandingClock(log.now)))


async def test_the_answer_is_the_pure_one_and_the_live_projection_stays_as_it_is(live: Live) -> None:
    before = await live.digests()
    found = await live.reader.what_if(ANCHOR)
    assert list(found.differences) == [each for each in asked(live.log, ANCHOR) if each.parameter != "ENR-05"]
    assert (found.at, found.participants, found.parked) == (live.log.now, 4, ())
    assert found.in_force is not None and found.in_force.version == "2.0"
    assert found.hash == content_hash(ANCHOR.content())
    assert {each.kind for each in found.differences} >= {Kind.VISIT_WINDOW, Kind.ASSIGNMENT, Kind.SCORE}
    assert await live.digests() == before
    async with connection(live.tables.dsns.owner) as owner:
        assert await owner.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'replay%'") == 0


@pytest.mark.parametrize("always", [False, True])
async def test_the_outcomes_that_differ_are_the_pure_ones_and_start_from_those_that_are_shown(
    live: Live, always: bool
) -> None:
    found = await live.reader.what_if(ANCHOR, always=always)
    pure = outcomes_asked(live.log, ANCHOR, always=always)
    assert found.outcomes == pure.found
    assert {each.table for each in pure.found.listed} >= {"EVALUABLE", "CHANGE_MELD_2002", "TEAE_CUMULATIVE"}
    assert pure.found.events
    shown = await OutcomeReader(Reader(live.tables.pool, StandingClock(live.log.now))).outcomes()
    assert pure.now.tables == shown.outcomes.tables


async def test_as_of_an_earlier_instant_the_outcomes_are_those_of_then(live: Live) -> None:
    at = sorted(each.envelope.recordedat for each in recorded(live.log)["subject-S-01"])[20]
    found, pure = await live.reader.what_if(ANCHOR, at), outcomes_asked(live.log, ANCHOR, at)
    assert found.outcomes == pure.found
    assert all(each.recorded_at <= at for each in pure.found.events)
    assert pure.found != outcomes_asked(live.log, ANCHOR).found


async def test_as_of_an_earlier_instant_and_of_one_participant(live: Live) -> None:
    at = sorted(each.envelope.recordedat for each in recorded(live.log)["subject-S-01"])[20]
    found = await live.reader.what_if(ANCHOR, at, always=True)
    assert list(found.differences) == asked(live.log, ANCHOR, at, always=True)
    one = await live.reader.what_if(ANCHOR, at, always=True, subject_id="S-01")
    assert one.participants == 1
    assert list(one.differences) == [each for each in found.differences if each.subject_id == "S-01"]
    assert one.differences
    assert one.outcomes is None, "the tables are of all participants"
    nothing = await live.reader.what_if(ANCHOR, at - timedelta(days=999))
    assert (nothing.participants, nothing.differences, nothing.in_force) == (0, (), None)
    assert nothing.outcomes is not None and not nothing.outcomes.events
    assert {each.change for each in nothing.outcomes.listed} == {"new"}, "without a protocol there is no table"


async def test_the_protocol_in_force_makes_no_difference(live: Live) -> None:
    in_force = (await live.reader.what_if(ANCHOR)).in_force
    assert in_force is not None
    same = await live.reader.what_if(in_force.protocol)
    assert (same.differences, same.outcomes) == ((), OutcomeDifferences((), ()))


async def test_enr_05_fewer_planned_participants_are_asked_about(live: Live) -> None:
    in_force = (await live.reader.what_if(ANCHOR)).in_force
    assert in_force is not None
    fewer = in_force.protocol.model_copy(update={"planned_n": 1})
    found = (await live.reader.what_if(fewer)).differences
    assert [(each.subject_id, each.change, each.parameter) for each in found] == [
        (subject_id, "new", "ENR-05") for subject_id in ("S-01", "S-02")
    ]
    for each in found:
        assert [event.type for event in each.events] == ["SubjectEnrolled"]
    assert {each.kind for each in found} == {Kind.QUERY}


async def test_a_clock_that_is_behind_leaves_nothing_out(live: Live) -> None:
    late = WhatIfReader(live.tables.pool, StandingClock(live.log.now - timedelta(days=30)))
    ends = max(events[-1].envelope.recordedat for events in recorded(live.log).values())
    assert (await late.what_if(ANCHOR)).at == ends


async def test_without_a_live_projection_of_this_version_nothing_is_answered(live: Live) -> None:
    with pytest.raises(Unavailable, match="run hepatrail rebuild"):
        await WhatIfReader(live.tables.pool, version=PROJECTION_VERSION + 1).what_if(ANCHOR)


async def test_a_participant_of_whom_not_all_can_be_read_is_named(live: Live) -> None:
    unreadable = live.log.raw("subject-S-01", b"bytes of another program")
    await live.tables.project([unreadable])
    assert (await live.reader.what_if(ANCHOR)).parked == ("subject-S-01",)
    assert (await live.reader.what_if(ANCHOR, subject_id="S-02")).parked == ()
