"""The written list of the domains of an export, in the order in which they are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hepatrail_events.protocol import Protocol
from hepatrail_projections.derive import SubjectRows
from hepatrail_services.exporters import ae, cm, de, dm, ds, ex, fa, lb, mh, pr, rs, ss, sv, vs, xa, xp
from hepatrail_services.exporters.dataset_json import Dataset, Row

Rows: TypeAlias = Callable[[SubjectRows, Protocol], tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Domain:
    """A dataset and the pure function that makes one participant's rows of it."""

    dataset: Dataset
    rows: Rows

    @property
    def stem(self) -> str:
        """The name of its file, without the ending."""
        return self.dataset.name.lower()


DOMAINS: tuple[Domain, ...] = (
    Domain(dm.DM, dm.rows),
    Domain(ex.EX, ex.rows),
    Domain(xp.XP, xp.rows),
    Domain(mh.MH, mh.rows),
    Domain(cm.CM, cm.rows),
    Domain(pr.PR, pr.rows),
    Domain(lb.LB, lb.rows),
    Domain(vs.VS, vs.rows),
    Domain(ae.AE, ae.rows),
    Domain(fa.FA, fa.rows),
    Domain(ds.DS, ds.rows),
    Domain(ss.SS, ss.rows),
    Domain(sv.SV, sv.rows),
    Domain(xa.XA, xa.rows),
    Domain(de.DE, de.rows),
    Domain(rs.RS, rs.rows),
)
