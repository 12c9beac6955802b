"""Workbooks as the office prints them: title, unit, date, frozen headings, A4 landscape.

Written row by row (XlsxWriter `constant_memory`), so that a county of any size fits. Text is
always written as text: no cell is ever a formula that came from data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import xlsxwriter

OFFICE = "奉节县委老干部局"
#: Height of a line of text, in points.
LINE = 13.5


@dataclass(frozen=True)
class Column:
    """A heading and its width in characters; `is_number` cells stay numbers, `is_money` ones
    with two decimals."""

    label: str
    width: int = 10
    is_number: bool = False
    is_money: bool = False


@dataclass(frozen=True)
class Origin:
    """Who had the workbook made, when, by what filter, and its export number."""

    who: str
    when: str
    filter_words: str
    number: str

    def __str__(self):
        return (
            f"导出编号 {self.number}；导出人 {self.who}；导出时间 {self.when}；"
            f"筛选：{self.filter_words or '无'}"
        )


@dataclass(frozen=True)
class Sheet:
    """One table: its title, its columns, and its rows as tuples in their order.

    `tab`: what the sheet is called where that is not its title.
    """

    title: str
    columns: list[Column]
    rows: Iterable[tuple]
    tab: str = ""


def write_book(file: BinaryIO, sheets: list[Sheet], origin: Origin) -> int:
    """Writes the sheets one after the other; returns the number of rows in all of them."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    title = sheets[0].title
    book.set_properties({"title": title, "author": OFFICE, "comments": str(origin)})
    styles = _styles(book)
    count = sum(_write(book, sheet, origin, styles) for sheet in sheets)
    book.close()
    return count


def _write(book, table: Sheet, origin: Origin, styles: dict) -> int:
    """The first column is a running number."""
    sheet = book.add_worksheet((table.tab or table.title)[:31])
    columns = [Column("序号", 6, is_number=True), *table.columns]
    _page(sheet, columns)
    _head(sheet, table.title, columns, origin, styles)
    count = _fill(sheet, columns, table.rows, styles)
    below = count + 3
    sheet.set_row(below, 24)
    sheet.write_string(below, 0, "填表人：                审核人：", styles["plain"])
    sheet.write_string(below + 1, 0, str(origin), styles["note"])
    sheet.print_area(0, 0, below + 1, len(columns) - 1)
    return count


def _styles(book) -> dict:
    font = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
    grid = font | {"border": 1, "border_color": "#808080"}
    return {
        "title": book.add_format(font | {"font_size": 18, "bold": True, "align": "center"}),
        "plain": book.add_format(font),
        "note": book.add_format(font | {"font_size": 9, "font_color": "#595959"}),
        "head": book.add_format(
            grid | {"bold": True, "bg_color": "#F3E7E2", "align": "center", "text_wrap": True}
        ),
        "text": book.add_format(grid | {"num_format": "@", "text_wrap": True}),
        "number": book.add_format(grid | {"num_format": "0"}),
        "money": book.add_format(grid | {"num_format": "#,##0.00"}),
    }


def _page(sheet, columns: list[Column]) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    sheet.freeze_panes(3, 2)
    sheet.set_footer("&C第 &P 页，共 &N 页")
    for index, column in enumerate(columns):
        sheet.set_column(index, index, column.width)


def _head(sheet, title: str, columns: list[Column], origin: Origin, styles: dict) -> None:
    sheet.set_row(0, 32)
    sheet.merge_range(0, 0, 0, len(columns) - 1, title, styles["title"])
    sheet.write_string(
        1, 0, f"填报单位：{OFFICE}          日期：{origin.when[:10]}", styles["plain"]
    )
    sheet.set_row(2, 30)
    for index, column in enumerate(columns):
        sheet.write_string(2, index, column.label, styles["head"])


def _fill(sheet, columns: list[Column], rows: Iterable[tuple], styles: dict) -> int:
    number, text = styles["number"], styles["text"]
    kinds = [_number_style(column, styles) for column in columns]
    line = 2
    for line, row in enumerate(rows, 3):
        if (lines := _lines(row, columns)) > 1:  # LibreOffice leaves it to who wrote the file
            sheet.set_row(line, min(lines, 30) * LINE)
        sheet.write_number(line, 0, line - 2, number)
        for index, value in enumerate(row, 1):
            if kinds[index] and value is not None:
                sheet.write_number(line, index, value, kinds[index])
            else:
                sheet.write_string(line, index, value or "", text)
    return line - 2


def _number_style(column: Column, styles: dict):
    """None for text."""
    if column.is_money:
        return styles["money"]
    return styles["number"] if column.is_number else None


def _lines(row: tuple, columns: list[Column]) -> int:
    """How many lines the fullest cell of a row takes; a Chinese character is two wide."""
    most = 1
    for value, column in zip(row, columns[1:], strict=True):
        if isinstance(value, str) and len(value) * 2 >= column.width:
            wide = sum(2 if character > "\u2e7f" else 1 for character in value)
            most = max(most, -(-wide // max(column.width - 1, 1)))
    return most
