"""Rows that are whole records: each becomes the commands that the mapping names for it, child rows included."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.records_fields import Reader
from hepatrail_services.importers.records_mapping import Command, Death, Record, When
from hepatrail_services.importers.source import Source, SourceRow
from hepatrail_services.importers.times import UnreadableTime

Rows = list[tuple[SourceRow, RowRef]]


@dataclass(slots=True)
class Records:
    """Plans the rows of one domain after the other, but for those that tell the `death`: they come with AE."""

    source: Source
    reader: Reader
    death: Death
    draft: Draft

    def plan(self, domain: str, records: tuple[Record, ...]) -> None:
        """One unit a row, with its child rows; a row of no record is refused."""
        subject, key = self.reader.subject, records[0].key
        children = self._children(records)
        for row, ref in readable(self.source.rows.get(domain, ()), self.draft, *dict.fromkeys((subject, key))):
            if domain == self.death.domain and is_one(row, self.death.when):
                continue
            record = next((each for each in records if is_one(row, each.when)), None)
            if record is None:
                self.draft.refuse(ref, "UNMAPPED_RECORD", f"The mapping has no record of {domain} that the row is.")
            elif not record.commands:
                told = f"{record.kept} tells it." if record.kept else "The trial has no command for it."
                self.draft.keep(ref, f"TOLD_BY_{record.kept}" if record.kept else "NO_COMMAND", told)
            else:
                own = children.pop((domain, row[subject], row[key]), [])
                self._unit(row, ref, record, own)
        for orphans in children.values():
            for _, ref in orphans:
                self.draft.refuse(ref, "NO_PARENT", f"The row belongs to a row of {domain} that is not there.")

    def _children(self, records: tuple[Record, ...]) -> dict[tuple[str, str, str], Rows]:
        """(Domain, participant, key) of a row -> the rows that belong to it, in their order."""
        found: dict[tuple[str, str, str], Rows] = defaultdict(list)
        seen: set[str] = set()
        for record in records:
            for each in (command.each for command in record.commands if command.each is not None):
                if each.domain in seen:
                    continue
                seen.add(each.domain)
                rows = self.source.rows.get(each.domain, ())
                for row, ref in readable(rows, self.draft, self.reader.subject, each.number):
                    found[record.domain, row[self.reader.subject], row[each.column]].append((row, ref))
        return dict(found)

    def _unit(self, row: SourceRow, ref: RowRef, record: Record, children: Rows) -> None:
        refs = (ref, *(child for _, child in children))
        try:
            steps = tuple(self._steps(row, ref, record, children))
        except (RowRefused, UnreadableTime) as error:
            for each in refs:
                self.draft.refuse(each, getattr(error, "code", "UNREADABLE_TIME"), str(error))
            return
        phase = Phase[record.phase]
        self.draft.units.append(Unit(ref.key, row[self.reader.subject], phase, refs, steps))

    def _steps(self, row: SourceRow, ref: RowRef, record: Record, children: Rows) -> Iterator[Step]:
        """The commands in their order; those of child rows in turn, child by child, where they follow each other."""
        commands = list(record.commands)
        while commands:
            command = commands.pop(0)
            if command.each is None:
                if command.where is None or row[command.where]:
                    yield self._step(command, row, ref)
                continue
            together = [command]
            while commands and commands[0].each == command.each:
                together.append(commands.pop(0))
            for child, child_ref in children:
                for each in together:
                    if each.where is None or child[each.where]:
                        yield self._step(each, child, ref, child_ref.key)

    def _step(self, command: Command, row: SourceRow, unit: RowRef, part: str = "") -> Step:
        stated = self.reader.fields(command.fields, row, unit)
        return Step(command.send, {"subjectId": row[self.reader.subject], **stated}, part)


def is_one(row: SourceRow, when: When) -> bool:
    """Whether each column holds one of its values."""
    return all(row[column] in values for column, values in when.items())
