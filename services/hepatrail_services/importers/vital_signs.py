"""VS: bedside observations. Every readable row goes in as reported; what is accepted is for the trial to decide."""

from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_services.importers.mapping_course import VsMapping
from hepatrail_services.importers.plan import Draft, Phase, RowRef, RowRefused, Step, Unit, readable
from hepatrail_services.importers.reported import ROWS_A_COMMAND, Measuring
from hepatrail_services.importers.source import SourceRow
from hepatrail_services.importers.times import UnreadableTime, instant_or_day

_METHOD_LENGTH = 200


def plan_vital_signs(rows: tuple[SourceRow, ...], mapping: VsMapping, zone: ZoneInfo) -> Draft:
    """One unit a moment (subject, time, visit); a very large one is cut into commands of 200 rows."""
    draft = Draft()
    columns = (mapping.test, None, mapping.value, mapping.status, mapping.unit)
    measuring = Measuring(*columns, mapping.tests, mapping.units)
    moments: dict[tuple[str, str, str], list[tuple[RowRef, dict[str, Any]]]] = {}
    for row, ref in readable(rows, draft, mapping.subject, mapping.sequence):
        try:
            instant_or_day(row[mapping.assessed_at], zone)
            result = measuring.result(row, ref, draft) | _method(row, ref, mapping, draft)
        except RowRefused as error:
            draft.refuse(ref, error.code, error.sentence)
        except UnreadableTime as error:
            draft.refuse(ref, "LAB-01", str(error))
        else:
            moment = (row[mapping.subject], row[mapping.assessed_at], row[mapping.visit])
            moments.setdefault(moment, []).append((ref, result))
    for moment, results in moments.items():
        for start in range(0, len(results), ROWS_A_COMMAND):
            key = "|".join((*moment, str(start)) if start else moment)
            part = results[start : start + ROWS_A_COMMAND]
            observed = {
                "subjectId": moment[0],
                "assessedAt": instant_or_day(moment[1], zone),
                "rows": [result for _, result in part],
            }
            refs, steps = tuple(ref for ref, _ in part), (Step("recordObservations", observed),)
            draft.units.append(Unit(key, moment[0], Phase.OBSERVATIONS, refs, steps))
    return draft


def _method(row: SourceRow, ref: RowRef, mapping: VsMapping, draft: Draft) -> dict[str, str]:
    """Position, site and time point of the reading, which tell readings of one moment apart."""
    method = ", ".join(row[column] for column in mapping.method if row[column])
    if len(method) > _METHOD_LENGTH:
        draft.find(ref, "METHOD_CUT", f"{method!r} is longer than {_METHOD_LENGTH} characters and was cut.")
    return {"method": method[:_METHOD_LENGTH]} if method else {}
