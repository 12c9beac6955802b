"""From staged rows to people: a handful of set-based statements in one transaction."""

from django.db import connection, transaction
from django.utils import timezone

from branches.models import ImportBatch, ImportState, Purpose, StagedRow, Verdict
from branches.roster.judge import COLUMNS, DATED, DATES, DIGESTS, TEXTS, judge, merged
from cadres import jobs
from cadres.jobs import RefusedError
from cadres.models import Retiree

#: Only one roster is written at a time; readers are not held up.
LOCK = "SELECT pg_advisory_xact_lock(20181879)"
EVENT_TABLES = [
    "cadres_retireeevent",
    "cadres_residenceevent",
    "cadres_classchangeevent",
    "branches_membershipevent",
]


class ImportRefusedError(RefusedError):
    """The import cannot be confirmed now; the text says why."""


@transaction.atomic
def confirm(*, batch: ImportBatch, by) -> ImportBatch:
    """Has a previewed batch written in the background; a second press finds the first one's job."""
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state == ImportState.WRITTEN or batch.is_being_written:
        return batch
    if batch.state != ImportState.STAGED or batch.purpose != Purpose.IMPORT:
        raise ImportRefusedError("这份名册还不能写入，请先看预览。")
    if batch.is_being_read:
        raise ImportRefusedError("正在按新的对应重新读取，读完请看一遍预览，再确认写入。")
    title = f"写入名册“{batch.file_name}”"[:100]
    batch.confirmed_by = by
    batch.job = jobs.enqueue(kind="roster-write", title=title, params={"batch": batch.pk}, by=by)
    batch.save(update_fields=["confirmed_by", "job"])
    return batch


@transaction.atomic
def discard(*, batch: ImportBatch, by) -> ImportBatch:
    """Gives a batch up before it is written."""
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state not in (ImportState.UPLOADED, ImportState.STAGED) or batch.is_being_written:
        raise ImportRefusedError("这份名册已经确认，不能放弃；写入后可以撤销。")
    batch.state, batch.closed_at = ImportState.DISCARDED, timezone.now()
    batch.save(update_fields=["state", "closed_at"])
    return batch


def write_job(job: jobs.Job) -> str:
    """Writes the batch of a job; the address of its result."""
    batch = ImportBatch.objects.get(pk=job.params["batch"])
    jobs.tell(job, f"正在写入 {batch.rows} 行")
    try:
        return write(batch=batch, by=job.asked_by).get_absolute_url()
    except ImportRefusedError:
        judged_again(batch=batch)
        raise


@transaction.atomic
def judged_again(*, batch: ImportBatch) -> ImportBatch:
    """A fresh preview, open for a new confirmation, after the county changed meanwhile."""
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state == ImportState.STAGED:
        judge(batch, again=True)
        batch.confirmed_by = None
        batch.save()
    return batch


@transaction.atomic
def write(*, batch: ImportBatch, by) -> ImportBatch:
    """Writes every accepted row. Does nothing when the batch is written already.

    Raises ImportRefusedError when the people changed since the preview.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if batch.state == ImportState.WRITTEN:
        return batch
    if batch.state != ImportState.STAGED or batch.purpose != Purpose.IMPORT:
        raise ImportRefusedError("这份名册还不能写入，请先看预览。")
    previewed = batch.fingerprint
    hold_people(batch)
    judge(batch, again=True)
    if batch.fingerprint != previewed:
        raise ImportRefusedError("预览之后名册有了变动，没有写入。请再看一遍预览，重新确认。")
    before = watermarks()
    _write_people(batch, by)
    batch.state, batch.confirmed_by = ImportState.WRITTEN, by
    batch.written_at = batch.closed_at = timezone.now()
    batch.watermarks = watermarks() | {"before": before}
    batch.save()
    return batch


def hold_people(batch: ImportBatch) -> None:
    """Waits for whoever changes one of the batch's people, and makes others wait."""
    if batch.state == ImportState.STAGED and not (batch.updated or batch.unchanged):
        return
    rows = StagedRow.objects.filter(batch=batch, retiree__isnull=False).exclude(
        verdict=Verdict.REJECTED
    )
    people = Retiree.objects.filter(pk__in=rows.order_by().values("retiree_id"))
    list(people.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _write_people(batch: ImportBatch, by) -> None:
    values = {"batch": batch.pk, "source": source_of(batch), "by": by.pk if by else None}
    with connection.cursor() as cursor:
        for statement in _statements(batch):
            cursor.execute(statement, values)


def source_of(batch: ImportBatch) -> str:
    """What the ledgers name as the source of an entry that this batch made."""
    return f"import:{batch.pk}"


def watermarks() -> dict[str, int]:
    """The last entry of each history table."""
    query = ", ".join(f"(SELECT COALESCE(max(pgh_id), 0) FROM {t})" for t in EVENT_TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {query}")
        return dict(zip(EVENT_TABLES, cursor.fetchone(), strict=True))


# ---- the statements ---------------------------------------------

_ROWS = "branches_stagedrow s JOIN branches_importbatch b ON b.id = s.batch_id"
_CREATED = "s.batch_id = %(batch)s AND s.verdict = 'created'"
_UPDATED = "s.batch_id = %(batch)s AND s.verdict = 'updated'"
_WRITTEN = "s.batch_id = %(batch)s AND s.verdict IN ('created', 'updated')"
_MEMBER = "IN ('member', 'probationary')"


def search_key(prefix: str) -> str:
    """The people's search words out of the columns of `prefix` (see cadres.names)."""
    return (
        f"array_to_tsvector(array_remove(array_remove(string_to_array({prefix}.search_words, ' ')"
        f" || ARRAY[lower(right({prefix}.id_number, 4)), {prefix}.phone, {prefix}.second_phone],"
        " ''), NULL))"
    )


def _statements(batch: ImportBatch) -> list[str]:
    """What there is to do for this batch: often everybody is new, or nothing has changed."""
    new = [_NUMBER_THE_NEW, _insert_people()]
    known = [
        _update_people(),
        _CLOSE_RESIDENCES,
        _CORRECT_RESIDENCES,
        _CLOSE_MEMBERSHIPS,
        _CORRECT_MEMBERSHIPS,
    ]
    both = [_RECORD_CLASSES, _RECORD_RESIDENCES, _RECORD_MEMBERSHIPS, _SERVE_EVERYBODY]
    return [
        *(new if batch.created else []),
        *(known if batch.updated else []),
        *(both if batch.created or batch.updated else []),
    ]


_NUMBER_THE_NEW = f"""
UPDATE branches_stagedrow s SET retiree_id = nextval(pg_get_serial_sequence('cadres_retiree', 'id'))
WHERE {_CREATED}
"""


def _insert_people() -> str:
    texts = [*TEXTS, *DATES, "activity_class"]
    plain = ["id_number", "unit_id", "township_id", "community_id"]
    digests = [f"{column}_digest" for column in DIGESTS]
    defaults = {"political_status": "'unknown'", "retirement_kind": "'ordinary'"}
    chosen = [f"COALESCE({c}, {defaults.get(c, chr(39) * 2)})" for c in texts]
    return f"""
    INSERT INTO cadres_retiree (id, name_pinyin, search_key, {", ".join(texts + plain + digests)},
        emergency_contact, emergency_phone, emergency_phone_digest, lives_in_county, status,
        registered_on, created_at, updated_at)
    SELECT retiree_id, name_pinyin, {search_key("s")}, {", ".join(chosen + plain + digests)},
        '', '', '', TRUE, 'active',
        (SELECT effective_on FROM branches_importbatch WHERE id = %(batch)s), now(), now()
    FROM branches_stagedrow s WHERE {_CREATED} ORDER BY position
    """


def _update_people() -> str:
    values = ", ".join(f"{merged(column)} AS {column}" for column in COLUMNS)
    digests = ", ".join(
        f"CASE WHEN s.{c} IS NULL OR {merged(c)} IS NOT DISTINCT FROM r.{c}"
        f" THEN r.{c}_digest ELSE s.{c}_digest END AS {c}_digest"
        for c in DIGESTS
    )
    columns = [*COLUMNS, *(f"{c}_digest" for c in DIGESTS), "name_pinyin"]
    return f"""
    UPDATE cadres_retiree t SET {", ".join(f"{c} = n.{c}" for c in columns)},
        search_key = {search_key("n")}, updated_at = now()
    FROM (
        SELECT r.id, s.name_pinyin, s.search_words, {values}, {digests}
        FROM {_ROWS} JOIN cadres_retiree r ON r.id = s.retiree_id {DATED} WHERE {_UPDATED}
    ) n
    WHERE t.id = n.id
    """


_RECORD_CLASSES = f"""
INSERT INTO cadres_classchange
    (retiree_id, activity_class, effective_from, reason_kind, reason, source, decided_by_id,
    created_at)
SELECT s.retiree_id, s.activity_class, b.effective_on, 'import', '', %(source)s, %(by)s, now()
FROM {_ROWS}
WHERE s.activity_class IS NOT NULL
  AND ({_CREATED} OR ({_UPDATED} AND s.changes ? 'activity_class'))
ORDER BY s.position
"""

MOVED = "s.changes ?| ARRAY['township_id', 'community_id', 'address']"

_CLOSE_RESIDENCES = f"""
UPDATE cadres_residence h SET until = b.effective_on FROM {_ROWS}
WHERE {_UPDATED} AND {MOVED} AND h.retiree_id = s.retiree_id AND h.until IS NULL
  AND h.since < b.effective_on
"""

#: A residence that began on the very day of the file is corrected, not ended.
_CORRECT_RESIDENCES = f"""
UPDATE cadres_residence h SET township_id = r.township_id, community_id = r.community_id,
    address = r.address, address_digest = r.address_digest
FROM {_ROWS} JOIN cadres_retiree r ON r.id = s.retiree_id
WHERE {_UPDATED} AND {MOVED} AND h.retiree_id = r.id AND h.until IS NULL
  AND h.since = b.effective_on
"""

_RECORD_RESIDENCES = f"""
INSERT INTO cadres_residence
    (retiree_id, township_id, community_id, address, address_digest, since, source)
SELECT r.id, r.township_id, r.community_id, r.address, r.address_digest, b.effective_on, %(source)s
FROM {_ROWS} JOIN cadres_retiree r ON r.id = s.retiree_id
WHERE ({_CREATED} AND (r.township_id IS NOT NULL OR r.address <> ''))
   OR ({_UPDATED} AND {MOVED} AND NOT EXISTS (
        SELECT FROM cadres_residence h WHERE h.retiree_id = r.id AND h.until IS NULL))
ORDER BY s.position
"""

#: Whom a branch of the file changes: kinds of relation that begin with it.
_NEW_RELATIONS = f"""
    SELECT s.position, s.retiree_id, s.branch_id, k.kind, b.effective_on
    FROM {_ROWS} JOIN cadres_retiree r ON r.id = s.retiree_id
    CROSS JOIN (VALUES ('affiliated'), ('served')) k (kind)
    WHERE s.branch_id IS NOT NULL
      AND ({_CREATED} OR ({_UPDATED} AND s.changes ? 'branch_id'))
      AND (k.kind = 'served' OR r.political_status {_MEMBER})
"""

_CLOSE_MEMBERSHIPS = f"""
UPDATE branches_membership m SET until = n.effective_on FROM ({_NEW_RELATIONS}) n
WHERE m.retiree_id = n.retiree_id AND m.kind = n.kind AND m.until IS NULL
  AND m.branch_id <> n.branch_id AND m.since < n.effective_on
"""

_CORRECT_MEMBERSHIPS = f"""
UPDATE branches_membership m SET branch_id = n.branch_id FROM ({_NEW_RELATIONS}) n
WHERE m.retiree_id = n.retiree_id AND m.kind = n.kind AND m.until IS NULL
  AND m.branch_id <> n.branch_id AND m.since = n.effective_on
"""

_RECORD_MEMBERSHIPS = f"""
INSERT INTO branches_membership (retiree_id, branch_id, kind, since, source)
SELECT n.retiree_id, n.branch_id, n.kind, n.effective_on, %(source)s
FROM ({_NEW_RELATIONS}) n
WHERE NOT EXISTS (SELECT FROM branches_membership m
    WHERE m.retiree_id = n.retiree_id AND m.kind = n.kind AND m.until IS NULL)
ORDER BY n.position
"""

#: Exactly one branch serves everybody: their own, else one of the place of residence, the one
#: named after the community or the township's first; from the day an earlier relation ended.
_SERVE_EVERYBODY = f"""
INSERT INTO branches_membership (retiree_id, branch_id, kind, since, source)
SELECT r.id, near.id, 'served', GREATEST(b.effective_on, old.until), %(source)s
FROM {_ROWS} JOIN cadres_retiree r ON r.id = s.retiree_id
LEFT JOIN cadres_community c ON c.id = r.community_id
CROSS JOIN LATERAL (
    SELECT max(m.until) FILTER (WHERE m.kind = 'served') AS until,
        COALESCE(bool_or(m.until IS NULL AND m.kind = 'served'), FALSE) AS is_served
    FROM branches_membership m WHERE m.retiree_id = r.id
) old
CROSS JOIN LATERAL (
    SELECT p.id FROM branches_branch p
    LEFT JOIN branches_membership m ON m.branch_id = p.id AND m.retiree_id = r.id
        AND m.kind = 'affiliated' AND m.until IS NULL
    WHERE m.id IS NOT NULL OR p.township_id = r.township_id
    ORDER BY m.id IS NULL, NOT COALESCE(strpos(p.name, c.short_name) > 0, FALSE), p.id LIMIT 1
) near
WHERE {_WRITTEN} AND r.status = 'active' AND NOT old.is_served
ORDER BY s.position
"""
