"""Verifies a bundle of a Hepatrail log on your own machine: python verify.py BUNDLE [--key KEY] [--text-keys]

It needs Python 3.11 or later and the library `cryptography`, reads one file, writes nothing and asks nobody. Shown is

- archive  that the file holds what its manifest says, byte for byte, and nothing else;
- seals    that every seal names the hash of the one before and stands in the Merkle tree (RFC 6962) over all seals;
- events   that every event is canonical JSON and follows the one before it in its stream by number, hash and time,
           that no commit is cut, and that the events are the leaves of the trees of every seal;
- key      that one key signed all 13 checkpoints of the last seal (Ed25519, C2SP signed-note). KEY: a line of keys.txt
           that you had from elsewhere, or earlier; without it the key is the log's own word;
- text     (--text-keys) that the sealed text opens with the keys in the bundle, where it holds them.

Not shown is that what was recorded is true, nor that there was no later seal, and of all files but events, seals and
keys no more than that the manifest names them. The last line is WHOLE (exit code 0) or BROKEN: why (1); 2: not read.
"""

# ruff: noqa: PTH123, T201
import argparse
import base64
import json
import mmap
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

TREES, ZERO = 12, "0" * 64
DECODER = json.JSONDecoder(parse_float=int, parse_constant=int)  # int refuses them: canonical JSON here has no floats
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
Checkpoint = tuple[int, bytes]  # size and root of a tree
Leaf = tuple[int, int, int, str | None, bytes]  # partition, leaf, offset, key unless the event says it, bytes


class Broken(Exception):
    """The bundle is not what it says."""


def need(holds: bool, reason: str) -> None:
    if not holds:
        raise Broken(reason)


class Archive:  # a zip file whose files lie one after the other, not compressed, so that every byte is determined
    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            self.raw: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.read(1) else b""
        self.places: dict[str, tuple[int, int]] = {}
        raw, at, directory, names = self.raw, 0, b"", []
        while raw[at : at + 4] == b"PK\3\4" and len(raw) > at + 30:
            crc, size, _, length = struct.unpack("<3LH", raw[at + 14 : at + 28])
            begin, name = at + 30 + length, raw[at + 30 : at + 30 + length]
            header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, crc, size, size, length, 0) + name
            content = raw[begin : begin + size]
            same = raw[at:begin] == header and len(content) == size
            need(same and zlib.crc32(content) == crc, f"the archive is damaged at or after byte {at}")
            fixed = (20, 3, 20, 0, 0, 0, 0, 33, crc, size, size, length, 0, 0, 0, 0, 0o100644 << 16, at)
            directory += struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *fixed) + name
            names.append(name.decode("utf-8", "replace"))
            self.places[names[-1]] = begin, size
            at = begin + size
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(names), len(names), len(directory), at, 0)
        need(raw[at:] == directory + end and names == sorted(set(names)), "this is no bundle, or its end is damaged")
        self.manifest = read_json(self.read("manifest.json"), "manifest.json")
        need(self.manifest["format"] == "hepatrail-bundle/1", "the format is not hepatrail-bundle/1")
        listed = {each["name"]: (each["size"], each["sha256"]) for each in self.manifest["files"]}
        need({*listed, "manifest.json"} == {*names}, "the files are not those of the manifest")
        for name, said in listed.items():
            same = (self.places[name][1], sha256(self.read(name)).hexdigest()) == said
            need(same, f"{name} is not what the manifest says")

    def read(self, name: str) -> bytes:
        begin, size = self.places[name]
        return bytes(self.raw[begin : begin + size])

    def lines(self, name: str) -> list[bytes]:
        return self.read(name).split(b"\n")[:-1]


def read_json(raw: bytes, what: str) -> dict[str, Any]:
    try:
        body = DECODER.decode(raw.decode())
        canonical = ENCODER.encode(body).encode()
    except (ValueError, RecursionError):
        raise Broken(f"{what} is no JSON") from None
    need(isinstance(body, dict) and canonical == raw, f"{what} is not canonical JSON")
    return dict(body)


def record(line: bytes) -> tuple[str | None, bytes]:  # key and bytes; what is no line of text is in base64 with its key
    if not line.startswith(b'{"base64":'):
        return None, line
    one = read_json(line, "a record in base64")
    return base64.b64decode(one["key"] or "").decode("utf-8", "replace"), base64.b64decode(one["base64"] or "")


class Tree:  # a Merkle tree that grows: its complete subtrees, the largest first
    def __init__(self) -> None:
        self.size, self.subtrees = 0, list[bytes]()

    def append(self, data: bytes) -> None:
        made, rest = sha256(b"\0" + data).digest(), self.size
        while rest & 1:
            made, rest = sha256(b"\1" + self.subtrees.pop() + made).digest(), rest >> 1
        self.subtrees.append(made)
        self.size += 1

    def checkpoint(self) -> Checkpoint:
        root = self.subtrees[-1] if self.subtrees else sha256(b"").digest()
        for left in reversed(self.subtrees[:-1]):
            root = sha256(b"\1" + left + root).digest()
        return self.size, root


def included(data: bytes, index: int, tree: Checkpoint, proof: list[bytes]) -> bool:
    """Whether the data are leaf `index` of the tree (RFC 9162, 2.1.3.2)."""
    made, at, last = sha256(b"\0" + data).digest(), index, tree[0] - 1
    for sibling in proof:
        if last <= 0:
            return False
        right = at & 1 or at == last
        made = sha256(b"\1" + (sibling + made if right else made + sibling)).digest()
        while right and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return 0 <= index < tree[0] and last == 0 and made == tree[1]


def read_checkpoint(note: str, origin: str) -> Checkpoint:
    name, size, root, blank = note.split("\n")[:4]
    need((name, blank) == (origin, ""), f"a checkpoint of {origin} is malformed")
    return int(size), base64.b64decode(root, validate=True)


def key_line(name: str, public: bytes) -> str:
    number = sha256(name.encode() + b"\n\1" + public).digest()[:4].hex()
    return f"{name}+{number}+{base64.b64encode(bytes([1]) + public).decode()}"


def signed(note: str, name: str, public: bytes) -> bool:
    text, _, encoded = note.removesuffix("\n").partition(f"\n\n\u2014 {name} ")
    raw = base64.b64decode(encoded, validate=True)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())
    except InvalidSignature:
        return False
    return key_line(name, public).startswith(f"{name}+{raw[:4].hex()}+")


class Seals:  # all seals in order; `roots` are those that they give to each partition, by size
    def __init__(self, archive: Archive) -> None:
        said, history, before, self.all = archive.manifest, Tree(), ZERO, list[dict[str, Any]]()
        self.origins = [*(f"{said['log']}/events/{partition}" for partition in range(TREES)), f"{said['log']}/seals"]
        self.roots: list[dict[int, bytes]] = [{} for _ in range(TREES)]
        for number, raw in enumerate(archive.lines("seals.jsonl"), 1):
            seal = read_json(raw, f"seal {number}")
            place = (seal["seal"], seal["log"], seal["prevhash"])
            need(place == (number, said["log"], before), f"seal {number} does not follow the one before it")
            history.append(ENCODER.encode({name: seal[name] for name in seal if name != "history"}).encode())
            sealed = read_checkpoint(seal["history"], self.origins[-1])
            need(sealed == history.checkpoint(), f"seal {number} does not stand in the tree over all seals")
            for roots, note, origin in zip(self.roots, seal["checkpoints"], self.origins, strict=False):
                size, root = read_checkpoint(note, origin)
                agrees = size >= next(reversed(roots), 0) and roots.setdefault(size, root) == root
                need(agrees, f"seal {number} contradicts the one before it in {origin}")
            self.all.append(seal)
            before = sha256(raw).hexdigest()
        last = self.all[-1]
        need((last["seal"], last["at"]) == (said["seal"], said["at"]), "the last seal is not that of the manifest")
        self.notes = [*last["checkpoints"], last["history"]]
        names = (f"checkpoints/{origin.rpartition('/')[2]}.checkpoint" for origin in self.origins)
        found = [archive.read(name).decode() for name in names]
        need(found == self.notes, "checkpoints/ are not those of the last seal")
        self.last = [next(reversed(roots.items())) for roots in self.roots]

    def signer(self, keys: list[tuple[int, bytes]], study: int, given: bytes | None) -> list[str]:
        """The last key that the last seal, or the one before it, covers; `given` may be earlier, if it leads there."""
        sizes = [read_checkpoint(seal["checkpoints"][study], self.origins[study])[0] for seal in self.all]
        covered = [sum(leaf < size for leaf, _ in keys) for size in sizes]
        may = {count - 1 for count in covered[-2:] if count}
        has = [at for at in may if all(map(signed, self.notes, self.origins, [keys[at][1]] * (TREES + 1)))]
        need(bool(has), "no key of the study has signed the last seal")
        at = has[0]
        while given is not None and keys[at][1] != given:
            introducing = (seal["history"] for seal, count in zip(self.all, covered, strict=True) if count > at)
            shown = at > 0 and any(signed(note, self.origins[-1], keys[at - 1][1]) for note in introducing)
            need(shown, "no chain of keys, each introduced by a seal of the one before, leads from the key given to it")
            at -= 1
        return [key_line(origin, keys[has[0]][1]) for origin in self.origins]


def all_leaves(archive: Archive, seals: Seals) -> Iterator[Leaf]:
    for partition, (last, _) in enumerate(seals.last):
        tree, roots = Tree(), seals.roots[partition]
        lines = archive.lines(f"events/{partition:02}.jsonl")
        offsets = [int(line) for line in archive.lines(f"events/{partition:02}.offsets")]
        need(len(lines) == len(offsets) == last, f"partition {partition} has not the {last} events of the last seal")
        for line, offset in zip(lines, offsets, strict=True):
            key, value = record(line)
            tree.append(value)
            sealed = tree.size not in roots or tree.checkpoint()[1] == roots[tree.size]
            need(sealed, f"partition {partition}: its first {tree.size} events are not those that were sealed")
            yield partition, tree.size - 1, offset, key, value


def proven_leaves(archive: Archive, seals: Seals) -> Iterator[Leaf]:
    for line in archive.lines("events/subject.jsonl"):
        one = read_json(line, "a line of events/subject.jsonl")
        key, value = record(one["value"].encode())
        proof = [base64.b64decode(each, validate=True) for each in one["proof"]]
        here = included(value, one["leaf"], seals.last[one["partition"]], proof)
        need(here, f"leaf {one['leaf']} of partition {one['partition']} is not in the sealed tree")
        yield one["partition"], one["leaf"], one["offset"], key, value


class Events:  # follows every stream; collects the study's keys and the sealed texts
    def __init__(self, archive: Archive, seals: Seals) -> None:
        self.heads: dict[str, dict[str, Any]] = {}
        self.keys: list[tuple[int, bytes]] = []
        self.texts: list[tuple[bytes, ...]] = []
        self.count, self.study, genesis, subject = 0, 0, "", archive.manifest["subject"]
        entries = [json.loads(record(line)[1]) for line in archive.lines("quarantine.jsonl")]
        released = {(each["partition"], each["offset"]) for each in entries if each.get("kind") == "released"}
        for partition, leaf, offset, key, value in (proven_leaves if subject else all_leaves)(archive, seals):
            self.count += 1
            where, digest = f"partition {partition}, leaf {leaf}, offset {offset}", sha256(value).hexdigest()
            event = {} if key is not None and (partition, offset) in released else read_json(value, where)
            stream = str(event.get("subject", key))
            need(key in (None, stream), f"the event stands under another key ({where})")
            self.texts += re.findall(rb'{"cid":"([^"]*)","ct":"([^"]*)","kid":"([^"]*)","path":"([^"]*)"}', value)
            if stream == "study":
                self.study, genesis = partition, genesis or digest
                if event.get("type") == "hepatrail.SealingKeyPublished.v1":
                    self.keys.append((leaf, base64.b64decode(event["data"]["publicKey"], validate=True)))
            if subject and stream != f"subject-{subject}":
                continue  # of the study and the safety desk a participant's bundle holds some events only
            head = self.heads.setdefault(stream, {"ends": {(0, ZERO)}, "at": "", "open": None, "in": partition})
            if (partition, offset) in released:  # passed over on purpose: the next event may count it or not
                head["ends"] |= {(streamseq + 1, digest) for streamseq, _ in head["ends"]}
                continue
            streamseq, commit, size = event["streamseq"], event["commitid"], event["commitsize"]
            here = (streamseq - 1, event["prevhash"]) in head["ends"] and head["in"] == partition
            need(here, f"{stream}@{streamseq} does not follow the event before it ({where})")
            need(event["recordedat"] >= head["at"], f"{stream}@{streamseq}: time runs backwards ({where})")
            due = head["open"] or (commit, 0, size)
            need(due == (commit, event["commitindex"], size), f"{stream}@{streamseq}: its commit is cut ({where})")
            after = due[1] + 1 < size and (commit, due[1] + 1, size)
            head |= {"ends": {(streamseq, digest)}, "at": event["recordedat"], "open": after}
        need(not any(head["open"] for head in self.heads.values()), "a stream ends inside a commit")
        need(archive.manifest["log"].endswith(f"/{genesis[:16]}"), "the log's name is not that of its first event")


def verify(path: str, key: str | None = None, text_keys: bool = False) -> Iterator[str]:
    """Says what holds, line by line; raises Broken at the first thing that does not, OSError without the file."""
    given = None if key is None else base64.b64decode(key.split("+", 2)[2])[1:]
    archive = Archive(path)
    yield f"archive: {len(archive.places)} files, SHA-256 of the whole {sha256(archive.raw).hexdigest()}"
    seals, said = Seals(archive), archive.manifest
    yield f"seals: {len(seals.all)} of {said['log']}, the last of {said['at']}"
    events, of = Events(archive, seals), f"of participant {said['subject']}" if said["subject"] else "of the log"
    need(events.count == said["counts"]["events"], "the manifest counts other events")
    yield f"events: {events.count} {of} in the 12 sealed trees; {len(events.heads)} streams without gap"
    keys = seals.signer(events.keys, events.study, given)
    need(archive.read("keys.txt").decode().split("\n")[:13] == keys, "keys.txt does not name the key of the last seal")
    yield f"key: {keys[-1]}; trusted because {'it goes back to yours' if given else 'the log itself says so'}"
    if text_keys:
        kept = map(json.loads, archive.lines("text-keys.jsonl"))
        ciphers = {each["kid"].encode(): AESSIV(base64.b64decode(each["key"])) for each in kept}
        opened = [text for text in events.texts if text[2] in ciphers]
        for cid, sealed, kid, path_in_command in opened:
            ciphers[kid].decrypt(base64.b64decode(sealed), [kid, cid, path_in_command])
        yield f"text: {len(opened)} of {len(events.texts)} sealed passages open, with {len(ciphers)} keys"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", metavar="BUNDLE")
    parser.add_argument("--key", help="a line of keys.txt that you trust")
    parser.add_argument("--text-keys", action="store_true", help="open the sealed text with the keys in the bundle")
    try:
        for line in verify(**vars(parser.parse_args())):
            print(line)
    except OSError as error:
        print(f"could not read: {error}", file=sys.stderr)
        return 2
    except (Broken, InvalidTag, LookupError, TypeError, ValueError) as error:
        print(f"BROKEN: {error if isinstance(error, Broken) else f'something is malformed: {error!r}'}")
        return 1
    print("WHOLE")
    return 0


if __name__ == "__main__":
    sys.exit(main())
