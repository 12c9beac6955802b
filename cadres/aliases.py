"""Other names of units, places and branches: who remembers one, and what it may not be."""

from django.db import transaction

from cadres.jobs import RefusedError
from cadres.lookup import normal
from cadres.models import Community, Township, TownshipAlias, User


class AliasRefusedError(RefusedError):
    """The name already means something else."""


@transaction.atomic
def remember(*, thing, name: str, by: User | None):
    """Makes `name` another name of a unit, township, community or branch; the alias.

    An alias of a township that staff were asked about each time is filled. Raises
    AliasRefusedError when the name means something else of that kind.
    """
    name = normal(name)
    if other := _meant(thing, name):
        raise AliasRefusedError(f"“{name}”已经是“{other}”的名称或别名。")
    if isinstance(thing, Township):
        return _remember_township(thing, name)
    return thing.aliases.get_or_create(name=name)[0]


@transaction.atomic
def set_aliases(*, thing, names: list[str], by: User | None) -> None:
    """Makes exactly these the other names of a unit, community or branch."""
    names = [normal(name) for name in names]
    for alias in thing.aliases.exclude(name__in=names):
        alias.delete()
    for name in names:
        remember(thing=thing, name=name, by=by)


def _remember_township(township: Township, name: str) -> TownshipAlias:
    alias, is_new = TownshipAlias.objects.get_or_create(name=name, defaults={"township": township})
    if not is_new and alias.township_id is None:
        alias.township = township
        alias.save(update_fields=["township"])
    return alias


def _meant(thing, name: str):
    """What else of the same kind is known by the name; the same place name in another township
    is another place."""
    model = type(thing)
    others = model.objects.exclude(pk=thing.pk)
    if model is Community:
        others = others.filter(township=thing.township_id)
    elsewhere = "townshipalias__name" if model is Township else "aliases__name"
    return others.filter(name=name).first() or others.filter(**{elsewhere: name}).first()
