"""People of a file's scope who are not in it: what the office found out about each."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from branches.models import ImportBatch, ImportState, MissingPerson, MissingRuling
from branches.roster.judge import missing_people
from cadres.jobs import RefusedError
from cadres.models import Retiree, User

#: How the list can be narrowed.
OPEN, RULED = "open", "ruled"


class MissingRefusedError(RefusedError):
    """Nothing was recorded; the text says why."""


def listed_people(batch: ImportBatch, narrowed: str = "") -> QuerySet[Retiree]:
    """Who is missing and who has been ruled on, the open ones first; `ruling` says which."""
    rulings = MissingPerson.objects.filter(batch=batch)
    own = rulings.filter(retiree=OuterRef("pk"))
    people = Retiree.objects.filter(
        Q(pk__in=missing_people(batch).order_by().values("pk"))
        | Q(pk__in=rulings.order_by().values("retiree_id"))
    ).annotate(ruling=Subquery(own.values("ruling")[:1]))
    if narrowed in (OPEN, RULED):
        people = people.filter(ruling__isnull=narrowed == OPEN)
    return people.order_by(F("ruling").asc(nulls_first=True), "name_pinyin", "id")


def earlier_rulings(batch: ImportBatch, people: Iterable[Retiree]) -> dict[int, MissingPerson]:
    """The last ruling of each of some people in the batches before this one, by their key."""
    earlier = MissingPerson.objects.filter(batch__lt=batch.pk, retiree__in=[p.pk for p in people])
    return {ruling.retiree_id: ruling for ruling in earlier.select_related("batch").order_by("id")}


@transaction.atomic
def rule_omitted(*, batch: ImportBatch, people: list[int], by: User) -> int:
    """Records 漏报（仍在册） of some missing people (their keys); of how many.

    Who is recorded already stays as recorded. Raises MissingRefusedError, and records nothing,
    when the batch is no longer open or somebody is not among the missing.
    """
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state not in (ImportState.STAGED, ImportState.WRITTEN) or batch.emptied_at:
        raise MissingRefusedError("这份名册已经办结，不能再登记核实结果。")
    ruled = MissingPerson.objects.filter(batch=batch).values_list("retiree_id", flat=True)
    wanted = set(people) - set(ruled)
    missing = set(missing_people(batch).filter(pk__in=wanted).values_list("pk", flat=True))
    if wanted - missing:
        raise MissingRefusedError("勾选的人里有的已经不在这个名单里，没有登记。请重新打开再看。")
    MissingPerson.objects.bulk_create(
        MissingPerson(batch=batch, retiree_id=pk, ruling=MissingRuling.OMITTED, ruled_by=by)
        for pk in sorted(wanted)
    )
    return len(wanted)
