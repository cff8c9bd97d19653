"""What an officer asks about stopping rules: which was hit, by what, and the holds that follow."""

from uuid import UUID

import log_commits as log
from graphql_world import World
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import StoppingRuleTriggered
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import HoldAction, HoldPlaced, HoldRequires, HoldScope


async def test_hits_of_stopping_rules_name_their_holds(world: World) -> None:
    log.publish(world.log)
    log.enrol(world.log, "S-01")
    hits = [world.log.uuid(), world.log.uuid()]
    events = [world.log.uuid(), world.log.uuid()]
    for hit_id, rule, scope in ((hits[0], "SR1", "TRIAL"), (hits[1], "SR4", "S-01")):
        triggered = StoppingRuleTriggered(
            hit_id=hit_id,
            rule_id=rule,
            scope_id=scope,
            commit_id=world.log.uuid(),
            actions=(HoldAction.HOLD_SESSIONS,),
            event_ids=tuple(events),
        )
        world.log.commit(SAFETY_DESK, triggered, role="SYSTEM")
    await world.project()
    query = """{ stoppingRuleHits { id ruleId subjectId actions commitId recordedAt provenance { eventIds }
        holds { id ruleId inForce reason { value } } } }"""
    found = (await world.ask(query))["stoppingRuleHits"]
    assert [(each["id"], each["ruleId"], each["subjectId"]) for each in found] == [
        (str(hits[0]), "SR1", None),
        (str(hits[1]), "SR4", "S-01"),
    ]
    assert [each["holds"] for each in found] == [[], []], "not placed yet"
    assert found[0]["provenance"]["eventIds"][:2] == list(map(str, events))
    (hold_id,) = (await hold_ids(world))[hits[0]]
    placed = HoldPlaced(
        hold_id=hold_id,
        action=HoldAction.HOLD_SESSIONS,
        scope=HoldScope.TRIAL,
        rule_id="SR1",
        requires=HoldRequires.DSMB,
        reason="SR1 was hit",
    )
    world.log.commit(STUDY, placed, role="SYSTEM")
    await world.project()
    found = (await world.ask(query))["stoppingRuleHits"]
    assert found[0]["holds"] == [
        {"id": str(hold_id), "ruleId": "SR1", "inForce": True, "reason": {"value": "SR1 was hit"}}
    ]
    other = world.token(Role.PRINCIPAL_INVESTIGATOR, ["NFH"])
    assert [each["ruleId"] for each in (await world.ask(query, token=other))["stoppingRuleHits"]] == ["SR1"]


async def hold_ids(world: World) -> dict[UUID, tuple[UUID, ...]]:
    return {row.hit_id: row.hold_ids for row in await world.services.reader.stopping_rule_hits()}
