"""Numbers that a command must state within limits; exact decimals stay text."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from hepatrail_events.types import DECIMAL_PATTERN


def _positive(text: str) -> str:
    if Decimal(text) <= 0:
        raise ValueError("must be more than 0")
    return text


def _percent(text: str) -> str:
    if not 0 <= Decimal(text) <= 100:
        raise ValueError("must be a percentage from 0 to 100")
    return text


PositiveDecimal = Annotated[str, Field(pattern=DECIMAL_PATTERN), AfterValidator(_positive)]
"""Exact decimal text above zero."""
PercentDecimal = Annotated[str, Field(pattern=DECIMAL_PATTERN), AfterValidator(_percent)]
"""Exact decimal text from 0 to 100."""
