"""Stopping rules on the real servers: reports in, the hold named when the next session and enrolment are refused."""

from typing import Any

from builders.times import iso, minute
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import HoldPlaced
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.postgres import Dsns
from hepatrail_services.command_bus import CommandBus
from projection_kafka import eventually
from runtime_support import events_of
from safety_desk import in_ledger, raised, watching
from safety_site import Site, site_of
from stopping import enabling

FIRST, SECOND, THIRD = "S-001", "S-002", "S-003"
ENABLED = shipped_protocol().model_copy(update=enabling("SR2", "SR4")).content()


async def _treat(site: Site, subject: str) -> None:
    await site.send("enrolSubject", subjectId=subject)
    await site.send("startSession", subjectId=subject)


async def _report(site: Site, subject: str, **changes: Any) -> None:
    within = {"onset": minute(minutes=5), "gradeAt": minute(minutes=5), "awareAt": iso(minutes=1), "grade": 4}
    await site.send("reportAdverseEvent", subjectId=subject, **{"code": "BLEEDING_SYSTEMIC", **within, **changes})


async def _of(kafka: str, stream: str, kind: type[Any]) -> list[Any]:
    return [each.event for each in await events_of(kafka, stream) if isinstance(each.event, kind)]


async def _held(kafka: str, count: int) -> list[HoldPlaced]:
    async def there() -> bool:
        return len(await _of(kafka, STUDY, HoldPlaced)) >= count

    await eventually(there, 30)
    return await _of(kafka, STUDY, HoldPlaced)


def _names(decision: Decision, rule: str, hold: HoldPlaced) -> None:
    assert (decision.verdict, decision.rule) == (Verdict.REJECTED, rule)
    assert f"hold {hold.hold_id} of the stopping rule {hold.rule_id}" in (decision.message or "")


async def test_hits_hold_sessions_and_enrolment_until_released_and_a_restart_from_nothing_changes_nothing(
    kafka: str, dsns: Dsns
) -> None:
    async with site_of(kafka, content=ENABLED) as site:
        async with watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())):
            for subject in (FIRST, SECOND):
                await _treat(site, subject)
                await _report(site, subject)
            (enrolment,) = await _held(kafka, 1)
            _names(await site.ask("enrolSubject", subjectId=THIRD), "ENR-04", enrolment)
            assert (await site.ask("endSession", subjectId=FIRST)).rule != "SES-05", "a running session is not stopped"
            await _report(site, FIRST, code="ANAPHYLAXIS")
            sessions = (await _held(kafka, 2))[1]
            _names(await site.ask("startSession", subjectId=FIRST), "SES-05", sessions)
            await site.send(
                "releaseHold", Role.PRINCIPAL_INVESTIGATOR, holdId=str(enrolment.hold_id), dsmbReference="DSMB-1"
            )
            await site.send("enrolSubject", subjectId=THIRD)
        before = [each.raw for each in await events_of(kafka, SAFETY_DESK)]
        await in_ledger(dsns, "TRUNCATE hepatrail.safety_offset, hepatrail.safety_held")
        async with watching(kafka, dsns, CommandBus(kafka, "s2", SystemClock())):
            await site.send("startSession", subjectId=THIRD)

            async def told() -> bool:
                return len(await _of(kafka, SAFETY_DESK, StoppingFactsRecorded)) == len(facts) + 1

            facts = [each for each in await _of(kafka, SAFETY_DESK, StoppingFactsRecorded) if each.subject_id != THIRD]
            await eventually(told, 30)
    hits = await _of(kafka, SAFETY_DESK, StoppingRuleTriggered)
    assert [(hit.rule_id, hit.scope_id) for hit in hits] == [("SR2", "TRIAL"), ("SR4", FIRST)]
    assert len(await _of(kafka, STUDY, HoldPlaced)) == 2
    after = [each.raw for each in await events_of(kafka, SAFETY_DESK)]
    assert after[: len(before)] == before
    numbers = [each.alert_seq for each in await raised(kafka)]
    assert numbers == list(range(1, len(numbers) + 1))
