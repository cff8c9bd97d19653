"""The mapping by which an export comes back in, as the importer reads it (TOML).

What is fixed stands in `import_mapping.toml`; the codes come from the very tables by which the export writes them, so
that the two cannot part.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files

from hepatrail_events.adverse_events import ActionTaken
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.protocol import Protocol
from hepatrail_services.exporters.ae_terms import CAUSALITIES, CRITERIA, OUTCOMES
from hepatrail_services.exporters.measurement_terms import TERMS

FILE = "import_mapping.toml"


def import_mapping(protocol: Protocol, site_ids: Iterable[str]) -> str:
    """The whole file for a trial and its sites, which are activated before the first row by whoever may do it."""
    fixed = files("hepatrail_services.exporters").joinpath(FILE).read_text(encoding="utf-8")
    head = f"study = {_text(protocol.trial)}\nzone = {_text(protocol.site_zone)}\n"
    sites = f"[sites]\nactivate = true\nids = {_text(sorted(set(site_ids)))}\n" + 'approval_ref = "as exported"\n'
    comment, rest = fixed.split("\n\n", 1)
    return "\n".join((comment, "", head, sites, rest, *(_table(name, lines) for name, lines in _tables())))


def _tables() -> Iterator[tuple[str, Iterable[str]]]:
    tests = [
        f"{term.short} = {{ code = {_text(code)}, category = {_text(term.category)} }}" for code, term in TERMS.items()
    ]
    yield "lb.tests", tests
    yield "vs.tests", tests
    yield "ae.codes", _pairs({code: code for code in AeCode if code is not AeCode.OTHER})
    yield "ae.outcomes", _pairs(_back(OUTCOMES))
    yield "ae.actions", _pairs({action: action for action in ActionTaken})
    yield "ae.causalities", _pairs(_back(CAUSALITIES))
    yield "ae.criteria", _pairs(_back(CRITERIA))


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
