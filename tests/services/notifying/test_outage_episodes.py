"""When an outage begins and ends, and what is told of it: pure functions of what was seen when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hepatrail_services.notifying.episode import Course, Kind, Told, observed, outage_notice, owed
from hepatrail_services.notifying.notice import Audience

BEGIN = datetime(2026, 3, 10, 8, tzinfo=UTC)
BAD = "The safety process has never reported."


def course(*looks: tuple[float, str | None], of: Course | None = None) -> Course:
    """After looks at these seconds."""
    seen = of or Course()
    for second, trouble in looks:
        seen = observed(seen, trouble, BEGIN + timedelta(seconds=second), second)
    return seen


def each_second(start: int, end: int, trouble: str | None) -> list[tuple[float, str | None]]:
    return [(float(second), trouble) for second in range(start, end)]


def test_an_episode_begins_after_half_a_minute_of_trouble_and_dates_from_its_first_sign() -> None:
    seen = course(*each_second(100, 130, BAD))
    assert seen.episode is None
    seen = course((130, BAD), of=seen)
    assert seen.episode is not None
    assert (seen.episode.since, seen.episode.why) == (BEGIN + timedelta(seconds=100), BAD)


def test_one_good_moment_begins_the_half_minute_anew() -> None:
    assert course(*each_second(0, 29, BAD), (29, None), *each_second(30, 59, BAD)).episode is None


def test_an_episode_ends_after_half_a_minute_without_trouble() -> None:
    open_ = course(*each_second(0, 31, BAD))
    assert open_.episode is not None
    assert course(*each_second(31, 61, None), of=open_).episode == open_.episode
    assert course(*each_second(31, 62, None), of=open_).episode is None


def test_trouble_that_comes_and_goes_is_one_episode() -> None:
    open_ = course(*each_second(0, 31, BAD))
    flapping = [(float(second), BAD if second % 20 < 5 else None) for second in range(31, 600)]
    seen = course(*flapping, of=open_)
    assert seen.episode is not None and open_.episode is not None
    assert seen.episode.id == open_.episode.id


def test_the_episode_says_what_was_seen_last() -> None:
    seen = course(*each_second(0, 31, BAD), (31, "The database cannot be asked."))
    assert seen.episode is not None
    assert seen.episode.why == "The database cannot be asked."


def test_the_begin_is_told_once_then_each_hour_then_the_end() -> None:
    episode = course(*each_second(0, 31, BAD)).episode
    assert episode is not None
    assert owed(episode, None, 31) == (Kind.BEGAN, episode)
    told = Told(episode, 31, 1)
    assert owed(episode, told, 3630.9) is None
    assert owed(episode, told, 3631) == (Kind.GOES_ON, episode)
    assert owed(None, told, 40) == (Kind.OVER, episode)
    assert owed(None, None, 40) is None


def test_another_episode_is_told_of_though_the_end_of_the_first_never_was() -> None:
    first, second = (course(*each_second(start, start + 31, BAD)).episode for start in (0, 100))
    assert first is not None and second is not None
    assert owed(second, Told(first, 31, 1), 131) == (Kind.BEGAN, second)


def test_every_notice_of_an_episode_has_an_id_of_its_own_and_a_repeat_the_same() -> None:
    episode = course(*each_second(0, 31, BAD)).episode
    assert episode is not None
    kinds = [(Kind.BEGAN, 0), (Kind.GOES_ON, 1), (Kind.GOES_ON, 2), (Kind.OVER, 3)]
    ids = [[outage_notice(kind, episode, times, BEGIN, None).id for kind, times in kinds] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4


def test_a_notice_says_since_when_why_and_what_to_do() -> None:
    episode = course(*each_second(0, 31, BAD)).episode
    assert episode is not None
    began = outage_notice(Kind.BEGAN, episode, 0, BEGIN, "https://trial.example")
    assert (began.kind, began.audience) == ("safety.outage.began", Audience.OUTAGE)
    assert "has not worked since 2026-03-10T08:00:00.000Z" in began.text
    assert BAD in began.text
    assert "look at the records themselves" in began.text
    assert "works again" in outage_notice(Kind.OVER, episode, 1, BEGIN, None).text


@given(st.lists(st.tuples(st.floats(0.1, 40), st.booleans()), max_size=60))
def test_an_episode_changes_only_after_half_a_minute_of_one_and_the_same(looks: Sequence[tuple[float, bool]]) -> None:
    seen, second, history = Course(), 0.0, list[tuple[float, bool]]()
    for after, bad in looks:
        second += after
        before = seen.episode
        seen = course((second, BAD if bad else None), of=seen)
        history.append((second, bad))
        if (before is None) != (seen.episode is None):
            same = [each for each in history if second - each[0] <= 30]
            assert all(each == bad for _, each in same)
            assert second - history[0][0] >= 30
