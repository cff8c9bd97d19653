"""Random courses of adverse events and their reports, of every kind of event and protocol change that moves a clock."""

import random
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import AECorrected, Assessor, Causality, CausalityTarget, Criterion, Expectedness
from hepatrail_events.submissions import Recipient, SubmissionKind
from hepatrail_events.types import format_instant
from log_commits import start
from projection_log import SEALED
from reporting_course import DEATH, HOSPITALISATION, INVESTIGATOR, LIFE_THREATENING, SPONSOR, Course

CRITERIA = (DEATH, HOSPITALISATION, LIFE_THREATENING, Criterion.DISABILITY)
TARGETS = (CausalityTarget.CELL_PRODUCT, CausalityTarget.DEVICE)


class RandomCourse:
    """A course that a seed decides; nothing of it need make sense, as long as it can be folded.

    `lagging`: some commits are decided without knowing of a version that was in effect.
    """

    def __init__(self, seed: int, steps: int = 25, *, lagging: bool = False) -> None:
        self.lagging = lagging
        self.chance = random.Random(seed)
        self.course = Course(zone=self.chance.choice(("Asia/Shanghai", "Asia/Shanghai", "America/New_York")))
        self._submissions: list[UUID] = []
        self._versions = 1
        self._reported = {self.course.ae_id}
        first = self.chance.choice((self.course.susar, self.course.reported))
        first(self._when(), *self._criteria(0), aware=self._past())
        moves: tuple[Callable[[], object], ...] = (
            self._upgrade,
            self._change,
            self._change,
            self._downgrade,
            self._judge,
            self._judge,
            self._expect,
            self._follow_up,
            self._notify,
            self._submit,
            self._submit,
            self._submit,
            self._mend,
            self._correct,
            self._treat,
            self._turn_to_another,
            self._publish,
        )
        for _ in range(steps):
            self.chance.choice(moves)()
        if self.chance.random() < 0.3:
            self.course.voided(self._when())
            self._submit()

    def _text(self, minutes: float) -> str:
        then = (self.course.log.now + timedelta(minutes=minutes)).astimezone(ZoneInfo(self.course.zone))
        return f"{then:%m-%d %H:%M}"

    def _when(self) -> str:
        return self._text(self.chance.choice((1, 20, 300, 60 * 24, 60 * 24 * 3)) + 1)

    def _past(self) -> str:
        return self._text(-self.chance.choice((0, 1, 30, 600, 60 * 24, 60 * 24 * 2)))

    def _criteria(self, least: int = 1) -> list[Criterion]:
        return self.chance.sample(CRITERIA, self.chance.randint(least, 2))

    def _by(self) -> Assessor:
        return self.chance.choice((INVESTIGATOR, INVESTIGATOR, SPONSOR))

    def _upgrade(self) -> None:
        self.course.upgraded(self._when(), *self._criteria(), aware=self._past(), by=self._by())

    def _change(self) -> None:
        added, removed = self._criteria(0), self._criteria(0)
        self.course.criteria_changed(self._when(), added, removed, aware=self._past(), by=self._by())

    def _downgrade(self) -> None:
        self.course.downgraded(self._when(), by=self._by())

    def _judge(self) -> None:
        value = self.chance.choice((Causality.POSSIBLE, Causality.UNRELATED, Causality.UNLIKELY))
        targets = self.chance.sample(TARGETS, self.chance.randint(1, 2))
        self.course.judged(self._when(), value, *targets, by=self._by())

    def _expect(self) -> None:
        self.course.expected(self._when(), self.chance.choice(list(Expectedness)))

    def _follow_up(self) -> None:
        self.course.followed_up(self._when(), self._past())

    def _notify(self) -> None:
        self.course.notified(self._when(), self._past())

    def _submit(self) -> None:
        to, kind = self.chance.choice(list(Recipient)), self.chance.choice(list(SubmissionKind))
        self._submissions.append(self.course.submitted(self._when(), to, kind, handed=self._past()))

    def _mend(self) -> None:
        if self._submissions:
            submission = self.chance.choice(self._submissions)
            if self.chance.random() < 0.5:
                self.course.submission_corrected(self._when(), submission, self._past())
            else:
                self.course.submission_voided(self._when(), submission)

    def _correct(self) -> None:
        course = self.course
        course.version += 1
        event = AECorrected(
            ae_id=course.ae_id,
            ae_version=course.version,
            field="awareAt",
            new_value=format_instant(course.at(self._past())),
            reason=SEALED,
        )
        course.commit(self._when(), event)

    def _treat(self) -> None:
        if self.chance.random() < 0.5 and self.course.session_id is not None:
            self.course.session_voided(self._when())
        else:
            self.course.session_id = start(self.course.log, self.course.stream).session_id

    def _turn_to_another(self) -> None:
        """Goes on with the other one of two adverse events, which is reported first."""
        course, one, two = self.course, UUID(int=7), UUID(int=8)
        course.ae_id = two if course.ae_id == one else one
        if course.ae_id not in self._reported:
            self._reported.add(course.ae_id)
            course.reported(self._when(), *self._criteria(0), aware=self._past())

    def _publish(self) -> None:
        rules = self.chance.choice(
            (
                {"regimes": ("CN_DRUG",)},
                {"regimes": ("CN_DEVICE",)},
                {"regimes": ("CN_DRUG", "CN_DEVICE")},
                {"ec_sae_24h": False},
                {"sponsor_is_site": True},
                {"fu8_from": "DAY7", "follow_up_days": 10},
                {"related_set": ("DEFINITE",)},
            )
        )
        later = self._text(self.chance.choice((-60, 5, 60 * 24 * 2)))
        log = self.course.log
        self._versions += 1
        self.course.publish(self._when(), f"v{self._versions}", later, **rules)
        if self.lagging and self.chance.random() < 0.7:
            log._studyseq -= 1
            self.chance.choice((self._judge, self._change, self._follow_up, self._submit))()
            log._studyseq += 1
