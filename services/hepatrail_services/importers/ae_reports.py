"""AE with one row a report: the first report of an event is its adverse event, every later one a follow-up of it.

A later report is `followUpAdverseEvent`, also where it says nothing new, and a command for what it states otherwise
than the reports before it: severity, seriousness, causality, end, or a field of the first report. A report that
cannot be read leaves its place to the next one.

Decided here, because the source leaves room: a report is one of an event as it was known on the report's date. What
changed between two reports changed on the date of the later one, or on the event's end where that is earlier.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.corrected_values import as_text
from hepatrail_events.types import format_instant
from hepatrail_services.deciders.ae_state import ENDED
from hepatrail_services.importers.adverse_events import AeReader, fatal_events, first_report
from hepatrail_services.importers.mapping import AeMapping, AeReports
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, civil, partial

_CORRECTED = ("code", "ctcaeTerm", "onset")
_STAYING = ("grade", "causality")
"""What a report leaves as it was by saying nothing of it."""
_DEATH = Criterion.DEATH.value
Report = Mapping[str, Any]
Rows = list[tuple[SourceRow, RowRef]]


def plan_reports(
    rows: tuple[SourceRow, ...],
    mapping: AeMapping,
    reports: AeReports,
    zone: ZoneInfo,
    death_dates: Mapping[str, str],
) -> Draft:
    """One unit a report, an event's in the order of their dates; those from a death on come last of their subject."""
    draft = Draft()
    events = _events(readable(rows, draft, mapping.subject, mapping.sequence), mapping, reports, draft)
    reader = AeReader(mapping, zone, death_dates, fatal_reports(rows, mapping, reports))
    for event in events.values():
        _plan_event(event, reader, reports, draft)
    return draft


def fatal_reports(rows: tuple[SourceRow, ...], mapping: AeMapping, reports: AeReports) -> dict[str, str]:
    """Subject -> row key of the report that tells the death: a first report of an event before any later one."""
    unnoted = Draft()
    events = _events(readable(rows, unnoted, mapping.subject, mapping.sequence), mapping, reports, unnoted).values()
    first = [event[0][0] for event in events]
    return fatal_events((*first, *(row for event in events for row, _ in event[1:])), mapping)


def _events(kept: Rows, mapping: AeMapping, reports: AeReports, draft: Draft) -> dict[tuple[str, str], Rows]:
    """The reports of each event (subject, event), by date of the report, then by its number."""
    events: dict[tuple[str, str], Rows] = {}
    for row, ref in kept:
        if not row[reports.event]:
            draft.refuse(ref, "NO_EVENT", f"{reports.event} names the event and is empty.")
            continue
        events.setdefault((row[mapping.subject], row[reports.event]), []).append((row, ref))
    for event in events.values():
        event.sort(key=lambda pair: (pair[0][mapping.reported], _number(pair[0][mapping.sequence]), pair[0].number))
    return events


def _number(sequence: str) -> int:
    return int(sequence) if sequence.isascii() and sequence.isdigit() else 0


def _plan_event(event: Rows, reader: AeReader, reports: AeReports, draft: Draft) -> None:
    held: Report | None = None
    after: Report
    first, phase = "", Phase.ADVERSE_EVENTS
    for row, ref in event:
        try:
            report = reader.report(row, ref, draft)
            if held is None:
                unit, after = first_report(ref, report), report
            else:
                phase = max(phase, Phase.DEATH if "death" in report else phase)
                later = _Later(row, reader, reports, held, report)
                unit = Unit(ref.key, report["subjectId"], phase, (ref,), tuple(later.steps()), follows=first)
                after = later.after
        except (RowRefused, UnreadableTime) as error:
            draft.refuse(ref, getattr(error, "code", "UNREADABLE_TIME"), str(error))
            continue
        held, first, phase = after, first or ref.key, max(phase, unit.phase)
        draft.units.append(unit)


@dataclass(frozen=True, slots=True)
class _Later:
    """A later report (`now`) against what the reports before it say (`held`)."""

    row: SourceRow
    reader: AeReader
    reports: AeReports
    held: Report
    now: Report

    def steps(self) -> Iterator[Step]:
        """The commands of the report; RowRefused where the death of an earlier one would have to change."""
        if "death" in self.held and "death" not in self.now:
            raise RowRefused("DEATH_TAKEN_BACK", "An earlier report of the event is fatal: correct the death record.")
        if self._newly_fatal and not self.now["death"]["primaryCause"]:
            raise RowRefused("DEATH_TOLD_ALREADY", "Another report tells the death: correct the death record.")
        yield from self._corrections()
        if _open_again(self.held, self.now):
            yield self._step("reopenAdverseEvent", reason=self._said)
        yield self._follow_up()
        if self._regraded:
            yield self._step("changeAdverseEventGrade", toGrade=self.now["grade"], gradeAt=self._graded_at)
        if self._newly_fatal:
            yield self._step("recordDeath", deathAt=self.now["death"]["deathAt"], awareAt=self.now["awareAt"])
        yield from self._seriousness()
        for judged in self.now.get("causality", ()):
            if judged not in self.held.get("causality", ()):
                yield self._step("assessCausality", judged["target"], **judged, rationale=self._said)
        if "death" not in self.now and _ended(self.now) and not _ended(self.held):
            yield self._step("resolveAdverseEvent", outcome=self.now["outcome"], endAt=self.now["endAt"])

    @property
    def after(self) -> Report:
        """What the reports up to this one say."""
        after = {**{name: self.held[name] for name in _STAYING if name in self.held}, **self.now}
        if "death" not in self.now and "grade" in after:
            after["gradeAt"] = self._graded_at if self._regraded else self.held["gradeAt"]
        return after

    @property
    def _regraded(self) -> bool:
        return "death" not in self.now and self.now.get("grade") not in (None, self.held.get("grade"))

    @property
    def _newly_fatal(self) -> bool:
        return "death" in self.now and "death" not in self.held

    @property
    def _said(self) -> str:
        mapping = self.reader.mapping
        return f"As report {self.row[mapping.sequence]} of {self.row[mapping.reported]} says."

    @property
    def _changed_at(self) -> dict[str, Any]:
        """The date of the report, the end's where that is earlier, the onset's where that is later."""
        mapping = self.reader.mapping
        onset, ended, day = (self.row[name] for name in (mapping.onset, mapping.end, mapping.reported))
        day = day[:10]
        if ended and ended[:10] < day[: len(ended[:10])]:
            day = ended
        if day[: len(onset[:10])] < onset[:10]:
            day = onset
        return partial(day, self.reader.zone)

    @property
    def _graded_at(self) -> dict[str, Any]:
        """Not before the grade that this one follows."""
        at, before = self._changed_at, self.held.get("gradeAt", {})
        known = before.get("value", "")[:10]
        return dict(before) if at["value"][: len(known)] < known else at

    def _corrections(self) -> Iterator[Step]:
        """Fields of the first report that this one states otherwise."""
        fields: tuple[str, ...] = _CORRECTED
        if "death" not in self.now and _ended(self.held) and _ended(self.now):
            fields = (*fields, "outcome", "endAt")
        for field in fields:
            stated = as_text(self.now.get(field))
            if stated != as_text(self.held.get(field)):
                new = {} if stated is None else {"newValue": stated}
                yield self._step("correctAdverseEvent", field, field=field, **new, reason=self._said)
        if self.now["verbatim"] != self.held["verbatim"]:
            new = {"newText": self.now["verbatim"]}
            yield self._step("correctAdverseEvent", "verbatim", field="verbatim", **new, reason=self._said)

    def _follow_up(self) -> Step:
        mapping, row = self.reader.mapping, self.row
        told = [row[mapping.verbatim], row[mapping.severity], row[mapping.outcome]]
        if row[mapping.end]:
            told.append(f"{mapping.end} {row[mapping.end]}")
        stated = {
            "infoReceivedAt": self._received_at(),
            "text": f"{self._said} {', '.join(filter(None, told))}",
        }
        before = Outcome.NOT_RECOVERED.value if _open_again(self.held, self.now) else self.held["outcome"]
        if not _ended(self.now) and self.now["outcome"] != before:
            stated["outcome"] = self.now["outcome"]
        if self.now["actionTaken"] != self.held["actionTaken"]:
            stated["actionTaken"] = self.now["actionTaken"]
        return self._step("followUpAdverseEvent", **stated)

    def _received_at(self) -> str:
        mapping = self.reader.mapping
        day = self.row[mapping.reported][:10]
        return format_instant(civil(day, mapping.stand_in.aware_time, self.reader.zone))

    def _seriousness(self) -> Iterator[Step]:
        """The criteria but DEATH, which comes with the record of the death."""
        held, now = [*self.held["criteria"]], self.now["criteria"]
        if self._newly_fatal:
            held.append(_DEATH)
        added = [criterion for criterion in now if criterion not in (*held, _DEATH)]
        removed = [criterion for criterion in held if criterion not in (*now, _DEATH)]
        aware = {"awareAt": self.now["awareAt"]}
        if added and not held:
            yield self._step("upgradeAdverseEvent", criteria=added, seriousSince=self._changed_at, **aware)
        elif removed and not added and len(removed) == len(held):
            code = self.reports.downgrade_reason.value
            yield self._step("downgradeAdverseEvent", reasonCode=code, reasonText=self._said)
        elif added or removed:
            why = {"reason": self._said} if removed else {}
            yield self._step("changeSeriousnessCriteria", added=added, removed=removed, **why, **aware)

    def _step(self, mutation: str, part: str = "", **stated: Any) -> Step:
        return Step(mutation, {"subjectId": self.now["subjectId"], **stated}, part)


def _ended(report: Report) -> bool:
    return report["outcome"] in ENDED


def _open_again(held: Report, now: Report) -> bool:
    """Whether the log has an end that this report does not have, or that gives way to a death."""
    return _ended(held) and "death" not in held and ("death" in now or not _ended(now))
