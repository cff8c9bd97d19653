"""The way of a serious adverse event: to sponsor, ethics committee and authorities, and the sponsor's own judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_services.simulation.adverse_events import code, judge
from hepatrail_services.simulation.script import OFFICER, SPONSOR, Script, text

_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Case:
    """A serious event as its reporters treat it.

    `aware`: when the site first knew that it is serious; `causes`: the sponsor's judgement by target; `to`: the
    authorities that get a report beside ethics committee and institution.
    """

    ae_id: UUID
    aware: datetime
    story: str
    causes: Mapping[str, str]
    llt: str
    to: tuple[str, ...] = ()
    within_days: int = field(default=7)


def process_case(script: Script, case: Case) -> None:
    """Everything until the first reports are out; the clocks of `safety.md` 5.2 are kept."""
    aware, ae_id = case.aware, case.ae_id
    told = script.later(aware, 90, 600)
    notification = {"aeId": str(ae_id), "notifiedAt": text(told)}
    script.enter(script.later(told, 10, 60), SPONSOR, "recordSponsorNotification", notification)
    for recipient in ("EC", "INSTITUTION"):
        submit(script, script.later(aware, 300, 1200), ae_id, recipient, "INITIAL")
    judged = script.later(told, _A_DAY, 2 * _A_DAY)
    judge(script, judged, ae_id, case.causes, "Sponsor's assessment of the case", SPONSOR)
    expectedness = {"aeId": str(ae_id), "value": "UNEXPECTED"}
    script.enter(script.later(judged, 10, 60), SPONSOR, "assessExpectedness", expectedness)
    code(script, script.later(judged, 100, 900), ae_id, SPONSOR, case.llt, case.llt[:-1] + "0")
    narrative = {"aeId": str(ae_id), "narrative": case.story, "language": "eng"}
    script.enter(script.later(judged, 1000, 1900), SPONSOR, "writeNarrative", narrative)
    for recipient in case.to:
        sent = script.later(told, 4 * _A_DAY, case.within_days * _A_DAY - 600)
        submit(script, sent, ae_id, recipient, "INITIAL", SPONSOR)


def submit(
    script: Script, at: datetime, ae_id: UUID, recipient: str, kind: str, role: Role = OFFICER, **more: Any
) -> UUID:
    """A report was handed over; returns the id of the submission."""
    values = {"aeId": str(ae_id), "to": recipient, "kind": kind, "submittedAt": text(at), **more}
    return object_id(script.enter(script.later(at, 3, 40), role, "recordSubmission", values), "submission")
