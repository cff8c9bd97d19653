"""What every code of the domain's code lists means, for the schema: by the name of the list, then by the code.

Sources: `events.md` section 3, `safety.md` sections 2 and 6.1, `labs.csv`; E2B(R3) and CDISC names where there are.
"""

from collections.abc import Mapping

from hepatrail_events.ae_terms import AE_TERMS, AeTerm


def _ae_code(known: AeTerm) -> str:
    term = known.ctcae_term or "the term named in `ctcaeTerm`"
    grades = sorted(known.grades)
    shown = f"{grades[0]} to {grades[-1]}" if len(grades) > 1 else str(grades[0])
    interest = "; of special interest" if known.special_interest else ""
    return f"CTCAE v5.0: {term}, grade {shown}{interest}."


MEANINGS: Mapping[str, Mapping[str, str]] = {
    "AccessVein": {
        "FEMORAL": "Femoral vein.",
        "INTERNAL_JUGULAR": "Internal jugular vein.",
        "SUBCLAVIAN": "Subclavian vein.",
        "OTHER": "Another central vein.",
    },
    "ActionTaken": {
        "NO_CHANGE": "Dose not changed (E2B G.k.8: 4).",
        "SESSION_INTERRUPTED_RESUMED": "The session was interrupted and went on (E2B 4, told in G.k.11).",
        "SESSION_STOPPED_EARLY": "The session was ended early (E2B 1); a later one is a rechallenge.",
        "DOSE_REDUCED": "Fewer cells or hours (E2B 2).",
        "DOSE_INCREASED": "More cells or hours (E2B 3).",
        "TREATMENT_DISCONTINUED": "No further session (E2B 1).",
        "NOT_APPLICABLE": "Treatment had already finished (E2B 9).",
        "UNKNOWN": "Unknown (E2B 0).",
    },
    "AdmissionType": {
        "nonoperative": "Not after an operation.",
        "emergency_postoperative": "After an emergency operation.",
        "elective_postoperative": "After an elective operation.",
    },
    "AeCode": {code: _ae_code(known) for code, known in AE_TERMS.items()},
    "AeVoidReason": {
        "ENTERED_IN_ERROR": "It did not happen, or was entered by mistake.",
        "WRONG_PARTICIPANT": "It belongs to another participant.",
        "DUPLICATE": "It is on record already: `duplicateOf`.",
        "NOT_AN_AE": "It is no adverse event.",
    },
    "AlertType": {
        "SAE_NEW": "An adverse event is serious in its first report.",
        "SAE_UPGRADED": "An adverse event became serious.",
        "SAE_FATAL": "A serious adverse event became fatal.",
        "SAE_LIFE_THREATENING": "A serious adverse event became life-threatening.",
        "SUSAR_QUALIFIED": "A confirmed SUSAR holds for the first time.",
        "SUSAR_DISQUALIFIED": "It is no longer a confirmed SUSAR.",
        "SAE_CHANGED": "Another significant change of a serious adverse event.",
        "SAE_DOWNGRADED": "An adverse event is no longer serious.",
        "SAE_VOIDED": "An adverse event that was ever serious is void.",
        "AESI_SEVERE": "A non-serious event of special interest reached grade 3.",
        "PARTICIPANT_DIED": "The participant died.",
        "DEATH_WITHOUT_AE": "24 h after a death no fatal adverse event is on record (INV-18).",
        "DEVICE_DEFICIENCY": "A device deficiency could have led to a serious adverse device effect.",
        "LAB_GRADE_UNREVIEWED": "A new severe laboratory grade that nobody reviewed (R13).",
        "SUBJECT_UNREADABLE": "An event of the participant cannot be read; later ones wait.",
        "SESSION_UNDER_HOLD": "A session started although a hold was on record.",
        "CLOCK_WARNING": "A reporting clock is about to run out.",
        "CLOCK_BREACH": "A reporting clock ran out unmet.",
        "STOPPING_RULE": "A stopping rule was hit.",
    },
    "Anticoagulant": {
        "HEPARIN": "Heparin.",
        "CITRATE": "Citrate.",
        "NAFAMOSTAT": "Nafamostat.",
        "NONE": "None.",
        "OTHER": "Another one.",
    },
    "Assessor": {"INVESTIGATOR": "The site's investigator.", "SPONSOR": "The sponsor."},
    "Causality": {
        "DEFINITE": "WHO-UMC certain; counts as related.",
        "PROBABLE": "WHO-UMC probable or likely; counts as related.",
        "POSSIBLE": "WHO-UMC possible; counts as related.",
        "NOT_ASSESSABLE": "WHO-UMC conditional or unassessable; counts as related.",
        "UNLIKELY": "WHO-UMC unlikely; counts as not related.",
        "UNRELATED": "Not related.",
    },
    "CausalityTarget": {
        "CELL_PRODUCT": "The hepatocytes.",
        "DEVICE": "Circuit, reactor and their anticoagulation.",
        "PROCEDURE": "The central venous access.",
        "UNDERLYING_DISEASE": "The disease that is treated.",
        "CONCOMITANT": "Concomitant medication or procedures.",
    },
    "ClockStatus": {
        "RUNNING": "The report is not due yet.",
        "MET": "It was made in time.",
        "BREACHED": "It is overdue.",
        "MET_LATE": "It was made too late.",
        "CANCELLED": "What it was for has fallen away.",
    },
    "ClockType": {
        "INV_SAE_24H": "Investigator to sponsor, 24 h after the site knew that the event is serious.",
        "EC_SAE_24H": "Site to ethics committee and institution office, in the same 24 h.",
        "SUSAR_7D": "Fatal or life-threatening SUSAR: initial report to the authority by day 7.",
        "SUSAR_FU_8D": "Its follow-up report, 8 further days.",
        "SUSAR_15D": "Other SUSAR: initial report to the authority by day 15.",
        "SUSAR_FU_15D": "Relevant new information on a submitted SUSAR: follow-up by day 15.",
        "DEV_7D": "Fatal or life-threatening device-related SAE: to the device authorities by day 7.",
        "DEV_15D": "Other device-related SAE: to the device authorities by day 15.",
    },
    "Criterion": {
        "DEATH": "It resulted in death (E2B E.i.3.2a, AESDTH); stands in the investigator's criteria only.",
        "LIFE_THREATENING": "The participant was at risk of death at the time (E.i.3.2b, AESLIFE).",
        "HOSPITALISATION": "Inpatient admission, or prolongation of the present one (E.i.3.2c, AESHOSP).",
        "DISABILITY": "Persistent or significant disability or incapacity (E.i.3.2d, AESDISAB).",
        "CONGENITAL": "Congenital anomaly or birth defect (E.i.3.2e, AESCONG).",
        "MEDICALLY_IMPORTANT": "Important by medical judgement (E.i.3.2f, AESMIE).",
    },
    "Donor": {"DECEASED": "A deceased donor.", "LIVING": "A living donor."},
    "DowngradeReason": {
        "CRITERION_MISAPPLIED": "The criterion had not been met.",
        "NEW_CLINICAL_INFORMATION": "New clinical information.",
        "HOSPITALISATION_WAS_PLANNED": "The hospitalisation had been planned.",
        "DATA_ENTRY_ERROR": "A mistake of entry.",
    },
    "EndReason": {
        "COMPLETED": "As planned.",
        "AE": "An adverse event.",
        "DEVICE": "The device failed.",
        "CLOTTING": "The circuit clotted.",
        "PARTICIPANT": "The participant wished it.",
        "OTHER": "Another reason.",
    },
    "Expectedness": {
        "UNEXPECTED": "Not expected, or not assessed.",
        "EXPECTED": "Expected by the reference safety information in force at onset.",
    },
    "HoldAction": {"HOLD_SESSIONS": "No session may start.", "HOLD_ENROLMENT": "Nobody may be enrolled."},
    "HoldRequires": {
        "DSMB": "Released only with a reference of the data and safety monitoring board.",
        "PI": "Released by the principal investigator.",
    },
    "HoldScope": {"PARTICIPANT": "One participant.", "TRIAL": "The whole trial."},
    "Indication": {"LIVER_FAILURE": "Liver failure.", "SFSS": "Small-for-size syndrome."},
    "NarrativeLanguage": {"zho": "Chinese.", "eng": "English."},
    "NotDone": {
        "NOT_DONE": "Not done.",
        "HEMOLYSED": "The sample was hemolysed.",
        "INSUFFICIENT": "There was too little of the sample.",
        "CLOTTED": "The sample was clotted.",
        "OUTPATIENT_NO_ABG": "No arterial blood gas of an outpatient without oxygen: an accepted waiver.",
        "OTHER": "Another reason.",
    },
    "NotTestable": {
        "INTUBATED": "Intubated.",
        "SEDATED": "Sedated.",
        "LOCAL_FACTOR": "A local factor, such as swollen lids.",
        "PARALYSED": "Paralysed.",
        "OTHER": "Another reason.",
    },
    "NotificationChannel": {
        "EMAIL": "E-mail (SMTP).",
        "WEBHOOK": "A signed HTTP request to a system of the operator's.",
    },
    "Outcome": {
        "RECOVERED": "Recovered; an end date is required (E2B E.i.7: 1).",
        "RECOVERING": "Recovering; has no end date (2).",
        "NOT_RECOVERED": "Not recovered; has no end date (3).",
        "RECOVERED_WITH_SEQUELAE": "Recovered with sequelae; an end date is required (4).",
        "FATAL": "Fatal; it ended with the participant's death (5).",
        "UNKNOWN": "Unknown; has no end date (0).",
    },
    "Precision": {
        "MINUTE": "Known to the minute: `2026-03-10T08:30Z`, UTC.",
        "DAY": "The civil date at the site: `2026-03-10`.",
        "MONTH": "The month: `2026-03`.",
        "YEAR": "The year: `2026`.",
        "UNKNOWN": "Nothing is known; there is no value.",
    },
    "Priority": {"P1": "At once.", "P2": "Within hours.", "P3": "Within days."},
    "ProcedureKind": {
        "HD": "Intermittent hemodialysis.",
        "CVVHD": "Continuous venovenous hemodialysis.",
        "CVVHDF": "Continuous venovenous hemodiafiltration.",
        "CVVH": "Continuous venovenous hemofiltration.",
        "PLASMA_EXCHANGE": "Plasma exchange.",
        "ALBUMIN_DIALYSIS": "Albumin dialysis.",
        "OTHER": "Another procedure.",
    },
    "Recipient": {
        "EC": "The ethics committee.",
        "INSTITUTION": "The institution's office.",
        "NMPA": "The drug authority, NMPA and its CDE.",
        "DEVICE_AUTHORITIES": "The device regulators and the health authority.",
    },
    "RejectReason": {
        "UNKNOWN_CODE": "The list has no such code.",
        "UNIT_MISSING": "There is no unit.",
        "UNIT_UNKNOWN": "The unit is none of the measurement's.",
        "VALUE_NOT_ALLOWED": "The value is none that the measurement can have.",
        "IMPLAUSIBLE": "The value lies outside the plausibility limits; an investigator may confirm it.",
        "TIME_IN_FUTURE": "It would have been collected in the future.",
        "SOURCE_UNKNOWN": "The protocol does not know the laboratory.",
    },
    "Role": {
        "PRINCIPAL_INVESTIGATOR": "The principal investigator: all of INVESTIGATOR, releases holds, acknowledges.",
        "INVESTIGATOR": "An investigator: all clinical commands of the site.",
        "COORDINATOR": "A study coordinator: records; never causality, downgrade, void or death correction.",
        "LABORATORY": "A laboratory: its results; no safety data, no free text.",
        "SAFETY_OFFICER": "A safety officer: acknowledges alerts, submissions, coding.",
        "SPONSOR": "The sponsor: own causality and criteria, expectedness, coding, submissions.",
        "MONITOR": "A monitor: reads, closes queries.",
        "AUDITOR": "An auditor: reads everything.",
        "ADMIN": "An administrator: accounts and sites; no clinical data.",
        "SYSTEM": "A component of the system.",
    },
    "Sex": {"male": "Male.", "female": "Female."},
    "Side": {"LEFT": "Left.", "RIGHT": "Right."},
    "SubmissionKind": {
        "INITIAL": "The first report.",
        "FOLLOW_UP": "A later one, after INITIAL to the same recipient.",
        "NULLIFICATION": "The adverse event is void.",
    },
    "SurvivalSource": {
        "VISIT": "A visit.",
        "PHONE": "A call.",
        "FAMILY": "The family.",
        "RECORD": "A medical record.",
        "REGISTRY": "A registry.",
    },
    "TransplantStatus": {
        "NONE": "Neither listed nor transplanted.",
        "LISTED": "On a waiting list.",
        "DONE": "Transplanted; a transplant is on record.",
    },
    "VitalStatus": {
        "Y": "Alive.",
        "N": "Dead; a death is on record.",
        "UNKNOWN": "Unknown; does not satisfy the time point.",
    },
    "VoidReason": {
        "ENTERED_IN_ERROR": "It was entered by mistake.",
        "WRONG_PARTICIPANT": "It belongs to another participant.",
        "DUPLICATE": "It is on record already.",
    },
    "WithdrawalScope": {
        "TREATMENT_ONLY": "From treatment; follow-up goes on.",
        "FOLLOW_UP": "From treatment and follow-up.",
        "ALL_DATA_USE": "From all, and from any further use of data.",
    },
    "YesNo": {"Y": "Yes.", "N": "No."},
}
"""Every list that the schema has, whole; a test compares."""
