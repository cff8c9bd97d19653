"""`hepatrail audit replay`, `diff` and `compare`, as an auditor types them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner, Result

from hepatrail_cli.main import app
from hepatrail_events.measurements import LabResultCorrected
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_infra.vault import Vault
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.digests import digests
from hepatrail_projections.schema import schema_name
from hepatrail_services.access_log import AccessRecord
from log_commits import adverse_event, enrol, publish, sample
from logbook import committed
from projection_kafka import write
from projection_log import SEALED, LogWriter
from projection_tables import Tables

MASTER_KEY = bytes(range(64))
COURSE = """query Course($id: ID!) {
  subject(id: $id) { id status asOf labResults { value } adverseEvents { verbatim { value state } } }
  events(first: 200) { edges { node { type } } }
}"""


@dataclass
class Desk:
    """An auditor's terminal, and the log that it is about."""

    log: LogWriter
    tables: Tables
    kafka: str
    result_id: UUID
    before: datetime

    async def run(self, *arguments: str) -> Result:
        """Runs `hepatrail audit ...` as a process of its own would."""
        return await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments])

    async def access(self) -> list[AccessRecord]:
        """What went on record."""
        return [AccessRecord.read(each.value) for each in await committed(self.kafka, ACCESS)]


@pytest.fixture
async def desk(kafka: str, dsns: Dsns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Desk]:
    """A participant with a result that is corrected an hour later, and an adverse event in words."""
    tables = await Tables.create(dsns)
    vault = Vault(dsns.vault_use, MASTER_KEY, dsns.vault_destroy)
    await vault.start()
    verbatim = vault.seal(await vault.key_for("S-00", create=True), uuid4(), "verbatim", "shivers at night")
    await vault.stop()
    log = LogWriter(451)
    publish(log)
    stream = enrol(log, "S-00")
    (result_id,) = sample(log, stream, creatinine="51.3")
    adverse_event(log, stream, verbatim=verbatim)
    before = log.now
    log.tick(60)
    body = {"id": result_id, "field": "value", "newValue": "17.1", "reason": SEALED, "accepted": True}
    log.commit(stream, LabResultCorrected.from_payload(body))
    await write(kafka, log.records)
    engine = await tables.engine()
    await catch_up(engine, kafka)
    await engine.close()
    given = {
        "KAFKA": kafka,
        "POSTGRES_OWNER": dsns.owner,
        "POSTGRES_READER": dsns.reader,
        "VAULT_USE": dsns.vault_use,
        "VAULT_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"HEPATRAIL_{name}", value)
    monkeypatch.chdir(tmp_path)
    yield Desk(log, tables, kafka, result_id, before)
    await tables.close()


def course(path: Path) -> str:
    (path / "course.graphql").write_text(COURSE, encoding="utf-8")
    return str(path / "course.graphql")


async def asked(desk: Desk, at: datetime, tmp_path: Path, *more: str) -> Any:
    variables = json.dumps({"id": "S-00"})
    arguments = ["--as-of", format_instant(at), "--query", course(tmp_path), "--variables", variables, *more]
    done = await desk.run("replay", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["data"]


async def test_aud_12_a_document_is_answered_as_the_system_would_have_then(desk: Desk, tmp_path: Path) -> None:
    then = await asked(desk, desk.before, tmp_path)
    now = await asked(desk, desk.log.now, tmp_path, "--subject", "S-00", "--by", "dr-audit")
    assert [each["value"] for each in then["subject"]["labResults"]] == ["51.3"]
    assert [each["value"] for each in now["subject"]["labResults"]] == ["17.1"]
    assert then["subject"]["asOf"] == format_instant(desk.before)
    for answer in (then, now):
        assert answer["subject"]["adverseEvents"] == [{"verbatim": {"value": "shivers at night", "state": "CLEAR"}}]
    types = [[each["node"]["type"] for each in answer["events"]["edges"]] for answer in (then, now)]
    assert types[1] == [*types[0], "LabResultCorrected"]
    records = [each for each in await desk.access() if (each.detail or {}).get("list") == "replay"]
    assert [(each.kind, each.actorid, each.actorrole) for each in records] == [
        ("TRAIL_READ", "audit replay", "AUDITOR"),
        ("TRAIL_READ", "dr-audit", "AUDITOR"),
    ]
    assert [(each.detail or {})["asOf"] for each in records] == [
        format_instant(each) for each in (desk.before, desk.log.now)
    ]


async def test_without_the_vault_the_text_is_unavailable_and_the_rest_is_answered(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEPATRAIL_VAULT_USE")
    found = await asked(desk, desk.before, tmp_path)
    assert found["subject"]["adverseEvents"] == [{"verbatim": {"value": None, "state": "UNAVAILABLE"}}]


async def test_a_replay_of_all_that_was_recorded_prints_the_digests_of_the_live_projection(desk: Desk) -> None:
    done = await desk.run("replay", "--as-of", format_instant(desk.log.now), "--digests")
    assert done.exit_code == 0, done.output
    *printed, last = done.stdout.splitlines()
    async with connection(desk.tables.dsns.owner) as owner:
        wanted = await digests(owner, schema_name())
    assert dict(each.split() for each in printed) == wanted
    assert last.startswith(
        f"replayed 6 events in 2 streams as of {format_instant(desk.log.now)}: {len(wanted)} tables, "
    )


async def test_a_replay_takes_no_command_and_errors_of_a_document_end_with_2(desk: Desk, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.graphql"
    wrong.write_text("{ nothing }", encoding="utf-8")
    done = await desk.run("replay", "--as-of", format_instant(desk.before), "--query", str(wrong))
    assert (done.exit_code, json.loads(done.stdout)["errors"][0]["extensions"]["code"]) == (2, "BAD_USER_INPUT")
    command = tmp_path / "command.graphql"
    command.write_text(
        'mutation { activateSite(input: {commandId: "00000000-0000-4000-8000-000000000001", siteId: "X", '
        'approvalRef: "EC"}) { __typename ... on CommandRejected { rule } } }',
        encoding="utf-8",
    )
    refused = await desk.run("replay", "--as-of", format_instant(desk.before), "--query", str(command))
    assert json.loads(refused.stdout)["data"]["activateSite"] == {"__typename": "CommandRejected", "rule": "AUD-12"}


async def test_aud_12_a_difference_names_the_values_the_event_the_person_and_the_reason(desk: Desk) -> None:
    until = format_instant(desk.log.now)
    done = await desk.run("diff", "--from", format_instant(desk.before), "--to", until)
    assert done.exit_code == 0, done.output
    *lines, last = done.stdout.splitlines()
    event = f"LabResultCorrected subject-S-00@5 by dr-li (INVESTIGATOR) at {until}: sealed"
    assert f"S-00 lab_result {desk.result_id}: canonical_value 51.3 -> 17.1; {event}" in lines
    assert all(each.endswith(event) for each in lines)
    assert last == f"{len(lines)} values changed by 1 events"
    as_json = await desk.run(
        "diff", "--from", format_instant(desk.before), "--to", until, "--subject", "S-00", "--json"
    )
    changes = json.loads(as_json.stdout)["changes"]
    assert len(changes) == len(lines)
    (value,) = [each for each in changes if each["column"] == "canonical_value"]
    assert (value["old"], value["new"], value["causes"][0]["why"]) == ("51.3", "17.1", "sealed")
    quiet = await desk.run(
        "diff", "--from", format_instant(desk.log.now), "--to", "2026-02-01T00:00:00Z", "--subject", "S-01"
    )
    assert quiet.stdout == "0 values changed by 0 events\n"


async def test_compare_ends_with_0_when_nothing_differs_and_with_1_when_something_does(desk: Desk) -> None:
    well = await desk.run("compare")
    assert well.exit_code == 0, well.output
    assert well.stdout.splitlines()[-1].endswith(" rows: no difference")
    live = schema_name()
    async with connection(desk.tables.dsns.owner) as owner:
        await owner.execute(f"UPDATE {live}.lab_result SET canonical_value = '99'")
    bad = await desk.run("compare")
    assert bad.exit_code == 1
    place = f"lab_result S-00|{desk.result_id}"
    assert f"{place}: canonical_value is 99, by the log 17.1" in bad.stdout.splitlines()
    assert bad.stdout.splitlines()[-1].endswith(" rows: 1 differs")
    assert json.loads((await desk.run("compare", "--json")).stdout)["values"][0]["old"] == "99"


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "--as-of", "yesterday"),
        ("replay", "--as-of", "2026-01-01T00:00:00Z", "--variables", "[]"),
        ("diff", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["audit", *arguments]).exit_code == 2


def test_without_a_stack_it_could_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEPATRAIL_KAFKA", raising=False)
    for arguments in (["compare"], ["diff", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z"]):
        done = CliRunner().invoke(app, ["audit", *arguments, "--data-dir", str(tmp_path / "none")])
        assert (done.exit_code, done.stderr.startswith("could not read: ")) == (2, True)
