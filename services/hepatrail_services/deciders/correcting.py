"""What every correction and void shares (`events.md` section 1, +cv): a listed field, its parser, values as text.

A field of free text takes its new value sealed in `newText`, any other one as text in `newValue`: exactly one of
the two, or neither where the field may become empty. Free text has no `oldValue`: the original stays readable in
the record itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from hepatrail_events.corrected_values import as_text, partial_date
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import Label, PartialDate, SealedText
from hepatrail_events.voiding import VoidReason
from hepatrail_services.command import Comment, ReasonText, SubjectCommand, shape_error


class CorrectRecord(SubjectCommand):
    """One field of a record is corrected; the original stays readable."""

    id: UUID = Field(description="The record")
    field: Label = Field(description="Name of the field as the record's own command or event calls it")
    old_value: str | None = Field(
        default=None, max_length=200, description="Value that the sender saw; checked when given"
    )
    new_value: str | None = Field(
        default=None, max_length=200, description="New value as text; absent where it may be empty"
    )
    reason: ReasonText = Field(description="Why the record is corrected")


class CorrectRecordWithText(CorrectRecord):
    """One field of a record is corrected, or one of its free texts is written anew."""

    new_text: Comment | None = Field(
        default=None, description="New text of a field of free text, which then has neither oldValue nor newValue"
    )


class VoidRecord(SubjectCommand):
    """A record is void: it feeds nothing from now on, and stays readable."""

    id: UUID = Field(description="The record")
    reason_code: VoidReason = Field(description="Why the record is void")
    reason_text: ReasonText = Field(description="Explanation in the sender's words")


@dataclass(frozen=True, slots=True)
class Correctable:
    """A field that may be corrected: how its text is read, whether it may become empty, whether it is free text."""

    adapter: TypeAdapter[Any]
    optional: bool
    sealed: bool = False

    def read(self, text: str | None) -> tuple[Any, str | None]:
        """The value and its text in the form of the log; CommandRejected (SHAPE) on field `newValue`."""
        if text is None:
            if not self.optional:
                raise CommandRejected("newValue is required for this field.", code="SHAPE", field="newValue")
            return None, None
        try:
            value = self.adapter.validate_python(text)
        except ValidationError as error:
            sentence = shape_error(error).message.removeprefix("The input ")
            raise CommandRejected(f"newValue {sentence}", code="SHAPE", field="newValue") from None
        return value, as_text(self.adapter.dump_python(value, mode="json"))


class NewValue(NamedTuple):
    """What a correction states: the value of the field's type, its text in the form of the log, or free text."""

    value: Any
    text: str | None
    sealed: SealedText | None


def correctable(model: type[BaseModel], names: Iterable[str]) -> dict[str, Correctable]:
    """The parsers of a model's fields by their camelCase names."""
    by_alias = {field.alias: field for field in model.model_fields.values()}
    return {name: _correctable(by_alias[name]) for name in names}


def _correctable(field: Any) -> Correctable:
    kinds = {_bare(kind) for kind in (field.annotation, *get_args(field.annotation))}
    annotation: Any = field.rebuild_annotation()
    if PartialDate in kinds:
        annotation = Annotated[PartialDate, BeforeValidator(partial_date)]
    return Correctable(TypeAdapter(annotation), NoneType in kinds, SealedText in kinds)


def _bare(kind: Any) -> Any:
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def field_named(fields: Mapping[str, Correctable], name: str) -> Correctable:
    """The parser of a field; CommandRejected (SHAPE) lists the fields that may be corrected."""
    if name not in fields:
        listed = ", ".join(sorted(fields))
        raise CommandRejected(f"{name!r} cannot be corrected; fields: {listed}.", code="SHAPE", field="field")
    return fields[name]


def read_change(
    fields: Mapping[str, Correctable], name: str, new_value: str | None, new_text: SealedText | None = None
) -> NewValue:
    """What is stated for a field; CommandRejected (SHAPE) for another field, a value that cannot be read or is lacking,
    `newText` where no free text belongs, or `newValue` where only free text does."""
    known = field_named(fields, name)
    if not known.sealed:
        if new_text is not None:
            raise CommandRejected("This field is no free text: state newValue.", code="SHAPE", field="newText")
        return NewValue(*known.read(new_value), None)
    if new_value is not None:
        raise CommandRejected("This field is free text: state newText.", code="SHAPE", field="newValue")
    if new_text is None and not known.optional:
        raise CommandRejected("newText is required for this field.", code="SHAPE", field="newText")
    return NewValue(new_text, None, new_text)


def refuse_stale(stated: str | None, current: str | None, new: str | None) -> None:
    """CommandRejected when the sender saw another old value (CONFLICT), or nothing would change (SHAPE)."""
    if stated is not None and stated != current:
        raise CommandRejected("The value is not oldValue any more: read it again.", code="CONFLICT", field="oldValue")
    if new == current:
        raise CommandRejected("newValue is what the record says already.", code="SHAPE", field="newValue")
