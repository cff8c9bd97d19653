"""DS: death, transplant, loss to follow-up, withdrawal and being alive become commands where no other domain tells it.

The rest is kept: a row that another domain tells as well, as a finding which names that domain, so that nothing is
recorded twice; so is a row for which the trial has no command, completion above all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.assessments import VitalStatus, WithdrawalScope
from hepatrail_events.types import format_instant
from hepatrail_services.importers.mapping_course import Disposition, DsMapping
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, civil, instant_or_day, is_partial, partial


@dataclass(frozen=True, slots=True)
class Told:
    """What the other domains tell: deaths (subject -> domain and date, empty where that one has none), screen
    failures and consents (subjects) and visits (subject, visit)."""

    deaths: Mapping[str, tuple[str, str]]
    screen_failures: frozenset[str]
    consents: frozenset[str]
    visits: frozenset[tuple[str, str]]


def death_dates(rows: Iterable[SourceRow], mapping: DsMapping) -> dict[str, str]:
    """Subject -> date of its first row that tells its death, empty where that row has none."""
    found: dict[str, str] = {}
    for row in rows:
        if row.whole and mapping.dispositions.get(row[mapping.decode]) is Disposition.DEATH:
            found.setdefault(row[mapping.subject], row[mapping.start])
    return found


def plan_disposition(rows: tuple[SourceRow, ...], mapping: DsMapping, zone: ZoneInfo, told: Told) -> Draft:
    """One unit a row that is a command; a withdrawal from treatment comes before a wider one (VIS-04)."""
    reader = _Reader(mapping, zone, told, Draft())
    draft = reader.draft
    for row, ref in readable(rows, draft, mapping.subject, mapping.sequence):
        disposition = mapping.dispositions.get(row[mapping.decode])
        if disposition is None:
            text = f"{mapping.decode} {row[mapping.decode]!r} is not in the mapping."
            draft.refuse(ref, "UNMAPPED_DISPOSITION", text)
            continue
        try:
            reader.read(row, ref, disposition)
        except (RowRefused, UnreadableTime) as error:
            draft.refuse(ref, getattr(error, "code", "UNREADABLE_TIME"), str(error))
    draft.units.sort(key=lambda unit: unit.steps[0].input.get("scope") != WithdrawalScope.TREATMENT_ONLY.value)
    return draft


@dataclass(frozen=True, slots=True)
class _Reader:
    """Puts each row into the draft; `died` are the subjects whose death a row here has told."""

    mapping: DsMapping
    zone: ZoneInfo
    told: Told
    draft: Draft
    died: set[str] = field(default_factory=set)

    def read(self, row: SourceRow, ref: RowRef, disposition: Disposition) -> None:
        subject = row[self.mapping.subject]
        match disposition:
            case Disposition.DEATH:
                self._death(row, ref, subject)
            case Disposition.LOST_TO_FOLLOW_UP:
                lost = {"subjectId": subject, "lastContactAt": self._at(row)}
                self._send(ref, subject, Phase.DISPOSITION, Step("recordLossToFollowUp", lost))
            case Disposition.WITHDREW:
                step = Step("withdrawSubject", self._withdrawal(row, subject))
                self._send(ref, subject, Phase.DISPOSITION, step)
            case Disposition.TRANSPLANTED:
                transplant = {"subjectId": subject, "transplantAt": partial(row[self.mapping.start], self.zone)}
                self._send(ref, subject, Phase.DISPOSITION, Step("recordTransplant", transplant))
            case Disposition.ALIVE:
                step = Step("recordSurvivalStatus", self._alive(row, subject))
                self._send(ref, subject, Phase.DISPOSITION, step)
            case _:
                self.draft.keep(ref, *self._kept(row, subject, disposition))

    def _send(self, ref: RowRef, subject: str, phase: Phase, step: Step) -> None:
        self.draft.units.append(Unit(ref.key, subject, phase, (ref,), (step,)))

    def _death(self, row: SourceRow, ref: RowRef, subject: str) -> None:
        mapping, died = self.mapping, row[self.mapping.start]
        if subject in self.told.deaths:
            domain, known = self.told.deaths[subject]
            self.draft.keep(ref, f"TOLD_BY_{domain}", f"{domain} tells the death.")
            if known and died and known != died:
                stated = f"{mapping.start} {died} is not the date of death {known} of DM, which counts."
                self.draft.find(ref, "DEATH_DATE_DIFFERS", stated)
            return
        if subject in self.died:
            self.draft.keep(ref, "TOLD_BY_DS", "An earlier row tells the death.")
            return
        if is_partial(died):
            raise RowRefused("DEATH_DATE_PARTIAL", f"{mapping.start} {died!r} gives no day to learn of the death on.")
        aware_at = format_instant(civil(died[:10], mapping.stand_in.death_aware_time, self.zone))
        death = {"subjectId": subject, "deathAt": partial(died, self.zone), "awareAt": aware_at}
        self._send(ref, subject, Phase.DEATH, Step("recordDeath", death))
        self.draft.find(ref, "DEATH_WITHOUT_AE", f"{mapping.start} {died}, and neither AE nor DM tells the death.")
        self.died.add(subject)

    def _withdrawal(self, row: SourceRow, subject: str) -> dict[str, Any]:
        mapping, constants = self.mapping, self.mapping.stand_in
        scope = constants.scope
        if mapping.treatment and row[mapping.part] == mapping.treatment:
            scope = WithdrawalScope.TREATMENT_ONLY
        withdrawal: dict[str, Any] = {
            "subjectId": subject,
            "withdrawnAt": self._at(row),
            "scope": scope.value,
            "vitalStatusAllowed": constants.vital_status_allowed and scope is WithdrawalScope.FOLLOW_UP,
        }
        return withdrawal | ({"reason": row[mapping.term]} if row[mapping.term] else {})

    def _alive(self, row: SourceRow, subject: str) -> dict[str, Any]:
        constants = self.mapping.stand_in
        return {
            "subjectId": subject,
            "at": self._at(row),
            "alive": VitalStatus.Y.value,
            "transplant": constants.alive_transplant.value,
            "source": constants.alive_source.value,
        }

    def _kept(self, row: SourceRow, subject: str, disposition: Disposition) -> tuple[str, str]:
        """Why a row needs no command; RowRefused when it should be told by another domain and is not."""
        mapping, told = self.mapping, self.told
        stated = f"{mapping.start} {row[mapping.start]}, {mapping.term} {row[mapping.term]!r}"
        match disposition:
            case Disposition.SCREEN_FAILED if subject in told.screen_failures:
                return "TOLD_BY_DM", f"{stated}: DM tells the screen failure."
            case Disposition.CONSENTED if subject in told.consents:
                return "TOLD_BY_DM", f"{stated}: DM tells the consent."
            case Disposition.ATTENDED_VISIT if (subject, row[mapping.visit]) in told.visits:
                return "TOLD_BY_SV", f"{stated}: SV tells the visit {row[mapping.visit]}."
            case Disposition.SCREEN_FAILED | Disposition.CONSENTED:
                raise RowRefused("NOT_IN_DM", f"{stated} is for DM to tell, which does not.")
            case Disposition.ATTENDED_VISIT:
                raise RowRefused("NOT_IN_SV", f"{stated} is for SV to tell, which does not.")
            case Disposition.COMPLETED:
                return "COMPLETED", f"{stated}: the trial derives what was completed from the visits."
            case _:
                return "DISCONTINUED", f"{stated}: no withdrawal of the participant, the trial has no command."

    def _at(self, row: SourceRow) -> str:
        text = row[self.mapping.start]
        if len(text) > 10:
            return instant_or_day(text, self.zone)
        return format_instant(civil(text, self.mapping.stand_in.time, self.zone))
