"""Finds the people in a sheet: the heading row, which column means what, which rows are people."""

import functools
import re
import unicodedata
from dataclasses import dataclass, field

from cadres.spreadsheets import Sheet

#: field → headings seen, the surest first (docs: shared design, roster-import).
SYNONYMS = {
    "name": ["姓名", "名字"],
    "sex": ["性别"],
    "ethnic_group": ["民族"],
    "id_number": ["身份证号", "身份证号码", "公民身份号码", "居民身份证号", "身份证"],
    "birth_date": ["出生年月", "出生日期", "出生年月日", "出生时间"],
    "work_started": ["参加工作时间", "参加工作年月", "参加工作日期", "工作时间"],
    "political_status": ["政治面貌"],
    "party_joined": ["入党时间", "入党年月", "入党日期"],
    "retired_on": [
        "离退休时间", "退休时间", "退休年月", "离退休年月", "离休时间", "退休日期",
        "离退休情况时间", "退休情况时间",
    ],
    "retirement_kind": ["离退休类别", "离/退休", "离退休", "离退休情况类别", "离退休性质"],
    "unit": [
        "原工作单位", "原单位", "工作单位", "单位", "单位名称", "工作单位名称",
        "原工作单位及职务", "原单位及职务", "单位及职务",
    ],
    "former_post": ["原职务", "原单位职务", "职务"],
    "rank": ["职级", "职务层次", "级别"],
    "treatment": ["享受待遇", "现享受待遇"],
    "phone": ["联系电话", "手机", "手机号码", "手机号", "电话", "联系方式", "电话号码",
              "固定电话", "固话", "座机"],
    "township": [
        "居住乡镇(街道)", "现居住乡镇", "居住地乡镇", "居住乡镇", "乡镇(街道)", "乡镇街道", "乡镇",
    ],
    "community": ["村(社区)", "村社区", "居住村(社区)", "社区"],
    "address": ["详细地址", "家庭住址", "居住地址", "现住址", "住址"],
    "branch": ["所在党支部", "所属支部", "所属党支部", "所在支部", "党支部"],
    "activity_class": ["活动类别", "活动分类", "类别", "分类", "参加活动情况"],
    "health": ["健康状况", "身体状况"],
    "skills": ["特长"],
    "remark": ["备注"],
    "died_on": ["去世时间", "去世日期", "死亡时间", "逝世时间"],
}  # fmt: skip
#: Headings of other offices' lists. They count only where a list is compared, and only for what
#: no heading above has named: a roster is read as if they were not there.
LIST_SYNONYMS = {
    "name": ["死者姓名", "逝者姓名", "亡者姓名", "死亡人员姓名", "人员姓名", "参保人姓名",
             "参保人员姓名", "干部姓名", "职工姓名", "老人姓名", "本人姓名"],
    "sex": ["死者性别"],
    "id_number": [
        "公民身份证号码", "公民身份证号", "居民身份证号码", "居民身份证", "身份证件号码",
        "身份证件号", "证件号码", "证件号", "社会保障号码", "社会保障号", "死者身份证号",
        "死者身份证号码", "死者证件号码", "参保人身份证号", "本人身份证号",
    ],
    "birth_date": ["出生年月(日)", "生日", "出生"],
    "unit": ["参保单位", "参保单位名称", "缴费单位", "缴费单位名称", "所在单位", "所属单位",
             "退休单位", "离退休单位", "退休前单位", "原所在单位", "单位全称"],
    "phone": ["本人电话", "本人联系电话", "移动电话", "手机号"],
    "township": ["所属乡镇", "所在乡镇", "居住地乡镇(街道)"],
    "died_on": [
        "死亡日期", "死亡年月", "去世年月", "去世年月日", "逝世日期", "逝世年月", "亡故时间",
        "亡故日期", "死亡时间(年月日)", "死亡", "去世",
    ],
}  # fmt: skip
#: The unit column of these holds the post too: 县教委副局长.
UNIT_WITH_POST = {"原工作单位及职务", "原单位及职务", "单位及职务"}
NOT_DATA = {"序号", "编号", "问题"}
#: Cells merged down over several people count for each of them.
FILLED_DOWN = ("unit", "township", "community", "branch")
HEADER_WITHIN = 30
ANOTHER_TABLE = "从这一行起是另一张表，没有读；请把它移到另一个工作表，再导入一次"

_MEANING = {heading: name for name, headings in SYNONYMS.items() for heading in headings}
_LIST_MEANING = {heading: name for name, headings in LIST_SYNONYMS.items() for heading in headings}
_TOTALS = re.compile(r"(本页|本表|本单位|全县)?(合计|小计|总计|共计|累计|总人数)")
_NOTES = re.compile(
    r"填表|填报|审核|制表|负责人|单位负责人|经办|联系人|签字|签章|盖章|说明"
    r"|[\u4e00-\u9fff]{1,8}(\((签字|签名|签章|盖章|公章)\))?:"
)
_LONE_NAME = re.compile(r"[\u3400-\u9fff]{2,4}|[\u3400-\u9fff]+·[\u3400-\u9fff]+")
_LONE_NUMBER = re.compile(r"\d{15,17}[\dXx]?")
#: Groups of headings under which somebody else's name and phone stand.
_SOMEBODY_ELSE = re.compile(r"配偶|爱人|家属|亲属|子女|紧急|监护|联系人")


@dataclass
class Table:
    """The people of one sheet. `columns`: field → column from 0; `people`: (row number, cells).

    `others`: column → heading of the columns that were not recognised.
    """

    sheet: Sheet
    header_rows: list[int]
    columns: dict[str, int]
    unit_with_post: bool = False
    unknown: list[str] = field(default_factory=list)
    others: dict[int, str] = field(default_factory=dict)
    people: list[tuple[int, list]] = field(default_factory=list)
    passed_over: list[tuple[int, str]] = field(default_factory=list)


def heading_text(cell) -> str:
    """A heading without blanks, line breaks and full-width forms: `出生\\n年月` → `出生年月`."""
    if not isinstance(cell, str):
        return ""
    return re.sub(r"[\s*:]", "", unicodedata.normalize("NFKC", cell))


@functools.lru_cache(maxsize=4096)
def meaning(heading: str, any_list: bool = False) -> str | None:
    """The field a heading stands for, also without its remark in brackets."""
    known = _LIST_MEANING if any_list else _MEANING
    for remark in ("", r"\([^)]*\)$", r"\([^)]*\)", r"\d$"):
        if found := known.get(re.sub(remark, "", heading) if remark else heading):
            return found
    return None


def find_table(sheet: Sheet, any_list: bool = False) -> Table | None:
    """The table of a sheet; None when it has no heading row (a cover sheet, an empty sheet).

    `any_list`: not a roster, but any office's list, where a name and one other column suffice.
    """
    best = None
    for index, row in enumerate(sheet.rows[:HEADER_WITHIN]):
        if any(_is_name(cell) or (any_list and _is_name(cell, True)) for cell in row):
            table = _with_columns(sheet, index, any_list)
            least = 1 if any_list else 2
            if "name" in table.columns and len(table.columns) > (
                len(best.columns) if best else least
            ):
                best = table
    if best:
        _pick_people(best, any_list)
    return best


def _with_columns(sheet: Sheet, at: int, any_list: bool) -> Table:
    """Group headings may stand in the row of the names, over the next one, or in the row above."""
    first, groups, above = sheet.rows[at], _groups(sheet, at), _groups_above(sheet, at)
    second = _second_header_row(sheet, at, groups)
    table = Table(sheet, [at - 1, at] if above else [at, at + 1] if second else [at], {})
    names = []
    for column in range(max(len(first), len(second or ()))):
        grouped = second is not None and column in groups
        own = heading_text(_at(second if grouped else first, column))
        names.append(_candidates(groups[column] if grouped else above.get(column, ""), own))
    _assign(table, names)
    if any_list:
        _assign_list_words(table)
    return table


def _candidates(group: str, own: str) -> list[str]:
    """What a heading may be known as, the surest first."""
    if not own or _SOMEBODY_ELSE.search(group):
        return [group + own] if group + own else []
    return [group + own, own]


def _groups_above(sheet: Sheet, at: int) -> dict[int, str]:
    """The groups of the row above; none when that row is only a line of notes."""
    above = _groups(sheet, at - 1)
    for column, group in above.items():
        if _SOMEBODY_ELSE.search(group) or meaning(
            group + heading_text(_at(sheet.rows[at], column))
        ):
            return above
    return {}


def _second_header_row(sheet: Sheet, at: int, groups: dict[int, str]) -> list | None:
    """The row below, when headings merged across have their parts named there."""
    if not groups or at + 1 >= len(sheet.rows):
        return None
    row = sheet.rows[at + 1]
    outside = [c for i, c in enumerate(row) if i not in groups and c is not None and _text(c)]
    inside = [heading_text(c) for i, c in enumerate(row) if i in groups]
    return row if any(inside) and not outside else None


def _groups(sheet: Sheet, at: int) -> dict[int, str]:
    """The group heading above each column merged across in a row; a title is no group."""
    if at < 0:
        return {}
    width = max(len(row) for row in sheet.rows[at : at + 2])
    spread = {}
    for (top, left), (bottom, right) in sheet.merged:
        if top == bottom == at and left < right and right - left + 1 < max(3, width * 0.7):
            text = heading_text(_at(sheet.rows[at], left))
            spread |= dict.fromkeys(range(left, right + 1), text)
    return {column: text for column, text in spread.items() if text}


def _assign(table: Table, names: list[list[str]]) -> None:
    for column, candidates in enumerate(names):
        found = next((n for n in candidates if meaning(n)), None)
        wanted = meaning(found) if found else None
        if wanted == "phone" and "phone" in table.columns:
            wanted = "second_phone"
        if wanted and wanted not in table.columns:
            table.columns[wanted] = column
            table.unit_with_post |= wanted == "unit" and found in UNIT_WITH_POST
        elif candidates and candidates[0] not in NOT_DATA:
            table.unknown.append(candidates[0])
            table.others[column] = candidates[0]


def _assign_list_words(table: Table) -> None:
    """What is still missing may stand under a heading that only other offices use."""
    for column, heading in list(table.others.items()):
        wanted = meaning(heading, any_list=True)
        if wanted and wanted not in table.columns:
            table.columns[wanted] = column
            table.unknown.remove(table.others.pop(column))


def _at(row: list | None, column: int):
    return row[column] if row is not None and 0 <= column < len(row) else None


def _text(cell) -> str:
    """A cell without blanks and full-width forms, colons and all."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", str(cell)))


def _pick_people(table: Table, any_list: bool) -> None:
    filled = _filled_down(table)
    name = table.columns["name"]
    known = list(table.columns.values())
    for index in range(table.header_rows[-1] + 1, len(table.sheet.rows)):
        row = table.sheet.rows[index]
        given = [cell for cell in row if cell is not None and str(cell).strip()]
        if not given:
            continue
        if _is_another_heading(table, row):
            table.passed_over.append((index + 1, ANOTHER_TABLE))
            break
        if _is_person(row, given, name, known) or (
            any_list and _is_listed(row, given, table.columns)
        ):
            table.people.append((index + 1, filled.get(index, row)))
        elif heading_text(_at(row, name)) not in SYNONYMS["name"]:
            table.passed_over.append((index + 1, _shown(given[0])))


def _is_another_heading(table: Table, row: list) -> bool:
    """A second heading row whose columns mean something else than the first one's."""
    if not any(isinstance(cell, str) and "名" in cell and _is_name(cell) for cell in row):
        return False
    found = {meaning(heading_text(cell)): column for column, cell in enumerate(row)}
    found.pop(None, None)
    differs = any(table.columns.get(name) != column for name, column in found.items())
    return "name" in found and len(found) >= 3 and differs


def _is_name(cell, any_list: bool = False) -> bool:
    return meaning(heading_text(cell), any_list) == "name"


def _is_listed(row: list, given: list, columns: dict[str, int]) -> bool:
    """A row of any list with nothing but a name, or a number, or two things but no name."""
    text = heading_text(_at(row, columns["name"]))
    if text in SYNONYMS["name"] or _TOTALS.match(_text(given[0])) or _NOTES.match(_text(given[0])):
        return False
    if len(given) == 1:
        number = _text(_at(row, columns.get("id_number", -1)) or "")
        return bool(_LONE_NAME.fullmatch(text) or _LONE_NUMBER.fullmatch(number))
    return not text and _given(row, list(columns.values())) >= 2


def _is_person(row: list, given: list, name: int, known: list[int]) -> bool:
    first = _text(given[0])
    if len(given) == 1 or _TOTALS.match(first) or _NOTES.match(first):
        return False
    named = heading_text(_at(row, name))
    if named in SYNONYMS["name"] or _TOTALS.match(named):
        return False
    return bool(named) or _at(row, name) is not None or _given(row, known) >= 3


def _shown(cell) -> str:
    """The beginning of a row that was passed over, without numbers that may be personal."""
    return re.sub(r"[\dXx]{7,}", "…", _text(cell))[:40]


def _given(row: list, columns: list[int]) -> int:
    return sum(_at(row, column) is not None for column in columns)


def _filled_down(table: Table) -> dict[int, list]:
    """Rows, by index, in which a cell merged down from above is written out."""
    wanted = {table.columns[f] for f in FILLED_DOWN if f in table.columns}
    filled = {}
    for (top, left), (bottom, _) in table.sheet.merged:
        if left not in wanted or bottom == top or top <= table.header_rows[-1]:
            continue
        value = _at(table.sheet.rows[top], left)
        for index in range(top + 1, min(bottom + 1, len(table.sheet.rows))):
            row = filled.setdefault(index, list(table.sheet.rows[index]))
            row.extend([None] * (left + 1 - len(row)))
            row[left] = value
    return filled
