"""What the desk's stream leaves in Postgres: hits with their holds, and the alerts that a batch touched, whole."""

from uuid import UUID, uuid4

from builders.safety_desk import alert_escalated, alert_raised, stopping_rule_triggered
from hepatrail_events.ids import derived_id
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.postgres import connection
from hepatrail_projections.stopping_hit import StoppingRuleHitRow, hits_after
from log_commits import publish
from projection_log import LogWriter
from projection_tables import Tables
from stopping import counting, facts_recorded

EVIDENCE = UUID(int=7)


def _hit(n: int) -> UUID:
    return derived_id("SR1", "TRIAL", n)


def _log() -> LogWriter:
    log = LogWriter(41)
    publish(log)
    for n in (0, 1):
        hit = stopping_rule_triggered(
            hitId=str(_hit(n)), ruleId="SR1", scopeId="TRIAL", actions=["HOLD_SESSIONS", "HOLD_ENROLMENT"],
            eventIds=[str(EVIDENCE)],
        )  # fmt: skip
        facts = facts_recorded("S-001", counting("SR1"))
        raised = alert_raised(n + 1, alertId=str(_hit(n)), type="STOPPING_RULE", aeId=None)
        log.commit(SAFETY_DESK, facts, hit, raised, actor="hepatrail-safety", role="SYSTEM")
    return log


async def test_a_hit_has_a_row_with_the_holds_that_it_causes(tables: Tables) -> None:
    log = _log()
    await tables.project(log.records, size=1)
    rows = await tables.rows()
    first, second = sorted(rows["stopping_rule_hit"], key=lambda row: row.streamseq)
    hit = next(each for each in rows["event"] if (each.stream, each.streamseq) == (SAFETY_DESK, 2))
    assert first == StoppingRuleHitRow(
        hit_id=_hit(0),
        streamseq=2,
        rule_id="SR1",
        scope_id="TRIAL",
        commit_id=derived_id("commit"),
        actions=["HOLD_SESSIONS", "HOLD_ENROLMENT"],
        hold_ids=(derived_id(_hit(0), "HOLD_SESSIONS"), derived_id(_hit(0), "HOLD_ENROLMENT")),
        fulfilled_by=(EVIDENCE,),
        recorded_at=hit.recorded_at,
        event_ids=(hit.event_id,),
    )
    assert second.hit_id == _hit(1)
    assert rows == await tables.whole_build(log.records)


async def test_hits_are_listed_in_the_order_of_the_desk(tables: Tables) -> None:
    await tables.project(_log().records)
    async with connection(tables.dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        assert [row.hit_id for row in await hits_after(link, 0, 5)] == [_hit(0), _hit(1)]
        assert [row.hit_id for row in await hits_after(link, 2, 5)] == [_hit(1)]
        assert [row.hit_id for row in await hits_after(link, 0, 1)] == [_hit(0)]


async def test_of_many_alerts_those_are_written_that_a_batch_touched(tables: Tables) -> None:
    log, ids = LogWriter(42), [uuid4() for _ in range(5)]
    publish(log)
    for number, one in enumerate(ids, start=1):
        log.commit(SAFETY_DESK, alert_raised(number, alertId=str(one)), role="SYSTEM")
    log.commit(SAFETY_DESK, alert_escalated(1, alert_id=ids[1]), role="SYSTEM")
    log.commit(SAFETY_DESK, alert_escalated(1, alert_id=ids[3]), role="SYSTEM")
    await tables.project(log.records, size=1)
    rows = sorted((await tables.rows())["alert"], key=lambda row: row.alert_seq)
    assert [row.alert_id for row in rows] == ids
    assert [len(row.escalations) for row in rows] == [0, 1, 0, 1, 0]
