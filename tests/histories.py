"""Random commands about one participant, valid and invalid: what may be asked, of what is there or is not, by whom.

A command starts as the builders' valid input; then ids are led to records that exist, fields are drawn anew, and now
and then the input is broken. All choices come from one `Random`, so that a seed is a command.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from builders import command_input, row, sealed
from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from hepatrail_services.command import SubjectCommand
from hepatrail_services.deciders.catalogue import COMMANDS
from invariants import ASSESSMENTS, ENDED, Ae, Auditor, Kept, text

Json = dict[str, Any]
Choice: TypeAlias = Callable[[Random], Any]

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
CODES = ("FEVER", "RASH", "PALPITATIONS", "SEPSIS", "HEPATIC_FAILURE_WORSENING", "DEATH_NOS", "OTHER")
CRITERIA = ("DEATH", "HOSPITALISATION", "LIFE_THREATENING", "MEDICALLY_IMPORTANT")
OUTCOMES = ("RECOVERED", "RECOVERING", "NOT_RECOVERED", "FATAL", "UNKNOWN")
CHOICES: Mapping[str, Sequence[Any]] = {
    "alive": ("Y", "N", "UNKNOWN"),
    "transplant": ("NONE", "LISTED", "DONE"),
    "anyNew": ("Y", "N"),
    "scope": ("TREATMENT_ONLY", "FOLLOW_UP", "ALL_DATA_USE"),
    "vitalStatusAllowed": (True, False),
    "healthDataConsent": (True, True, False),
    "siteId": ("BFH", "BFH", "OTHER"),
    "grade": (None, 1, 2, 3, 4, 5),
    "toGrade": (1, 2, 3, 4, 5),
    "finalGrade": (None, 0, 3),
    "code": CODES,
    "ctcaeTerm": (None, "Urticaria", "Sepsis"),
    "outcome": OUTCOMES,
    "to": ("EC", "NMPA"),
    "kind": ("FOLLOW_UP", "NULLIFICATION"),
    "reasonCode": ("ENTERED_IN_ERROR", "WRONG_PARTICIPANT", "DUPLICATE", "NOT_AN_AE"),
    "batchReleaseRef": ("QP-21", "QP-22", " "),
    "weightKg": ("60", "61.5", "-1", "0"),
    "viableCells": (10_020_000_000, 1),
    "laboratory": ("BFH-LAB", "Elsewhere"),
    "sourceMessageId": (None, "m-1", "m-2"),
    "visitCode": (None, "BL", "D7", "W4", "NEVER"),
    "preSession": (None, True),
    "revived": (True, False),
    "autopsyDone": (None, True, False),
    "assessor": ("SPONSOR",),
    "value": ("POSSIBLE", "UNRELATED", "EXPECTED", "UNEXPECTED"),
    "target": ("DEVICE", "CELL_PRODUCT", "UNDERLYING_DISEASE"),
    "ruleVersion": ("1", "2"),
    "therapeuticAnticoagulant": (True, False),
    "couldHaveLedToSADE": (True, False),
    "dose": (None, "0.5", "-0.5", "1e3"),
    "newText": (None, sealed("newText")),
    "reason": (sealed(), sealed(), sealed(), None),
    "oldValue": (None, None, "60", "N", "somebody else's value"),
}
INSTANTS = (
    "startedAt", "endedAt", "at", "awareAt", "withdrawnAt", "givenAt", "lastContactAt", "submittedAt", "notifiedAt",
    "accessPlacedAt", "weightMeasuredAt", "infoReceivedAt", "collectedAt", "assessedAt",
)  # fmt: skip
PARTIAL = ("onset", "endAt", "deathAt", "gradeAt", "seriousSince", "transplantAt", "frequencyWorsenedAt")
ROWS: tuple[Json, ...] = (
    row("alt", 130),
    row("tbil", 340),
    row("map", 70),
    row("alt", 99_999_999),
    row("ast", 99_999_999),
    row("ast", 3, unit="x"),
    {"code": "gcs_verbal", "value": "NT"},
    {"code": "no_such_code", "value": "1", "unit": "U/L"},
    {"code": "tbil", "notDone": "HEMOLYSED"},
)
UNREADABLE: tuple[Json, ...] = ({"code": "alt"}, {"value": "1"})
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Session": ("weightKg", "startedAt", "endedAt", "endReason", "batchReleaseRef", "flowMlMin", "id"),
    "LabResult": ("value", "code", "unit", "collectedAt", "notDone", "laboratory", "visitCode", "low"),
    "Observation": ("value", "code", "assessedAt", "notDone", "ntReason", "visitCode"),
    "Assessment": (
        "at", "alive", "transplant", "transplantAt", "anyNew", "scope", "vitalStatusAllowed", "withdrawnAt",
        "lastContactAt", "reason", "source", "donor",
    ),
    "Medication": ("verbatim", "startedAt", "endedAt", "dose", "atc", "therapeuticAnticoagulant"),
    "Procedure": ("kind", "startedAt", "endedAt", "description"),
    "BaselineCondition": ("code", "grade", "onset", "verbatim", "ctcaeTerm"),
    "Submission": ("to", "kind", "submittedAt", "reference"),
    "DeviceDeficiency": ("lot", "sessionId", "linkedAeId", "description", "couldHaveLedToSADE"),
}  # fmt: skip
FIELDS_OF_AN_AE = ("code", "onset", "outcome", "endAt", "awareAt", "verbatim", "ctcaeTerm", "actionTaken", "grade")
KINDS = ("HD", "CVVH", "INITIAL", "FOLLOW_UP", "NULLIFICATION")
TEXTS = (
    "61.5", "COMPLETED", "U/L", "99999999", "OTHER", "HD", "", "N", "Y", "DONE", "NONE", "FOLLOW_UP", "ALL_DATA_USE",
    "INITIAL", "NULLIFICATION", "NMPA", "4", "true", "false", "UNKNOWN", "2026", "2026-03", "2026-03-17", "SEPSIS",
    "RECOVERED", "FATAL", "RECOVERING", "QP-23", "D7", "alt", "HEMOLYSED", "L-9",
)  # fmt: skip
JUNK: tuple[Any, ...] = (
    None, "", " ", 0, -1, 1.5, True, [], {}, [None], {"value": "2026-13-45", "precision": "DAY"}, "x" * 300, "\x00",
)  # fmt: skip


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


def instant(now: datetime, chance: Random) -> str:
    """A clinical instant: mostly before the moment, sometimes in the future."""
    return format_instant(now - timedelta(hours=chance.choice([-1, 0, 0, 1, 2, 3, 5, 8, 12, 24, 48, 72, 120, 720])))


def partial_date(now: datetime, chance: Random) -> Json:
    """A clinical time of any precision around the moment."""
    when = now - timedelta(days=chance.choice([-1, 0, 0, 1, 1, 2, 3, 4, 5, 6]))
    layouts = (("MINUTE", "%Y-%m-%dT%H:%MZ"), ("MINUTE", "%Y-%m-%dT%H:%MZ"), ("DAY", "%Y-%m-%d"), ("MONTH", "%Y-%m"))
    if chance.random() < 0.1:
        return {"precision": "UNKNOWN"}
    precision, layout = chance.choice(layouts)
    return {"value": f"{when:{layout}}", "precision": precision}


def _some(listed: Sequence[Any], most: int, chance: Random, least: int = 0) -> list[Any]:
    return chance.sample(listed, min(len(listed), chance.randint(least, most)))


def _new_value(now: datetime, chance: Random) -> str | None:
    date: str = partial_date(now, chance).get("value", "UNKNOWN")
    return chance.choice([None, instant(now, chance), date, chance.choice(TEXTS), chance.choice(TEXTS)])


def _fitting_text(field: str, drawn: Mapping[str, Choice], chance: Random) -> str | None:
    """A value that the field might have, as a correction writes it."""
    listed: Mapping[str, tuple[str, ...]] = {
        "kind": KINDS,
        "value": ("131", "NT", "99999999"),
        "code": ("alt", "ast", *CODES),
        "endReason": ("COMPLETED", "AE"),
        "reference": ("EC-7",),
        "lot": ("L-8",),
    }
    if field in listed:
        return chance.choice(listed[field])
    return text(drawn[field](chance)) if field in drawn else chance.choice(TEXTS)


def _rows(chance: Random) -> list[Json]:
    return _some(ROWS, 3, chance, least=1) + (_some(UNREADABLE, 1, chance) if chance.random() < 0.1 else [])


def _statement(chance: Random) -> list[Json]:
    return [{"target": "DEVICE", "value": chance.choice(("POSSIBLE", "UNRELATED")), "rationale": sealed("rationale")}]


def values(now: datetime) -> Mapping[str, Choice]:
    """What a field may hold, by its name."""
    when, exact, listed = partial(partial_date, now), partial(instant, now), partial(_some, CRITERIA, 2)
    chosen: Json = {name: _any_of(choices) for name, choices in CHOICES.items()}
    return {
        **chosen,
        **dict.fromkeys(INSTANTS, exact),
        **dict.fromkeys(PARTIAL, when),
        "criteria": listed,
        "added": listed,
        "removed": listed,
        "newValue": partial(_new_value, now),
        "results": _rows,
        "rows": _rows,
        "causality": _statement,
        "transplantation": lambda chance: {"transplantAt": when(chance)},
    }


def _any_of(choices: Sequence[Any]) -> Choice:
    return lambda chance: chance.choice(choices)


def _values_of(name: str, now: datetime) -> Mapping[str, Choice]:
    drawn = dict(values(now))
    match name:
        case "recordMedication" | "recordProcedure":
            drawn |= {"startedAt": drawn["onset"], "endedAt": drawn["onset"], "kind": _any_of(("HD", "CVVH", "OTHER"))}
        case "endSession":
            drawn |= {"reason": _any_of(("COMPLETED", "AE"))}
        case "correctAdverseEvent":
            drawn |= {"field": _any_of(FIELDS_OF_AN_AE)}
        case "assessCausality":
            drawn |= {"value": _any_of(("POSSIBLE", "UNRELATED"))}
        case "assessExpectedness":
            drawn |= {"value": _any_of(("UNEXPECTED", "UNEXPECTED", "EXPECTED"))}
        case "downgradeAdverseEvent":
            drawn |= {"reasonCode": _any_of(("CRITERION_MISAPPLIED", "DATA_ENTRY_ERROR"))}
        case _ if name.startswith("correct"):
            if name in ("correctMedication", "correctProcedure"):
                drawn |= {"startedAt": drawn["onset"], "endedAt": drawn["onset"]}
            drawn |= {"field": _any_of(FIELDS[name.removeprefix("correct")])} if "field" in _fields(name) else {}
    return drawn


def _fields(name: str) -> list[str]:
    return [str(field.alias) for field in COMMANDS[name].model_fields.values()]


def asked(chance: Random, topic: str, auditor: Auditor, number: int, now: datetime, version: int) -> Asked:
    """A command of a topic about what the auditor has read so far; `number` makes its id."""
    if topic == "death" and auditor.death is None and chance.random() < 0.6:
        topic = "record"
    names = BY_TOPIC[topic] if chance.random() < 0.05 else _possible(topic, auditor)
    (name,) = chance.choices(names, [0.25 if name in FINAL else 1 for name in names])
    drawn, fields = _values_of(name, now), _fields(name)
    chosen = [field for field in ("field", "newValue", "toGrade", "results", "rows") if field in fields]
    chosen += _some(sorted(drawn.keys() & set(fields)), chance.choice((0, 1, 1, 2)), chance)
    body = command_input(name, commandId=str(UUID(int=number))) | _timely(name, now, chance)
    body |= _ids(name, body, auditor, chance)
    body |= {field: drawn[field](chance) for field in chosen}
    if "newValue" in chosen and chance.random() < 0.7:
        body["newValue"] = _fitting_text(str(body["field"]), drawn, chance)
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
            return died | _fatal(_some(ids, 2, chance), ids, chance)
        case "recordSurvivalStatus" if chance.random() < 0.1:
            return {"alive": "N", "death": died | _fatal(_some(ids, 2, chance), ids, chance)}
        case "correctDeathRecord" if auditor.death is not None and chance.random() < 0.5:
            fatal_ids = [ae_id for ae_id, ae in auditor.events.items() if ae.fatal]
            listed = [_alive(ae_id, chance) for ae_id in fatal_ids]
            return {"revived": True, "deathAt": None, "primaryCauseAeId": None, "autopsyDone": None, "aes": listed}
        case "correctDeathRecord" if ids:
            listed = [_taken(ae_id, chance) for ae_id in _some(ids, 2, chance)]
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
    outcome, criteria = chance.choice(OUTCOMES[1:3] + OUTCOMES), _some(CRITERIA[1:], 1, chance)
    return {"aeId": ae_id, "grade": chance.choice([None, 3, 4]), "outcome": outcome, "criteria": criteria}
