"""Making bundles in tests, packing them anew as a forger would, and running the verifier that is in them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import verifier_keys
from hepatrail_infra.sealing_keys import SubjectKey, Unreadable
from hepatrail_services.audit import bundle_verify
from hepatrail_services.audit.bundle.content import BundleContent, collect
from hepatrail_services.audit.bundle.layout import MANIFEST
from hepatrail_services.audit.bundle.projecting import projected_digests
from hepatrail_services.audit.bundle.report import html_report
from hepatrail_services.audit.bundle.source import read_bundle
from hepatrail_services.audit.bundle.writer import Spool, entries, write_bundle
from hepatrail_services.audit.source import LogSource
from log_commits import adverse_event, alert, enrol, publish, sample
from sealed_log import KEY, SealedLog

S_00 = subject_stream("S-00")


async def export(
    source: LogSource,
    path: Path,
    *,
    seal: int | None = None,
    subject_id: str | None = None,
    keys: Mapping[str, SubjectKey | Unreadable] | None = None,
    owner_dsn: str | None = None,
) -> BundleContent:
    """Writes a bundle as `hepatrail audit export` does; its files are gone from the spool afterwards."""
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        content = await collect(source, Spool(Path(directory)), seal=seal, subject_id=subject_id)
        if keys is not None:
            content.add_text_keys(keys)
        if owner_dsn is not None:
            content.add_digests(await projected_digests(content.bundle, owner_dsn))
        content.add_pages(html_report(content))
        write_bundle(path, content.spool, content.manifest())
    return content


def files(path: Path) -> dict[str, bytes]:
    """Every file of a bundle, read by a reader of zip files that is not ours."""
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed_anew(path: Path, changes: Mapping[str, bytes | None], to: Path) -> Path:
    """The bundle with other files (None: without one), with manifest and archive as if nothing had happened."""
    changed = {**files(path), **changes}
    manifest = read_bundle(path).manifest
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        spool = Spool(Path(directory))
        for name, content in changed.items():
            if content is not None and name != MANIFEST:
                spool.put(name, content)
        write_bundle(to, spool, manifest.model_copy(update={"files": entries(spool.files)}))
    return to


def verdict(path: Path, key: str | None = None, *, text_keys: bool = False) -> str:
    """`WHOLE`, or why the verifier refuses the bundle."""
    try:
        list(bundle_verify.verify(str(path), key, text_keys))
    except bundle_verify.Broken as error:
        return str(error)
    except (LookupError, TypeError, ValueError) as error:
        return f"malformed: {error!r}"
    return "WHOLE"


def run_verifier(path: Path, *arguments: str, python: str = sys.executable) -> tuple[int, list[str]]:
    """Takes `verify.py` out of the bundle and runs it alone: exit code and the lines that it prints."""
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        script = Path(directory) / "verify.py"
        script.write_bytes(files(path)["verify.py"])
        done = subprocess.run(
            [python, "-I", "verify.py", str(path), *arguments],
            cwd=directory,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def small(key: SigningKey = KEY, value: str = "88") -> SealedLog:
    """Two participants, an adverse event with its alert, two seals."""
    sealed = SealedLog(key=key)
    publish(sealed.log)
    sealed.publish_key()
    for name in ("S-00", "S-01"):
        stream = enrol(sealed.log, name)
        sample(sealed.log, stream, creatinine=value, tbil="50")
        alert(sealed.log, 1 if name == "S-00" else 2, adverse_event(sealed.log, stream), name)
    sealed.seal()
    sample(sealed.log, S_00, creatinine="90")
    sealed.seal()
    return sealed


def key_of(sealed: SealedLog, key: SigningKey) -> str:
    """A line of `keys.txt` for a key."""
    return str(verifier_keys(sealed.name, key.public)[0])
