"""Exposure (`endpoints.md` section 5), and the analysis sets (section 1)."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from uuid import UUID

from event_recount.dates import DAY, instant
from event_recount.expected import EMPTY, Cells, Expected, Number
from event_recount.statistics import count, describe, percent, proportion, shown
from event_recount.treated import Participant, Session, ids, safety_set

TARGET = 167_000_000
"""Cells per kg."""
BAND = (Fraction("0.80"), Fraction("1.20"))
EARLY = ("AE", "DEVICE", "CLOTTING", "PARTICIPANT", "OTHER")
PER = 10**8
"""Cells per kg are shown in these."""


def set_cells(everybody: list[Participant]) -> Cells:
    """The sets of section 1 but the evaluable, which rest on the changes."""
    enrolled = {each.subject_id: each.enrolment_ids for each in everybody if each.enrolled is not None}
    treated = {each.subject_id: ids(*each.sessions) for each in safety_set(everybody)}
    return {
        ("ANALYSIS_SETS", "ENROLLED", "PARTICIPANTS"): count(enrolled),
        ("ANALYSIS_SETS", "SAF", "PARTICIPANTS"): count(treated),
    }


def exposure_cells(everybody: list[Participant]) -> Cells:
    """Every table of section 5; both ratios, a deviation on that of the session only."""
    saf = safety_set(everybody)
    cells: Cells = {}
    for each in saf:
        cells |= _of_participant(each)
        for ordinal, session in enumerate(each.sessions, 1):
            cells |= _of_session(each.subject_id, ordinal, session)
    return cells | _counts(saf) | _summary(saf)


def hours(session: Session) -> Fraction | None:
    """End minus start minus pauses."""
    if session.end is None:
        return None
    flow = session.end - session.start
    for begin, until in session.pauses:
        flow -= (until or session.end) - begin
    return Fraction(round(flow.total_seconds() * 1000), 3_600_000)


def per_kg(session: Session) -> Fraction:
    """Viable cells by weight."""
    return Fraction(session.data["viableCells"]) / session.weight


def duration_class(session: Session) -> str:
    """By the limits of the protocol; nothing while it runs."""
    lasted = hours(session)
    if lasted is None:
        return ""
    return "<4" if lasted < 4 else ">8" if lasted > 8 else "4-8"


def _stopped(session: Session) -> str:
    return session.reason if session.reason in EARLY and session.reason else ""


def _old_weight(session: Session) -> bool:
    return session.start - instant(session.data["weightMeasuredAt"]) > 7 * DAY


def _in_band(session: Session) -> bool:
    return BAND[0] <= per_kg(session) / TARGET <= BAND[1]


def _total(sessions: Sequence[Session], of: Callable[[Session], Fraction | None]) -> Fraction:
    return sum((of(each) or Fraction(0) for each in sessions), Fraction(0))


def _of_participant(each: Participant) -> Cells:
    behind, sessions = {each.subject_id: ids(*each.sessions)}, each.sessions
    running = frozenset({"RUNNING"} if any(session.end is None for session in sessions) else ())
    lasted, given, number = _total(sessions, hours), _total(sessions, per_kg), len(sessions)
    row = "EXPOSURE_BY_PARTICIPANT", each.subject_id
    return {
        (*row, "SESSIONS"): Expected(number, str(number), number, behind=behind, flags=running),
        (*row, "HOURS"): Expected(lasted, shown(lasted, 2), behind=behind, flags=running),
        (*row, "CELLS_PER_KG"): Expected(given, shown(given / PER, 2), behind=behind),
        (*row, "RATIO"): Expected(given / TARGET, shown(given / TARGET, 2), behind=behind),
    }


def _of_session(subject_id: str, ordinal: int, session: Session) -> Cells:
    behind, row = {subject_id: session.event_ids}, ("EXPOSURE_BY_SESSION", f"{subject_id}/{ordinal}")
    lasted, given, kind = hours(session), per_kg(session), duration_class(session)
    odd = frozenset({"DURATION_OUT_OF_RANGE"} if kind in ("<4", ">8") else ())
    old = frozenset({"WEIGHT_TOO_OLD"} if _old_weight(session) else ())
    off = frozenset() if _in_band(session) else frozenset({"DOSE_OUT_OF_BAND"})
    running = frozenset({"RUNNING"}) if lasted is None else odd
    return {
        (*row, "HOURS"): Expected(lasted, shown(lasted, 2), behind=behind, flags=running),
        (*row, "CLASS"): Expected(None, kind, behind=behind, flags=odd),
        (*row, "END"): Expected(None, _stopped(session), behind=behind),
        (*row, "WEIGHT"): Expected(session.weight, shown(session.weight, 1), behind=behind, flags=old),
        (*row, "CELLS_PER_KG"): Expected(given, shown(given / PER, 2), behind=behind),
        (*row, "RATIO"): Expected(given / TARGET, shown(given / TARGET, 2), behind=behind, flags=off),
    }


_LINES: dict[str, Callable[[Session], bool]] = {
    "STARTED": lambda session: True,
    "DURATION_BELOW": lambda session: duration_class(session) == "<4",
    "DURATION_WITHIN": lambda session: duration_class(session) == "4-8",
    "DURATION_ABOVE": lambda session: duration_class(session) == ">8",
    "RUNNING": lambda session: session.end is None,
    "STOPPED_EARLY": lambda session: _stopped(session) != "",
    "STOPPED_AE": lambda session: session.reason == "AE",
    "STOPPED_DEVICE": lambda session: session.reason == "DEVICE",
    "STOPPED_CLOTTING": lambda session: session.reason == "CLOTTING",
    "STOPPED_PARTICIPANT": lambda session: session.reason == "PARTICIPANT",
    "STOPPED_OTHER": lambda session: session.reason == "OTHER",
    "WEIGHT_TOO_OLD": _old_weight,
    "DOSE_IN_BAND": _in_band,
    "DOSE_OUT_OF_BAND": lambda session: not _in_band(session),
}


def _counts(saf: list[Participant]) -> Cells:
    cells: Cells = {}
    of = sum(len(each.sessions) for each in saf)
    for code, holds in _LINES.items():
        held = {each.subject_id: [session for session in each.sessions if holds(session)] for each in saf}
        behind = {subject: ids(*sessions) for subject, sessions in held.items() if sessions}
        n = sum(map(len, held.values()))
        share = n / of if of else None
        row = "EXPOSURE_COUNTS", code
        cells[(*row, "SESSIONS")] = Expected(share, f"{n} ({percent(n, of)})", n, of, behind=behind)
        cells[(*row, "PARTICIPANTS")] = proportion(behind, len(saf))
    return cells


def _summary(saf: list[Participant]) -> Cells:
    sessions = [(each.subject_id, session) for each in saf for session in each.sessions]
    whole = [(each.subject_id, ids(*each.sessions)) for each in saf]

    def by_session(of: Callable[[Session], Fraction | None]) -> list[tuple[str, list[UUID], Fraction]]:
        found = [(subject, session.event_ids, of(session)) for subject, session in sessions]
        return [(subject, told, number) for subject, told, number in found if number is not None]

    def by_participant(of: Callable[[Participant], Fraction]) -> list[tuple[str, list[UUID], Fraction]]:
        return [(subject, told, of(each)) for (subject, told), each in zip(whole, saf, strict=True)]

    def to_target(session: Session) -> Fraction:
        return per_kg(session) / TARGET

    return {
        **_described("SESSIONS", by_participant(lambda each: Fraction(len(each.sessions))), 0),
        **_described("HOURS", by_session(hours), 2),
        **_described("WEIGHT", by_session(lambda session: session.weight), 1, total=False),
        **_described("CELLS_PER_KG", by_session(per_kg), 2, per=PER),
        **_described("RATIO", by_session(to_target), 2, total=False),
        **_described("CUMULATIVE_HOURS", by_participant(lambda each: _total(each.sessions, hours)), 2),
        **_described("CUMULATIVE_CELLS_PER_KG", by_participant(lambda each: _total(each.sessions, per_kg)), 2, per=PER),
        **_described("CUMULATIVE_RATIO", by_participant(lambda each: _total(each.sessions, to_target)), 2, total=False),
    }


def _described(
    code: str, values: list[tuple[str, list[UUID], Fraction]], decimals: int, *, total: bool = True, per: int = 1
) -> Cells:
    behind: dict[str, list[UUID]] = {}
    for subject, told, _ in values:
        behind.setdefault(subject, []).extend(told)
    numbers = [number for _, _, number in values]
    found: dict[str, Number | None] = {**describe(numbers), "TOTAL": sum(numbers, Fraction(0))}
    places = {"MEAN": 1, "SD": 2, "MEDIAN": 1, "Q1": 1, "Q3": 1, "MIN": 0, "MAX": 0, "TOTAL": 0}
    row = "EXPOSURE_SUMMARY", code
    cells: Cells = {(*row, "N"): Expected(len(numbers), str(len(numbers)), len(numbers), behind=behind)}
    for column, number in found.items():
        text = shown(None if number is None else number / per, decimals + places[column])
        cells[(*row, column)] = Expected(number, text, behind=behind)
    return cells if total else {**cells, (*row, "TOTAL"): EMPTY}
