"""Adverse events of which both assessors say all that they can, and a death of two of them."""

from datetime import timedelta

from clinical_builders import T0
from hepatrail_events.adverse_events import (
    ActionTaken,
    AECausalityAssessed,
    AECoded,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEGradeChanged,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Assessor,
    Causality,
    CausalityStatement,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.assessments import (
    DeathRecordCorrected,
    ParticipantDied,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantStatus,
    VitalStatus,
)
from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.protocol_rules import RsiEntry, RsiVersion
from hepatrail_events.types import PartialDate, Precision
from log_commits import adverse_event
from projection_log import SEALED, LogWriter

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
RSI = RsiVersion(
    version="IB 3", effective_from=T0 - 400 * DAY, entries=(RsiEntry(term="Fever", max_grade=2, life_threatening=True),)
)
"""The reference safety information of the course's protocol."""


def partial(text: str) -> PartialDate:
    """A date as far as its text goes."""
    known = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY, 17: Precision.MINUTE}
    return PartialDate(value=text, precision=known[len(text)])


def fever(log: LogWriter, stream: str, condition: BaselineConditionRecorded) -> AEReported:
    """An event of which both assessors say all that they can, and one that it came back as."""
    log.now = T0 + 8 * DAY
    blamed = CausalityStatement(target=CausalityTarget.DEVICE, value=Causality.PROBABLE)
    reported = adverse_event(
        log,
        stream,
        ctcae_term="Fever",
        onset=partial("2026-03-17"),
        grade=1,
        grade_at=partial("2026-03-17"),
        age_years=63,
        baseline_condition_id=condition.baseline_condition_id,
        onset_before_first_session=False,
        frequency_worsened_at=partial("2026-03-18T01:00Z"),
        causality=(blamed,),
        reporter="treating physician",
        action_taken=ActionTaken.DOSE_REDUCED,
    )
    which = {"ae_id": reported.ae_id}
    expected = {"value": Expectedness.EXPECTED, "rsi_version": RSI.version, "rsi_term": "Fever"}
    coded = {"meddra_version": "29.0", "llt_code": "10037660", "llt_name": "Pyrexia", "pt_code": "10037660"}
    log.commit(stream, AEExpectednessAssessed.model_validate({**which, "ae_version": 2, **expected}), role="SPONSOR")
    log.commit(
        stream, AECoded.model_validate({**which, "ae_version": 3, **coded, "pt_name": "Pyrexia"}), role="SPONSOR"
    )
    log.commit(stream, AEGradeChanged(**which, ae_version=4, to_grade=3, grade_at=partial("2026-03-18T01:30Z")))
    log.commit(
        stream,
        AEUpgradedToSerious(
            **which,
            ae_version=5,
            criteria=(Criterion.HOSPITALISATION,),
            serious_since=partial("2026-03-18"),
            aware_at=log.tick(5),
        ),
    )
    moved = {"added": (Criterion.DISABILITY, Criterion.CONGENITAL), "removed": (Criterion.HOSPITALISATION,)}
    change = {**which, "ae_version": 6, "assessor": Assessor.INVESTIGATOR, **moved, "reason": SEALED}
    log.commit(stream, AESeriousnessCriteriaChanged.model_validate({**change, "aware_at": log.tick(5)}))
    by_sponsor = {
        "criteria": (Criterion.MEDICALLY_IMPORTANT,),
        "serious_since": PartialDate(precision=Precision.UNKNOWN),
        "aware_at": log.tick(5),
    }
    log.commit(stream, AEUpgradedToSerious.model_validate({**which, "ae_version": 7, **by_sponsor}), role="SPONSOR")
    why = {"reason_code": DowngradeReason.CRITERION_MISAPPLIED, "reason_text": SEALED}
    for version, who in ((8, Assessor.SPONSOR), (9, Assessor.INVESTIGATOR)):
        down = AEDowngradedToNonSerious.model_validate({**which, "ae_version": version, "assessor": who, **why})
        log.commit(stream, down, role=who.value)
    for version, who in ((10, Assessor.SPONSOR), (11, Assessor.INVESTIGATOR)):
        judged = {"assessor": who, "target": CausalityTarget.CELL_PRODUCT, "value": Causality.POSSIBLE}
        said = AECausalityAssessed.model_validate({**which, "ae_version": version, **judged, "rationale": SEALED})
        log.commit(stream, said, role=who.value)
    ended = {"outcome": Outcome.RECOVERED, "end_at": partial("2026-03-19")}
    log.commit(stream, AEResolved.model_validate({**which, "ae_version": 12, **ended}))
    log.now = T0 + 20 * DAY
    adverse_event(log, stream, recurrence_of=reported.ae_id)
    return reported


def died(log: LogWriter, stream: str) -> None:
    """A sepsis that becomes fatal, and its cause, a failure of the liver that is reported as fatal from the first."""
    log.now = T0 + 40 * DAY
    sepsis = adverse_event(log, stream, code="SEPSIS", grade=4, criteria=(Criterion.LIFE_THREATENING,))
    log.now, when = T0 + 50 * DAY, partial("2026-04-28")
    which = {"ae_id": sepsis.ae_id}
    death = ParticipantDied(death_at=when, aware_at=log.now - HOUR, primary_cause_ae_id=sepsis.ae_id, autopsy_done=True)
    log.commit(
        stream,
        death,
        AEGradeChanged.model_validate({**which, "ae_version": 2, "to_grade": 5, "grade_at": when}),
        AESeriousnessCriteriaChanged.model_validate(
            {
                **which,
                "ae_version": 3,
                "assessor": Assessor.INVESTIGATOR,
                "added": (Criterion.DEATH,),
                "aware_at": log.now - HOUR,
            }
        ),
        AEResolved.model_validate({**which, "ae_version": 4, "outcome": Outcome.FATAL, "end_at": when}),
    )
    log.tick(60)
    liver = adverse_event(
        log,
        stream,
        code="HEPATIC_FAILURE_WORSENING",
        onset=partial("2026-04-26"),
        criteria=(Criterion.DEATH, Criterion.HOSPITALISATION),
        grade=5,
        grade_at=when,
        outcome=Outcome.FATAL,
        end_at=when,
    )
    log.commit(stream, DeathRecordCorrected(revived=False, primary_cause_ae_id=liver.ae_id, reason=SEALED))
    after = {"assessor": Assessor.INVESTIGATOR, "added": (Criterion.HOSPITALISATION,), "aware_at": log.tick(5)}
    log.commit(stream, AESeriousnessCriteriaChanged.model_validate({**which, "ae_version": 5, **after}))
    status = {"alive": VitalStatus.N, "transplant": TransplantStatus.DONE, "source": SurvivalSource.REGISTRY}
    log.commit(stream, SurvivalStatusRecorded.model_validate({"at": log.tick(5), **status}))
