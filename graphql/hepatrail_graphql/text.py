"""Free text: sealed in every store, opened here for the roles that may read it, and `ERASED` once its key is gone."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Protocol

import strawberry

from hepatrail_events.errors import Unavailable
from hepatrail_events.types import SealedText
from hepatrail_infra.sealing_keys import ERASED, Keyring, SealBroken


@strawberry.enum(description="Whether a free text can be read.")
class TextState(Enum):
    """Whether a free text can be read."""

    CLEAR = strawberry.enum_value("CLEAR", description="The text stands in `value`.")
    SEALED = strawberry.enum_value("SEALED", description="Your role may not read free text.")
    ERASED = strawberry.enum_value(
        "ERASED", description="The participant's key was destroyed: the text is gone for good."
    )
    KEY_MISSING = strawberry.enum_value(
        "KEY_MISSING", description="The vault has lost the key; a restore may bring it back."
    )
    BROKEN = strawberry.enum_value("BROKEN", description="The stored text was altered and does not open.")
    UNAVAILABLE = strawberry.enum_value("UNAVAILABLE", description="The vault is away for now; ask again.")


@strawberry.type(description="Free text, as far as you may read it.")
class Text:
    """Free text, as far as the caller may read it."""

    value: str | None = strawberry.field(description="The text; null unless `state` is CLEAR.")
    state: TextState = strawberry.field(description="Why the text is, or is not, readable.")


class Vault(Protocol):
    """The port to the keys."""

    async def keyring(self, kids: Iterable[str]) -> Keyring:
        """The keys of these ids; Unavailable when the vault is away."""
        ...

    async def healthy(self) -> bool:
        """Whether the vault answers and no key is missing."""
        ...


class Opener:
    """Opens the texts of one answer with keys fetched beforehand, so that no list waits for the vault."""

    def __init__(self, keyring: Keyring | None, otherwise: TextState = TextState.SEALED) -> None:
        self._keyring = keyring
        self._otherwise = otherwise

    def open(self, sealed: SealedText | str | None) -> Text | None:
        """The text for the caller; None when there is none. Plain text (study stream) is clear to all."""
        if sealed is None:
            return None
        if isinstance(sealed, str):
            return Text(value=sealed, state=TextState.CLEAR)
        if self._keyring is None:
            return Text(value=None, state=self._otherwise)
        if sealed.kid not in self._keyring.keys:
            return Text(value=None, state=TextState.BROKEN)  # under the key of somebody else
        try:
            opened = self._keyring.open(sealed)
        except SealBroken:
            return Text(value=None, state=TextState.BROKEN)
        if isinstance(opened, str):
            return Text(value=opened, state=TextState.CLEAR)
        return Text(value=None, state=TextState.ERASED if opened is ERASED else TextState.KEY_MISSING)

    def needed(self, sealed: SealedText | str | None) -> Text:
        """The same for a text that is always there."""
        text = self.open(sealed)
        assert text is not None
        return text


SEALED: Opener = Opener(None)
"""For roles that read no free text."""


async def opener(vault: Vault, kids: Iterable[str], *, may_read: bool) -> Opener:
    """An opener for the texts under these keys. A vault that is away never withholds the rest of an answer."""
    if not may_read:
        return SEALED
    try:
        return Opener(await vault.keyring(sorted(set(kids))))
    except Unavailable:
        return Opener(None, TextState.UNAVAILABLE)


def sealed_text(stored: Mapping[str, Any] | str | None) -> SealedText | str | None:
    """A text as rows hold it: sealed, plain, or plain as `{"text": ...}` (study stream)."""
    if stored is None or isinstance(stored, str):
        return stored
    plain = stored.get("text")
    return plain if isinstance(plain, str) else SealedText.model_validate(stored)
