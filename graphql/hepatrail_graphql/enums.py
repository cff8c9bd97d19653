"""The code lists of the domain as GraphQL enums: the names are the codes themselves.

Everything in this package takes them from here, so that they are registered before any type names one.
"""

from enum import Enum

import strawberry

from hepatrail_events.adverse_events import ActionTaken, Causality, CausalityTarget, Criterion, Outcome
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.assessments import WithdrawalScope
from hepatrail_events.enrolment import AdmissionType, Indication, Sex
from hepatrail_events.measurements import NotDone, NotTestable, RejectReason
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertType, Priority
from hepatrail_events.sessions import AccessVein, Anticoagulant, EndReason, Side
from hepatrail_events.study import HoldAction, HoldRequires, HoldScope
from hepatrail_events.types import Precision
from hepatrail_events.voiding import VoidReason

ENUMS: tuple[type[Enum], ...] = (
    AccessVein,
    ActionTaken,
    AdmissionType,
    AeCode,
    AlertType,
    Anticoagulant,
    Causality,
    CausalityTarget,
    Criterion,
    EndReason,
    HoldAction,
    HoldRequires,
    HoldScope,
    Indication,
    NotDone,
    NotTestable,
    Outcome,
    Precision,
    Priority,
    RejectReason,
    Role,
    Sex,
    Side,
    VoidReason,
    WithdrawalScope,
)
"""Written, not discovered. A list whose codes are no GraphQL names, such as `<`, is a scalar instead."""

__all__ = [
    "ENUMS",
    "AccessVein",
    "ActionTaken",
    "AdmissionType",
    "AeCode",
    "AlertType",
    "Anticoagulant",
    "Causality",
    "CausalityTarget",
    "Criterion",
    "EndReason",
    "HoldAction",
    "HoldRequires",
    "HoldScope",
    "Indication",
    "NotDone",
    "NotTestable",
    "Outcome",
    "Precision",
    "Priority",
    "RejectReason",
    "Role",
    "Sex",
    "Side",
    "VoidReason",
    "WithdrawalScope",
]

for _enum in ENUMS:
    strawberry.enum(_enum, graphql_name_from="value", description=(_enum.__doc__ or "").strip())
