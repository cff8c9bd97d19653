"""`hepatrail validate scores`: the hospital's own validation, without any server or setting."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatrail_cli.main import app
from score_inputs import SAMPLE, vector_file

SHARED = Path(__file__).resolve().parents[3] / "../shared/domain/score_vectors.csv"


@pytest.fixture
def hepatrail(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("HEPATRAIL_KAFKA", "HEPATRAIL_POSTGRES"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner()


def file_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "vectors.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


@pytest.mark.skipif(not SHARED.is_file(), reason="the shared reference vectors are not here")
def test_the_reference_vectors_pass_whole(hepatrail: CliRunner) -> None:
    answer = hepatrail.invoke(app, ["validate", "scores", str(SHARED)])
    assert (answer.exit_code, answer.output) == (0, "411 passed, 0 failed\n")


def test_a_file_of_the_hospital_passes(hepatrail: CliRunner, tmp_path: Path) -> None:
    answer = hepatrail.invoke(app, ["validate", "scores", file_of(tmp_path, vector_file(SAMPLE))])
    assert (answer.exit_code, answer.output) == (0, f"{len(SAMPLE)} passed, 0 failed\n")


def test_a_broken_vector_is_one_line_with_case_expected_and_computed(hepatrail: CliRunner, tmp_path: Path) -> None:
    broken = [row | {"expected": row["expected"].replace('"score": 15', '"score": 16')} for row in SAMPLE]
    answer = hepatrail.invoke(app, ["validate", "scores", file_of(tmp_path, vector_file(broken))])
    assert answer.exit_code == 1
    assert answer.output.splitlines() == [
        'T-1: expected {"score": 16}, computed {"score": 15}',
        f"{len(SAMPLE) - 1} passed, 1 failed",
    ]


def test_a_file_of_another_format_is_refused_with_line_and_column(hepatrail: CliRunner, tmp_path: Path) -> None:
    rows = [*SAMPLE, SAMPLE[0] | {"id": "T-99", "score": "sofa_2_2025"}]
    path = file_of(tmp_path, vector_file(rows))
    answer = hepatrail.invoke(app, ["validate", "scores", path])
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert f"{path}: line {len(rows) + 1}, column score: 'sofa_2_2025' is no score; known: meld_2002" in answer.stderr


def test_a_file_that_is_not_there_or_a_directory_is_refused(hepatrail: CliRunner, tmp_path: Path) -> None:
    assert hepatrail.invoke(app, ["validate", "scores", str(tmp_path / "none.csv")]).exit_code == 2
    assert hepatrail.invoke(app, ["validate", "scores", str(tmp_path)]).exit_code == 2


@pytest.mark.parametrize(
    "content",
    [
        b"id,score,inputs,expected\n",
        b"\x00\x01\x02\xff\xfe",
        b"id,score,inputs,expected\nA,gcs,\xff,{}\n",
        b"id,score,inputs,expected\nA,gcs,\x00,{}\n",
        b"id,score,inputs,expected\nA,gcs," + b"[" * 50_000 + b",{}\n",
        b'id,score,inputs,expected\nA,gcs,"{""gcs_eye"": ' + b"9" * 90_000 + b'}","{""status"": ""complete""}"\n',
    ],
)
def test_a_hostile_file_is_refused_without_a_trace(hepatrail: CliRunner, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hostile.csv"
    path.write_bytes(content)
    answer = hepatrail.invoke(app, ["validate", "scores", str(path)])
    assert answer.exit_code == 2
    assert "line " in answer.stderr
    assert isinstance(answer.exception, SystemExit)


def test_control_characters_of_a_case_never_reach_the_terminal(hepatrail: CliRunner, tmp_path: Path) -> None:
    row = SAMPLE[0] | {"id": "A\x1b[2J\nB", "expected": '{"status": "incomplete", "x": "\\u001b[2J"}'}
    answer = hepatrail.invoke(app, ["validate", "scores", file_of(tmp_path, vector_file([row]))])
    assert answer.exit_code == 1
    assert "\x1b" not in answer.output
    assert len(answer.output.splitlines()) == 2
