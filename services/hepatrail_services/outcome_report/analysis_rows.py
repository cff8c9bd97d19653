"""The rows that the tables are made of, one a participant and analysis, as CDISC ADaM-shaped Dataset-JSON. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from hepatrail_events.protocol import Protocol
from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import text
from hepatrail_projections.clinical.endpoints.follow_up import End, Ended, overall, transplant_free
from hepatrail_projections.endpoints.change_listing import change_rows
from hepatrail_projections.endpoints.outcomes import Facts
from hepatrail_services.exporters.dataset_json import Dataset, Form, Origin, Row, Value, Variable, written

_WHO = Variable("USUBJID", "Unique Subject Identifier", length=64, key=1)
_EVENTS = Variable("SRCEVID", "Event Ids of the Source", length=4000)

ADTTE = Dataset(
    "ADTTE",
    "Time-to-Event Analysis",
    (
        _WHO,
        Variable("PARAMCD", "Parameter Code", length=8, key=2),
        Variable("PARAM", "Parameter", length=60),
        Variable("AVAL", "Days from T0", "integer"),
        Variable("CNSR", "Censor", "integer"),
        Variable("EVNTDESC", "Event or Censoring Description", length=20),
        _EVENTS,
    ),
)
ADCHG = Dataset(
    "ADCHG",
    "Change from Baseline Analysis",
    (
        _WHO,
        Variable("PARAMCD", "Parameter Code", length=20, key=2),
        Variable("PARAM", "Parameter", length=80),
        Variable("AVISIT", "Analysis Visit", length=60),
        Variable("AVISITC", "Analysis Visit Code", length=20, key=3),
        Variable("AVISITN", "Analysis Visit (N)", "integer"),
        Variable("AVAL", "Analysis Value", "decimal"),
        Variable("AVALC", "Value as Reported, with Qualifier", length=40),
        Variable("AVALU", "Unit", length=20),
        Variable("BASE", "Baseline Value", "decimal"),
        Variable("CHG", "Change from Baseline", "decimal"),
        Variable("PCHG", "Percent Change from Baseline", "decimal"),
        Variable("ADTC", "Date/Time of Collection", length=24),
        Variable("ANALYSES", "Analyses that Use the Row", length=80),
        Variable("FLAGS", "Flags", length=120),
        Variable("REASON", "Why There Is No Value", length=40),
        Variable("REASONC", "Why There Is No Change", length=40),
        Variable("ALGO", "Algorithm", length=40),
        _EVENTS,
    ),
)
ADAE = Dataset(
    "ADAE",
    "Adverse Event Analysis",
    (
        _WHO,
        Variable("AEID", "Adverse Event Identifier", length=36, key=2),
        Variable("AEDECOD", "Preferred Term, or the Trial's Code", length=200),
        Variable("AEBODSYS", "System Organ Class", length=200),
        Variable("AESI", "Group of Special Interest", length=60),
        Variable("TRTEMFL", "Treatment Emergent Flag", length=1),
        Variable("AESER", "Serious", length=1),
        Variable("ATOXGR", "Highest Grade in the Window", "integer"),
        Variable("AREL", "Related as Assessed", length=1),
        Variable("ARELNA", "Not Yet Assessed", length=1),
        Variable("AFATAL", "Fatal", length=1),
        Variable("ASUSAR", "SUSAR", length=1),
        Variable("ASTDT", "First Date of the Onset", length=10),
        Variable("ASTDTL", "Last Date of the Onset", length=10),
        _EVENTS,
    ),
)
ADEX = Dataset(
    "ADEX",
    "Exposure Analysis",
    (
        _WHO,
        Variable("EXSEQ", "Session in the Order of Starts", "integer", key=2),
        Variable("ASTDTM", "Start of the Session", length=24),
        Variable("ADURH", "Hours of Flow", "decimal"),
        Variable("ADURC", "Class of the Duration", length=8),
        Variable("STOPRSN", "Reason of an Early End", length=20),
        Variable("WEIGHT", "Weight (kg)", "decimal"),
        Variable("WTOLDFL", "Weight Too Old Flag", length=1),
        Variable("CELLSKG", "Viable Cells per kg", "decimal"),
        Variable("RATIO", "Ratio to the Protocol's Dose", "decimal"),
        _EVENTS,
    ),
)


def analysis_files(
    facts: Sequence[Facts], protocol: Protocol, as_of: datetime, origin: Origin
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each dataset; the same facts in any order give the same bytes."""
    known = sorted((each for each in facts if each.safety.treated), key=lambda each: each.subject_id)
    makers: Mapping[str, tuple[Dataset, Callable[[], Iterator[Mapping[str, Value]]]]] = {
        "adtte.json": (ADTTE, lambda: _times(known, protocol, as_of)),
        "adchg.json": (ADCHG, lambda: _changes(known, protocol)),
        "adae.json": (ADAE, lambda: _adverse_events(known)),
        "adex.json": (ADEX, lambda: _sessions(known)),
    }
    for name, (dataset, rows) in makers.items():
        made: list[Row] = [dataset.row(each) for each in rows()]
        yield name, written(dataset, made, origin, Form.JSON)


def _times(facts: Sequence[Facts], protocol: Protocol, as_of: datetime) -> Iterator[dict[str, Value]]:
    cut, horizon = local_date(as_of, site_zone(protocol.site_zone)), protocol.endpoints.os_horizon_days
    for each in facts:
        if (of := each.survival.follow_up) is None:
            continue
        yield _time("OS", "Overall survival", overall(of, cut, horizon))
        yield _time("TFS", "Transplant-free survival", transplant_free(of, cut, horizon))


def _time(code: str, name: str, ended: Ended) -> dict[str, Value]:
    return {
        "USUBJID": ended.subject_id,
        "PARAMCD": code,
        "PARAM": name,
        "AVAL": ended.days,
        "CNSR": int(ended.end is End.CENSORED),
        "EVNTDESC": ended.end.value,
        "SRCEVID": _ids(ended.held.event_ids),
    }


def _changes(facts: Sequence[Facts], protocol: Protocol) -> Iterator[dict[str, Value]]:
    for row in change_rows([each.change for each in facts], protocol):
        yield {
            "USUBJID": row.subject_id,
            "PARAMCD": row.parameter,
            "PARAM": row.label,
            "AVISIT": row.point_label,
            "AVISITC": row.point,
            "AVISITN": row.ordinal,
            "AVAL": row.value,
            "AVALC": row.reported,
            "AVALU": row.unit,
            "BASE": row.baseline,
            "CHG": row.change,
            "PCHG": row.percent,
            "ADTC": row.collected,
            "ANALYSES": " ".join(row.analyses),
            "FLAGS": " ".join(row.flags),
            "REASON": row.reason,
            "REASONC": row.change_reason,
            "ALGO": row.algorithm,
            "SRCEVID": _ids((*row.event_ids, *row.baseline_event_ids)),
        }


def _adverse_events(facts: Sequence[Facts]) -> Iterator[dict[str, Value]]:
    for of in facts:
        for each in sorted(of.safety.events, key=lambda event: event.ae_id):
            yield {
                "USUBJID": of.subject_id,
                "AEID": str(each.ae_id),
                "AEDECOD": each.term.label,
                "AEBODSYS": each.system,
                "AESI": each.group,
                "TRTEMFL": _flag(each.teae),
                "AESER": _flag(each.serious),
                "ATOXGR": each.grade,
                "AREL": _flag(each.related),
                "ARELNA": _flag(each.not_assessed),
                "AFATAL": _flag(each.fatal),
                "ASUSAR": _flag(each.susar),
                "ASTDT": None if each.onset_from is None else each.onset_from.isoformat(),
                "ASTDTL": None if each.onset_to is None else each.onset_to.isoformat(),
                "SRCEVID": _ids(each.event_ids),
            }


def _sessions(facts: Sequence[Facts]) -> Iterator[dict[str, Value]]:
    for of in facts:
        for each in of.exposure.sessions:
            yield {
                "USUBJID": of.subject_id,
                "EXSEQ": each.ordinal,
                "ASTDTM": format_instant(each.started_at),
                "ADURH": text(each.hours),
                "ADURC": each.duration_class,
                "STOPRSN": each.stopped_by,
                "WEIGHT": text(each.weight_kg),
                "WTOLDFL": _flag(each.weight_too_old),
                "CELLSKG": text(each.cells_per_kg),
                "RATIO": text(each.ratio),
                "SRCEVID": _ids(each.event_ids),
            }


def _flag(holds: bool) -> str:
    return "Y" if holds else "N"


def _ids(event_ids: Sequence[UUID]) -> str:
    return " ".join(map(str, dict.fromkeys(event_ids)))
