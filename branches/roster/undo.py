"""Taking a written batch back as a whole, and emptying what is no longer needed."""

import datetime

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from branches.models import ImportBatch, ImportState, StagedRow, Verdict
from branches.roster.judge import COLUMNS, DIGESTS
from branches.roster.write import EVENT_TABLES, LOCK, MOVED, hold_people, search_key, source_of
from cadres.jobs import RefusedError
from cadres.masking import digest
from cadres.models import Retiree
from cadres.names import name_tokens, pinyin_of

#: Uploads and staged rows are kept this long after an import is done with.
KEPT = datetime.timedelta(days=30)
#: What an import itself writes about a person; anything else that points to one forbids the undo.
OWN_RELATIONS = {"residences", "class_changes", "memberships"}


class UndoRefusedError(RefusedError):
    """The batch cannot be undone; `people` names those who have been changed since."""

    def __init__(self, words: str, people: list[str] | None = None):
        self.people = people or []
        super().__init__(words)


@transaction.atomic
def undo(*, batch: ImportBatch, by) -> ImportBatch:
    """Takes a batch back: people it created go, fields it changed are put back.

    Raises UndoRefusedError, naming them, when any of its people has been changed since.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state == ImportState.UNDONE:
        return batch
    if batch.state != ImportState.WRITTEN or batch.emptied_at:
        raise UndoRefusedError("这一批没有写入，或写入已超过 30 天，不能撤销。")
    hold_people(batch)
    changed = sorted(_changed_since(batch) | _referred_to(batch))
    if changed:
        names = list(Retiree.objects.filter(pk__in=changed).values_list("name", flat=True))
        shown = "、".join(names[:10]) + (f"等 {len(names)} 人" if len(names) > 10 else "")
        raise UndoRefusedError(f"导入之后又改过这些人，不能整批撤销：{shown}。", names)
    _take_back(batch)
    batch.state, batch.closed_at = ImportState.UNDONE, timezone.now()
    batch.save(update_fields=["state", "closed_at"])
    return batch


def _people(batch: ImportBatch, *verdicts: Verdict):
    rows = StagedRow.objects.filter(batch=batch, verdict__in=verdicts)
    return rows.order_by().values("retiree_id")


def _changed_since(batch: ImportBatch) -> set[int]:
    """People whose history has an entry after the batch's own."""
    changed = set()
    with connection.cursor() as cursor:
        for table in EVENT_TABLES:
            column = "pgh_obj_id" if table == "cadres_retireeevent" else "retiree_id"
            cursor.execute(
                f"SELECT DISTINCT e.{column} FROM {table} e JOIN branches_stagedrow s"
                f" ON s.retiree_id = e.{column} WHERE s.batch_id = %s AND e.pgh_id > %s"
                " AND s.verdict IN ('created', 'updated')",
                [batch.pk, batch.watermarks[table]],
            )
            changed.update(pk for (pk,) in cursor.fetchall())
    return changed


def _referred_to(batch: ImportBatch) -> set[int]:
    """People created by the batch whom something else in the database points to by now."""
    found = set()
    created = _people(batch, Verdict.CREATED)
    for relation in Retiree._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and (relation.one_to_many or relation.one_to_one)):
            continue
        field = relation.field
        if relation.get_accessor_name() in OWN_RELATIONS or not field.db_constraint:
            continue
        rows = relation.related_model._base_manager.filter(**{f"{field.name}__in": created})
        found.update(rows.values_list(field.attname, flat=True))
    return found


def _take_back(batch: ImportBatch) -> None:
    values = {"batch": batch.pk, "source": source_of(batch), "day": batch.effective_on}
    for table in ("cadres_residenceevent", "branches_membershipevent"):
        values[f"{table}_from"] = batch.watermarks["before"][table]
        values[f"{table}_to"] = batch.watermarks[table]
    _stage_old_words(batch)
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, values)


def _stage_old_words(batch: ImportBatch) -> None:
    """Pinyin, search words and digests of the values that come back, beside them in the staging."""
    rows = list(
        StagedRow.objects.filter(batch=batch, verdict=Verdict.UPDATED).select_related("retiree")
    )
    for row in rows:
        old = {c: (row.changes.get(c) or [getattr(row.retiree, c)])[0] for c in DIGESTS}
        name = (row.changes.get("name") or [row.retiree.name])[0]
        row.name_pinyin, row.search_words = pinyin_of(name), " ".join(name_tokens(name))
        for column in DIGESTS:
            setattr(row, f"{column}_digest", digest(old[column]))
    columns = ["name_pinyin", "search_words", *(f"{c}_digest" for c in DIGESTS)]
    StagedRow.objects.bulk_update(rows, columns, batch_size=500)


def _old(column: str) -> str:
    """SQL for the value before the batch, as its type wants it."""
    cast = "::bigint" if column.endswith("_id") else ""
    return (
        f"CASE WHEN s.changes ? '{column}' THEN (s.changes->'{column}'->>0){cast}"
        f" ELSE r.{column} END"
    )


_PUT_BACK = f"""
UPDATE cadres_retiree t SET {", ".join(f"{c} = n.{c}" for c in COLUMNS)},
    name_pinyin = n.name_pinyin, {", ".join(f"{c}_digest = n.{c}_digest" for c in DIGESTS)},
    search_key = {search_key("n")},
    updated_at = now()
FROM (
    SELECT r.id, s.name_pinyin, s.search_words, {", ".join(f"s.{c}_digest" for c in DIGESTS)},
        {", ".join(f"{_old(c)} AS {c}" for c in COLUMNS)}
    FROM branches_stagedrow s JOIN cadres_retiree r ON r.id = s.retiree_id
    WHERE s.batch_id = %(batch)s AND s.verdict = 'updated'
) n
WHERE t.id = n.id
"""


def _closed_by_it(table: str) -> str:
    """SQL for the rows of touched people that the batch's own statements ended."""
    return f"""until = %(day)s AND retiree_id IN ({_TOUCHED}) AND id IN (
        SELECT e.pgh_obj_id FROM {table}event e WHERE e.pgh_label = 'update' AND e.until = %(day)s
        AND e.pgh_id > %({table}event_from)s AND e.pgh_id <= %({table}event_to)s)"""


_TOUCHED = """SELECT s.retiree_id FROM branches_stagedrow s
    WHERE s.batch_id = %(batch)s AND s.verdict = 'updated'"""

_STATEMENTS = [
    "DELETE FROM cadres_classchange WHERE source = %(source)s",
    "DELETE FROM cadres_residence WHERE source = %(source)s",
    "DELETE FROM branches_membership WHERE source = %(source)s",
    f"UPDATE cadres_residence SET until = NULL WHERE {_closed_by_it('cadres_residence')}",
    f"UPDATE branches_membership SET until = NULL WHERE {_closed_by_it('branches_membership')}",
    _PUT_BACK,
    f"""UPDATE cadres_residence h SET township_id = r.township_id, community_id = r.community_id,
            address = r.address, address_digest = r.address_digest
        FROM cadres_retiree r WHERE r.id = h.retiree_id AND h.until IS NULL AND h.since = %(day)s
        AND r.id IN ({_TOUCHED} AND {MOVED})""",
    """UPDATE branches_membership m SET branch_id = (s.changes->'branch_id'->>0)::bigint
        FROM branches_stagedrow s WHERE s.batch_id = %(batch)s AND s.verdict = 'updated'
        AND s.changes ? 'branch_id' AND s.retiree_id = m.retiree_id AND m.until IS NULL
        AND m.since = %(day)s AND m.kind = 'served' AND (s.changes->'branch_id'->>0)::bigint > 0""",
    """DELETE FROM cadres_retiree r USING branches_stagedrow s
        WHERE s.batch_id = %(batch)s AND s.verdict = 'created' AND s.retiree_id = r.id""",
]


def empty_old_imports() -> int:
    """Empties uploads and staged rows of imports that ended 30 days ago; how many.

    A preview that nobody confirmed for that long is given up first.
    """
    limit = timezone.now() - KEPT
    waiting = ImportBatch.objects.filter(
        state__in=[ImportState.UPLOADED, ImportState.STAGED], uploaded_at__lt=limit
    )
    waiting.update(state=ImportState.DISCARDED, closed_at=F("uploaded_at"))
    emptied = 0
    for batch in ImportBatch.objects.filter(closed_at__lt=limit, emptied_at=None):
        batch.upload.delete(save=False)
        with transaction.atomic():
            StagedRow.objects.filter(batch=batch).delete()
            batch.notes, batch.emptied_at = {}, timezone.now()
            batch.save(update_fields=["notes", "emptied_at", "upload"])
        emptied += 1
    return emptied
