"""Treatment sessions: 4 to 8 hours, about 1.67e8 cells a kilogram, now and then a pause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_events.protocol import shipped_protocol
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, Script, text
from hepatrail_services.simulation.trial import ACCEPTED


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it was held."""

    session_id: UUID
    started: datetime
    ended: datetime


def hold_sessions(script: Script, first: datetime) -> tuple[Session, ...]:
    """The participant's sessions, one to three days apart; a start without the batch's release is refused first."""
    participant, rng = script.participant, script.rng
    sessions, start = [], first
    for number in range(1, participant.sessions + 1):
        if participant.dies_on_day is not None and start > first + timedelta(days=participant.dies_on_day - 2):
            break
        if number == 1 and participant.number % 6 == 2:
            start_session(script, start - timedelta(minutes=10), number, release="", expect="SES-04")
        sessions.append(_session(script, start, number))
        start = sessions[-1].started + timedelta(days=rng.randint(1, 3), minutes=rng.randint(-60, 60))
    return tuple(sessions)


def _session(script: Script, started: datetime, number: int) -> Session:
    rng = script.rng
    session_id = object_id(
        start_session(script, started, number, release=f"QP-{started:%y%m}-{rng.randint(100, 999)}"), "session"
    )
    clotted = rng.random() < 0.08
    ended = started + timedelta(minutes=rng.randint(120, 200) if clotted else rng.randint(240, 480))
    if not clotted and rng.random() < 0.3:
        paused = script.later(started, 60, 120)
        resumed = script.later(paused, 5, 25)
        pause = {
            "sessionId": str(session_id),
            "at": text(paused),
            "reason": "Pressure alarm of the circuit, line checked",
        }
        script.enter(script.later(paused, 1, 3), COORDINATOR, "pauseSession", pause)
        resume = {"sessionId": str(session_id), "at": text(resumed)}
        script.enter(script.later(resumed, 1, 3), COORDINATOR, "resumeSession", resume)
    end = {"sessionId": str(session_id), "endedAt": text(ended), "reason": "CLOTTING" if clotted else "COMPLETED"}
    script.enter(script.later(ended, 2, 10), COORDINATOR, "endSession", end)
    return Session(session_id, started, ended)


def start_session(script: Script, started: datetime, number: int, *, release: str, expect: str = ACCEPTED) -> UUID:
    """Enters the start of a session and returns the command's id; the session exists only if it is accepted."""
    participant, rng = script.participant, script.rng
    cells = round(shipped_protocol().cells_per_kg * participant.weight_kg * rng.uniform(0.93, 1.07))
    vein = rng.choice(("FEMORAL", "INTERNAL_JUGULAR", "SUBCLAVIAN"))
    values = {
        "startedAt": text(started),
        "accessVein": vein,
        "side": rng.choice(("LEFT", "RIGHT")),
        "deviceLot": f"BAL-{participant.enrolled_on_day // 30 + 1:02d}",
        "cellBatch": f"CIPS-{participant.number:02d}{number}",
        "batchReleaseRef": release,
        "viabilityPercent": f"{rng.uniform(84, 96):.1f}",
        "viableCells": cells,
        "weightKg": f"{participant.weight_kg:.1f}",
        "weightMeasuredAt": text(started - timedelta(hours=rng.randint(2, 20))),
        "flowMlMin": str(rng.randrange(120, 190, 10)),
        "anticoagulant": rng.choice(("HEPARIN", "CITRATE", "NAFAMOSTAT")),
    }
    if number == 1:
        values["accessPlacedAt"] = text(started - timedelta(minutes=rng.randint(30, 120)))
    return script.enter(script.later(started, 1, 5), INVESTIGATOR, "startSession", values, expect=expect)
