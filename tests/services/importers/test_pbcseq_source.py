"""`pbcseq` as rows of SDTM, from a few rows made for it; no shared data are needed."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatrail_cli.main import app
from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.mapping import SdtmMapping, read_mapping
from hepatrail_services.importers.pbcseq import pbcseq_source, read_pbcseq
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.source import SourceRow
from pbcseq_course import import_pbcseq, pbcseq_rows

HEADER = "id,futime,status,trt,age,sex,day,ascites,bili,chol,albumin,alk.phos,ast,platelet,protime,stage"
FILE = f"""{HEADER}
1,400,2,1,58.77,f,0,1,14.5,261,2.6,1718,138.0,190,12.2,4
1,400,2,1,58.77,f,192,1,21.3,,2.94,1612,6.2,NA,11.2,4
2,5169,0,0,56.4,m,0,0,1.1,302,4.14,7395,113.5,221,10.6,3
3,1012,1,0,70,f,0,0,1.4,176,3.48,516,96.1,151,12.0,4
"""


@pytest.fixture
def mapping() -> SdtmMapping:
    mapping = read_mapping(Path("pbcseq.toml"))
    assert isinstance(mapping, SdtmMapping)
    return mapping


def written(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "pbcseq.csv"
    path.write_text(text, encoding="utf-8")
    return path


def sent(plan: Plan, mutation: str) -> list[Mapping[str, object]]:
    return [step.input for unit in plan.units for step in unit.steps if step.mutation == mutation]


def test_every_visit_and_every_value_is_a_row(tmp_path: Path) -> None:
    source = read_pbcseq(written(tmp_path))
    assert {domain: len(rows) for domain, rows in source.rows.items()} == {
        "DM": 3,
        "EX": 3,
        "LB": 26,
        "SV": 4,
        "AE": 0,
        "DS": 3,
    }
    assert source.ignored == ("ascites", "stage")
    assert set(source.files.values()) == {"pbcseq.csv"}


def test_a_patient_has_age_in_completed_years_and_no_name_but_a_pseudonym(tmp_path: Path) -> None:
    first, *_, last = read_pbcseq(written(tmp_path)).rows["DM"]
    assert first.values == {
        "USUBJID": "PBC-1",
        "SITEID": "MAYO",
        "DMDTC": "2001-01-01",
        "SEX": "F",
        "ARMCD": "1",
        "AGE": "58",
        "AGEU": "YEARS",
        "DTHDTC": "2002-02-05",
    }
    assert (last["AGE"], last["DTHDTC"]) == ("70", "")


def test_values_are_as_written_in_the_units_of_the_documentation(tmp_path: Path) -> None:
    lb = read_pbcseq(written(tmp_path)).rows["LB"]
    assert [(row["LBTESTCD"], row["LBORRES"], row["LBORRESU"]) for row in lb[:7]] == [
        ("BILI", "14.5", "mg/dL"),
        ("CHOL", "261", "mg/dL"),
        ("ALB", "2.6", "g/dL"),
        ("ALP", "1718", "U/L"),
        ("AST", "138.0", "U/mL"),
        ("PLAT", "190", "10*3/uL"),
        ("PT", "12.2", "s"),
    ]
    second = [row for row in lb if row["USUBJID"] == "PBC-1" and row["VISITNUM"] == "2"]
    assert {row["LBTESTCD"] for row in second} == {"BILI", "ALB", "ALP", "AST", "PT"}
    assert {row["LBDTC"] for row in second} == {"2001-07-12T08:00"}
    assert len({(row["USUBJID"], row["LBSEQ"]) for row in lb}) == len(lb)


def test_day_0_is_measured_before_the_session_that_stands_for_randomisation(
    tmp_path: Path, mapping: SdtmMapping
) -> None:
    plan = plan_import(read_pbcseq(written(tmp_path)), mapping)
    assert [each["startedAt"] for each in sent(plan, "startSession")] == ["2001-01-01T04:00:00.000Z"] * 3
    first = [each["collectedAt"] for each in sent(plan, "recordLabResults") if each["subjectId"] == "PBC-2"]
    assert first == ["2001-01-01T00:00:00.000Z"]
    assert [each["givenAt"] for each in sent(plan, "recordConsent")] == ["2000-12-31T23:00:00.000Z"] * 3


def test_death_transplant_and_the_end_of_follow_up_are_commands(tmp_path: Path, mapping: SdtmMapping) -> None:
    plan = plan_import(read_pbcseq(written(tmp_path)), mapping)
    (death,), (transplant,) = sent(plan, "recordDeath"), sent(plan, "recordTransplant")
    assert (death["subjectId"], death["deathAt"]) == ("PBC-1", {"value": "2002-02-05", "precision": "DAY"})
    assert transplant == {"subjectId": "PBC-3", "transplantAt": {"value": "2003-10-10", "precision": "DAY"}}
    alive = sent(plan, "recordSurvivalStatus")[-1]
    assert alive == {
        "subjectId": "PBC-2",
        "at": "2015-02-26T04:00:00.000Z",
        "alive": "Y",
        "transplant": "NONE",
        "source": "RECORD",
    }
    assert [(kept.row.key, kept.reason) for kept in plan.kept] == [("PBC-1|1", "TOLD_BY_DM")]
    assert plan.refusals == ()


def test_the_mapping_says_what_is_otherwise_than_in_that_of_the_pilot(
    mapping: SdtmMapping, shipped: SdtmMapping
) -> None:
    assert (mapping.study, mapping.sites.ids) == ("PBCSEQ", ("MAYO",))
    assert (mapping.zone, mapping.ae, mapping.sv, mapping.vs) == (shipped.zone, shipped.ae, shipped.sv, shipped.vs)
    assert mapping.lb.tests["PT"].code == "pt"
    assert mapping.ds is not None
    assert shipped.ds is not None
    assert mapping.ds.dispositions.keys() - shipped.ds.dispositions.keys() == {"LIVER TRANSPLANT", "ALIVE"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("albumin,", "", "has no column albumin."),
        ("1,400,2,1,58.77,f,192", "1,401,2,1,58.77,f,192", "row 2: futime '401' is not that of row 1"),
        ("2,5169,0", "2,5169,3", "row 3: status '3' is none of 0, 1, 2."),
        ("f,192,", "f,0,", "row 2: day 0 is not after the patient's earlier row"),
        ("f,192,", "f,401,", "row 2: day 401 is not after the patient's earlier row, or after futime."),
        ("f,192,", "f,1e2,", "row 2: day '1e2' is no such number."),
        (",56.4,", ",,", "row 3: age '' is no such number."),
        ("96.1,151,12.0,4", "96.1,151,12.0", "row 4: it has more or fewer fields than the header."),
        ("3,1012,1,0,70,f,0,", "1,400,2,1,58.77,f,300,", "the rows of id 1 do not stand together."),
    ],
)
def test_a_file_that_is_something_else_is_refused_with_its_row(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert FILE.count(old) >= 1
    with pytest.raises(StartRefused) as refused:
        read_pbcseq(written(tmp_path, FILE.replace(old, new, 1)))
    assert sentence in str(refused.value)


def test_no_file_and_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="is no file"):
        read_pbcseq(tmp_path / "pbcseq.csv")
    with pytest.raises(StartRefused, match="has no column"):
        pbcseq_source(())


def test_the_command_reads_the_file_up_to_the_question_for_the_stack(tmp_path: Path) -> None:
    asked = ["import", "pbcseq", str(written(tmp_path)), "--data-dir", str(tmp_path / "none")]
    done = CliRunner().invoke(app, asked)
    assert (done.exit_code, done.stdout.strip()) == (2, "Not read: ascites, stage")


async def test_patients_made_for_it_go_in_whole() -> None:
    rows: tuple[SourceRow, ...] = pbcseq_rows(seed=3, patients=12)
    imported = await import_pbcseq(pbcseq_source(rows))
    counts = {one.domain: (one.read, one.accepted, one.kept, one.refused) for one in imported.account.domains}
    ends = Counter({row["id"]: row["status"] for row in rows}.values())
    values = Counter(column for row in rows for column in ("chol", "ast", "bili", "albumin") if row[column])
    assert counts == {
        "DM": (12, 12, 0, 0),
        "EX": (12, 12, 0, 0),
        "LB": (values.total(), values["bili"] + values["albumin"], values["chol"] + values["ast"], 0),
        "SV": (len(rows), len(rows), 0, 0),
        "AE": (0, 0, 0, 0),
        "DS": (12, 12 - ends["2"], ends["2"], 0),
    }
    assert min(ends.values()) > 0
