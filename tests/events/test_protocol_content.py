"""The protocol as a document: the shipped one, its canonical content and hash."""

import orjson
import pytest

from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.protocol import Protocol, content_hash, shipped_protocol


def test_the_shipped_protocol_is_cips_bal() -> None:
    protocol = shipped_protocol()
    assert (protocol.planned_n, protocol.cells_per_kg, protocol.site_zone) == (12, 167_000_000, "Asia/Shanghai")
    assert [point.code for point in protocol.points] == [
        "BL", "P0_5_1H", "H12", "H24", "D2", "D3", "D5", "D7", "W2", "W4", "W6", "W12", "M6", "M12",
    ]  # fmt: skip
    assert {point.code for point in protocol.points if point.ae and point.surv} == {"D7", "W4", "W12", "M6", "M12"}
    assert {rule.priority: rule.minutes for rule in protocol.escalation} == {
        "P1": (30, 60, 120),
        "P2": (240, 720, 1200),
        "P3": (1440, 4320),
    }


def test_the_content_is_canonical_and_read_back() -> None:
    protocol = shipped_protocol()
    content = protocol.content()
    assert canonical_json(orjson.loads(content)).decode() == content
    assert Protocol.read(content) == protocol


def test_the_hash_is_that_of_the_contents_bytes() -> None:
    assert content_hash("{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("content", "fault"),
    [("{", "no JSON"), ("{}", "trial"), ("[]", "content"), ('{"trial":"T","plannedN":0}', "plannedN|title")],
)
def test_content_that_cannot_be_read_names_the_fault(content: str, fault: str) -> None:
    with pytest.raises(InvalidPayload, match=fault):
        Protocol.read(content)
