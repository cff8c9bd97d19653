"""What becomes what: the mapping file (TOML) as frozen models. Its comments are in `cdisc_pilot.toml`.

The other form, for a source of whole records, is in `records_mapping`; its comments are in the exporters'
`import_mapping.toml`.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, overload

from pydantic import Field, ValidationError

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
from hepatrail_events.types import CellCount, DecimalText, Grade, Label
from hepatrail_services.importers.mapping_base import CivilTime, MappedTest, Sites, Table, ZoneName
from hepatrail_services.importers.mapping_course import DsMapping, SvMapping, VsMapping
from hepatrail_services.importers.records_mapping import RecordsMapping

SHIPPED = "cdisc_pilot.toml"
_SHIPPED = (SHIPPED, "cdisc_msg.toml", "pbcseq.toml")


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
    tests: Mapping[str, MappedTest]


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
    """The whole file; rows of a domain without a table (VS, SV, DS) are refused, each one."""

    study: Label
    zone: ZoneName
    sites: Sites
    dm: DmMapping
    ex: ExMapping
    lb: LbMapping
    ae: AeMapping
    vs: VsMapping | None = None
    sv: SvMapping | None = None
    ds: DsMapping | None = None


@overload
def read_mapping() -> SdtmMapping: ...
@overload
def read_mapping(path: Path | None) -> SdtmMapping | RecordsMapping: ...
def read_mapping(path: Path | None = None) -> SdtmMapping | RecordsMapping:
    """The mapping in `path`, or the shipped one of that name; StartRefused names the first key at fault.

    A file may begin with `extends`, the name of a shipped mapping: it then holds only what is otherwise. One with
    `form = "records"` is of the other form.
    """
    name = str(path) if path else SHIPPED
    try:
        content = _read(path or Path(SHIPPED))
        return (RecordsMapping if "form" in content else SdtmMapping).model_validate(content)
    except OSError as error:
        raise StartRefused(f"The mapping {name} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(f"The mapping {name} is no TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StartRefused(f"The mapping {name} is wrong at {where}: {first['msg']}.") from None


def _read(path: Path) -> dict[str, Any]:
    shipped = path.parent == Path() and path.name in _SHIPPED and not path.is_file()
    source = files("hepatrail_services.importers").joinpath(path.name) if shipped else path
    content = tomllib.loads(source.read_text(encoding="utf-8"))
    base = content.pop("extends", None)
    if base is None:
        return content
    if base not in _SHIPPED:
        raise StartRefused(f"The mapping {path} extends {base!r}, which is none of {', '.join(_SHIPPED)}.")
    return _over(tomllib.loads(files("hepatrail_services.importers").joinpath(base).read_text("utf-8")), content)


def _over(base: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """The base with what `content` states otherwise, table by table."""
    merged = dict(base)
    for key, value in content.items():
        known = base.get(key)
        merged[key] = _over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged
