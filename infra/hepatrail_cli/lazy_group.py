"""Commands that are imported when they are asked for: all together take more than a second of a process's start."""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


def lazy_group(parts: Mapping[str, str]) -> type[TyperGroup]:
    """The `cls` of an application with these commands, in this order: of each its name and its place, `module:name`.

    A place holds the function of a command, or an application of its own. Help of the whole imports them all.
    """

    class LazyGroup(TyperGroup):
        places: ClassVar[Mapping[str, str]] = parts

        def list_commands(self, _ctx: typer.Context) -> list[str]:  # type: ignore[override]
            return list(self.places)

        def get_command(self, _ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
            if cmd_name not in self.places:
                return None
            found: typer.Typer | Callable[..., Any] = resolve_name(self.places[cmd_name])
            if isinstance(found, typer.Typer):
                group = get_group(found)
                group.name = cmd_name
                return group
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            return get_command(alone)

    return LazyGroup
