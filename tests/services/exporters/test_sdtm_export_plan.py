"""What the importer makes of an export: the mapping that comes along, and the commands of its plan."""

from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values

from hepatrail_events.adverse_events import Causality, Outcome
from hepatrail_events.assessments import VitalStatus, WithdrawalScope
from hepatrail_events.catalogue import catalogue
from hepatrail_events.enrolment import Sex
from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_graphql.schema import SCHEMA
from hepatrail_services.exporters import import_mapping
from hepatrail_services.exporters.dataset_json import Form
from hepatrail_services.exporters.domains import DOMAINS
from hepatrail_services.exporters.measurement_terms import TERMS
from hepatrail_services.importers.api_client import mutation_document
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.plan import Made, Plan
from hepatrail_services.importers.records_mapping import RecordsMapping
from hepatrail_services.importers.source import read_directory
from sdtm_export_back import planned
from sdtm_export_course import DIED, END, FAILED, LOST, SCREENED, TREATED, course
from sdtm_export_rows import Tables, exported, files_of, rows_at, source_of, streams_of
from sdtm_export_whole import LEAVING, WHOLE

ID = "5a1c0e4e-6d55-4b0e-9c39-0f7d2c1b8a10"


@cache
def _course() -> tuple[Tables, Protocol]:
    subjects, protocol = rows_at(streams_of(course().records), END)
    return exported(subjects, protocol), protocol


def _inputs(plan: Plan, mutation: str, subject_id: str = TREATED) -> list[dict[str, Any]]:
    steps = chain.from_iterable(unit.steps for unit in plan.units if unit.subject_id == subject_id)
    return [dict(step.input) for step in steps if step.mutation == mutation]


def test_every_code_has_a_name_of_its_own_that_sdtm_allows() -> None:
    assert set(TERMS) == set(catalogue())
    shorts = [term.short for term in TERMS.values()]
    assert len(set(shorts)) == len(shorts)
    assert [
        each for each in shorts if not (each.isascii() and each.isalnum() and each.isupper() and len(each) <= 8)
    ] == []
    assert [term.name for term in TERMS.values() if len(term.name) > 40] == []


def test_the_mapping_turns_every_value_of_the_export_round(tmp_path: Path) -> None:
    path = tmp_path / import_mapping.FILE
    path.write_text(import_mapping.import_mapping(shipped_protocol(), ["BFH", "A-1", "BFH"]), encoding="utf-8")
    mapping = read_mapping(path)
    assert isinstance(mapping, RecordsMapping)
    assert (mapping.study, mapping.zone, mapping.sites.ids) == ("CiPS-BAL", "Asia/Shanghai", ("A-1", "BFH"))
    assert set(mapping.domains) == {each.dataset.name for each in DOMAINS} - {"RS"}
    for measured in (mapping.lb, mapping.vs):
        assert {test.code: short for short, test in measured.tests.items()} == {
            code: term.short for code, term in TERMS.items()
        }
    for name, values in {
        "outcomes": Outcome,
        "causalities": Causality,
        "statuses": VitalStatus,
        "scopes": WithdrawalScope,
        "sexes": Sex,
    }.items():
        assert set(mapping.values[name].values()) == set(values)


@pytest.mark.parametrize("form", Form)
def test_the_importer_reads_the_files_as_the_rows_that_were_exported(tmp_path: Path, form: Form) -> None:
    tables, protocol = _course()
    for name, content in files_of(tables, form).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / import_mapping.FILE).write_text(import_mapping.import_mapping(protocol, ["BFH"]), encoding="utf-8")
    mapping = read_mapping(tmp_path / import_mapping.FILE)
    assert isinstance(mapping, RecordsMapping)
    source = read_directory(tmp_path, domains=mapping.domains)
    assert source.rows == source_of(tables).rows
    assert source.ignored == (import_mapping.FILE, f"rs.{form}")


def test_every_command_fits_the_schema_of_the_api() -> None:
    schema, sent = SCHEMA._schema, set()
    for unit in planned(*_course()).units:
        for step in unit.steps:
            (definition,) = parse(mutation_document(step.mutation)).definitions
            assert isinstance(definition, OperationDefinitionNode)
            stated = {"input": {"commandId": ID, **_identified(dict(step.input))}}
            coerced = get_variable_values(schema, definition.variable_definitions or (), stated)
            assert not isinstance(coerced, list), (step, coerced)
            sent.add(step.mutation)
    assert len(sent) == 31


def _identified(value: Any) -> Any:
    """The input with some id wherever one will be filled in."""
    match value:
        case Made():
            return ID
        case dict():
            return {name: _identified(each) for name, each in value.items()}
        case list():
            return [_identified(each) for each in value]
        case _:
            return value


def test_consent_enrolment_and_sessions_come_back_in_their_order_and_to_the_millisecond() -> None:
    plan = planned(*_course())
    first, second = _inputs(plan, "recordConsent", WHOLE)
    assert (first["version"], first["healthDataConsent"], first["siteId"]) == ("0.9", False, "A-2")
    assert (second["version"], second["healthDataConsent"]) == ("1", True)
    [enrolment] = _inputs(plan, "enrolSubject", WHOLE)
    assert (enrolment["indication"], enrolment["heightCm"], enrolment["sex"]) == ("SFSS", "171", "male")
    assert _inputs(plan, "enrolSubject", FAILED) == _inputs(plan, "enrolSubject", SCREENED) == []
    assert len(_inputs(plan, "recordScreenFailure", FAILED)) == 1
    [session] = [unit for unit in plan.units if unit.subject_id == WHOLE and unit.rows[0].domain == "EX"]
    assert [step.mutation for step in session.steps] == [
        "startSession",
        *("pauseSession", "resumeSession") * 2,
        "endSession",
    ]
    [sample, _] = _inputs(plan, "recordLabResults", WHOLE)[:2]
    assert sample["collectedAt"] == "2026-03-10T01:00:00.250Z"
    assert (sample["sourceMessageId"], sample["preSession"], sample["visitCode"]) == ("M-17", True, "BL")


def test_results_come_back_sample_by_sample_as_they_were_reported() -> None:
    samples = _inputs(planned(*_course()), "recordLabResults")
    assert [(each["collectedAt"], len(each["results"])) for each in samples] == [
        ("2026-03-09T02:00:00.000Z", 5),
        ("2026-03-09T01:59:18.000Z", 1),
        ("2026-03-17", 2),
        ("2026-03-17", 1),
    ]
    assert samples[0]["results"] == [
        {"code": "tbil", "value": "0.2", "comparator": "<", "unit": "mg/dL", "low": "0.2", "high": "1.2"},
        {"code": "creatinine", "value": "88", "unit": "umol/L"},
        {"code": "ALT", "value": "31", "unit": "U/L"},  # not alt: nobody knew the code, and nobody does now
        {"code": "ast", "value": "31", "unit": "parsec"},
        {"code": "inr", "notDone": "HEMOLYSED"},
    ]


def test_an_adverse_event_comes_back_as_it_was_first_reported_then_step_by_step() -> None:
    plan = planned(*_course())
    fever = _inputs(plan, "reportAdverseEvent", WHOLE)[0]
    assert (fever["grade"], "criteria" in fever, fever["ageYears"]) == (1, False, 63)
    assert fever["causality"] == [{"target": "DEVICE", "value": "PROBABLE"}]
    assert fever["baselineConditionId"] == Made("MH", f"{WHOLE}|1", "baselineCondition")
    about = [
        step for unit in plan.units for step in unit.steps if step.input.get("aeId") == Made("AE", f"{WHOLE}|1", "ae")
    ]
    assert [(step.mutation, step.by) for step in about] == [
        ("codeAdverseEvent", Role.SPONSOR),
        ("assessExpectedness", Role.SPONSOR),
        ("changeAdverseEventGrade", None),
        ("upgradeAdverseEvent", None),
        ("changeSeriousnessCriteria", None),
        ("upgradeAdverseEvent", Role.SPONSOR),
        ("downgradeAdverseEvent", Role.SPONSOR),
        ("downgradeAdverseEvent", None),
        ("assessCausality", Role.SPONSOR),
        ("assessCausality", None),
    ]


def test_a_death_comes_back_with_what_it_made_fatal_and_a_cause_that_was_fatal_from_the_first() -> None:
    plan = planned(*_course())
    [death] = _inputs(plan, "recordDeath", WHOLE)
    sepsis = Made("AE", f"{WHOLE}|3", "ae")
    assert (death["autopsyDone"], death["awareAt"]) == (True, "2026-04-29T01:00:00.000Z")
    assert (death["primaryCauseAeId"], death["fatalAes"]) == (sepsis, [{"aeId": sepsis}])
    liver = _inputs(plan, "reportAdverseEvent", WHOLE)[-1]
    assert liver["death"] == {"deathAt": {"value": "2026-04-28", "precision": "DAY"}, "primaryCause": True}
    [alone] = _inputs(plan, "recordDeath", DIED)
    assert (alone["deathAt"], "fatalAes" in alone) == ({"value": "2026-04-08", "precision": "DAY"}, False)


def test_withdrawals_come_back_with_their_scope_and_contact_in_the_order_of_the_log() -> None:
    plan = planned(*_course())
    scopes = [(each["scope"], each["vitalStatusAllowed"]) for each in _inputs(plan, "withdrawSubject", LEAVING)]
    assert scopes == [("TREATMENT_ONLY", False), ("FOLLOW_UP", True), ("ALL_DATA_USE", False)]
    [consent] = _inputs(plan, "withdrawConsent", LEAVING)
    assert consent["scope"] == "ALL_DATA_USE"
    of_lost = [step.mutation for unit in plan.units if unit.subject_id == LOST for step in unit.steps]
    assert of_lost == [
        "enrolSubject",
        "recordConsent",
        "recordLossToFollowUp",
        "recordContactRegained",
        "withdrawSubject",
        "recordLossToFollowUp",
    ]
