"""The structured columns of `visit`: what was done, what lacks, what stops; written and read back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.evidence import Done, Lacking, VisitEvidence
from hepatrail_projections.clinical.inputs import Collected, Stop
from hepatrail_projections.clinical.items import Part


@dataclass(frozen=True, slots=True)
class Written:
    """What was written already, by the identity of its object: all rows of a sample share one time of collection.

    The objects are kept beside what was written of them, so that no identity is used twice.
    """

    times: dict[int, tuple[Collected, dict[str, str]]] = field(default_factory=dict)
    lacking: dict[int, tuple[Lacking, dict[str, Any]]] = field(default_factory=dict)


def done_json(found: VisitEvidence, before: Written) -> dict[str, Any]:
    """The done items of a point: `{item: {at | on, inWindow, duringSession, inputs?}}`."""
    written = {}
    for item, done in found.done.items():
        each: dict[str, Any] = {"inWindow": done.in_window, "duringSession": done.during_session}
        parts = found.parts[item]
        if parts[0].code == item:
            each |= _time(parts[0].assigned.observation.collected, before)
        else:
            each["inputs"] = [_part(part, before) for part in parts]
        written[item] = each
    return written


def lacking_json(found: VisitEvidence, before: Written) -> dict[str, Any]:
    """The sub-inputs that are not there: `{item: [{code, reason}]}`."""
    known = before.lacking.get(id(found.lacking))
    if known is not None:
        return known[1]
    made = {
        item: [{"code": code, "reason": reason} for code, reason in inputs] for item, inputs in found.lacking.items()
    }
    before.lacking[id(found.lacking)] = (found.lacking, made)
    return made


def stop_json(stop: Stop) -> dict[str, Any]:
    """A stop: `{cause, time, vitalStatusAllowed}`."""
    return {"cause": stop.cause, "time": format_instant(stop.time), "vitalStatusAllowed": stop.vital_status_allowed}


def read_done(written: Mapping[str, Any]) -> dict[str, Done]:
    """The done items of a row, as the compliance rules read them."""
    return {
        item: Done(
            tuple(_read_time(each) for each in found.get("inputs", (found,))),
            found["inWindow"],
            found["duringSession"],
        )
        for item, found in written.items()
    }


def read_lacking(written: Mapping[str, Iterable[Mapping[str, Any]]]) -> Lacking:
    """The sub-inputs that are not there, of a row."""
    return {item: tuple((each["code"], each["reason"]) for each in inputs) for item, inputs in written.items()}


def read_stop(written: Mapping[str, Any]) -> Stop:
    """A stop of a row."""
    return Stop(written["cause"], datetime.fromisoformat(written["time"]), written["vitalStatusAllowed"])


def _part(part: Part, before: Written) -> dict[str, Any]:
    placement = part.assigned.placement
    time = _time(part.assigned.observation.collected, before)
    return {"code": part.code, "inWindow": placement.in_window, "basis": part.basis, **time}


def _time(collected: Collected, before: Written) -> dict[str, str]:
    known = before.times.get(id(collected))
    if known is not None:
        return known[1]
    made = _time_json(collected)
    before.times[id(collected)] = (collected, made)
    return made


def _time_json(collected: Collected) -> dict[str, str]:
    if collected.instant is not None:
        return {"at": format_instant(collected.instant)}
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return {"on": collected.local_date.isoformat()}


def _read_time(written: Mapping[str, Any]) -> Collected:
    if "at" in written:
        return Collected(datetime.fromisoformat(written["at"]))
    return Collected(None, date.fromisoformat(written["on"]))
