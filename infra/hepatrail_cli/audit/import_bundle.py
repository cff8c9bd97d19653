"""`hepatrail audit import`: a bundle of the whole log into an empty system."""

import base64
import getpass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from hepatrail_cli.audit.building import shown_progress
from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.servers import Servers, servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_cli.stack_files import stack_is_known
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import Broken, StartRefused
from hepatrail_infra.clock import make_clock
from hepatrail_infra.kafka_admin import ensure_topics
from hepatrail_infra.sealing_keys import SubjectKey
from hepatrail_infra.settings import secret
from hepatrail_infra.vault import Vault
from hepatrail_services.access_log import Access
from hepatrail_services.access_tool import tool_access
from hepatrail_services.audit.bundle.importing import Imported, import_bundle
from hepatrail_services.audit.bundle.layout import MANIFEST, TEXT_KEYS
from hepatrail_services.audit.bundle.source import ReadBundle, read_bundle


def import_(
    file: Annotated[Path, typer.Argument(help="A bundle of the whole log.")],
    with_text: Annotated[bool, typer.Option("--with-text", help="Take over the keys of the free text, too.")] = False,
    by: Annotated[str, typer.Option(help="Who imports; it is on record.")] = getpass.getuser(),
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the log of FILE to an empty system, byte for byte, and hold it to FILE's seal and digests.

    Into the servers of --data-dir, which are started for it, or into HEPATRAIL_KAFKA. Start the stack afterwards.
    Exit code 1 when what stands in Kafka then is not what FILE says.
    """
    for line in run_audit(_import(file, data_dir, with_text, by)):
        typer.echo(line)


async def _import(file: Path, data_dir: Path, with_text: bool, by: str) -> list[str]:
    bundle = read_bundle(file)
    if with_text and TEXT_KEYS not in bundle.files:
        raise StartRefused(f"There are no keys of text in {file}: it was exported without --with-text.")
    if not stack_is_known(data_dir):
        # An empty system of this directory: its servers are started now for the first time.
        (data_dir / "kafka").mkdir(parents=True, exist_ok=True)
    async with servers(data_dir) as found:
        await ensure_topics(found.bootstrap, found.settings.replication)
        with shown_progress() as tell:
            done = await import_bundle(bundle, found.bootstrap, found.owner, tell)
        keys = await _adopt(found, bundle) if with_text else 0
        await _on_record(found, bundle, with_text, by)
    if done.differing:
        raise Broken(f"other digests than the bundle's: {', '.join(done.differing)}", code="DIGESTS_DIFFER")
    return [*_compared(done), *([f"{keys} keys of text taken over"] if with_text else []), done.report.last_line()]


def _compared(done: Imported) -> list[str]:
    if done.compared:
        return ["the digests of all tables are those of the bundle"]
    return ["digests not compared: the bundle has none of this version of the projections, or there is no Postgres"]


async def _adopt(found: Servers, bundle: ReadBundle) -> int:
    """The keys of the text into the vault; how many are new there."""
    vault = Vault(secret(found.settings.vault_use, "vault_use"), found.settings.master_key())
    await vault.start()
    try:
        new = 0
        for line in bundle.files[TEXT_KEYS].lines():
            body = orjson.loads(line)
            key = SubjectKey(body["kid"], base64.b64decode(body["key"], validate=True))
            new += await vault.adopt(body["subject"], key)
        return new
    finally:
        await vault.stop()


async def _on_record(found: Servers, bundle: ReadBundle, with_text: bool, by: str) -> None:
    detail = {
        "by": by,
        "manifest": sha256_hex(bundle.files[MANIFEST].read()),
        "seal": bundle.manifest.seal,
        "subject": "all",
        "withText": with_text,
        "rows": bundle.manifest.counts.events,
    }
    async with tool_access(found.bootstrap, make_clock(found.settings.simulated_clock)) as access:
        await access.write(Access.IMPORT, detail=detail)
