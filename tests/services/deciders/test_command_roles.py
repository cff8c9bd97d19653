"""Who sends which command: the Who columns of `events.md` 3.1 to 3.12 and of `safety.md` 4.1, written out."""

import pytest

from builders.adverse_events import FATAL, ae_reported
from builders.commands import command
from builders.ids import AE
from builders.measurements import lab_result, observation
from builders.participant import (
    ae_assessment,
    consent,
    died,
    enrolled,
    lost_to_follow_up,
    session_ended,
    session_paused,
    session_started,
)
from builders.records import baseline_condition, deficiency, medication, procedure, submission
from builders.times import minute
from hepatrail_events.event import Event
from hepatrail_events.roles import Role
from hepatrail_services.deciders.catalogue import COMMANDS
from specification import given

INVESTIGATOR = {"INVESTIGATOR", "PRINCIPAL_INVESTIGATOR"}
SITE = INVESTIGATOR | {"COORDINATOR"}
LABORATORY = INVESTIGATOR | {"LABORATORY"}
ASSESSOR = INVESTIGATOR | {"SPONSOR"}
SUBMITTER = {"SPONSOR", "SAFETY_OFFICER"}
WHO: dict[str, set[str]] = {
    "recordConsent": SITE,
    "recordScreenFailure": SITE,
    "enrolSubject": SITE,
    "withdrawConsent": SITE,
    "startSession": SITE,
    "pauseSession": SITE,
    "resumeSession": SITE,
    "endSession": SITE,
    "correctSession": SITE,
    "voidSession": INVESTIGATOR,
    "recordLabResults": LABORATORY,
    "correctLabResult": LABORATORY,
    "voidLabResult": LABORATORY,
    "confirmImplausible": INVESTIGATOR,
    "reviewLabFinding": INVESTIGATOR,
    "recordObservations": SITE,
    "correctObservation": SITE,
    "voidObservation": INVESTIGATOR,
    "recordAeAssessment": SITE,
    "recordSurvivalStatus": SITE,
    "recordTransplant": SITE,
    "recordDeath": SITE,
    "correctDeathRecord": INVESTIGATOR,
    "withdrawSubject": SITE,
    "recordLossToFollowUp": SITE,
    "recordContactRegained": SITE,
    "correctAssessment": SITE,
    "voidAssessment": INVESTIGATOR,
    "recordMedication": INVESTIGATOR,
    "correctMedication": INVESTIGATOR,
    "voidMedication": INVESTIGATOR,
    "recordProcedure": INVESTIGATOR,
    "correctProcedure": INVESTIGATOR,
    "voidProcedure": INVESTIGATOR,
    "reportAdverseEvent": SITE,
    "followUpAdverseEvent": SITE | {"SPONSOR"},
    "resolveAdverseEvent": INVESTIGATOR,
    "reopenAdverseEvent": INVESTIGATOR,
    "correctAdverseEvent": INVESTIGATOR,
    "codeAdverseEvent": SUBMITTER,
    "changeAdverseEventGrade": INVESTIGATOR,
    "correctAdverseEventGrade": INVESTIGATOR,
    "upgradeAdverseEvent": ASSESSOR,
    "changeSeriousnessCriteria": ASSESSOR,
    "downgradeAdverseEvent": ASSESSOR,
    "assessCausality": ASSESSOR,
    "assessExpectedness": {"SPONSOR"},
    "voidAdverseEvent": INVESTIGATOR,
    "requestAeVoid": INVESTIGATOR,
    "coSignAeVoid": INVESTIGATOR,
    "recordBaselineCondition": INVESTIGATOR,
    "correctBaselineCondition": INVESTIGATOR,
    "voidBaselineCondition": INVESTIGATOR,
    "recordSponsorNotification": {"SPONSOR"},
    "recordSubmission": SUBMITTER,
    "correctSubmission": SUBMITTER,
    "voidSubmission": SUBMITTER,
    "writeNarrative": SUBMITTER,
    "reportDeviceDeficiency": INVESTIGATOR,
    "correctDeviceDeficiency": INVESTIGATOR,
    "voidDeviceDeficiency": INVESTIGATOR,
    "answerQuery": SITE | LABORATORY,
    "closeQuery": {"MONITOR"},
    "acknowledgeSaeAlert": {"SAFETY_OFFICER", "PRINCIPAL_INVESTIGATOR"},
    "placeHold": {"PRINCIPAL_INVESTIGATOR", "SYSTEM"},
    "releaseHold": {"PRINCIPAL_INVESTIGATOR"},
    "activateSite": {"ADMIN"},
    "deactivateSite": {"ADMIN"},
    "withdrawAccess": {"ADMIN"},
    "publishProtocol": {"SPONSOR", "PRINCIPAL_INVESTIGATOR"},
    "publishSealingKey": {"ADMIN", "SYSTEM"},
    "reviewAuditTrail": {"AUDITOR"},
}

OPEN = (consent(), enrolled())
FITTING: dict[str, tuple[Event, ...]] = {
    "recordConsent": (),
    "recordScreenFailure": (consent(),),
    "enrolSubject": (consent(),),
    "withdrawConsent": (consent(),),
    "startSession": OPEN,
    "pauseSession": (*OPEN, session_started()),
    "resumeSession": (*OPEN, session_started(), session_paused(hours=4)),
    "endSession": (*OPEN, session_started()),
    "correctSession": (*OPEN, session_started(), session_ended()),
    "voidSession": (*OPEN, session_started()),
    "recordLabResults": OPEN,
    "correctLabResult": (*OPEN, lab_result(alt=130)),
    "voidLabResult": (*OPEN, lab_result(alt=130)),
    "confirmImplausible": (*OPEN, lab_result("IMPLAUSIBLE", alt=99999999)),
    "reviewLabFinding": (*OPEN, lab_result(alt=130)),
    "recordObservations": OPEN,
    "correctObservation": (*OPEN, observation(map=70)),
    "voidObservation": (*OPEN, observation(map=70)),
    "recordAeAssessment": OPEN,
    "recordSurvivalStatus": OPEN,
    "recordTransplant": OPEN,
    "recordDeath": OPEN,
    "correctDeathRecord": (*OPEN, ae_reported(**FATAL, endAt=minute(days=2)), died(primaryCauseAeId=str(AE))),
    "withdrawSubject": OPEN,
    "recordLossToFollowUp": OPEN,
    "recordContactRegained": (*OPEN, lost_to_follow_up()),
    "correctAssessment": (*OPEN, ae_assessment()),
    "voidAssessment": (*OPEN, ae_assessment()),
    "recordMedication": OPEN,
    "correctMedication": (*OPEN, medication()),
    "voidMedication": (*OPEN, medication()),
    "recordProcedure": OPEN,
    "correctProcedure": (*OPEN, procedure()),
    "voidProcedure": (*OPEN, procedure()),
    "recordBaselineCondition": OPEN,
    "correctBaselineCondition": (*OPEN, baseline_condition()),
    "voidBaselineCondition": (*OPEN, baseline_condition()),
    "recordSponsorNotification": (*OPEN, ae_reported()),
    "recordSubmission": (*OPEN, ae_reported()),
    "correctSubmission": (*OPEN, ae_reported(), submission()),
    "voidSubmission": (*OPEN, ae_reported(), submission()),
    "writeNarrative": (*OPEN, ae_reported()),
    "reportDeviceDeficiency": (*OPEN, session_started()),
    "correctDeviceDeficiency": (*OPEN, session_started(), deficiency()),
    "voidDeviceDeficiency": (*OPEN, session_started(), deficiency()),
    "answerQuery": OPEN,
    "closeQuery": OPEN,
}
"""A history on which the builder's command is accepted from everybody who may send it."""


def test_every_command_has_a_who_column() -> None:
    assert COMMANDS.keys() == WHO.keys()


@pytest.mark.parametrize("name", WHO)
def test_each_role_sends_the_commands_of_its_who_column_and_no_other(name: str) -> None:
    assert WHO[name] == COMMANDS[name].ROLES
    for role in set(Role) - WHO[name]:
        sentence = given(*FITTING.get(name, ())).when(command(name), by=Role(role)).then_rejects(code="FORBIDDEN")
        assert role in sentence


@pytest.mark.parametrize(("name", "role"), [(name, role) for name in FITTING for role in sorted(WHO[name])])
def test_a_role_of_the_who_column_is_heard(name: str, role: str) -> None:
    outcome = given(*FITTING[name]).when(command(name), by=Role(role))
    assert outcome.rejection is None
    assert outcome.events


def test_a_coordinator_voids_nothing_and_judges_nothing() -> None:
    """`events.md` section 2: never causality, criteria downgrade, void, death correction."""
    of_the_coordinator = {name for name, kind in COMMANDS.items() if Role.COORDINATOR in kind.ROLES}
    assert not {name for name in of_the_coordinator if name.startswith("void") or "Void" in name}
    assert of_the_coordinator.isdisjoint({"assessCausality", "downgradeAdverseEvent", "correctDeathRecord"})


@pytest.mark.parametrize(
    ("role", "sends"),
    [(Role.AUDITOR, {"reviewAuditTrail"}), (Role.SYSTEM, {"placeHold", "publishSealingKey"})],
)
def test_who_only_reads_or_runs_the_system_records_nothing_clinical(role: Role, sends: set[str]) -> None:
    assert {name for name, kind in COMMANDS.items() if role in kind.ROLES} == sends
