from branches.models.imports import (
    ImportBatch,
    ImportState,
    MissingPerson,
    MissingRuling,
    Purpose,
    Scope,
    StagedRow,
    Verdict,
)
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
    "MissingPerson",
    "MissingRuling",
    "Purpose",
    "Scope",
    "SeatKind",
    "StagedRow",
    "Verdict",
]
