"""What the rules of a first report of an adverse event begin with."""

from builders.participant import consent
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState

OPEN = (consent(),)
"""A participant who consented."""
OTHER_AE = "00000000-0000-4000-8000-00000000bbbb"


def only_event(state: object) -> AdverseEvent:
    """The adverse event, of which there is one."""
    assert isinstance(state, SubjectState)
    (event,) = state.adverse_events.events.values()
    return event
