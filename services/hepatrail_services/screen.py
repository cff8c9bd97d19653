"""The identifier screen for free text (PRV-02): what must never be sealed into an immutable log.

It looks for what identifies a person by form (identity card, telephone, e-mail) or by the words that announce
it (name, date of birth, address, hospital number), in Chinese and English. A finding refuses the text. The sentence
names the kind, never the text. The screen errs on the side of refusing; names without any such word beside them
cannot be told from other words and are not found.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a text is refused: the kind of identifier, and the sentence for the writer."""

    kind: str
    sentence: str


_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63})+")
_MOBILE = re.compile(r"(?<![\d.])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\d.]\d|\d)")
_LANDLINE = re.compile(r"(?<![\d.])(?:\(0\d{2,3}\)|0\d{2,3})[ -]?\d{7,8}(?!\d)")
_INTERNATIONAL = re.compile(r"(?<![\w.])(?:\+|00)[1-9]\d{0,2}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){2,4}(?!\d)")
_IDENTITY_CARD = re.compile(r"(?<!\d)\d{6}(\d{4})(\d{2})(\d{2})\d{3}[\dXx](?![\dA-Za-z])")
_OLD_IDENTITY_CARD = re.compile(r"(?<!\d)[1-9]\d{5}(\d{2})(\d{2})(\d{2})\d{3}(?!\d)")

_IS = r"\s*(?:[:=,]|is\b|was\b|为|是|叫)?\s*"
_NAME = re.compile(
    rf"姓名{_IS}[一-鿿]{{2,4}}|[一-鿿]{{1,3}}(?:先生|女士|小姐)"
    r"|\b(?i:patient|subject|participant|family|full|last|first|given)(?i:'s)?\s+(?i:name)"
    rf"{_IS}(?:[A-Z][a-z]+|[一-鿿]{{2,4}})"
    r"|\b(?:Mr|Mrs|Ms|Miss|MR|MRS|MS)\b\.?\s+[A-Z][A-Za-z'-]+"
    rf"|(?<![A-Za-z])(?i:name)\s*[:=]\s*(?:[A-Z][a-z]+|[一-鿿]{{2,4}})"
)
_DAY = r"(?:\d{4}\s*[-/.年]\s*\d{1,2}|\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4})"
_BIRTH = re.compile(
    rf"(?:(?i:\bdate of birth|\bbirth ?date|\bbirthday|\bd\.?o\.?b\b\.?|\bborn)|出生日期|出生年月|生日|生于|出生于?)"
    rf"(?:{_IS}|\s+(?:on|in)\s+){_DAY}"
)
_ADDRESS = re.compile(
    r"(?:家庭住址|住址|地址|居住地|户籍)\s*[:=为是]?\s*[一-鿿]{2,}"
    r"|\b(?i:home address|address|lives at|residing at)\b\s*(?:[:=]|is\b)?\s*(?:\d+\s+\w+|[A-Z一-鿿])"
)
_HOSPITAL_NUMBER = re.compile(
    r"(?:住院号|病历号|病案号|门诊号|就诊卡号|医保号|身份证号?|护照号?)(?:码)?\s*[:=为是]?\s*[A-Za-z]{0,3}\d{4,}"
    r"|\b(?i:mrn|(?:medical|hospital|patient|admission|passport|insurance|record|id)"
    r"\s*(?:card|record)?\s*(?:number|no\.?|num\b|#))\s*(?:[:=#]|is\b)?\s*[A-Za-z]{0,3}\d{4,}"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


def damaged(text: str) -> bool:
    """Whether the text holds NUL or a lone surrogate, which no database or canonical JSON can keep."""
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def screen(text: str) -> Finding | None:
    """The first identifier found in the text, None when there is none."""
    plain = unicodedata.normalize("NFKC", text)
    if _EMAIL.search(plain):
        return _finding("an e-mail address")
    if any(_is_identity_card(match) for match in _IDENTITY_CARD.finditer(plain)):
        return _finding("an identity card number")
    if any(_is_day("19" + match[1], match[2], match[3]) for match in _OLD_IDENTITY_CARD.finditer(plain)):
        return _finding("an identity card number")
    for kind, pattern in _BY_FORM_AND_WORD:
        if pattern.search(plain):
            return _finding(kind)
    return None


_BY_FORM_AND_WORD = (
    ("a hospital or document number", _HOSPITAL_NUMBER),
    ("a telephone number", _MOBILE),
    ("a telephone number", _LANDLINE),
    ("a telephone number", _INTERNATIONAL),
    ("a date of birth", _BIRTH),
    ("a person's name", _NAME),
    ("an address", _ADDRESS),
)


def _finding(kind: str) -> Finding:
    return Finding(kind, f"seems to hold {kind}: write it without anything that identifies a person")


def _is_identity_card(match: re.Match[str]) -> bool:
    """GB 11643: a real date of birth and the check digit; a mistyped check digit still counts with a real date."""
    digits = match[0].upper()
    checked = _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False)) % 11]
    return checked == digits[17] or _is_day(match[1], match[2], match[3])


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        return 1900 <= date(int(year), int(month), int(day)).year <= 2100
    except ValueError:
        return False
