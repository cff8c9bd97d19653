"""FA, findings about adverse events: grades, criteria and causality as they were said, one after the other.

AE is an event as it stands; here is its course. A row that the first report said bears FAREPFL; the criteria of an
assessor are all that hold from then on. A death that was taken back leaves no trace: its grade is gone by correction,
and so is its criterion here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hepatrail_events.adverse_events import Assessor, Criterion
from hepatrail_events.protocol import Protocol
from hepatrail_projections.adverse_event import AdverseEventRow
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters.ae_terms import CAUSALITIES, stated_term
from hepatrail_services.exporters.civil import partial, written_instant
from hepatrail_services.exporters.common import Frame, flag, frame_of, identifiers, known_events
from hepatrail_services.exporters.dataset_json import Dataset, Row, Value, Variable

FA = Dataset(
    "FA",
    "Findings About Adverse Events",
    (
        *identifiers("FA"),
        Variable("FAAESEQ", "Sequence Number of the Adverse Event", "integer", key=4),
        Variable("FATESTCD", "Findings About Test Short Name", length=8, key=5),
        Variable("FATEST", "Findings About Test Name", length=40),
        Variable("FAOBJ", "Object of the Observation", length=200),
        Variable("FASCAT", "Subcategory for Findings About", length=20),
        Variable("FAORRES", "Result or Finding in Original Units", length=100),
        Variable("FAEVAL", "Evaluator", length=20),
        Variable("FADTC", "Date/Time of Collection", length=19),
        Variable("FAREPFL", "Said by the First Report Flag", length=1),
        Variable("FAAWRDTC", "Date/Time of Awareness", "datetime"),
        Variable("FADOWNCD", "Reason of a Downgrade", length=40),
    ),
)

GRADE, CRITERIA, CAUSALITY = "TOXGR", "SERCRIT", "CAUSAL"
_TESTS: Mapping[str, str] = {
    GRADE: "Severity Grade",
    CRITERIA: "Seriousness Criteria from Then on",
    CAUSALITY: "Causality",
}
JOINED = "; "


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The findings about the adverse events of a participant, event by event and test by test."""
    frame = frame_of(subject, protocol)
    found = [
        {"FAAESEQ": of_event, "FAOBJ": stated_term(event.code, event.ctcae_term), **said}
        for of_event, event in enumerate(known_events(subject), 1)
        for said in _course(event, frame)
    ]
    return tuple(FA.row({**frame.first("FA", number), **each}) for number, each in enumerate(found, 1))


def _course(event: AdverseEventRow, frame: Frame) -> Iterator[dict[str, Value]]:
    first = str(event.event_ids[0])
    for point in event.grades:
        # A grade without a time holds since onset.
        since = partial(point["gradeAt"] or event.onset, frame.zone)
        yield _finding(GRADE, str(point["grade"]), Assessor.INVESTIGATOR, since, first == point["eventId"])
    for change, criteria in criteria_of(event.criteria_history):
        yield {
            **_finding(
                CRITERIA,
                JOINED.join(criteria),
                change["assessor"],
                partial(change["since"], frame.zone),
                first == change["eventId"],
            ),
            "FAAWRDTC": written_instant(change["awareAt"], frame.zone),
            "FADOWNCD": change["reasonCode"],
        }
    for judged in event.causality:
        said = _finding(CAUSALITY, CAUSALITIES[judged["value"]], judged["assessor"], "", first == judged["eventId"])
        yield said | {"FASCAT": judged["target"]}


def _finding(test: str, result: str, by: str, at: str, reported: bool) -> dict[str, Value]:
    return {
        "FATESTCD": test,
        "FATEST": _TESTS[test],
        "FAORRES": result,
        "FAEVAL": by,
        "FADTC": at,
        "FAREPFL": flag(reported),
    }


def criteria_of(history: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """The changes of an assessor's criteria; DEATH only from where it still holds, in the order of ICH E2A."""
    lasting = [
        number for number, each in enumerate(history) if _of_site(each) and Criterion.DEATH not in each["criteria"]
    ]
    held: dict[str, tuple[str, ...]] = {}
    for number, each in enumerate(history):
        taken_back = bool(lasting) and number <= lasting[-1]
        criteria = tuple(
            one.value for one in Criterion if one in each["criteria"] and not (one is Criterion.DEATH and taken_back)
        )
        if criteria != held.get(each["assessor"], ()):
            held[each["assessor"]] = criteria
            yield each, criteria


def _of_site(change: Mapping[str, Any]) -> bool:
    return bool(change["assessor"] == Assessor.INVESTIGATOR)
