"""A participant's whole course in one question: every kind of record, corrected and judged, now and as it was."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from graphql import parse

import log_commits as log
from builders import ids, payloads, times
from graphql_course import STREAM, all_of_a_subject, whole_course
from graphql_world import World
from hepatrail_events.assessments import DeathRecordCorrected
from hepatrail_events.codec import read
from hepatrail_events.roles import Role
from hepatrail_graphql.limits import MAX_COST, measure
from hepatrail_graphql.schema import SCHEMA
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.derive import SUBJECT_TABLES
from readme_documents import document
from trial_history import history

ALL = all_of_a_subject(SCHEMA._schema)
COURSE = document("query Course")


@pytest.fixture
async def course(world: World) -> World:
    """A participant with a whole course."""
    await whole_course(world)
    return world


async def everything(world: World, token: str | None = None, **asked: Any) -> Any:
    """Every field of the participant."""
    variables = {"id": ids.SUBJECT, "at": times.iso(hours=1), **asked}
    return (await world.ask(ALL, variables, token))["subject"]


async def test_every_field_of_a_whole_course_is_answered(course: World) -> None:
    found = await everything(course)
    lists = {name for name, value in found.items() if isinstance(value, list) and not value}
    assert lists == {"parked"}
    assert [each["version"] for each in found["consents"]] == ["ICF-2", "ICF-3"]
    assert found["consentVersion"] == "ICF-3"


async def test_aud_13_every_derived_value_names_its_events(course: World) -> None:
    found = await everything(course)
    events = {str(read(each.value or b"").envelope.id) for each in course.log.records if each.topic == EVENTS}
    seen = Counter[str]()
    for where, value, each in provenances("subject", found):
        name = where.rpartition(".")[2]
        seen[name] += 1
        # A score of which no input is there rests on nothing, and has no value.
        assert each["eventIds"] or (name in ("scores", "scoresAt") and value["value"] is None), where
        assert set(each["eventIds"]) <= events, where
        assert each["algorithm"], where
    assert any(value["value"] is not None for value in found["scores"])
    # Whatever is derived of a participant is among them (`derive.PARTS`).
    shown = {"subject", "exposure", "compliance", "deviations", "clocks", "queries", "findings", "alerts"}
    assert seen.keys() >= shown | {name for name, value in found.items() if value and isinstance(value, list)} - BARE


BARE = {"parked", "consents", "deathCorrections"}
"""Lists of what single events say, each with its event; what cannot be read has its place in the log."""


def provenances(where: str, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every provenance of an answer, with the names of the fields that lead there and what it is of."""
    if isinstance(value, list):
        for each in value:
            yield from provenances(where, each)
    elif isinstance(value, dict):
        if "provenance" in value:
            yield where, value, value["provenance"]
        for name, below in value.items():
            yield from provenances(f"{where}.{name}", below)


async def test_every_field_is_answered_of_any_history(world: World) -> None:
    world.log.records.extend(history(11, subjects=3, steps=150).records)
    await world.project(complete=False)
    for number in range(3):
        await everything(world, id=f"S-{number:02d}", at="2026-01-20T00:00:00Z")


async def test_a_death_is_shown_with_its_corrections_and_taken_back_when_the_participant_lives(course: World) -> None:
    found = await everything(course)
    assert (found["status"], found["autopsyDone"], found["deathRevived"]) == ("DIED", True, False)
    assert found["primaryCauseAeId"] == str(ids.AE)
    (correction,) = found["deathCorrections"]
    assert (correction["revived"], correction["autopsyDone"]) == (False, True)
    course.log.commit(STREAM, DeathRecordCorrected(revived=True, reason=payloads.a_sealed()))
    await course.project()
    found = await everything(course)
    assert (found["deathAt"], found["deathRevived"], len(found["deathCorrections"])) == (None, True, 2)


async def test_a_correction_keeps_the_original_and_says_who_and_why(course: World) -> None:
    found = await everything(course)
    (drug,) = found["medications"]
    assert drug["dose"] == "2.5"
    (correction,) = drug["corrections"]
    assert (correction["field"], correction["oldValue"], correction["newValue"]) == ("dose", "5", "2.5")
    assert (correction["recordedBy"], correction["reason"]["state"]) == ("dr-li", "BROKEN")
    assert drug["provenance"]["eventIds"] == [drug["provenance"]["eventIds"][0], correction["eventId"]]
    done, void = found["procedures"]
    assert (done["voided"], void["voided"], void["voidReasonCode"]) == (False, True, "WRONG_PARTICIPANT")
    assert found["submissions"][0]["reference"] == "EC-7"
    corrected = [each for each in found["labResults"] if each["corrections"]]
    assert [(each["value"], each["corrections"][0]["oldValue"]) for each in corrected] == [("200", "300")]


async def test_results_are_graded_against_their_own_limits_and_the_baseline(course: World) -> None:
    results = {(each["code"], each["point"]): each for each in (await everything(course))["labResults"]}
    baseline, later = results["alt", "BL"], results["alt", "P0_5_1H"]
    assert (baseline["baseline"], later["baseline"], later["loinc"]) == (True, False, "1742-6")
    (grade,) = later["grades"]
    # 900 U/L with an upper limit of 50: more than 5 and at most 20 times that.
    assert (grade["term"], grade["direction"]) == ("Alanine aminotransferase increased", "H")
    assert (grade["grade"], grade["gradeAtBaseline"], grade["ulnMultiple"]) == (3, 0, "18")
    assert set(grade["provenance"]["eventIds"]) >= {
        *later["provenance"]["eventIds"],
        *baseline["provenance"]["eventIds"],
    }
    assert (later["finding"]["grade"], later["finding"]["priority"]) == (3, "P3")


async def test_a_score_is_explained_by_each_input_with_its_event(course: World) -> None:
    found = await everything(course)
    meld = {each["visit"]: each for each in found["scores"] if each["score"] == "meld_2002"}
    baseline = meld["BL"]
    assert baseline["status"] == "complete"
    inputs = {each["code"]: each for each in baseline["inputs"]}
    assert (inputs["tbil"]["value"], inputs["tbil"]["unit"]) == ("300", "umol/L")
    recorded = {(each["code"], each["provenance"]["eventIds"][0]): each for each in found["labResults"]}
    for code in ("tbil", "inr", "creatinine"):
        assert recorded[code, inputs[code]["eventIds"][0]]["collectedAt"] == inputs[code]["collectedAt"]
    assert set(baseline["provenance"]["eventIds"]) == {event for each in inputs.values() for event in each["eventIds"]}
    gcs = next(each for each in found["scores"] if each["score"] == "gcs" and each["visit"] == "BL")
    assert gcs["value"] is None
    assert {each["code"] for each in gcs["missing"]} == {"gcs_eye", "gcs_motor", "gcs_verbal"}


async def test_scores_are_computed_for_any_moment_and_choose_what_was_there(course: World) -> None:
    asked = "query($id: ID!, $at: DateTime!) { subject(id: $id) { scoresAt(at: $at, scores: [meld_2002]) "
    asked += "{ score visit at status value change inputs { code value collectedAt } } } }"
    early = await course.ask(asked, {"id": ids.SUBJECT, "at": times.iso(hours=6.5)})
    late = await course.ask(asked, {"id": ids.SUBJECT, "at": times.iso(hours=1)})
    ((first,), (second,)) = early["subject"]["scoresAt"], late["subject"]["scoresAt"]
    assert (first["visit"], first["at"], first["status"]) == ("AT", times.iso(hours=6.5), "complete")
    tbil = [next(each["value"] for each in score["inputs"] if each["code"] == "tbil") for score in (first, second)]
    assert tbil == ["300", "200"]
    assert second["value"] < first["value"]
    error = await course.error(asked, {"id": ids.SUBJECT, "at": "noon"})
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "at")


async def test_visits_tell_what_is_there_what_lacks_and_what_cut_them_short(course: World) -> None:
    found = await everything(course)
    visits = {each["code"]: each for each in found["visits"]}
    first = visits["P0_5_1H"]
    assert (first["series"], first["kind"]) == ("MAIN", "instant")
    assert {"alt", "tbil", "creatinine", "inr"} <= set(first["satisfied"])
    assert {each["item"] for each in first["missing"]} == set(first["required"]) - set(first["satisfied"])
    lacking = {each["item"]: [part["code"] for part in each["lacking"]] for each in first["missing"]}
    assert "gcs_eye" in lacking["GCS"]
    assert {each["cause"] for each in first["stops"]} >= {"DEATH", "TRANSPLANT"}
    assert found["compliance"]["numerator"] <= found["compliance"]["denominator"]
    assert {each["visit"] for each in found["deviations"]} <= set(visits)


async def test_an_adverse_event_shows_its_course_its_judgements_and_what_joins_it(course: World) -> None:
    (event,) = (await everything(course))["adverseEvents"]
    assert event["verbatim"] == {"value": "fever with chills", "state": "CLEAR"}
    assert (event["id"], event["version"], event["grade"], event["maxGrade"]) == (str(ids.AE), 6, 3, 3)
    assert [each["grade"] for each in event["grades"]] == [2, 3]
    (causality,) = event["causality"]
    assert (causality["assessor"], causality["target"]) == ("INVESTIGATOR", "DEVICE")
    assert event["criteriaByAssessor"][0] == {"assessor": "INVESTIGATOR", "criteria": ["HOSPITALISATION"]}
    assert (event["rsi"]["value"], event["meddra"]["recordedBy"]) == ("UNEXPECTED", "dr-li")
    assert (event["teae"], event["teaeCase"], event["exposed"]) == (False, None, False), "it began before treatment"
    assert event["lastAlertSeq"] == 1
    assert {each["objectId"] for each in event["openQueries"]} <= {str(ids.AE)}
    assert len(event["followUps"]) == 1


async def test_what_the_site_asked_and_learned_is_shown_by_kind(course: World) -> None:
    found = await everything(course)
    kinds = [each["kind"] for each in found["assessments"]]
    assert kinds == [
        "AE_ASSESSMENT",
        "SURVIVAL_STATUS",
        "TRANSPLANT",
        "LOSS_TO_FOLLOW_UP",
        "CONTACT_REGAINED",
        "WITHDRAWAL",
    ]
    assert found["survival"]["alive"] == "Y"
    assert [each["donor"] for each in found["transplants"]] == ["LIVING"]
    assert [each["firstAfterT0"] for each in found["transplants"]] == [True]
    assert [each["scope"] for each in found["withdrawals"]] == ["TREATMENT_ONLY"]
    assert found["contactRegainedAt"] is not None and found["lostToFollowUpSince"] is None
    only = "query($id: ID!) { subject(id: $id) { assessments(kinds: [TRANSPLANT]) { kind } } }"
    assert (await course.ask(only, {"id": ids.SUBJECT}))["subject"]["assessments"] == [{"kind": "TRANSPLANT"}]


async def test_the_whole_course_is_answered_as_it_was_known(course: World) -> None:
    now = await everything(course)
    then = await everything(course, asOf=(times.NOW - timedelta(hours=7)).isoformat())
    assert then["asOf"] == times.iso(hours=7)
    assert (then["adverseEvents"], then["alerts"], then["sessions"], then["narratives"]) == ([], [], [], [])
    assert [each["dose"] for each in then["medications"]] == ["2.5"]
    same = await everything(course, asOf=course.log.now.isoformat())
    assert same["provisional"] is False
    assert {**same, "asOf": None} == {**now, "asOf": None}, "nothing was recorded since"


async def test_a_laboratory_is_shown_no_safety_data_and_no_free_text(course: World) -> None:
    laboratory = course.token(Role.LABORATORY)
    for field in (
        "adverseEvents { id }",
        "alerts { alertSeq }",
        "baselineConditions { id }",
        "deviceDeficiencies { id }",
        "narratives { aeId }",
        "sponsorNotifications { aeId }",
        "submissions { id }",
    ):
        error = await course.error(f'{{ subject(id: "{ids.SUBJECT}") {{ {field} }} }}', token=laboratory)
        assert error["code"] == "FORBIDDEN", field
    open_to_it = '{ subject(id: "S-001") { medications { verbatim { state } } labResults { code } } }'
    found = (await course.ask(open_to_it, token=laboratory))["subject"]
    assert found["medications"] == [{"verbatim": {"state": "SEALED"}}]


async def statements_of(world: World, query: str, **variables: Any) -> list[str]:
    """The statements that read data to answer a question, once everything is warm."""
    await world.ask(query, variables)
    seen: list[str] = []
    taken = [await world.tables.pool.acquire() for _ in range(world.tables.pool.get_max_size())]
    for link in taken:
        link.add_query_logger(lambda record: seen.append(record.query))
        await world.tables.pool.release(link)
    await world.ask(query, variables)
    # The driver asks for types, and the API whether the token still holds, every now and then, whatever the question.
    beside = ("typeinfo_tree", "access_withdrawn", "live_projection")
    return [each for each in seen if " FROM " in each and not any(word in each for word in beside)]


async def test_a_whole_course_takes_as_many_statements_however_long_it_is(world: World) -> None:
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    await world.project()
    short = await statements_of(world, COURSE, id="S-01")
    for _ in range(12):
        log.sample(world.log, stream, tbil="300", inr="2.1", creatinine="180")
        log.start(world.log, stream)
        log.adverse_event(world.log, stream)
    await world.project()
    assert await statements_of(world, COURSE, id="S-01") == short
    beside = ("study", "who was enrolled beyond plan", "completeness", "what is parked", "alerts")
    assert len(short) == len(SUBJECT_TABLES) + len(beside)


async def test_the_courses_of_a_whole_page_take_as_many_statements_as_one(world: World) -> None:
    log.publish(world.log)
    page = "query($n: Int!) { subjects(first: $n) { edges { node { ...course } } } } " + inside(COURSE)
    read = []
    for number in range(12):
        stream = log.enrol(world.log, f"S-{number:02d}")
        log.sample(world.log, stream, tbil="300")
        log.adverse_event(world.log, stream)
        if number in (0, 11):
            await world.project()
            read.append(await statements_of(world, page, n=12))
    assert read[0] == read[1]


def inside(query: str) -> str:
    """What a question asks of the participant, as a fragment."""
    begin = query.index("{", query.index("subject("))
    return f"fragment course on Subject {query[begin:].rstrip()[:-1]}"


async def test_the_courses_of_all_twelve_participants_and_every_field_of_one_are_admitted(world: World) -> None:
    schema = SCHEMA._schema
    page = "query { subjects(first: 12) { edges { node { ...course } } } } " + inside(COURSE)
    costs = [measure(schema, parse(each), {}).cost for each in (COURSE, page, ALL)]
    assert costs[0] < 5_000
    assert max(costs) <= MAX_COST
    await world.ask(page)
    error = await world.error(page.replace("first: 12", "first: 200"))
    assert error["code"] == "LIMIT_EXCEEDED"
