"""RS, clinical classifications: one row a score at a time point where at least one of its inputs is known.

A score is derived: it does not come back in, it is computed again from what does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.score import ScoreRow
from hepatrail_services.exporters.civil import study_day, written_instant
from hepatrail_services.exporters.common import Frame, flag, frame_of, identifiers
from hepatrail_services.exporters.dataset_json import Dataset, Row, Value, Variable

RS = Dataset(
    "RS",
    "Disease Response and Clin Classification",
    (
        *identifiers("RS"),
        Variable("RSTESTCD", "Assessment Short Name", length=8, key=4),
        Variable("RSTEST", "Assessment Name", length=40),
        Variable("RSCAT", "Category for Assessment", length=20),
        Variable("RSORRES", "Result or Finding in Original Units", length=40),
        Variable("RSSTRESC", "Character Result/Finding in Std Format", length=40),
        Variable("RSSTRESN", "Numeric Result/Finding in Standard Units", "integer"),
        Variable("RSSTAT", "Completion Status", length=8),
        Variable("RSREASND", "Reason Not Done", length=200),
        Variable("RSMETHOD", "Method of Assessment", length=40),
        Variable("RSLOBXFL", "Last Observation Before Exposure Flag", length=1),
        Variable("VISITNUM", "Visit Number", "integer", key=5),
        Variable("VISIT", "Visit Name", length=60),
        Variable("RSDTC", "Date/Time of Assessment", length=23),
        Variable("RSDY", "Study Day of Assessment", "integer"),
        Variable("RSSTATUS", "Status of the Score", length=30),
        Variable("RSUNROUN", "Result before Rounding and Cap", "decimal"),
        Variable("RSBASE", "Baseline Value", "integer"),
        Variable("RSCHG", "Change from Baseline", "integer"),
        Variable("RSSESSFL", "During a Later Session Flag", length=1),
        Variable("RSPTXFL", "After Transplant Flag", length=1),
        Variable("RSPROVFL", "Provisional Flag", length=1),
    ),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A score in SDTM."""

    short: str
    name: str
    category: str


SCALES: Mapping[str, Scale] = {
    "meld_2002": Scale("MELD2002", "MELD (UNOS 2002)", "MELD"),
    "meld_na_2016": Scale("MELDNA16", "MELD-Na (OPTN 2016)", "MELD"),
    "meld_3_0": Scale("MELD30", "MELD 3.0", "MELD"),
    "gcs": Scale("GCSTOT", "Glasgow Coma Scale Total", "GCS"),
    "sofa_1996": Scale("SOFA", "SOFA Total (1996)", "SOFA"),
    "apache_ii_1985": Scale("APACHE2", "APACHE II Total (1985)", "APACHE II"),
}
"""Scores with short names of their own; another algorithm goes out under its own id, cut to 8 characters."""


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The scores of a participant, by score and time point."""
    frame = frame_of(subject, protocol)
    kept = [each for each in subject.scores if each.value is not None or _known(each)]
    return tuple(_row(frame, number, each) for number, each in enumerate(kept, 1))


def _known(score: ScoreRow) -> bool:
    """Whether anything was observed for it: age and sex alone make no assessment."""
    return any(each["value"] is not None and _dated(each) for each in score.inputs)


def _row(frame: Frame, number: int, score: ScoreRow) -> Row:
    scale = SCALES.get(score.score_id) or _own(score.score_id)
    dtc = max(_times(score, frame), default="")
    values: dict[str, Value] = {
        **frame.first("RS", number),
        **frame.visit(score.point),
        "RSTESTCD": scale.short,
        "RSTEST": scale.name,
        "RSCAT": scale.category,
        "RSMETHOD": score.algorithm,
        "RSLOBXFL": flag(score.point == BASELINE and score.value is not None),
        "RSDTC": dtc,
        "RSDY": study_day(dtc, frame.reference),
        "RSSTATUS": score.status,
        "RSUNROUN": score.unrounded,
        "RSBASE": score.baseline,
        "RSCHG": score.change,
        "RSSESSFL": flag(score.during_session),
        "RSPTXFL": flag(score.post_transplant),
        "RSPROVFL": flag(score.provisional),
    }
    return RS.row(values | _result(score))


def _result(score: ScoreRow) -> dict[str, Value]:
    if score.value is None:
        missing = ", ".join([*(each["code"] for each in score.missing), *score.invalid])
        return {"RSSTAT": "NOT DONE", "RSREASND": f"{score.status}: {missing}"[:200]}
    text = str(score.value)
    return {"RSORRES": score.display or text, "RSSTRESC": text, "RSSTRESN": score.value}


def _own(score_id: str) -> Scale:
    return Scale(score_id.upper()[:8], score_id[:40], score_id.upper()[:20])


def _times(score: ScoreRow, frame: Frame) -> Iterator[str]:
    for each in score.inputs:
        if _dated(each):
            yield each["collectedOn"] or written_instant(each["collectedAt"], frame.zone)


def _dated(given: Mapping[str, object]) -> bool:
    return given["collectedAt"] is not None or given["collectedOn"] is not None
