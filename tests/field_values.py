"""What the fields of a random command may hold, in order or not: times, codes, texts, rows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, TypeAlias

from builders.measurements import row
from builders.payloads import sealed
from hepatrail_events.types import format_instant
from hepatrail_services.deciders.catalogue import COMMANDS
from invariants.kept import text

Json = dict[str, Any]
Choice: TypeAlias = Callable[[Random], Any]
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


def some(listed: Sequence[Any], most: int, chance: Random, least: int = 0) -> list[Any]:
    """So many of the listed, each once."""
    return chance.sample(listed, min(len(listed), chance.randint(least, most)))


def _new_value(now: datetime, chance: Random) -> str | None:
    date: str = partial_date(now, chance).get("value", "UNKNOWN")
    return chance.choice([None, instant(now, chance), date, chance.choice(TEXTS), chance.choice(TEXTS)])


def fitting_text(field: str, drawn: Mapping[str, Choice], chance: Random) -> str | None:
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
    return some(ROWS, 3, chance, least=1) + (some(UNREADABLE, 1, chance) if chance.random() < 0.1 else [])


def _statement(chance: Random) -> list[Json]:
    return [{"target": "DEVICE", "value": chance.choice(("POSSIBLE", "UNRELATED")), "rationale": sealed("rationale")}]


def values(now: datetime) -> Mapping[str, Choice]:
    """What a field may hold, by its name."""
    when, exact, listed = partial(partial_date, now), partial(instant, now), partial(some, CRITERIA, 2)
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


def values_of(name: str, now: datetime) -> Mapping[str, Choice]:
    """The same for the fields of one command, of which some have a narrower choice."""
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
            drawn |= {"field": _any_of(FIELDS[name.removeprefix("correct")])} if "field" in fields_of(name) else {}
    return drawn


def fields_of(name: str) -> list[str]:
    """The names of the fields of a command."""
    return [str(field.alias) for field in COMMANDS[name].model_fields.values()]
