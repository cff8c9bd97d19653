"""What the README tells a newcomer to send is valid against the schema."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from hepatrail_graphql.schema import SCHEMA

README = Path(__file__).parents[2] / "README.md"
DOCUMENTS = re.findall(r"```graphql\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_readme_shows_each_kind_of_operation() -> None:
    assert {document.split()[0] for document in DOCUMENTS} == {"query", "mutation", "subscription"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_of_the_readme_is_valid(document: str) -> None:
    assert validate(SCHEMA._schema, parse(document)) == []
