"""The code lists of the domain as GraphQL enums: the names are the codes themselves.

Everything in this package takes them from here, so that they are registered before any type names one.
"""

from enum import Enum
from typing import Any

import strawberry

from hepatrail_events.adverse_events import (
    ActionTaken,
    AeVoidReason,
    Assessor,
    Causality,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.assessments import (
    Donor,
    SurvivalSource,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.concomitant import ProcedureKind
from hepatrail_events.enrolment import AdmissionType, Indication, Sex
from hepatrail_events.measurements import NotDone, NotTestable, RejectReason
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertType, NotificationChannel, Priority
from hepatrail_events.sessions import AccessVein, Anticoagulant, EndReason, Side
from hepatrail_events.study import HoldAction, HoldRequires, HoldScope
from hepatrail_events.submissions import NarrativeLanguage, Recipient, SubmissionKind
from hepatrail_events.transparency.seal import SealReason
from hepatrail_events.types import Precision
from hepatrail_events.voiding import VoidReason
from hepatrail_graphql.enum_values import MEANINGS
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from hepatrail_services.access_log import Access

ENUMS: tuple[type[Enum], ...] = (
    Access,
    AccessVein,
    ActionTaken,
    AdmissionType,
    AeCode,
    AeVoidReason,
    AlertType,
    Anticoagulant,
    Assessor,
    Causality,
    CausalityTarget,
    ClockStatus,
    ClockType,
    Criterion,
    Donor,
    DowngradeReason,
    EndReason,
    Expectedness,
    HoldAction,
    HoldRequires,
    HoldScope,
    Indication,
    NarrativeLanguage,
    NotDone,
    NotTestable,
    NotificationChannel,
    Outcome,
    Precision,
    Priority,
    ProcedureKind,
    Recipient,
    RejectReason,
    Role,
    SealReason,
    Sex,
    Side,
    SubmissionKind,
    SurvivalSource,
    TransplantStatus,
    VitalStatus,
    VoidReason,
    WithdrawalScope,
    YesNo,
)
"""Written, not discovered. A list whose codes are no GraphQL names, such as `<`, is a scalar instead."""

__all__ = [
    "ENUMS",
    "Access",
    "AccessVein",
    "ActionTaken",
    "AdmissionType",
    "AeCode",
    "AeVoidReason",
    "AlertType",
    "Anticoagulant",
    "Assessor",
    "Causality",
    "CausalityTarget",
    "ClockStatus",
    "ClockType",
    "Criterion",
    "Donor",
    "DowngradeReason",
    "EndReason",
    "Expectedness",
    "HoldAction",
    "HoldRequires",
    "HoldScope",
    "Indication",
    "NarrativeLanguage",
    "NotDone",
    "NotTestable",
    "NotificationChannel",
    "Outcome",
    "Precision",
    "Priority",
    "ProcedureKind",
    "Recipient",
    "RejectReason",
    "Role",
    "SealReason",
    "Sex",
    "Side",
    "SubmissionKind",
    "SurvivalSource",
    "TransplantStatus",
    "VitalStatus",
    "VoidReason",
    "WithdrawalScope",
    "YesNo",
]

for _enum in ENUMS:
    _made: Any = strawberry.enum(_enum, graphql_name_from="value", description=(_enum.__doc__ or "").strip())
    for _code in _made.__strawberry_definition__.values:
        _code.description = MEANINGS[_enum.__name__][_code.name]
