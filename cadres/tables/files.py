"""Workbooks of the small tables: our reader and writer as a format of django-import-export."""

import io
import tempfile

import tablib
import xlsxwriter
from import_export.formats.base_formats import Format

from cadres.cleaning import text_of
from cadres.headings import HEADER_WITHIN, heading_text
from cadres.jobs import RefusedError
from cadres.spreadsheets import Sheet, read_workbook

MAX_ROWS = 500
FULL_DISK = "服务器没能存下这个文件，请告诉管理员查看磁盘。"


class TableRefusedError(RefusedError):
    """A file of a small table that is refused whole; the text says what to do."""


class Table(tablib.Dataset):
    """Rows below their headings; `numbers` are the rows as Excel shows them, `unknown` the
    headings of columns that are left alone."""

    numbers: list[int]
    unknown: list[str]


class TableFormat(Format):
    """xlsx, xls and csv in (by content, in a child process with limits), xlsx out."""

    def __init__(self, headings: list[str], key: str, title: str = ""):
        self.headings = {heading_text(heading): heading for heading in headings}
        self.key, self.title = key, title

    def get_title(self):
        return "xlsx"

    def get_extension(self):
        return "xlsx"

    def get_content_type(self):
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def is_binary(self):
        return True

    def get_read_mode(self):
        return "rb"

    def can_import(self):
        return True

    def can_export(self):
        return True

    def create_dataset(self, in_stream: bytes, **kwargs) -> Table:
        """Raises RefusedError with one sentence."""
        try:
            with tempfile.NamedTemporaryFile(prefix="table-") as file:
                file.write(in_stream)
                file.flush()
                book = read_workbook(file.name)
        except OSError:
            raise TableRefusedError(FULL_DISK) from None
        found = [
            (sheet, at)
            for sheet in book.sheets
            if not sheet.hidden and (at := self._heading_row(sheet)) is not None
        ]
        if not found:
            raise TableRefusedError(f"没有找到表头：前 30 行里要有一行，其中一格写着“{self.key}”。")
        if len(found) > 1:
            raise TableRefusedError("有两个工作表都像是要导入的表，请只留一个，再上传。")
        return self._table(*found[0])

    def _heading_row(self, sheet: Sheet) -> int | None:
        wanted = heading_text(self.key)
        for index, row in enumerate(sheet.rows[:HEADER_WITHIN]):
            if any(heading_text(cell) == wanted for cell in row):
                return index
        return None

    def _table(self, sheet: Sheet, at: int) -> Table:
        columns, unknown = self._columns(sheet.rows[at])
        table = Table(headers=list(columns))
        table.numbers, table.unknown = [], unknown
        for number, row in enumerate(sheet.rows[at + 1 :], at + 2):
            if any(text_of(cell) for cell in row):
                table.append([row[c] if c < len(row) else None for c in columns.values()])
                table.numbers.append(number)
        if not table.numbers:
            raise TableRefusedError("表头下面没有内容，请检查后再上传。")
        if len(table.numbers) > MAX_ROWS:
            words = f"表里有 {len(table.numbers)} 行，一次最多 {MAX_ROWS} 行，请分成几份上传。"
            raise TableRefusedError(words)
        return table

    def _columns(self, row: list) -> tuple[dict[str, int], list[str]]:
        columns, unknown = {}, []
        for index, cell in enumerate(row):
            heading = self.headings.get(heading_text(cell))
            if heading in columns:
                raise TableRefusedError(f"“{heading}”有两列，请删去一列，再上传。")
            if heading:
                columns[heading] = index
            elif text_of(cell):
                unknown.append(text_of(cell)[:40])
        return columns, unknown

    def export_data(self, dataset: tablib.Dataset, **kwargs) -> bytes:
        """Text stays text: no cell is ever a formula."""
        out = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(out, options)
        grid = {"font_name": "宋体", "font_size": 11, "border": 1, "border_color": "#808080"}
        head = book.add_format(grid | {"bold": True, "bg_color": "#F3E7E2", "text_wrap": True})
        text = book.add_format(grid | {"num_format": "@", "text_wrap": True, "valign": "top"})
        number = book.add_format(grid | {"num_format": "0", "valign": "top"})
        sheet = book.add_worksheet(self.title[:31] or None)
        for column, heading in enumerate(dataset.headers):
            sheet.write_string(0, column, heading, head)
            sheet.set_column(column, column, _width([heading, *dataset[heading]]))
        for index, row in enumerate(dataset, 1):
            for column, value in enumerate(row):
                if isinstance(value, int) and not isinstance(value, bool):
                    sheet.write_number(index, column, value, number)
                else:
                    sheet.write_string(index, column, str(value or ""), text)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        book.close()
        return out.getvalue()


def _width(values: list) -> int:
    """Wide enough for the longest value, within reason; a Han character counts twice."""
    longest = max(sum(2 if ord(c) > 255 else 1 for c in str(value or "")) for value in values)
    return min(max(longest + 2, 8), 48)
