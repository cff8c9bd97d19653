"""Conditions present before treatment (`events.md` 3.7, `safety.md` section 1)."""

from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.correcting import recorded, with_corrected, with_item, with_voided
from hepatrail_projections.replacing import replace

_WHAT = "baseline condition"


def baseline_condition_recorded(view: SubjectView, event: BaselineConditionRecorded, envelope: Envelope) -> SubjectView:
    """A disease or sign present before T0."""
    conditions = with_item(view.baseline_conditions, event.baseline_condition_id, recorded(event, envelope))
    return replace(view, baseline_conditions=conditions)


def baseline_condition_corrected(
    view: SubjectView, event: BaselineConditionCorrected, envelope: Envelope
) -> SubjectView:
    """One field of a baseline condition has another value."""
    return replace(view, baseline_conditions=with_corrected(view.baseline_conditions, event, envelope, _WHAT))


def baseline_condition_voided(view: SubjectView, event: BaselineConditionVoided, envelope: Envelope) -> SubjectView:
    """The baseline condition feeds nothing from now on."""
    return replace(view, baseline_conditions=with_voided(view.baseline_conditions, event, envelope, _WHAT))
