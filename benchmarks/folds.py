"""How long a participant's full year takes to fold, beside the parsing of the same events."""

import statistics
import time
from collections.abc import Callable, Sequence

from benchmarks.full_year import full_year
from benchmarks.limits import Line
from hepatrail_events.codec import Recorded, read
from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections import score
from hepatrail_projections.derive import SubjectRows, derive, stored_at
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.score_memory import ScoreMemory
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject_view import SubjectView, fold, fold_all
from log_commits import publish
from projection_log import LogWriter

SUBJECT = "S-001"
FOLD_LIMIT, NEXT_LIMIT = 5.0, 0.1
_REPEATS = 15


def seconds(call: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """The median time of a call; `before` it everything is made ready, untimed."""
    times = []
    for _ in range(_REPEATS):
        before()
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure_folds() -> list[Line]:
    """The lines of the report about folding: to the view, on to the rows, and one more event on what is there."""
    log = LogWriter(11)
    publish(log)
    stream = full_year(log, SUBJECT)
    raws = [each.value or b"" for each in log.records if each.topic == EVENTS and each.key == stream.encode()]
    study = fold_study_events(
        [read(each.value or b"") for each in log.records if each.topic == EVENTS and each.key == STUDY.encode()]
    )
    events = [read(raw) for raw in raws]
    parsing = seconds(lambda: [read(raw) for raw in raws])
    folding = seconds(lambda: fold_all(SUBJECT, events))
    deriving = seconds(lambda: _rows(fold_all(SUBJECT, events), study), forget)
    before = fold_all(SUBJECT, events[:-1])
    one_more = seconds(lambda: fold(before, events[-1]))
    derived = _one_more_derived(events, study)
    name = f"full year of a participant, {len(events)} events"
    return [
        Line(f"{name}: folded", _ms(folding), f"parsed {_ms(parsing)}", folding / parsing, FOLD_LIMIT),
        Line(f"{name}: and rows", _ms(deriving), f"parsed {_ms(parsing)}", deriving / parsing, FOLD_LIMIT),
        Line("one more event on its view", _ms(one_more), f"all folded {_ms(folding)}", one_more / folding, NEXT_LIMIT),
        Line("one more event: and rows", _ms(derived), f"all, and rows {_ms(deriving)}", derived / deriving),
    ]


def _one_more_derived(events: Sequence[Recorded], study: StudyView) -> float:
    """The median over the events of the last part of the year, each on what was derived before it."""
    times, view = [], fold_all(SUBJECT, events[: -2 * _REPEATS])
    rows = _rows(view, study)
    for event in events[-2 * _REPEATS :]:
        begin = time.perf_counter()
        after = fold(view, event)
        derived = derive(after, study, stored_at(after, study), (view, rows))
        times.append(time.perf_counter() - begin)
        view, rows = after, derived
    return statistics.median(times)


def _rows(view: SubjectView, study: StudyView) -> SubjectRows:
    return derive(view, study, stored_at(view, study))


def forget() -> None:
    """Drops the scores that are remembered between derivations."""
    score._MEMORY = ScoreMemory()


def _ms(taken: float) -> str:
    return f"{taken * 1000:.2f} ms"
