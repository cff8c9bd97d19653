"""The ten roles of `events.md` section 2, and the groups that its Who columns name."""

from enum import StrEnum


class Role(StrEnum):
    """What a person or component may do in the trial."""

    PRINCIPAL_INVESTIGATOR = "PRINCIPAL_INVESTIGATOR"
    INVESTIGATOR = "INVESTIGATOR"
    COORDINATOR = "COORDINATOR"
    LABORATORY = "LABORATORY"
    SAFETY_OFFICER = "SAFETY_OFFICER"
    SPONSOR = "SPONSOR"
    MONITOR = "MONITOR"
    AUDITOR = "AUDITOR"
    ADMIN = "ADMIN"
    SYSTEM = "SYSTEM"


INVESTIGATORS = frozenset({Role.INVESTIGATOR, Role.PRINCIPAL_INVESTIGATOR})
"""INVESTIGATOR in a Who column includes PRINCIPAL_INVESTIGATOR."""
SITE = INVESTIGATORS | {Role.COORDINATOR}
"""What the reference calls "site"."""
LABORATORIES = INVESTIGATORS | {Role.LABORATORY}
READS_SEALED_TEXT = frozenset(Role) - {Role.LABORATORY, Role.ADMIN}
"""Who is shown the clear text of a sealed field (`events.md` section 1)."""

ALL_SITES = "*"
"""In the claim `sites`: every site of the trial."""
