"""Writing a bundle: a zip archive, stored and not compressed, every byte of which follows from the content (DAT-08).

Deflate differs between builds of zlib, and the modules that write zip files between versions; so neither is used. Names
in order, 1980-01-01, mode 0644, no extra fields. At most 4 GiB, because there are no 64-bit records in it.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from hepatrail_events.errors import StartRefused
from hepatrail_services.audit.bundle.layout import MANIFEST, Entry, Manifest, Part

LIMIT: Final = (1 << 32) - 1
_UNIX: Final = 3
_VERSION: Final = 20
_DATE: Final = 0x0021
_MODE: Final = 0o100644 << 16
_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o666


@dataclass(slots=True)
class Spool:
    """The files of a bundle while it is made, in a directory of their own."""

    directory: Path
    files: dict[str, Part] = field(default_factory=dict)

    def put(self, name: str, raw: bytes) -> None:
        """A file that is known at once."""
        with self.lines(name) as write:
            write(raw)

    @contextmanager
    def lines(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """A file that is written piece by piece; the pieces stand in it as they are given."""
        path = self.directory / str(len(self.files))
        self.files[name] = Part(path, 0, 0)
        with path.open("wb") as file:
            yield file.write
        self.files[name] = Part(path, 0, path.stat().st_size)


def entries(files: Mapping[str, Part]) -> tuple[Entry, ...]:
    """What the manifest says of files, by name."""
    return tuple(Entry(name=name, size=part.size, sha256=part.sha256()) for name, part in sorted(files.items()))


def write_bundle(path: Path, spool: Spool, manifest: Manifest) -> str:
    """Writes a bundle, whole or not at all; its SHA-256 in hexadecimal. With text in it only its owner may read it.

    Raises StartRefused when it would be larger than 4 GiB or cannot be written.
    """
    spool.put(MANIFEST, manifest.raw())
    if sum(part.size + 4096 for part in spool.files.values()) > LIMIT:
        raise StartRefused("The bundle would be larger than 4 GiB: export participants one by one.")
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        mode = _PRIVATE if manifest.with_text else _PUBLIC
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            digest = sha256()
            for piece in _archive(spool.files):
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StartRefused(f"The bundle {path} cannot be written: {error.strerror}.") from error
    return digest.hexdigest()


def _archive(files: Mapping[str, Part]) -> Iterator[bytes]:
    at, directory = 0, b""
    for name, part in sorted(files.items()):
        encoded, crc = name.encode("ascii"), _crc(part)
        shared = (0, 0, 0, _DATE, crc, part.size, part.size, len(encoded), 0)
        header = struct.pack("<4s5H3L2H", b"PK\3\4", _VERSION, *shared) + encoded
        yield header
        yield from part.chunks()
        entry = (_VERSION, _UNIX, _VERSION, 0, *shared, 0, 0, 0, _MODE, at)
        directory += struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *entry) + encoded
        at += len(header) + part.size
    yield directory
    yield struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(files), len(files), len(directory), at, 0)


def _crc(part: Part) -> int:
    crc = 0
    for piece in part.chunks():
        crc = zlib.crc32(piece, crc)
    return crc
