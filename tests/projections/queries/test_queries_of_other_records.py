"""CON-02 and SUB-03: procedures that overlap, a sponsor who knew too early."""

from datetime import timedelta

import pytest

from hepatrail_events.adverse_events import AECorrected
from hepatrail_events.concomitant import ProcedureCorrected, ProcedureKind, ProcedureVoided
from hepatrail_events.submissions import SponsorNotified
from hepatrail_events.types import PartialDate, format_instant
from projection_log import SEALED
from query_course import Course, day, void

HD, CVVHD = ProcedureKind.HD, ProcedureKind.CVVHD


def at(text: str) -> PartialDate:
    return PartialDate(value=f"2026-01-{text}Z", precision="MINUTE")


def test_con_02_procedures_of_one_kind_overlap() -> None:
    course = Course()
    course.procedure(CVVHD, at("03T08:00"), at("03T12:00"))
    later = course.procedure(CVVHD, at("03T11:59"), at("03T14:00"))
    query = course.the("CON-02")
    assert (query.object_kind, query.object_id, query.code) == ("PROCEDURE", later, "OVERLAP")
    assert len(query.event_ids) == 2
    course.commit(ProcedureCorrected(id=later, field="startedAt", new_value="2026-01-03T12:00Z", reason=SEALED))
    assert course.open("CON-02") == []


@pytest.mark.parametrize(
    ("kind", "started", "ended", "asked"),
    [
        (HD, at("03T09:00"), at("03T10:00"), False),
        (CVVHD, at("03T12:00"), at("03T13:00"), False),
        (CVVHD, at("03T07:00"), None, True),
        (CVVHD, day("2026-01-03"), day("2026-01-03"), False),
        (CVVHD, day("2026-01-02"), day("2026-01-04"), True),
        (CVVHD, PartialDate(precision="UNKNOWN"), at("03T10:00"), False),
        (CVVHD, at("03T09:00"), PartialDate(precision="UNKNOWN"), False),
    ],
)
def test_con_02_asks_only_about_what_overlaps_for_certain(
    kind: ProcedureKind, started: PartialDate, ended: PartialDate | None, asked: bool
) -> None:
    course = Course()
    course.procedure(CVVHD, at("03T08:00"), at("03T12:00"))
    course.procedure(kind, started, ended)
    assert course.codes("CON-02") == ["OVERLAP"] * asked


def test_con_02_hemodialysis_without_an_end_has_no_known_length() -> None:
    course = Course()
    course.procedure(HD, at("03T08:00"))
    course.procedure(HD, at("03T20:00"), at("03T23:00"))
    assert course.open("CON-02") == []


def test_con_02_a_void_procedure_overlaps_with_nothing() -> None:
    course = Course()
    first = course.procedure(CVVHD, at("03T08:00"), at("03T12:00"))
    course.procedure(CVVHD, at("03T09:00"), at("03T10:00"))
    assert len(course.open("CON-02")) == 1
    course.commit(ProcedureVoided(**void(first)))
    assert course.open("CON-02") == []


def test_sub_03_the_sponsor_knew_before_the_site() -> None:
    course = Course()
    event = course.adverse_event()
    course.commit(SponsorNotified(ae_id=event.ae_id, notified_at=event.aware_at), role="SPONSOR")
    assert course.open("SUB-03") == []
    early = event.aware_at - timedelta(minutes=1)
    said = course.commit(SponsorNotified(ae_id=event.ae_id, notified_at=early), role="SPONSOR")
    query = course.the("SUB-03")
    assert (query.object_kind, query.object_id, query.code) == ("SPONSOR_NOTIFICATION", said, "BEFORE_AWARENESS")
    course.commit(
        AECorrected(ae_id=event.ae_id, ae_version=2, field="awareAt", new_value=format_instant(early), reason=SEALED)
    )
    assert course.open("SUB-03") == []


def test_sub_03_a_later_notification_takes_the_place_of_the_first() -> None:
    course = Course()
    event = course.adverse_event()
    early = event.aware_at - timedelta(minutes=1)
    course.commit(SponsorNotified(ae_id=event.ae_id, notified_at=early), role="SPONSOR")
    assert len(course.open("SUB-03")) == 1
    course.commit(SponsorNotified(ae_id=event.ae_id, notified_at=course.now), role="SPONSOR")
    assert course.open("SUB-03") == []
