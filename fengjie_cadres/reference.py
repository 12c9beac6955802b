"""The county's divisions, units, areas, branches and rules, from the files in data/."""

import csv
import datetime
from pathlib import Path

from django.db import transaction

from branches.models import Branch
from cadres.lookup import short_community_name
from cadres.models import Area, Community, Township, TownshipAlias, Unit, UnitAlias
from cadres.roles import load_roles
from points.models import Reward, Rule

DATA = Path(__file__).with_name("data")
#: Old names; a name without a township has several answers, and staff choose.
OLD_TOWNSHIPS = {
    "永安镇": (None, "永安街道、鱼复街道、夔门街道、夔州街道"),
    "五马乡": ("五马镇", ""),
    "安坪乡": ("安坪镇", ""),
    "新政乡": (None, ""),
}
RULES_SINCE = datetime.date(2025, 1, 1)


def _rows(name: str) -> list[dict]:
    with open(DATA / name, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _add(model, objects: list) -> None:
    """What is there already, known by its code, stays as staff have left it."""
    model.objects.bulk_create(objects, ignore_conflicts=True)


def _add_first(model, objects: list) -> None:
    """Only into an empty table: known by name alone, a renamed one would come back."""
    if not model.objects.exists():
        model.objects.bulk_create(objects)


@transaction.atomic
def load() -> dict[str, int]:
    """Adds what is missing, touches nothing that staff can change; how many of each there are.

    The permissions of the roles are set to what the code says.
    """
    _load_places()
    _load_units()
    _load_branches()
    _load_rules()
    _load_rewards()
    load_roles()
    models = (Township, Community, Area, Unit, Branch, Rule, Reward)
    return {model._meta.verbose_name: model.objects.count() for model in models}


def _load_places() -> None:
    rows = _rows("fengjie_divisions.csv")
    branches = _rows("branches.csv")
    areas = dict.fromkeys(row["area"] for row in branches)
    _add_first(Area, [Area(name=name) for name in areas])
    area = {a.name: a for a in Area.objects.all()}
    of_township = {row["township"]: area.get(row["area"]) for row in branches}
    townships = [row for row in rows if row["level"] == "township"]
    _add(
        Township,
        [
            Township(code=row["code"], name=row["name"], area=of_township.get(row["name"]))
            for row in townships
        ],
    )
    by_code = {t.code: t for t in Township.objects.all()}
    _add(Community, [_community(row, by_code) for row in rows if row["level"] == "community"])
    _add_first(TownshipAlias, [_alias(old, *now) for old, now in OLD_TOWNSHIPS.items()])


def _community(row: dict, by_code: dict[str, Township]) -> Community:
    return Community(
        code=row["code"],
        name=row["name"],
        short_name=short_community_name(row["name"]),
        township=by_code[row["parent_code"]],
    )


def _alias(old: str, now: str | None, note: str) -> TownshipAlias:
    township = Township.objects.filter(name=now).first() if now else None
    return TownshipAlias(name=old, township=township, note=note)


def _load_units() -> None:
    if Unit.objects.exists():
        return
    rows = _rows("units.csv")
    _add_first(
        Unit,
        [
            Unit(
                name=row["name"],
                nature=row["nature"],
                sector=row["sector"],
                unit_level=row["level"],
            )
            for row in rows
        ],
    )
    unit = {u.name: u for u in Unit.objects.all()}
    aliases = [
        UnitAlias(unit=unit[row["name"]], name=alias)
        for row in rows
        for alias in row["aliases"].split("|")
        if alias
    ]
    _add_first(UnitAlias, aliases)


def _load_branches() -> None:
    if Branch.objects.exists():
        return
    area = {a.name: a for a in Area.objects.all()}
    township = {t.name: t for t in Township.objects.all()}
    rows = _rows("branches.csv")
    _add_first(
        Branch,
        [
            Branch(name=r["name"], area=area[r["area"]], township=township[r["township"]])
            for r in rows
        ],
    )


def _load_rules() -> None:
    _add(
        Rule,
        [
            Rule(
                code=row["code"],
                valid_from=RULES_SINCE,
                name=row["name"],
                direction=row["direction"],
                points=row["points"],
                per=row["per"],
                cap_per_cycle=row["cap_per_cycle"] or None,
                verified_by=row["verified_by"],
                cause=row["cause"],
                credited=row["credited"],
                is_enabled=row["enabled"] == "yes",
            )
            for row in _rows("points_rules.csv")
        ],
    )


def _load_rewards() -> None:
    rewards = [Reward(**row) for row in _rows("rewards.csv")]
    _add_first(Reward, rewards)
