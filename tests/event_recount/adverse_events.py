"""Adverse events in their latest version, and whether they are treatment-emergent (`safety.md` sections 3 to 5).

Decided where the reference leaves room, as the product's documentation says it: a partial date lies before or behind
the window only when all that it can mean does; a date that is that of the onset lies on the onset's side; an event
that is reopened has the outcome NOT_RECOVERED; of the cases B, C and D the earliest instant gives `teOnset`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from event_recount.dates import DAY, FAR_AHEAD, LONG_AGO, Span, civil, days, instant, months_later, span, start_of
from event_recount.events import Event, correct, records
from event_recount.treated import Participant

PRODUCT = ("CELL_PRODUCT", "DEVICE")
RELATED = ("DEFINITE", "PROBABLE", "POSSIBLE", "NOT_ASSESSABLE")
_DATES = ("onset", "endAt", "frequencyWorsenedAt")
_NOTHING_KNOWN = Span(LONG_AGO, FAR_AHEAD)


@dataclass(frozen=True, slots=True)
class Grade:
    """A point of the grade timeline; without a date it holds since onset."""

    event_id: str
    grade: int
    at: dict[str, Any] | None


@dataclass(slots=True)
class AdverseEvent:
    """What the log says of an adverse event; `data` is the report with everything since worked in."""

    data: dict[str, Any]
    event_ids: list[UUID]
    grades: list[Grade] = field(default_factory=list)
    criteria: dict[str, set[str]] = field(default_factory=dict)
    """In force, by assessor."""
    serious_since: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the event that stated it."""
    causality: dict[tuple[str, str], str] = field(default_factory=dict)
    """The latest value by assessor and target."""
    more_often: list[dict[str, Any]] = field(default_factory=list)
    expected: bool = False
    coding: dict[str, Any] | None = None
    void: bool = False

    @property
    def serious(self) -> bool:
        """INV-01: any effective criterion."""
        return any(self.criteria.values())

    @property
    def onset(self) -> dict[str, Any]:
        """As stated."""
        onset: dict[str, Any] = self.data["onset"]
        return onset


def reported(events: list[Event]) -> list[AdverseEvent]:
    """The adverse events of a participant that are not void."""
    found: dict[str, AdverseEvent] = {}
    for event in events:
        if event.type == "AEReported":
            found[event.data["aeId"]] = _first_report(event)
        elif event.data.get("aeId") in found and event.type.startswith("AE"):
            ae = found[event.data["aeId"]]
            ae.event_ids.append(event.id)
            _follow(ae, event)
    return [ae for ae in found.values() if not ae.void]


def _first_report(event: Event) -> AdverseEvent:
    data = dict(event.data)
    ae = AdverseEvent(data, [event.id])
    if data.get("grade") is not None:
        ae.grades.append(Grade(str(event.id), data["grade"], data.get("gradeAt")))
    if data.get("criteria"):
        ae.criteria["INVESTIGATOR"] = set(data["criteria"])
        ae.serious_since[str(event.id)] = data["onset"]
    for each in data.get("causality", ()):
        ae.causality["INVESTIGATOR", each["target"]] = each["value"]
    if data.get("frequencyWorsenedAt"):
        ae.more_often.append(data["frequencyWorsenedAt"])
    return ae


def _follow(ae: AdverseEvent, event: Event) -> None:
    data = event.data
    match event.type:
        case "AEFollowedUp":
            ae.data |= {name: data[name] for name in ("outcome", "actionTaken") if data.get(name)}
            ae.more_often += [data["frequencyWorsenedAt"]] if data.get("frequencyWorsenedAt") else []
        case "AEGradeChanged":
            ae.grades.append(Grade(str(event.id), data["toGrade"], data["gradeAt"]))
        case "AEGradeCorrected":
            ae.grades = [new for old in ae.grades if (new := _graded_anew(old, data)) is not None]
        case "AECausalityAssessed":
            ae.causality[data["assessor"], data["target"]] = data["value"]
        case "AEExpectednessAssessed":
            ae.expected = data["value"] == "EXPECTED"
        case "AEUpgradedToSerious":
            assessor = "SPONSOR" if event.role == "SPONSOR" else "INVESTIGATOR"
            ae.criteria[assessor] = set(data["criteria"])
            ae.serious_since[str(event.id)] = data["seriousSince"]
        case "AESeriousnessCriteriaChanged":
            held = ae.criteria.get(data["assessor"], set()) | set(data.get("added", ()))
            ae.criteria[data["assessor"]] = held - set(data.get("removed", ()))
        case "AEDowngradedToNonSerious":
            ae.criteria[data["assessor"]] = set()
        case "AEResolved":
            ae.data |= {"outcome": data["outcome"], "endAt": data["endAt"]}
        case "AEReopened":
            ae.data |= {"outcome": "NOT_RECOVERED", "endAt": None}
        case "AECoded":
            ae.coding = data
        case "AEVoided":
            ae.void = True
        case "AECorrected":
            _correct(ae, data)
        case _:
            assert event.type == "AEVoidRequested", event.type


def _graded_anew(old: Grade, data: dict[str, Any]) -> Grade | None:
    if old.event_id != data["gradeEventId"]:
        return old
    return None if data.get("grade") is None else Grade(old.event_id, data["grade"], data.get("gradeAt") or old.at)


def _correct(ae: AdverseEvent, data: dict[str, Any]) -> None:
    """A corrected onset also moves since when the report found it serious."""
    correct(ae.data, data, _DATES)
    first = str(ae.event_ids[0])
    if data["field"] == "onset" and first in ae.serious_since:
        ae.serious_since[first] = ae.onset
    if data["field"] == "frequencyWorsenedAt":
        stated = ae.data.get("frequencyWorsenedAt")
        ae.more_often = ae.more_often[:-1] + ([stated] if stated else [])


@dataclass(frozen=True, slots=True)
class Window:
    """TE_START to before `after`, the first instant behind TE_END; None while treatment continues."""

    starts: datetime
    after: datetime | None

    def is_before(self, when: dict[str, Any]) -> bool:
        """Whether all that the date can mean lies before TE_START."""
        return (span(when) or _NOTHING_KNOWN).after <= self.starts

    def is_behind(self, when: dict[str, Any]) -> bool:
        """Whether all that the date can mean lies behind TE_END."""
        return self.after is not None and (span(when) or _NOTHING_KNOWN).first >= self.after

    def is_open(self, when: dict[str, Any]) -> bool:
        """Whether a day, month or year, or nothing known, leaves open on which side of TE_START it lies."""
        possible = span(when) or _NOTHING_KNOWN
        return when["precision"] != "MINUTE" and possible.first <= self.starts < possible.after


def window(each: Participant) -> Window | None:
    """The treatment-emergent window; None: never treated."""
    if not each.sessions:
        return None
    placed, ended = each.sessions[0].data.get("accessPlacedAt"), each.sessions[-1].end
    starts = each.t0 if placed is None else min(each.t0, instant(placed))
    return Window(starts, None if ended is None else start_of(months_later(civil(ended), 12) + DAY))


@dataclass(frozen=True, slots=True)
class Emergent:
    """What follows from an adverse event; `case` None: not treatment-emergent."""

    ae: AdverseEvent
    case: str | None
    onset: tuple[date, date | None] | None
    """The first and last civil date that `teOnset` can be in the window; the last None: nothing is known."""
    grade: int | None
    """The highest grade in the window."""
    tesae: bool
    related: bool
    """As assessed."""
    not_assessed: bool

    @property
    def teae(self) -> bool:
        """Whether it is treatment-emergent."""
        return self.case is not None

    @property
    def unexpected(self) -> bool:
        """A serious one that is not expected is a SUSAR where it is related."""
        return self.ae.serious and not self.ae.expected


def emergent(each: Participant) -> list[Emergent]:
    """The adverse events of a participant that are not void."""
    conditions = {
        record.id: record.data.get("grade")
        for record in records(
            each.events,
            {"BaselineConditionRecorded": "baselineConditionId"},
            "BaselineConditionCorrected",
            "BaselineConditionVoided",
            ("onset",),
        )
        if not record.void
    }
    return [_derived(ae, each, conditions) for ae in reported(each.events)]


def _derived(ae: AdverseEvent, each: Participant, conditions: dict[str, Any]) -> Emergent:
    during = window(each)
    if during is None:
        return Emergent(ae, None, None, None, False, False, False)
    linked = ae.data.get("baselineConditionId") in conditions
    before = conditions.get(ae.data.get("baselineConditionId") or "")
    condition_grade = None if before is None else int(before)
    case, when, grade = _case(ae, during, linked=linked, condition_grade=condition_grade)
    since_t0 = Window(each.t0, during.after)
    exposed = not _began_before(ae, since_t0)
    exposed = exposed or _case(ae, since_t0, linked=linked, condition_grade=condition_grade)[0] in ("B", "C", "D")
    judged = {value for (_, target), value in ae.causality.items() if target in PRODUCT}
    related = exposed and not judged.isdisjoint(RELATED)
    lacking = any(("INVESTIGATOR", target) not in ae.causality for target in PRODUCT)
    tesae = case is not None and ae.serious and (case == "A" or not _ended_before(ae, during))
    onset = None if when is None else _onset(when, during)
    return Emergent(ae, case, onset, grade, tesae, related, exposed and lacking and not related)


def _began_before(ae: AdverseEvent, during: Window) -> bool:
    """Onset before TE_START: certainly, or by the investigator's word or the end where the date leaves it open."""
    said = ae.data.get("onsetBeforeFirstSession") in (True, "true")
    return during.is_before(ae.onset) or (during.is_open(ae.onset) and (said or _ended_before(ae, during)))


def _ended_before(ae: AdverseEvent, during: Window) -> bool:
    return ae.data.get("endAt") is not None and during.is_before(ae.data["endAt"])


def _case(
    ae: AdverseEvent, during: Window, *, linked: bool, condition_grade: int | None
) -> tuple[str | None, dict[str, Any] | None, int | None]:
    """A: new; B: worse than the grade at TE_START; C: more often; D: first serious. With teOnset and highest grade."""
    dated = [(each.grade, each.at or ae.onset) for each in ae.grades]
    if not linked and not _began_before(ae, during):
        if during.is_behind(ae.onset):
            return None, None, None
        return "A", ae.onset, max((grade for grade, at in dated if not during.is_behind(at)), default=None)

    def before(at: dict[str, Any]) -> bool:
        if at == ae.onset:
            return _began_before(ae, during)
        return during.is_before(at) or (during.is_open(at) and _ended_before(ae, during))

    earlier = [(_civil_order(at), number, grade) for number, (grade, at) in enumerate(dated) if before(at)]
    g_pre = max(earlier)[2] if earlier else condition_grade
    later = [(grade, at) for grade, at in dated if not before(at) and not during.is_behind(at)]
    found = [("B", at) for grade, at in later if g_pre is None or grade > g_pre]
    found += [("C", at) for at in ae.more_often if not before(at) and not during.is_behind(at)]
    first_serious = min(ae.serious_since.values(), key=_civil_order, default=None)
    if first_serious is not None and not before(first_serious) and not during.is_behind(first_serious):
        found.append(("D", first_serious))
    if not found:
        return None, None, None
    case, when = min(found, key=lambda each: (each[1]["precision"] == "UNKNOWN", _civil_order(each[1]), each[0]))
    return case, when, max((grade for grade, _ in later), default=None)


def _civil_order(when: dict[str, Any]) -> datetime:
    return (span(when) or _NOTHING_KNOWN).first


def _onset(when: dict[str, Any], during: Window) -> tuple[date, date | None]:
    """The civil dates in the window that a treatment-emergent onset can be."""
    possible, first = days(when), civil(during.starts)
    if possible is None:
        return first, None
    last = possible[1] if during.after is None else min(possible[1], civil(during.after) - DAY)
    return max(possible[0], first), last
