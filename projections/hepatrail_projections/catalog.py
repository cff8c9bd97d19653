"""Every table of a projection, in the order in which they are made."""

from typing import Any

from hepatrail_projections.access_record import ACCESS_RECORD
from hepatrail_projections.alert import ALERT
from hepatrail_projections.audit_review import AUDIT_REVIEW
from hepatrail_projections.checkpoint_seal import CHECKPOINT_SEAL
from hepatrail_projections.decision import DECISION
from hepatrail_projections.derive import SUBJECT_TABLES
from hepatrail_projections.event import EVENT
from hepatrail_projections.log_tile import LOG_TILE
from hepatrail_projections.offset import OFFSET
from hepatrail_projections.quarantine import PARKED_EVENT, QUARANTINE, RELEASE
from hepatrail_projections.sealing_key import SEALING_KEY
from hepatrail_projections.stopping_hit import STOPPING_RULE_HIT
from hepatrail_projections.stream_head import STREAM_HEAD
from hepatrail_projections.study import ACCESS_WITHDRAWN, HOLD, PROTOCOL, SITE
from hepatrail_projections.table import Table

CATALOG: tuple[Table[Any], ...] = (
    EVENT,
    DECISION,
    STREAM_HEAD,
    *SUBJECT_TABLES,
    ALERT,
    STOPPING_RULE_HIT,
    PROTOCOL,
    SITE,
    HOLD,
    ACCESS_WITHDRAWN,
    SEALING_KEY,
    AUDIT_REVIEW,
    LOG_TILE,
    CHECKPOINT_SEAL,
    ACCESS_RECORD,
    QUARANTINE,
    PARKED_EVENT,
    RELEASE,
    OFFSET,
)
