"""`hepatrail audit export`: the log up to a seal as one archive that verifies itself elsewhere."""

import asyncio
import getpass
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.servers import Servers, servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.errors import Broken, HepatrailError, StartRefused
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import Clock, make_clock
from hepatrail_infra.kafka_scan import Scan
from hepatrail_infra.sealing_keys import SubjectKey, Unreadable, kid_of
from hepatrail_infra.settings import need, secret
from hepatrail_infra.vault import Vault
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.access_log import Access
from hepatrail_services.access_tool import tool_access
from hepatrail_services.audit import bundle_verify
from hepatrail_services.audit.bundle.content import HEPATRAIL, BundleContent, collect
from hepatrail_services.audit.bundle.projecting import projected_digests
from hepatrail_services.audit.bundle.report import html_report
from hepatrail_services.audit.bundle.writer import Spool, write_bundle
from hepatrail_services.audit.demand import demand_seal
from hepatrail_services.audit.kafka_source import KafkaSource

_SEAL_SECONDS = 30.0
_TRIES = 3
_SETTLED = timedelta(seconds=4)
"""What was recorded before an instant is committed this much later: 2 s from stamp to send, 2 s for clocks."""
_PATIENCE = 10.0


def export(
    out: Annotated[Path, typer.Option("--out", help="The archive, one zip file.")],
    subject: Annotated[str | None, typer.Option(help="Only what concerns this participant.")] = None,
    seal: Annotated[int | None, typer.Option(help="An earlier seal; absent: a new one is asked for.", min=1)] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Add the keys of the free text: whoever has FILE can read it.")
    ] = False,
    no_digests: Annotated[bool, typer.Option("--no-digests", help="Without digests of the projections.")] = False,
    by: Annotated[str, typer.Option(help="Who exports; it is on record.")] = getpass.getuser(),
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the log, its proofs and a report as one archive, with the verify.py that checks it anywhere.

    The same seal gives the same bytes. Without a running stack the last seal is taken. Exit code 1 when what was
    written does not verify: the log is not whole.
    """
    options = _Options(out, subject, seal, with_text, digests=not no_digests and subject is None, by=by)
    for line in run_audit(_export(data_dir, options)):
        typer.echo(line)


@dataclass(frozen=True, slots=True)
class _Options:
    out: Path
    subject: str | None
    seal: int | None
    with_text: bool
    digests: bool
    by: str


async def _export(data_dir: Path, options: _Options) -> list[str]:
    if not options.out.parent.is_dir():
        raise StartRefused(f"There is no directory {options.out.parent}.")
    async with servers(data_dir, postgres=options.digests or options.with_text) as found:
        clock = make_clock(found.settings.simulated_clock)
        with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".export-") as spool:
            content = await _collected(found, options, clock, Path(spool))
            if options.with_text:
                content.add_text_keys(await _text_keys(found, content.subjects))
            if options.digests:
                owner = need(found.owner, "postgres_owner")
                content.add_digests(await projected_digests(content.bundle, owner))
            content.add_pages(html_report(content))
            manifest = content.manifest()
            digest = write_bundle(options.out, content.spool, manifest)
        lines, broken = _verified(options.out)
        await _on_record(found, options, clock, content, digest, whole=broken is None)
    if broken is not None:
        raise Broken(f"{broken} ({options.out} is written as the log is)", code="BUNDLE_BROKEN")
    counts = content.counts
    return [
        *lines,
        f"seal {content.seal.seal} at {format_instant(content.seal.at)}: {counts.events} events in "
        f"{counts.streams} streams; SHA-256 of {options.out.name} {digest}",
    ]


async def _collected(found: Servers, options: _Options, clock: Clock, spool: Path) -> BundleContent:
    """A new seal where the stack can make one; another one when it came between the events of a commit."""
    for left in reversed(range(_TRIES)):
        number = options.seal
        if number is None and found.running:
            made, _ = await demand_seal(found.bootstrap, clock, by=options.by, patience=_SEAL_SECONDS)
            number = made.seal
            await _until_settled(clock, made.at + _SETTLED)
        directory = spool / str(left)
        directory.mkdir()
        async with Scan(found.bootstrap) as scan:
            try:
                return await collect(KafkaSource(scan), Spool(directory), seal=number, subject_id=options.subject)
            except StartRefused:
                if options.seal is not None or not found.running or not left:
                    raise
    raise AssertionError("the last try returns or raises")


async def _until_settled(clock: Clock, instant: datetime) -> None:
    left = (instant - clock.now()).total_seconds()
    await asyncio.sleep(min(max(left, 0.0), _PATIENCE))


async def _text_keys(found: Servers, subjects: Sequence[str]) -> dict[str, SubjectKey | Unreadable]:
    """What the vault has for each participant."""
    vault = Vault(secret(found.settings.vault_use, "vault_use"), found.settings.master_key())
    await vault.start()
    try:
        keys = await vault.unwrapped([kid_of(each) for each in subjects])
    finally:
        await vault.stop()
    return {each: keys[kid_of(each)] for each in subjects}


def _verified(path: Path) -> tuple[list[str], str | None]:
    """What the bundle's own verifier says of it, and why it refuses it."""
    lines = list[str]()
    try:
        lines.extend(bundle_verify.verify(str(path)))
    except (bundle_verify.Broken, LookupError, TypeError, ValueError) as error:
        return lines, str(error)
    return lines, None


async def _on_record(
    found: Servers, options: _Options, clock: Clock, content: BundleContent, digest: str, *, whole: bool
) -> None:
    """The export in the access log (AUD-07, DAT-08); what cannot be recorded is not left behind."""
    detail = {
        "by": options.by,
        "sha256": digest,
        "seal": content.seal.seal,
        "at": format_instant(content.seal.at),
        "versions": f"hepatrail {HEPATRAIL}, projection {PROJECTION_VERSION}, protocols {', '.join(content.protocols)}",
        "subject": options.subject or "all",
        "withText": options.with_text,
        "rows": content.counts.events,
        "whole": whole,
    }
    try:
        async with tool_access(found.bootstrap, clock) as access:
            await access.write(Access.EXPORT, detail=detail)
    except HepatrailError:
        options.out.unlink(missing_ok=True)
        raise
