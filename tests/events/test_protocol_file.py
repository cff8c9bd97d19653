"""A protocol file is read whole, or refused with file, line and field."""

from importlib.resources import files
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.protocol_file import read_protocol_file

SHIPPED = files("hepatrail_events").joinpath("data/cips_bal.toml").read_text()
LINES = SHIPPED.split("\n")


def _line_of(text: str) -> int:
    """The line of the shipped file on which the text stands first."""
    return next(number for number, line in enumerate(LINES, start=1) if text in line)


def _refusal(path: Path, content: bytes | str) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StartRefused) as refused:
        read_protocol_file(path)
    return str(refused.value)


def test_the_shipped_file_is_the_shipped_protocol(tmp_path: Path) -> None:
    path = tmp_path / "cips_bal.toml"
    path.write_text(SHIPPED)
    assert read_protocol_file(path) == shipped_protocol()


def test_a_change_in_the_file_is_a_change_of_the_protocol(tmp_path: Path) -> None:
    path = tmp_path / "edited.toml"
    path.write_text(SHIPPED.replace("planned_n = 12", "plannedN = 24"))
    assert read_protocol_file(path).planned_n == 24


@pytest.mark.parametrize(
    ("old", "new", "below", "said"),
    [
        ("planned_n = 12", "planned_n = 0", 0, "planned_n: must be greater than or equal to 1."),
        ("planned_n = 12", "planned_n = 12\nplaned = 3", 1, "planed: is no field of a protocol."),
        ("planned_n = 12", "planned_n = 12\nplannedN = 13", 0, "planned_n: is no field of a protocol."),
        ('dose_tolerance = "0.20"', "dose_tolerance = 0.20", 0, 'dose_tolerance: must be text, as in "0.20".'),
        ('site_zone = "Asia/Shanghai"', 'site_zone = "Asia/Peking"', 0, "is no IANA time zone."),
        ("target_minutes = 720", "target_minutes = 7200", 0, "points[2].target_minutes: needs the earliest"),
        ("target_days = 14", "target_days = 9", 0, "points[8].target_days: the windows of D7 and W2 can overlap."),
        ('code = "D3"', 'code = "D2"', 0, "points[5].code: D2 is there 2 times."),
        ('kind = "pre", score_spread_minutes = 1440', 'kind = "pre"', 0, "points[0].score_spread_minutes: is missing."),
        ('no_abg_from = "W2"', 'no_abg_from = "W3"', 0, "visits.no_abg_from: there is no point W3."),
        ('["CN_DRUG", "CN_DEVICE"]', '["CN_DRUG",\n "CN_DVICE"]', 1, "safety.regimes[1]: must be 'CN_DRUG'"),
        ("of_first_treated = 12", "of_first = 12", 0, "safety.stopping_rules[4].thresholds[1].of_first: is no field"),
        ('confidence = "0.95"', 'confidence = "95"', 0, "endpoints.confidence: must lie between 0 and 1."),
        ('\ntitle = "Novel', "\ntitle = Novel", 1, "Invalid value: title = Novel bioartificial liver"),
        ("self_ack = false", "self_ack = false\nself_ack = true", 1, "Cannot overwrite a value: self_ack = true."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, below: int, said: str) -> None:
    assert SHIPPED.count(old) >= 1
    line = SHIPPED[: SHIPPED.index(old)].count("\n") + 1 + below
    refusal = _refusal(tmp_path / "edited.toml", SHIPPED.replace(old, new, 1))
    assert refusal.startswith(f"{tmp_path / 'edited.toml'}, line {line}: ")
    assert said in refusal
    assert refusal.endswith(".")


def test_versions_of_the_safety_information_ascend(tmp_path: Path) -> None:
    versions = 'rsi = [\n  { version = "2", effective_from = 2026-06-01T00:00:00Z },\n  { version = "1", ' + (
        "effective_from = 2026-01-01T08:00:00+08:00 },\n]"
    )
    begin = _line_of("rsi = []")
    refusal = _refusal(tmp_path / "rsi.toml", SHIPPED.replace(LINES[begin - 1], versions))
    assert f"line {begin + 2}: rsi[1].effective_from: must be later than that of version 2." in refusal


def test_a_missing_field_of_the_whole_is_looked_for_on_the_first_line(tmp_path: Path) -> None:
    assert "line 1: planned_n: is missing." in _refusal(tmp_path / "p.toml", SHIPPED.replace("planned_n = 12\n", ""))


def test_a_list_that_is_never_closed_ends_with_the_file(tmp_path: Path) -> None:
    assert "line 2: Unclosed array: 1." in _refusal(tmp_path / "p.toml", "a = [\n1")


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "p.toml", b"a = \xff").endswith("byte 5 is no UTF-8.")
    with pytest.raises(StartRefused, match="cannot be read"):
        read_protocol_file(tmp_path / "absent.toml")
