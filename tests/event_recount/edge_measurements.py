"""Measurements that the simulated trial never has: censored, dated only, far apart, of several blood gases."""

from event_recount.edge_site import Site, after, day, minute, row
from pure_spine import PureSpine


async def measured_at_the_edges(spine: PureSpine) -> None:
    """As further participants of a trial."""
    await _laboratory(Site(spine, "X-LAB"))
    await _scores(Site(spine, "X-SCORES"))
    await _spread(Site(spine, "X-SPREAD"))
    await _gases(Site(spine, "X-GASES"))
    await _bounds(Site(spine, "X-BOUNDS"))


async def _laboratory(site: Site) -> None:
    """Signs, dates alone, codes out of their windows, two values of a point, a later session, corrections."""
    await site.treated()
    await site.session(24 * 13.9, 8)
    await site.sample(after(days=-8), alt="10", glucose="5")
    await site.sample(after(days=-1), "W2", alt="<20", glucose="4.0", tbil="20")
    await site.send("recordLabResults", collectedAt=after(), preSession=True, results=[row("platelets", "100")])
    await site.sample("2027-06-01", tbil="500")
    await site.sample(after(hours=6.75), alt=">2000", tbil="40", platelets="<10")
    await site.sample(after(hours=18), alt="30")
    await site.sample(after(hours=17), alt="31")
    await site.sample("2027-06-08", alt="60", glucose=">=30", tbil="<=17.1")
    await site.sample("2027-06-02", "H24", alt="61")
    await site.sample(after(days=14), alt="80", platelets="90")
    await site.sample(after(days=20), "W4", glucose="9")
    await site.sample(after(days=28, hours=2), "UNS", glucose="9")
    await site.sample(after(days=28, hours=3), "S2_H12", glucose="11")
    moved, *_ = await site.sample(after(days=41), alt="75")
    await site.send("correctLabResult", id=moved["resultId"], field="collectedAt", newValue=after(days=84))
    wild, *_ = await site.sample(after(days=84, hours=1), glucose="70")
    await site.send("confirmImplausible", resultId=wild["resultId"])


async def _scores(site: Site) -> None:
    """All four scores at four points, each by other rules."""
    await site.enrolled(chronicHealth=True, admissionType="elective_postoperative", ageYears=66)
    await site.session()
    blood = {"creatinine": "140", "tbil": "300", "inr": "2.1", "platelets": "45", "wbc": "16", "hematocrit": "29"}
    blood |= {"sodium": "129", "potassium": "5.6"}
    awake = {"gcs_eye": "4", "gcs_verbal": "5", "gcs_motor": "6", "acute_renal_failure": "false"}
    awake |= {"map": "68", "heart_rate": "120", "resp_rate": "26", "temperature": "38.6"}
    calm = {"vasoactive_given": "no", "dialysis_sessions_7d": "0"}
    for shift, gas, bedside in (
        ({"hours": -2.0}, {"pao2": "80", "ph_arterial": "7.32", "paco2": "30"}, {**awake, **calm, "fio2": "0.21"}),
        (
            {"days": 3.0},
            {"pao2": "90", "ph_arterial": "7.26", "paco2": "44"},
            {**awake, "fio2": "0.6", "respiratory_support": "imv", "acute_renal_failure": "true"}
            | {"vasoactive_given": "yes", "norepinephrine_dose": "0.11", "norepinephrine_duration_min": "75"},
        ),
        (
            {"days": 7.0},
            {"pao2": "66", "hco3_serum": "17"},
            {**awake, **calm, "fio2": "0.4", "respiratory_support": "hfnc", "urine_output_24h": "450"},
        ),
        ({"days": 28.0}, {"pao2": "100", "ph_arterial": "7.4"}, {**awake, **calm, "fio2": "0.21", "map": ">100"}),
    ):
        await site.sample(after(**shift), **blood, **gas)
        await site.observe(after(**shift), **bedside)
        blood |= {"creatinine": "320", "platelets": "<20", "tbil": "205"}
    await site.send("recordProcedure", kind="HD", startedAt=minute(days=1), endedAt=minute(days=1, hours=4))
    await site.send("recordProcedure", kind="HD", startedAt=day("2027-06-05"))
    await site.observe(after(days=7, hours=1), sbp="120", dbp="60", dobutamine_dose="3", dobutamine_duration_min="30")


async def _spread(site: Site) -> None:
    """Inputs too far apart, of several samples; a verbal response that could not be tested."""
    await site.treated()
    await site.sample(after(hours=-40), creatinine="88.4", inr="1.2")
    await site.sample(after(hours=-3), tbil="34.2")
    await site.observe(after(hours=-1), gcs_eye="3", gcs_verbal="4", gcs_motor="6", dialysis_sessions_7d="1")
    await site.sample(after(days=2, hours=1), creatinine="100", tbil="50")
    await site.sample(after(days=2, hours=6), creatinine="101", tbil="51", inr="1.4")
    await site.sample(after(days=2, hours=8), inr="1.5")
    await site.observe(after(days=2, hours=5), gcs_eye="2", gcs_verbal="NT", gcs_motor="5", dialysis_sessions_7d="0")
    await site.observe(after(days=14), gcs_eye="4", gcs_verbal="5", gcs_motor="6")
    await site.observe(after(days=14, hours=9), gcs_eye="4", gcs_verbal="4", gcs_motor="6", dialysis_sessions_7d=">=2")
    await site.sample(after(days=14, hours=2), creatinine="120")
    await site.sample(after(days=15, hours=20), tbil="60", inr="1.9")


async def _gases(site: Site) -> None:
    """Oxygen that is not in force, of another sample or censored; infusions without duration; a total alone."""
    await site.treated()
    await site.event(minute(days=1), grade=None)
    rest = {"platelets": "80", "tbil": "30", "creatinine": "400", "inr": "1.1", "wbc": "5", "hematocrit": "40"}
    rest |= {"sodium": "140", "potassium": "4"}
    calm = {"gcs_total": "14", "vasoactive_given": "no", "map": "80", "heart_rate": "80", "resp_rate": "15"}
    calm |= {"temperature": "37", "acute_renal_failure": "false"}
    await site.sample(after(days=2), **rest, ph_arterial="7.4")
    await site.observe(after(days=2), **calm, fio2="0.5", respiratory_support="mask")
    await site.sample(after(days=3), **rest, pao2="70", ph_arterial="7.3", paco2="50")
    await site.sample(after(days=3, hours=2), pao2="75", paco2="45")
    await site.observe(after(days=3, minutes=-40), respiratory_support="none")
    await site.observe(after(days=3, minutes=-30), fio2="0.5", fio2_source="set")
    await site.observe(after(days=3, minutes=-10), **calm, respiratory_support="imv")
    rest["creatinine"] = "60"
    running = {**calm, "vasoactive_given": "yes", "norepinephrine_dose": "0.05", "dobutamine_dose": ">4"}
    await site.sample(after(days=5), **rest, pao2="90")
    await site.observe(after(days=5), **running, fio2="<0.6", respiratory_support="niv", urine_output_24h="<700")
    await site.sample(after(days=7), **rest, pao2="90", paco2="40")
    await site.observe(after(days=7), **running, fio2="0.6", norepinephrine_duration_min="90")
    await site.sample(after(days=7, hours=1), ph_arterial="7.2")
    await site.sample(after(days=14), **rest, pao2="<60")
    await site.observe(after(days=14, hours=-3), fio2="0.3", respiratory_support="ecmo_resp")
    await site.observe(after(days=14), **{**calm, "map": ">69"}, dopamine_dose="6", dopamine_duration_min="<60")
    await site.sample(after(days=28), **rest, pao2="95", paco2="41", hco3_serum="24")
    await site.observe(after(days=28), **{**running, "dobutamine_dose": "0"}, fio2="0.8", respiratory_support="none")
    await site.sample("2027-07-13", **rest, pao2="95", hco3_serum="24")
    await site.observe("2027-07-13", **calm, fio2="0.21", sbp="<120", dbp="70")
    await site.observe("2027-07-14", fio2="0.4", respiratory_support="cpap", sbp="110", dbp="65")


async def _bounds(site: Site) -> None:
    """On both sides of the bounds of windows, look-back, duration, dose and age of the weight."""
    await site.treated(viableCells=8_016_000_000, weightKg="60")
    await site.session(4800, 4, viableCells=12_024_000_000, weightKg="60", weightMeasuredAt=after(hours=4800 - 168))
    await site.session(4830, 8, viableCells=8_015_999_999, weightKg="60")
    await site.session(4860, 8 + 1 / 60, viableCells=12_024_000_001, weightKg="60", weightMeasuredAt=after(hours=4691))
    await site.session(4890, 4 - 1 / 60, weightKg="60")
    await site.event(minute(days=380), criteria=["HOSPITALISATION"])
    await site.sample(after(days=-7), pta="70", lactate="2")
    await site.sample(after(days=-7, seconds=-1), aptt="40")
    await site.sample(after(), rbc="4")
    await site.sample(after(hours=6, minutes=29, seconds=59), ast="11", pta="71")
    await site.sample(after(hours=6, minutes=30), alt="12", lactate="3")
    await site.sample(after(hours=7, seconds=59), tbil="13")
    await site.sample(after(hours=7, minutes=1), dbil="14")
    await site.sample("2027-08-16T15:59:59.999Z", alp="15")
    await site.sample("2027-08-16T16:00:00.000Z", bun="16")
    await site.sample("2027-08-31T15:59:59.999Z", albumin="17")
    await site.sample("2027-08-31T16:00:00.000Z", glucose="18")
    await site.sample("2027-08-31T16:00:00.000Z", "W12", wbc="19")
    await site.sample("2027-11-16T16:00:00.000Z", pt="20", pta="72")
    await site.sample("2027-12-15T16:00:00.000Z", inr="2")
    for shift, why in ((300, "HEMOLYSED"), (310, "NOT_DONE")):
        results = [{"code": "alt", "notDone": why}]
        await site.send("recordLabResults", collectedAt=after(days=shift), results=results)
