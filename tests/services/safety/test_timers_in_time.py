"""What time raises of participants (`safety.md` 6.1, rows of time), by the real rules at a clock set by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from builders.measurements import row
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.measurements import LabResultsRecorded
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.streams import STUDY, subject_stream
from trial_in_memory import DAY, HOUR, TrialInMemory, Watch, minute, text

BEGIN = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""9:00 of a Monday at the site."""


async def opened(**safety: Any) -> TrialInMemory:
    """A trial with one participant who was treated."""
    trial = TrialInMemory(BEGIN)
    await publish(trial, "1.0", **safety)
    await trial.send("activateSite")
    await trial.send("recordConsent", givenAt=text(BEGIN))
    await trial.send("enrolSubject")
    await trial.send("startSession", startedAt=text(BEGIN), weightMeasuredAt=text(BEGIN))
    return trial


async def publish(trial: TrialInMemory, version: str, effective: datetime | None = None, **safety: Any) -> None:
    """A protocol version with other rules of safety."""
    shipped = shipped_protocol()
    rules = shipped.safety.model_copy(update=safety)
    content = Protocol.model_validate({**shipped.model_dump(), "safety": rules.model_dump()}).content()
    await trial.send("publishProtocol", version=version, content=content, effectiveAt=text(effective or trial.moment))


async def report(trial: TrialInMemory, *criteria: str, **changes: Any) -> UUID:
    """A serious adverse event that began now and is known now."""
    now = trial.moment
    given = {"onset": minute(now), "awareAt": text(now), "gradeAt": minute(now), "grade": 3}
    chosen = list(criteria or ("HOSPITALISATION",))
    await trial.send("reportAdverseEvent", **{"criteria": chosen, **given, **changes})
    reported = [each.event for each in trial.events(subject_stream("S-001")) if isinstance(each.event, AEReported)]
    return reported[-1].ae_id


def by_time(trial: TrialInMemory) -> list[tuple[str, str, datetime, bool | None]]:
    """The alerts that time raised, as they came: type, what of, due instant, late."""
    return [(each.type.value, _what(each), each.raised_at, each.late) for each in trial.alerts if _timed(each)]


def _timed(alert: AlertRaised) -> bool:
    return alert.type in ("CLOCK_WARNING", "CLOCK_BREACH", "DEATH_WITHOUT_AE", "LAB_GRADE_UNREVIEWED")


def _what(alert: AlertRaised) -> str:
    words = (alert.detail or "").split()
    return words[2] if alert.type.startswith("CLOCK") else alert.type.value


async def pass_to(trial: TrialInMemory, watch: Watch, moment: datetime) -> None:
    """Time goes on to an instant, and the process looks."""
    trial.moment = moment
    await watch.look()


async def test_CLOCK_WARNING_comes_6_h_before_a_clock_of_24_h_and_CLOCK_BREACH_when_it_has_passed_unmet() -> None:
    trial = await opened()
    watch = Watch(trial)
    reported_at = trial.moment = BEGIN + DAY
    await report(trial)
    await pass_to(trial, watch, reported_at + 18 * HOUR - timedelta(milliseconds=1))
    assert by_time(trial) == []
    await pass_to(trial, watch, reported_at + 18 * HOUR)
    warned = ("CLOCK_WARNING", "EC_SAE_24H", reported_at + 18 * HOUR, None)
    assert by_time(trial) == [warned]
    await pass_to(trial, watch, reported_at + 24 * HOUR + timedelta(seconds=5))
    assert by_time(trial) == [warned, ("CLOCK_BREACH", "EC_SAE_24H", reported_at + 24 * HOUR, None)]
    assert [each.priority for each in trial.alerts[-2:]] == ["P2", "P1"]


async def test_CLOCK_WARNING_comes_2_days_before_a_clock_of_days() -> None:
    trial = await opened()
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    await report(trial, "LIFE_THREATENING", grade=4)
    day7 = datetime(2026, 3, 10, 16, tzinfo=UTC)
    await pass_to(trial, watch, day7 - 2 * DAY - HOUR)
    assert not [each for each in by_time(trial) if each[1] == "SUSAR_7D"]
    await pass_to(trial, watch, day7 - 2 * DAY)
    assert ("CLOCK_WARNING", "SUSAR_7D", day7 - 2 * DAY, None) in by_time(trial)
    await pass_to(trial, watch, day7 + timedelta(minutes=2))
    assert ("CLOCK_BREACH", "SUSAR_7D", day7, True) in by_time(trial)
    assert [each[1] for each in by_time(trial)].count("SUSAR_7D") == 2


async def test_a_report_in_time_leaves_nothing_to_warn_of() -> None:
    trial = await opened(regimes=())
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    ae_id = await report(trial)
    for to in ("EC", "INSTITUTION"):
        trial.moment += HOUR
        await trial.send("recordSubmission", aeId=str(ae_id), to=to, kind="INITIAL", submittedAt=text(trial.moment))
    await pass_to(trial, watch, BEGIN + 30 * DAY)
    assert by_time(trial) == []


async def test_a_report_after_the_warning_leaves_no_breach() -> None:
    trial = await opened(regimes=())
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    ae_id = await report(trial)
    await pass_to(trial, watch, BEGIN + DAY + 20 * HOUR)
    for to in ("EC", "INSTITUTION"):
        await trial.send("recordSubmission", aeId=str(ae_id), to=to, kind="INITIAL", submittedAt=text(trial.moment))
    await pass_to(trial, watch, BEGIN + 30 * DAY)
    assert [each[0] for each in by_time(trial)] == ["CLOCK_WARNING"]


async def test_after_an_outage_a_report_that_was_late_still_has_its_breach_once_and_late() -> None:
    trial = await opened(regimes=())
    trial.moment = BEGIN + DAY
    ae_id = await report(trial)
    trial.moment = BEGIN + 3 * DAY
    for to in ("EC", "INSTITUTION"):
        await trial.send("recordSubmission", aeId=str(ae_id), to=to, kind="INITIAL", submittedAt=text(trial.moment))
    await pass_to(trial, Watch(trial), BEGIN + 9 * DAY)
    assert by_time(trial) == [
        ("CLOCK_WARNING", "EC_SAE_24H", BEGIN + DAY + 18 * HOUR, True),
        ("CLOCK_BREACH", "EC_SAE_24H", BEGIN + 2 * DAY, True),
    ]


async def test_a_clock_that_opens_after_its_time_is_breached_at_once() -> None:
    trial = await opened(regimes=())
    watch = Watch(trial)
    trial.moment = BEGIN + 5 * DAY
    await trial.send(
        "reportAdverseEvent",
        onset=minute(BEGIN + DAY),
        awareAt=text(BEGIN + DAY),
        gradeAt=minute(BEGIN + DAY),
        criteria=["HOSPITALISATION"],
        grade=3,
    )
    await watch.look()
    # The report itself meets the site's own clock, late but without a breach.
    assert by_time(trial) == [("CLOCK_BREACH", "EC_SAE_24H", BEGIN + 5 * DAY, None)]


async def died(trial: TrialInMemory) -> None:
    """A death that no adverse event carries."""
    now = trial.moment
    await trial.send("recordDeath", deathAt=minute(now), awareAt=text(now))


async def test_DEATH_WITHOUT_AE_reminds_24_h_after_the_death_was_recorded() -> None:
    trial = await opened()
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    await died(trial)
    await pass_to(trial, watch, BEGIN + 2 * DAY - timedelta(milliseconds=1))
    assert by_time(trial) == []
    await pass_to(trial, watch, BEGIN + 2 * DAY)
    await pass_to(trial, watch, BEGIN + 9 * DAY)
    assert by_time(trial) == [("DEATH_WITHOUT_AE", "DEATH_WITHOUT_AE", BEGIN + 2 * DAY, None)]


async def test_DEATH_WITHOUT_AE_does_not_remind_of_a_death_that_has_its_event() -> None:
    trial = await opened()
    trial.moment = BEGIN + DAY
    await died(trial)
    trial.moment += HOUR
    await trial.send(
        "reportAdverseEvent",
        code="SEPSIS",
        onset=minute(BEGIN + DAY),
        awareAt=text(trial.moment),
        gradeAt=minute(BEGIN + DAY),
        endAt=minute(BEGIN + DAY),
        grade=5,
        outcome="FATAL",
        criteria=["DEATH"],
        death={"deathAt": minute(BEGIN + DAY), "primaryCause": True},
    )
    await pass_to(trial, Watch(trial), BEGIN + 9 * DAY)
    assert "DEATH_WITHOUT_AE" not in [each[0] for each in by_time(trial)]


async def test_LAB_GRADE_UNREVIEWED_of_grade_3_comes_after_24_h() -> None:
    trial = await opened()
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    await labs(trial, potassium=6.5)
    await pass_to(trial, watch, BEGIN + 2 * DAY - timedelta(milliseconds=1))
    assert by_time(trial) == []
    await pass_to(trial, watch, BEGIN + 2 * DAY)
    assert [(each[0], each[2]) for each in by_time(trial)] == [("LAB_GRADE_UNREVIEWED", BEGIN + 2 * DAY)]
    assert trial.alerts[-1].priority == "P3"


async def test_LAB_GRADE_UNREVIEWED_does_not_come_when_somebody_has_looked() -> None:
    trial = await opened()
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    await labs(trial, potassium=6.5)
    trial.moment += HOUR
    (recorded,) = [
        each.event for each in trial.events(subject_stream("S-001")) if isinstance(each.event, LabResultsRecorded)
    ]
    result_id = str(recorded.results[0].result_id)
    await trial.send("reviewLabFinding", resultId=result_id, clinicallySignificant=False)
    await pass_to(trial, watch, BEGIN + 5 * DAY)
    assert by_time(trial) == []


async def labs(trial: TrialInMemory, **values: float) -> None:
    """A sample taken now."""
    rows = [row(code, value, low="3.5", high="5.5") for code, value in values.items()]
    await trial.send("recordLabResults", collectedAt=text(trial.moment), results=rows)


async def test_INV_20_is_a_query_and_no_alert() -> None:
    trial = await opened(regimes=(), ec_sae_24h=False)
    trial.moment = BEGIN + DAY
    await report(trial, grade=None, gradeAt=None)
    await pass_to(trial, Watch(trial), BEGIN + 20 * DAY)
    assert [each.type for each in trial.alerts] == ["SAE_NEW"]


async def test_a_protocol_version_that_takes_effect_by_time_evaluates_everybody_again_once() -> None:
    trial = await opened(alert_aesi_grade_ge=4)
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    await report(trial, criteria=[], code="THROMBOSIS_VENOUS", grade=3)
    await publish(trial, "2.0", effective=BEGIN + 9 * DAY, alert_aesi_grade_ge=3)
    await pass_to(trial, watch, BEGIN + 9 * DAY - timedelta(milliseconds=1))
    assert trial.alerts == []
    await pass_to(trial, watch, BEGIN + 9 * DAY)
    await pass_to(trial, watch, BEGIN + 10 * DAY)
    published = trial.events(STUDY)[-1].envelope
    assert [(each.type, each.commit_id) for each in trial.alerts] == [("AESI_SEVERE", published.commitid)]
    assert len([each for each in trial.asked if each.commandtype == "raiseAlert"]) == 1


async def test_a_protocol_version_has_its_place_before_the_first_commit_that_knows_it() -> None:
    trial = await opened(alert_aesi_grade_ge=4)
    trial.moment = BEGIN + DAY
    ae_id = await report(trial, criteria=[], code="THROMBOSIS_VENOUS", grade=3)
    await publish(trial, "2.0", effective=BEGIN + 9 * DAY, alert_aesi_grade_ge=3)
    trial.moment = BEGIN + 12 * DAY
    await trial.send(
        "upgradeAdverseEvent", aeId=str(ae_id), seriousSince=minute(BEGIN + 11 * DAY), awareAt=text(trial.moment)
    )
    await pass_to(trial, Watch(trial), BEGIN + 12 * DAY + HOUR)
    assert [each.type for each in trial.alerts][:2] == ["AESI_SEVERE", "SAE_UPGRADED"]


async def test_in_a_held_stream_no_protocol_version_takes_effect_by_time() -> None:
    trial = await opened(alert_aesi_grade_ge=4)
    watch = Watch(trial)
    trial.moment = BEGIN + DAY
    await report(trial, criteria=[], code="THROMBOSIS_VENOUS", grade=3)
    await publish(trial, "2.0", effective=BEGIN + 9 * DAY, alert_aesi_grade_ge=3)
    trial.garbage(subject_stream("S-001"))
    await pass_to(trial, watch, BEGIN + 10 * DAY)
    assert [each.type for each in trial.alerts] == ["SUBJECT_UNREADABLE"], "waiting commits may lie before the version"
