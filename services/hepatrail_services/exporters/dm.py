"""DM, demographics: one row a participant, screen failures and those still in screening included."""

from zoneinfo import ZoneInfo

from hepatrail_events.enrolment import Sex
from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.subject import SubjectRow
from hepatrail_services.exporters.civil import partial, stamp, written_instant
from hepatrail_services.exporters.common import flag, frame_of, identifiers, standing_sessions, yes_no
from hepatrail_services.exporters.dataset_json import Dataset, Row, Value, Variable

SCREEN_FAILURE = "SCREEN FAILURE"
NOT_ASSIGNED = "NOT ASSIGNED"
NOT_TREATED = "ASSIGNED, NOT TREATED"

DM = Dataset(
    "DM",
    "Demographics",
    (
        *identifiers("DM"),
        Variable("SUBJID", "Subject Identifier for the Study", length=40),
        Variable("RFSTDTC", "Subject Reference Start Date/Time", "datetime"),
        Variable("RFENDTC", "Subject Reference End Date/Time", "datetime"),
        Variable("RFXSTDTC", "Date/Time of First Study Treatment", "datetime"),
        Variable("RFXENDTC", "Date/Time of Last Study Treatment", "datetime"),
        Variable("RFICDTC", "Date/Time of Informed Consent", "datetime"),
        Variable("RFPENDTC", "Date/Time of End of Participation", length=23),
        Variable("DTHDTC", "Date/Time of Death", length=23),
        Variable("DTHFL", "Subject Death Flag", length=1),
        Variable("SITEID", "Study Site Identifier", length=40),
        Variable("AGE", "Age", "integer"),
        Variable("AGEU", "Age Units", length=5),
        Variable("SEX", "Sex", length=1),
        Variable("ARMCD", "Planned Arm Code", length=20),
        Variable("ARM", "Description of Planned Arm", length=200),
        Variable("ACTARMCD", "Actual Arm Code", length=20),
        Variable("ACTARM", "Description of Actual Arm", length=200),
        Variable("ARMNRS", "Reason Arm and/or Actual Arm is Null", length=30),
        Variable("COUNTRY", "Country", length=3),
        Variable("DMDTC", "Date/Time of Collection", "date"),
        Variable("INDICATN", "Indication for Treatment", length=20),
        Variable("CHRONHLT", "Severe Chronic Organ Insufficiency", length=1),
        Variable("ADMTYPE", "Admission Type (APACHE II)", length=30),
        Variable("HEIGHTCM", "Height at Enrolment (cm)", "decimal"),
        Variable("HLTHCONS", "Consent to Health Data Processing", length=1),
        Variable("DATAUSFL", "All Use of Data Withdrawn Flag", length=1),
    ),
)

SEXES = {Sex.MALE.value: "M", Sex.FEMALE.value: "F"}


def rows(subject: SubjectRows, protocol: Protocol) -> tuple[Row, ...]:
    """The row of a participant. There is one arm; whoever was not enrolled has none."""
    frame, told = frame_of(subject, protocol), subject.subject
    sessions = standing_sessions(subject)
    ends = [each.ended_at for each in sessions if each.ended_at is not None]
    last = stamp(max(ends, default=None), frame.zone)
    consented = _consented(told, frame.zone)
    values: dict[str, Value] = {
        **frame.first("DM"),
        "SUBJID": told.subject_id,
        "RFSTDTC": frame.reference,
        "RFENDTC": last,
        "RFXSTDTC": frame.reference,
        "RFXENDTC": last,
        "RFICDTC": consented,
        "RFPENDTC": _left(told, frame.zone),
        "DTHDTC": partial(told.death_at, frame.zone),
        "DTHFL": flag(told.death_at is not None),
        "SITEID": told.site_id,
        "AGE": told.age_years,
        "AGEU": None if told.age_years is None else "YEARS",
        "SEX": None if told.sex is None else SEXES[told.sex],
        **_arm(told, protocol, treated=bool(sessions)),
        "DMDTC": consented[:10],
        "INDICATN": told.indication,
        "CHRONHLT": yes_no(told.chronic_health),
        "ADMTYPE": told.admission_type,
        "HEIGHTCM": told.height_cm,
        "HLTHCONS": yes_no(told.health_data_consent),
        "DATAUSFL": flag(told.withdrawal_scope == "ALL_DATA_USE"),
    }
    return (DM.row(values),)


def _consented(told: SubjectRow, zone: ZoneInfo) -> str:
    """The first consent, also after a later version was signed."""
    return written_instant(min((each["givenAt"] for each in told.consents), default=None), zone)


def _left(told: SubjectRow, zone: ZoneInfo) -> str:
    """How far the participation went: to the death, the withdrawal, else the last contact before the loss."""
    if told.death_at is not None:
        return partial(told.death_at, zone)
    if told.withdrawn_at is not None and told.withdrawal_scope != "TREATMENT_ONLY":
        return stamp(told.withdrawn_at, zone)
    return stamp(told.consent_withdrawn_at or told.lost_to_follow_up_since, zone)


def _arm(told: SubjectRow, protocol: Protocol, *, treated: bool) -> dict[str, Value]:
    code, name = protocol.trial.upper()[:20], protocol.trial
    if told.enrolled_at is None:
        return {"ARMNRS": NOT_ASSIGNED if told.screen_failure_reason is None else SCREEN_FAILURE}
    planned: dict[str, Value] = {"ARMCD": code, "ARM": name}
    return planned | ({"ACTARMCD": code, "ACTARM": name} if treated else {"ARMNRS": NOT_TREATED})
