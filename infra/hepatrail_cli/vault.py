"""`hepatrail vault`: keys of sealed text, kept and destroyed."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_cli.stack_files import stack_settings
from hepatrail_infra.settings import secret
from hepatrail_infra.vault import Vault

vault_app = typer.Typer(
    no_args_is_help=True, help="The keys of sealed text: the only thing besides the log to back up."
)

File = Annotated[Path, typer.Argument(help="The backup, one file; the keys in it stay wrapped by the master key.")]
Result = TypeVar("Result")


@vault_app.command()
def backup(file: File, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Write all keys and tombstones to FILE."""
    entries = run(_with_vault(data_dir, lambda vault: vault.backup(file)))
    typer.echo(f"{entries} keys and tombstones are in {file}. Keep the master key elsewhere.")


@vault_app.command()
def restore(file: File, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Bring back what FILE holds; what was erased stays erased, existing keys stay."""
    done = run(_with_vault(data_dir, lambda vault: vault.restore(file)))
    typer.echo(
        f"{done.keys} keys and {done.tombstones} tombstones restored; {done.refused_by_tombstone} keys stay destroyed."
    )
    if done.different:
        typer.echo(f"Left alone, because the vault holds another key: {', '.join(done.different)}.", err=True)
        raise typer.Exit(1)


@vault_app.command()
def destroy(
    subject: Annotated[str, typer.Argument(help="Pseudonym of the participant.")],
    reason: Annotated[str, typer.Option(help="Why, for the tombstone; no personal data.")],
    by: Annotated[str, typer.Option(help="Who ordered it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Destroy a participant's key: all free text about them reads ERASED, for good."""
    if not yes:
        typer.confirm(f"All free text about {subject} becomes unreadable for good. Go on?", abort=True)
    new = run(_with_vault(data_dir, lambda vault: vault.destroy(subject, reason, by)))
    typer.echo(f"{subject}: {'erased' if new else 'was erased before'}. Backups keep the key until they are replaced.")


async def _with_vault(data_dir: Path, work: Callable[[Vault], Awaitable[Result]]) -> Result:
    settings = stack_settings(data_dir)
    destroy_dsn = settings.vault_destroy.get_secret_value() if settings.vault_destroy else None
    vault = Vault(secret(settings.vault_use, "vault_use"), settings.master_key(), destroy_dsn)
    await vault.start()
    try:
        return await work(vault)
    finally:
        await vault.stop()
