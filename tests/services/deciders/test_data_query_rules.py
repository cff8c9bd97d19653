"""Answers to data queries and their closing (`events.md` 3.10)."""

from builders.commands import command
from builders.ids import QUERY
from builders.participant import consent
from builders.payloads import a_sealed
from builders.records import query_answered, query_closed
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from specification import given


def test_a_query_is_answered_as_often_as_needed_also_when_closed() -> None:
    answered = QueryAnswered(query_id=QUERY, text=a_sealed("text"))
    given(consent()).when(command("answerQuery")).then(answered)
    given(consent(), query_answered(), query_closed()).when(command("answerQuery")).then(answered)


def test_dat_04_a_closed_query_names_the_version_of_its_rule() -> None:
    given(consent()).when(command("closeQuery", ruleVersion="1.1")).then(
        QueryClosed(query_id=QUERY, reason=a_sealed(), rule_version="1.1")
    )


def test_to_close_a_query_again_for_the_same_version_of_its_rule_changes_nothing() -> None:
    given(consent(), query_closed()).when(command("closeQuery")).then()


def test_a_query_that_opens_by_a_new_version_of_its_rule_is_closed_anew() -> None:
    given(consent(), query_closed()).when(command("closeQuery", ruleVersion="2")).then_accepts(QueryClosed)
