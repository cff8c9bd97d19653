"""What the README tells a newcomer to send is valid against the schema, and shows what it promises."""

import pytest
from graphql import parse, validate

from hepatrail_graphql.schema import SCHEMA
from readme_documents import DOCUMENTS


def test_the_readme_shows_each_kind_of_operation() -> None:
    assert {text.split()[0] for text in DOCUMENTS} == {"query", "mutation", "subscription"}


def test_the_readme_shows_what_a_client_developer_looks_for() -> None:
    names = {text.split("{")[0].split("(")[0].strip() for text in DOCUMENTS}
    assert names >= {"query Course", "query Explained", "query AsOf", "mutation CorrectResult", "mutation Answer"}


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text.split("{")[0].split("(")[0].strip())
def test_a_document_of_the_readme_is_valid(text: str) -> None:
    assert validate(SCHEMA._schema, parse(text)) == []
