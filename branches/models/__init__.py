from branches.models.imports import ImportBatch, ImportState, Scope, StagedRow, Verdict
from branches.models.organisation import (
    Branch,
    BranchAlias,
    CommitteeSeat,
    Membership,
    MembershipKind,
    SeatKind,
)

__all__ = [
    "Branch",
    "BranchAlias",
    "CommitteeSeat",
    "ImportBatch",
    "ImportState",
    "Membership",
    "MembershipKind",
    "Scope",
    "SeatKind",
    "StagedRow",
    "Verdict",
]
