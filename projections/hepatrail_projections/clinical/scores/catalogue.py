"""The scores of the trial, and their options as a protocol version sets them (`scores.md` sections 0.6, 12)."""

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.scores.apache_ii import APACHE_II_1985
from hepatrail_projections.clinical.scores.common import Options, Score
from hepatrail_projections.clinical.scores.gcs import GCS
from hepatrail_projections.clinical.scores.meld import MELD_2002
from hepatrail_projections.clinical.scores.meld_3_0 import MELD_3_0
from hepatrail_projections.clinical.scores.meld_na import MELD_NA_2016
from hepatrail_projections.clinical.scores.sofa import SOFA_1996

SCORES: Mapping[str, Score] = MappingProxyType(
    {score.score_id: score for score in (MELD_2002, MELD_NA_2016, MELD_3_0, GCS, SOFA_1996, APACHE_II_1985)}
)
"""Every score by its id, the trial's primary one first. `sofa_2_2025` is optional, off, and not built."""


def options_of(protocol: Protocol) -> Options:
    """The options of a protocol version, as they hold at every time point but for `assume_normal_points`."""
    rules = protocol.scores
    return Options(
        missing_policy=rules.missing_policy,
        sofa_unit_mode=rules.sofa_unit_mode,
        hfnc_counts_as_support=rules.hfnc_counts_as_support,
        rrt_scores_4=rules.rrt_scores_4,
        verbal_nt_policy=rules.verbal_nt_policy,
        barometric_pressure=Fraction(rules.barometric_pressure),
        meld3_cap=None if rules.meld3_cap == "none" else int(rules.meld3_cap),
    )
