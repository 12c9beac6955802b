"""What staff say about the unknown names of a file: remembered, and the file is read again."""

from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction

from branches.models import Branch, ImportBatch, ImportState
from branches.roster.names import UnknownName, names_for, unknown_names
from cadres import jobs
from cadres.aliases import AliasRefusedError, remember
from cadres.jobs import RefusedError
from cadres.lookup import normal
from cadres.models import Community, Township, Unit, User
from cadres.rosters import Names

MODELS = {"unit": Unit, "township": Township, "community": Community, "branch": Branch}
#: Two who map the same name at once do so one after the other.
LOCK = "SELECT pg_advisory_xact_lock(20181880)"
#: Shorter beginnings of a cell with unit and post are not looked up (cadres.rosters).
SHORTEST_UNIT = 3


class MappingRefusedError(RefusedError):
    """The names cannot be mapped; the text says why. Nothing was remembered."""


@dataclass(frozen=True)
class Choice:
    """What an unknown name (by its key) means.

    `name`: the unit's part of a cell that holds unit and post. `remember`: for later files too;
    a name that may mean several things is otherwise taken for this file only.
    """

    key: str
    pk: int
    name: str = ""
    remember: bool = True


def map_names(*, batch: ImportBatch, chosen: list[Choice], by: User) -> ImportBatch:
    """Remembers what unknown names mean and has the file read again, with date and scope kept.

    Pressed twice, the second press finds what the first one did. Raises MappingRefusedError, and
    remembers nothing, when the batch is no longer open, a name means something else by now or a
    choice is none.
    """
    try:
        with transaction.atomic():
            return _map(batch, chosen, by)
    except AliasRefusedError as refusal:
        raise MappingRefusedError(f"没有对应：{refusal}") from None
    except IntegrityError:
        raise MappingRefusedError("刚才有人对应了同一个名称，请打开这一页再看一遍。") from None


def _map(batch: ImportBatch, chosen: list[Choice], by: User) -> ImportBatch:
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state != ImportState.STAGED or batch.is_being_written:
        raise MappingRefusedError("这份名册已经确认或办结，不能再对应名称。")
    names = names_for(batch)
    listed = {unknown.key: unknown for unknown in unknown_names(batch, names)}
    pairs = [(listed[c.key], c) for c in chosen if c.key in listed]
    new = [(unknown, choice) for unknown, choice in pairs if _is_new(unknown, choice)]
    if not pairs and not any(unknown.known_as for unknown in listed.values()):
        return batch  # the file has been read again since
    if batch.is_being_read:
        if new:
            raise MappingRefusedError("正在重新读取这份名册，读完再对应其余的名称。")
        return batch
    for unknown, choice in new:
        _take(batch, unknown, choice, names, by)
    return _read_again(batch, by)


def _is_new(unknown: UnknownName, choice: Choice) -> bool:
    """False for what is known already as the same. Raises MappingRefusedError."""
    known = unknown.known_as
    if known is None:
        return True
    if known.pk != choice.pk:
        raise MappingRefusedError(
            f"“{unknown.name}”刚才已经对应到“{known.name}”，请打开这一页再看一遍。"
        )
    return False


def _take(batch: ImportBatch, unknown: UnknownName, choice: Choice, names: Names, by: User) -> None:
    index = names.index(unknown.kind, unknown.township)
    if choice.pk not in index.display:
        raise MappingRefusedError(f"“{unknown.name}”要对应到列表里的一个名称，请重新选。")
    name = _unit_part(unknown, choice, names) if unknown.with_post else unknown.name
    if unknown.is_for_this_file_only or not choice.remember:
        batch.notes.setdefault("mapped", []).append(
            {
                "kind": unknown.kind,
                "township": unknown.township,
                "name": name,
                "pk": choice.pk,
                "to": index.display[choice.pk],
                "by": str(by),
            }
        )
    else:
        thing = MODELS[unknown.kind].objects.get(pk=choice.pk)
        remember(thing=thing, name=name, by=by)


def _unit_part(unknown: UnknownName, choice: Choice, names: Names) -> str:
    """The unit's part of a cell with unit and post: 县教委 of 县教委副主任.

    A part with which other units begin too (奉节县) would take their people along.
    """
    part = normal(choice.name or unknown.name)
    if not any(normal(text).startswith(part) for text in unknown.texts):
        raise MappingRefusedError(f"“{part}”不是表中写法的开头，请照表里的写法填单位那一段。")
    if len(part) < SHORTEST_UNIT or any(
        known != part and known.startswith(part) for known in names.units.known
    ):
        raise MappingRefusedError(f"“{part}”太短，会和别的单位混在一起，请把单位填完整。")
    return part


def _read_again(batch: ImportBatch, by: User) -> ImportBatch:
    title = f"重新读取名册“{batch.file_name}”"[:100]
    params = {"batch": batch.pk, "again": True}
    batch.job = jobs.enqueue(kind="roster-stage", title=title, params=params, by=by)
    batch.confirmed_by = None
    batch.save(update_fields=["job", "notes", "confirmed_by"])
    return batch
