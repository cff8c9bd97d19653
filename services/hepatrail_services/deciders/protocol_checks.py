"""Whether a protocol may be published: the checks are those of a protocol file, the refusal is a command's."""

import orjson

from hepatrail_events.errors import CommandRejected
from hepatrail_events.protocol_checks import Fault, examine
from hepatrail_events.study import MAX_CONTENT


def canonical_content(content: str) -> str:
    """The whole protocol as canonical JSON, defaults written out; CommandRejected (SHAPE) names the field at fault.

    Defaults are written out so that the content means the same for ever, also for a program with other defaults.
    """
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CommandRejected(f"The content is no JSON: {error}.", code="SHAPE", field="content") from None
    found = examine(document)
    if isinstance(found, Fault):
        raise _refused(found)
    try:
        canonical = found.content()
    except ValueError as error:
        raise _refused(Fault((), str(error))) from None
    if len(canonical) > MAX_CONTENT:
        raise _refused(Fault((), f"it has more than {MAX_CONTENT} characters with all its defaults"))
    return canonical


def _refused(fault: Fault) -> CommandRejected:
    where = f"{fault.field}: " if fault.field else ""
    field = f"content.{fault.field}" if fault.field else "content"
    return CommandRejected(f"The protocol cannot be published: {where}{fault.why}.", code="SHAPE", field=field)
