"""The written list of the auditor's commands: a new one gets its file, and its line here."""

import typer

from hepatrail_cli.lazy_group import lazy_group

COMMANDS = {
    "verify": "hepatrail_cli.audit.verify:verify",
    "checkpoint": "hepatrail_cli.audit.checkpoint:checkpoint",
    "prove": "hepatrail_cli.audit.prove:prove",
    "keys": "hepatrail_cli.audit.keys:keys",
    "rotate-key": "hepatrail_cli.audit.keys:rotate_key",
    "replay": "hepatrail_cli.audit.replay:replay",
    "diff": "hepatrail_cli.audit.diff:diff",
    "compare": "hepatrail_cli.audit.compare:compare",
    "trail": "hepatrail_cli.audit.trail:trail",
    "access": "hepatrail_cli.audit.access:access",
    "review": "hepatrail_cli.audit.review:review",
    "export": "hepatrail_cli.audit.export:export",
    "import": "hepatrail_cli.audit.import_bundle:import_",
}

audit_app = typer.Typer(cls=lazy_group(COMMANDS), no_args_is_help=True)


@audit_app.callback()
def audit() -> None:
    """Verify, seal, replay and export the log."""
