"""The identifier screen (PRV-02): what identifies a person is found, clinical language is not."""

import pytest

from hepatrail_services.screen import damaged, screen


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("an e-mail address", "write to li.wei+study@bfh.example.cn"),
        ("an identity card number", "ID 11010519491231002X"),
        ("an identity card number", "身份证 110105194912310020"),
        ("an identity card number", "old card 110105491231002 shown"),
        ("an identity card number", "１１０１０５１９４９１２３１００２Ｘ"),
        ("a telephone number", "call 13800138000"),
        ("a telephone number", "call 138 0013 8000 after noon"),
        ("a telephone number", "tel. +86 138-0013-8000"),
        ("a telephone number", "ward phone 010-63138000"),
        ("a telephone number", "ward phone (010) 63138000"),
        ("a telephone number", "daughter in London: +44 20 7946 0958"),
        ("a telephone number", "电话１３８００１３８０００"),
        ("a hospital or document number", "住院号：0012345"),
        ("a hospital or document number", "病历号 A123456"),
        ("a hospital or document number", "MRN 4458811"),
        ("a hospital or document number", "hospital number: H44588"),
        ("a hospital or document number", "passport no. E12345678"),
        ("a date of birth", "born on 12 March 1961"),
        ("a date of birth", "DOB: 1961-03-12"),
        ("a date of birth", "date of birth 12/03/61"),
        ("a date of birth", "出生日期：1961年3月12日"),
        ("a date of birth", "患者生于1961年3月"),
        ("a person's name", "姓名：张小明"),
        ("a person's name", "李女士自诉胸闷"),
        ("a person's name", "Mrs. Zhang felt dizzy"),
        ("a person's name", "patient's name is Zhang"),
        ("a person's name", "Name: Zhang Wei"),
        ("an address", "home address: 95 Yong'an Road"),
        ("an address", "住址：北京市西城区永安路"),
    ],
)
def test_what_identifies_a_person_is_found(kind: str, text: str) -> None:
    found = screen(text)
    assert found is not None
    assert found.kind == kind
    assert found.sentence == f"seems to hold {kind}: write it without anything that identifies a person"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fever 39.4 °C since 2026-03-10 08:30, no chills.",
        "发热39.4℃，伴寒战，予物理降温后缓解。",
        "患者高热，神志清楚，血压 120/80 mmHg，心率 110 次/分。",
        "1.67 x 10^8 cells/kg, 10020000000 viable cells, lot L-2026-0042",
        "ALT 1380 U/L, AST 13800 U/L, platelets 45 x 10^9/L",
        "Session paused twice: circuit clotting at 13:05 and 14:20.",
        "Dose 1000000000000 cells; batch C-21, release QP-21",
        "Discussed with the principal investigator and with Dr. Smith's team.",
        "Admission to the ICU, room 12, for prolonged observation",
        "no name was recorded on the tube; sample discarded",
        "Patient complained of chest pain; the first name-checked tube was haemolysed",
        "Sample 20260310-0012 was switched with sample 20260310-0013",
        "phone contact with the family on 10 March 2026",
        "Address the coagulopathy before the next session",
        "由于凝血功能异常，暂停治疗",
        "先天性心脏病史，小便正常，女性",
        "birth weight not known",
        "The value was 0.1234567890123 mg/dL",
    ],
)
def test_clinical_language_passes(text: str) -> None:
    assert screen(text) is None


@pytest.mark.parametrize("text", ["\x00", "fever\x00", "\ud800", "a\udfffb"])
def test_characters_that_cannot_be_kept_are_found(text: str) -> None:
    assert damaged(text)


@pytest.mark.parametrize("text", ["", "fever", "𠀀 and 😀", "\t\n\x7f\ufffd"])
def test_other_characters_are_kept(text: str) -> None:
    assert not damaged(text)
