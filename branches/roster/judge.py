"""Who is meant by each staged row, and what would change: set-based, in the database.

Runs when a file is staged and again, under the lock, when it is written; both times it looks
at the same staged rows, and its fingerprint tells whether the preview still holds.
"""

from django.db import connection
from django.db.models import Q

from branches.models import ImportBatch, Scope, StagedRow
from cadres.models import Retiree

#: Columns of a staged row that stand in the retiree's row under the same name.
TEXTS = [
    "name", "sex", "ethnic_group", "political_status", "retirement_kind", "former_post", "rank",
    "treatment", "phone", "second_phone", "address", "health", "skills", "remark",
]  # fmt: skip
DATES = ["birth_date", "work_started", "party_joined", "retired_on"]
PLACES = ["township_id", "community_id"]
DIGESTS = ["id_number", "phone", "second_phone", "address"]


def merged(column: str) -> str:
    """SQL for what the retiree's column becomes: an empty cell never wipes a value."""
    if column in DATES:  # a month never takes the day from a date already known
        return (
            f"CASE WHEN s.{column} IS NULL OR starts_with(r.{column}, s.{column})"
            f" THEN r.{column} ELSE s.{column} END"
        )
    if column == "township_id":
        return (
            "CASE WHEN k.moves THEN COALESCE(s.township_id, r.township_id) ELSE r.township_id END"
        )
    if column == "community_id":
        return (
            "CASE WHEN NOT k.moves THEN r.community_id"
            " WHEN s.township_id IS DISTINCT FROM r.township_id AND s.township_id IS NOT NULL"
            " THEN s.community_id ELSE COALESCE(s.community_id, r.community_id) END"
        )
    if column == "address":
        return "CASE WHEN k.moves THEN COALESCE(s.address, r.address) ELSE r.address END"
    if column == "activity_class":
        return "CASE WHEN k.reclassifies THEN s.activity_class ELSE r.activity_class END"
    return f"COALESCE(s.{column}, r.{column})"


#: A class, a residence or a branch that counts from a later day than the file's stays.
#: OFFSET 0 here and below: asked once for each row, not once for each mention.
DATED = """
CROSS JOIN LATERAL (
    SELECT s.activity_class IS NOT NULL AND NOT EXISTS (SELECT FROM cadres_classchange c
            WHERE c.retiree_id = r.id AND c.effective_from > b.effective_on) AS reclassifies,
        NOT EXISTS (SELECT FROM cadres_residence h WHERE h.retiree_id = r.id
            AND (h.since > b.effective_on OR h.until > b.effective_on)) AS moves
    OFFSET 0
) k
"""
COLUMNS = [*TEXTS, "id_number", *DATES, "unit_id", *PLACES, "activity_class"]

#: People of the same name whom nothing in the row rules out.
_MAY_BE = """r.name = s.name
    AND (s.birth_date IS NULL OR r.birth_date = '' OR left(r.birth_date, 7) = left(s.birth_date, 7))
    AND (s.unit_id IS NULL OR r.unit_id IS NULL OR r.unit_id = s.unit_id)
    AND (s.id_number IS NULL OR r.id_number IS NULL)"""

#: By identity number; without one by name, birth month and unit; or by name and the same phone.
_MATCH = f"""
UPDATE branches_stagedrow s SET retiree_id = m.retiree_id
FROM (
    SELECT s.id, COALESCE(by_id.id, by_name.only_id) AS retiree_id
    FROM branches_stagedrow s
    LEFT JOIN cadres_retiree by_id ON by_id.id_number = s.id_number
    LEFT JOIN LATERAL (
        SELECT CASE WHEN count(*) = 1 THEN min(r.id) END AS only_id
        FROM cadres_retiree r
        WHERE by_id.id IS NULL AND {_MAY_BE}
          AND ((left(r.birth_date, 7) = left(COALESCE(s.birth_date, ''), 7)
                AND r.unit_id IS NOT DISTINCT FROM s.unit_id
                AND (s.birth_date IS NOT NULL OR s.unit_id IS NOT NULL))
            OR (s.id_number IS NULL AND r.phone = s.phone))
    ) by_name ON TRUE
    WHERE s.batch_id = %(batch)s
) m
WHERE s.id = m.id AND s.retiree_id IS DISTINCT FROM m.retiree_id
"""

_SEVERAL = f"""
UPDATE branches_stagedrow s SET verdict = 'rejected', findings = s.findings || jsonb_build_array(
    jsonb_build_object('column', 'id_number', 'code', 'person_ambiguous', 'level', 'error',
        'value', '', 'message',
        '系统里已有同名的人，分不清是不是同一位，请填身份证号（或填全出生年月和原工作单位）。'))
WHERE s.batch_id = %(batch)s AND s.verdict <> 'rejected' AND s.retiree_id IS NULL
  AND EXISTS (SELECT FROM cadres_retiree r WHERE {_MAY_BE})
"""

_SAME_PERSON_TWICE = """
UPDATE branches_stagedrow s SET verdict = 'rejected', findings = s.findings || jsonb_build_array(
    jsonb_build_object('column', 'name', 'code', 'duplicate_in_file', 'level', 'error', 'value', '',
        'message', format('与第 %%s 行是同一个人，请删去一行。', f.first_row)))
FROM (
    SELECT id, first_value(row) OVER w AS first_row, row_number() OVER w AS nth
    FROM branches_stagedrow
    WHERE batch_id = %(batch)s AND verdict <> 'rejected' AND retiree_id IS NOT NULL
    WINDOW w AS (PARTITION BY retiree_id ORDER BY position)
) f
WHERE s.id = f.id AND f.nth > 1
"""


def _pairs(columns: list[str]) -> str:
    return ", ".join(
        f"'{c}', CASE WHEN r.{c} IS DISTINCT FROM n.{c} THEN jsonb_build_array(r.{c}, n.{c}) END"
        for c in columns
    )


def _row(prefix: str) -> str:
    return ", ".join(f"{prefix}.{c}" for c in COLUMNS)


_COMPARE = f"""
UPDATE branches_stagedrow t SET changes = d.changes, proposal = d.proposal, verdict = v.verdict
FROM (
    SELECT s.id,
        CASE WHEN ({_row("r")}) IS NOT DISTINCT FROM ({_row("n")}) THEN '{{}}'
            ELSE jsonb_strip_nulls(jsonb_build_object({_pairs(COLUMNS)})) END
        || CASE WHEN m.moves THEN jsonb_build_object('branch_id',
            jsonb_build_array(COALESCE(m.served, 0), s.branch_id)) ELSE '{{}}' END AS changes,
        CASE WHEN m.transfers THEN jsonb_build_array(m.affiliated, s.branch_id) END AS proposal
    FROM branches_stagedrow s
    JOIN branches_importbatch b ON b.id = s.batch_id
    JOIN cadres_retiree r ON r.id = s.retiree_id
    {DATED}
    CROSS JOIN LATERAL (SELECT {", ".join(f"{merged(c)} AS {c}" for c in COLUMNS)} OFFSET 0) n
    LEFT JOIN LATERAL (
        SELECT max(branch_id) FILTER (WHERE kind = 'affiliated' AND until IS NULL) AS affiliated,
               max(branch_id) FILTER (WHERE kind = 'served' AND until IS NULL) AS served,
               bool_or(since > b.effective_on OR until > b.effective_on) AS later
        FROM branches_membership x
        WHERE x.retiree_id = r.id AND x.kind <> 'participating'
    ) x ON TRUE
    CROSS JOIN LATERAL (
        SELECT x.affiliated, x.served,
            s.branch_id IS NOT NULL AND NOT COALESCE(x.later, FALSE)
                AND x.affiliated IS NULL
                AND (x.served IS DISTINCT FROM s.branch_id OR n.political_status
                     IN ('member', 'probationary')) AS moves,
            s.branch_id <> x.affiliated AS transfers
    ) m
    WHERE s.batch_id = %(batch)s AND s.verdict <> 'rejected'
    OFFSET 0
) d
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.changes = '{{}}' THEN 'unchanged' ELSE 'updated' END AS verdict
) v
WHERE t.id = d.id
  AND (t.verdict, t.changes, t.proposal) IS DISTINCT FROM (v.verdict, d.changes, d.proposal)
"""

_NEW = """
UPDATE branches_stagedrow SET verdict = 'created', changes = '{}', proposal = NULL
WHERE batch_id = %(batch)s AND verdict NOT IN ('rejected', 'created') AND retiree_id IS NULL
"""

#: A new value may contradict one that the file leaves out: said per row, or the batch would fall.
_IMPOSSIBLE = f"""
UPDATE branches_stagedrow t SET verdict = 'rejected', changes = '{{}}', findings = t.findings
    || jsonb_build_array(jsonb_build_object('column', d.wrong, 'code', 'date_invalid',
        'level', 'error', 'value', '', 'message', '与系统里已有的日期或身份证号矛盾，请核对。'))
FROM (
    SELECT s.id, CASE
        WHEN n.id_number IS NOT NULL AND n.birth_date <> '' AND n.birth_date <>
            substr(n.id_number, 7, 4) || '-' || substr(n.id_number, 11, 2) || '-'
            || substr(n.id_number, 13, 2) THEN 'birth_date'
        WHEN n.work_started <> '' AND n.work_started < left(n.birth_date, 7) THEN 'work_started'
        WHEN n.party_joined <> '' AND n.party_joined < left(n.birth_date, 7) THEN 'party_joined'
        WHEN n.retired_on <> '' AND (n.retired_on < left(n.birth_date, 7)
            OR n.retired_on < left(n.work_started, 7)) THEN 'retired_on'
        END AS wrong
    FROM branches_stagedrow s
    JOIN branches_importbatch b ON b.id = s.batch_id
    JOIN cadres_retiree r ON r.id = s.retiree_id
    CROSS JOIN LATERAL (SELECT {", ".join(f"{merged(c)} AS {c}" for c in ["id_number", *DATES])}) n
    WHERE s.batch_id = %(batch)s AND s.verdict = 'updated'
) d
WHERE t.id = d.id AND d.wrong IS NOT NULL
"""

_COUNT = """
SELECT count(*), count(*) FILTER (WHERE verdict = 'created'),
    count(*) FILTER (WHERE verdict = 'updated'), count(*) FILTER (WHERE verdict = 'unchanged'),
    count(*) FILTER (WHERE verdict = 'rejected'),
    count(DISTINCT COALESCE(s.unit_id, r.unit_id)),
    COALESCE(md5(string_agg(concat_ws('|', position, verdict, retiree_id, changes, proposal), '/'
        ORDER BY position)), '')
FROM branches_stagedrow s LEFT JOIN cadres_retiree r ON r.id = s.retiree_id
WHERE s.batch_id = %(batch)s
"""


def _warning(column: str, code: str, message: str) -> str:
    return (
        f"jsonb_build_object('column', '{column}', 'code', '{code}', 'level', 'warning',"
        f" 'value', '', 'message', {message})"
    )


_CLASS_KNOWN_LATER = "(s.activity_class <> r.activity_class AND NOT k.reclassifies)"
_HOME_KNOWN_LATER = """(NOT k.moves AND (s.township_id <> r.township_id
    OR s.community_id <> r.community_id OR s.address <> r.address))"""
_NEWER = "系统里有更晚的{}记录，表中的没有采用。"
_DIFFERS = "这个身份证号在系统里是“%%s”，写入后会改名，请核对是不是填错了行。"
#: What is written, or left out, as the file says, but had better be looked at.
_NOTED = f"""
UPDATE branches_stagedrow t SET findings = t.findings || d.found
FROM (
    SELECT s.id, (
        SELECT jsonb_agg(w.problem) FROM (
            SELECT CASE WHEN s.name <> r.name THEN
                {_warning("name", "name_differs", f"format('{_DIFFERS}', r.name)")} END
            UNION ALL SELECT CASE WHEN r.status <> 'active' THEN
                {_warning("name", "not_active", "'系统里登记为去世或转出，状态没有改动。'")} END
            UNION ALL SELECT CASE WHEN {_CLASS_KNOWN_LATER} THEN
                {_warning("activity_class", "newer_known", f"'{_NEWER.format('类别')}'")} END
            UNION ALL SELECT CASE WHEN {_HOME_KNOWN_LATER} THEN
                {_warning("township", "newer_known", f"'{_NEWER.format('居住地')}'")} END
        ) w (problem)
        WHERE w.problem IS NOT NULL
    ) AS found
    FROM branches_stagedrow s
    JOIN branches_importbatch b ON b.id = s.batch_id
    JOIN cadres_retiree r ON r.id = s.retiree_id
    {DATED}
    WHERE s.batch_id = %(batch)s AND s.verdict IN ('updated', 'unchanged')
      AND (s.name <> r.name OR r.status <> 'active' OR {_CLASS_KNOWN_LATER} OR {_HOME_KNOWN_LATER})
) d
WHERE t.id = d.id AND d.found IS NOT NULL
"""

#: What an earlier judgement found is forgotten; what the reader found stays.
_FORGET = """
UPDATE branches_stagedrow SET findings = '[]',
    verdict = CASE WHEN problems @> '[{"level": "error"}]' THEN 'rejected' ELSE '' END
WHERE batch_id = %(batch)s AND findings <> '[]'
"""
_STEPS = (_MATCH, _SEVERAL, _SAME_PERSON_TWICE, _COMPARE, _NEW, _IMPOSSIBLE, _COUNT)


#: The rows came in this very transaction: the database may still believe that there are none, and
#: would then go through one table once for each row of the other (minutes instead of a second).
#: Holds to the transaction's end, for what is written after a judgement too.
_HASHING = "SET LOCAL enable_nestloop = off"


def judge(batch: ImportBatch, again: bool = False) -> None:
    """Fills verdict, person and changes of every row, and the batch's counts and fingerprint.

    `again`: an earlier judgement is replaced.
    """
    values = {"batch": batch.pk}
    with connection.cursor() as cursor:
        cursor.execute(_HASHING)
        for statement in (_FORGET, *_STEPS) if again else _STEPS:
            cursor.execute(statement, values)
        counts = cursor.fetchone()
        if counts[2] or counts[3]:
            cursor.execute(_NOTED, values)
    batch.rows, batch.created, batch.updated, batch.unchanged, batch.rejected = counts[:5]
    batch.fingerprint = counts[6]
    batch.scope = batch.scope or proposed_scope(counts[5])
    batch.missing = missing_people(batch).count()


def proposed_scope(units: int) -> str:
    """County when 80 or more units occur, units when at most 3 do, else none."""
    return Scope.COUNTY if units >= 80 else Scope.UNITS if 0 < units <= 3 else Scope.NONE


def missing_people(batch: ImportBatch):
    """Active people of the batch's scope who are not in the file.

    Nobody who came after it; nobody at all once its rows are emptied, as nothing says who was in.
    """
    rows = StagedRow.objects.filter(batch=batch)
    if batch.scope == Scope.NONE or batch.emptied_at:
        return Retiree.objects.none()
    present = rows.filter(retiree__isnull=False)
    known = Retiree.objects.active().filter(created_at__lte=batch.uploaded_at)
    people = known.exclude(pk__in=present.values("retiree_id"))
    if batch.scope == Scope.UNITS:
        known = rows.filter(unit=None, retiree__isnull=False).values("retiree__unit_id")
        named = rows.filter(unit__isnull=False).values("unit_id")
        return people.filter(Q(unit__in=named) | Q(unit__in=known))
    return people.filter(lives_in_county=True)
