"""What a client reads: one participant with everything, lists in pages, its own writes, and the past."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import log_commits as log
from builders.payloads import a_sealed
from graphql_world import World
from hepatrail_events.adverse_events import Criterion
from hepatrail_events.roles import Role
from hepatrail_events.sessions import EndReason, SessionEnded
from hepatrail_graphql.schema import SCHEMA

EVERYTHING = """query Everything($id: ID!, $asOf: DateTime, $p: Position) {
subject(id: $id, asOf: $asOf, minPosition: $p) {
  id siteId version recordedAt status consentVersion consentGivenAt healthDataConsent indication sex ageYears t0 anchor
  screenFailureReason { value state } deathAt { value precision } completeTo provisional parked { code }
  provenance { eventIds algorithm protocolVersion }
  sessions { id ordinal startedAt endedAt endReason paused pauses { at resumedAt reason { state } } deviceLot
    viableCells weightKg cellsPerKg targetRatio inTolerance durationHours durationClass voided
    corrections { field oldValue newValue } provenance { eventIds algorithm protocolVersion } }
  exposure { sessions totalHours cumulativeCellsPerKg targetCellsPerKg provenance { eventIds } }
  labResults { id kind code collectedAt value comparator unit accepted rejectReason canonicalValue canonicalExact
    canonicalUnit point inWindow used baseline recordedAt provenance { eventIds } }
  scores(scores: [meld_2002]) { score visit status value unrounded baseline change changeReason
    missing { code reason } invalid inputs { code value comparator unit collectedAt problem eventIds }
    provenance { eventIds algorithm protocolVersion } }
  adverseEvents { id version code state grade maxGrade grades { grade gradeAt { value precision } eventId } serious
    criteria criteriaByAssessor { assessor criteria } verbatim { value state } onset { value precision }
    causality { target } provenance { eventIds } }
  visits { code ordinal status satisfied required missing { item reason } cause
    window { target earliest latest latestInclusive firstDate lastDate zone } provenance { eventIds } }
  alerts { cursor alertSeq type acknowledgedBy verbatim { value state } }
  queries { id rule code message objectKind objectId details provenance { eventIds } } } }"""


async def treated(world: World, subject_id: str = "S-01") -> str:
    """A participant with a session, samples before and after it, a serious adverse event and its alert."""
    writer = world.log
    log.publish(writer)
    stream = log.enrol(writer, subject_id)
    values: dict[str, Any] = {
        "creatinine": "180",
        "tbil": "300",
        "inr": "2.1",
        "dialysis_sessions_7d": ("0", "{count}"),
    }
    log.sample(writer, stream, **values)
    session = log.start(writer, stream)
    writer.tick(300)
    writer.commit(stream, SessionEnded(session_id=session.session_id, ended_at=writer.now, reason=EndReason.COMPLETED))
    writer.tick(12 * 60)
    log.sample(writer, stream, **{**values, "tbil": "200"})
    event = log.adverse_event(
        writer,
        stream,
        verbatim=await world.seal(subject_id, "fever with chills"),
        criteria=(Criterion.HOSPITALISATION,),
    )
    log.alert(writer, 1, event, subject_id)
    writer.tick(1)
    world.clock.at = writer.now + timedelta(minutes=5)
    await world.project()
    return stream


async def test_one_question_gives_everything_of_a_participant(world: World) -> None:
    await treated(world)
    found = (await world.ask(EVERYTHING, {"id": "S-01"}))["subject"]

    assert (found["siteId"], found["status"], found["sex"]) == ("BFH", "ENROLLED", "male")
    assert found["version"] == 7
    assert found["provisional"] is False
    assert found["completeTo"] == world.log.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    (session,) = found["sessions"]
    assert session["viableCells"] == 10_020_000_000
    assert (session["cellsPerKg"], session["targetRatio"], session["inTolerance"]) == ("167000000", "1", True)
    assert (session["durationHours"], session["endReason"]) == ("5.00", "COMPLETED")
    meld = {score["visit"]: score for score in found["scores"]}
    assert meld["BL"]["status"] == meld["H12"]["status"] == "complete", (meld["BL"]["missing"], meld["H12"]["missing"])
    assert meld["H12"]["change"] == meld["H12"]["value"] - meld["BL"]["value"] < 0
    results = {result["id"]: result for result in found["labResults"]}
    for given in meld["H12"]["inputs"]:
        (row,) = [row for row in results.values() if row["code"] == given["code"] and row["point"] == "H12"]
        assert given["eventIds"] == row["provenance"]["eventIds"]
        assert given["collectedAt"] == row["collectedAt"]
    assert set(meld["H12"]["provenance"]["eventIds"]) >= {
        each for given in meld["H12"]["inputs"] for each in given["eventIds"]
    }
    assert meld["H12"]["provenance"]["protocolVersion"] == "1.0"
    (event,) = found["adverseEvents"]
    assert event["verbatim"] == {"value": "fever with chills", "state": "CLEAR"}
    assert (event["serious"], event["criteria"], event["grade"]) == (True, ["HOSPITALISATION"], 2)
    assert [visit["code"] for visit in found["visits"]][:4] == ["BL", "P0_5_1H", "H12", "H24"]
    assert len(found["visits"]) == 14
    assert {visit["status"] for visit in found["visits"]} <= {"partial", "missed", "due", "not_yet_due"}
    (raised,) = found["alerts"]
    assert (raised["cursor"], raised["alertSeq"], raised["acknowledgedBy"]) == ("safety-desk@1", 1, None)


async def test_the_past_is_answered_as_it_was_recorded(world: World) -> None:
    await treated(world)
    before = world.log.now - timedelta(hours=10)
    found = (await world.ask(EVERYTHING, {"id": "S-01", "asOf": before.isoformat()}))["subject"]
    assert found["version"] < 7
    assert found["adverseEvents"] == [] and found["alerts"] == []
    assert found["provisional"] is False
    assert {score["visit"]: score["status"] for score in found["scores"]}["H12"] != "complete"


async def test_an_instant_that_is_not_complete_yet_is_marked_provisional(world: World) -> None:
    await treated(world)
    later = world.log.now + timedelta(minutes=1)
    found = (await world.ask(EVERYTHING, {"id": "S-01", "asOf": later.isoformat()}))["subject"]
    assert found["provisional"] is True


async def test_an_instant_that_cannot_be_read_is_named(world: World) -> None:
    error = await world.error('query($a: DateTime) { subject(id: "S-01", asOf: $a) { id } }', {"a": "yesterday"})
    assert (error["code"], error["field"], error["rule"]) == ("BAD_USER_INPUT", "asOf", "RFC 3339")


async def test_text_is_erased_everywhere_once_its_key_is_destroyed(world: World) -> None:
    await treated(world)
    await world.vault.destroy("S-01", "asked for erasure", "admin")
    found = (await world.ask(EVERYTHING, {"id": "S-01"}))["subject"]
    assert found["adverseEvents"][0]["verbatim"] == {"value": None, "state": "ERASED"}


async def test_a_text_that_does_not_open_never_hides_the_rest(world: World) -> None:
    log.publish(world.log)
    stream = log.enrol(world.log, "S-02")
    lost = a_sealed("verbatim", "S-02")
    log.adverse_event(world.log, stream, verbatim=lost)
    log.adverse_event(world.log, stream, verbatim=a_sealed("verbatim", "S-03"))
    await world.project()
    query = '{ subject(id: "S-02") { adverseEvents { code verbatim { value state } } } }'
    found = (await world.ask(query))["subject"]["adverseEvents"]
    assert [each["verbatim"]["state"] for each in found] == ["KEY_MISSING", "BROKEN"]
    assert (await world.get("/readyz")).json()["vault"]

    await world.seal("S-02", "its key is back")
    found = (await world.ask(query))["subject"]["adverseEvents"]
    assert [each["verbatim"] for each in found] == [{"value": None, "state": "BROKEN"}] * 2


PAGE = """query Page($n: Int!, $after: String, $f: SubjectFilter) { subjects(first: $n, after: $after, filter: $f) {
  edges { cursor node { id siteId } } pageInfo { hasNextPage endCursor } } }"""


async def test_a_list_is_paged_through_without_gap_or_double(world: World) -> None:
    for number in range(7):
        log.enrol(world.log, f"S-{number:02d}")
    await world.project()
    found: list[str] = []
    after: str | None = None
    while True:
        page = (await world.ask(PAGE, {"n": 3, "after": after}))["subjects"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == [f"S-{number:02d}" for number in range(7)]
    rest = (await world.ask(PAGE, {"n": 3, "after": after}))["subjects"]
    assert rest == {"edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


async def test_lists_of_every_participant_of_a_page_are_read_when_asked_for(world: World) -> None:
    await treated(world)
    page = await world.ask("{ subjects(first: 2) { edges { node { id sessions { ordinal } completeTo } } } }")
    (edge,) = page["subjects"]["edges"]
    assert edge["node"]["sessions"] == [{"ordinal": 1}]


async def test_a_page_has_1_to_200_entries(world: World) -> None:
    auditor = world.token(Role.AUDITOR)
    for field in ("subjects", "saeAlerts", "events"):
        for first in (0, -1, 201):
            error = await world.error(f"{{ {field}(first: {first}) {{ pageInfo {{ hasNextPage }} }} }}", token=auditor)
            assert (error["code"], error["field"], error["rule"]) == ("BAD_USER_INPUT", "first", "1..200")
        await world.ask(f"{{ {field}(first: 200) {{ pageInfo {{ hasNextPage }} }} }}", token=auditor)


async def test_a_page_must_say_how_many(world: World) -> None:
    error = await world.error("{ subjects { pageInfo { hasNextPage } } }")
    assert error["code"] == "BAD_USER_INPUT"


async def test_own_writes_are_read_and_nothing_older(world: World) -> None:
    stream = log.enrol(world.log, "S-01")
    await world.project()
    query = 'query($p: Position) { subject(id: "S-01", minPosition: $p) { version } }'
    assert (await world.ask(query, {"p": f"{stream}@2"}))["subject"]["version"] == 2
    error = await world.error(query, {"p": f"{stream}@3"})
    assert (error["code"], error["position"]) == ("NOT_YET_PROJECTED", f"{stream}@3")
    error = await world.error(query, {"p": "S-01 at 3"})
    assert error["code"] == "BAD_USER_INPUT"


async def test_a_wait_ends_as_soon_as_the_projection_is_there(world: World) -> None:
    stream = log.enrol(world.log, "S-01")
    query = 'query($p: Position) { subject(id: "S-01", minPosition: $p) { version } }'
    asking = asyncio.create_task(world.ask(query, {"p": f"{stream}@1"}))
    await asyncio.sleep(0.1)
    await world.project()
    assert (await asking)["subject"]["version"] == 2


EVENTS = """query($n: Int!, $after: String, $f: EventFilter) { events(first: $n, after: $after, filter: $f) {
  edges { cursor node { id position type recordedAt actorId actorRole payload envelope hash } }
  pageInfo { hasNextPage endCursor } } }"""


async def test_an_auditor_reads_the_log_as_it_was_written_and_that_is_on_record(world: World) -> None:
    await treated(world)
    auditor = world.token(Role.AUDITOR)
    found: list[Any] = []
    after = None
    while True:
        page = (await world.ask(EVENTS, {"n": 4, "after": after}, auditor))["events"]
        found += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len({each["id"] for each in found}) == len(found) == 9
    assert [each["recordedAt"] for each in found] == sorted(each["recordedAt"] for each in found)
    reported = next(each for each in found if each["type"] == "AEReported")
    assert set(reported["payload"]["verbatim"]) == {"kid", "cid", "path", "ct"}
    chain = {each["position"]: each for each in found}
    assert chain["subject-S-01@2"]["envelope"]["prevhash"] == chain["subject-S-01@1"]["hash"]
    assert sum(1 for kind, actor, _ in world.access.written if (kind, actor) == ("TRAIL_READ", "auditor")) == 3

    chosen = await world.ask(EVENTS, {"n": 9, "f": {"types": ["SessionStarted"], "stream": "subject-S-01"}}, auditor)
    assert [edge["node"]["position"] for edge in chosen["events"]["edges"]] == ["subject-S-01@4"]


async def test_the_trail_is_not_read_while_that_cannot_be_put_on_record(world: World) -> None:
    world.access.away = True
    error = await world.error(EVENTS, {"n": 4}, world.token(Role.AUDITOR))
    assert error["code"] == "UNAVAILABLE"


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    auditor = world.token(Role.AUDITOR)
    for field in ("events", "saeAlerts"):
        query = f"query($a: String) {{ {field}(first: 1, after: $a) {{ pageInfo {{ endCursor }} }} }}"
        for after in ("x", "safety-desk@x", "2026-01-01T00:00:00.000Z/study@-1", "study@2"):
            error = await world.error(query, {"a": after}, auditor)
            assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "after")


async def test_the_protocol_in_force_and_holds_are_read(world: World) -> None:
    error = await world.error("{ protocol { version } }")
    assert error["code"] == "NOT_FOUND"
    log.publish(world.log)
    await world.project()
    found = await world.ask("{ protocol { version hash content provenance { eventIds } } holds { id } }")
    assert found["protocol"]["version"] == "1.0"
    assert found["protocol"]["content"]["trial"] == "CiPS-BAL"
    assert found["holds"] == []


async def test_what_became_of_a_command_is_told_to_its_sender_and_to_auditors(world: World) -> None:
    stream = log.enrol(world.log, "S-01")
    await world.project()
    (command_id,) = {
        await world.tables.value(
            "SELECT command_id FROM decision WHERE stream = $1 ORDER BY kafka_offset LIMIT 1", stream
        )
    }
    query = """query($s: ID!, $i: UUID!) { command(stream: $s, id: $i) { __typename
        ... on CommandAccepted { commandId version position } } }"""
    asked = {"s": stream, "i": str(command_id)}
    mine = await world.ask(query, asked, world.token(Role.INVESTIGATOR, sub="dr-li"))
    assert mine["command"] == {
        "__typename": "CommandAccepted",
        "commandId": str(command_id),
        "version": 1,
        "position": f"{stream}@1",
    }
    assert (await world.ask(query, asked, world.token(Role.AUDITOR)))["command"] is not None
    assert (await world.ask(query, asked, world.token(Role.INVESTIGATOR, sub="dr-wu")))["command"] is None
    assert (await world.ask(query, {**asked, "i": str(uuid4())}))["command"] is None
    assert (await world.ask(query, {**asked, "s": "no stream"}))["command"] is None


async def test_the_printed_schema_is_the_committed_one() -> None:
    committed = Path(__file__).parents[2] / "graphql" / "schema.graphql"
    assert committed.read_text() == SCHEMA.as_str() + "\n", "print it: python -m hepatrail_graphql.schema"
