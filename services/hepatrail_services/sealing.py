"""Free text of a command's input, sealed at the gateway before anything is published (PRV-02, PRV-03)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from hepatrail_events.errors import CommandRejected
from hepatrail_events.streams import is_stream
from hepatrail_events.types import SealedText
from hepatrail_services.command import Command, DeskCommand, Sealable, SubjectCommand
from hepatrail_services.screen import damaged, screen

Seal: TypeAlias = Callable[[str, str], SealedText]
"""From the path of a field and its clear text to the sealed text."""

DESK_OWNER = "@safety-desk"
"""Owner of the key for a comment on an alert without participant; no pseudonym looks like it."""


@dataclass(frozen=True, slots=True)
class OwnerOf:
    """Whose key seals the text: the participant's, or the one of the participant of an alert."""

    subject_id: str | None = None
    alert_id: UUID | None = None


def key_owner(command_type: type[Command], raw_input: Mapping[str, Any]) -> OwnerOf | None:
    """Whose key seals this input's text; None when it stays plain (study stream) or there is no text.

    An alert's participant must be looked up; `DESK_OWNER` stands for one that has none. The input is not
    validated yet: an id that is no id gives None, and validation names it.
    """
    if not any(True for _ in _texts(command_type, raw_input)):
        return None
    if issubclass(command_type, DeskCommand):
        try:
            return OwnerOf(alert_id=UUID(str(raw_input.get("alertId"))))
        except ValueError:
            return None
    subject_id = raw_input.get("subjectId")
    concerns = issubclass(command_type, SubjectCommand) or raw_input.get("scope") in (None, "PARTICIPANT")
    if not concerns or not isinstance(subject_id, str) or not is_stream(f"subject-{subject_id}"):
        return None
    return OwnerOf(subject_id=subject_id)


@cache
def sealable_paths(command_type: type[Command]) -> Mapping[str, Sealable]:
    """The fields that hold free text, as `reasonText` or `causality[].rationale`, with their lengths."""
    return dict(_sealable(command_type, ""))


async def seal_input(
    command_type: type[Command], raw_input: Mapping[str, Any], seal: Seal | None = None
) -> dict[str, Any]:
    """The input with every free text screened and, when `seal` is given, sealed; it is not validated otherwise.

    Keys are camelCase; paths given to `seal` and in errors look like `causality[0].rationale`. Without `seal`
    the text stays plain, as in the study stream. Raises CommandRejected (SHAPE, PRV-02) for a damaged character
    anywhere, and for free text that is no text, too short, too long or holds an identifier.
    """
    _refuse_damage(raw_input, "")
    return {key: _sealed(command_type, key, key, value, seal) for key, value in raw_input.items()}


def _sealed(command_type: type[Command], template: str, path: str, value: Any, seal: Seal | None) -> Any:
    rule = sealable_paths(command_type).get(template)
    if rule is not None and value is not None:
        text = _checked(path, value, rule)
        return text if seal is None else seal(path, text).payload()
    if isinstance(value, Mapping):
        return {
            key: _sealed(command_type, f"{template}.{key}", f"{path}.{key}", item, seal) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _sealed(command_type, f"{template}[]", f"{path}[{index}]", item, seal) for index, item in enumerate(value)
        ]
    return value


def _checked(path: str, value: Any, rule: Sealable) -> str:
    if not isinstance(value, str):
        raise CommandRejected(f"{path} must be text.", code="SHAPE", field=path)
    if len(value.strip()) < rule.min_length:
        least = "must not be empty" if rule.min_length == 1 else f"must have at least {rule.min_length} characters"
        raise CommandRejected(f"{path} {least}.", code="SHAPE", field=path)
    if len(value) > rule.max_length:
        raise CommandRejected(f"{path} must have at most {rule.max_length} characters.", code="SHAPE", field=path)
    if finding := screen(value):
        raise CommandRejected(f"{path} {finding.sentence}.", rule="PRV-02", code="SHAPE", field=path)
    return value


def _refuse_damage(value: Any, path: str) -> None:
    if isinstance(value, str):
        if damaged(value):
            raise CommandRejected(
                f"{path} holds a character that cannot be stored (NUL or half of a surrogate pair).",
                rule="PRV-02",
                code="SHAPE",
                field=path,
            )
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_damage(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_damage(item, f"{path}[{index}]")


def _texts(command_type: type[Command], raw_input: Mapping[str, Any]) -> Iterator[str]:
    """The templates of the fields whose text is present, as far as the first level tells."""
    for template in sealable_paths(command_type):
        if raw_input.get(template.partition(".")[0].removesuffix("[]")) not in (None, [], ()):
            yield template


def _sealable(annotation: Any, path: str) -> Iterator[tuple[str, Sealable]]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        mark = next((mark for mark in inner[1:] if isinstance(mark, Sealable)), None)
        if mark is not None:
            yield path, mark
        else:
            yield from _sealable(inner[0], path)
    elif origin in (Union, UnionType):
        for option in inner:
            yield from _sealable(option, path)
    elif origin is tuple:
        yield from _sealable(inner[0], f"{path}[]")
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            name = f"{path}.{field.alias}" if path else str(field.alias)
            marks = [mark for mark in field.metadata if isinstance(mark, Sealable)]
            if marks:
                yield name, marks[0]
            else:
                yield from _sealable(field.annotation, name)
