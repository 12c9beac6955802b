"""Who is meant by each row of a list, and what differs from the record: set-based.

Unlike a roster's judgement nothing will be written, so that a row may be compared with somebody
who is only very likely meant (it then says by what), and differences are today's: no later class
or residence hides one. Only cells that say something count.
"""

from django.db import connection

from branches.models import ImportBatch, Scope
from cadres.lists import DIED

#: Compared as they stand.
_VALUES = [
    "name", "sex", "ethnic_group", "political_status", "retirement_kind", "unit_id",
    "township_id", "community_id", "activity_class",
]  # fmt: skip
#: Compared without blanks and full-width forms.
_TEXTS = ["former_post", "rank", "treatment", "address", "health", "skills"]
_DATES = ["birth_date", "work_started", "party_joined", "retired_on"]
_PHONES = ["phone", "second_phone"]
#: What is compared, in the order in which differences are told. 备注 is each side's own.
COMPARED = [
    "died_on", "name", "id_number", "sex", "birth_date", "ethnic_group", "unit_id", "former_post",
    "rank", "treatment", "political_status", "party_joined", "work_started", "retired_on",
    "retirement_kind", "phone", "second_phone", "township_id", "community_id", "address",
    "branch_id", "activity_class", "health", "skills",
]  # fmt: skip

#: What of a person agrees with a row, and whether their identity numbers are two.
_AGREES = """
SELECT COALESCE(r.birth_date <> '' AND left(r.birth_date, 7) = left(s.birth_date, 7), FALSE)
        AS born,
    COALESCE(r.unit_id = s.unit_id, FALSE) AS worked,
    COALESCE(s.phone IN (r.phone, r.second_phone), FALSE)
        OR COALESCE(s.second_phone IN (r.phone, r.second_phone), FALSE) AS called,
    COALESCE(r.id_number <> s.id_number, FALSE) AS is_other
"""

#: By identity number. Else, of the people of that name whom neither birth month nor unit nor
#: number rules out, the one with whom at least two of month, unit and phone agree, and more than
#: with any other; or the only one, when one of them agrees. Else the only one with another number
#: whose month and unit agree. Several that fit are nobody's to choose from.
_MATCH = f"""
UPDATE branches_stagedrow t SET retiree_id = m.retiree_id,
    verdict = CASE WHEN m.is_unclear THEN 'rejected' ELSE t.verdict END,
    findings = CASE WHEN m.is_unclear THEN jsonb_build_array(jsonb_build_object(
        'column', 'name', 'code', 'person_ambiguous', 'level', 'error', 'value', '',
        'message', '系统里有同名的人，分不清是不是同一位。')) ELSE '[]' END
FROM (
    SELECT s.id, COALESCE(by_id.id, c.clear) AS retiree_id,
        s.verdict <> 'rejected' AND by_id.id IS NULL AND c.clear IS NULL AND c.is_open AS is_unclear
    FROM branches_stagedrow s
    LEFT JOIN cadres_retiree by_id ON by_id.id_number = s.id_number
    LEFT JOIN LATERAL (
        SELECT ids IS NOT NULL AS is_open, CASE
            WHEN scores[1] >= 2 AND scores[1] > COALESCE(scores[2], 0) THEN ids[1]
            WHEN cardinality(scores) = 1 AND scores[1] >= 1 THEN ids[1]
            WHEN ids IS NULL AND cardinality(others) = 1 THEN others[1] END AS clear
        FROM (
            SELECT array_agg(r.id ORDER BY k.score DESC, r.id) FILTER (WHERE NOT a.is_other) AS ids,
                array_agg(k.score ORDER BY k.score DESC) FILTER (WHERE NOT a.is_other) AS scores,
                array_agg(r.id) FILTER (WHERE a.is_other AND a.born AND a.worked) AS others
            FROM cadres_retiree r
            CROSS JOIN LATERAL ({_AGREES}) a
            CROSS JOIN LATERAL (SELECT a.born::int + a.worked::int + a.called::int AS score) k
            WHERE by_id.id IS NULL AND r.name = s.name
              AND (s.birth_date IS NULL OR r.birth_date = '' OR a.born)
              AND (s.unit_id IS NULL OR r.unit_id IS NULL OR a.worked)
        ) found
    ) c ON TRUE
    WHERE s.batch_id = %(batch)s
) m
WHERE t.id = m.id AND (m.retiree_id IS NOT NULL OR m.is_unclear)
"""

#: Who was recognised by the identity number stays; the other row is the doubtful one.
_SAME_PERSON_TWICE = """
UPDATE branches_stagedrow t SET verdict = 'rejected', findings = t.findings || jsonb_build_array(
    jsonb_build_object('column', 'name', 'code', 'duplicate_in_file', 'level', 'error', 'value', '',
        'message', format('与%%s第 %%s 行是同一个人。',
            CASE WHEN f.sheet <> t.sheet THEN '“' || f.sheet || '”' ELSE '' END, f.row)))
FROM (
    SELECT s.id, first_value(s.sheet) OVER w AS sheet, first_value(s.row) OVER w AS row,
        row_number() OVER w AS nth
    FROM branches_stagedrow s JOIN cadres_retiree r ON r.id = s.retiree_id
    WHERE s.batch_id = %(batch)s AND s.verdict <> 'rejected'
    WINDOW w AS (PARTITION BY s.retiree_id
        ORDER BY s.id_number IS DISTINCT FROM r.id_number, s.position)
) f
WHERE t.id = f.id AND f.nth > 1
"""


def _plain(text: str) -> str:
    return rf"regexp_replace(normalize({text}, NFKC), '\s', '', 'g')"


def _differs(column: str) -> tuple[str, str, str]:
    """SQL: whether a column differs, what we have, what the list has."""
    ours, theirs = f"r.{column}", f"s.{column}"
    if column == "died_on":
        ours, theirs = "r.died_on::text", "z.died_on"
        return f"NOT COALESCE(starts_with({ours}, {theirs}), FALSE)", ours, theirs
    if column == "branch_id":
        wrong = "NOT COALESCE(s.branch_id IN (x.affiliated, x.served), FALSE)"
        return wrong, "COALESCE(x.affiliated, x.served)", theirs
    if column in _DATES:  # a month and a day of that month are no difference
        same = f"starts_with({ours}, {theirs}) OR ({ours} <> '' AND starts_with({theirs}, {ours}))"
        return f"NOT ({same})", ours, theirs
    if column in _PHONES:
        return f"{theirs} NOT IN (r.phone, r.second_phone)", ours, theirs
    if column in _TEXTS:
        return f"{theirs} <> {ours} AND {_plain(theirs)} <> {_plain(ours)}", ours, theirs
    if column == "political_status":
        return f"{theirs} NOT IN ({ours}, 'unknown')", ours, theirs
    return f"{theirs} IS DISTINCT FROM {ours}", ours, theirs


def _pair(column: str) -> str:
    wrong, ours, theirs = _differs(column)
    return (
        f"'{column}', CASE WHEN {theirs} IS NOT NULL AND ({wrong})"
        f" THEN jsonb_build_array({ours}, {theirs}) END"
    )


_COMPARE = f"""
UPDATE branches_stagedrow t SET changes = d.changes, findings = t.findings || d.noted,
    verdict = CASE WHEN d.changes = '{{}}' THEN 'unchanged' ELSE 'updated' END
FROM (
    SELECT s.id,
        jsonb_strip_nulls(jsonb_build_object({", ".join(_pair(c) for c in COMPARED)})) AS changes,
        CASE WHEN s.id_number = r.id_number THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
            'column', 'name', 'code', 'matched_by_name', 'level', 'warning', 'value', '',
            'message', format('是按%%s认的，请核对是不是同一位。', concat_ws('、', '姓名',
                CASE WHEN a.born THEN '出生年月' END, CASE WHEN a.worked THEN '单位' END,
                CASE WHEN a.called THEN '电话' END)))) END AS noted
    FROM branches_stagedrow s
    JOIN cadres_retiree r ON r.id = s.retiree_id
    CROSS JOIN LATERAL ({_AGREES}) a
    CROSS JOIN LATERAL (
        SELECT jsonb_path_query_first(s.problems, '$[*] ? (@.code == "{DIED}").value') #>> '{{}}'
            AS died_on
    ) z
    LEFT JOIN LATERAL (
        SELECT max(branch_id) FILTER (WHERE kind = 'affiliated') AS affiliated,
               max(branch_id) FILTER (WHERE kind = 'served') AS served
        FROM branches_membership x WHERE x.retiree_id = r.id AND x.until IS NULL
    ) x ON TRUE
    WHERE s.batch_id = %(batch)s AND s.verdict <> 'rejected'
    OFFSET 0
) d
WHERE t.id = d.id
"""

_ONLY_THERE = """
UPDATE branches_stagedrow SET verdict = 'created'
WHERE batch_id = %(batch)s AND verdict = '' AND retiree_id IS NULL
"""

#: Units of the list: those it names, and the recorded ones of its people.
_OF_ITS_UNITS = """r.unit_id IN (SELECT COALESCE(s.unit_id, p.unit_id)
    FROM branches_stagedrow s LEFT JOIN cadres_retiree p ON p.id = s.retiree_id
    WHERE s.batch_id = %(batch)s)"""

#: People on record whom the list lacks: rows of no sheet, behind those of the list. One of a name
#: that could not be told apart says so.
_ONLY_HERE = """
INSERT INTO branches_stagedrow
    (batch_id, position, sheet, row, verdict, problems, findings, changes, cells, retiree_id,
    name, name_pinyin)
SELECT %(batch)s, (SELECT COALESCE(max(position), 0) FROM branches_stagedrow
        WHERE batch_id = %(batch)s) + row_number() OVER (ORDER BY r.name_pinyin, r.id),
    '', 0, '', '[]',
    CASE WHEN u.name IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
        'column', 'name', 'code', 'person_ambiguous', 'level', 'warning', 'value', '',
        'message', format('表中第 %%s 行是同名的人，分不清是不是这一位。', u.row))) END,
    '{{}}', '[]', r.id, r.name, r.name_pinyin
FROM (
    SELECT r.id FROM cadres_retiree r WHERE r.status = 'active' AND {scope}
    EXCEPT SELECT s.retiree_id FROM branches_stagedrow s WHERE s.batch_id = %(batch)s
) absent
JOIN cadres_retiree r ON r.id = absent.id
LEFT JOIN (
    SELECT name, min(row) AS row FROM branches_stagedrow
    WHERE batch_id = %(batch)s AND verdict = 'rejected' AND retiree_id IS NULL
      AND findings @> '[{{"code": "person_ambiguous"}}]' GROUP BY name
) u ON u.name = r.name
"""

_COUNT = """
SELECT count(*) FILTER (WHERE row > 0), count(*) FILTER (WHERE verdict = 'created'),
    count(*) FILTER (WHERE verdict = 'updated'), count(*) FILTER (WHERE verdict = 'unchanged'),
    count(*) FILTER (WHERE verdict = 'rejected'), count(*) FILTER (WHERE row = 0)
FROM branches_stagedrow WHERE batch_id = %(batch)s
"""


def _statements(scope: str) -> list[str]:
    only_here = {
        Scope.UNITS: [_ONLY_HERE.format(scope=_OF_ITS_UNITS)],
        Scope.COUNTY: [_ONLY_HERE.format(scope="TRUE")],
    }
    return [_MATCH, _SAME_PERSON_TWICE, _COMPARE, _ONLY_THERE, *only_here.get(scope, []), _COUNT]


def judge(batch: ImportBatch) -> None:
    """Fills person, verdict and differences of every row of a fresh batch, and its counts."""
    with connection.cursor() as cursor:
        for statement in _statements(batch.scope):
            cursor.execute(statement, {"batch": batch.pk})
        counts = cursor.fetchone()
    batch.rows, batch.created, batch.updated, batch.unchanged, batch.rejected = counts[:5]
    batch.missing = counts[5]
