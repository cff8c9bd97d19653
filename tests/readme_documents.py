"""The GraphQL documents that the README tells a newcomer to send."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
DOCUMENTS: tuple[str, ...] = tuple(re.findall(r"```graphql\n(.*?)```", README.read_text(), re.DOTALL))


def document(begins: str) -> str:
    """The one document that begins so."""
    (found,) = [each for each in DOCUMENTS if each.startswith(begins)]
    return found
