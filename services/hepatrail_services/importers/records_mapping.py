"""The other form of a mapping file: rows that hold whole records, each value of a command being a column or a constant.

A source of another trial lacks most of what a command needs; its mapping is `SdtmMapping`, with stand-ins. A source
that has all of it says here, record by record, which command a row is, and nothing is made up by code.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from hepatrail_events.types import Label
from hepatrail_services.importers.mapping_base import MappedTest, Sites, Table, ZoneName


class As(StrEnum):
    """How the text of a column is read; an empty one is an absent value, but for `known`."""

    TEXT = "text"
    INTEGER = "integer"
    YES_NO = "yes_no"
    """Y or N."""
    FLAG = "flag"
    """Y or empty, which is false."""
    INSTANT = "instant"
    DAY = "day"
    """An instant, or a civil date alone."""
    PARTIAL = "partial"
    """A date as far as it is known."""
    KNOWN = "known"
    """A partial date that must be stated: an empty one says that it is unknown."""
    LIST = "list"
    """Texts with `; ` between them."""


def _column(stated: object) -> object:
    return {"column": stated} if isinstance(stated, str) else stated


class Stated(Table):
    """Where the value of a field is: in a `column`, or a constant (`always`).

    `values` names the table of the file that turns texts into values. `of` reads the participant's row of another
    domain, `unless` names a column that makes the field absent, `refers` the domain whose row (key in `column`) made
    the object of the kind `made`; `made` without a column is what the row's own first command makes.
    """

    column: str = ""
    read: As = Field(As.TEXT, alias="as")
    always: str | bool | None = None
    values: str | None = None
    of: str | None = None
    unless: str | None = None
    refers: str | None = None
    made: str | None = None


def _one_of(stated: object) -> object:
    return [stated] if isinstance(stated, str) else stated


When = Mapping[str, Annotated[tuple[str, ...], BeforeValidator(_one_of)]]
"""Columns with the value that they hold, or one of several."""
StatedField = Annotated[Stated, BeforeValidator(_column)]
Fields = Mapping[str, StatedField]


class Children(Table):
    """Rows of another domain that belong to a row: their `column` holds its `key`, `number` tells them apart."""

    domain: str
    number: str
    column: str
    key: str


class Command(Table):
    """A command of a row; `where` names a column without which it is not sent, `each` sends it for every child row."""

    send: str
    fields: Fields
    where: str | None = None
    each: Children | None = None


class Record(Table):
    """What the rows of a domain are, of those in which each column of `when` holds its value.

    Without commands the row is kept, and `kept` says which domain tells it.
    """

    domain: str
    key: str
    phase: Literal["CONSENT", "ENROLMENT", "TREATMENT", "VISITS", "DISPOSITION", "AFTERWARDS"] = "VISITS"
    when: When = Field(default_factory=dict)
    commands: tuple[Command, ...] = ()
    kept: str | None = None


class Review(Table):
    """What an investigator said of a result: columns of its significance and final grade."""

    significant: str
    grade: str


class Measured(Table):
    """Measured rows (LB, VS): those with the same `group` are one command, in the order of the groups.

    `fields` are of the command, taken from its first row, `row_fields` of each row. `confirmed` is the column that is
    Y where an implausible value was confirmed.
    """

    send: Literal["recordLabResults", "recordObservations"]
    key: str
    group: str
    fields: Fields
    row_fields: Fields
    test: str
    category: str
    value: str
    unit: str
    confirmed: str
    review: Review | None = None
    tests: Mapping[str, MappedTest]


class CourseTest(StrEnum):
    """What a finding about an adverse event is."""

    GRADE = "GRADE"
    CRITERIA = "CRITERIA"
    CAUSALITY = "CAUSALITY"


class CourseColumns(Table):
    """FA, findings about adverse events: a row is a grade, an assessor's criteria from then on, or a judgement.

    `event` holds the key of the adverse event, `reported` is Y where the first report said so, `by` is the assessor;
    `result` is the grade, the criteria (a list) or the causality for `target`. The rows of one test are in the order
    in which they were said.
    """

    key: str
    event: str
    test: str
    result: str
    by: str
    at: str
    aware: str
    reason: str
    target: str
    reported: str
    tests: Mapping[str, CourseTest]
    causalities: str


class Judged(Table):
    """What somebody else than the investigator says of an adverse event, where the column `where` says something."""

    where: str
    fields: Fields


class AeCourse(Table):
    """Adverse events with their course: the report as it stands in AE, grades and judgements in FA."""

    key: str
    fields: Fields
    coding: Judged
    expectedness: Judged
    course: CourseColumns


class Death(Table):
    """The row that tells the death, of those of `domain` that hold each value of `when`; `cause` is a key of AE."""

    domain: str
    key: str
    when: When
    at: str
    cause: str
    fields: Fields


class RecordsMapping(Table):
    """The whole file.

    `derived` names domains whose rows are counted and need no command: the trial derives them. `words` stand where a
    command asks for an explanation, and the explanation is sealed.
    """

    form: Literal["records"]
    study: Label
    zone: ZoneName
    sites: Sites
    derived: tuple[str, ...] = ()
    subject: str
    words: Annotated[str, Field(min_length=10)]
    records: tuple[Record, ...]
    lb: Measured
    vs: Measured
    ae: AeCourse
    death: Death
    values: Mapping[str, Mapping[str, Any]]

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that the mapping reads."""
        children = (command.each.domain for record in self.records for command in record.commands if command.each)
        named = (*(record.domain for record in self.records), *children, self.death.domain, *self.derived)
        return tuple(dict.fromkeys((*named, "LB", "VS", "AE", "FA")))

    def needed(self) -> Iterator[tuple[str, str]]:
        """Domain and name of every column that the mapping names."""
        yield from ((domain, self.subject) for domain in self.domains)
        for record in self.records:
            yield record.domain, record.key
            yield from ((record.domain, column) for column in record.when)
            for command in record.commands:
                yield from _command_columns(record.domain, command)
        for domain, measured in (("LB", self.lb), ("VS", self.vs)):
            own = (measured.key, measured.group, measured.test, measured.category, measured.value, measured.unit)
            review = () if measured.review is None else (measured.review.significant, measured.review.grade)
            yield from ((domain, column) for column in (*own, measured.confirmed, *review))
            yield from _columns(domain, measured.fields)
            yield from _columns(domain, measured.row_fields)
        ae, course = self.ae, self.ae.course
        yield from (("AE", column) for column in (ae.key, ae.coding.where, ae.expectedness.where))
        for fields in (ae.fields, ae.coding.fields, ae.expectedness.fields):
            yield from _columns("AE", fields)
        found = (course.key, course.event, course.test, course.result, course.by, course.at, course.aware)
        yield from (("FA", column) for column in (*found, course.reason, course.target, course.reported))
        yield from ((self.death.domain, column) for column in (self.death.key, self.death.at, self.death.cause))
        yield from _columns(self.death.domain, self.death.fields)


def _command_columns(domain: str, command: Command) -> Iterator[tuple[str, str]]:
    """Of a command for child rows the columns are theirs."""
    of = domain if command.each is None else command.each.domain
    if command.each is not None:
        yield domain, command.each.key
        yield from ((of, column) for column in (command.each.column, command.each.number))
    if command.where is not None:
        yield of, command.where
    yield from _columns(of, command.fields)


def _columns(domain: str, fields: Fields) -> Iterator[tuple[str, str]]:
    for stated in fields.values():
        if stated.column:
            yield stated.of or domain, stated.column
        if stated.unless is not None:
            yield domain, stated.unless
