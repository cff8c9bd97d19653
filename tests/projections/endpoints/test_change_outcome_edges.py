"""Edges of the change from baseline: the first session, days without time, what is not after, inputs of a score."""

from datetime import UTC, datetime, timedelta

from change_course import BEFORE, DAY, OFFSETS, ChangeTrial, Participant
from clinical_builders import T0, A
from hepatrail_events.catalogue import catalogue
from hepatrail_events.measurements import LabResultCorrected, LabResultsRecorded, Measured
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.endpoints.change_facts import Analysis, ChangeEntry, Flag
from projection_log import SEALED

D7 = A + OFFSETS["D7"]
EVERY = frozenset(Analysis)


def treated(**protocol: object) -> tuple[ChangeTrial, Participant]:
    trial = ChangeTrial(**protocol)  # type: ignore[arg-type]
    return trial, trial.participant()


def entry(trial: ChangeTrial, parameter: str, point: str) -> ChangeEntry:
    [facts] = trial.facts()
    return facts.entries[parameter, point]


def test_the_first_session_is_no_later_one() -> None:
    trial, someone = treated(anchor="FIRST_SESSION_START")
    someone.labs(T0 + OFFSETS["P0_5_1H"], alt="50")
    someone.scored(T0 + OFFSETS["P0_5_1H"])
    for parameter in ("alt", "gcs"):
        found = entry(trial, parameter, "P0_5_1H")
        assert (found.flags, found.analyses) == ((), EVERY)


def test_who_has_only_a_void_session_is_not_in_saf() -> None:
    trial, someone = treated()
    someone.labs(BEFORE, alt="50")
    void = SessionVoided(id=someone.first_session, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
    someone.record(void, A + DAY)
    [facts] = trial.facts()
    assert (facts.in_safety_set, facts.entries) == (False, {})


def test_a_sample_of_the_minute_of_the_death_or_of_the_transplant_is_not_after_it() -> None:
    for end in (Participant.death, Participant.transplant):
        trial, someone = treated()
        end(someone, D7)
        someone.labs(D7, alt="50")
        someone.labs(D7 + timedelta(minutes=1), ast="50")
        assert (entry(trial, "alt", "D7").analyses, entry(trial, "ast", "D7").analyses) == (EVERY, frozenset())


def test_a_day_alone_stands_at_its_last_moment() -> None:
    trial, someone = treated()
    someone.transplant(D7)
    someone.labs(D7.date(), alt="50")
    someone.labs((D7 - DAY).date(), ast="50")
    assert (entry(trial, "alt", "D7").flags, entry(trial, "ast", "D7").flags) == ((Flag.AFTER_TRANSPLANT,), ())
    assert entry(trial, "alt", "D7").collected == D7.date()


def test_a_transplant_of_the_history_excludes_nothing() -> None:
    trial, someone = treated()
    someone.transplant(T0 - 20 * DAY)
    someone.labs(D7, alt="50")
    assert entry(trial, "alt", "D7").analyses == EVERY


def test_a_pressure_of_a_cuff_out_of_its_window_takes_the_score_out_of_it() -> None:
    trial, someone = treated()
    end = datetime(2026, 3, 18, 16, tzinfo=UTC)
    someone.scored(end - timedelta(minutes=30), map="")
    someone.bedside(end + timedelta(minutes=30), "D7", sbp="110", dbp="65")
    assert entry(trial, "sofa_1996", "D7").analyses == {Analysis.ALL_ASSIGNED}
    assert entry(trial, "gcs", "D7").analyses == EVERY


def test_an_input_that_did_not_enter_does_not_take_the_score_out_of_its_window() -> None:
    trial, someone = treated()
    someone.scored(D7)
    someone.labs(D7 + 4 * DAY, "D7", hco3_serum="24")
    [rows] = trial.rows()
    (row,) = (each for each in rows.scores if (each.score_id, each.point) == ("apache_ii_1985", "D7"))
    assert {each["code"]: each["problem"] for each in row.inputs}["hco3_serum"] == "spread_exceeded"
    assert entry(trial, "apache_ii_1985", "D7").analyses == EVERY


def test_of_two_rows_of_one_sample_the_one_in_the_window_feeds_the_score() -> None:
    trial, someone = treated()
    unit = catalogue()["creatinine"].canonical_unit
    rows = [
        Measured(result_id=trial.log.uuid(), code="creatinine", value=value, unit=unit, accepted=True)
        for value in ("90", "91")
    ]
    someone.record(
        LabResultsRecorded(
            sample_id=trial.log.uuid(), collected_at=D7, visit_code="D7", laboratory="Central", results=tuple(rows)
        ),
        D7,
    )
    moved = format_instant(D7 + 4 * DAY)
    someone.record(
        LabResultCorrected(id=rows[1].result_id, field="collectedAt", new_value=moved, reason=SEALED, accepted=True),
        D7 + 5 * DAY,
    )
    someone.labs(D7, inr="2", tbil="200")
    someone.bedside(D7, dialysis_sessions_7d="0")
    found = entry(trial, "meld_2002", "D7")
    assert found.value is not None and found.analyses == EVERY
