"""Signed notes as other tools write and read them (C2SP signed-note)."""

import base64

import pytest

from hepatrail_events.errors import BadSignature
from hepatrail_events.transparency.note import MAX_SIGNATURES, SigningKey, VerifierKey, key_id, open_note

# The example of Go's golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
KEY = SigningKey(bytes(range(32)))
NAME = "hepatrail.local/0123456789abcdef/events/7"


def own(name: str = NAME, key: SigningKey = KEY) -> VerifierKey:
    return VerifierKey(name, key.public)


def test_a_note_signed_by_go_opens() -> None:
    key = VerifierKey.parse(PETER)
    assert (key.name, str(key)) == ("PeterNeumann", PETER)
    assert open_note(f"{TEXT}\n{LINE}", [key]) == TEXT


def test_what_is_signed_here_opens_and_is_the_same_bytes_each_time() -> None:
    note = KEY.sign(NAME, TEXT)
    assert note == KEY.sign(NAME, TEXT)
    assert open_note(note, [own()]) == TEXT
    assert note.endswith("=\n") and note.splitlines()[-1].startswith(f"\u2014 {NAME} ")


def test_a_key_travels_as_text() -> None:
    text = str(own())
    assert VerifierKey.parse(f"{text}\n") == own()
    name, id_, encoded = text.split("+", 2)
    assert (name, id_) == (NAME, key_id(NAME, KEY.public).hex())
    assert base64.b64decode(encoded) == b"\x01" + KEY.public


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "PeterNewmann"),
        PETER.replace("ARpc", "Ahpc"),
        PETER[:-4],
        PETER + "é",
        PETER.replace("PeterNeumann", ""),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadSignature, match="is no verifier key"):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}{LINE}",
        f"{TEXT}\n{LINE}".rstrip("\n"),
        f"{TEXT}\n{LINE.replace('PeterNeumann ', 'PeterNeumann')}",
        f"{TEXT}\n{LINE.replace(chr(0x2014), '-')}",
        f"{TEXT}\n{LINE.replace('x08g', 'x08é')}",
        f"{TEXT}\n\u2014 PeterNeumann AAAA\n",
        f"{TEXT}\nno signature\n{LINE}",
        f"{TEXT}\n{LINE * (MAX_SIGNATURES + 1)}",
    ],
)
def test_what_is_no_signed_note_is_refused(note: str) -> None:
    with pytest.raises(BadSignature):
        open_note(note, [VerifierKey.parse(PETER)])


def test_any_other_text_is_not_what_was_signed() -> None:
    note = KEY.sign(NAME, TEXT)
    for place in range(len(TEXT) - 1):
        forged = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        with pytest.raises(BadSignature):
            open_note(forged, [own()])


def test_every_byte_of_the_signature_counts() -> None:
    text, _, line = KEY.sign(NAME, TEXT).rpartition(" ")
    raw = base64.b64decode(line)
    for place in range(len(raw)):
        forged = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(BadSignature):
            open_note(f"{text} {base64.b64encode(forged).decode()}\n", [own()])


def test_every_character_of_the_signature_counts() -> None:
    text, _, line = KEY.sign(NAME, TEXT).rpartition(" ")
    assert line.endswith("=\n")
    for forged in (f"{line[:-3]}{chr(ord(line[-3]) + 1)}=\n", f"{line[:-2]}==\n", f"{line[:-2]}\n", f"={line}"):
        with pytest.raises(BadSignature):
            open_note(f"{text} {forged}", [own()])


def test_a_signature_cut_short_or_made_longer_does_not_count() -> None:
    text, _, line = KEY.sign(NAME, TEXT).rpartition(" ")
    raw = base64.b64decode(line)
    for forged in (raw[:-1], raw + b"\0"):
        with pytest.raises(BadSignature, match="is not its own"):
            open_note(f"{text} {base64.b64encode(forged).decode()}\n", [own()])


def test_a_key_counts_under_its_name_only() -> None:
    note = KEY.sign(NAME, TEXT)
    for key in (own("hepatrail.local/0123456789abcdef/events/8"), own(key=SigningKey(b"\7" * 32))):
        with pytest.raises(BadSignature, match="no known key"):
            open_note(note, [key])
    with pytest.raises(BadSignature, match="no known key"):
        open_note(note, [])


def test_signatures_of_witnesses_may_stand_beside_it() -> None:
    witness = SigningKey(b"\5" * 32)
    note = KEY.sign(NAME, TEXT) + witness.sign("witness.example", TEXT).rpartition("\n\n")[2]
    assert open_note(note, [own()]) == TEXT
    assert open_note(note, [own("witness.example", witness)]) == TEXT
    forged = note.replace("witness.example ", "witness.example x")
    with pytest.raises(BadSignature):
        open_note(forged, [own()])


def test_of_a_known_key_a_wrong_signature_is_refused_though_another_holds() -> None:
    witness = SigningKey(b"\5" * 32)
    wrong = witness.sign("witness.example", "another text\n").rpartition("\n\n")[2]
    with pytest.raises(BadSignature, match=r"the signature of witness\.example is not its own"):
        open_note(KEY.sign(NAME, TEXT) + wrong, [own(), own("witness.example", witness)])


@pytest.mark.parametrize(("name", "text"), [(NAME, "no newline"), ("a b", TEXT), ("a+b", TEXT), ("", TEXT)])
def test_what_no_other_tool_could_read_is_not_signed(name: str, text: str) -> None:
    with pytest.raises(ValueError, match="a note's text ends in a newline"):
        KEY.sign(name, text)


def test_a_key_does_not_show_its_seed() -> None:
    assert "seed" not in repr(KEY) and repr(bytes(range(4)))[2:-1] not in repr(KEY)
