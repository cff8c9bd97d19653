"""`dataclasses.replace`, made for folds: every event of a participant replaces the view several times.

Field by field through `__init__` that is most of what a fold costs. The view and the facts that change most have no
slots, so that their fields are a dictionary, which is copied at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # For its types: which fields there are, and what they hold.
    from dataclasses import replace as replace
else:
    import dataclasses

    def replace(record: Any, /, **changes: Any) -> Any:
        """A copy with some fields changed; nothing that `__init__` would check is checked."""
        fields = getattr(record, "__dict__", None)
        if fields is None:
            return dataclasses.replace(record, **changes)
        made = object.__new__(type(record))
        made.__dict__.update(fields, **changes)
        return made
