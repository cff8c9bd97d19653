"""What can be asked: the base of all commands, and the sentence for an input that has not its shape."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from hepatrail_events.adverse_events import MEDDRA_PATTERN
from hepatrail_events.concomitant import ATC_PATTERN
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import Role
from hepatrail_events.streams import SAFETY_DESK, STUDY, SUBJECT_ID_PATTERN, subject_stream
from hepatrail_events.types import DECIMAL_PATTERN, Fact, SealedText, SubjectId


@dataclass(frozen=True, slots=True)
class Sealable:
    """Marks a field that a person fills with free text and that the gateway seals (`events.md` section 1).

    Lengths are those of the clear text in characters, white space at both ends not counted for the minimum.
    """

    min_length: int = 1
    max_length: int = 4000


Comment = Annotated[SealedText, Sealable()]
"""Free text about the participant, in any language."""
ReasonText = Annotated[SealedText, Sealable(min_length=3)]
"""A reason in the writer's own words."""

Version = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Command(Fact):
    """Something asked for; the decider of its stream accepts or rejects it, once for each `commandId`."""

    ROLES: ClassVar[frozenset[Role]] = frozenset()
    SHAPE_RULES: ClassVar[Mapping[str, str]] = {}
    """First field of a path to the rule that an unreadable value there breaks."""

    command_id: UUID = Field(description="Chosen by the sender; the same id is decided once, however often it is sent")

    @classmethod
    def name(cls) -> str:
        """The command's name in the log and the name of its mutation: `startSession`."""
        return cls.__name__[0].lower() + cls.__name__[1:]

    def stream(self) -> str:
        """The one stream that the command touches."""
        raise NotImplementedError


class SubjectCommand(Command):
    """A command about one participant."""

    subject_id: SubjectId = Field(description="Pseudonym of the participant")
    expected_version: Version | None = Field(
        None, description="Version of the participant's stream that the sender saw; another one is a CONFLICT"
    )

    def stream(self) -> str:
        """The participant's stream."""
        return subject_stream(self.subject_id)


class AdverseEventCommand(SubjectCommand):
    """A command about one adverse event."""

    ae_id: UUID = Field(description="The adverse event")
    expected_ae_version: Version | None = Field(
        None, description="Version of the adverse event that the sender saw; another one is a CONFLICT"
    )


class DeskCommand(Command):
    """A command to the safety desk."""

    def stream(self) -> str:
        """The desk's stream."""
        return SAFETY_DESK


class StudyCommand(Command):
    """A command about the study as a whole."""

    def stream(self) -> str:
        """The study's stream."""
        return STUDY


CommandType = TypeVar("CommandType", bound=Command)


def read_command(kind: type[CommandType], body: Mapping[str, Any]) -> CommandType:
    """The command in `body` (camelCase, text sealed); CommandRejected (SHAPE) names the first field at fault."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise shape_error(error, kind) from None


def shape_error(error: ValidationError, kind: type[BaseModel] | None = None) -> CommandRejected:
    """The rejection for an input that has not its shape: `results[3].unit` and a sentence, never the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = _path(first, kind)
    rules = kind.SHAPE_RULES if kind is not None and issubclass(kind, Command) else {}
    rule = rules.get(re.split(r"[.\[]", field)[0])
    return CommandRejected(f"{field or 'The input'} {_sentence(first)}.", code="SHAPE", field=field or None, rule=rule)


def _path(first: ErrorDetails, kind: type[BaseModel] | None) -> str:
    """The location as the sender wrote it: names of unions' members, which pydantic puts in between, left out."""
    path, models = "", _models(kind)
    for part in first["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        owner = next((model for model in models if _annotation(model, part) is not None), None)
        if owner is not None:
            models = _models(_annotation(owner, part))
        elif kind is not None and first["type"] != "extra_forbidden":
            continue
        path += f".{part}" if path else part
    return path


def _annotation(model: type[BaseModel], alias: str) -> Any:
    return next((field.annotation for field in model.model_fields.values() if field.alias == alias), None)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, Annotated, tuple):
        return [model for inner in get_args(annotation) for model in _models(inner)]
    return []


_PATTERNS = {
    DECIMAL_PATTERN: "must be a plain decimal number written as text, such as 12 or 0.35",
    ATC_PATTERN: "must be a WHO ATC code of any level, such as B01AB05",
    MEDDRA_PATTERN: "must be a MedDRA code, eight digits",
    SUBJECT_ID_PATTERN: "must be a pseudonym: 2 to 40 letters, digits or hyphens",
}
_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is no field of this command",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length} entries",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}


def _sentence(first: ErrorDetails) -> str:
    context = first.get("ctx", {})
    if first["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], "must be short: letters, digits, hyphens, dots or underscores only")
    if first["type"] == "value_error":
        return str(context["error"])
    template = _SENTENCES.get(first["type"])
    return template.format(**context) if template else f"cannot be read ({first['msg']})"
