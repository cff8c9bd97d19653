"""Values of projections in a line of text."""

from typing import Any

import orjson

_LONGEST = 120


def text_of(value: Any) -> str:
    """A value as people read it: text as it is, nothing as `none`, structure as JSON; what is long is cut."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
