"""A protocol that contradicts itself is found out, and the field at fault is named."""

import copy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from hepatrail_events.civil import add_months
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.protocol_checks import Fault, contradictions, examine, render

CONTENT_OF_0_1_0 = (Path(__file__).parent / "protocol_of_0_1_0.json").read_text()
SHIPPED: dict[str, Any] = orjson.loads(shipped_protocol().content())
D7, W2, M6, M12 = 7, 8, 12, 13
FEED = {"score": "sofa_1996", "point": "D3", "selection": "worst_24h"}
RSI: list[dict[str, Any]] = [
    {"version": "IB-1", "effectiveFrom": "2026-01-01T00:00:00Z", "entries": [{"term": "Fever", "maxGrade": 2}]},
    {"version": "IB-2", "effectiveFrom": "2026-06-01T00:00:00Z"},
]


def _with(*path: str | int, value: Any) -> dict[str, Any]:
    """The shipped protocol with another value at a path."""
    changed = copy.deepcopy(SHIPPED)
    inside: Any = changed
    for part in path[:-1]:
        inside = inside[part]
    inside[path[-1]] = value
    return changed


def _fault(document: Any) -> Fault:
    found = examine(document)
    assert isinstance(found, Fault)
    return found


def test_the_shipped_protocol_can_be_followed() -> None:
    assert examine(SHIPPED) == shipped_protocol()
    assert list(contradictions(shipped_protocol())) == []


def test_a_protocol_with_reference_safety_information_can_be_followed() -> None:
    found = examine(_with("rsi", value=RSI))
    assert isinstance(found, Protocol)
    assert [known.version for known in found.rsi] == ["IB-1", "IB-2"]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("siteZone",), "Asia/Atlantis", "no IANA time zone"),
        (("doseTolerance",), "1.5", "less than 1"),
        (("sessionHoursLow",), "9", "at most the upper limit"),
        (("laboratories",), ["BFH-LAB", "BFH-LAB"], "2 times"),
        (("points", 2, "code"), "H24", "2 times"),
        (("points", 0, "code"), "BASE", "whose code is BL"),
        (("points", 3, "code"), "SFU12", "gives itself"),
        (("points", 3, "code"), "S2_H12", "gives itself"),
        (("points", 3, "latestMinutes"), 1300, "in this order"),
        (("points", 3, "daysBefore"), 1, "does not belong to a point of kind instant"),
        (("points", W2, "targetMinutes"), 5, "does not belong to a point of kind date"),
        (("points", W2, "targetMonths"), 1, "one of them"),
        (("points", W2, "targetDays"), 10, "the windows of D7 and W2 can overlap"),
        (("points", M6, "daysAfter"), 60, None),
        (("points", M12, "targetMonths"), 7, "the windows of M6 and M12 can overlap"),
        (("escalation", 1, "priority"), "P1", "2 times"),
        (("escalation",), SHIPPED["escalation"][:2], "P3 is missing"),
        (("escalation", 0, "minutes"), [30, 60, 120, 240], "one to 3 levels"),
        (("escalation", 0, "minutes"), [], "one to 3 levels"),
        (("escalation", 0, "minutes"), [30, 30], "more than 30"),
        (("visits", "items", 3), "ammonium", "no item ammonium"),
        (("visits", "items", 3), "afp", "2 times"),
        (("visits", "auxiliaryItems", 24), "AE", "no item AE"),
        (("visits", "noAbgFrom"), "W3", "no point W3"),
        (("visits", "noAbgInputs", 0), "po2", "no measurement po2"),
        (("scores", "enabled"), ["gcs", "gcs"], "2 times"),
        (("scores", "assumeNormalPoints"), ["M6"], "no effect"),
        (("scores", "barometricPressure"), "101", "500 to 800"),
        (("scores", "crrtModalitiesCountingAsCvvhd"), ["CVVHD", "HD"], "no continuous dialysis"),
        (("scores", "feeds"), [FEED | {"point": "D4"}], "no point D4"),
        (("scores", "feeds"), [FEED, FEED], "2 times"),
        (("scores", "feeds"), [FEED | {"score": "meld_3_0"}], "no worst value of 24 hours"),
        (("scores",), SHIPPED["scores"] | {"enabled": ["gcs"], "feeds": [FEED]}, "is not enabled"),
        (("safety", "relatedSet"), ["DEFINITE", "DEFINITE"], "2 times"),
        (("safety", "regimes"), ["CN_DRUG", "CN_DRUG"], "2 times"),
        (("safety", "stoppingRules", 1, "ruleId"), "SR1", "2 times"),
        (("safety", "stoppingRules", 0, "windowDays"), None, "is needed by the rule SR1"),
        (("safety", "stoppingRules", 0, "gradeGe"), 3, "does not belong to the rule SR1"),
        (("safety", "stoppingRules", 5, "rate"), "1.2", "between 0 and 1"),
        (("safety", "stoppingRules", 5, "prior"), ["0", "1"], "above 0"),
        (("safety", "stoppingRules", 3, "scope"), "TRIAL", "SR4 is one of the scope PARTICIPANT"),
        (("safety", "stoppingRules", 0, "scope"), "PARTICIPANT", "SR1 is one of the scope TRIAL"),
        (("rsi",), [RSI[0], RSI[1] | {"version": "IB-1"}], "2 times"),
        (("rsi",), [RSI[1], RSI[0]], "must be later than that of version IB-2"),
        (("rsi",), [RSI[0] | {"entries": RSI[0]["entries"] * 2}], "2 times"),
        (("endpoints", "confidence"), "95", "between 0 and 1"),
        (("endpoints", "landmarkDays"), [7, 28, 28], "more than 28"),
    ],
)
def test_a_contradiction_is_found_in_the_field_that_holds_it(
    path: tuple[Any, ...], value: Any, why: str | None
) -> None:
    document = _with(*path, value=value)
    if why is None:
        assert isinstance(examine(document), Protocol)
        return
    fault = _fault(document)
    assert why in fault.why
    assert fault.field.startswith(str(path[0]))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (_with("points", W2, "targetDays", value=10), "points[8].targetDays"),
        (_with("points", M12, "targetMonths", value=7), "points[13].targetMonths"),
        (_with("points", 3, "colour", value="red"), "points[3].colour"),
        (_with("points", 3, "kind", value="weekly"), "points[3].kind"),
        (_with("safety", "stoppingRules", 0, "actions", value=[]), "safety.stoppingRules[0].actions"),
        ({name: part for name, part in SHIPPED.items() if name != "title"}, "title"),
        ("CiPS-BAL", ""),
    ],
)
def test_the_field_is_named_as_the_log_names_it(document: Any, field: str) -> None:
    assert _fault(document).field == field


@pytest.mark.parametrize(("days_after", "clash"), [(13, False), (14, True)])
def test_windows_are_compared_over_every_length_of_month(days_after: int, clash: bool) -> None:
    """Five months have at most 153 days, six at least 181; the window of M6 opens 14 days before."""
    m5 = SHIPPED["points"][M6] | {"code": "M5", "targetMonths": 5, "daysBefore": 0, "daysAfter": days_after}
    found = examine(_with("points", value=[*SHIPPED["points"][:M6], m5, *SHIPPED["points"][M6:]]))
    assert isinstance(found, Fault) == clash
    assert not isinstance(found, Fault) or found.why == "the windows of M5 and M6 can overlap"


def test_no_anchor_date_has_two_date_windows_of_the_shipped_protocol_open() -> None:
    dated = [point for point in shipped_protocol().points if point.kind == "date"]
    for offset in range(4 * 366):
        anchor = date(2024, 1, 1) + timedelta(days=offset)
        last = anchor
        for point in dated:
            target = anchor + timedelta(days=point.target_days or 0)
            if point.target_months is not None:
                target = add_months(anchor, point.target_months)
            assert target - timedelta(days=point.days_before) > last
            last = target + timedelta(days=point.days_after)


def test_a_path_reads_as_in_code() -> None:
    assert render(("points", 4, "targetDays")) == "points[4].targetDays"
    assert render(()) == ""


def test_content_of_the_first_release_reads_with_the_defaults_of_the_reference() -> None:
    assert Protocol.read(CONTENT_OF_0_1_0) == examine(orjson.loads(CONTENT_OF_0_1_0)) == shipped_protocol()
    assert shipped_protocol().content() != CONTENT_OF_0_1_0
