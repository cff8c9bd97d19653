"""Random commands about one participant, valid and invalid: what may be asked, of what is there or is not, by whom.

A command starts as the builders' valid input; then ids are led to records that exist, fields are drawn anew, and now
and then the input is broken. All choices come from one `Random`, so that a seed is a command.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from builders.commands import command_input
from builders.payloads import sealed
from field_values import CRITERIA, JUNK, OUTCOMES, Json, fields_of, fitting_text, partial_date, some, values_of
from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from hepatrail_services.command import SubjectCommand
from hepatrail_services.deciders.catalogue import COMMANDS
from invariants.auditor import Auditor
from invariants.kept import ENDED, Ae, Kept
from invariants.records import ASSESSMENTS

PERSONS = ("dr-li", "dr-wu", "nurse-chen")
OF_A_SUBJECT = tuple(sorted(name for name, kind in COMMANDS.items() if issubclass(kind, SubjectCommand)))
BY_TOPIC: Mapping[str, tuple[str, ...]] = {
    "enrolment": ("recordConsent", "recordScreenFailure", "enrolSubject", "withdrawConsent"),
    "session": ("startSession", "pauseSession", "resumeSession", "endSession", "correctSession", "voidSession"),
    "measurement": tuple(name for name in OF_A_SUBJECT if "Lab" in name or "Observation" in name or "Impl" in name),
    "assessment": (
        "recordAeAssessment", "recordSurvivalStatus", "recordTransplant", "withdrawSubject", "recordLossToFollowUp",
        "recordContactRegained", "correctAssessment", "voidAssessment",
    ),
    "death": ("recordDeath", "correctDeathRecord"),
    "report": ("reportAdverseEvent",),
    "course": tuple(
        name
        for name in OF_A_SUBJECT
        if ("AdverseEvent" in name or "AeVoid" in name or name.startswith("assess") or "Seriousness" in name)
        and name != "reportAdverseEvent"
    ),
    "record": tuple(
        name
        for name in OF_A_SUBJECT
        if any(noun in name for noun in ("Medication", "Procedure", "Condition", "Submission", "Deficiency"))
        or name in ("recordSponsorNotification", "writeNarrative", "answerQuery", "closeQuery")
    ),
}  # fmt: skip
"""The commands of a participant's stream by what they are about; `test_every_command_may_be_drawn` holds it whole."""

FINAL = {"withdrawConsent", "withdrawSubject", "voidSession", "recordConsent", "coSignAeVoid"}
"""Commands after which less can happen, and those that say nothing new: drawn less often."""


FITTING: Mapping[str, Callable[[Ae], bool]] = {
    "reopenAdverseEvent": lambda ae: ae.body["outcome"] == "RECOVERED",
    "resolveAdverseEvent": lambda ae: ae.body["outcome"] not in ENDED,
    "requestAeVoid": lambda ae: ae.ever_serious and not ae.voided,
    "coSignAeVoid": lambda ae: ae.requester is not None and not ae.voided,
    "voidAdverseEvent": lambda ae: not ae.ever_serious,
    "changeSeriousnessCriteria": lambda ae: bool(ae.criteria["INVESTIGATOR"]),
    "downgradeAdverseEvent": lambda ae: bool(ae.criteria["INVESTIGATOR"]),
    "correctAdverseEventGrade": lambda ae: bool(ae.points),
}
"""The adverse events to which a command mostly goes, where not to any."""


class Asked(NamedTuple):
    """One command on its way to the decider: who sends it and what it says."""

    name: str
    role: Role
    who: str
    sites: tuple[str, ...]
    body: Json


def asked(chance: Random, topic: str, auditor: Auditor, number: int, now: datetime, version: int) -> Asked:
    """A command of a topic about what the auditor has read so far; `number` makes its id."""
    if topic == "death" and auditor.death is None and chance.random() < 0.6:
        topic = "record"
    names = BY_TOPIC[topic] if chance.random() < 0.05 else _possible(topic, auditor)
    (name,) = chance.choices(names, [0.25 if name in FINAL else 1 for name in names])
    drawn, fields = values_of(name, now), fields_of(name)
    chosen = [field for field in ("field", "newValue", "toGrade", "results", "rows") if field in fields]
    chosen += some(sorted(drawn.keys() & set(fields)), chance.choice((0, 1, 1, 2)), chance)
    body = command_input(name, commandId=str(UUID(int=number))) | _timely(name, now, chance)
    body |= _ids(name, body, auditor, chance)
    body |= {field: drawn[field](chance) for field in chosen}
    if "newValue" in chosen and chance.random() < 0.7:
        body["newValue"] = fitting_text(str(body["field"]), drawn, chance)
    body |= _about_death(name, auditor, now, chance) if chance.random() < 0.8 else {}
    if chance.random() < 0.05:
        body["expectedVersion"] = chance.choice([version, version, 0, 999])
    if "expectedAeVersion" in fields and body.get("aeId") in auditor.events and chance.random() < 0.1:
        body["expectedAeVersion"] = chance.choice([auditor.events[body["aeId"]].version, 999])
    body = {field: value for field, value in body.items() if value is not None}
    if chance.random() < 0.04:
        body[chance.choice([*body, "noSuchField"])] = chance.choice(JUNK)
    role = chance.choice(sorted(Role) if chance.random() < 0.05 else sorted(COMMANDS[name].ROLES))
    sites = chance.choice([("*",)] * 30 + [("BFH",), ("OTHER",)])
    return Asked(name, role, chance.choice(PERSONS), sites, body)


def _possible(topic: str, auditor: Auditor) -> Sequence[str]:
    """The commands of a topic that have something to refer to, where they must."""
    there: Json = {"sessionId": auditor.sessions, "resultId": auditor.rows, "aeId": auditor.events}
    found = []
    for name in BY_TOPIC[topic]:
        required = {str(field.alias) for field in COMMANDS[name].model_fields.values() if field.is_required()}
        lacking = any(alias in required and not records for alias, records in there.items())
        if not lacking and ("id" not in required or _correctable(name, auditor)):
            found.append(name)
    return found or BY_TOPIC[topic]


def _timely(name: str, now: datetime, chance: Random) -> Json:
    """Times just now for what goes on now."""
    recent = {"startSession": "startedAt", "pauseSession": "at", "resumeSession": "at", "endSession": "endedAt"}
    if name != "reportAdverseEvent":
        return {recent[name]: format_instant(now)} if name in recent else {}
    onset = {"value": f"{now - timedelta(days=chance.randint(0, 5)):%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}
    return {"onset": onset, "gradeAt": onset, "awareAt": format_instant(now)}


def _ids(name: str, body: Json, auditor: Auditor, chance: Random) -> Json:
    """The ids of the input, led to what is on record where there is anything; now and then to nothing."""
    known: dict[str, Sequence[str]] = {
        "sessionId": list(auditor.sessions),
        "resultId": list(auditor.rows),
        "aeId": list(auditor.events),
        "id": _correctable(name, auditor),
    }
    if name == "confirmImplausible" and chance.random() < 0.8:
        known["resultId"] = [
            row_id for row_id, kept in auditor.rows.items() if kept.body.get("rejectReason") == "IMPLAUSIBLE"
        ]
    if name in FITTING and chance.random() < 0.8:
        known["aeId"] = [ae_id for ae_id, ae in auditor.events.items() if FITTING[name](ae)] or known["aeId"]
    found = {
        field: chance.choice(ids[-4:])
        for field, ids in known.items()
        if field in body and ids and chance.random() < 0.95
    }
    points = auditor.events[found["aeId"]].points if "gradeEventId" in body and "aeId" in found else {}
    if points:
        found["gradeEventId"] = chance.choice(list(points))
    reported = [kept.body for kept in auditor.records.values() if kept.kind == "SubmissionRecorded"]
    if name == "recordSubmission" and reported and chance.random() < 0.6:
        again = {field: reported[-1][field] for field in ("aeId", "to")}
        return again | {"kind": chance.choice(("INITIAL", "FOLLOW_UP", "NULLIFICATION"))}
    held = auditor.events[found["aeId"]].criteria["INVESTIGATOR"] if "aeId" in found else set()
    if name == "changeSeriousnessCriteria" and held and chance.random() < 0.5:
        reason = chance.choice((sealed(), None, None))
        return found | {"added": ["DISABILITY"], "removed": [chance.choice(sorted(held))], "reason": reason}
    if name == "reportAdverseEvent" and auditor.events and chance.random() < 0.3:
        found["recurrenceOf"] = chance.choice(list(auditor.events))
    return found


def _correctable(name: str, auditor: Auditor) -> Sequence[str]:
    """The ids of the records that a correction or void is about."""
    noun = name.removeprefix("correct").removeprefix("void")
    if noun == "Session":
        return list(auditor.sessions)
    if noun in ("LabResult", "Observation"):
        return _of_kind(auditor.rows, "result" if noun == "LabResult" else "observation")
    if noun == "Assessment":
        return _of_kind(auditor.records, *ASSESSMENTS)
    return _of_kind(auditor.records, f"{noun}Recorded", f"{noun}Reported")


def _of_kind(records: Mapping[str, Kept], *kinds: str) -> Sequence[str]:
    return [record_id for record_id, kept in records.items() if kept.kind in kinds]


def _about_death(name: str, auditor: Auditor, now: datetime, chance: Random) -> Json:
    """What makes a commit about a death fit together, so that the rare combinations come up."""
    when = auditor.death["deathAt"] if auditor.death else partial_date(now - timedelta(hours=1), chance)
    ids = [ae_id for ae_id, ae in auditor.events.items() if not ae.voided] or list(auditor.events)
    died = {"deathAt": when, "awareAt": format_instant(now)}
    match name:
        case "reportAdverseEvent" if chance.random() < 0.1:
            death = {"deathAt": when, "primaryCause": chance.random() < 0.7}
            fatal = {"code": "SEPSIS", "grade": 5, "gradeAt": when, "outcome": "FATAL", "criteria": ["DEATH"]}
            return {**fatal, "death": death, "awareAt": format_instant(now)}
        case "recordDeath":
            return died | _fatal(some(ids, 2, chance), ids, chance)
        case "recordSurvivalStatus" if chance.random() < 0.1:
            return {"alive": "N", "death": died | _fatal(some(ids, 2, chance), ids, chance)}
        case "correctDeathRecord" if auditor.death is not None and chance.random() < 0.5:
            fatal_ids = [ae_id for ae_id, ae in auditor.events.items() if ae.fatal]
            listed = [_alive(ae_id, chance) for ae_id in fatal_ids]
            return {"revived": True, "deathAt": None, "primaryCauseAeId": None, "autopsyDone": None, "aes": listed}
        case "correctDeathRecord" if ids:
            listed = [_taken(ae_id, chance) for ae_id in some(ids, 2, chance)]
            cause = chance.choice([None, *ids])
            return {"revived": False, "aes": listed, "primaryCauseAeId": cause}
        case _:
            return {}


def _fatal(ae_ids: Sequence[str], others: Sequence[str], chance: Random) -> Json:
    listed = [{"aeId": ae_id, "code": "SEPSIS"} for ae_id in ae_ids]
    cause = ae_ids[0] if ae_ids and chance.random() < 0.8 else chance.choice([None, *others])
    return {"fatalAes": listed, "primaryCauseAeId": cause}


def _taken(ae_id: str, chance: Random) -> Json:
    return _alive(ae_id, chance) if chance.random() < 0.5 else _dead(ae_id)


def _dead(ae_id: str) -> Json:
    return {"aeId": ae_id, "grade": 5, "outcome": "FATAL", "criteria": ["DEATH"]}


def _alive(ae_id: str, chance: Random) -> Json:
    outcome, criteria = chance.choice(OUTCOMES[1:3] + OUTCOMES), some(CRITERIA[1:], 1, chance)
    return {"aeId": ae_id, "grade": chance.choice([None, 3, 4]), "outcome": outcome, "criteria": criteria}
