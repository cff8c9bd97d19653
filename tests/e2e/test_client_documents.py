"""Everything that importer, player and demo ask is a valid question to the schema, inputs included."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, parse, validate
from graphql.execution.values import get_variable_values

from hepatrail_cli.demo_client import COURSE
from hepatrail_cli.demo_officer import ALERTS
from hepatrail_graphql.schema import SCHEMA
from hepatrail_services.importers.api_client import commands_document, mutation_document
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import read_directory
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.trial import with_event_ids

PILOT = Path(__file__).parents[3] / "shared" / "data" / "cdisc_pilot"
ID = "5a1c0e4e-6d55-4b0e-9c39-0f7d2c1b8a10"
SCHEMA_OF_THE_API: GraphQLSchema = SCHEMA._schema


@pytest.mark.parametrize("document", [COURSE, ALERTS, commands_document(25)])
def test_a_document_is_valid(document: str) -> None:
    assert validate(SCHEMA_OF_THE_API, parse(document)) == []


def _check(inputs: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    documents: dict[str, OperationDefinitionNode] = {}
    for mutation, command in inputs:
        if mutation not in documents:
            document = parse(mutation_document(mutation))
            assert validate(SCHEMA_OF_THE_API, document) == []
            (definition,) = document.definitions
            assert isinstance(definition, OperationDefinitionNode)
            documents[mutation] = definition
        definitions = documents[mutation].variable_definitions
        coerced = get_variable_values(SCHEMA_OF_THE_API, definitions or (), {"input": dict(command)})
        assert not isinstance(coerced, list), (mutation, coerced)


def test_every_command_of_a_trial_fits_the_schema() -> None:
    commands = generate_trial(7, 12).commands
    events = {UUID(command.input["commandId"]): [UUID(ID)] for command in commands}
    _check((command.mutation, with_event_ids(command.input, events)) for command in commands)
    _check([("activateSite", {"commandId": ID, "siteId": "BFH", "approvalRef": "EC-1"})])
    _check([("acknowledgeSaeAlert", {"commandId": ID, "alertId": ID, "comment": "Seen"})])


@pytest.mark.skipif(not PILOT.is_dir(), reason="the pilot data are not beside this clone")
def test_every_command_of_the_pilot_import_fits_the_schema() -> None:
    plan = plan_import(read_directory(PILOT), read_mapping())
    steps = [step for unit in plan.units for step in unit.steps]
    _check(
        (step.mutation, {"commandId": ID, **step.input, **({"sessionId": ID} if step.mutation == "endSession" else {})})
        for step in steps
    )
