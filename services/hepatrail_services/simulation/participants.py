"""Who takes part: twelve people with liver failure or small-for-size syndrome, and how their illness will go."""

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from hepatrail_events.enrolment import AdmissionType, Indication, Sex


class Course(StrEnum):
    """How the illness goes."""

    RECOVERY = "RECOVERY"
    SLOW_RECOVERY = "SLOW_RECOVERY"
    TRANSPLANT = "TRANSPLANT"
    WITHDRAWAL = "WITHDRAWAL"
    DEATH = "DEATH"


class Incident(StrEnum):
    """The one thing that makes a participant's story different."""

    NONE = "NONE"
    CATHETER_INFECTION = "CATHETER_INFECTION"
    BLEEDING_UPGRADED = "BLEEDING_UPGRADED"
    ALLERGIC_REACTION = "ALLERGIC_REACTION"
    DUPLICATE_REPORT = "DUPLICATE_REPORT"
    DEVICE_FAULT = "DEVICE_FAULT"
    RENAL_FAILURE = "RENAL_FAILURE"
    LOST_CONTACT = "LOST_CONTACT"
    RECORD_ERRORS = "RECORD_ERRORS"


CAST: tuple[tuple[Course, Incident], ...] = (
    (Course.DEATH, Incident.NONE),
    (Course.WITHDRAWAL, Incident.NONE),
    (Course.TRANSPLANT, Incident.NONE),
    (Course.SLOW_RECOVERY, Incident.NONE),
    (Course.SLOW_RECOVERY, Incident.DEVICE_FAULT),
    (Course.SLOW_RECOVERY, Incident.RENAL_FAILURE),
    (Course.RECOVERY, Incident.CATHETER_INFECTION),
    (Course.RECOVERY, Incident.BLEEDING_UPGRADED),
    (Course.RECOVERY, Incident.ALLERGIC_REACTION),
    (Course.RECOVERY, Incident.DUPLICATE_REPORT),
    (Course.RECOVERY, Incident.LOST_CONTACT),
    (Course.RECOVERY, Incident.RECORD_ERRORS),
)
"""The twelve stories of a trial; a seed decides who lives which of them."""
_TREATED_TWICE = frozenset({Incident.DEVICE_FAULT, Incident.ALLERGIC_REACTION, Incident.BLEEDING_UPGRADED})
"""Stories to which a second session belongs."""
_SCREENED = 900
"""Numbers from here on are of people who are not enrolled."""


@dataclass(frozen=True, slots=True)
class Participant:
    """What is fixed about a participant before the first day; times in days, severity 0 (well) to about 1.2."""

    number: int
    subject_id: str
    indication: Indication
    sex: Sex
    age_years: int
    height_cm: int
    weight_kg: float
    chronic_health: bool
    admission_type: AdmissionType
    course: Course
    incident: Incident
    severity: float
    recovery_days: float
    sessions: int
    enrolled_on_day: int
    dies_on_day: float | None
    transplant_on_day: float | None

    @property
    def renal_failure(self) -> bool:
        """Whether the kidneys fail with the liver."""
        return self.incident is Incident.RENAL_FAILURE or self.course is Course.DEATH


def draw_participants(seed: int, count: int, site_id: str) -> tuple[Participant, ...]:
    """The participants of a seed, one story of the cast each; every twelfth is like the first again."""
    stories = list(CAST)
    Random(f"{seed}|order").shuffle(stories)  # noqa: S311  a simulation, no secret
    return tuple(_draw(seed, number, site_id, *stories[(number - 1) % len(stories)]) for number in range(1, count + 1))


def draw_screened(seed: int, count: int, site_id: str) -> tuple[Participant, ...]:
    """People who consent and are not enrolled."""
    drawn = (_draw(seed, _SCREENED + number, site_id, Course.RECOVERY, Incident.NONE) for number in range(1, count + 1))
    return tuple(
        replace(person, subject_id=f"{site_id}-S{number:02d}", enrolled_on_day=20 * number)
        for number, person in enumerate(drawn, start=1)
    )


def _draw(seed: int, number: int, site_id: str, course: Course, incident: Incident) -> Participant:
    rng = Random(f"{seed}|participant|{number}")  # noqa: S311  a simulation, no secret
    sfss = rng.random() < 0.25
    sex = Sex.MALE if rng.random() < 0.7 else Sex.FEMALE
    height = round(rng.gauss(172 if sex is Sex.MALE else 160, 6))
    severe = {
        Course.DEATH: rng.uniform(0.9, 1.05),
        Course.SLOW_RECOVERY: rng.uniform(0.7, 0.98),
        Course.TRANSPLANT: rng.uniform(0.85, 1.0),
    }
    severity = severe.get(course, rng.uniform(0.5, 0.85))
    sessions = rng.randint(2, 4) if severity > 0.7 else rng.randint(1, 3)
    return Participant(
        number=number,
        subject_id=f"{site_id}-{number:03d}",
        indication=Indication.SFSS if sfss else Indication.LIVER_FAILURE,
        sex=sex,
        age_years=min(68, max(21, round(rng.gauss(46, 11)))),
        height_cm=height,
        weight_kg=round(max(45.0, (height / 100) ** 2 * rng.uniform(20.5, 27.0)), 1),
        chronic_health=rng.random() < 0.3,
        admission_type=AdmissionType.EMERGENCY_POSTOPERATIVE if sfss else AdmissionType.NONOPERATIVE,
        course=course,
        incident=incident,
        severity=severity,
        recovery_days=rng.uniform(25, 50) if course is Course.SLOW_RECOVERY else rng.uniform(8, 20),
        sessions=max(2, sessions) if incident in _TREATED_TWICE else sessions,
        enrolled_on_day=(number - 1) * 12 + rng.randint(0, 6),
        dies_on_day=rng.uniform(9, 20) if course is Course.DEATH else None,
        transplant_on_day=rng.uniform(16, 24) if course is Course.TRANSPLANT else None,
    )
