"""What is asked of the trail, and of the events of a participant."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import log_commits as log
from audit_asking import TRAIL, pages
from graphql_world import World
from hepatrail_events.concomitant import MedicationCorrected, MedicationRecorded
from hepatrail_events.measurements import LabResultCorrected
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY
from hepatrail_events.types import PartialDate, Precision, parse_instant
from hepatrail_graphql.trail import is_sealed
from hepatrail_projections.trail.row import ANY_TRAIL
from hepatrail_services.access_log import Access
from hepatrail_services.audit.source import MemorySource
from hepatrail_services.audit.trail_listing import list_trail
from trial_history import history


async def corrected(world: World) -> tuple[str, UUID]:
    """A laboratory value that was corrected, with a reason in sealed text; its stream and id."""
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    (result,) = log.sample(world.log, stream, creatinine="88")
    reason = await world.seal("S-01", "the laboratory had swapped two samples", "reason")
    correction = LabResultCorrected(
        id=result, field="value", old_value="88", new_value="78", reason=reason, accepted=True
    )
    world.log.commit(stream, correction, actor="dr-li", role="INVESTIGATOR")
    await world.project()
    return stream, result


async def test_aud_01_the_trail_shows_who_when_what_and_why(world: World) -> None:
    stream, result = await corrected(world)
    entries = await pages(world, TRAIL, 200, world.token(Role.AUDITOR), f={"object": str(result), "field": "value"})
    first, second = entries
    assert (first["oldValue"], first["newValue"], first["reason"], first["actorId"]) == (None, "88", None, "lab")
    assert {name: second[name] for name in ("oldValue", "newValue", "field", "object", "event", "subjectId")} == {
        "oldValue": "88",
        "newValue": "78",
        "field": "value",
        "object": str(result),
        "event": "LabResultCorrected",
        "subjectId": "S-01",
    }
    assert second["reason"] == {"value": "the laboratory had swapped two samples", "state": "CLEAR"}
    assert (second["actorId"], second["actorRole"], second["actorOrg"]) == ("dr-li", "INVESTIGATOR", "Hospital")
    assert second["automated"] is False
    assert parse_instant(second["recordedAt"]) == parse_instant(second["receivedAt"]) == world.log.now
    assert second["position"].startswith(f"{stream}@")
    assert second["provenance"]["eventIds"] == [second["eventId"]]


async def test_aud_09_the_trail_is_filtered_and_paged(world: World) -> None:
    await corrected(world)
    log.sample(world.log, log.enrol(world.log, "S-02"), creatinine="90")
    await world.project()
    auditor = world.token(Role.AUDITOR)
    whole = await pages(world, TRAIL, 200, auditor)
    assert await pages(world, TRAIL, 7, auditor) == whole
    instant = whole[9]["recordedAt"]
    for given, expected in (
        ({"subjectId": "S-02"}, [each for each in whole if each["subjectId"] == "S-02"]),
        ({"field": "value"}, [each for each in whole if each["field"] == "value"]),
        ({"actorId": "lab"}, [each for each in whole if each["actorId"] == "lab"]),
        ({"since": instant}, [each for each in whole if each["recordedAt"] >= instant]),
        ({"until": instant}, [each for each in whole if each["recordedAt"] < instant]),
    ):
        assert 0 < len(expected) < len(whole)
        assert await pages(world, TRAIL, 5, auditor, f=given) == expected
    read_on_record = [detail for kind, actor, detail in world.access.written if kind == Access.TRAIL_READ]
    assert {detail["list"] for detail in read_on_record} == {"auditTrail"}
    assert {"list": "auditTrail", "field": "value", "first": 5} in read_on_record


async def test_aud_09_the_api_and_the_listing_from_the_log_say_the_same(world: World, tmp_path: Path) -> None:
    world.log.records.extend(history(11, subjects=2, steps=80).records)
    await world.project(complete=False)
    await world.complete_to(datetime(2027, 1, 1, tzinfo=UTC))
    source = MemorySource()
    for each in world.log.records:
        rows = source.topics.setdefault((each.topic, each.partition), [])
        rows.append((each.offset, each.key, each.value, each.headers))
    said = ("position", "object", "field", "oldValue", "newValue", "recordedAt", "actorId", "subjectId", "event")
    found = [tuple(each[name] for name in said) for each in await pages(world, TRAIL, 200, world.token(Role.AUDITOR))]
    listed = [
        tuple(None if is_sealed(row[name]) else row[name] for name in said)
        for row in (await list_trail(source, ANY_TRAIL, tmp_path)).rows()
    ]
    assert len(listed) > 200
    assert found == listed


async def test_acc_02_whoever_is_no_auditor_reads_the_trail_of_a_participant_of_their_sites(world: World) -> None:
    await corrected(world)
    own, other = world.token(Role.MONITOR, ["BFH"]), world.token(Role.MONITOR, ["NFH"])
    asked = {"n": 200, "f": {"subjectId": "S-01"}}
    edges = (await world.ask(TRAIL, asked, own))["auditTrail"]["edges"]
    assert {edge["node"]["subjectId"] for edge in edges} == {"S-01"}
    for token, given in (
        (other, asked),
        (own, {"n": 200}),
        (own, {"n": 200, "f": {"subjectId": "S-99"}}),
        (own, {"n": 200, "f": {"subjectId": "no pseudonym"}}),
        (world.token(Role.SPONSOR), {"n": 200}),
        (world.token(Role.AUDITOR, ["BFH"]), {"n": 200}),
    ):
        error = await world.error(TRAIL, given, token)
        assert (error["code"], error["rule"]) == ("FORBIDDEN", "ACC-02")
        assert world.access.refusals.pop()["command"] == "auditTrail"
    edges = (await world.ask(TRAIL, asked, world.token(Role.AUDITOR, ["BFH"])))["auditTrail"]["edges"]
    assert len(edges) > 0
    error = await world.error(TRAIL, {"n": 1, "f": {"subjectId": "no pseudonym"}}, world.token(Role.AUDITOR))
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "filter.subjectId")


async def test_events_of_a_participant_are_those_of_the_stream_and_what_names_them(world: World) -> None:
    log.publish(world.log)
    event = log.adverse_event(world.log, log.enrol(world.log, "S-01"))
    log.enrol(world.log, "S-02")
    log.alert(world.log, 1, event, "S-01")
    await world.project()
    query = """query($f: EventFilter) { events(first: 9, filter: $f) { edges { node { stream type } } } }"""
    found = await world.ask(query, {"f": {"subjectId": "S-01"}}, world.token(Role.AUDITOR))
    assert [(each["node"]["stream"], each["node"]["type"]) for each in found["events"]["edges"]] == [
        ("subject-S-01", "ConsentRecorded"),
        ("subject-S-01", "SubjectEnrolled"),
        ("subject-S-01", "AEReported"),
        ("safety-desk", "AlertRaised"),
    ]
    both = {"subjectId": "S-01", "stream": STUDY}
    assert (await world.ask(query, {"f": both}, world.token(Role.AUDITOR)))["events"]["edges"] == []


async def test_free_text_of_the_trail_is_opened_as_long_as_its_key_is_there(world: World) -> None:
    log.publish(world.log)
    stream, drug = log.enrol(world.log, "S-01"), world.log.uuid()
    words = ["Marcumar", "Heparin", "typing error"]
    first, second, why = [await world.seal("S-01", text, "verbatim") for text in words]
    began = PartialDate(value="2026-01-04", precision=Precision.DAY)
    recorded = MedicationRecorded(medication_id=drug, verbatim=first, started_at=began, therapeutic_anticoagulant=True)
    world.log.commit(stream, recorded)
    world.log.commit(stream, MedicationCorrected(id=drug, field="verbatim", new_text=second, reason=why))
    await world.project()

    async def correction() -> Any:
        given = {"object": str(drug), "field": "verbatim"}
        return (await pages(world, TRAIL, 9, world.token(Role.AUDITOR), f=given))[1]

    entry = await correction()
    assert (entry["oldValue"], entry["newValue"]) == (None, None)
    assert [entry[name] for name in ("oldText", "newText", "reason")] == [
        {"value": text, "state": "CLEAR"} for text in words
    ]
    assert not any(text.encode() in (each.value or b"") for each in world.log.records for text in words)
    await world.vault.destroy("S-01", "asked for it", "admin")
    entry = await correction()
    assert [entry[name] for name in ("oldText", "newText", "reason")] == [{"value": None, "state": "ERASED"}] * 3
