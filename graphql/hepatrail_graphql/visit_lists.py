"""The code lists of time points (`visits.md`)."""

from enum import Enum

import strawberry


@strawberry.enum(description="How far the assessments of a time point are done (`visits.md` section 5).")
class VisitState(Enum):
    """How far the assessments of a time point are done."""

    not_yet_due = strawberry.enum_value("not_yet_due", description="The window has not opened, or is not defined yet.")
    due = strawberry.enum_value("due", description="The window is open and something is still required.")
    complete_in_window = strawberry.enum_value("complete_in_window", description="All is there, inside the window.")
    complete_out_of_window = strawberry.enum_value(
        "complete_out_of_window", description="All is there, some of it outside the window."
    )
    partial = strawberry.enum_value("partial", description="The window is over and something lacks.")
    missed = strawberry.enum_value("missed", description="The window is over and nothing is there.")
    not_applicable = strawberry.enum_value("not_applicable", description="Nothing is required; `cause` says why.")


@strawberry.enum(description="To which series a time point belongs; only the main one counts for compliance.")
class VisitSeries(Enum):
    """To which series a time point belongs."""

    MAIN = strawberry.enum_value("MAIN", description="The schedule of the protocol: 14 time points.")
    AUXILIARY = strawberry.enum_value("AUXILIARY", description="After a later session: S2_H12 and so on.")
    SAFETY_FOLLOW_UP = strawberry.enum_value("SAFETY_FOLLOW_UP", description="12 months after the last session: SFU12.")


@strawberry.enum(description="How the window of a time point counts.")
class VisitKind(Enum):
    """How the window of a time point counts."""

    pre = strawberry.enum_value("pre", description="Before treatment.")
    instant = strawberry.enum_value("instant", description="In minutes after the anchor, compared to the minute.")
    date = strawberry.enum_value("date", description="In civil dates of the site after the anchor's date.")


@strawberry.enum(description="What ends or reduces what a time point requires (`visits.md` 5.1).")
class StopCause(Enum):
    """What ends or reduces what a time point requires."""

    DEATH = strawberry.enum_value("DEATH", description="The participant died.")
    WITHDRAWAL = strawberry.enum_value("WITHDRAWAL", description="The participant withdrew from follow-up.")
    TRANSPLANT = strawberry.enum_value("TRANSPLANT", description="The participant received a liver.")
    SUPERSEDED = strawberry.enum_value("SUPERSEDED", description="The next session began; auxiliary points only.")
    NOT_TREATED = strawberry.enum_value("NOT_TREATED", description="The participant was never treated.")


@strawberry.enum(description="How a part satisfies its item (`visits.md` 1.1).")
class ItemBasis(Enum):
    """How a part satisfies its item."""

    VALUE = strawberry.enum_value("VALUE", description="By a value, or a stated code.")
    WAIVER = strawberry.enum_value("WAIVER", description="By the accepted reason OUTPATIENT_NO_ABG.")
    PROCEDURES = strawberry.enum_value("PROCEDURES", description="By recorded procedures, which say the same.")
    CUFF = strawberry.enum_value("CUFF", description="By systolic and diastolic pressure: the mean is computed.")


@strawberry.enum(description="What a notice to the site says (`visits.md` 5.2).")
class NoticeKind(Enum):
    """What a notice to the site says."""

    DUE = strawberry.enum_value("DUE", description="The window has opened.")
    REMINDER = strawberry.enum_value("REMINDER", description="The target has come and something lacks.")
    OVERDUE = strawberry.enum_value("OVERDUE", description="The window is over, the time for entry too.")


@strawberry.enum(description="In what a time point deviates from the protocol (CDISC DV).")
class DeviationKind(Enum):
    """In what a time point deviates from the protocol."""

    missed = strawberry.enum_value("missed", description="Nothing is there.")
    partial = strawberry.enum_value("partial", description="Something lacks.")
    complete_out_of_window = strawberry.enum_value("complete_out_of_window", description="Not all inside the window.")


@strawberry.enum(description="How grave a deviation is.")
class DeviationClass(Enum):
    """How grave a deviation is."""

    MAJOR = strawberry.enum_value("MAJOR", description="An assessment of adverse events or of survival is missing.")
    MINOR = strawberry.enum_value("MINOR", description="Any other deviation.")
