"""All SOFT rules (`events.md` section 3, `safety.md` 4.2) and the radar's, in the order in which they are looked at."""

from hepatrail_projections.queries.adverse_events import INV_15, INV_17, INV_20
from hepatrail_projections.queries.assessments import VIS_06
from hepatrail_projections.queries.bedside import OBS_01, OBS_02
from hepatrail_projections.queries.death import INV_18
from hepatrail_projections.queries.enrolment import ENR_05
from hepatrail_projections.queries.finding import Rule
from hepatrail_projections.queries.notifications import SUB_03
from hepatrail_projections.queries.procedures import CON_02
from hepatrail_projections.queries.radar import RADAR_RULES
from hepatrail_projections.queries.recurrence import INV_19
from hepatrail_projections.queries.results import LAB_02, LAB_04
from hepatrail_projections.queries.samples import LAB_05
from hepatrail_projections.queries.sessions import SES_07

RULES: tuple[Rule, ...] = (
    ENR_05,
    SES_07,
    LAB_02,
    LAB_04,
    LAB_05,
    OBS_01,
    OBS_02,
    VIS_06,
    CON_02,
    SUB_03,
    INV_15,
    INV_17,
    INV_18,
    INV_19,
    INV_20,
    *RADAR_RULES,
)
"""INV-16 is a part of SES-07; the condition of ENR-05 is looked at when queries are read (`enrolment.py`)."""
