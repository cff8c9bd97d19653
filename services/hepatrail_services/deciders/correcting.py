"""What every correction shares (`events.md` section 1, +cv): a listed field, its parser, old and new value as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from hepatrail_events.errors import CommandRejected
from hepatrail_services.command import shape_error


@dataclass(frozen=True, slots=True)
class Correctable:
    """A field that may be corrected: how its text is read, and whether it may become empty."""

    adapter: TypeAdapter[Any]
    optional: bool

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


def correctable(model: type[BaseModel], names: Iterable[str]) -> dict[str, Correctable]:
    """The parsers of a model's fields by their camelCase names."""
    by_alias = {field.alias: field for field in model.model_fields.values()}
    return {
        name: Correctable(
            TypeAdapter(by_alias[name].rebuild_annotation()), NoneType in get_args(by_alias[name].annotation)
        )
        for name in names
    }


def as_text(value: Any) -> str | None:
    """A JSON value as a correction writes it: `true`, `10020000000`, `2026-03-10T08:30:00.000Z`."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def field_named(fields: Mapping[str, Correctable], name: str) -> Correctable:
    """The parser of a field; CommandRejected (SHAPE) lists the fields that may be corrected."""
    if name not in fields:
        listed = ", ".join(sorted(fields))
        raise CommandRejected(f"{name!r} cannot be corrected; fields: {listed}.", code="SHAPE", field="field")
    return fields[name]


def refuse_stale(stated: str | None, current: str | None, new: str | None) -> None:
    """CommandRejected when the sender saw another old value (CONFLICT), or nothing would change (SHAPE)."""
    if stated is not None and stated != current:
        raise CommandRejected("The value is not oldValue any more: read it again.", code="CONFLICT", field="oldValue")
    if new == current:
        raise CommandRejected("newValue is what the record says already.", code="SHAPE", field="newValue")
