"""Whatever the safety desk and the study are told, in whatever order: DSK and STU hold, and nothing else is raised.

Of a participant's stream `test_subject_state_machine.py` says the same.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.commands import command_input
from builders.ids import SUBJECT
from builders.payloads import sealed
from builders.safety_desk import alert_content
from builders.times import NOW
from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected
from hepatrail_events.ids import derived_id, object_id
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    NotificationSent,
    StoppingRuleTriggered,
)
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import HoldPlaced, HoldReleased, ProtocolPublished, SiteActivated, SiteDeactivated
from hepatrail_events.types import format_instant
from hepatrail_services.command import Command, read_command
from hepatrail_services.deciders.catalogue import COMMANDS, INTERNAL_COMMANDS, State, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from specification import READY, By, fold, recorded

IDS = [UUID(int=number) for number in range(1, 5)]
LEVELS = {"P1": (30, 60, 120), "P2": (240, 720, 1200), "P3": (1440, 4320)}
"""Minutes after raisedAt (`safety.md` 6.3)."""
REPORTER = "reporter"
PEOPLE = (REPORTER, "officer", "pi")
Sent = tuple[str, Role, str, dict[str, Any]]
"""Name, role, person and input of a command."""

TO_THE_DESK = st.tuples(
    st.sampled_from(["raise", "raise", "acknowledge", "acknowledge", "escalate", "escalate", "notify", "hit"]),
    st.sampled_from(IDS),
    st.sampled_from(IDS),
    st.sampled_from(PEOPLE),
    st.integers(0, 4),
    st.sampled_from(sorted(LEVELS)),
    st.sampled_from([0, 29, 31, 240, 1500]),
)
TO_THE_STUDY = st.tuples(
    st.sampled_from(["hold", "hold", "rule's hold", "release", "release", "site", "close", "protocol", "access"]),
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from(["HOLD_SESSIONS", "HOLD_ENROLMENT"]),
    st.sampled_from([0, 1, 60 * 24]),
)


def _decided(stream: str, sent: Sequence[Sent], minutes: Sequence[int]) -> Iterator[tuple[By, State]]:
    """What a stream's decider makes of the commands: each event with the state after it."""
    state = initial_state(stream)
    study = fold(STUDY, READY)
    now, version = NOW, 0
    for number, ((name, role, who, body), later) in enumerate(zip(sent, minutes, strict=True)):
        now += timedelta(minutes=later)
        kind: type[Command] = COMMANDS.get(name) or INTERNAL_COMMANDS[name]
        before = state
        try:
            command = read_command(kind, body | {"commandId": str(uuid5(UUID(int=0), str(number)))})
            context = Context(now, Actor(id=who, role=role, org="BFH", sites=("*",)), command.command_id, now)
            known = state if isinstance(state, StudyState) else study
            assert isinstance(known, StudyState)
            events = decide(state, known, command, context)
        except CommandRejected as rejection:
            assert rejection.message.endswith((".", ")"))
            assert state == before
            continue
        for event in events:
            version += 1
            fact = By(event, role, now, who)
            state = evolve(state, recorded(stream, version, fact))
            yield fact, state


def _to_the_desk(drawn: Any) -> Sent:
    what, alert_id, ae_id, who, number, priority, _ = drawn
    alert = {"alertId": str(alert_id)}
    match what:
        case "raise":
            content = alert_content(**alert, aeId=str(ae_id), priority=priority, raisedAt=format_instant(NOW))
            return "raiseAlert", Role.SYSTEM, "system", {"alert": content.payload()}
        case "acknowledge":
            return "acknowledgeSaeAlert", Role.SAFETY_OFFICER, who, alert
        case "escalate":
            return "escalateAlert", Role.SYSTEM, "system", alert | {"level": number, "late": False}
        case "notify":
            return "recordNotification", Role.SYSTEM, "system", alert | {"channel": "EMAIL", "attempt": number}
        case _:
            given = {"scopeId": SUBJECT, "commitId": str(ae_id), "studyseq": 0, "actions": ["HOLD_SESSIONS"]}
            of_hit = alert_content(type="STOPPING_RULE", priority="P1", aeId=str(ae_id))
            body = given | {"ruleId": f"SR{number}", "alert": of_hit.payload()}
            return "triggerStoppingRule", Role.SYSTEM, "system", body


@settings(deadline=None, max_examples=150)
@given(st.lists(TO_THE_DESK, max_size=40))
def test_dsk_01_dsk_02_and_dsk_03_hold_after_any_sequence(drawn: list[Any]) -> None:
    facts = list(_decided(SAFETY_DESK, [_to_the_desk(one) for one in drawn], [one[-1] for one in drawn]))
    raised: dict[UUID, AlertRaised] = {}
    last_of_ae: dict[UUID | None, UUID] = {}
    seen: list[tuple[UUID, str, datetime]] = []
    once: list[tuple[object, ...]] = []
    for fact, _ in facts:
        match fact.event:
            case AlertRaised() as alert:
                assert alert.alert_id not in raised, "DSK-01"
                assert alert.alert_seq == len(raised) + 1, "DSK-01: without a gap"
                assert alert.previous_alert_id == last_of_ae.get(alert.ae_id)
                raised[alert.alert_id] = last = alert
                last_of_ae[last.ae_id] = last.alert_id
            case AlertAcknowledged() as acknowledged:
                assert acknowledged.alert_id in raised, "DSK-02"
                assert (acknowledged.by, acknowledged.at) == (fact.who, fact.recorded_at)
                once.append((acknowledged.alert_id, acknowledged.by))
                seen.append((acknowledged.alert_id, acknowledged.by, fact.recorded_at))
            case AlertEscalated() as escalated:
                once.append((escalated.alert_id, escalated.level))
                alert = raised[escalated.alert_id]
                due = alert.raised_at + timedelta(minutes=LEVELS[alert.priority][escalated.level - 1])
                stopping = [when for of, by, when in seen if of == alert.alert_id and by != REPORTER]
                assert all(when > due for when in stopping), "DSK-03"
            case NotificationSent() as sent:
                assert sent.alert_id in raised, "DSK-02"
                once.append((sent.alert_id, sent.channel, sent.level))
            case StoppingRuleTriggered() as hit:
                once.append((hit.rule_id, hit.scope_id))
    assert len(once) == len(set(once)), "DSK-01, DSK-02: what is known yields no event"
    if facts:
        assert fold(SAFETY_DESK, [fact for fact, _ in facts]) == facts[-1][1]


def _to_the_study(drawn: Any) -> Sent:
    what, number, flag, action, _ = drawn
    hold_id = str(uuid5(IDS[0], f"{number}|hold"))
    match what:
        case "hold" | "rule's hold":
            of_one = {"scope": "PARTICIPANT", "subjectId": SUBJECT, "reason": sealed()} if flag else {}
            of_a_rule = {"hitId": str(IDS[number % 4])} if what != "hold" else {}
            requires = {"requires": "DSMB" if number % 2 else "PI"}
            body = command_input("placeHold", action=action, **of_one, **of_a_rule, **requires)
            return "placeHold", Role.SYSTEM if of_a_rule else Role.PRINCIPAL_INVESTIGATOR, "pi", body
        case "release":
            reference = {"dsmbReference": "DSMB-3"} if flag else {}
            return "releaseHold", Role.PRINCIPAL_INVESTIGATOR, "pi", {"holdId": hold_id, "reason": "seen"} | reference
        case "site" | "close":
            name = "activateSite" if what == "site" else "deactivateSite"
            return name, Role.ADMIN, "admin", command_input(name)
        case "protocol":
            content = shipped_protocol().model_copy(update={"planned_n": 12 + number // 2}).content()
            effective = format_instant(NOW + timedelta(days=number - 1))
            body = command_input("publishProtocol", version=f"{number}.0", content=content, effectiveAt=effective)
            return "publishProtocol", Role.SPONSOR, "sponsor", body
        case _:
            return "withdrawAccess", Role.ADMIN, "admin", command_input("withdrawAccess")


@settings(deadline=None, max_examples=150)
@given(st.lists(TO_THE_STUDY, max_size=40))
def test_stu_01_stu_02_and_stu_03_hold_after_any_sequence(drawn: list[Any]) -> None:
    sent = [_to_the_study(one) for one in drawn]
    placed: dict[UUID, HoldPlaced] = {}
    in_force: set[UUID] = set()
    active = False
    published: list[tuple[datetime, str, str]] = []
    facts: list[By] = []
    state: State = initial_state(STUDY)
    for fact, state in _decided(STUDY, _aimed(sent), [one[-1] for one in drawn]):
        facts.append(fact)
        assert isinstance(state, StudyState)
        match fact.event:
            case HoldPlaced() as hold:
                assert hold.hold_id not in placed, "STU-02"
                placed[hold.hold_id] = hold
                in_force.add(hold.hold_id)
            case HoldReleased() as released:
                assert released.hold_id in in_force, "STU-01"
                assert placed[released.hold_id].requires != "DSMB" or released.dsmb_reference, "STU-01"
                in_force.remove(released.hold_id)
            case SiteActivated():
                active = True
            case SiteDeactivated():
                assert active
                active = False
            case ProtocolPublished() as version:
                assert version.version not in [name for _, name, _ in published], "STU-03"
                assert version.hash not in [known for _, _, known in published], "STU-03"
                published.append((max(version.effective_at, fact.recorded_at), version.version, version.hash))
        assert state.holds.keys() == in_force
        for moment in (fact.recorded_at, fact.recorded_at + timedelta(days=9)):
            effective = [(since, number) for number, (since, _, _) in enumerate(published) if since <= moment]
            found = state.protocol_at(moment)
            assert (found.version if found else None) == (published[max(effective)[1]][1] if effective else None)
    assert fold(STUDY, facts) == state


def _aimed(sent: Sequence[Sent]) -> list[Sent]:
    """The same, where each release is of a hold that was placed before it, if any was."""
    found: list[Sent] = []
    holds: list[str] = []
    for number, (name, role, who, body) in enumerate(sent):
        if name == "placeHold":
            command_id = uuid5(UUID(int=0), str(number))
            hit, action = body.get("hitId"), body["action"]
            holds.append(str(derived_id(UUID(hit), action) if hit else object_id(command_id, "hold")))
        aimed = {"holdId": holds[(number * 7) % len(holds)]} if name == "releaseHold" and holds else {}
        found.append((name, role, who, body | aimed))
    return found
