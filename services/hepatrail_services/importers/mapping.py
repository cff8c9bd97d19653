"""What becomes what: the mapping file (TOML) as frozen models. Its comments are in `cdisc_pilot.toml`."""

import tomllib
from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hepatrail_events.adverse_events import (
    ActionTaken,
    Causality,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Outcome,
)
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.enrolment import AdmissionType, Indication, Sex
from hepatrail_events.errors import StartRefused
from hepatrail_events.sessions import AccessVein, EndReason, Side
from hepatrail_events.types import CellCount, Code, DecimalText, Grade, Label, SiteId
from hepatrail_services.importers.source import Source

SHIPPED = "cdisc_pilot.toml"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is no IANA time zone") from None
    return name


def _clock(text: str) -> str:
    time.fromisoformat(text)
    return text


ZoneName = Annotated[str, AfterValidator(_zone)]
CivilTime = Annotated[str, Field(pattern=r"^\d\d:\d\d$"), AfterValidator(_clock)]


class Table(BaseModel):
    """A table of the mapping file: frozen, an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sites(Table):
    """Sites that the import may activate."""

    activate: bool = False
    ids: tuple[SiteId, ...] = ()
    approval_ref: Label


class Marker(Table):
    """A row is marked when `column` holds `value`."""

    column: str
    value: str


class DmStandIn(Table):
    """What consent and enrolment need and DM lacks."""

    consent_time: CivilTime
    consent_version: Label
    health_data_consent: bool
    screen_failure_reason: str
    indication: Indication
    chronic_health: bool
    admission_type: AdmissionType
    death_aware_time: CivilTime


class DmMapping(Table):
    """Demographics: one subject a row."""

    subject: str
    site: str
    consent_date: str
    sex: str
    sexes: Mapping[str, Sex]
    age: str
    age_unit: str
    death_date: str
    screen_failure: Marker
    stand_in: DmStandIn


class ExStandIn(Table):
    """What a session needs and EX lacks."""

    start_time: CivilTime
    duration_hours: Annotated[int, Field(ge=1, le=24)]
    access_vein: AccessVein
    side: Side
    device_lot: Label
    cell_batch: Label
    batch_release_ref: Label
    viability_percent: DecimalText
    weight_kg: DecimalText
    viable_cells: CellCount
    end_reason: EndReason


class ExMapping(Table):
    """Exposure: the first row of a subject stands for the first session."""

    subject: str
    sequence: str
    start: str
    stand_in: ExStandIn


class LbStandIn(Table):
    """What a sample needs and LB lacks."""

    laboratory: Label


class LbTest(Table):
    """A test code of the source: its code here, the category it must have, its own unit names."""

    code: Code
    category: str | None = None
    units: Mapping[str, str] = Field(default_factory=dict)


class LbMapping(Table):
    """Laboratory: all rows of one subject, collection time and visit are one sample."""

    subject: str
    sequence: str
    collected_at: str
    visit: str
    test: str
    category: str
    value: str
    unit: str
    low: str
    high: str
    status: str
    stand_in: LbStandIn
    units: Mapping[str, str]
    tests: Mapping[str, LbTest]


class EndOfOngoing(StrEnum):
    """What becomes of an end date beside an outcome that says that the event goes on (INV-07)."""

    LEAVE_OUT = "LEAVE_OUT"
    """The outcome counts: the event stays open."""
    RECOVERED = "RECOVERED"
    """The end date counts: the outcome is RECOVERED."""


class AeStandIn(Table):
    """What a report needs and AE lacks, or says in two ways."""

    code: AeCode
    end_of_ongoing: EndOfOngoing = EndOfOngoing.LEAVE_OUT
    aware_time: CivilTime
    target: CausalityTarget
    reporter: Label


class AeReports(Table):
    """A file with one row a report: `file` without its ending, `event` the column that tells events apart."""

    file: str
    event: str
    downgrade_reason: DowngradeReason


class AeMapping(Table):
    """Adverse events: one row one report, seriousness from the criteria columns only."""

    subject: str
    sequence: str
    verbatim: str
    term: str
    onset: str
    end: str
    reported: str
    severity: str
    grades: Mapping[str, Grade]
    outcome: str
    action: str
    causality: str
    serious_flag: str
    outcomes: Mapping[str, Outcome]
    actions: Mapping[str, ActionTaken]
    causalities: Mapping[str, Causality]
    criteria: Mapping[str, Criterion]
    no_criterion: Mapping[str, str]
    codes: Mapping[str, AeCode]
    stand_in: AeStandIn
    reports: AeReports | None = None


class SdtmMapping(Table):
    """The whole file."""

    study: Label
    zone: ZoneName
    sites: Sites
    dm: DmMapping
    ex: ExMapping
    lb: LbMapping
    ae: AeMapping


def read_mapping(path: Path | None = None) -> SdtmMapping:
    """The mapping in `path`, by default the shipped one; StartRefused names the first key at fault."""
    name = str(path) if path else SHIPPED
    try:
        text = (path or files("hepatrail_services.importers").joinpath(SHIPPED)).read_text(encoding="utf-8")
        return SdtmMapping.model_validate(tomllib.loads(text))
    except OSError as error:
        raise StartRefused(f"The mapping {name} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(f"The mapping {name} is no TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StartRefused(f"The mapping {name} is wrong at {where}: {first['msg']}.") from None


def check_columns(source: Source, mapping: SdtmMapping, reports: AeReports | None = None) -> None:
    """StartRefused when a domain lacks a column that the mapping names (LBSTAT and AEACN may be absent)."""
    dm, ex, lb, ae = mapping.dm, mapping.ex, mapping.lb, mapping.ae
    needed = {
        "DM": {dm.subject, dm.site, dm.consent_date, dm.sex, dm.age, dm.death_date, dm.screen_failure.column},
        "EX": {ex.subject, ex.sequence, ex.start},
        "LB": {lb.subject, lb.sequence, lb.collected_at, lb.visit, lb.test, lb.value, lb.unit, lb.low, lb.high},
        "AE": {ae.subject, ae.sequence, ae.verbatim, ae.onset, ae.end, ae.reported, ae.severity, ae.outcome}
        | {ae.causality, *ae.criteria, *((reports.event,) if reports else ())},
    }
    for domain, columns in needed.items():
        rows = source.rows[domain]
        missing = sorted(columns - rows[0].values.keys()) if rows and rows[0].whole else []
        if missing:
            raise StartRefused(f"{domain} has no column {', '.join(missing)}: mend the mapping or the file.")
