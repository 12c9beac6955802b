"""Made-up people in numbers: the demo county's rows, copied with other names and numbers."""

import functools
import io
import json
from pathlib import Path

import python_calamine
import xlsxwriter
from stdnum.cn import ric

from bench import database
from cadres.names import name_tokens, pinyin_of

DEMO = Path(__file__).resolve().parent.parent / "fengjie_cadres" / "data" / "demo_roster.xlsx"
PEOPLE = 1878


@functools.cache
def demo() -> tuple[list[str], list[list[str]]]:
    """The demo roster's headings and its rows."""
    rows = python_calamine.load_workbook(str(DEMO)).get_sheet_by_index(0).to_python()
    at = next(i for i, row in enumerate(rows) if "姓名" in row)
    people = [row for row in rows[at + 1 :] if row[rows[at].index("姓名")]]
    assert len(people) == PEOPLE
    return rows[at], people


def id_number(number: str, copy: int) -> str:
    """Another valid identity number of the same place, birthday and sex; `copy` below 99.

    The demo's own end in 99 and two more digits, so that none of these is among them.
    """
    assert number[14:16] == "99"
    assert copy < 99
    number = f"{number[:14]}{copy:02d}{number[16]}"
    return number + ric.calc_check_digit(number + "0")


def name(row: int, copy: int) -> str:
    """The surname of one person and the given name of another."""
    headings, people = demo()
    column = headings.index("姓名")
    return people[row][column][0] + people[(row * 7 + (copy + 1) * 131) % PEOPLE][column][1:]


def phone(row: int, copy: int) -> str:
    return str(13900000000 + copy * PEOPLE + row)


def write_roster(path: Path, copies: int) -> None:
    """A workbook in the demo's layout, without titles: the county and `copies` more of it."""
    headings, people = demo()
    at = {h: headings.index(h) for h in ("姓名", "身份证号", "联系电话")}
    book = xlsxwriter.Workbook(path, {"strings_to_urls": False})
    sheet = book.add_worksheet("花名册")
    sheet.write_row(0, 0, headings)
    for copy in range(-1, copies):
        for index, row in enumerate(people):
            line = list(row)
            if copy >= 0:
                line[at["姓名"]] = name(index, copy)
                line[at["身份证号"]] = id_number(row[at["身份证号"]], copy)
                line[at["联系电话"]] = phone(index, copy)
            sheet.write_row((copy + 1) * PEOPLE + index + 1, 0, line)
    book.close()


# ---- many people in a database ---------------------------------------------------------------

_GIVEN = """
CREATE TEMP TABLE given (
    base bigint, id bigint, name text, name_pinyin text, words jsonb, id_number text, phone text)
"""
_SEARCH_KEY = (
    "array_to_tsvector(ARRAY(SELECT jsonb_array_elements_text(g.words)) ||"
    " ARRAY[lower(right(g.id_number, 4)), g.phone])"
)
_OWN = {
    "id": "g.id", "name": "g.name", "name_pinyin": "g.name_pinyin", "search_key": _SEARCH_KEY,
    "id_number": "g.id_number", "id_number_digest": "md5(g.id_number)", "phone": "g.phone",
    "phone_digest": "md5(g.phone)",
}  # fmt: skip


def fill(name: str, copies: int) -> None:
    """Multiplies the people of a database, and their memberships, by set-based statements."""
    with database.as_owner(name) as cursor:
        cursor.execute("SELECT id_number, id FROM cadres_retiree")
        known = dict(cursor.fetchall())
        cursor.execute(_GIVEN)
        cursor.copy_expert("COPY given FROM STDIN", _lines(known, copies))
        columns = _columns(cursor, "cadres_retiree")
        values = ", ".join(_OWN.get(c, f"r.{c}") for c in columns)
        cursor.execute(
            f"INSERT INTO cadres_retiree ({', '.join(columns)})"
            f" SELECT {values} FROM given g JOIN cadres_retiree r ON r.id = g.base"
        )
        cursor.execute(
            "INSERT INTO branches_membership (retiree_id, branch_id, kind, since, until, source)"
            " SELECT g.id, m.branch_id, m.kind, m.since, m.until, m.source"
            " FROM given g JOIN branches_membership m ON m.retiree_id = g.base"
        )
        cursor.execute("VACUUM ANALYZE")


def _columns(cursor, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
    )
    return [column for (column,) in cursor.fetchall()]


def _lines(known: dict[str, int], copies: int) -> io.StringIO:
    headings, people = demo()
    number = headings.index("身份证号")
    lines, pk = io.StringIO(), max(known.values())
    for copy in range(copies):
        for index, row in enumerate(people):
            pk += 1
            called = name(index, copy)
            words = json.dumps(name_tokens(called), ensure_ascii=False)
            given = (known[row[number]], pk, called, pinyin_of(called), words)
            own = (id_number(row[number], copy), phone(index, copy))
            lines.write("\t".join(map(str, given + own)) + "\n")
    lines.seek(0)
    return lines
