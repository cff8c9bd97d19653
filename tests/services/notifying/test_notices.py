"""A notice makes somebody look and says nothing about a participant."""

from hepatrail_events.adverse_events import Criterion
from hepatrail_events.safety_desk import AlertType
from hepatrail_services.notifying.notice import Audience, alert_notice
from notifying_world import DeskOfAlerts, a_notice, alert_fact

IDENTIFYING = {
    "alertId": "6f1d1c1e-0000-4000-8000-00000000a1e7",
    "commitId": "6f1d1c1e-0000-4000-8000-00000000c0de",
    "reporterId": "dr-reporter",
    "subjectId": "PSEUDONYM-7",
    "aeId": "6f1d1c1e-0000-4000-8000-0000000000ae",
    "aeVersion": 424242,
    "code": "HEPATIC_ENCEPHALOPATHY",
    "verbatim": {"kid": "key-of-subject", "cid": "cid", "path": "verbatim", "ct": "c2VhbGVkLXRleHQ="},
    "grade": 4,
    "maxGrade": 5,
    "criteria": [Criterion.HOSPITALISATION.value],
    "onset": {"value": "1999-12-31", "precision": "DAY"},
    "sessionId": "6f1d1c1e-0000-4000-8000-000000005e55",
    "hoursFromSessionStart": "77.25",
    "detail": "subject-PSEUDONYM-7@12: unreadable",
    "changes": [{"field": "outcome", "old": "RECOVERING-PLANTED", "new": "FATAL-PLANTED"}],
    "reasons": ["PLANTED-REASON"],
}
PLANTED = (
    "6f1d1c1e",
    "dr-reporter",
    "PSEUDONYM",
    "424242",
    "ENCEPHALOPATHY",
    "key-of-subject",
    "c2VhbGVkLXRleHQ",
    "HOSPITALISATION",
    "1999",
    "77.25",
    "PLANTED",
)


def test_no_notice_names_a_participant_or_says_what_happened() -> None:
    fact = alert_fact(**IDENTIFYING)
    notice = alert_notice(fact, None, "https://trial.example")
    shown = f"{notice.id} {notice.kind} {notice.title} {notice.text} {dict(notice.data)}"
    assert [each for each in PLANTED if each in shown] == []
    # The guard itself works: the alert holds all of it.
    assert [each for each in PLANTED if each not in fact.raised.model_dump_json(by_alias=True)] == []


def test_a_notice_says_which_alert_how_urgent_from_where_and_where_to_look() -> None:
    notice = a_notice(3, priority="P1", type="SAE_FATAL", siteId="BFH")
    assert notice.title == "[P1] Safety alert 3: SAE_FATAL"
    assert notice.text.splitlines()[0].startswith("Safety alert 3: SAE_FATAL, priority P1, site BFH, raised at 20")
    assert "https://trial.example" in notice.text
    assert (notice.kind, notice.audience) == ("safety.alert.raised", Audience.ALERT)
    assert notice.data == {
        "alertSeq": 3,
        "type": "SAE_FATAL",
        "priority": "P1",
        "siteId": "BFH",
        "level": None,
        "raisedAt": notice.data["raisedAt"],
        "after": "safety-desk@2",
        "link": "https://trial.example",
    }


def test_a_subscription_behind_the_cursor_begins_with_the_alert() -> None:
    desk = DeskOfAlerts()
    first = desk.raise_alert(1)
    desk.escalate(first)
    second = desk.raise_alert(2)
    fact = desk.commons.desk.alerts[second]
    assert (
        alert_notice(fact, None, None).data["after"] == f"safety-desk@{fact.envelope.streamseq - 1}" == "safety-desk@2"
    )


def test_the_notice_of_a_level_says_so_and_goes_to_its_audience() -> None:
    for level, audience in enumerate((Audience.LEVEL_1, Audience.LEVEL_2, Audience.LEVEL_3), 1):
        notice = a_notice(1, level)
        assert notice.title.endswith(f"level {level}: not acknowledged")
        assert f"level {level}" in notice.text
        assert (notice.kind, notice.audience, notice.data["level"]) == ("safety.alert.escalated", audience, level)


def test_an_alert_of_no_site_has_a_notice_too() -> None:
    notice = a_notice(type=AlertType.STOPPING_RULE, siteId=None, subjectId=None, aeId=None)
    assert "site" not in notice.text
    assert notice.data["siteId"] is None


def test_a_repeat_has_the_same_id_and_nothing_else_has() -> None:
    desk = DeskOfAlerts()
    one, two = desk.raise_alert(1), desk.raise_alert(2)
    for each in (one, two):
        desk.escalate(each, 1)
    again = desk.read_anew()
    ids = [[alert_notice(of.commons.desk.alerts[each], level, None).id for each in (one, two) for level in (None, 1)]
           for of in (desk, again)]  # fmt: skip
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4


def test_the_same_alert_in_another_trials_log_has_another_id() -> None:
    # Alert ids may be the same in two trials; a mail server that knows a message id drops the second message.
    here, there = DeskOfAlerts(), DeskOfAlerts()
    there.log.uuid()
    facts = []
    for trial in (here, there):
        alert = trial.raise_alert(1)
        facts.append(trial.commons.desk.alerts[alert])
    assert facts[0].raised.alert_id == facts[1].raised.alert_id
    assert alert_notice(facts[0], None, None).id != alert_notice(facts[1], None, None).id
