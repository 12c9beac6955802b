"""Reads one workbook in a process of its own, with limits, and prints it as JSON.

Run by path (`python -I workbook_reader.py FILE`), never imported: a hostile file may abort
the reader or eat its memory, and then only this process ends. A cell comes out as text, a
number, null, ["d", "1953-07-15"] for a date, ["m", "1953-07"] for a date shown as a month,
["f", value] for a formula. An unreadable file comes out as {"refused": code}.
"""

import csv
import datetime
import io
import json
import re
import resource
import sys
import zipfile
from xml.etree import ElementTree

import python_calamine

MEMORY = 700 * 1024 * 1024
CPU_SECONDS = 20
MAX_UNZIPPED = 50 * 1024 * 1024
MAX_PARTS = 2000
MAX_ROWS = 20_000
MAX_COLUMNS = 60
#: Titles, headings and notes that stand around the people.
ROWS_AROUND = 100

CELL = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*?\br="([A-Z]{1,3})(\d{1,7})")([^>]*[^/>])>\s*(<(?:\w+:)?f[\s/>])?'
)
STYLE = re.compile(rb'\bs="(\d+)"')
DIMENSION = re.compile(rb'<(?:\w+:)?dimension\b[^>]*\bref="[A-Z]*\d*:?[A-Z]{1,3}(\d+)"')
ROW = re.compile(rb"<(?:\w+:)?row\b")
MONTH_FORMATS = {17, 27, 36, 50, 52, 54, 57}
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Refused(Exception):
    """The file will not be read; the argument is the code of the reason."""


def limit_myself() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(path: str) -> dict:
    """The visible sheets of a file, by what it holds and not by its name."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] == b"PK\x03\x04":
        return read_zip(data)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Refused("encrypted")
        return {"kind": "xls", "sheets": calamine_sheets(data, {}, {})}
    return read_text(data)


# ---- xlsx -------------------------------------------------------


def read_zip(data: bytes) -> dict:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
        check_directory(parts)
        formulas, months = look_inside(archive, parts)
    except (zipfile.BadZipFile, EOFError, ElementTree.ParseError, KeyError, ValueError):
        raise Refused("damaged") from None
    return {"kind": "xlsx", "sheets": calamine_sheets(data, formulas, months)}


def check_directory(parts: list) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("encrypted")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNZIPPED:
        raise Refused("too_big_unzipped")
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise Refused("not_a_workbook")


def look_inside(archive: zipfile.ZipFile, parts: list) -> tuple[dict, dict]:
    """Refuses DTDs and far cells; finds formulas and month-formatted cells, sheet by sheet."""
    xml = {}
    for part in parts:
        if part.filename.endswith((".xml", ".rels", ".vml")):
            xml[part.filename] = archive.read(part)
            check_xml(xml[part.filename])
    month_styles = styles_shown_as_months(xml.get("xl/styles.xml"))
    formulas, months, rows = {}, {}, 0
    for name, path in sheet_paths(xml):
        if path in xml:
            rows += check_size(xml[path])
            formulas[name], months[name] = special_cells(xml[path], month_styles)
    if rows > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    return formulas, months


def check_xml(text: bytes) -> None:
    if text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in text[:200]:
        raise Refused("entities")  # UTF-16 would hide a DTD from the look below
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Refused("entities")


def sheet_paths(xml: dict) -> list[tuple[str, str]]:
    relations = ElementTree.fromstring(xml["xl/_rels/workbook.xml.rels"])
    target = {r.get("Id"): r.get("Target", "") for r in relations}
    found = []
    for sheet in ElementTree.fromstring(xml["xl/workbook.xml"]).iter(MAIN + "sheet"):
        path = target.get(sheet.get(REL), "")
        found.append((sheet.get("name"), path.lstrip("/") if path[:1] == "/" else "xl/" + path))
    return found


def check_size(text: bytes) -> int:
    """The number of rows; refuses a sheet that claims or holds cells far outside a roster."""
    claimed = DIMENSION.search(text[:4000])
    if claimed and int(claimed[1]) > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    rows = len(ROW.findall(text))
    if rows > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    return rows


def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def special_cells(text: bytes, month_styles: set[int]) -> tuple[list, list]:
    """Positions (row, column from 0) of formulas, and of cells formatted as a month."""
    formulas, months = [], []
    for match in CELL.finditer(text):
        column, row = column_number(match[1]), int(match[2])
        if row > MAX_ROWS + ROWS_AROUND:
            raise Refused("far_cell")
        if column > MAX_COLUMNS:
            raise Refused("too_many_columns")
        if match[4]:
            formulas.append((row - 1, column - 1))
        style = STYLE.search(match[3]) if month_styles else None
        if style and int(style[1]) in month_styles:
            months.append((row - 1, column - 1))
    return formulas, months


def styles_shown_as_months(text: bytes | None) -> set[int]:
    """Style numbers whose format shows year and month but no day."""
    if not text:
        return set()
    root = ElementTree.fromstring(text)
    own = {}
    for found in root.iter(MAIN + "numFmt"):
        code = re.sub(r'"[^"]*"|\[[^]]*\]|\\.', "", found.get("formatCode", "")).lower()
        own[int(found.get("numFmtId"))] = "y" in code and "m" in code and "d" not in code
    formats = root.find(MAIN + "cellXfs")
    shown = set()
    for number, style in enumerate(formats if formats is not None else ()):
        format_id = int(style.get("numFmtId", 0))
        if own.get(format_id, format_id in MONTH_FORMATS):
            shown.add(number)
    return shown


# ---- both workbook formats --------------------------------------


def calamine_sheets(data: bytes, formulas: dict, months: dict) -> list[dict]:
    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        return [
            one_sheet(book, meta, formulas, months)
            for meta in book.sheets_metadata
            if meta.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
    except python_calamine.PasswordError:
        raise Refused("encrypted") from None
    except python_calamine.CalamineError as error:
        raise Refused("encrypted" if "password" in str(error).lower() else "damaged") from None


def one_sheet(book, meta, formulas: dict, months: dict) -> dict:
    if meta.visible != python_calamine.SheetVisibleEnum.Visible:
        return {"name": meta.name, "hidden": True, "rows": [], "merged": []}
    sheet = book.get_sheet_by_name(meta.name)
    if sheet.total_height > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    if sheet.total_width > MAX_COLUMNS:
        raise Refused("too_many_columns")
    rows = [[plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for row, column in formulas.get(meta.name, ()):
        mark(rows, row, column, "f")
    for row, column in months.get(meta.name, ()):
        mark(rows, row, column, "m")
    return {"name": meta.name, "rows": rows, "merged": sheet.merged_cell_ranges or []}


def mark(rows: list, row: int, column: int, sign: str) -> None:
    while len(rows) <= row:
        rows.append([])
    line = rows[row]
    line.extend([None] * (column + 1 - len(line)))
    if sign == "f":
        line[column] = ["f", line[column]]
    elif isinstance(line[column], list) and line[column][0] == "d":
        line[column] = ["m", line[column][1][:7]]


def plain(cell):
    if cell == "":
        return None
    if isinstance(cell, str | int | float) and not isinstance(cell, bool):
        return cell
    if isinstance(cell, datetime.datetime | datetime.date):
        return ["d", cell.isoformat()[:10]]
    return str(cell)


# ---- text -------------------------------------------------------


def read_text(data: bytes) -> dict:
    if b"\x00" in data or not data.strip():
        raise Refused("not_a_workbook")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise Refused("web_page")
    text = decode(data)
    if any(ord(c) < 32 and c not in "\t\r\n\x0b\x0c\x1a" for c in text[:5000]):
        raise Refused("not_a_workbook")
    head = text[:20_000]
    delimiter = max(",\t;，", key=head.count)
    csv.field_size_limit(100_000)
    try:
        lines = csv.reader(io.StringIO(text), delimiter=delimiter)
        rows = [[cell or None for cell in row] for row in lines]
    except csv.Error:
        raise Refused("damaged") from None
    if len(rows) > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    if any(len(row) > MAX_COLUMNS for row in rows):
        raise Refused("too_many_columns")
    return {"kind": "csv", "sheets": [{"name": "", "rows": rows, "merged": []}]}


def decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused("not_a_workbook")


def main() -> None:
    limit_myself()
    try:
        found = read(sys.argv[1])
    except Refused as refused:
        found = {"refused": str(refused)}
    except MemoryError:
        found = {"refused": "too_big_unzipped"}
    sys.stdout.write(json.dumps(found, ensure_ascii=True))


if __name__ == "__main__":
    main()
