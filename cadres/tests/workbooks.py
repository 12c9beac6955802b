"""Workbooks for tests: honest ones by openpyxl and xlwt, others put together part by part."""

import datetime
import io
import re
import zipfile

import openpyxl
import xlwt

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEADER = [
    "姓名", "性别", "身份证号", "出生年月", "原工作单位", "联系电话", "居住乡镇(街道)",
    "村(社区)", "详细地址", "所在党支部", "活动类别", "政治面貌",
]  # fmt: skip


def workbook(*sheets: list[list], names=(), merged=(), formats=None) -> bytes:
    """An .xlsx: each sheet a list of rows. `merged` ("A1:C1") and `formats` ({"B2": "yyyy.mm"})
    count for the first sheet."""
    book = openpyxl.Workbook()
    for index, rows in enumerate(sheets):
        sheet = book.active if index == 0 else book.create_sheet()
        sheet.title = names[index] if index < len(names) else f"Sheet{index + 1}"
        for row in rows:
            sheet.append(row)
    first = book.worksheets[0]
    for cell, code in (formats or {}).items():
        first[cell].number_format = code
    for area in merged:
        first.merge_cells(area)
    return saved(book)


def saved(book) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def old_workbook(rows: list[list], name: str = "Sheet1") -> bytes:
    """An .xls (BIFF 8); dates become date cells shown as yyyy.mm."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet(name)
    shown = xlwt.easyxf(num_format_str="yyyy.mm")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, datetime.date):
                sheet.write(r, c, cell, shown)
            elif cell is not None:
                sheet.write(r, c, cell)
    return saved(book)


def text_file(rows: list[list], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    lines = (delimiter.join("" if cell is None else str(cell) for cell in row) for row in rows)
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def people(count: int, **columns) -> list[list]:
    """Rows of `count` people below HEADER, all different, all good."""
    return [person(index, **columns) for index in range(count)]


def person(index: int = 0, **columns) -> list:
    """One row below HEADER; `columns` by heading replace what is usual: person(0, 姓名="李四")."""
    usual = {
        "姓名": "张" + _han(index),
        "性别": "男",
        "身份证号": id_number(index),
        "出生年月": "1950.01",
        "原工作单位": "县教委",
        "联系电话": f"138{index:08d}",
        "居住乡镇(街道)": "朱衣镇",
        "活动类别": "正常活动",
        "政治面貌": "群众",
    }
    return [(usual | columns).get(heading) for heading in HEADER]


def _han(index: int) -> str:
    return chr(0x4E00 + index % 8000) + (chr(0x4E00 + index // 8000) if index >= 8000 else "")


def id_number(index: int = 0, place: int = 500236) -> str:
    """A valid number of a man born in January 1950; `index` to 15,499 all different."""
    body = f"{place}195001{index // 500 + 1:02d}{index % 500 * 2 + 1:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def roster_of(*rows: list) -> bytes:
    """An .xlsx with HEADER above the rows."""
    return workbook([HEADER, *rows])


# ---- part by part ------------------------------------------------------------------------------


def raw_workbook(
    sheet: str, *, parts: dict[str, str | bytes] | None = None, without=(), stored=False
) -> bytes:
    """A minimal .xlsx around the XML of one sheet; `parts` adds to or replaces the usual ones."""
    content = raw_parts(sheet) | (parts or {})
    out = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in content.items():
            if name not in without:
                archive.writestr(name, text)
    return out.getvalue()


def in_sheets(content: bytes, pattern: bytes, by: bytes) -> bytes:
    """The workbook with something replaced in the XML of its sheets."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            text = re.sub(pattern, by, text) if "/sheet" in name else text
            archive.writestr(name, text)
    return out.getvalue()


def raw_parts(sheet: str) -> dict[str, str | bytes]:
    book = f"{_OFFICE}/officeDocument"
    return {
        "[Content_Types].xml": f'{XML}<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{book}" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
    }


def raw_sheet(rows: str, before: str = "", after: str = "") -> str:
    return (
        f'{XML}<worksheet xmlns="{_MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'
    )


def raw_row(number: int, cells: list, references: bool = True) -> str:
    """The XML of one row of texts."""
    shown = []
    for column, cell in enumerate(cells):
        place = f' r="{chr(65 + column)}{number}"' if references else ""
        shown.append(f'<c{place} t="str"><v>{cell or ""}</v></c>')
    return f'<row r="{number}">{"".join(shown)}</row>'


def shared_strings(texts: list[str]) -> str:
    return f'{XML}<sst xmlns="{_MAIN}">' + "".join(f"<si><t>{t}</t></si>" for t in texts) + "</sst>"
