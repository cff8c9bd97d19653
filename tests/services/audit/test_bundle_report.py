"""The report in a bundle: for people, whole in itself, the same every time (RET-01, DAT-08)."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from bundling import export, files
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.measurements import LabResultCorrected
from hepatrail_events.streams import subject_stream
from hepatrail_infra.kafka_admin import DECISIONS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.sealing_keys import ERASED, KEY_MISSING, SubjectKey, kid_of, seal
from log_commits import adverse_event, alert, enrol, publish, sample
from sealed_log import SealedLog, sealed_history

KEY = SubjectKey(kid_of("S-00"), bytes(range(64)))
VERBATIM = "fever <b>& chills</b> \u53d1\u70ed"


class Page(HTMLParser):
    """What a reader of the page meets: elements with their attributes, ids, links, text by element."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(raw.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def trial() -> SealedLog:
    """One participant with a corrected value, an adverse event whose text is sealed, and an alert."""
    sealed = SealedLog()
    publish(sealed.log)
    sealed.publish_key()
    stream = enrol(sealed.log, "S-00")
    (result,) = sample(sealed.log, stream, creatinine="88")
    reason = seal(KEY, sealed.log.uuid(), "reason", "typing error")
    corrected = LabResultCorrected(
        id=result, field="value", old_value="88", new_value="79", reason=reason, accepted=True
    )
    sealed.log.commit(stream, corrected, actor="dr-wu")
    event = adverse_event(sealed.log, stream, verbatim=seal(KEY, sealed.log.uuid(), "verbatim", VERBATIM))
    alert(sealed.log, 1, event, "S-00")
    refused = Decision(
        commandid=sealed.log.uuid(),
        commandtype="startSession",
        stream=stream,
        bodyhash="0" * 64,
        verdict=Verdict.REJECTED,
        code=Code.RULE,
        rule="SES-02",
        message="The weight <is> too old.",
        input={"weightKg": "60"},
        version=4,
        recordedat=sealed.log.now,
        receivedat=sealed.log.now,
        actorid="dr-li",
        actorrole="INVESTIGATOR",
        studyseq=2,
        producer="hepatrail/test",
    )
    sealed.log._add(DECISIONS, partition_of(stream), stream.encode(), refused.raw(), ())
    sealed.seal()
    return sealed


async def report(
    path: Path, keys: dict[str, SubjectKey | object] | None = None, sealed: SealedLog | None = None
) -> bytes:
    await export((sealed or trial()).source(), path, keys=keys)  # type: ignore[arg-type]
    return files(path)["report.html"]


async def test_ret_01_the_report_shows_course_trail_alerts_and_refusals(tmp_path: Path) -> None:
    page = Page(await report(tmp_path / "bundle.zip"))
    text = "".join(page.texts)
    for wanted in (
        "Participant S-00", "ENROLLED", "creatinine", "FEVER", "Alerts", "SAE_NEW", "Audit trail", "LabResultCorrected",
        "dr-wu (INVESTIGATOR, Hospital)", "startSession", "SES-02", "The weight <is> too old.", "Protocol versions",
        "Asia/Shanghai", "All times are UTC",
    ):  # fmt: skip
        assert wanted in text, wanted
    # Who, when, which field, old value, new value and why, in one row of the trail.
    at = page.texts.index("LabResultCorrected")
    row = page.texts[at + 1 : at + 6]
    assert row[1:] == ["value", "88", "79", "sealed"]
    assert VERBATIM not in text
    assert "sealed: the key is not in this bundle" in text


async def test_text_is_shown_with_its_key_and_named_without_it(tmp_path: Path) -> None:
    page = Page(await report(tmp_path / "bundle.zip", {"S-00": KEY}))
    assert VERBATIM in page.texts
    assert "typing error" in page.texts
    assert "shown: the key is in this bundle" in page.texts
    for state in (ERASED, KEY_MISSING):
        page = Page(await report(tmp_path / "bundle.zip", {"S-00": state}))
        assert state.value in page.texts
        assert VERBATIM not in "".join(page.texts)
    wrong = SubjectKey(KEY.kid, bytes(64))
    assert "does not open: altered or moved" in Page(await report(tmp_path / "bundle.zip", {"S-00": wrong})).texts


async def test_the_page_needs_nothing_from_outside_and_is_read_by_everybody(tmp_path: Path) -> None:
    raw = await report(tmp_path / "bundle.zip", sealed=sealed_history(4, subjects=4))
    page = Page(raw)
    assert not page.open
    assert page.attributes("html") == [{"lang": "en"}]
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert b"http" not in raw
    assert b"url(" not in raw
    assert len(page.attributes("title")) == len(page.attributes("main")) == len(page.attributes("h1")) == 1
    assert {each.get("scope") for each in page.attributes("th")} == {"col", "row", "rowgroup"}
    assert len(page.attributes("caption")) == len(page.attributes("table"))
    assert {"Scores", "Visits", "Data queries", "Adverse events"} <= set(page.texts)
    anchors = {each["id"] for each in page.attributes("h2") if "id" in each}
    assert {f"#{anchor}" for anchor in anchors} == {each["href"] for each in page.attributes("a")}
    assert anchors == {f"participant-{name}" for name in ("S-00", "S-01", "S-02", "S-03", "S-FAILED")}


async def test_dat_08_the_report_of_the_same_log_has_the_same_bytes(tmp_path: Path) -> None:
    first = await report(tmp_path / "first.zip", sealed=sealed_history(4))
    assert first == await report(tmp_path / "second.zip", sealed=sealed_history(4))


@pytest.mark.parametrize("subject", ["S-00", "S-02"])
async def test_a_participants_report_is_about_nobody_else(subject: str, tmp_path: Path) -> None:
    await export(sealed_history(4).source(), tmp_path / "one.zip", subject_id=subject)
    page = Page(files(tmp_path / "one.zip")["report.html"])
    assert [each["id"] for each in page.attributes("h2") if "id" in each] == [f"participant-{subject}"]
    assert subject_stream(subject) in page.texts


async def test_what_cannot_be_read_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    sealed = trial()
    sealed.log.raw(subject_stream("S-00"), b"garbage")
    sealed.log.raw("nobody", b"\xff")
    sealed.seal()
    text = "".join(Page(await report(tmp_path / "bundle.zip", sealed=sealed)).texts)
    assert "Not shown: " in text
    assert "NOT_JSON" in text
    assert "ENROLLED" in text
