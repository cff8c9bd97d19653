"""What an acknowledgement, a downgrade and a replay do to other alerts: nothing (`safety.md` 6.3)."""

from datetime import UTC, datetime
from typing import Any

from hepatrail_events.streams import SAFETY_DESK, subject_stream
from trial_in_memory import DAY, HOUR, TrialInMemory, Watch, minute, text

BEGIN = datetime(2026, 3, 2, 1, tzinfo=UTC)
SUBJECT = "S-001"


async def with_a_serious_event() -> tuple[TrialInMemory, Watch, dict[str, Any]]:
    """A trial in which the desk holds one alert; with it the fields that name the adverse event."""
    trial = TrialInMemory(BEGIN)
    await trial.send("publishProtocol", effectiveAt=text(BEGIN))
    await trial.send("activateSite")
    await trial.send("recordConsent", subjectId=SUBJECT, givenAt=text(BEGIN))
    given: dict[str, Any] = {"onset": minute(BEGIN), "awareAt": text(BEGIN), "gradeAt": minute(BEGIN), "grade": 3}
    await trial.send("reportAdverseEvent", subjectId=SUBJECT, criteria=["HOSPITALISATION"], **given)
    watch = Watch(trial)
    await watch.look()
    return trial, watch, {"subjectId": SUBJECT, "aeId": str(trial.alerts[0].ae_id)}


async def acknowledge(trial: TrialInMemory, number: int) -> None:
    alert_id = trial.alerts[number - 1].alert_id
    await trial.send("acknowledgeSaeAlert", actor="officer", alertId=str(alert_id), comment=None)


def told(trial: TrialInMemory) -> list[str]:
    return [each.type.value for each in trial.alerts]


def levels_of(trial: TrialInMemory, number: int) -> list[int]:
    return [level for alert_id, level in trial.levels if alert_id == trial.alerts[number - 1].alert_id]


async def test_Scope_of_ack_is_one_alert_and_neither_later_ones_nor_clocks_nor_causality() -> None:
    trial, watch, names = await with_a_serious_event()
    await acknowledge(trial, 1)
    trial.moment += HOUR
    change: dict[str, Any] = {"added": ["DISABILITY"], "removed": [], "awareAt": text(trial.moment)}
    await trial.send("changeSeriousnessCriteria", **names, **change)
    trial.moment += 30 * DAY
    await watch.look()
    assert told(trial)[:2] == ["SAE_NEW", "SAE_CHANGED"]
    assert levels_of(trial, 1) == []
    assert levels_of(trial, 2) == [1, 2]
    assert "CLOCK_BREACH" in told(trial), "a clock is met by a report, not by somebody's having seen it"
    causality = [each for each in trial.events(subject_stream(SUBJECT)) if "Causality" in each.envelope.type]
    assert causality == []


async def test_Downgrade_never_acknowledges_earlier_alerts() -> None:
    trial, watch, names = await with_a_serious_event()
    trial.moment += HOUR
    await trial.send("downgradeAdverseEvent", **names)
    await watch.look()
    assert told(trial) == ["SAE_NEW", "SAE_DOWNGRADED"]
    await acknowledge(trial, 2)
    trial.moment += 30 * DAY
    await watch.look()
    assert levels_of(trial, 1) == [1, 2, 3]
    assert levels_of(trial, 2) == []


async def test_Void_never_acknowledges_earlier_alerts() -> None:
    trial, watch, names = await with_a_serious_event()
    trial.moment += HOUR
    await trial.send("requestAeVoid", **names)
    await trial.send("coSignAeVoid", **names, actor="dr-wang")
    trial.moment += 30 * DAY
    await watch.look()
    assert told(trial) == ["SAE_NEW", "SAE_VOIDED"]
    assert levels_of(trial, 1) == [1, 2, 3]


async def test_Replay_says_everything_again_and_the_desk_records_nothing_new() -> None:
    trial, watch, _ = await with_a_serious_event()
    trial.moment += 30 * DAY
    await watch.look()
    before = [each.hash for each in trial.events(SAFETY_DESK)]
    assert len(before) > 3
    await Watch(trial).look()
    assert [each.hash for each in trial.events(SAFETY_DESK)] == before
