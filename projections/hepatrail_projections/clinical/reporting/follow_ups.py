"""What follows a report of a SUSAR: eight further days, relevant new information, and what fell away (`safety.md` 5.2).

Decided here, because the reference leaves room:

- Relevant new information is every `AEFollowedUp`, whoever recorded it and whatever else it changes, because nothing in
  it says that it is not; and a change that section 6.1 calls significant (criteria, a greater maximum grade, code,
  onset, sequelae), which counts from its awareness where it states one. A change that opens a clock of 7 days has that.
- It counts once a report was handed over before it was recorded; a commit has one clock, from its earliest information.
- A clock of follow-up is cancelled when the event is no SUSAR any more: what is due then is said anew by that.
- A device SAE that falls away after its report opens no clock, because the list of clocks has none for it.
- An event that is void asks for a nullification even if it had ceased to be a SUSAR before.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from hepatrail_events.adverse_events import Outcome
from hepatrail_events.submissions import SubmissionKind
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.clinical.calendar import local_date
from hepatrail_projections.clinical.reporting.awareness import change_aware_at, sponsor_aware_at
from hepatrail_projections.clinical.reporting.clock import ClockType
from hepatrail_projections.clinical.reporting.deadlines import Term, after_seven_day_report, within_days
from hepatrail_projections.clinical.reporting.duties import Duty, reports
from hepatrail_projections.clinical.reporting.handing_over import (
    FOLLOW_UP,
    INITIAL,
    NULLIFICATION,
    Handed,
    handed_over,
)
from hepatrail_projections.clinical.reporting.moments import Moment, runs
from hepatrail_projections.clinical.reporting.routes import DRUG, Episode


def follow_up_duties(moments: Sequence[Moment], susar: Sequence[Episode]) -> Iterator[Duty]:
    """Every follow-up and nullification that was or is due, given the stretches in which the event was a SUSAR."""
    for number, episode in enumerate(susar):
        for duty in episode.duties:
            if duty.type is ClockType.SUSAR_7D:
                yield from _of_seven_day_report(moments, episode, duty)
        yield from _of_information(moments, episode)
        requalified = susar[number + 1].first if number + 1 < len(susar) else len(moments)
        yield from _of_falling_away(moments, episode, requalified)
    yield from _of_void(moments, {episode.behind for episode in susar})


def _of_seven_day_report(moments: Sequence[Moment], episode: Episode, seven: Duty) -> Iterator[Duty]:
    handed = reports(seven, moments)
    rules, zone = moments[seven.opened].rules, moments[seven.opened].zone

    def duty(first: int, behind: int) -> Duty:
        def report(number: int) -> Handed:
            found = handed[min(number, behind - 1)]
            assert found is not None, "the stretch is of moments at which the report is known"
            return found

        def term(number: int) -> Term:
            day0 = local_date(sponsor_aware_at(moments, seven.start, moments[number]), zone)
            return after_seven_day_report(report(number).at, day0, rules, zone)

        def met(number: int, until: datetime | None) -> Handed | None:
            made = report(number)
            return handed_over(moments[number], DRUG.to, FOLLOW_UP, made.at, until, made.submission_ids)

        return Duty(
            ClockType.SUSAR_FU_8D,
            first,
            first,
            lambda number: number < behind,
            term,
            met,
            lambda number: DRUG.provisional(moments[number]),
        )

    stands = (number < episode.behind and each is not None for number, each in enumerate(handed))
    for first, behind in runs(stands):
        yield duty(first, behind)


def _of_information(moments: Sequence[Moment], episode: Episode) -> Iterator[Duty]:
    own = {duty.start for duty in episode.duties if duty.type is ClockType.SUSAR_7D}
    for number in range(episode.first + 1, episode.behind):
        received_at = _received_at(moments[number - 1], moments[number], significant=number not in own)
        if received_at is not None:
            submitted = [_is_submitted(now, moments[number].at) for now in moments[: episode.behind]]
            yield from _fifteen_days(moments, number, received_at, submitted, FOLLOW_UP, received_at)


def _of_falling_away(moments: Sequence[Moment], episode: Episode, requalified: int) -> Iterator[Duty]:
    if episode.behind == len(moments) or "CN_DRUG" not in moments[episode.behind].rules.regimes:
        return
    fell = moments[episode.behind]
    known = [reports(duty, moments) for duty in episode.duties]
    submitted = [any(each[number] is not None for each in known) for number in range(requalified)]
    kinds = NULLIFICATION if fell.voided else FOLLOW_UP | NULLIFICATION
    yield from _fifteen_days(moments, episode.behind, fell.at, submitted, kinds, None if fell.voided else fell.at)


def _of_void(moments: Sequence[Moment], fell_away: Collection[int]) -> Iterator[Duty]:
    number = next((number for number, each in enumerate(moments) if each.voided), None)
    if number is None or number in fell_away or "CN_DRUG" not in moments[number].rules.regimes:
        return
    at = moments[number].at
    submitted = [_is_submitted(now, at) for now in moments]
    yield from _fifteen_days(moments, number, at, submitted, NULLIFICATION, None)


def _fifteen_days(
    moments: Sequence[Moment],
    start: int,
    started_at: datetime,
    submitted: Sequence[bool],
    kinds: Collection[SubmissionKind],
    since: datetime | None,
) -> Iterator[Duty]:
    """The duty, unless nothing was ever submitted; `submitted` says by moment whether that is known and still asks."""
    opened = next((number for number in range(start, len(submitted)) if submitted[number]), None)
    if opened is None:
        return
    rules, zone = moments[opened].rules, moments[opened].zone
    term = within_days(started_at, rules.follow_up_days, rules, zone)
    yield Duty(
        ClockType.SUSAR_FU_15D,
        start,
        opened,
        lambda number: number < len(submitted) and submitted[number],
        lambda _: term,
        lambda number, until: handed_over(moments[number], DRUG.to, kinds, since, until),
    )


def _is_submitted(now: Moment, at: datetime) -> bool:
    """Whether a first report was handed over by an instant, by what is known at a moment."""
    return handed_over(now, DRUG.to, INITIAL, None, at) is not None


def _received_at(before: Moment, now: Moment, *, significant: bool) -> datetime | None:
    """When the information that a commit brought was received; None where it brought none."""
    received = [each.event.info_received_at for each in now.fact.follow_ups[len(before.fact.follow_ups) :]]
    if significant and _is_significant(before.fact, now.fact):
        received.append(change_aware_at(now, now))
    return min(received, default=None)


def _is_significant(before: AdverseEventFact, now: AdverseEventFact) -> bool:
    sequelae = Outcome.RECOVERED_WITH_SEQUELAE
    return (
        before.criteria != now.criteria
        or (now.max_grade or 0) > (before.max_grade or 0)
        or before.reported.code != now.reported.code
        or before.reported.onset != now.reported.onset
        or (now.outcome is sequelae and before.outcome is not sequelae)
    )
