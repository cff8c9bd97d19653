"""AE and FA: an adverse event as it was first reported, then what was said of it since, row by row in its order.

An event that became fatal is reported as it was before: the death makes it so. One that was fatal when it was reported
comes after the record of the death, which it names.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hepatrail_events.adverse_events import Assessor, Criterion, Outcome
from hepatrail_events.roles import Role
from hepatrail_services.importers.plan import Draft, Made, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.records_fields import Reader, read_text
from hepatrail_services.importers.records_mapping import As, CourseTest, RecordsMapping
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime

_FATAL_GRADE = "5"
_DEATH = Criterion.DEATH.value
Finding = tuple[SourceRow, RowRef]


@dataclass(slots=True)
class Event:
    """An adverse event: its row, the findings about it, and the units that it becomes.

    `before` are sent before a death, `after` once it is on record; `by_death` are the findings that the record of the
    death brings with it. `made_fatal`: it was reported as not fatal.
    """

    row: SourceRow
    ref: RowRef
    findings: list[Finding]
    fatal: bool
    made_fatal: bool
    before: list[Unit] = field(default_factory=list)
    after: list[Unit] = field(default_factory=list)
    by_death: list[RowRef] = field(default_factory=list)

    @property
    def made(self) -> Made:
        """The adverse event in the log."""
        return Made("AE", self.ref.key, "ae")


@dataclass(frozen=True, slots=True)
class EventReader:
    """Plans adverse events; what cannot be read is refused in `draft`."""

    mapping: RecordsMapping
    reader: Reader
    draft: Draft

    def events(self, rows: tuple[SourceRow, ...], findings: tuple[SourceRow, ...]) -> list[Event]:
        """The adverse events in the order of their rows; a finding about none of them is refused."""
        course, subject = self.mapping.ae.course, self.reader.subject
        about: dict[tuple[str, str], list[Finding]] = defaultdict(list)
        for row, ref in readable(findings, self.draft, subject, course.key):
            if row[course.test] in course.tests:
                about[row[subject], row[course.event]].append((row, ref))
            else:
                self.draft.refuse(ref, "UNMAPPED_VALUE", f"{course.test} {row[course.test]!r} is not in the mapping.")
        found = []
        for row, ref in readable(rows, self.draft, subject, self.mapping.ae.key):
            found.append(self._event(row, ref, about.pop((row[subject], row[self.mapping.ae.key]), [])))
        for _, ref in (each for orphans in about.values() for each in orphans):
            self.draft.refuse(ref, "NO_PARENT", "The finding is about an adverse event that is not there.")
        return found

    def plan(self, event: Event, death: Finding | None, *, cause: bool) -> None:
        """The units of an event; one that was fatal from the first tells the `death` and whether it is its cause."""
        from_first = event.fatal and not event.made_fatal
        try:
            if event.fatal and death is None:
                raise RowRefused("DEATH_DATE_MISSING", "The event is fatal, and no row tells the death.")
            report = self._report(event)
            if from_first and death is not None:
                report["death"] = {"deathAt": self._died(death[0]), "primaryCause": cause}
        except (RowRefused, UnreadableTime) as error:
            for ref in (event.ref, *(ref for _, ref in event.findings)):
                self.draft.refuse(ref, getattr(error, "code", "UNREADABLE_TIME"), str(error))
            return
        told = (event.ref, *(ref for row, ref in event.findings if self._reported(row)))
        phase = Phase.DEATH if from_first else Phase.ADVERSE_EVENTS
        units = event.after if from_first else event.before
        units.append(Unit(event.ref.key, report["subjectId"], phase, told, (Step("reportAdverseEvent", report),)))
        self._later(event, phase, units)
        self._judged(event, phase, units)

    def _died(self, row: SourceRow) -> dict[str, Any]:
        at: dict[str, Any] = read_text(row[self.mapping.death.at], As.KNOWN, self.mapping.death.at, self.reader.zone)
        return at

    def _event(self, row: SourceRow, ref: RowRef, findings: list[Finding]) -> Event:
        fatal = self.reader.fields({"outcome": self.mapping.ae.fields["outcome"]}, row, ref)
        is_fatal = fatal.get("outcome") == Outcome.FATAL.value
        from_first = any(self._reported(each) and _DEATH in self._criteria(each) for each, _ in findings)
        return Event(row, ref, findings, is_fatal, is_fatal and not from_first)

    def _reported(self, row: SourceRow) -> bool:
        return row[self.mapping.ae.course.reported] == "Y"

    def _test(self, row: SourceRow) -> CourseTest:
        course = self.mapping.ae.course
        return course.tests[row[course.test]]

    def _criteria(self, row: SourceRow) -> list[str]:
        if self._test(row) is not CourseTest.CRITERIA:
            return []
        column = self.mapping.ae.course.result
        return read_text(row[column], As.LIST, column, self.reader.zone) or []

    def _report(self, event: Event) -> dict[str, Any]:
        course = self.mapping.ae.course
        stated = self.reader.fields(self.mapping.ae.fields, event.row, event.ref)
        report = {"subjectId": event.row[self.reader.subject], **stated}
        if event.made_fatal:
            report["outcome"] = Outcome.NOT_RECOVERED.value
            report.pop("endAt", None)
        for row, _ in event.findings:
            if not self._reported(row):
                continue
            match self._test(row):
                case CourseTest.GRADE:
                    report |= self._grade(row, "grade")
                case CourseTest.CRITERIA:
                    report["criteria"] = self._criteria(row)
                case CourseTest.CAUSALITY:
                    judged = {"target": row[course.target], "value": self._causality(row)}
                    report["causality"] = [*report.get("causality", ()), judged]
        return report

    def _grade(self, row: SourceRow, name: str) -> dict[str, Any]:
        course = self.mapping.ae.course
        grade = read_text(row[course.result], As.INTEGER, course.result, self.reader.zone)
        return {name: grade, "gradeAt": read_text(row[course.at], As.KNOWN, course.at, self.reader.zone)}

    def _causality(self, row: SourceRow) -> str:
        course = self.mapping.ae.course
        known = self.reader.values.get(course.causalities, {})
        if row[course.result] not in known:
            raise RowRefused("UNMAPPED_VALUE", f"{course.result} {row[course.result]!r} is not in the mapping.")
        value: str = known[row[course.result]]
        return value

    def _later(self, event: Event, phase: Phase, units: list[Unit]) -> None:
        """What was said after the report; of what a death brings along the record of the death is the command."""
        held: dict[str, list[str]] = {}
        dead: set[CourseTest] = set()
        for row, ref in event.findings:
            test, by = self._test(row), row[self.mapping.ae.course.by]
            before, now = held.get(by, []), self._criteria(row)
            if test is CourseTest.CRITERIA:
                held[by] = now
            if self._reported(row):
                continue
            if event.made_fatal and self._of_death(row, before, now):
                dead.add(test)
                event.by_death.append(ref)
                continue
            try:
                step = self._step(event, row, before, now)
            except (RowRefused, UnreadableTime) as error:
                self.draft.refuse(ref, getattr(error, "code", "UNREADABLE_TIME"), str(error))
                continue
            since_death = test in dead and by != Assessor.SPONSOR
            target = event.after if since_death else units
            target.append(
                Unit(ref.key, event.row[self.reader.subject], Phase.DEATH if since_death else phase, (ref,), (step,))
            )

    def _of_death(self, row: SourceRow, before: list[str], now: list[str]) -> bool:
        if self._test(row) is CourseTest.GRADE:
            return row[self.mapping.ae.course.result] == _FATAL_GRADE
        return _DEATH in now and _DEATH not in before

    def _step(self, event: Event, row: SourceRow, before: list[str], now: list[str]) -> Step:
        course, common = self.mapping.ae.course, {"subjectId": event.row[self.reader.subject], "aeId": event.made}
        by = Role.SPONSOR if row[course.by] == Assessor.SPONSOR else None
        match self._test(row):
            case CourseTest.GRADE:
                return Step("changeAdverseEventGrade", {**common, **self._grade(row, "toGrade")})
            case CourseTest.CAUSALITY:
                judged = {"target": row[course.target], "value": self._causality(row), "rationale": self.mapping.words}
                return Step("assessCausality", {**common, **judged}, by=by)
            case CourseTest.CRITERIA:
                mutation, stated = self._seriousness(row, before, now)
                return Step(mutation, {**common, **stated}, by=by)

    def _seriousness(self, row: SourceRow, before: list[str], now: list[str]) -> tuple[str, dict[str, Any]]:
        """The command that leads from the criteria of an assessor to its next ones."""
        course, zone = self.mapping.ae.course, self.reader.zone
        if not now:
            reason = {"reasonCode": row[course.reason], "reasonText": self.mapping.words}
            return "downgradeAdverseEvent", reason
        aware = {"awareAt": read_text(row[course.aware], As.INSTANT, course.aware, zone)}
        if not before:
            since = read_text(row[course.at], As.KNOWN, course.at, zone)
            return "upgradeAdverseEvent", {"criteria": now, "seriousSince": since, **aware}
        added, removed = [each for each in now if each not in before], [each for each in before if each not in now]
        why = {"reason": self.mapping.words} if removed else {}
        return "changeSeriousnessCriteria", {"added": added, "removed": removed, **why, **aware}

    def _judged(self, event: Event, phase: Phase, units: list[Unit]) -> None:
        """Coding and expectedness, which are the sponsor's: before a later grade, which might forbid the latter."""
        ae, common = self.mapping.ae, {"subjectId": event.row[self.reader.subject], "aeId": event.made}
        steps = []
        for mutation, judged in (("codeAdverseEvent", ae.coding), ("assessExpectedness", ae.expectedness)):
            if event.row[judged.where]:
                stated = self.reader.fields(judged.fields, event.row, event.ref)
                steps.append(Step(mutation, {**common, **stated}, by=Role.SPONSOR))
        if not steps:
            return
        graded = any(self._reported(row) and self._test(row) is CourseTest.GRADE for row, _ in event.findings)
        place = 1 if graded else len(units)
        units.insert(place, Unit(event.ref.key, event.row[self.reader.subject], phase, (event.ref,), tuple(steps)))


def plan_adverse_course(
    rows: tuple[SourceRow, ...], findings: tuple[SourceRow, ...], deaths: Iterator[Finding], reader: EventReader
) -> None:
    """Adverse events, and the deaths with those that they made fatal; `deaths` are the rows that tell them."""
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in reader.events(rows, findings):
        by_subject[event.row[reader.reader.subject]].append(event)
    told: dict[str, Finding] = {}
    for row, ref in deaths:
        if told.setdefault(row[reader.reader.subject], (row, ref))[1] is not ref:
            reader.draft.refuse(ref, "DEATH_TOLD_TWICE", "An earlier row tells the death.")
    for subject in dict.fromkeys((*by_subject, *told)):
        _plan_subject(by_subject.get(subject, []), told.get(subject), reader)


def _plan_subject(events: list[Event], death: Finding | None, reader: EventReader) -> None:
    draft, mapping = reader.draft, reader.mapping.death
    cause = "" if death is None else death[0][mapping.cause]

    def is_cause(event: Event) -> bool:
        return bool(cause) and event.row[reader.mapping.ae.key] == cause

    for event in events:
        reader.plan(event, death, cause=is_cause(event))
        draft.units += event.before
    if death is not None:
        _plan_death(events, death, reader, next(filter(is_cause, events), None))
    # The cause first: a death with a fatal event has one (INV-08).
    for event in sorted(events, key=lambda each: not is_cause(each)):
        draft.units += event.after


def _plan_death(events: list[Event], death: Finding, reader: EventReader, cause: Event | None) -> None:
    """The record of the death; a cause that was fatal from the first names itself when it is reported."""
    row, ref = death
    fatal = [event for event in events if event.made_fatal and event.before]
    refs = (ref, *(each for event in fatal for each in event.by_death))
    first = cause if cause in fatal else next(iter(fatal), None)
    try:
        stated = reader.reader.fields(reader.mapping.death.fields, row, ref)
    except (RowRefused, UnreadableTime) as error:
        for each in refs:
            reader.draft.refuse(each, getattr(error, "code", "UNREADABLE_TIME"), str(error))
        return
    record = {"subjectId": row[reader.reader.subject], **stated}
    if first is not None:
        record |= {"primaryCauseAeId": first.made, "fatalAes": [{"aeId": event.made} for event in fatal]}
    steps = (Step("recordDeath", record),)
    reader.draft.units.append(Unit(ref.key, record["subjectId"], Phase.DEATH, refs, steps))
