"""What the simulated trial never does: partial and unknown dates, every case of emergence, deaths at the edges.

All of it is recorded late, when the year of the simulation is over.
"""

from event_recount.edge_measurements import measured_at_the_edges
from event_recount.edge_site import RECORDED, Site, after, day, minute
from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from pure_spine import PureSpine


async def edge_course(spine: PureSpine) -> None:
    """All of it, as further participants of a trial."""
    spine.advance_to(RECORDED)
    await _adverse_events(Site(spine, "X-EVENTS"))
    await _untreated(Site(spine, "X-NEVER"))
    await _ends(spine)
    await _mended(Site(spine, "X-MENDED"))
    await measured_at_the_edges(spine)


async def _adverse_events(site: Site) -> None:
    """Every case of emergence, while a second session runs whose end is not recorded."""
    await site.enrolled()
    condition = await site.send("recordBaselineCondition", code="HEPATIC_FAILURE_WORSENING", grade=3)
    first = await site.send(
        "startSession",
        startedAt=after(),
        accessPlacedAt=after(hours=-2),
        weightMeasuredAt=after(days=-10),
        viableCells=4_000_000_000,
    )
    await site.send("pauseSession", sessionId=first["sessionId"], at=after(hours=1))
    await site.send("resumeSession", sessionId=first["sessionId"], at=after(hours=1.5))
    await site.send("endSession", sessionId=first["sessionId"], endedAt=after(hours=3), reason="CLOTTING")
    await site.session(240, None)
    begun, older = "2027-06-01", minute(days=-2)
    await site.event(minute(hours=-1), code="LOCAL_HEMATOMA", causality=[{"target": "DEVICE", "value": "DEFINITE"}])
    await site.event({"precision": "UNKNOWN"}, code="RASH")
    await site.event({"precision": "UNKNOWN"}, outcome="RECOVERED", endAt=day("2027-05-30"))
    await site.event(day("2027-06"), code="CHEST_TIGHTNESS", criteria=["HOSPITALISATION"])
    await site.event(day("2027"), grade=None)
    await site.event(day(begun), onsetBeforeFirstSession=True)
    await site.event(day(begun), code="PALPITATIONS")
    await site.event(minute(days=7, hours=13, minutes=59), code="RASH_URTICARIA")
    await site.event(minute(days=60), code="OTHER", ctcaeTerm="Nausea")
    worse = await site.event(older, code="ANAPHYLAXIS", grade=3)
    await site.send("changeAdverseEventGrade", aeId=worse["aeId"], toGrade=4, gradeAt=minute(days=2))
    eased = await site.event(older)
    await site.send("changeAdverseEventGrade", aeId=eased["aeId"], toGrade=1, gradeAt=minute(days=-1))
    await site.send("changeAdverseEventGrade", aeId=eased["aeId"], toGrade=2, gradeAt=day("2027-06-20"))
    often = await site.event(older, code="RASH")
    await site.send(
        "followUpAdverseEvent", aeId=often["aeId"], infoReceivedAt=after(days=9), frequencyWorsenedAt=minute(days=8)
    )
    serious = await site.event(older, code="THROMBOSIS_PORTAL")
    await site.send(
        "upgradeAdverseEvent",
        Role.SPONSOR,
        aeId=serious["aeId"],
        criteria=["LIFE_THREATENING"],
        seriousSince=minute(days=30),
        awareAt=after(days=31),
    )
    for target in ("CELL_PRODUCT", "DEVICE"):
        await site.send("assessCausality", aeId=serious["aeId"], target=target, value="UNLIKELY")
    await site.event(older, code="INFECTION_OTHER")
    linked = {"code": "HEPATIC_FAILURE_WORSENING", "baselineConditionId": condition["baselineConditionId"]}
    await site.event(minute(days=3), **linked, grade=3)
    await site.event(minute(days=4), **linked, grade=4, actionTaken="TREATMENT_DISCONTINUED")
    mistyped = await site.event(minute(days=5), code="SEPSIS", grade=4)
    await site.send("correctAdverseEventGrade", aeId=mistyped["aeId"], gradeEventId=mistyped["eventId"], grade=3)


async def _untreated(site: Site) -> None:
    await site.enrolled()
    await site.event(minute(days=1), criteria=["MEDICALLY_IMPORTANT"])


async def _ends(spine: PureSpine) -> None:
    """Deaths and transplants of which only a part is known, behind the horizon, after a withdrawal, of one day."""
    aware = format_instant(RECORDED)
    deaths = {
        "MONTH": day("2027-09"),
        "YEAR": day("2028"),
        "UNKNOWN": {"precision": "UNKNOWN"},
        "LATE": minute(days=400),
        "DAY": day("2027-07-15"),
    }
    for name, when in deaths.items():
        site = Site(spine, f"X-DIED-{name}")
        await site.treated()
        await site.sample(after(days=98), alt="40")
        await site.send("recordDeath", deathAt=when, awareAt=aware) if name != "DAY" else None
    graft = Site(spine, "X-DIED-DAY")
    await graft.send("recordTransplant", transplantAt=day("2027-07-15"))
    await graft.send("recordDeath", deathAt=day("2027-07-15"), awareAt=aware)
    for name, when, died in (
        ("HOURS", minute(days=30, hours=1), minute(days=30, hours=3)),
        ("BOTH", day("2027-08"), minute(days=75)),
    ):
        graft = Site(spine, f"X-GRAFT-{name}")
        await graft.treated()
        await graft.send("recordTransplant", transplantAt=when)
        await graft.send("recordDeath", deathAt=died, awareAt=aware)
    graft = Site(spine, "X-GRAFT-MONTH")
    await graft.treated()
    await graft.sample(after(days=40), "W6", alt="70")
    await graft.send("recordTransplant", transplantAt=day("2027-07"))
    await graft.send("recordSurvivalStatus", at=after(days=180), alive="Y", transplant="DONE")
    for name, allowed in (("WITHHELD", False), ("ALLOWED", True)):
        left = Site(spine, f"X-{name}")
        await left.treated()
        await left.send("withdrawSubject", withdrawnAt=after(days=20), scope="FOLLOW_UP", vitalStatusAllowed=allowed)
        await left.sample(after(days=28), alt="55")
        await left.send("recordDeath", deathAt=minute(days=50), awareAt=aware)
    during = Site(spine, "X-IN-SESSION")
    await during.enrolled()
    await during.session(0, None)
    await during.send("recordDeath", deathAt=minute(hours=2), awareAt=aware)


async def _mended(site: Site) -> None:
    """Corrected times of a session and of an event, a death taken back, an event behind the window."""
    await site.enrolled()
    session = await site.session(0, 9)
    await site.send("correctSession", id=session["sessionId"], field="endedAt", newValue=after(hours=5))
    await site.send("correctSession", id=session["sessionId"], field="endReason", newValue="DEVICE")
    await site.send("recordDeath", deathAt=minute(days=70), awareAt=format_instant(RECORDED))
    await site.send("correctDeathRecord", revived=True, autopsyDone=None)
    await site.event(minute(days=380), code="ANAPHYLAXIS", grade=4)
    moved = await site.event(minute(days=3), criteria=["DISABILITY"], frequencyWorsenedAt=minute(days=6))
    for name, text in (("onset", minute(days=-1)["value"]), ("frequencyWorsenedAt", "2027-06-25")):
        await site.send("correctAdverseEvent", aeId=moved["aeId"], field=name, newValue=text)
    unknown = await site.event(minute(days=9), code="PALPITATIONS")
    await site.send("correctAdverseEvent", aeId=unknown["aeId"], field="onset", newValue="UNKNOWN")
