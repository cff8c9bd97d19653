"""The written list of the auditor's commands: a new one gets its file, and its line here."""

from collections.abc import Callable
from typing import Any

import typer

from hepatrail_cli.audit.access import access
from hepatrail_cli.audit.checkpoint import checkpoint
from hepatrail_cli.audit.compare import compare
from hepatrail_cli.audit.diff import diff
from hepatrail_cli.audit.export import export
from hepatrail_cli.audit.import_bundle import import_
from hepatrail_cli.audit.keys import keys, rotate_key
from hepatrail_cli.audit.prove import prove
from hepatrail_cli.audit.replay import replay
from hepatrail_cli.audit.review import review
from hepatrail_cli.audit.trail import trail
from hepatrail_cli.audit.verify import verify

audit_app = typer.Typer(no_args_is_help=True, help="Verify, seal, replay and export the log.")

COMMANDS: dict[str, Callable[..., Any]] = {
    "verify": verify,
    "checkpoint": checkpoint,
    "prove": prove,
    "keys": keys,
    "rotate-key": rotate_key,
    "replay": replay,
    "diff": diff,
    "compare": compare,
    "trail": trail,
    "access": access,
    "review": review,
    "export": export,
    "import": import_,
}

for name, command in COMMANDS.items():
    audit_app.command(name)(command)
