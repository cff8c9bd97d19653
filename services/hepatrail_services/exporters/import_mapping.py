"""The mapping by which an export comes back in, as the importer reads it (TOML).

What is fixed stands in `import_mapping.toml` and, for measured rows and adverse events, `import_mapping_course.toml`,
which make one file; the codes come from the very tables by which the export writes them, so
that the two cannot part.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files

from hepatrail_events.protocol import Protocol
from hepatrail_services.exporters.ae_terms import CAUSALITIES, OUTCOMES
from hepatrail_services.exporters.dm import SEXES
from hepatrail_services.exporters.ds import PARTS
from hepatrail_services.exporters.measurement_terms import TERMS
from hepatrail_services.exporters.ss import STATUSES

FILE = "import_mapping.toml"
_COURSE = "import_mapping_course.toml"


def import_mapping(protocol: Protocol, site_ids: Iterable[str]) -> str:
    """The whole file for a trial and its sites, which are activated before the first row by whoever may do it."""
    fixed, course = (
        files("hepatrail_services.exporters").joinpath(name).read_text(encoding="utf-8") for name in (FILE, _COURSE)
    )
    study = f"study = {_text(protocol.trial)}\nzone = {_text(protocol.site_zone)}"
    sites = f"[sites]\nactivate = true\nids = {_text(sorted(set(site_ids)))}\n" + 'approval_ref = "as exported"\n'
    comment, head, rest = fixed.split("\n\n", 2)
    tables = (_table(name, lines) for name, lines in _tables())
    return "\n".join((comment, "", study, head, "", sites, rest, course, *tables))


def _tables() -> Iterator[tuple[str, Iterable[str]]]:
    tests = [
        f"{term.short} = {{ code = {_text(code)}, category = {_text(term.category)} }}" for code, term in TERMS.items()
    ]
    yield "lb.tests", tests
    yield "vs.tests", tests
    for name, table in (
        ("sexes", SEXES),
        ("scopes", PARTS),
        ("statuses", STATUSES),
        ("outcomes", OUTCOMES),
        ("causalities", CAUSALITIES),
    ):
        yield f"values.{name}", _pairs(_back(table))


def _back(table: Mapping[str, str]) -> dict[str, str]:
    back = {written: value for value, written in table.items()}
    assert len(back) == len(table), "each value has words of its own"
    return back


def _pairs(table: Mapping[str, str]) -> list[str]:
    return [f"{_text(str(key))} = {_text(str(value))}" for key, value in table.items()]


def _table(name: str, lines: Iterable[str]) -> str:
    return "\n".join((f"[{name}]", *lines, ""))


def _text(value: str | list[str]) -> str:
    """Text and lists of text are written alike in JSON and in TOML."""
    return json.dumps(value, ensure_ascii=False)
