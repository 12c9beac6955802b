"""What became of a file: as JSON, and the rejected rows as a workbook to mend and send again."""

from typing import BinaryIO

import xlsxwriter

from branches.models import ImportBatch, StagedRow, Verdict

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
    rows = StagedRow.objects.filter(batch=batch).exclude(problems=[])
    for sheet, row, found in rows.values_list("sheet", "row", "problems"):
        for problem in found:
            yield {"sheet": sheet, "row": row} | problem


def write_rejected(batch: ImportBatch, path: str | BinaryIO) -> int:
    """Writes the rejected rows, in the layout they came in, with a column 问题; how many."""
    rows = StagedRow.objects.filter(batch=batch, verdict=Verdict.REJECTED)
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    styles = _styles(book)
    written = 0
    for number, (name, layout) in enumerate(batch.notes.get("layout", {}).items(), 1):
        found = [row for row in rows if row.sheet == name]
        if found:
            sheet = book.add_worksheet(name[:31] or f"名册{number}")
            _fill(sheet, layout["header"], found, styles)
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


def _fill(sheet, header: list[list], rows: list[StagedRow], styles: dict) -> None:
    width = max(len(line) for line in [*header, *(row.cells for row in rows)])
    for index, line in enumerate(header):
        for column in range(width):
            cell = line[column] if column < len(line) else None
            sheet.write_string(index, column, _text(cell), styles["head"])
    sheet.write_string(len(header) - 1, width, "问题", styles["head"])
    for index, row in enumerate(rows, len(header)):
        for column in range(width):
            cell = row.cells[column] if column < len(row.cells) else None
            _write(sheet, index, column, cell, styles["text"])
        words = "；".join(p["message"] for p in row.problems if p["level"] == "error")
        sheet.write_string(index, width, words, styles["problem"])
    sheet.freeze_panes(len(header), 2)
    sheet.set_column(0, width - 1, 14)
    sheet.set_column(width, width, 60)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0, len(header) - 1)


def _text(cell) -> str:
    if isinstance(cell, list):
        cell = cell[1]
    return "" if cell is None else str(cell)


def _write(sheet, row: int, column: int, cell, style) -> None:
    """Numbers stay numbers, so that a 1953.1 is asked about again; all else is text."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < 1e15:
        sheet.write_number(row, column, cell, style)
    else:
        sheet.write_string(row, column, _text(cell), style)
