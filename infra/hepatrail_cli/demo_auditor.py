"""What the auditor of the demo does: trusts nothing but the log, and takes the proof away."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hepatrail_cli.demo_forger import copy_of, forge
from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import Unavailable
from hepatrail_events.transparency.seal import Opened, open_seal, verifier_keys
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import SimulatedClock
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_scan import Scan
from hepatrail_infra.settings import PREFIX
from hepatrail_services.audit.demand import demand_seal
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.problems import Report
from hepatrail_services.audit.source import MemorySource
from hepatrail_services.audit.study_records import published_keys
from hepatrail_services.audit.verifier import verify

_SHOWN = 12
_WHO = "the auditor of the demo"
_SEAL_SECONDS = 30.0
_BUNDLE_SECONDS = 60.0


async def show_audit(ready: Mapping[str, Any], data_dir: Path, subject_id: str, console: Console) -> list[str]:
    """Verifies the log, seals it, has a result of the participant forged in a copy, and takes a bundle away.

    Returns what was not as foreseen: a log that is not whole, a forgery that nobody saw, a bundle that does not verify.
    Raises Unavailable, BadSignature.
    """
    complaints = []
    async with Scan(ready["kafka"]) as scan:
        source = KafkaSource(scan)
        report = await verify(source)
        _show_log(report, await copy_of(source), console)
        if not report.whole:
            complaints.append(f"The log is {report.last_line()}")
        taken = await _checkpoint(ready)
        _say(
            f"seal {taken.seal.seal} ({taken.seal.reason.value}) at {format_instant(taken.seal.at)}: "
            f"{sum(tree.size for tree in taken.trees)} events; the auditor keeps its checkpoints",
            console,
        )
        copy = await copy_of(source)
    forgery = forge(copy, subject_id)
    _say(f"forged in a copy: {forgery.line()}", console, "yellow")
    forged = await verify(copy, checkpoints=taken.trees)
    if forged.whole:
        complaints.append("Verification did not see the forgery.")
    else:
        _say(f"verification says: {forged.problems[0].line()}", console, "red")
    return complaints + await _show_bundle(taken, data_dir, console)


def _show_log(report: Report, copy: MemorySource, console: Console) -> None:
    values = [row[2] or b"" for (topic, _), rows in copy.topics.items() if topic == EVENTS for row in rows]
    envelopes = [Envelope.from_json(parse_object(value)) for value in values]
    listed = [(name, str(number)) for name, number in Counter(each.type for each in envelopes).most_common()]
    counts = Table("event", "count", "event", "count")
    half = (len(listed) + 1) // 2
    for left, right in zip_longest(listed[:half], listed[half:], fillvalue=("", "")):
        counts.add_row(*left, *right)
    heads = Table("stream", "version", "head (SHA-256)")
    for stream, (streamseq, digest) in list(report.heads.items())[-_SHOWN - 2 :]:
        heads.add_row(stream, str(streamseq), digest[:32] + "...")
    console.print(counts)
    console.print(heads)
    _say(report.last_line(), console, "green" if report.whole else "red")
    if report.whole:
        writers = ", ".join(sorted({each.producer for each in envelopes}))
        _say(f"every chain holds, every tree is as it was sealed; written by {writers}", console)


async def _checkpoint(ready: Mapping[str, Any]) -> Opened:
    clock = SimulatedClock(Path(ready["clock"]))
    try:
        seal, _ = await demand_seal(ready["kafka"], clock, by=_WHO, patience=_SEAL_SECONDS)
    finally:
        clock.close()
    return open_seal(seal, await published_keys(ready["kafka"]))


async def _show_bundle(taken: Opened, data_dir: Path, console: Console) -> list[str]:
    """Exports up to the seal, and runs the verifier out of the bundle: alone, with the key of the checkpoint."""
    bundle, script = data_dir / "trial.zip", data_dir / "verify.py"
    options = ("--out", bundle, "--seal", taken.seal.seal, "--no-digests", "--by", _WHO, "--data-dir", data_dir)
    code, said = await _run("-m", "hepatrail_cli", "audit", "export", *options)
    if code != 0:
        return [f"The export ended with exit code {code}: {said[-1]}"]
    await asyncio.to_thread(_take_out, bundle, script)
    key = verifier_keys(taken.seal.log, next(iter(taken.signers)))[-1]
    code, said = await _run("-I", script, bundle, "--key", key)
    size = bundle.stat().st_size / 1e6
    _say(f"bundle of {size:.1f} MB; verify.py out of it, alone, no server asked, says:", console)
    for line in said:
        _say(line, console, "green" if line == "WHOLE" else "")
    return [] if code == 0 else [f"The bundle's verifier ended with exit code {code}."]


def _take_out(bundle: Path, script: Path) -> None:
    with ZipFile(bundle) as archive:
        script.write_bytes(archive.read(script.name))


async def _run(*arguments: object) -> tuple[int, list[str]]:
    """Runs Python without any of our settings; exit code and what it says. Raises Unavailable after a minute."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *map(str, arguments),
        env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _BUNDLE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Unavailable(f"the bundle was not made and verified within {_BUNDLE_SECONDS:g} s") from None
    return await process.wait(), output.decode(errors="replace").splitlines() or [""]


def _say(line: str, console: Console, style: str = "") -> None:
    # A long line goes on under its beginning; a word of more than a line, as keys are, is broken.
    console.print(Padding(Text(line, style, overflow="fold"), (0, 0, 0, 2), expand=False))
