"""Commands as clients see them: names, streams, descriptions, and the sentence for an input without their shape."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from builders.commands import command, command_input
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import Fact, PartialDate, SealedText
from hepatrail_services.command import Command, read_command
from hepatrail_services.deciders.catalogue import COMMANDS, INTERNAL_COMMANDS


def _inputs(annotation: Any) -> Iterator[type[BaseModel]]:
    """The command and the parts of its input that are written for it."""
    if isinstance(annotation, type) and issubclass(annotation, Fact) and annotation not in (SealedText, PartialDate):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _inputs(field.annotation)
    for part in get_args(annotation):
        yield from _inputs(part)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_field_is_described(name: str) -> None:
    for model in _inputs(COMMANDS[name]):
        assert model.__doc__ not in (None, Command.__doc__, *(base.__doc__ for base in model.__mro__[1:]))
        for field in model.model_fields.values():
            assert field.description, f"{model.__name__}.{field.alias}"


def test_every_command_has_roles_and_a_name_of_its_own() -> None:
    for name, kind in {**COMMANDS, **INTERNAL_COMMANDS}.items():
        assert kind.ROLES
        assert (kind.name(), kind.__name__) == (name, name[0].upper() + name[1:])
    assert COMMANDS.keys().isdisjoint(INTERNAL_COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_read_back_from_its_own_input(name: str) -> None:
    asked = command(name)
    assert read_command(COMMANDS[name], asked.payload()) == asked
    assert inspect.getdoc(type(asked))


def test_a_command_touches_one_stream() -> None:
    assert command("startSession").stream() == "subject-S-001"
    assert command("placeHold").stream() == "study"
    assert command("acknowledgeSaeAlert").stream() == "safety-desk"


@pytest.mark.parametrize(
    ("name", "changes", "field", "sentence"),
    [
        ("startSession", {"startedAt": None}, "startedAt", "startedAt is required."),
        ("startSession", {"moon": 1}, "moon", "moon is no field of this command."),
        ("startSession", {"weightKg": "sixty"}, "weightKg", "weightKg must be a plain decimal number written as text, "
         "such as 12 or 0.35."),
        ("startSession", {"weightKg": "0"}, "weightKg", "weightKg must be more than 0."),
        ("startSession", {"viabilityPercent": "101"}, "viabilityPercent", "viabilityPercent must be a percentage from "
         "0 to 100."),
        ("startSession", {"viableCells": 0}, "viableCells", "viableCells must be more than 0."),
        ("startSession", {"side": "MIDDLE"}, "side", "side must be one of 'LEFT' or 'RIGHT'."),
        ("startSession", {"startedAt": "today"}, "startedAt", "startedAt must be an RFC 3339 instant with a zone, as "
         "2026-03-10T08:30:00.000Z."),
        ("startSession", {"subjectId": "S 1"}, "subjectId", "subjectId must be a pseudonym: 2 to 40 letters, digits "
         "or hyphens."),
        ("startSession", {"commandId": "1"}, "commandId", "commandId must be a UUID."),
        ("startSession", {"deviceLot": ""}, "deviceLot", "deviceLot must not be empty."),
        ("startSession", {"deviceLot": "x" * 201}, "deviceLot", "deviceLot must have at most 200 characters."),
        ("enrolSubject", {"chronicHealth": "perhaps"}, "chronicHealth", "chronicHealth must be true or false."),
        ("enrolSubject", {"ageYears": 121}, "ageYears", "ageYears must be at most 120."),
        ("enrolSubject", {"ageYears": 44.5}, "ageYears", "ageYears must be a whole number."),
        ("recordScreenFailure", {"reason": "text"}, "reason", "reason must be an object."),
        ("recordDeath", {"deathAt": {"value": "2026", "precision": "DAY"}}, "deathAt", "deathAt value must look like "
         "2026-03-10 when precision is DAY."),
        ("reportAdverseEvent", {"causality": [{"target": "MOON", "value": "POSSIBLE"}]}, "causality[0].target",
         "causality[0].target must be one of 'CELL_PRODUCT', 'DEVICE', 'PROCEDURE', 'UNDERLYING_DISEASE' or "
         "'CONCOMITANT'."),
        ("recordMedication", {"atc": "heparin"}, "atc", "atc must be a WHO ATC code of any level, such as B01AB05."),
        ("upgradeAdverseEvent", {"criteria": []}, "criteria", "criteria must not be empty."),
        ("placeHold", {"reason": {"kid": 1}}, "reason", None),
    ],
)  # fmt: skip
def test_an_input_without_its_shape_is_refused_with_field_and_sentence(
    name: str, changes: dict[str, Any], field: str, sentence: str | None
) -> None:
    body = command_input(name) | changes
    body = {key: part for key, part in body.items() if part is not None}
    with pytest.raises(CommandRejected) as refused:
        read_command(COMMANDS[name], body)
    assert (refused.value.code, refused.value.rule) == ("SHAPE", None)
    assert refused.value.field is not None
    assert refused.value.field.startswith(field)
    if sentence is not None:
        assert (refused.value.field, refused.value.message) == (field, sentence)


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("recordLabResults", {"collectedAt": "yesterday"}, "collectedAt"),
        ("recordLabResults", {"collectedAt": "2026-02-30"}, "collectedAt"),
        ("recordLabResults", {"results": []}, "results"),
        ("recordLabResults", {"results": [{"code": "alt"}, {"code": "ast", "low": "low"}]}, "results[1].low"),
        ("recordLabResults", {"results": [{"code": "alt", "comparator": "~"}]}, "results[0].comparator"),
        ("recordObservations", {"assessedAt": "yesterday"}, "assessedAt"),
        ("recordObservations", {"rows": [{"code": "map", "moon": 1}]}, "rows[0].moon"),
    ],
)
def test_an_unreadable_row_or_time_breaks_lab_01(name: str, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CommandRejected) as refused:
        read_command(COMMANDS[name], command_input(name, **changes))
    assert (refused.value.code, refused.value.rule, refused.value.field) == ("SHAPE", "LAB-01", field)


def test_the_sentence_never_repeats_what_was_sent() -> None:
    with pytest.raises(CommandRejected) as refused:
        read_command(COMMANDS["recordDeath"], command_input("recordDeath", awareAt="Zhang Wei, ward 7"))
    assert "Zhang" not in refused.value.message
