"""Treatment sessions: 4 to 8 hours, about 1.67e8 cells a kilogram, now and then a pause or an early end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_events.protocol import shipped_protocol
from hepatrail_services.simulation.participants import Incident
from hepatrail_services.simulation.queries import answer, close
from hepatrail_services.simulation.script import COORDINATOR, INVESTIGATOR, PRINCIPAL, Script, text
from hepatrail_services.simulation.trial import ACCEPTED


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it was held."""

    session_id: UUID
    started: datetime
    ended: datetime


def hold_sessions(script: Script, first: datetime) -> tuple[Session, ...]:
    """The participant's sessions, one to three days apart, with the starts that must be refused."""
    participant, rng = script.participant, script.rng
    sessions: list[Session] = []
    start = first
    for number in range(1, participant.sessions + 1):
        if participant.dies_on_day is not None and start > first + timedelta(days=participant.dies_on_day - 2):
            break
        if number == 1:
            _begin_badly(script, start)
        if number == 2 and participant.incident is Incident.ALLERGIC_REACTION:
            _wait_for_release(script, sessions[0].started, start)
        sessions.append(_session(script, start, number))
        start = sessions[-1].started + timedelta(days=rng.randint(1, 3), minutes=rng.randint(-60, 60))
    return tuple(sessions)


def _begin_badly(script: Script, start: datetime) -> None:
    """What goes wrong before a first session: no release of the batch, an entry for the wrong participant."""
    if script.participant.number % 6 == 2:
        start_session(script, start - timedelta(minutes=10), 1, release="", expect="SES-04")
    if script.participant.incident is Incident.RECORD_ERRORS:
        early = start - timedelta(minutes=40)
        wrong = object_id(start_session(script, early, 1, release=_release(script, early)), "session")
        void = {"id": str(wrong), "reasonCode": "WRONG_PARTICIPANT", "reasonText": "Entered for the wrong participant"}
        script.enter(script.later(early, 12, 20), INVESTIGATOR, "voidSession", void)


def _wait_for_release(script: Script, reacted: datetime, start: datetime) -> None:
    """After the reaction in the first session the next one waits for the principal investigator."""
    hold = {"action": "HOLD_SESSIONS", "scope": "PARTICIPANT", "requires": "PI", "reason": "Reaction under review"}
    placed = script.enter(script.later(reacted, 400, 500), PRINCIPAL, "placeHold", hold)
    early = start - timedelta(minutes=90)
    start_session(script, early, 2, release=_release(script, early), expect="SES-05")
    release = {"holdId": str(object_id(placed, "hold")), "reason": "Reviewed: premedication is given from now on"}
    script.enter(start - timedelta(minutes=30), PRINCIPAL, "releaseHold", release)


def _session(script: Script, started: datetime, number: int) -> Session:
    rng, incident = script.rng, script.participant.incident
    session_id = object_id(start_session(script, started, number, release=_release(script, started)), "session")
    broke = incident is Incident.DEVICE_FAULT and number == 2
    clotted = not broke and rng.random() < 0.08
    short = broke or clotted
    ended = started + timedelta(minutes=rng.randint(120, 200) if short else rng.randint(240, 480))
    reacted = incident is Incident.ALLERGIC_REACTION and number == 1
    if reacted or (not short and rng.random() < 0.3):
        _pause(script, session_id, started, "Allergic reaction" if reacted else "Pressure alarm, line checked")
    if script.participant.number % 6 == 5 and number == 1:
        again = started + timedelta(minutes=100)
        start_session(script, again, 1, release=_release(script, again), expect="SES-01")
    reason = "DEVICE" if broke else "CLOTTING" if clotted else "COMPLETED"
    end = {"sessionId": str(session_id), "endedAt": text(ended), "reason": reason}
    script.enter(script.later(ended, 2, 10), COORDINATOR, "endSession", end)
    if short:
        said = "The session ended early, see its reason"
        asked = answer(script, script.later(ended, 900, 1500), "SES-07", session_id, said)
        close(script, script.later(ended, 3000, 6000), asked, "Explained by the site")
    if incident is Incident.RECORD_ERRORS and number == 1:
        viability = {"id": str(session_id), "field": "viabilityPercent", "newValue": "91.4", "reason": "Typing error"}
        script.enter(script.later(ended, 60, 300), COORDINATOR, "correctSession", viability)
    return Session(session_id, started, ended)


def _pause(script: Script, session_id: UUID, started: datetime, reason: str) -> None:
    paused = script.later(started, 60, 120)
    resumed = script.later(paused, 5, 25)
    pause = {"sessionId": str(session_id), "at": text(paused), "reason": reason}
    script.enter(script.later(paused, 1, 3), COORDINATOR, "pauseSession", pause)
    resume = {"sessionId": str(session_id), "at": text(resumed)}
    script.enter(script.later(resumed, 1, 3), COORDINATOR, "resumeSession", resume)


def _release(script: Script, started: datetime) -> str:
    return f"QP-{started:%y%m}-{script.rng.randint(100, 999)}"


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
