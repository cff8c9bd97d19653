"""LB and VS as whole records: the rows of one group are one command, with all that was said of sample and row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hepatrail_services.importers.plan import Draft, Made, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.records_fields import Reader, read_text
from hepatrail_services.importers.records_mapping import As, Measured, RecordsMapping, Review
from hepatrail_services.importers.reported import stated_value
from hepatrail_services.importers.source import Source, SourceRow
from hepatrail_services.importers.times import UnreadableTime

_ROWS: Mapping[str, str] = {"recordLabResults": "results", "recordObservations": "rows"}


@dataclass(slots=True)
class _Group:
    """The rows of one command: what they have in common, what each says, and the review of it where there is one."""

    key: str
    common: Mapping[str, Any]
    rows: list[tuple[RowRef, dict[str, Any], dict[str, Any], bool]] = field(default_factory=list)


def plan_measured(source: Source, mapping: RecordsMapping, reader: Reader) -> Draft:
    """One unit a group, of both domains together in the order of the groups, which is that of the log.

    Of two values of one moment the one that came later counts.
    """
    draft = Draft()
    numbered: list[tuple[int, Unit]] = []
    for domain, of_domain in (("LB", mapping.lb), ("VS", mapping.vs)):
        for place, subject, group in _groups(source.rows.get(domain, ()), of_domain, reader, draft):
            refs = tuple(ref for ref, *_ in group.rows)
            steps = tuple(_steps(group, subject, of_domain, mapping.words))
            numbered.append((place, Unit(group.key, subject, Phase.LABORATORY, refs, steps)))
    numbered.sort(key=lambda each: each[0])
    draft.units = [unit for _, unit in numbered]
    return draft


def _groups(
    rows: tuple[SourceRow, ...], mapping: Measured, reader: Reader, draft: Draft
) -> Iterator[tuple[int, str, _Group]]:
    groups: dict[tuple[str, str], _Group] = {}
    for row, ref in readable(rows, draft, reader.subject, mapping.key):
        subject, number = row[reader.subject], row[mapping.group]
        try:
            if not (number.isascii() and number.isdigit()):
                raise RowRefused("NO_GROUP", f"{mapping.group} {number!r} is no number of a group.")
            common, said = reader.fields(mapping.fields, row, ref), _said(row, ref, mapping, reader, draft)
            review = {} if mapping.review is None else _reviewed(row, mapping.review, reader)
            group = groups.setdefault((subject, number), _Group(f"{subject}|{number}", common))
            if common != group.common:
                raise RowRefused("OTHER_GROUP", f"{mapping.group} {number} has other rows that say otherwise.")
        except (RowRefused, UnreadableTime) as error:
            draft.refuse(ref, getattr(error, "code", "LAB-01"), str(error))
        else:
            group.rows.append((ref, said, review, row[mapping.confirmed] == "Y"))
    return ((int(number), subject, group) for (subject, number), group in groups.items() if group.rows)


def _said(row: SourceRow, ref: RowRef, mapping: Measured, reader: Reader, draft: Draft) -> dict[str, Any]:
    """A row of the command; the trial judges what it says, unknown codes and units go in as they stand."""
    test, text = row[mapping.test], row[mapping.value]
    known = mapping.tests.get(test)
    of_trial = known is not None and known.category in (None, row[mapping.category])
    said: dict[str, Any] = {"code": known.code if known is not None and of_trial else test}
    if text:
        said |= stated_value(text, ref, draft)
    if row[mapping.unit]:
        said["unit"] = row[mapping.unit]
    return said | reader.fields(mapping.row_fields, row, ref)


def _reviewed(row: SourceRow, review: Review, reader: Reader) -> dict[str, Any]:
    """What an investigator said of the result; empty where nobody has."""
    judged = {
        "clinicallySignificant": read_text(row[review.significant], As.YES_NO, review.significant, reader.zone),
        "finalGrade": read_text(row[review.grade], As.INTEGER, review.grade, reader.zone),
    }
    return {name: value for name, value in judged.items() if value is not None}


def _steps(group: _Group, subject: str, mapping: Measured, words: str) -> Iterator[Step]:
    domain = group.rows[0][0].domain
    said = [row for _, row, *_ in group.rows]
    yield Step(mapping.send, {"subjectId": subject, **group.common, _ROWS[mapping.send]: said})
    for place, (ref, _, review, confirmed) in enumerate(group.rows):
        result = {"subjectId": subject, "resultId": Made(domain, group.key, "result", place)}
        if confirmed:
            yield Step("confirmImplausible", {**result, "reason": words}, ref.key)
        if review:
            yield Step("reviewLabFinding", {**result, **review}, ref.key)
