"""Who may do what to an adverse event (`safety.md` 4.1 "Who", `events.md` section 2)."""

import pytest

from builders.adverse_events import FATAL, ae_reported, ae_upgraded, ae_void_requested
from builders.commands import command
from builders.ids import AE
from builders.participant import consent, died
from builders.times import minute
from hepatrail_events.roles import Role
from hepatrail_services.deciders.catalogue import COMMANDS
from specification import By, given

PI, INV, CO = Role.PRINCIPAL_INVESTIGATOR, Role.INVESTIGATOR, Role.COORDINATOR
SPO, SAF = Role.SPONSOR, Role.SAFETY_OFFICER
WHO = {
    "reportAdverseEvent": {PI, INV, CO},
    "followUpAdverseEvent": {PI, INV, CO, SPO},
    "changeAdverseEventGrade": {PI, INV},
    "correctAdverseEventGrade": {PI, INV},
    "assessCausality": {PI, INV, SPO},
    "assessExpectedness": {SPO},
    "upgradeAdverseEvent": {PI, INV, SPO},
    "changeSeriousnessCriteria": {PI, INV, SPO},
    "downgradeAdverseEvent": {PI, INV, SPO},
    "resolveAdverseEvent": {PI, INV},
    "reopenAdverseEvent": {PI, INV},
    "correctAdverseEvent": {PI, INV},
    "codeAdverseEvent": {SAF, SPO},
    "voidAdverseEvent": {PI, INV},
    "requestAeVoid": {PI, INV},
    "coSignAeVoid": {PI, INV},
    "recordDeath": {PI, INV, CO},
    "correctDeathRecord": {PI, INV},
}
OPEN = (consent(), ae_reported())
SERIOUS = (*OPEN, By(ae_upgraded("HOSPITALISATION", "DISABILITY")), By(ae_upgraded(version=3), SPO))
HISTORIES = {
    "reopenAdverseEvent": (consent(), ae_reported(outcome="RECOVERED", endAt=minute(days=4))),
    "changeSeriousnessCriteria": SERIOUS,
    "downgradeAdverseEvent": SERIOUS,
    "requestAeVoid": SERIOUS,
    "coSignAeVoid": (*SERIOUS, ae_void_requested(version=4)),
    "correctDeathRecord": (
        consent(),
        ae_reported(**FATAL, endAt=minute(days=2)),
        died(primaryCauseAeId=str(AE)),
    ),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", WHO)
def test_each_command_is_accepted_from_the_roles_that_the_reference_names_and_from_no_other(
    name: str, role: Role
) -> None:
    outcome = given(*HISTORIES.get(name, OPEN)).when(command(name), by=role, who="u-2")
    if role in WHO[name]:
        assert outcome.rejection is None, outcome.rejection
        assert outcome.events
    else:
        outcome.then_rejects(code="FORBIDDEN")


def test_the_table_names_every_command_about_an_adverse_event() -> None:
    of_adverse_events = {name for name in COMMANDS if "AdverseEvent" in name or "AeVoid" in name}
    assert of_adverse_events <= WHO.keys()
