"""Device deficiencies that could have led to a serious event (`safety.md` 6.1, DEVICE_DEFICIENCY)."""

from collections.abc import Iterator

from hepatrail_events.device_deficiencies import DeviceDeficiencyReported
from hepatrail_events.safety_desk import AlertContent, AlertType, Priority
from hepatrail_projections.corrections import Record
from hepatrail_projections.facts import SubjectView
from hepatrail_services.safety.changes import differences, truth
from hepatrail_services.safety.content import Heading, Occasion, participant_content
from hepatrail_services.safety.identity import deficiency_alert


def deficiency_alerts(before: SubjectView, occasion: Occasion) -> Iterator[AlertContent]:
    """One P2 alert for each of which the commit says so, be it reported or corrected; none of a void one."""
    for deficiency_id, record in occasion.view.deficiencies.items():
        earlier = before.deficiencies.get(deficiency_id)
        if _grave(record) and not (earlier is not None and _grave(earlier)):
            yield _alert(occasion, earlier, record.fact)


def _grave(record: Record[DeviceDeficiencyReported]) -> bool:
    return record.voided is None and record.fact.could_have_led_to_sade


def _alert(
    occasion: Occasion, earlier: Record[DeviceDeficiencyReported] | None, fact: DeviceDeficiencyReported
) -> AlertContent:
    old, new = (truth(each.could_have_led_to_sade) for each in (fact if earlier is None else earlier.fact, fact))
    linked = "" if fact.linked_ae_id is None else f", linked to the adverse event {fact.linked_ae_id}"
    heading = Heading(
        deficiency_alert(fact.deficiency_id, occasion.commit_id),
        AlertType.DEVICE_DEFICIENCY,
        Priority.P2,
        changes=differences({"couldHaveLedToSADE": old}, {"couldHaveLedToSADE": new}),
        detail=f"Device deficiency {fact.deficiency_id}, lot {fact.lot}{linked}.",
    )
    return participant_content(occasion, heading, session_id=fact.session_id)
