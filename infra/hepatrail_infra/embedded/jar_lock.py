"""The committed lock of the jars: coordinates, SHA-256 and size, one jar a line, no addresses."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).with_name("kafka.lock")

_LINE = re.compile(
    r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+)(?::(?P<classifier>[\w.-]+))?"
    r" sha256:(?P<sha256>[0-9a-f]{64}) (?P<size>[1-9][0-9]*)"
)


@dataclass(frozen=True, slots=True, order=True)
class LockedJar:
    """One jar; `size` in bytes, `sha256` in lower-case hexadecimal, `classifier` often empty."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str
    size: int

    @property
    def coordinates(self) -> str:
        """`group:artifact:version[:classifier]`."""
        parts = (self.group, self.artifact, self.version, self.classifier)
        return ":".join(part for part in parts if part)

    @property
    def file_name(self) -> str:
        """The name of the file in the jar directory."""
        return "-".join(part for part in (self.artifact, self.version, self.classifier) if part) + ".jar"


def parse(text: str) -> tuple[LockedJar, ...]:
    """The jars of a lock in its order; `ValueError` on a line that is none."""
    jars = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"no line of a jar lock: {line!r}")
        group, artifact, version, classifier, sha256, size = match.groups(default="")
        jars.append(LockedJar(group, artifact, version, classifier, sha256, int(size)))
    return tuple(jars)


def render(jars: tuple[LockedJar, ...]) -> str:
    """The text of a lock, sorted, so that it changes only where a jar does."""
    lines = [f"{jar.coordinates} sha256:{jar.sha256} {jar.size}" for jar in sorted(jars)]
    return "\n".join(["# Written by: python -m hepatrail_infra.embedded.jars --write-lock", *lines, ""])


def digest(jars: tuple[LockedJar, ...]) -> str:
    """SHA-256 over the lock's content: names the directory in which exactly these jars lie."""
    return hashlib.sha256(render(jars).encode("ascii")).hexdigest()


def sha256_of(file: Path) -> str:
    """SHA-256 of a file in lower-case hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
