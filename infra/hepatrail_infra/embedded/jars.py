"""The jars of Apache Kafka: fetched once from Maven Central by jgo, each held to the committed lock.

Later starts read no jar: a note beside them keeps the sizes and times at which all were found right.
`python -m hepatrail_infra.embedded.jars --write-lock` resolves the versions anew and writes the lock.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.instance import only_one, replace_text, writable_directory
from hepatrail_infra.embedded.jar_lock import LOCK, LockedJar, digest, parse, render, sha256_of

# 4.3.0 to 4.4.0 lose committed transactions when a lone broker is killed: docs/adr/0007.
KAFKA_VERSION = "4.2.2"
KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
# "!" keeps jgo from importing the parent of this POM as a bill of materials: that manages kafka-clients
# too, and brought an older one. The version is that of the log4j-core in Kafka's own POMs.
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"

_NOTE = "verified.json"
_DOWNLOADS = 8
_ATTEMPTS = 3

Progress = Callable[[int, int], None]
"""Told (bytes fetched, bytes in all) as jars arrive."""


def default_cache() -> Path:
    """Where jars are kept for all data directories of this user."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hepatrail" / "jars"


def kafka_classpath(
    cache: Path | None = None,
    *,
    lock: Path = LOCK,
    repositories: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """The jars of the lock, in its order, fetched if need be and verified. Blocks: 10 s or more at first.

    `repositories` (name to address) replace what this machine's jgo is set up with. Raises `StartRefused`
    when a jar is missing, has another hash or was not locked, and when none can be fetched.
    """
    jars = parse(lock.read_text("ascii"))
    cache = writable_directory(cache or default_cache(), "jar cache")
    directory = cache / digest(jars)[:16]
    with only_one(cache / f"{directory.name}.lock"):
        if not directory.exists():
            _install(jars, directory, _context(repositories), progress)
        _verify(jars, directory)
    return tuple(directory / jar.file_name for jar in jars)


def _context(repositories: Mapping[str, str] | None) -> MavenContext:
    if repositories is None:
        repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    return MavenContext(remote_repos=dict(repositories))


def _install(jars: tuple[LockedJar, ...], directory: Path, context: MavenContext, progress: Progress | None) -> None:
    """Fetch into a directory beside `directory`, kept when interrupted, and put it in place when whole."""
    partial = directory.with_name(directory.name + ".partial")
    partial.mkdir(exist_ok=True)
    total = sum(jar.size for jar in jars)
    done = 0
    with (
        tempfile.TemporaryDirectory(dir=directory.parent, prefix="fetch-") as scratch,
        ThreadPoolExecutor(_DOWNLOADS) as pool,
    ):
        context.repo_cache = Path(scratch)
        futures = {pool.submit(_fetch, jar, partial / jar.file_name, context): jar for jar in jars}
        try:
            for future in as_completed(futures):
                future.result()
                done += futures[future].size
                if progress is not None:
                    progress(done, total)
        finally:
            pool.shutdown(cancel_futures=True)
    partial.rename(directory)


def _fetch(jar: LockedJar, target: Path, context: MavenContext) -> None:
    if target.exists() and sha256_of(target) == jar.sha256:
        return
    fetched = _download(jar, context)
    found = sha256_of(fetched)
    if found != jar.sha256:
        raise StartRefused(
            f"{jar.coordinates} has SHA-256 {found} where it was fetched from, the lock says {jar.sha256}: refused."
        )
    fetched.replace(target)


def _download(jar: LockedJar, context: MavenContext) -> Path:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact(jar.classifier)
    for attempt in range(_ATTEMPTS):
        try:
            path: Path = artifact.resolve()
        except RuntimeError as error:
            raise StartRefused(f"{jar.coordinates}, a part of Kafka, is not to be had here.") from error
        except OSError as error:
            # Every error of the HTTP client is an OSError; what it wrote until then is no jar.
            if artifact.cached_path is not None:
                artifact.cached_path.unlink(missing_ok=True)
            if attempt == _ATTEMPTS - 1:
                raise StartRefused(
                    f"Kafka's jars are not on this machine yet and {jar.coordinates} could not be fetched "
                    f"({error.strerror or type(error).__name__}): the first start needs the network, "
                    "or HEPATRAIL_KAFKA with the address of a Kafka of your own."
                ) from error
            time.sleep(0.3 * 2**attempt)
        else:
            return path
    raise AssertionError("unreachable")


def _state(directory: Path) -> dict[str, list[int]]:
    """Size and time of change of every file but the note itself."""
    files = sorted(path for path in directory.iterdir() if path.name != _NOTE)
    return {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in files}


def _verify(jars: tuple[LockedJar, ...], directory: Path) -> None:
    """Hold every file in `directory` to the lock; only look at sizes and times when nothing has changed."""
    note = directory / _NOTE
    state = _state(directory)
    if note.exists() and note.read_text("utf-8") == json.dumps(state):
        return
    mend = f"delete {directory} to have it fetched anew"
    locked = {jar.file_name: jar for jar in jars}
    for name in state:
        if name not in locked:
            raise StartRefused(f"{name} is no jar of the lock: refused; {mend}.")
    for name, jar in locked.items():
        if name not in state:
            raise StartRefused(f"{name} ({jar.coordinates}) is missing: refused; {mend}.")
        if sha256_of(directory / name) != jar.sha256:
            raise StartRefused(f"{name} ({jar.coordinates}) has another SHA-256 than the lock: refused; {mend}.")
    replace_text(note, json.dumps(state))


def resolve_lock(repositories: Mapping[str, str] | None = None) -> tuple[LockedJar, ...]:
    """Resolve Kafka with all it needs at run time, fetch it and return what a lock must hold."""
    scratch = Path(tempfile.mkdtemp(prefix="hepatrail-lock-"))
    try:
        context = _context(repositories)
        context.repo_cache = scratch
        inputs, transitive = context.resolver.resolve([context.create_dependency(c) for c in (KAFKA, LOGGING)])
        artifacts = [d.artifact for d in inputs]
        artifacts += [d.artifact for d in transitive if d.scope in ("compile", "runtime")]
        jars = []
        for artifact in artifacts:
            path = artifact.resolve()
            jars.append(
                LockedJar(
                    artifact.groupId,
                    artifact.artifactId,
                    artifact.version,
                    artifact.classifier,
                    sha256_of(path),
                    path.stat().st_size,
                )
            )
    finally:
        shutil.rmtree(scratch)
    stray = [j.coordinates for j in jars if j.group == "org.apache.kafka" and j.version != KAFKA_VERSION]
    if stray:
        raise StartRefused(f"jgo resolved {', '.join(stray)} for Kafka {KAFKA_VERSION}: no lock written.")
    return tuple(sorted(jars))


def main() -> None:
    """Write the lock, or fetch and verify the jars."""
    parser = argparse.ArgumentParser(description="The jars of the embedded Kafka.")
    parser.add_argument("--write-lock", action="store_true", help="resolve anew and write the lock")
    if parser.parse_args().write_lock:
        replace_text(LOCK, render(resolve_lock()))
    try:
        jars = kafka_classpath()
    except StartRefused as refusal:
        sys.exit(str(refusal))
    sys.stdout.write(f"{len(jars)} jars in {jars[0].parent}, all as locked\n")


if __name__ == "__main__":
    main()
