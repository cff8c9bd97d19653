"""As of any instant (DAT-07, `safety.md` 0): the answer of a system that has seen only what was recorded by then.

Histories are random, of every kind of event. Pure first; then the same of the reader over real tables.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.codec import Recorded, read
from hepatrail_events.families import FAMILIES
from hepatrail_events.measurements import LabResultCorrected, LabResultsRecorded
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Passwords, prepare_databases
from hepatrail_projections import score
from hepatrail_projections.derive import SubjectRows, derive, stored_at
from hepatrail_projections.reading import Reader, fold_study_events
from hepatrail_projections.score_memory import ScoreMemory
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_reading import open_at
from hepatrail_projections.subject_view import SubjectView, empty_view, fold, fold_all
from hepatrail_projections.visits import status_at
from log_commits import enrol, publish, sample, start
from projection_log import SEALED, LogRecord, LogWriter
from projection_tables import Tables
from trial_history import history

SUBJECTS = ("S-00", "S-01")


def recorded(records: Iterable[LogRecord]) -> list[Recorded]:
    """The events of a log in the order in which they were recorded."""
    return [read(each.value or b"") for each in records if each.topic == EVENTS]


def answer(events: Sequence[Recorded], subject_id: str, as_of: datetime) -> SubjectRows | None:
    """What a participant was as of an instant: the fold of the events recorded until then, with nothing remembered."""
    score._MEMORY = ScoreMemory()
    known = [each for each in events if each.envelope.recordedat <= as_of]
    own = [each for each in known if each.envelope.stream == subject_stream(subject_id)]
    if not own:
        return None
    study = fold_study_events([each for each in known if each.envelope.stream == STUDY])
    return open_at(derive(fold_all(subject_id, own), study, as_of), as_of)


@dataclass
class LiveSystem:
    """A system that sees one event after the other, derives each time from what it had, and answers at once."""

    subject_id: str
    study: StudyView = EMPTY_STUDY
    known: tuple[SubjectView, SubjectRows] | None = None

    def see(self, event: Recorded) -> None:
        """One more event of the log."""
        if event.envelope.stream == STUDY:
            self.study = fold_study(self.study, event)
        elif event.envelope.stream == subject_stream(self.subject_id):
            view = fold(empty_view(self.subject_id) if self.known is None else self.known[0], event)
            self.known = (view, derive(view, self.study, stored_at(view, self.study), self.known))

    def answer(self, now: datetime) -> SubjectRows | None:
        """What it says at an instant: what it has, unless a protocol version has taken effect since."""
        if self.known is None:
            return None
        view, rows = self.known
        published = self.study.published_at(now)
        if rows.subject.protocol_version != (None if published is None else published.version):
            rows = derive(view, self.study, now)
        return open_at(rows, now)


def test_the_histories_hold_every_kind_of_event_of_a_participant() -> None:
    wanted = {kind for family, kinds in FAMILIES.items() if family not in ("study", "safety_desk") for kind in kinds}
    seen = {type(each.event) for seed in range(1, 9) for each in recorded(history(seed, 3, 120).records)}
    assert wanted - seen == set()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_as_of_an_instant_is_what_the_system_said_then(seed: int) -> None:
    events = recorded(history(seed, subjects=2, steps=45).records)
    chance = random.Random(seed)
    systems = [LiveSystem(subject_id) for subject_id in SUBJECTS]
    places = [number for number, (event, following) in enumerate(pairwise(events)) if _gap(event, following)]
    asked = set(chance.sample(places, 8))
    for number, event in enumerate(events):
        for system in systems:
            system.see(event)
        if number not in asked:
            continue
        gap = _gap(event, events[number + 1])
        when = event.envelope.recordedat + chance.choice((timedelta(0), gap * 0.999))
        for system in systems:
            assert answer(events, system.subject_id, when) == system.answer(when)


def _gap(event: Recorded, following: Recorded) -> timedelta:
    """The time between two events; none within a commit."""
    return following.envelope.recordedat - event.envelope.recordedat


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_folding_live_is_folding_from_the_log(seed: int) -> None:
    events = recorded(history(seed, subjects=2, steps=60).records)
    for subject_id in SUBJECTS:
        view = empty_view(subject_id)
        own = [each for each in events if each.envelope.stream == subject_stream(subject_id)]
        for event in own:
            before = view
            view = fold(view, event)
            assert before.version == view.version - 1
        assert view == fold_all(subject_id, own)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_recorded_later_changes_no_earlier_answer(seed: int) -> None:
    log = history(seed, subjects=1, steps=40)
    before, when = recorded(log.records), log.now
    earlier = answer(before, "S-00", when)
    assert earlier is not None
    statuses = [status_at(row, when) for row in earlier.visits]
    results = [row.result_id for row in earlier.lab_results if not row.voided]
    log.tick(24 * 60)
    if results:
        body = {"id": results[0], "field": "value", "newValue": "3", "reason": SEALED, "accepted": True}
        log.commit(subject_stream("S-00"), LabResultCorrected.from_payload(body))
    publish(log, "3.0", when - timedelta(days=300), dose_tolerance="0.01")
    after = recorded(log.records)
    again = answer(after, "S-00", when)
    assert again is not None
    assert again == earlier
    assert [status_at(row, when) for row in again.visits] == statuses
    now = answer(after, "S-00", log.now)
    assert now is not None
    assert now.subject.protocol_version == "3.0"
    assert not results or now.lab_results != earlier.lab_results


def test_a_correction_recorded_today_changes_today_and_no_day_before() -> None:
    log = LogWriter(91)
    publish(log)
    stream = enrol(log, "S-00")
    log.tick(60)
    (result_id,) = sample(log, stream, creatinine="88.4")
    then = log.now
    log.tick(24 * 60)
    body = {"id": result_id, "field": "value", "newValue": "176.8", "reason": SEALED, "accepted": True}
    log.commit(stream, LabResultCorrected.from_payload(body))
    events = recorded(log.records)
    yesterday, today = answer(events, "S-00", then), answer(events, "S-00", log.now)
    assert yesterday is not None
    assert today is not None
    assert [row.value for row in yesterday.lab_results] == ["88.4"]
    assert yesterday.lab_results[0].corrections == []
    assert [row.value for row in today.lab_results] == ["176.8"]


def test_a_protocol_changes_what_is_derived_after_it_took_effect_and_nothing_before() -> None:
    log = LogWriter(92)
    publish(log)
    stream = enrol(log, "S-00")
    start(log, stream, viable_cells=11_500_000_000)
    effective = log.now + timedelta(days=2)
    publish(log, "2.0", effective, dose_tolerance="0.05")
    events = recorded(log.records)
    for when, version, kept in (
        (effective - timedelta(milliseconds=1), "1.0", True),
        (effective, "2.0", False),
        (effective + timedelta(days=400), "2.0", False),
    ):
        derived = answer(events, "S-00", when)
        assert derived is not None
        assert (derived.sessions[0].in_tolerance, derived.subject.protocol_version) == (kept, version)
        assert ("DOSE" in {row.code for row in derived.queries}) is not kept
    published = next(each.envelope.recordedat for each in events if each.envelope.stream == STUDY)
    assert answer(events, "S-00", published) is None


@dataclass(frozen=True)
class At:
    """A clock that stands."""

    instant: datetime

    @property
    def label(self) -> str:
        """Nothing to say."""
        return ""

    def now(self) -> datetime:
        """The instant."""
        return self.instant


@pytest.mark.parametrize("seed", [21, 22])
async def test_the_reader_answers_as_a_system_that_has_seen_no_more(
    tables: Tables, postgres_dsn: str, seed: int
) -> None:
    log = history(seed, subjects=2, steps=60)
    await tables.project(log.records, size=23)
    events = recorded(log.records)
    moments = sorted({each.envelope.recordedat for each in events})
    for number, when in enumerate((moments[len(moments) // 3], moments[-20], moments[-1])):
        earlier = await _tables_of_then(postgres_dsn, f"then_{seed}_{number}", log, when)
        try:
            for subject_id in SUBJECTS:
                now = await Reader(tables.pool, At(when)).subject(subject_id, as_of=when)
                then = await Reader(earlier.pool, At(when)).subject(subject_id)
                assert now is not None
                assert then is not None
                assert now.rows == answer(events, subject_id, when)
                assert now.rows == then.rows
        finally:
            await earlier.close()


async def _tables_of_then(postgres_dsn: str, name: str, log: LogWriter, when: datetime) -> Tables:
    """A system that has projected only what was recorded until an instant."""
    passwords = Passwords("owner", "writer", "reader", "use", "destroy")
    dsns = await prepare_databases(postgres_dsn, passwords, database=name, vault_database=f"{name}_vault")
    earlier = await Tables.create(dsns)
    await earlier.project([each for each in log.records if each.topic != EVENTS or _known(each, when)], size=11)
    return earlier


def _known(record: LogRecord, when: datetime) -> bool:
    return read(record.value or b"").envelope.recordedat <= when


def test_a_sample_of_another_day_is_known_from_the_moment_it_was_recorded() -> None:
    log = LogWriter(93)
    publish(log)
    stream = enrol(log, "S-00")
    collected = log.now
    log.tick(3 * 24 * 60)
    late = log.now
    sample(log, stream, at=collected, creatinine="88.4")
    events = recorded(log.records)
    (event,) = [each for each in events if isinstance(each.event, LabResultsRecorded)]
    before, after = answer(events, "S-00", late), answer(events, "S-00", event.envelope.recordedat)
    assert before is not None
    assert after is not None
    assert (before.lab_results, len(after.lab_results)) == ((), 1)
    assert after.lab_results[0].collected_at == collected
