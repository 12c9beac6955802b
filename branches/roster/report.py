"""What became of a file: as JSON, and the rejected rows as a workbook to mend and send again."""

import contextlib
import re
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import OverlappingRange

from branches.models import ImportBatch, StagedRow, Verdict
from cadres.cleaning import without_formula

#: Of the columns of a workbook, in characters; the height of a line, in points.
NARROWEST, WIDEST, LINE = 14, 40, 16
COUNTS = ("rows", "created", "updated", "unchanged", "rejected", "missing")


def report(batch: ImportBatch) -> dict:
    """Counts and problems of a staged batch; identity numbers and phones are masked."""
    return {name: getattr(batch, name) for name in COUNTS} | {
        "scope": batch.scope,
        "effective_on": batch.effective_on.isoformat(),
        "unknown_columns": batch.notes.get("unknown_columns", []),
        "passed_over": batch.notes.get("passed_over", []),
        "proposed_transfers": StagedRow.objects.filter(batch=batch, proposal__isnull=False).count(),
        "problems": list(problems(batch)),
    }


def problems(batch: ImportBatch):
    """Every problem in the order of the file, with sheet and row as Excel shows them."""
    for row in StagedRow.objects.filter(batch=batch).with_problems():
        for problem in row.all_problems:
            yield {"sheet": row.sheet, "row": row.row} | problem


def write_rejected(batch: ImportBatch, path: str | BinaryIO) -> int:
    """Writes the rejected rows, in the layout they came in, with a column 问题; how many."""
    rows = StagedRow.objects.filter(batch=batch, verdict=Verdict.REJECTED)
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    styles = _styles(book)
    written = 0
    from_text = batch.notes.get("kind") == "csv"
    for number, (name, layout) in enumerate(batch.notes.get("layout", {}).items(), 1):
        found = [row for row in rows if row.sheet == name]
        if found:
            sheet = book.add_worksheet(_sheet_name(name, number))
            _head(sheet, layout, _width(layout, found), styles["head"])
            _fill(sheet, layout, found, styles, from_text)
            written += len(found)
    if not written:
        book.add_worksheet("名册").write_string(0, 0, "没有被拒绝的行。")
    book.close()
    return written


def _styles(book) -> dict:
    border = {"border": 1, "border_color": "#999999", "valign": "vcenter", "font_size": 11}
    return {
        "head": book.add_format(border | {"bold": True, "bg_color": "#F3E7E2", "text_wrap": True}),
        "text": book.add_format(border | {"num_format": "@"}),
        "problem": book.add_format(border | {"font_color": "#A61B1B", "text_wrap": True}),
    }


def _sheet_name(name: str, number: int) -> str:
    """The sheet's own name, unless Excel would not take it."""
    plain = re.fullmatch(r"[^\[\]:*?/\\']{1,31}", name)
    return name if plain and name.lower() != "history" else f"名册{number}"


def _width(layout: dict, rows: list[StagedRow]) -> int:
    return max(len(line) for line in [*layout["header"], *(row.cells for row in rows)])


def _head(sheet, layout: dict, width: int, style) -> None:
    """The heading rows with their merged groups: without these they could not be read again."""
    header = layout["header"]
    for index, line in enumerate(header):
        sheet.set_row(index, LINE * max(_lines(_text(cell)) for cell in [*line, ""]))
        for column in range(width):
            cell = line[column] if column < len(line) else None
            sheet.write_string(index, column, _text(cell), style)
    for (top, left), (bottom, right) in layout.get("merged", []):
        if (top, left) != (bottom, right):
            with contextlib.suppress(OverlappingRange):
                sheet.merge_range(top, left, bottom, right, _text(header[top][left]), style)
    for index in range(len(header)):
        sheet.write_string(index, width, "" if index else "问题", style)
    sheet.freeze_panes(len(header), 2)
    sheet.repeat_rows(0, len(header) - 1)


def _fill(sheet, layout: dict, rows: list[StagedRow], styles: dict, from_text: bool) -> None:
    width = _width(layout, rows)
    for index, row in enumerate(rows, len(layout["header"])):
        for column in range(width):
            cell = row.cells[column] if column < len(row.cells) else None
            cell = _asked_again(cell, from_text, column == layout["name"])
            _write(sheet, index, column, cell, styles["text"])
        words = "；".join(p["message"] for p in row.all_problems if p["level"] == "error")
        sheet.write_string(index, width, words, styles["problem"])
    for column in range(width):
        cells = [_text(row.cells[column]) for row in rows if column < len(row.cells)]
        longest = max(map(_wide, cells), default=0)
        sheet.set_column(column, column, min(max(longest + 2, NARROWEST), WIDEST))
    sheet.set_column(width, width, 60)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _wide(text: str) -> int:
    """A Han character counts twice."""
    return sum(2 if ord(character) > 255 else 1 for character in text)


def _lines(text: str) -> int:
    """Lines of a heading in a column of the least width."""
    return sum(-(-max(_wide(part), 1) // (NARROWEST - 1)) for part in text.split("\n"))


def _asked_again(cell, from_text: bool, is_name: bool):
    """The cell so that its problem is seen again: a formula is no name, and a 1953.1 out of a
    text file is unclear only as long as it is a number here."""
    if isinstance(cell, list) and cell[0] == "f":
        return f"（公式）{_text(cell)}" if is_name else without_formula(cell)
    if from_text and isinstance(cell, str) and re.fullmatch(r"\s*\d{4}\.1\s*", cell):
        return float(cell)
    return cell


def _text(cell) -> str:
    cell = without_formula(cell)
    if isinstance(cell, list):
        cell = cell[1]
    return "" if cell is None else str(cell)[:32_767]


def _write(sheet, row: int, column: int, cell, style) -> None:
    """Numbers stay numbers, so that a 1953.1 is asked about again; all else is text.

    One that lost its last digits must not come back looking as if it had them.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if abs(cell) < 1e15:
            sheet.write_number(row, column, cell, style)
        else:
            sheet.write_string(row, column, f"{cell:.5E}", style)
    elif text := _text(cell):
        sheet.write_string(row, column, text, style)
    else:
        sheet.write_blank(row, column, None, style)
