"""The fields of an input have the very names of the command's fields, capitals of the reference included."""

import strawberry
from strawberry.types.base import get_object_definition

from hepatrail_events.device_deficiencies import DeviceDeficiencyReported
from hepatrail_graphql.inputs import input_type, to_raw
from hepatrail_services.deciders.catalogue import COMMANDS


def _names(kind: object) -> set[str]:
    definition = get_object_definition(kind)
    assert definition is not None
    return {str(field.graphql_name) for field in definition.fields}


def test_every_input_has_the_names_that_its_command_takes() -> None:
    for kind in COMMANDS.values():
        assert _names(input_type(kind)) == {str(field.alias) for field in kind.model_fields.values()}


def test_a_name_with_capitals_of_its_own_arrives_as_the_command_takes_it() -> None:
    made = input_type(DeviceDeficiencyReported)
    given = {field.python_name: strawberry.UNSET for field in made.__strawberry_definition__.fields}
    assert "couldHaveLedToSADE" in _names(made)
    assert to_raw(made(**given | {"could_have_led_to_sade": False})) == {"couldHaveLedToSADE": False}
