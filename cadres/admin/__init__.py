"""The desk's pages about people, places, units and users."""

from cadres.admin.places import (
    AreaAdmin,
    CommunityAdmin,
    CommunityAliasAdmin,
    TownshipAdmin,
    TownshipAliasAdmin,
)
from cadres.admin.retirees import RetireeAdmin
from cadres.admin.units import UnitAdmin
from cadres.admin.users import UserAdmin

__all__ = [
    "AreaAdmin",
    "CommunityAdmin",
    "CommunityAliasAdmin",
    "RetireeAdmin",
    "TownshipAdmin",
    "TownshipAliasAdmin",
    "UnitAdmin",
    "UserAdmin",
]
