"""Who may use which operation: written by hand from the reference, beside what the program says of itself."""

PI, INV, CO, LAB = "PRINCIPAL_INVESTIGATOR", "INVESTIGATOR", "COORDINATOR", "LABORATORY"
SO, SP, MO, AU, AD, SY = "SAFETY_OFFICER", "SPONSOR", "MONITOR", "AUDITOR", "ADMIN", "SYSTEM"
READERS = {PI, INV, CO, SO, SP, MO, AU}
ALL = READERS | {LAB, AD, SY}
INVESTIGATORS = {PI, INV}
SITE = INVESTIGATORS | {CO}


def mutations(roles: set[str], names: str) -> dict[str, set[str]]:
    """The rows of mutations that the same roles may send."""
    return {f"Mutation.{name}": roles for name in names.split()}


MATRIX: dict[str, set[str]] = {
    "Query.subject": READERS | {LAB},
    "Query.subjects": READERS | {LAB},
    "Query.saeAlerts": READERS,
    "Query.escalations": READERS,
    "Query.reportingClocks": READERS,
    "Query.stoppingRuleHits": READERS,
    "Query.safetyFindings": READERS,
    "Query.dataQueries": READERS | {LAB},
    "Query.holds": READERS,
    "Query.command": ALL,
    "Query.events": {AU},
    "Query.auditTrail": READERS,
    "Query.rejectedCommands": {AU},
    "Query.accessLog": {AU},
    "Query.checkpointSeals": {AU},
    "Query.inclusionProof": {AU},
    "Query.consistencyProof": {AU},
    "Query.auditTrailReviews": {AU},
    "Query.endpoints": READERS,
    "Query.protocol": ALL,
    "Subscription.saeAlerts": READERS,
    "Subscription.subjectChanged": READERS | {LAB},
    **mutations(
        SITE,
        "recordConsent recordScreenFailure enrolSubject withdrawConsent startSession pauseSession resumeSession "
        "endSession correctSession recordObservations correctObservation recordAeAssessment recordSurvivalStatus "
        "recordTransplant recordDeath withdrawSubject recordLossToFollowUp recordContactRegained correctAssessment "
        "reportAdverseEvent",
    ),
    **mutations(
        INVESTIGATORS,
        "voidSession confirmImplausible reviewLabFinding voidObservation correctDeathRecord voidAssessment "
        "recordMedication correctMedication voidMedication recordProcedure correctProcedure voidProcedure "
        "changeAdverseEventGrade correctAdverseEventGrade resolveAdverseEvent reopenAdverseEvent "
        "correctAdverseEvent voidAdverseEvent requestAeVoid coSignAeVoid recordBaselineCondition "
        "correctBaselineCondition voidBaselineCondition reportDeviceDeficiency correctDeviceDeficiency "
        "voidDeviceDeficiency",
    ),
    **mutations(INVESTIGATORS | {LAB}, "recordLabResults correctLabResult voidLabResult"),
    **mutations(SITE | {SP}, "followUpAdverseEvent"),
    **mutations(
        INVESTIGATORS | {SP}, "upgradeAdverseEvent changeSeriousnessCriteria downgradeAdverseEvent assessCausality"
    ),
    **mutations({SP}, "assessExpectedness recordSponsorNotification"),
    **mutations({SO, SP}, "codeAdverseEvent recordSubmission correctSubmission voidSubmission writeNarrative"),
    **mutations(SITE | {LAB}, "answerQuery"),
    **mutations({MO}, "closeQuery"),
    **mutations({PI, SO}, "acknowledgeSaeAlert"),
    **mutations({PI, SY}, "placeHold"),
    **mutations({PI}, "releaseHold"),
    **mutations({AD}, "activateSite deactivateSite withdrawAccess"),
    **mutations({PI, SP}, "publishProtocol"),
    **mutations({AD, SY}, "publishSealingKey"),
    **mutations({AU}, "reviewAuditTrail"),
}
"""`events.md`, sections 2 and 3, `safety.md` 4.1 and what the auditor's desk adds, row by row."""


def fields(roles: set[str], names: str) -> dict[str, set[str]]:
    """The rows of fields of a participant that the same roles may read."""
    return {f"Subject.{name}": roles for name in names.split()}


SUBJECT_FIELDS: dict[str, set[str]] = fields(
    READERS,
    "adverseEvents alerts baselineConditions clocks deviceDeficiencies findings narratives sponsorNotifications "
    "submissions",
)
"""Fields of a participant that not everybody reads who sees the participant: a laboratory needs no safety data."""
