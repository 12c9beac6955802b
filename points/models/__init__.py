from points.models.accounts import (
    SOURCES,
    SYSTEM_KINDS,
    Account,
    AccountKind,
    Cycle,
    CycleStatus,
    Transfer,
    TransferKind,
)
from points.models.causes import (
    Adjustment,
    AuditRun,
    Posting,
    PostingState,
    RulingState,
    Settlement,
    SettlementKind,
    Shortfall,
)
from points.models.rules import Direction, Rule

__all__ = [
    "SOURCES",
    "SYSTEM_KINDS",
    "Account",
    "AccountKind",
    "Adjustment",
    "AuditRun",
    "Cycle",
    "CycleStatus",
    "Direction",
    "Posting",
    "PostingState",
    "Rule",
    "RulingState",
    "Settlement",
    "SettlementKind",
    "Shortfall",
    "Transfer",
    "TransferKind",
]
