from cadres.jobs import Heartbeat, Job
from cadres.models.access import (
    SECOND_PERSON_FROM,
    AccessEntry,
    AccessKind,
    Export,
    ExportState,
    Secret,
)
from cadres.models.care import CareKind, CareRecord, ClassReview, ReviewOutcome
from cadres.models.ledgers import (
    Absence,
    ClassChange,
    ClassReason,
    DatedQuerySet,
    Residence,
)
from cadres.models.notices import Announcement
from cadres.models.people import (
    DIGESTED,
    PARTY_MEMBERS,
    ActivityClass,
    PoliticalStatus,
    Retiree,
    RetirementKind,
    Sex,
    Status,
)
from cadres.models.places import Area, Community, CommunityAlias, Township, TownshipAlias
from cadres.models.stored import StoredFigures
from cadres.models.units import Nature, Unit, UnitAlias, UnitLevel
from cadres.models.users import User, UserRole

__all__ = [
    "DIGESTED",
    "PARTY_MEMBERS",
    "SECOND_PERSON_FROM",
    "Absence",
    "AccessEntry",
    "AccessKind",
    "ActivityClass",
    "Announcement",
    "Area",
    "CareKind",
    "CareRecord",
    "ClassChange",
    "ClassReason",
    "ClassReview",
    "Community",
    "CommunityAlias",
    "DatedQuerySet",
    "Export",
    "ExportState",
    "Heartbeat",
    "Job",
    "Nature",
    "PoliticalStatus",
    "Residence",
    "Retiree",
    "RetirementKind",
    "ReviewOutcome",
    "Secret",
    "Sex",
    "Status",
    "StoredFigures",
    "Township",
    "TownshipAlias",
    "Unit",
    "UnitAlias",
    "UnitLevel",
    "User",
    "UserRole",
]
