from cadres.jobs import Heartbeat, Job
from cadres.models.people import (
    DIGESTED,
    PARTY_MEMBERS,
    ActivityClass,
    ClassChange,
    DatedQuerySet,
    PoliticalStatus,
    Residence,
    Retiree,
    RetirementKind,
    Sex,
    Status,
)
from cadres.models.places import Area, Community, Township, TownshipAlias
from cadres.models.units import Nature, Unit, UnitAlias, UnitLevel
from cadres.models.users import User, UserRole

__all__ = [
    "DIGESTED",
    "PARTY_MEMBERS",
    "ActivityClass",
    "Area",
    "ClassChange",
    "Community",
    "DatedQuerySet",
    "Heartbeat",
    "Job",
    "Nature",
    "PoliticalStatus",
    "Residence",
    "Retiree",
    "RetirementKind",
    "Sex",
    "Status",
    "Township",
    "TownshipAlias",
    "Unit",
    "UnitAlias",
    "UnitLevel",
    "User",
    "UserRole",
]
