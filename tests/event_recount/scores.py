"""Which observations feed a score at a time point (`scores.md` section 9), and what comes out.

Decided where the reference leaves room, as the product's documentation says it: where the nearest values lie too far
apart the largest set within the spread is kept; FiO2 and support are the latest at the blood gas or in the hour before
it, wherever they belong; of several blood gases the one with most of what belongs to it; doses are those within an
hour of the statement that something runs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from event_recount.dates import DAY, FAR_AHEAD, LONG_AGO, exact, instant, span
from event_recount.events import records
from event_recount.laboratory import Row
from event_recount.score_choice import DRAW, Pool, mean_pressures, whole_draw, within
from event_recount.score_points import AGENTS, Value, apache_ii, gcs, meld, sofa
from event_recount.treated import Participant
from event_recount.visits import Placed, Schedule, chosen

HOUR = timedelta(hours=1)
SPREAD = {
    "BL": 24,
    "P0_5_1H": 1,
    "H12": 2,
    "H24": 4,
    "D2": 6,
    "D3": 6,
    "D5": 12,
    "D7": 12,
    "W2": 24,
    "W4": 24,
    "W6": 24,
    "W12": 72,
    "M6": 72,
    "M12": 72,
}
"""Hours that the inputs of one score may lie apart."""
COMA = ("gcs_eye", "gcs_verbal", "gcs_motor")
LEADING: Mapping[str, tuple[str, ...]] = {
    "meld_2002": DRAW,
    "gcs": COMA,
    "sofa_1996": ("pao2", "platelets", "tbil", "map", "vasoactive_given", *COMA, "creatinine", "urine_output_24h"),
    "apache_ii_1985": (
        *("temperature", "map", "heart_rate", "resp_rate", "pao2", "hco3_serum", "sodium", "potassium"),
        *("creatinine", "acute_renal_failure", "hematocrit", "wbc", *COMA),
    ),
}
"""The inputs that are chosen for themselves; all others belong to one of them."""


class Given(NamedTuple):
    """An input: its value, when it was collected and the events behind it; not `usable`: too far from the others."""

    value: Value
    rows: tuple[Row, ...]
    usable: bool = True
    event_ids: tuple[UUID, ...] = ()
    """Of what is no row: procedures."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A score at a point: the number (None: incomplete), its inputs, and the events behind all of them."""

    number: int | None
    inputs: dict[str, Given]
    event_ids: list[UUID]

    @property
    def rows(self) -> list[tuple[str, Row]]:
        """The rows that entered, by the code that they stand for."""
        return [(code, row) for code, each in self.inputs.items() if each.usable for row in each.rows]


class Feed:
    """The observations of one participant, ready to be asked for scores."""

    def __init__(
        self, each: Participant, rows: list[Row], schedule: Schedule, placed: dict[tuple[str, str], list[Placed]]
    ) -> None:
        self._each, self._rows, self._schedule, self._placed = each, rows, schedule, placed
        self._cuffs = mean_pressures(placed)

    def score(self, score: str, point: str) -> Scored | None:
        """The one score; None without any observation, and after death or withdrawal."""
        if point != "BL" and self._is_over(point):
            return None
        pool = self._pool(point)
        if not pool:
            return None
        inputs = self._inputs(score, point, pool)
        values = {code: given.value for code, given in inputs.items() if given.usable}
        told = [event_id for given in inputs.values() for row in given.rows for event_id in row.event_ids]
        told += [event_id for given in inputs.values() for event_id in given.event_ids]
        number: int | None
        if score == "apache_ii_1985":
            assert self._each.enrolled is not None
            number, told = apache_ii(values, self._each.enrolled), [*told, *self._each.enrolment_ids]
        else:
            formulas: dict[str, Callable[[Mapping[str, Value]], int | None]] = {
                "meld_2002": meld,
                "gcs": gcs,
                "sofa_1996": sofa,
            }
            number = formulas[score](values)
        return Scored(number, inputs, told)

    def _is_over(self, point: str) -> bool:
        window = self._schedule.windows.get(point)
        ends = [instant(each.data["withdrawnAt"]) for each in self._each.withdrawals]
        ends += [] if self._each.died_at is None else [self._each.died_at]
        return window is not None and any(end < window.first for end in ends)

    def _pool(self, point: str) -> Pool:
        """The usable rows of a point by code; at the baseline each code's own last value in the look-back."""
        pool = {code: rows for (code, at), rows in self._placed.items() if at == point}
        if "map" not in pool and point in self._cuffs:
            pool["map"] = self._cuffs[point]
        if point == "BL":
            last = {code: chosen(rows) for code, rows in pool.items()}
            return {code: [each] for code, each in last.items() if each.place.in_window}
        urine = pool.get("urine_output_24h")
        if urine is not None and (point in ("P0_5_1H", "H12") or not chosen(urine).place.in_window):
            del pool["urine_output_24h"]
        return pool

    def _inputs(self, score: str, point: str, pool: Pool) -> dict[str, Given]:
        leading = [code for code in LEADING[score] if code in pool]
        if score in ("sofa_1996", "apache_ii_1985") and not any(code in pool for code in COMA):
            leading += ["gcs_total"] if "gcs_total" in pool else []
        if score == "apache_ii_1985" and "pao2" not in pool and "ph_arterial" in pool:
            leading.append("ph_arterial")
        limit = SPREAD[point] * HOUR
        preferred = {} if point == "BL" else self._preferred(score, leading, pool)
        kept, far = within(leading, pool, preferred, limit)
        inputs = dict[str, Given]()
        if score == "meld_2002":
            counted = self._dialysis(kept)
            if counted is None and "dialysis_sessions_7d" in pool:
                kept, far = within([*leading, "dialysis_sessions_7d"], pool, preferred, limit)
            elif counted is not None:
                inputs["dialysis_sessions_7d"] = counted
        for code, found in (kept | far).items():
            inputs[code] = _given(found.row, usable=code in kept)
        if point == "BL" and far:
            # Section 9, rule 1: there the score is missing, whichever input lies too far from the others.
            inputs = {code: given._replace(usable=False) for code, given in inputs.items()}
        return self._belonging(score, kept, pool) | inputs

    def _preferred(self, score: str, leading: list[str], pool: Pool) -> dict[str, Placed]:
        """Rule 3: one blood draw with all inputs of MELD; rule 4: the blood gas that has most beside it."""
        if score == "meld_2002":
            return whole_draw(pool) if len(leading) == len(DRAW) else {}
        gases = pool.get("pao2", [])
        if len(gases) < 2:
            return {}

        def order(gas: Placed) -> tuple[bool, int, timedelta]:
            beside = self._of_gas(gas.row, pool)
            lacking = -sum(each.usable for each in beside.values())
            return not gas.place.in_window, lacking, gas.place.rank[1]

        return {"pao2": min(reversed(gases), key=order)}

    def _belonging(self, score: str, kept: dict[str, Placed], pool: Pool) -> dict[str, Given]:
        """What belongs to the inputs that were chosen."""
        found: dict[str, Given] = {}
        if score in ("sofa_1996", "apache_ii_1985"):
            if "pao2" in kept:
                found |= self._of_gas(kept["pao2"].row, pool)
            else:
                found |= {c: _given(chosen(pool[c]).row) for c in ("fio2", "respiratory_support") if c in pool}
            if "fio2" in found:
                found |= self._beside("fio2_source", found["fio2"].rows)
        coma = [kept[code].row for code in (*COMA, "gcs_total") if code in kept]
        if score != "meld_2002":
            found |= self._beside("sedated", coma)
        if score == "apache_ii_1985":
            found.pop("respiratory_support", None)
            found |= self._beside("temperature_site", [kept["temperature"].row] if "temperature" in kept else [])
        elif score == "sofa_1996":
            found = {code: given for code, given in found.items() if code not in ("ph_arterial", "paco2")}
            found |= _infusions(kept, pool)
        return found

    def _of_gas(self, gas: Row, pool: Pool) -> dict[str, Given]:
        """pH and PaCO2 of the same sample, FiO2 and support in force at it."""
        found: dict[str, Given] = {}
        for code in ("ph_arterial", "paco2"):
            same = [each.row for each in pool.get(code, []) if each.row.of_moment(gas)]
            if same:
                found[code] = _given(same[-1])
            elif code in pool:
                found[code] = _given(chosen(pool[code]).row, usable=False)
        fio2, support = self._in_force("fio2", gas), self._in_force("respiratory_support", gas)
        if fio2 is not None and support is not None and self._changed(fio2, support):
            found["fio2"] = _given(fio2, usable=False)
            fio2 = None
        for code, row in (("fio2", fio2), ("respiratory_support", support)):
            if row is not None and row.usable:
                found[code] = _given(row)
            elif row is None and code not in found and code in pool:
                found[code] = _given(chosen(pool[code]).row, usable=False)
        return found

    def _in_force(self, code: str, at: Row) -> Row | None:
        """The latest row at a sample, else in the 60 minutes before it; of equal times the one recorded last."""
        rows = [row for row in self._rows if row.code == code]
        same = [row for row in rows if row.of_moment(at)]
        if same:
            return same[-1]
        before = [row for row in rows if timedelta(0) <= _apart(at, row) <= HOUR]
        return max(before, key=lambda row: (row.first, rows.index(row)), default=None)

    def _changed(self, fio2: Row, support: Row) -> bool:
        """Whether another support is in force than when FiO2 was recorded."""
        if not timedelta(0) < _apart(support, fio2) < FAR_AHEAD - LONG_AGO:
            return False
        then = self._in_force("respiratory_support", fio2)
        return then is not None and then.value != support.value

    def _beside(self, code: str, leaders: Iterable[Row]) -> dict[str, Given]:
        leading = list(leaders)
        same = [row for row in self._rows if row.code == code and row.usable and any(map(row.of_moment, leading))]
        return {code: _given(same[-1])} if same else {}

    def _dialysis(self, kept: dict[str, Placed]) -> Given | None:
        """Hemodialysis sessions of the 168 h before the sample, where any dialysis is recorded in them (9.8)."""
        sample = next((kept[code].row for code in ("creatinine", "inr", "tbil") if code in kept), None)
        if sample is None:
            return None
        kinds = {"ProcedureRecorded": "procedureId"}
        dates = ("startedAt", "endedAt")
        recorded = records(self._each.events, kinds, "ProcedureCorrected", "ProcedureVoided", dates)
        taken = (sample.first, sample.first if isinstance(sample.collected, datetime) else sample.first + DAY)
        near = []
        for each in recorded:
            if not each.void and each.data["kind"] in ("HD", "CVVHD", "CVVHDF", "CVVH"):
                begin, end = _time(each.data["startedAt"]), _end(each.data)
                if begin[0] < taken[1] and end[1] >= taken[0] - 168 * HOUR:
                    opens = taken[1] - 168 * HOUR
                    near.append((each, begin[1] < taken[0] and (begin[0] >= opens or end[0] >= opens)))
        if not near:
            return None
        sessions = [sure for each, sure in near if each.data["kind"] == "HD"]
        count = Value(Fraction(sum(sessions)), None if all(sessions) else ">=")
        return Given(count, (), event_ids=tuple(event_id for each, _ in near for event_id in each.event_ids))


def _given(row: Row, *, usable: bool = True) -> Given:
    assert row.value is not None
    return Given(Value(row.value, row.comparator), (row,), usable)


def _apart(one: Row, other: Row) -> timedelta:
    """How much later one was collected; for ever where a time is not known."""
    if isinstance(one.collected, datetime) and isinstance(other.collected, datetime):
        return one.collected - other.collected
    return FAR_AHEAD - LONG_AGO


def _time(when: dict[str, Any]) -> tuple[datetime, datetime]:
    at, possible = exact(when), span(when)
    if at is not None:
        return at, at
    return (LONG_AGO, FAR_AHEAD) if possible is None else (possible.first, possible.after)


def _end(data: dict[str, Any]) -> tuple[datetime, datetime]:
    """Without an end a treatment goes on, but a hemodialysis counts where it began."""
    if data.get("endedAt"):
        return _time(data["endedAt"])
    return _time(data["startedAt"]) if data["kind"] == "HD" else (FAR_AHEAD, FAR_AHEAD)


def _infusions(kept: dict[str, Placed], pool: Pool) -> dict[str, Given]:
    """Doses within an hour of `vasoactive_given`, each with the duration of its moment (rule 7)."""
    if "vasoactive_given" not in kept or kept["vasoactive_given"].row.value != "yes":
        return {}
    given, found = kept["vasoactive_given"].row, dict[str, Given]()
    for code in (*(f"{agent}_dose" for agent in AGENTS), "other_vasoactive"):
        near = [
            each.row for each in pool.get(code, []) if abs(_apart(given, each.row)) <= HOUR or each.row.of_moment(given)
        ]
        if near:
            row = min(reversed(near), key=lambda each: abs(_apart(given, each)))
            found[code] = _given(row)
            duration = code.replace("_dose", "_duration_min")
            for each in pool.get(duration, []):
                if each.row.of_moment(row) and duration != code:
                    found[duration] = _given(each.row)
    return found
