"""One event's bytes held to all that they must be, slowly and with a sentence on what is wrong."""

from typing import Any, Final, NamedTuple

import msgspec
import orjson

from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidEnvelope

CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
"""How canonical bytes are written from what was decoded (as `hepatrail_events.canonical`)."""


class Fault(NamedTuple):
    """What is wrong: the code of a problem and its sentence."""

    code: str
    message: str


def refuse_float(text: str) -> float:
    """For msgspec's `float_hook`: canonical JSON holds no number with a fraction or an exponent."""
    raise ValueError(f"{text[:40]} is a number with a fraction or an exponent")


_DECODER: Final = msgspec.json.Decoder(float_hook=refuse_float)


def read_strictly(value: bytes) -> tuple[Envelope | None, Fault | None]:
    """The envelope as far as it can be read, and the first thing that is wrong with the bytes."""
    fault: Fault | None = None
    try:
        body = _DECODER.decode(value)
    except msgspec.ValidationError:
        # Only the hook raises it here: what else is in the value can be read.
        body, fault = orjson.loads(value), Fault("NOT_CANONICAL", "a number has a fraction or an exponent")
    except (ValueError, TypeError, RecursionError) as error:
        return None, Fault("NOT_JSON", f"the value is no JSON: {error}")
    if not isinstance(body, dict):
        return None, Fault("NOT_JSON", "the value is JSON but no object")
    fault = fault or _not_canonical(body, value)
    try:
        envelope = Envelope.from_json(body)
    except InvalidEnvelope as error:
        return None, fault or Fault("MALFORMED", str(error))
    return envelope, fault or _not_in_form(envelope, body)


def keys_are_ascii(value: Any) -> bool:
    """Whether every key of every object in a JSON value is ASCII text."""
    if isinstance(value, dict):
        return all(key.isascii() and keys_are_ascii(item) for key, item in value.items())
    return all(map(keys_are_ascii, value)) if isinstance(value, list) else True


def _not_canonical(body: dict[str, Any], value: bytes) -> Fault | None:
    if not value.isascii() and not keys_are_ascii(body):
        return Fault("NOT_CANONICAL", "a key is not ASCII text")
    try:
        canonical = orjson.dumps(body, None, CANONICAL)
    except (TypeError, orjson.JSONEncodeError) as error:
        return Fault("NOT_CANONICAL", f"a value has no canonical form: {error}")
    if canonical == value:
        return None
    at = next((n for n, (a, b) in enumerate(zip(canonical, value, strict=False)) if a != b), len(canonical))
    return Fault("NOT_CANONICAL", f"the bytes are not in canonical form from byte {at} on")


def _not_in_form(envelope: Envelope, body: dict[str, Any]) -> Fault | None:
    data = body.get("data")
    if not isinstance(data, dict):
        return Fault("MALFORMED", "data must be an object")
    for name, written in envelope.to_json(data).items():
        if body.get(name) != written:
            return Fault("MALFORMED", f"{name} is not as it is written")
    return None
