"""Who takes part: twelve people with liver failure or small-for-size syndrome, and how their illness will go."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from hepatrail_events.enrolment import AdmissionType, Indication, Sex


class Course(StrEnum):
    """How the illness goes."""

    RECOVERY = "RECOVERY"
    SLOW_RECOVERY = "SLOW_RECOVERY"
    WITHDRAWAL = "WITHDRAWAL"
    DEATH = "DEATH"


class Incident(StrEnum):
    """The one thing that makes a participant's story different."""

    NONE = "NONE"
    CATHETER_INFECTION = "CATHETER_INFECTION"
    BLEEDING_UPGRADED = "BLEEDING_UPGRADED"
    ALLERGIC_REACTION = "ALLERGIC_REACTION"


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


def draw_participants(seed: int, count: int, site_id: str) -> tuple[Participant, ...]:
    """The participants of a seed: in twelve, one dies and one withdraws; every twelfth is like the first again."""
    order = Random(f"{seed}|order")  # noqa: S311  a simulation, no secret
    courses = [Course.DEATH, Course.WITHDRAWAL] + [Course.RECOVERY] * 7 + [Course.SLOW_RECOVERY] * 3
    incidents = [Incident.NONE, Incident.NONE, *(kind for kind in Incident if kind is not Incident.NONE)]
    incidents += [Incident.NONE] * (len(courses) - len(incidents))
    stories = list(zip(courses, incidents, strict=True))
    order.shuffle(stories)
    return tuple(_draw(seed, number, site_id, *stories[(number - 1) % len(stories)]) for number in range(1, count + 1))


def _draw(seed: int, number: int, site_id: str, course: Course, incident: Incident) -> Participant:
    rng = Random(f"{seed}|participant|{number}")  # noqa: S311  a simulation, no secret
    sfss = rng.random() < 0.25
    sex = Sex.MALE if rng.random() < 0.7 else Sex.FEMALE
    height = round(rng.gauss(172 if sex is Sex.MALE else 160, 6))
    severity = {Course.DEATH: rng.uniform(0.9, 1.05), Course.SLOW_RECOVERY: rng.uniform(0.7, 0.95)}.get(
        course, rng.uniform(0.5, 0.85)
    )
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
        sessions=rng.randint(2, 4) if severity > 0.7 else rng.randint(1, 3),
        enrolled_on_day=(number - 1) * 12 + rng.randint(0, 6),
        dies_on_day=rng.uniform(9, 20) if course is Course.DEATH else None,
    )
