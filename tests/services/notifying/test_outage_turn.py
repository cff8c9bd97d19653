"""One of several processes speaks, by a lock in a real Postgres."""

import asyncio

from hepatrail_infra.postgres import Dsns, connection
from hepatrail_services.notifying.turn import Turn
from notifying_servers import free_port, silent_port
from projection_kafka import eventually

NAME = "hepatrail test"
_END_ALL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'hepatrail turn' AND datname = current_database()"""


async def test_it_is_the_turn_of_one_until_it_ends(dsns: Dsns) -> None:
    first, second = Turn(dsns.reader, NAME), Turn(dsns.reader, NAME)
    try:
        assert [await each.mine() for each in (first, second, first, second)] == [True, False, True, False]
        first.end()
        await eventually(second.mine)
        assert not await first.mine()
    finally:
        first.end()
        second.end()


async def test_another_name_is_another_turn(dsns: Dsns) -> None:
    turns = [Turn(dsns.reader, name) for name in ("one", "two")]
    try:
        assert [await each.mine() for each in turns] == [True, True]
    finally:
        for each in turns:
            each.end()


async def test_two_who_ask_at_once_in_one_process_get_the_same_answer(dsns: Dsns) -> None:
    turn = Turn(dsns.reader, NAME)
    try:
        assert await asyncio.gather(*(turn.mine() for _ in range(5))) == [True] * 5
    finally:
        turn.end()


async def test_while_postgres_is_away_it_is_everybodys_turn() -> None:
    with silent_port() as silent:
        nobody = f"postgresql://u:p@127.0.0.1:{free_port()}/db"
        mute = f"postgresql://u:p@127.0.0.1:{silent}/db"
        assert await Turn(nobody, NAME).mine()
        assert await Turn(mute, NAME, patience=0.2).mine()


async def test_a_connection_that_was_lost_is_made_anew_at_once(dsns: Dsns) -> None:
    first, second = Turn(dsns.reader, NAME), Turn(dsns.reader, NAME)
    try:
        assert await first.mine()
        assert not await second.mine()
        async with connection(dsns.reader) as link:
            await link.execute(_END_ALL)
        # Both have lost theirs, Postgres is there: still only one of them may speak.
        assert sorted([await first.mine(), await second.mine()]) == [False, True]
    finally:
        first.end()
        second.end()
