"""`make demo` on the real stack: alerts reach the officer, the client sees a course, the auditor proves the log."""

import asyncio
import re
import sys
from pathlib import Path

from hepatrail_events.protocol import shipped_protocol
from hepatrail_infra.kafka_log import partition_of


async def test_the_demo_plays_a_trial_and_stops_cleanly(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hepatrail_cli.demo", "--participants", "12", "--report", str(tmp_path / "report")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text
    alerts = [int(number) for number in re.findall(r"alert (\d+) [A-Z_]+:", text)]
    assert len(alerts) >= 4
    assert alerts == list(range(1, len(alerts) + 1))
    assert re.search(r"clock EC_SAE_24H RUNNING, due .*minutes pass, nobody acknowledges alert (\d+)", text, re.S), text
    assert re.search(
        r"alert 1 escalated to level 1.*alert \d+ acknowledged by the officer: escalation stops", text, re.S
    ), text
    assert re.search(r"escalation stops.*clock EC_SAE_24H MET", text, re.S), text
    for visit in (point.code for point in shipped_protocol().points):
        assert re.search(
            rf"^\s*{visit}\s+complete_\w+\s+(\d+)/\1\s+\d+|^\s*{visit}\s+partial\s+2\d/2\d\s+\d+", text, re.M
        ), text
    assert re.search(r"^\s*BL\s+complete_in_window\s+25/25(\s+\d+){6}\s*$", text, re.M), text
    assert re.search(r"Compliance: \d+ of 14 time points complete in their window", text), text
    assert re.search(r"Why MELD 3.0 is \d+ at D7: formula meld_3_0, protocol ", text), text
    assert re.search(r"creatinine\s+[\d.]+\s+umol/L\s+\d{4}-\d\d-\d\dT\d\d:\d\d\s+[0-9a-f-]{36}", text), text
    assert re.search(r"Why SOFA is not computed at \w+: missing fio2 \(.*waives\); pao2", text, re.S), text
    assert re.search(r"LOCAL_BLEEDING\s+3\s+was\s+case A", text), text
    assert re.search(r"Open data queries: [1-9]", text), text
    assert max(len(line) for line in text.splitlines() if "report.html" not in line) <= 100
    _is_proven(text)
    assert re.search(r"tables of 1\d treated participants as of \S+ .*report/report\.html", text), text
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<svg") > 25 and "Overall survival" in page
    assert "simulated clock" in text
    assert "Stopped cleanly" in text


def _is_proven(text: str) -> None:
    """The auditor's part: the log is whole, a copy with one result altered is not, the bundle verifies by itself."""
    said = re.sub(r"\s+", " ", text.partition("Auditor: the log itself")[2])
    whole = re.search(r"whole: (\d+) events in (\d+) streams, .*?; 12 trees agree with (\d+) seals;", said)
    assert whole, said
    assert "every chain holds" in said
    seal = re.search(r"seal (\d+) \(DEMAND\) at \S+: (\d+) events; the auditor keeps", said)
    assert seal, said
    assert int(seal[1]) > int(whole[3])
    assert int(seal[2]) >= int(whole[1])
    forged = re.search(
        r"forged in a copy: (subject-\S+)@\d+: creatinine ([\d.]+) -> ([\d.]+) (?:umol/L|mg/dL), (\d+) hashes", said
    )
    assert forged, said
    assert float(forged[3]) < float(forged[2])
    assert int(forged[4]) > 0
    named = re.search(r"verification says: ROOT_MISMATCH at hepatrail\.events/(\d+)@\d+.*? bundle of", said)
    assert named, said
    assert int(named[1]) == partition_of(forged[1])
    assert forged[1] in named[0]
    assert re.search(rf"seals: {seal[1]} of .* events: {seal[2]} of the log .* trusted because it goes back", said), (
        said
    )
    assert "WHOLE" in said
    assert "BROKEN" not in said
