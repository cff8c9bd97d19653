"""The tables of survival: every line of `endpoints.md` 3.2 and the test vector of 3.3, through facts and tables."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import shipped_protocol
from hepatrail_projections.clinical.endpoints.cells import Interval, Table, rounded
from hepatrail_projections.clinical.endpoints.proportion import clopper_pearson
from hepatrail_projections.endpoints.change_parameters import point_label
from hepatrail_projections.endpoints.survival_curves import confidence
from hepatrail_projections.endpoints.survival_facts import Seen, SurvivalFacts
from hepatrail_projections.endpoints.survival_tables import survival_steps, survival_tables
from survival_course import LATER, SurvivalTrial, after, facts_of

PROTOCOL = shipped_protocol()
LEVEL = confidence(PROTOCOL)
VECTOR = [(3, 1), (9, 1), (20, 1), (20, 0), (45, 1), (84, 0), (150, 1), (183, 0), *[(365, 0)] * 4]
DAYS = PROTOCOL.endpoints.landmark_days
CURVES = ("OVERALL_SURVIVAL", "OVERALL_SURVIVAL_NOT_IMPUTED", "TRANSPLANT_FREE_SURVIVAL")


def of_vector() -> list[SurvivalFacts]:
    return [
        facts_of(f"S-{number:02d}", 0 if event else days, death=days if event else None)
        for number, (days, event) in enumerate(VECTOR)
    ]


def tables(facts: Sequence[SurvivalFacts], as_of: datetime = LATER) -> dict[str, Table]:
    return {table.code: table for table in survival_tables(facts, PROTOCOL, as_of)}


def shown(table: Table, row: str, *columns: str) -> list[str]:
    return [table.row(row).cell(each).display for each in columns]


@pytest.mark.parametrize(
    ("tau", "expected"),
    [
        (7, ["0.9167", "0.0798", "0.539", "0.988"]),
        (28, ["0.7500", "0.1250", "0.408", "0.912"]),
        (84, ["0.6563", "0.1402", "0.320", "0.856"]),
        (183, ["0.5469", "0.1537", "0.222", "0.785"]),
        (365, ["0.5469", "0.1537", "0.222", "0.785"]),
    ],
)
def test_the_test_vector_as_a_table(tau: int, expected: list[str]) -> None:
    found = tables(of_vector())
    for code in CURVES:
        assert shown(found[code], f"DAY_{tau}", "SURVIVAL", "SE", "LOWER", "UPPER") == expected
    assert found["CUMULATIVE_INCIDENCE"].row(f"DAY_{tau}").cell("FREE").display == expected[0]


def test_shown_per_landmark_are_at_risk_deaths_and_censored_before() -> None:
    found = tables(of_vector())["OVERALL_SURVIVAL"]
    assert [row.code for row in found.rows] == [f"DAY_{tau}" for tau in (7, 28, 84, 183, 365)]
    counts = [shown(found, row.code, "AT_RISK", "EVENTS", "CENSORED") for row in found.rows]
    assert counts == [["11", "1", "0"], ["8", "3", "1"], ["7", "4", "1"], ["5", "5", "2"], ["4", "5", "3"]]


def test_the_landmarks_of_the_curves_are_the_protocols() -> None:
    rules = PROTOCOL.endpoints.model_copy(update={"landmark_days": (30, 90)})
    found = survival_tables(of_vector(), PROTOCOL.model_copy(update={"endpoints": rules}), LATER)
    assert [row.code for row in found[0].rows] == ["DAY_30", "DAY_90"]


def test_a_cell_names_participants_and_the_events_that_put_them_there() -> None:
    cell = tables(of_vector())["OVERALL_SURVIVAL"].row("DAY_28").cell("EVENTS")
    assert [each.subject_id for each in cell.contributions] == ["S-00", "S-01", "S-02"]
    t0, death = derived_id("S-01", 0), derived_id("S-01", 9)
    assert set(cell.contributions[1].event_ids) == {t0, death}
    everybody = tables(of_vector())["OVERALL_SURVIVAL"].row("DAY_28").cell("SURVIVAL").contributions
    assert len(everybody) == 12


def test_a_curve_of_one_or_nought_shows_ne_and_the_exact_interval_unless_somebody_was_censored() -> None:
    alive = tables([facts_of(f"S-{number}", 400) for number in range(12)])["OVERALL_SURVIVAL"]
    assert shown(alive, "DAY_365", "SURVIVAL", "SE", "LOWER", "UPPER", "EXACT") == [
        "1.0000", "0.0000", "NE", "NE", "12 (100.0 %)",
    ]  # fmt: skip
    assert alive.row("DAY_365").cell("EXACT").interval == clopper_pearson(12, 12, LEVEL)
    dead = tables([facts_of("S-1", 1, death=3), facts_of("S-2", 1, death=3)])["OVERALL_SURVIVAL"]
    assert shown(dead, "DAY_7", "SURVIVAL", "SE", "LOWER", "EXACT") == ["0.0000", "NE", "NE", "0 (0.0 %)"]
    assert dead.row("DAY_7").cell("EXACT").interval == clopper_pearson(0, 2, LEVEL)
    left = tables([facts_of("S-1", 3), facts_of("S-2", 400)])["OVERALL_SURVIVAL"].row("DAY_28")
    assert (left.cell("EXACT").value, left.cell("EXACT").display, left.cell("LOWER").value) == (None, "", None)


def test_beyond_the_data_is_ne_unless_all_have_died() -> None:
    censored = tables([facts_of("S-1", 1, death=3), facts_of("S-2", 5)])["OVERALL_SURVIVAL"].row("DAY_7")
    assert (censored.cell("SURVIVAL").value, censored.cell("SURVIVAL").display) == (None, "NE")
    assert censored.cell("SURVIVAL").flags == ("BEYOND_DATA",)
    dead = tables([facts_of("S-1", 3), facts_of("S-2", 1, death=5)])["OVERALL_SURVIVAL"]
    assert shown(dead, "DAY_365", "SURVIVAL", "EXACT") == ["0.0000", ""]


def test_crude_survival_is_of_those_with_known_status_with_worst_and_best_case() -> None:
    facts = [
        facts_of("S-1", 1, death=28),
        facts_of("S-2", 1, death=29),
        facts_of("S-3", 28),
        facts_of("S-4", 27),
        replace(facts_of("S-5", 26), seen=(Seen("W4", (derived_id("seen"),)),)),
        replace(facts_of("S-6", 26), seen=(Seen("D7", (derived_id("other"),)),)),
    ]
    row = tables(facts)["CRUDE_SURVIVAL"].row("W4")
    assert [cell.display for cell in row.cells] == [
        "3 (75.0 %)", "3 (50.0 %)", "5 (83.3 %)", "4 (66.7 %)", "2", "0",
    ]  # fmt: skip
    assert row.cell("ALIVE").interval == clopper_pearson(3, 4, LEVEL)
    assert [each.subject_id for each in row.cell("UNKNOWN").contributions] == ["S-4", "S-6"]
    evidence = {each.subject_id: each.event_ids for each in row.cell("ALIVE").contributions}
    assert evidence == {
        "S-2": (derived_id("S-2", 29),),
        "S-3": (derived_id("S-3", 28),),
        "S-5": (derived_id("seen"),),
    }


def test_crude_survival_at_month_12_knows_of_deaths_behind_the_horizon() -> None:
    row = tables([facts_of("S-1", 1, death=390)])["CRUDE_SURVIVAL"].row("M12")
    assert row.cell("ALIVE").display == "1 (100.0 %)"


def test_crude_landmarks_are_calendar_months_from_t0_not_days_of_the_curve() -> None:
    """T0 is 10 March 2026: month 6 is 10 September, day 184, not 183."""
    [before], [on] = ([facts_of("S-1", days)] for days in (183, 184))
    assert tables([before])["CRUDE_SURVIVAL"].row("M6").cell("KNOWN").n == 0
    assert tables([on])["CRUDE_SURVIVAL"].row("M6").cell("KNOWN").n == 1


def test_a_landmark_after_the_data_cut_says_so() -> None:
    row = tables([facts_of("S-1", 20)], datetime(2026, 4, 1, tzinfo=UTC))["CRUDE_SURVIVAL"].row("W4")
    assert (row.cell("NOT_REACHED").n, row.cell("UNKNOWN").n) == (1, 1)


@pytest.mark.parametrize(
    ("status", "days", "visit", "known"),
    [("Y", 25, None, 1), ("UNKNOWN", 28, None, 0), ("Y", 24, None, 0), ("Y", 24, "W4", 0), ("Y", 25, "D7", 0)],
)
def test_a_survival_status_inside_the_window_makes_the_status_known(
    status: str, days: int, visit: str | None, known: int
) -> None:
    """The window of week 4 begins three days before the target; a status assigned elsewhere or outside is none."""
    trial = SurvivalTrial()
    seen = trial.life().seen(after(days), status, visit)
    cell = trial.tables()["CRUDE_SURVIVAL"].row("W4").cell("KNOWN")
    assert cell.n == known
    assert [each.event_ids for each in cell.contributions] == [(seen,)] * known


def test_a_void_survival_status_makes_nothing_known() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.void(life.seen(after(26)), after(27))
    assert trial.tables()["CRUDE_SURVIVAL"].row("W4").cell("KNOWN").n == 0


def test_a_withdrawal_without_leave_makes_a_later_survival_status_unknown() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.withdraw(after(20))
    life.seen(after(26))
    assert trial.tables()["CRUDE_SURVIVAL"].row("W4").cell("KNOWN").n == 0


def test_the_transplant_proportion_is_of_all_treated_by_the_own_landmark() -> None:
    facts = [
        facts_of("S-1", 40, transplant=28),
        facts_of("S-2", 40, transplant=29),
        facts_of("S-3", 1, death=2),
        SurvivalFacts("S-4", None),
    ]
    cells = {row.code: row.cell("TRANSPLANTED") for row in tables(facts)["TRANSPLANT_PROPORTION"].rows}
    assert [cell.display for cell in cells.values()] == ["0 (0.0 %)", "1 (33.3 %)"] + ["2 (66.7 %)"] * 3
    assert cells["W4"].interval == clopper_pearson(1, 3, LEVEL)
    assert [each.event_ids for each in cells["W4"].contributions] == [(derived_id("S-1", 28),)]


def test_cumulative_incidence_has_both_causes_and_the_check() -> None:
    """Ten at risk: transplant on day 2, death on day 3, censored on day 4, transplant on day 5 (seven at risk)."""
    facts = [
        facts_of("S-0", 300, transplant=2),
        facts_of("S-1", 1, death=3),
        facts_of("S-2", 4),
        facts_of("S-3", 5, transplant=5, death=6),
        *(facts_of(f"S-{number}", 100) for number in range(4, 10)),
    ]
    row = tables(facts)["CUMULATIVE_INCIDENCE"].row("DAY_7")
    assert [cell.display for cell in row.cells] == [
        "0.2143", "0.1000", "0.6857", "1.000000000", "6", "2", "1",
    ]  # fmt: skip
    assert row.cell("SUM").flags == ()
    ne = tables(facts)["CUMULATIVE_INCIDENCE"].row("DAY_365")
    assert [cell.display for cell in ne.cells[:4]] == ["NE"] * 4


def test_transplant_free_survival_ends_with_the_first_of_both() -> None:
    facts = [facts_of("S-1", 300, transplant=10), facts_of("S-2", 1, death=20), facts_of("S-3", 400)]
    row = tables(facts)["TRANSPLANT_FREE_SURVIVAL"].row("DAY_28")
    assert [row.cell(each).display for each in ("SURVIVAL", "AT_RISK", "EVENTS")] == ["0.3333", "1", "2"]
    interval = row.cell("SURVIVAL").interval
    assert isinstance(interval, Interval)
    assert (interval.method, interval.confidence) == ("LOG_LOG", LEVEL)
    assert rounded(interval.lower, 3) == row.cell("LOWER").display


def test_the_rate_of_transplants_is_not_one_minus_a_curve_with_deaths_censored() -> None:
    """Half die on day 1, then all others are transplanted: half, not all."""
    facts = [facts_of(f"S-{n}", 0, death=1) if n % 2 else facts_of(f"S-{n}", 9, transplant=2) for n in range(6)]
    assert tables(facts)["CUMULATIVE_INCIDENCE"].row("DAY_7").cell("TRANSPLANT").display == "0.5000"


def test_a_trial_of_nobody_has_every_table_and_no_number() -> None:
    for facts in ([], [SurvivalFacts("S-1", None)]):
        found = tables(facts)
        assert len(found) == 7
        for code in (*CURVES, "CUMULATIVE_INCIDENCE"):
            for row in found[code].rows:
                assert (row.cells[0].display, row.cells[0].flags, row.cell("AT_RISK").n) == ("NE", (), 0)
        assert [row.cell("ALIVE").display for row in found["CRUDE_SURVIVAL"].rows] == ["0 (NE)"] * 5
        assert survival_steps(facts, PROTOCOL, LATER).incidence == ()


def test_a_trial_of_one() -> None:
    found = tables([facts_of("S-1", 1, death=30, imputed=True)])
    row = found["OVERALL_SURVIVAL"].row("DAY_84")
    assert [cell.display for cell in row.cells] == ["0.0000", "NE", "NE", "NE", "0 (0.0 %)", "0", "1", "0"]
    assert found["CRUDE_SURVIVAL"].row("W12").cell("ALIVE").flags == ("IMPUTED_DATE",)


def test_points_are_named_in_the_words_of_the_registration() -> None:
    names = [row.label for row in tables([])["CRUDE_SURVIVAL"].rows]
    assert names == ["Day 7", "Week 4", "Week 12", "Month 6", "Month 12"]
    assert point_label("VISIT_9") == "VISIT_9"


def test_the_steps_of_the_figures_end_at_the_landmarks_of_the_tables() -> None:
    steps, found = survival_steps(of_vector(), PROTOCOL, LATER), tables(of_vector())
    for tau in DAYS:
        last = [step for step in steps.overall if step.days <= tau][-1]
        assert rounded(last.survival, 4) == found["OVERALL_SURVIVAL"].row(f"DAY_{tau}").cell("SURVIVAL").display
        reached = [step for step in steps.incidence if step.tau <= tau][-1]
        assert rounded(reached.death, 4) == found["CUMULATIVE_INCIDENCE"].row(f"DAY_{tau}").cell("DEATH").display
    assert [step.days for step in steps.overall] == [0, 3, 9, 20, 45, 84, 150, 183, 365]
