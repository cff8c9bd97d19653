"""The rules of the study stream (`events.md` 3.12)."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from builders.commands import command
from builders.ids import HOLD, SITE
from builders.payloads import a_sealed, sealed
from builders.study import hold_placed, protocol_published, site_activated
from builders.times import NOW, at, iso
from hepatrail_events.errors import CommandRejected
from hepatrail_events.ids import derived_id, object_id
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY
from hepatrail_events.study import (
    AccessWithdrawn,
    AuditTrailReviewed,
    HoldPlaced,
    HoldReleased,
    ProtocolPublished,
    SealingKeyPublished,
    SiteActivated,
    SiteDeactivated,
)
from hepatrail_services.deciders.study_state import Release, StudyState
from specification import READY, By, fold, given

CONTENT = shipped_protocol().content()


def _content(**changes: Any) -> str:
    return json.dumps(json.loads(CONTENT) | changes)


def test_the_first_protocol_is_published_on_an_empty_study() -> None:
    event = given().when(command("publishProtocol")).then_one(ProtocolPublished)
    assert event.payload() == {
        "version": "1.0",
        "content": CONTENT,
        "hash": content_hash(CONTENT),
        "approvedBy": "steering committee",
        "reason": "first version",
        "effectiveAt": iso(hours=1),
    }


def test_version_and_content_are_new() -> None:
    history = given(*READY)
    history.when(command("publishProtocol", content=_content(plannedN=24))).then_rejects("STU-03", field="version")
    history.when(command("publishProtocol", version="2.0")).then_rejects("STU-03", field="content")
    history.when(command("publishProtocol", version="2.0", content=_content(plannedN=24))).then_accepts(
        ProtocolPublished
    )


def test_the_content_is_published_in_canonical_form() -> None:
    spaced = json.dumps(json.loads(CONTENT), indent=2)
    event = given().when(command("publishProtocol", content=spaced)).then_one(ProtocolPublished)
    assert event.payload()["content"] == CONTENT
    given(*READY).when(command("publishProtocol", version="2.0", content=spaced)).then_rejects("STU-03")


def _point(**changes: Any) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = json.loads(CONTENT)["points"]
    return [*points[:-1], points[-1] | changes]


_SHORT = {name: part for name, part in json.loads(CONTENT).items() if name not in {"visits", "scores", "safety"}}
_LONG = json.dumps(_SHORT | {"laboratories": [f"{number:0190}" for number in range(1_018)]}, separators=(",", ":"))
"""Short enough as it is sent, too long with all defaults."""


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("{", ""),
        ("[]", ""),
        ("{}", ".trial"),
        (_content(unknown=1), ".unknown"),
        (_content(plannedN=1.5), ".plannedN"),
        (_content(plannedN=2**60), ""),
        (_content(siteZone="Asia/Atlantis"), ".siteZone"),
        (_content(siteZone="../etc"), ".siteZone"),
        (_content(points=_point(code="BL")), ".points[13].code"),
        (_content(points=_point(targetMonths=6)), ".points[13].targetMonths"),
        (_content(points=_point(targetMonths=None)), ".points[13].targetDays"),
        (_content(points=_point(kind="instant")), ".points[13].daysAfter"),
        (_content(points=_point(daysBefore=60, targetMonths=7)), ".points[12].targetMonths"),
        (_LONG, ""),
    ],
)
def test_a_protocol_that_cannot_be_followed_is_not_published(content: str, field: str) -> None:
    given().when(command("publishProtocol", content=content)).then_rejects(code="SHAPE", field=f"content{field}")


def test_what_a_protocol_leaves_to_the_defaults_is_published_with_them() -> None:
    event = given().when(command("publishProtocol", content=json.dumps(_SHORT))).then_one(ProtocolPublished)
    assert event.payload()["content"] == CONTENT


def _study(*facts: Any) -> StudyState:
    state = fold(STUDY, facts)
    assert isinstance(state, StudyState)
    return state


def _version_at(state: StudyState, moment: Any) -> str | None:
    known = state.protocol_at(moment)
    return known.version if known else None


def test_a_version_takes_effect_at_the_later_of_its_time_and_its_record() -> None:
    first = protocol_published("1.0")
    second = protocol_published("2.0", planned_n=24).model_copy(update={"effective_at": NOW + timedelta(days=7)})
    state = _study(first, second)
    assert state.published
    assert _version_at(state, at(seconds=1)) is None, "effective for a year, recorded now"
    assert _version_at(state, NOW) == "1.0"
    assert _version_at(state, NOW + timedelta(days=7)) == "2.0"
    in_force = state.protocol_at(NOW + timedelta(days=7))
    assert in_force is not None
    assert in_force.protocol.planned_n == 24


def test_of_two_versions_that_take_effect_together_the_later_published_counts() -> None:
    assert _version_at(_study(protocol_published("1.0"), protocol_published("2.0", planned_n=24)), NOW) == "2.0"


def test_an_earlier_publication_may_take_effect_after_a_later_one() -> None:
    far = protocol_published("1.0").model_copy(update={"effective_at": NOW + timedelta(days=9)})
    state = _study(far, protocol_published("2.0", planned_n=24))
    assert _version_at(state, NOW) == "2.0"
    assert _version_at(state, NOW + timedelta(days=9)) == "1.0"


def test_a_site_is_activated_and_deactivated() -> None:
    given().when(command("activateSite")).then(SiteActivated(site_id=SITE, approval_ref="EC-2026-11"))
    given(*READY).when(command("deactivateSite")).then(SiteDeactivated(site_id=SITE, reason="recruitment closed"))
    given(protocol_published()).when(command("deactivateSite")).then_rejects(field="siteId")


def test_an_active_site_with_the_same_approval_changes_nothing() -> None:
    given(site_activated()).when(command("activateSite")).then()
    given(site_activated()).when(command("activateSite", approvalRef="EC-2026-12")).then_accepts(SiteActivated)


def test_a_deactivated_site_may_be_activated_again() -> None:
    closed = SiteDeactivated(site_id=SITE, reason="closed")
    given(site_activated(), closed).when(command("activateSite")).then_accepts(SiteActivated)


def test_a_hold_of_the_trial_keeps_its_reason_plain() -> None:
    asked = command("placeHold")
    event = given(*READY).when(asked).then_one(HoldPlaced)
    assert event.payload() == {
        "holdId": str(object_id(asked.command_id, "hold")),
        "action": "HOLD_SESSIONS",
        "scope": "TRIAL",
        "requires": "PI",
        "reason": "see minutes",
    }


def test_a_hold_of_a_participant_seals_its_reason() -> None:
    asked = command("placeHold", scope="PARTICIPANT", subjectId="S-001", reason=sealed())
    event = given(*READY).when(asked).then_one(HoldPlaced)
    assert isinstance(event, HoldPlaced)
    assert (event.subject_id, event.reason) == ("S-001", a_sealed())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scope": "PARTICIPANT"}, "subjectId"),
        ({"subjectId": "S-001"}, "subjectId"),
        ({"scope": "PARTICIPANT", "subjectId": "S-001"}, "reason"),
        ({"reason": sealed()}, "reason"),
    ],
    ids=str,
)
def test_scope_participant_and_seal_belong_together(changes: dict[str, Any], field: str) -> None:
    given(*READY).when(command("placeHold", **changes)).then_rejects(code="SHAPE", field=field)


def test_the_hold_of_a_rule_is_known_by_its_hit() -> None:
    hit = uuid4()
    asked = command("placeHold", hitId=str(hit), ruleId="SR4")
    event = given(*READY).when(asked, by=Role.SYSTEM).then_one(HoldPlaced)
    assert isinstance(event, HoldPlaced)
    assert event.hold_id == derived_id(hit, "HOLD_SESSIONS")
    again = command("placeHold", hitId=str(hit), reason="another wording")
    given(*READY, event).when(again, by=Role.SYSTEM).then()
    released = HoldReleased(hold_id=event.hold_id, by="pi", reason="reviewed")
    given(*READY, event, released).when(again, by=Role.SYSTEM).then()


def test_the_reason_of_a_rules_hold_is_plain_and_names_the_rule_only() -> None:
    of_one = {"hitId": str(uuid4()), "ruleId": "SR4", "scope": "PARTICIPANT", "subjectId": "S-001"}
    asked = command("placeHold", **of_one, reason="The stopping rule SR4 was hit.")
    event = given(*READY).when(asked, by=Role.SYSTEM).then_one(HoldPlaced)
    assert event.payload()["reason"] == "The stopping rule SR4 was hit."
    for wording in ("The stopping rule SR3 was hit.", "anaphylaxis in the second hour"):
        other = command("placeHold", **of_one, reason=wording)
        given(*READY).when(other, by=Role.SYSTEM).then_rejects(code="SHAPE", field="reason")
    given(*READY).when(command("placeHold", **of_one, reason=sealed()), by=Role.SYSTEM).then_accepts(HoldPlaced)
    by_hand = command("placeHold", **{**of_one, "hitId": None}, reason="The stopping rule SR4 was hit.")
    given(*READY).when(by_hand).then_rejects(code="SHAPE", field="reason")


def test_a_released_hold_is_remembered_with_its_place_and_moment() -> None:
    released = HoldReleased(hold_id=HOLD, by="pi", reason="reviewed")
    state = _study(*READY, hold_placed(), By(released, recorded_at=at(hours=1)))
    assert HOLD not in state.holds
    assert state.released == {HOLD: Release(4, at(hours=1))}


@pytest.mark.parametrize(
    ("studyseq", "minutes", "after"), [(3, 60, False), (3, 59, True), (4, 60, True), (4, 61, True), (3, 61, False)]
)
def test_what_knew_of_a_release_or_was_said_later_came_after_it(studyseq: int, minutes: int, after: bool) -> None:
    assert Release(4, at(hours=1)).precedes(studyseq, at(minutes=minutes)) is after


def test_a_person_states_no_hit() -> None:
    asked = command("placeHold", hitId=str(uuid4()))
    given(*READY).when(asked, by=Role.PRINCIPAL_INVESTIGATOR).then_rejects(code="FORBIDDEN", field="hitId")


def test_a_hold_in_force_is_released_once() -> None:
    released = HoldReleased(hold_id=HOLD, by="pi", reason="reviewed")
    given(*READY, hold_placed()).when(command("releaseHold"), who="pi").then(released)
    given(*READY, hold_placed(), released).when(command("releaseHold")).then_rejects("STU-01", field="holdId")
    given(*READY).when(command("releaseHold")).then_rejects("STU-01", field="holdId")


def test_a_hold_that_requires_the_dsmb_is_released_with_its_reference() -> None:
    history = given(*READY, hold_placed(requires="DSMB"))
    history.when(command("releaseHold")).then_rejects("STU-01", field="dsmbReference")
    history.when(command("releaseHold", dsmbReference="DSMB-3")).then_accepts(HoldReleased)


def test_the_reason_for_releasing_a_participants_hold_may_be_sealed() -> None:
    history = given(*READY, hold_placed(subject_id="S-001"))
    history.when(command("releaseHold", subjectId="S-001", reason=sealed())).then_accepts(HoldReleased)
    history.when(command("releaseHold", subjectId="S-002", reason=sealed())).then_rejects(
        code="SHAPE", field="subjectId"
    )


def test_access_ends_for_a_person_or_a_token() -> None:
    given(*READY).when(command("withdrawAccess")).then(AccessWithdrawn(token_subject="u-9", reason="left the hospital"))
    given(*READY).when(command("withdrawAccess", tokenSubject=None, jti="t-1")).then_accepts(AccessWithdrawn)
    given(*READY).when(command("withdrawAccess", tokenSubject=None)).then_rejects(code="SHAPE", field="tokenSubject")


def test_a_key_is_published_once_and_then_known() -> None:
    published = SealingKeyPublished(public_key="A" * 43 + "=", reason="first key")
    given().when(command("publishSealingKey")).then(published)
    given(published).when(command("publishSealingKey", reason="again")).then()
    other = "B" * 42 + "A="
    given(published).when(command("publishSealingKey", publicKey=other)).then_accepts(SealingKeyPublished)
    for wrong in ("", "A" * 42 + "=", "A" * 44, "-" * 43 + "="):
        with pytest.raises(CommandRejected, match="publicKey"):
            command("publishSealingKey", publicKey=wrong)


def test_aud_10_a_review_states_its_period_and_what_was_reviewed() -> None:
    begin, end, digest = iso(days=30), iso(hours=1), "ab" * 32
    reviewed = AuditTrailReviewed(period_from=at(days=30), period_to=at(hours=1), findings="nothing to object")
    given().when(command("reviewAuditTrail")).then(reviewed)
    sealed_until = AuditTrailReviewed(
        period_from=at(days=30), period_to=at(hours=1), seal=7, seal_hash=digest, findings="nothing to object"
    )
    given().when(command("reviewAuditTrail", seal=7, sealHash=digest)).then(sealed_until)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"from": end, "to": begin}, "to"),
        ({"from": begin, "to": begin}, "to"),
        ({"to": iso(hours=-1)}, "to"),
        ({"seal": 7}, "sealHash"),
        ({"sealHash": digest}, "sealHash"),
    )
    for wrong, field in cases:
        given().when(command("reviewAuditTrail", **wrong)).then_rejects("AUD-10", field=field)


def test_facts_of_other_moments_fold_alike() -> None:
    assert _study(By(site_activated(), recorded_at=at(days=3))).site_active(SITE)
