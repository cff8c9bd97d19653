"""An export goes into a running system through its API, and comes out of that with the same rows."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

from hepatrail_events.types import format_instant
from hepatrail_services.exporters.dataset_json import Form, Row
from hepatrail_services.exporters.domains import DOMAINS
from hepatrail_services.exporters.import_mapping import FILE, import_mapping
from sdtm_export_back import comparable
from sdtm_export_course import END, course
from sdtm_export_rows import exported, files_of, rows_at, streams_of, table
from stack import running_stack

SITES = ("A-2", "BFH")


async def test_what_was_exported_is_imported_and_exported_again_with_the_same_rows(tmp_path: Path) -> None:
    subjects, protocol = rows_at(streams_of(course().records), END)
    out = exported(subjects, protocol)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    for name, content in files_of(out, Form.JSON).items():
        (first / name).write_bytes(content)
    (first / FILE).write_text(import_mapping(protocol, SITES), encoding="utf-8")
    async with running_stack() as stack:
        await stack.accept(
            "publishProtocol",
            "SPONSOR",
            version="as exported",
            content=protocol.content(),
            approvedBy="sponsor",
            reason="the protocol of the exported trial",
            effectiveAt=format_instant(datetime.now(UTC)),
        )
        refused, findings = tmp_path / "refused.csv", tmp_path / "findings.csv"
        account = ("--refused", str(refused), "--findings", str(findings))
        mapping = ("--mapping", str(first / FILE))
        imported = await stack.command("import", "sdtm", str(first), *mapping, *account)
        assert imported.returncode == 0, imported.stderr
        with refused.open(encoding="utf-8", newline="") as file:
            assert list(csv.DictReader(file)) == []
        again = await stack.command("import", "sdtm", str(first), *mapping, *account)
        assert again.returncode == 0, again.stderr
        written = await stack.command("export", "sdtm", "--out", str(second))
        assert written.returncode == 0, written.stderr
    back = {each.dataset.name: _rows(second / f"{each.stem}.json") for each in DOMAINS}
    for each in DOMAINS:
        name = each.dataset.name
        assert len(table(out, name)) > 0
        assert comparable(back, name) == comparable(out, name), name


def _rows(path: Path) -> list[Row]:
    return [tuple(row) for row in json.loads(path.read_text(encoding="utf-8"))["rows"]]
