"""Baseline conditions: the latest version, with what was recorded first (`events.md` 3.7, `safety.md` section 1)."""

from uuid import UUID

import pytest

from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.codec import read
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.types import SealedText
from hepatrail_events.voiding import VoidReason
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.baseline_condition import baseline_condition_rows
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.subject_view import fold_all
from projection_log import SEALED, LogWriter

S = "S-1"
STREAM = f"subject-{S}"
MENDED = SealedText(kid="k", cid="c2", path="newText", ct="BBBB")
CONDITION = UUID("00000000-0000-4000-8000-00000000bc01")


def condition_view(*events: Event) -> SubjectView:
    log = LogWriter(5)
    recorded = BaselineConditionRecorded(
        baseline_condition_id=CONDITION, code="OTHER", ctcae_term="Ascites", verbatim=SEALED, grade=2
    )
    for event in (recorded, *events):
        log.commit(STREAM, event)
    return fold_all(S, [read(each.value or b"") for each in log.records if each.topic == EVENTS])


def test_a_baseline_condition_is_shown_in_its_latest_version() -> None:
    (row,) = baseline_condition_rows(
        condition_view(
            BaselineConditionCorrected(id=CONDITION, field="grade", old_value="2", new_value="3", reason=SEALED),
            BaselineConditionCorrected(id=CONDITION, field="onset", new_value="2025-11", reason=SEALED),
            BaselineConditionCorrected(id=CONDITION, field="verbatim", new_text=MENDED, reason=SEALED),
        )
    )
    assert (row.subject_id, row.baseline_condition_id, row.code, row.ctcae_term) == (S, CONDITION, "OTHER", "Ascites")
    assert (row.grade, row.onset) == (3, {"value": "2025-11", "precision": "MONTH"})
    assert (row.verbatim, row.voided) == (MENDED.payload(), False)
    assert [each["oldValue"] for each in row.corrections] == ["2", None, None]


def test_a_void_baseline_condition_stays_readable() -> None:
    reason = VoidReason.ENTERED_IN_ERROR
    (row,) = baseline_condition_rows(
        condition_view(BaselineConditionVoided(id=CONDITION, reason_code=reason, reason_text=SEALED))
    )
    assert (row.voided, row.void_reason_code, row.voided_by, row.grade) == (True, "ENTERED_IN_ERROR", "dr-li", 2)


def test_a_correction_of_an_unknown_baseline_condition_cannot_be_folded() -> None:
    unknown = UUID(int=9, version=4)
    with pytest.raises(InvalidPayload, match="no baseline condition"):
        condition_view(BaselineConditionCorrected(id=unknown, field="grade", new_value="3", reason=SEALED))
