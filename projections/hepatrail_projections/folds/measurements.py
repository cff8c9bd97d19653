"""Laboratory results and bedside observations (`events.md` 3.3, 3.4)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hepatrail_events.acceptance import accept
from hepatrail_events.catalogue import catalogue
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultsRecorded,
    Measured,
    ObservationsRecorded,
    ObservedRow,
    ResultCorrected,
)
from hepatrail_events.types import instant_or_date
from hepatrail_events.units import fraction_str
from hepatrail_events.voiding import Voided
from hepatrail_projections.clinical.inputs import Collected, Observation
from hepatrail_projections.facts import Canonical, ResultFact, Review, SampleFact, SubjectView
from hepatrail_projections.folds.correcting import correction, voided, with_item
from hepatrail_projections.folds.known import known
from hepatrail_projections.replacing import replace


def lab_results_recorded(view: SubjectView, event: LabResultsRecorded, envelope: Envelope) -> SubjectView:
    """The rows of one sample."""
    sample = SampleFact(
        sample_id=event.sample_id,
        collected_at=event.collected_at,
        visit_code=event.visit_code,
        pre_session=event.pre_session,
        laboratory=event.laboratory,
        specimen=event.specimen,
        source_message_id=event.source_message_id,
        recorded_at=envelope.recordedat,
        streamseq=envelope.streamseq,
        observed=False,
    )
    return _recorded(view, event.results, sample, envelope)


def observations_recorded(view: SubjectView, event: ObservationsRecorded, envelope: Envelope) -> SubjectView:
    """The rows of one moment at the bedside."""
    sample = SampleFact(
        sample_id=None,
        collected_at=event.assessed_at,
        visit_code=event.visit_code,
        pre_session=event.pre_session,
        laboratory=None,
        specimen=None,
        source_message_id=None,
        recorded_at=envelope.recordedat,
        streamseq=envelope.streamseq,
        observed=True,
    )
    return _recorded(view, event.rows, sample, envelope)


def result_corrected(view: SubjectView, event: ResultCorrected, envelope: Envelope) -> SubjectView:
    """One field of a result or observation has another value and the acceptance was decided again."""
    result = known(view.results, event.id, "result")
    result = replace(
        _corrected(result, event.field, event.new_value),
        corrections=(*result.corrections, correction(event, envelope)),
        accepted=event.accepted,
        reject_reason=None if event.reject_reason is None else event.reject_reason.value,
        confirmed=result.confirmed and event.accepted and event.field not in _JUDGED,
    )
    return _with(view, _seen(result, envelope))


def result_voided(view: SubjectView, event: Voided, envelope: Envelope) -> SubjectView:
    """The result or observation feeds nothing from now on."""
    result = known(view.results, event.id, "result")
    return _with(view, _seen(replace(result, voided=voided(event, envelope)), envelope))


def lab_finding_reviewed(view: SubjectView, event: LabFindingReviewed, envelope: Envelope) -> SubjectView:
    """An investigator judged a finding; the latest judgement counts."""
    known(view.results, event.result_id, "result")
    review = Review(
        clinically_significant=event.clinically_significant,
        final_grade=event.final_grade,
        reviewed_at=envelope.recordedat,
        actor_id=envelope.actorid,
        event_id=envelope.id,
    )
    return replace(view, reviews=with_item(view.reviews, event.result_id, review))


def implausible_confirmed(view: SubjectView, event: ImplausibleConfirmed, envelope: Envelope) -> SubjectView:
    """An investigator admitted the value."""
    result = known(view.results, event.result_id, "result")
    return _with(view, _seen(replace(result, accepted=True, reject_reason=None, confirmed=True), envelope))


@lru_cache(maxsize=1 << 15)
def canonical_of(code: str, value: str | None, comparator: str | None, unit: str | None) -> Canonical:
    """The value in the canonical unit, also of an implausible one; None where there is none."""
    found = accept(code, value, comparator, unit).canonical
    if isinstance(found, Fraction):
        return Canonical(found, fraction_str(found), str(found), canonical_unit(code))
    return Canonical(found, found, None, canonical_unit(code))


def _recorded(view: SubjectView, rows: Iterable[Measured], sample: SampleFact, envelope: Envelope) -> SubjectView:
    event_ids = (envelope.id,)
    collected = _collected(sample.collected_at)
    results = dict(view.results)
    for number, row in enumerate(rows):
        canonical = canonical_of(row.code, row.value, row.comparator, row.unit)
        results[row.result_id] = ResultFact(
            result_id=row.result_id,
            row_index=number,
            sample=sample,
            code=row.code,
            value=row.value,
            comparator=row.comparator,
            unit=row.unit,
            low=row.low,
            high=row.high,
            method=row.method,
            fasting=row.fasting,
            not_done=row.not_done,
            nt_reason=row.nt_reason if isinstance(row, ObservedRow) else None,
            accepted=row.accepted,
            reject_reason=row.reject_reason,
            canonical=canonical,
            observation=Observation(
                result_id=row.result_id,
                event_id=envelope.id,
                sample_id=sample.sample_id,
                code=row.code,
                value=canonical.value,
                comparator=row.comparator,
                unit=canonical.unit,
                collected=collected,
                visit_code=sample.visit_code,
                pre_session=sample.pre_session,
                not_done=row.not_done,
                accepted=row.accepted,
                nt_reason=row.nt_reason if isinstance(row, ObservedRow) else None,
            ),
            event_ids=event_ids,
        )
    return replace(view, results=results)


def canonical_unit(code: str) -> str | None:
    """The canonical unit of a measurement, None for an unknown code."""
    measurement = catalogue().get(code)
    return None if measurement is None else measurement.canonical_unit


def _collected(when: datetime | date) -> Collected:
    return Collected(when) if isinstance(when, datetime) else Collected(None, when)


def _text(text: str | None) -> str | None:
    return text


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "true"


def _time(text: str | None) -> Any:
    try:
        return instant_or_date(text)
    except ValueError as error:
        raise InvalidPayload(f"The time of collection {error}") from None


_JUDGED = frozenset({"code", "value", "comparator", "unit"})
_OF_ROW: Mapping[str, tuple[str, Callable[[str | None], Any]]] = {
    "code": ("code", _text),
    "value": ("value", _text),
    "comparator": ("comparator", _text),
    "unit": ("unit", _text),
    "low": ("low", _text),
    "high": ("high", _text),
    "method": ("method", _text),
    "fasting": ("fasting", _flag),
    "notDone": ("not_done", _text),
    "ntReason": ("nt_reason", _text),
}
_OF_SAMPLE: Mapping[str, tuple[str, Callable[[str | None], Any]]] = {
    "collectedAt": ("collected_at", _time),
    "assessedAt": ("collected_at", _time),
    "visitCode": ("visit_code", _text),
    "preSession": ("pre_session", _flag),
    "laboratory": ("laboratory", _text),
    "specimen": ("specimen", _text),
}


def _corrected(result: ResultFact, field: str, text: str | None) -> ResultFact:
    if field in _OF_SAMPLE:
        name, read = _OF_SAMPLE[field]
        return replace(result, sample=replace(result.sample, **{name: read(text)}))
    if field not in _OF_ROW:
        raise InvalidPayload(f"field {field!r} of a result cannot be corrected")
    name, read = _OF_ROW[field]
    changed = replace(result, **{name: read(text)})
    canonical = canonical_of(changed.code, changed.value, changed.comparator, changed.unit)
    return replace(changed, canonical=canonical)


def _seen(result: ResultFact, envelope: Envelope) -> ResultFact:
    event_ids = (*result.event_ids, envelope.id)
    observation = replace(
        result.observation,
        code=result.code,
        value=result.canonical.value,
        comparator=result.comparator,
        unit=result.canonical.unit,
        collected=_collected(result.sample.collected_at),
        visit_code=result.sample.visit_code,
        pre_session=result.sample.pre_session,
        not_done=result.not_done,
        accepted=result.accepted,
        further_event_ids=event_ids[1:],
        nt_reason=result.nt_reason,
    )
    return replace(result, observation=observation, event_ids=event_ids)


def _with(view: SubjectView, result: ResultFact) -> SubjectView:
    return replace(view, results=with_item(view.results, result.result_id, result))
