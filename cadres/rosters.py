"""A roster file as clean rows: tables found, cells cleaned, names looked up. Writes nothing."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from cadres import cleaning, headings
from cadres.cleaning import Clean, text_of
from cadres.lookup import (
    Match,
    NameIndex,
    branch_stem,
    community_stem,
    normal,
    place_stem,
    unit_stem,
)
from cadres.masking import mask_numbers
from cadres.models import Community, Township, TownshipAlias, Unit
from cadres.spreadsheets import Sheet, Workbook, WorkbookRefusedError

#: Free text of the roster: column → most characters it may have.
TEXTS = {
    "former_post": 80,
    "rank": 40,
    "treatment": 40,
    "address": 200,
    "health": 60,
    "skills": 100,
    "remark": 2000,
}
#: So much of a name that was not found is kept: one character more than the longest alias may
#: have, so that it shows when something was cut off.
NAME_KEPT = 81
#: A township may be written as its government.
TOWNSHIP_ENDS = ("办事处", "办", "人民政府", "政府")
LABELS = {
    "name": "姓名", "sex": "性别", "ethnic_group": "民族", "id_number": "身份证号",
    "birth_date": "出生年月", "work_started": "参加工作时间", "political_status": "政治面貌",
    "party_joined": "入党时间", "retired_on": "离退休时间", "retirement_kind": "离退休类别",
    "unit": "原工作单位", "former_post": "原职务", "rank": "职级", "treatment": "享受待遇",
    "phone": "联系电话", "second_phone": "第二电话", "township": "居住乡镇(街道)",
    "community": "村(社区)", "address": "详细地址", "branch": "所在党支部",
    "died_on": "去世时间",
    "activity_class": "活动类别", "health": "健康状况", "skills": "特长", "remark": "备注",
}  # fmt: skip


class CommunityIndex:
    """Villages and communities: the same name occurs in several townships.

    `communities`: (pk, name, short name, township); `aliases`: (other name, pk).
    """

    def __init__(self, communities: list[tuple[int, str, str, int]], aliases=()):
        self.township = {pk: township for pk, _, _, township in communities}
        self.inside: dict[int | None, NameIndex] = {}
        for township in {None, *self.township.values()}:
            names, short_names = {}, {}
            for pk, name, short_name, home in communities:
                if township in (None, home):
                    short_names[short_name] = None if short_name in short_names else pk
                    names[name] = pk
            if township is None:
                repeated = [n for n in names if [c[1] for c in communities].count(n) > 1]
                names = {n: pk for n, pk in names.items() if n not in repeated}
                short_names |= {n: None for n in repeated}
            known = self._with_aliases(short_names, aliases, township)
            self.inside[township] = NameIndex(names, known, stem=community_stem)
        # a name that occurs twice is no answer, but the places that bear it are places
        self.inside[None].display = {pk: name for pk, name, _, _ in communities}

    def _with_aliases(self, known: dict, aliases, township: int | None) -> dict:
        """Inside its township an alias decides; outside, one more of the name is unclear."""
        known = dict(known)
        for name, pk in aliases:
            if township is None:
                known[name] = pk if known.get(name, pk) == pk else None
            elif township == self.township[pk] and known.get(name) is None:
                known[name] = pk
        return known

    def index(self, township: int | None) -> NameIndex:
        return self.inside.get(township, self.inside[None])

    def find(self, text: str, township: int | None) -> Match:
        return self.index(township).find(text)


@dataclass
class Names:
    """All that a row names and the database knows."""

    units: NameIndex
    townships: NameIndex
    communities: CommunityIndex
    branches: NameIndex

    @classmethod
    def load(cls, branches: dict[str, int], branch_aliases: dict[str, int]) -> "Names":
        known = list(Unit.objects.values_list("pk", "name", "aliases__name"))
        units = {name: pk for pk, name, _ in known}
        unit_aliases = {alias: pk for pk, _, alias in known if alias}
        townships = dict(Township.objects.values_list("name", "pk"))
        old_names = list(TownshipAlias.objects.values_list("name", "township_id", "note"))
        columns = ("pk", "name", "short_name", "township_id", "aliases__name")
        communities = list(Community.objects.values_list(*columns))
        return cls(
            NameIndex(units, unit_aliases, stem=unit_stem),
            NameIndex(
                townships,
                {name + end: pk for name, pk in townships.items() for end in TOWNSHIP_ENDS}
                | {name: pk for name, pk, _ in old_names},
                stem=place_stem,
                hints={name: tuple(note.split("、")) for name, _, note in old_names if note},
            ),
            CommunityIndex(
                list(dict.fromkeys(community[:4] for community in communities)),
                [(alias, pk) for pk, _, _, _, alias in communities if alias],
            ),
            NameIndex(branches, branch_aliases, stem=branch_stem),
        )

    def index(self, kind: str, township: int | None = None) -> NameIndex:
        """Of units, townships or branches; of communities, those of a township (None: of all)."""
        if kind == "community":
            return self.communities.index(township)
        return {"unit": self.units, "township": self.townships, "branch": self.branches}[kind]


@dataclass
class RosterRow:
    """One person's row: where it stands, what it says, what is wrong with it, and its raw cells."""

    sheet: str
    row: int
    clean: Clean
    cells: list


@dataclass
class Roster:
    """The clean rows of a file and what was noticed on the way."""

    rows: list[RosterRow] = field(default_factory=list)
    layout: dict[str, dict] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)
    passed_over: list[dict] = field(default_factory=list)


def read_roster(
    book: Workbook, names: Names, today: datetime.date, reader: "type[RowReader] | None" = None
) -> Roster:
    """All people of all sheets. Raises WorkbookRefusedError when there is no heading row.

    `reader`: what cleans the rows, RowReader unless it is not a roster that is read.
    """
    reader = reader or RowReader
    roster, tables = Roster(), 0
    for sheet in book.sheets:
        table = headings.find_table(sheet, reader.any_list)
        if table is None:
            _pass_over(roster, sheet)
            continue
        tables += 1
        _note(roster, table)
        roster.rows.extend(reader(table, names, today, in_csv=book.kind == "csv").rows())
    if not tables:
        raise WorkbookRefusedError("no_list_header" if reader.any_list else "no_header")
    if not roster.rows:
        raise WorkbookRefusedError("no_people")
    _mark_duplicates(roster.rows, reader.any_list)
    return roster


def _pass_over(roster: Roster, sheet: Sheet) -> None:
    """A sheet without a heading row is named, in case people stand in it."""
    if sheet.hidden or any(cell is not None for row in sheet.rows for cell in row):
        words = "隐藏的工作表" if sheet.hidden else "没有表头的工作表"
        roster.passed_over.append({"sheet": sheet.name, "row": 0, "text": words})


def _note(roster: Roster, table: headings.Table) -> None:
    rows = table.sheet.rows
    top = table.header_rows[0]
    merged = [
        [[first - top, left], [last - top, right]]
        for (first, left), (last, right) in table.sheet.merged
        if first >= top and last <= table.header_rows[-1]
    ]
    roster.layout[table.sheet.name] = {
        "header": [rows[i] for i in table.header_rows],
        "merged": merged,
        "name": table.columns["name"],
        "headings": {name: _heading(table, column) for name, column in table.columns.items()},
        "unit_with_post": table.unit_with_post,
        "columns": table.columns,
        "others": sorted(table.others.items()),
    }
    roster.unknown_columns += [n for n in table.unknown if n not in roster.unknown_columns]
    roster.passed_over += [
        {"sheet": table.sheet.name, "row": row, "text": mask_numbers(text)}
        for row, text in table.passed_over
    ]


def _heading(table: headings.Table, column: int) -> str:
    """A column's own heading as the file has it, the lowest one where two stand."""
    cells = [table.sheet.rows[row][column : column + 1] for row in table.header_rows]
    texts = [headings.heading_text(cell[0]) for cell in cells if cell]
    return next((text for text in reversed(texts) if text), "")[:40]


def _is_given(cell) -> bool:
    return text_of(cell) not in ("", "无")


class RowReader:
    """Cleans the rows of one table."""

    any_list = False

    def __init__(self, table: headings.Table, names: Names, today, in_csv: bool):
        self.table, self.names, self.today, self.in_csv = table, names, today, in_csv
        self.columns = table.columns
        given = {*table.columns, "former_post"} if table.unit_with_post else table.columns
        self.texts = {c: TEXTS[c] for c in TEXTS if c in given}

    def rows(self) -> Iterator[RosterRow]:
        for number, cells in self.table.people:
            yield RosterRow(self.table.sheet.name, number, self._clean(cells), cells)

    def _clean(self, cells: list) -> Clean:
        given = {f: cells[c] for f, c in self.columns.items() if c < len(cells)}
        row = Clean()
        row.values["name"] = cleaning.clean_name(given.get("name"), row)
        self._person(given, row)
        self._career(given, row)
        self._places(given, row)
        cleaning.check_order(row)
        self._death(given.get("died_on"), row)
        for column, longest in self.texts.items():
            row.values[column] = self._text(column, given.get(column), longest, row)
        return row

    def _death(self, cell, row: Clean) -> None:
        if _is_given(cell):
            words = "这一行填了去世时间。名册导入不登记去世，请在个人页登记，并把这一行删去。"
            row.add("died_on", "died_in_file", words)

    def _person(self, given: dict, row: Clean) -> None:
        number = cleaning.clean_id_number(given.get("id_number"), row, self.today)
        values = row.values
        values["id_number"] = number
        values["sex"] = cleaning.clean_sex(given.get("sex"), number, row)
        values["birth_date"] = cleaning.clean_birth(
            given.get("birth_date"), number, row, self.today, self.in_csv
        )
        values["ethnic_group"] = cleaning.clean_ethnic_group(given.get("ethnic_group"))
        phones = [given.get("phone"), given.get("second_phone")]
        values["phone"], values["second_phone"] = cleaning.clean_phones(phones, row)
        values["activity_class"] = cleaning.clean_class(given.get("activity_class"), row)

    def _career(self, given: dict, row: Clean) -> None:
        values = row.values
        for column in ("work_started", "retired_on"):
            values[column] = cleaning.clean_date(
                column, given.get(column), row, self.today, self.in_csv
            )
        values["retirement_kind"] = cleaning.clean_retirement_kind(
            given.get("retirement_kind"), row
        )
        self._party(given, row)
        self._unit(given, row)

    def _party(self, given: dict, row: Clean) -> None:
        """Without a column for it, a date of joining means a member, the word 群众 what it says."""
        joined = given.get("party_joined")
        said = cleaning.clean_political_status(given.get("political_status"), row)
        if text_of(joined) in ("群众", "非党员", "非党"):
            said, joined = said or "masses", None
        row.values["party_joined"] = cleaning.clean_date(
            "party_joined", joined, row, self.today, self.in_csv
        )
        if said is None and "political_status" not in self.columns and _is_given(joined):
            said = "member"
        row.values["political_status"] = said

    def _unit(self, given: dict, row: Clean) -> None:
        text = text_of(given.get("unit"))
        match = self.names.units.find(text) if text else None
        if match and (match.pk is None or match.is_close) and self.table.unit_with_post:
            match, post = self._split_post(text, match)
            row.values["former_post"] = post
        row.values["unit_id"] = self._taken("unit", "单位", text, match, row)

    def _split_post(self, text: str, whole: Match) -> tuple[Match, str | None]:
        """县教委副局长: the longest beginning that is a unit by name or alias, and the rest."""
        key = normal(text)
        for end in range(len(key) - 1, 2, -1):
            if self.names.units.known.get(key[:end]):
                return self.names.units.find(key[:end]), key[end:]
        return whole, None

    def _places(self, given: dict, row: Clean) -> None:
        text = text_of(given.get("township"))
        match = self.names.townships.find(text) if text else None
        township = self._taken("township", "乡镇(街道)", text, match, row)
        text = text_of(given.get("community"))
        match = self.names.communities.find(text, township) if text else None
        if match and match.pk is None and township is None and text_of(given.get("township")):
            match = None  # the township has to be mended first
        community = self._taken("community", "村(社区)", text, match, row)
        if community and not township:
            township = self.names.communities.township[community]
        row.values["township_id"], row.values["community_id"] = township, community
        text = text_of(given.get("branch"))
        match = self.names.branches.find(text) if text and text != "无" else None
        row.values["branch_id"] = self._taken("branch", "党支部", text, match, row)

    def _taken(self, column: str, label: str, text: str, match: Match | None, row: Clean):
        if match is None:
            return None
        code = {"unit": "unit_unknown", "branch": "branch_unknown"}.get(column, "township_unknown")
        if match.pk is None:
            near = "、".join(match.suggestions)
            hint = f"，是不是：{near}？" if near else "，请核对名称。"
            row.add(column, code, f"没有找到{label}“{text[:40]}”{hint}", text[:NAME_KEPT])
        elif match.is_close:
            words = f"{label}“{text[:40]}”按“{match.name}”处理。"
            row.add(column, "name_matched_closely", words, text[:40], cleaning.WARNING)
        return match.pk

    def _text(self, column: str, cell, longest: int, row: Clean) -> str | None:
        text = text_of(cell) or row.values.get(column) or ""
        if len(text) > longest:
            words = f"{LABELS[column]}太长，最多 {longest} 个字，请缩短。"
            row.add(column, "text_too_long", words, text[:20])
        return text or None


def _mark_duplicates(rows: list[RosterRow], any_list: bool) -> None:
    """The second good row of the same person is refused, and says where the first one stands.

    In a list that gives nothing but names two of the same name may be two people.
    """
    by_id: dict[str, RosterRow] = {}
    by_name: dict[tuple, RosterRow] = {}
    without_id: dict[tuple, RosterRow] = {}
    for row in rows:
        if row.clean.is_rejected:
            continue
        values = row.clean.values
        number = values["id_number"]
        person = (values["name"], (values["birth_date"] or "")[:7], values["unit_id"])
        if any_list and not number and not any(person[1:]):
            continue
        first = by_id.get(number) or without_id.get(person) if number else by_name.get(person)
        if first:
            _refuse_duplicate(row, first)
            continue
        by_name.setdefault(person, row)
        if number:
            by_id[number] = row
        else:
            without_id[person] = row


def _refuse_duplicate(row: RosterRow, first: RosterRow) -> None:
    place = f"“{first.sheet}”" if first.sheet != row.sheet else ""
    words = f"与{place}第 {first.row} 行是同一个人，请删去一行。"
    values = row.clean.values
    if values["id_number"]:
        shown = cleaning.mask_id_number(values["id_number"])
        row.clean.add("id_number", "duplicate_in_file", words, shown)
    else:
        row.clean.add("name", "duplicate_in_file", words, values["name"])
