"""Every table and curve of survival and transplantation (`endpoints.md` section 3), of all treated participants.

1 - KM with deaths censored is nowhere the rate of transplants: it overestimates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.endpoints.cells import Cell, Column, Row, Table, contributions
from hepatrail_projections.clinical.endpoints.competing import Incidence
from hepatrail_projections.clinical.endpoints.follow_up import FollowUp, Known, overall, transplant_free
from hepatrail_projections.clinical.endpoints.survival import KaplanMeier, Step
from hepatrail_projections.clinical.endpoints.survival_incidence import incidence_steps
from hepatrail_projections.endpoints.survival_curves import IMPUTED_DATE, confidence, curve_table, incidence_table
from hepatrail_projections.endpoints.survival_facts import SurvivalFacts
from hepatrail_projections.endpoints.survival_landmarks import crude_table, transplant_table

BEHIND_HORIZON = "BEHIND_HORIZON"
"""Flag: the death lies behind the last day that is analysed."""
WITHHELD = "WITHHELD"
"""Flag: the death came after a withdrawal from follow-up, without leave to ask for vital status."""


@dataclass(frozen=True, slots=True)
class SurvivalSteps:
    """The curves for figures: overall and transplant-free survival and the incidences, each from day 0 on."""

    overall: tuple[Step, ...]
    transplant_free: tuple[Step, ...]
    incidence: tuple[Incidence, ...]


def survival_tables(facts: Sequence[SurvivalFacts], protocol: Protocol, as_of: datetime) -> tuple[Table, ...]:
    """The tables as of a data cut (aware), from the facts of all participants in any order."""
    ordered, cut = sorted(facts, key=lambda each: each.subject_id), _cut(protocol, as_of)
    treated, horizon = _treated(ordered), protocol.endpoints.os_horizon_days
    died = [overall(each, cut, horizon) for each in treated]
    sure = [overall(each, cut, horizon, imputed=False) for each in treated]
    first = [transplant_free(each, cut, horizon) for each in treated]
    deaths, both = "Deaths, cumulative", "Deaths and transplants, cumulative"
    alone = "A participant whose day of death is not known is censored when last known alive."
    return (
        curve_table("OVERALL_SURVIVAL", "Overall survival (Kaplan-Meier)", deaths, died, protocol),
        curve_table(
            "OVERALL_SURVIVAL_NOT_IMPUTED",
            "Overall survival without imputed dates of death (sensitivity)",
            deaths,
            sure,
            protocol,
            alone,
        ),
        crude_table(ordered, protocol, cut),
        transplant_table(ordered, protocol),
        incidence_table(first, protocol),
        curve_table("TRANSPLANT_FREE_SURVIVAL", "Transplant-free survival (Kaplan-Meier)", both, first, protocol),
        _not_analysed(treated, horizon),
    )


def survival_steps(facts: Sequence[SurvivalFacts], protocol: Protocol, as_of: datetime) -> SurvivalSteps:
    """The curves behind the tables, as of the same data cut."""
    treated = _treated(sorted(facts, key=lambda each: each.subject_id))
    cut, horizon = _cut(protocol, as_of), protocol.endpoints.os_horizon_days
    died = [overall(each, cut, horizon).followed for each in treated]
    first = [transplant_free(each, cut, horizon) for each in treated]
    return SurvivalSteps(
        KaplanMeier(died, confidence(protocol)).steps(),
        KaplanMeier([each.followed for each in first], confidence(protocol)).steps(),
        incidence_steps([each.first_event for each in first]),
    )


def _cut(protocol: Protocol, as_of: datetime) -> date:
    return local_date(as_of, site_zone(protocol.site_zone))


def _treated(facts: Sequence[SurvivalFacts]) -> list[FollowUp]:
    return [each.follow_up for each in facts if each.follow_up is not None]


def _not_analysed(treated: Sequence[FollowUp], horizon: int) -> Table:
    columns = (Column("DAYS", "Days from T0"), Column("DATE", "Date of death"), Column("REASON", "Reason"))
    rows = []
    for each in treated:
        if each.withheld is not None:
            rows.append(_listed(each, each.withheld, "after withdrawal from follow-up", WITHHELD))
        elif each.death is not None and each.days(each.death) > horizon:
            rows.append(_listed(each, each.death, f"after day {horizon}", BEHIND_HORIZON))
    return Table("DEATHS_NOT_ANALYSED", "Deaths listed and not analysed", "3.1", columns, tuple(rows))


def _listed(of: FollowUp, death: Known, reason: str, flag: str) -> Row:
    who, days = contributions([(of.subject_id, (*of.t0.event_ids, *death.event_ids))]), str(of.days(death))
    flags = (flag, IMPUTED_DATE) if death.imputed else (flag,)
    cells = (
        Cell("DAYS", days, days, contributions=who, flags=flags),
        Cell("DATE", None, death.day.isoformat(), contributions=who, flags=flags),
        Cell("REASON", None, reason, contributions=who, flags=flags),
    )
    return Row(of.subject_id, of.subject_id, cells)
