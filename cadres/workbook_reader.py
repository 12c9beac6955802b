"""Reads one workbook in a process of its own, with limits, and prints it as JSON.

Run by path (`python -I workbook_reader.py FILE`), never imported: a hostile file may abort
the reader or eat its memory, and then only this process ends. A cell comes out as text, a
number, null, ["d", "1953-07-15"] for a date, ["m", "1953-07"] for a date shown as a month,
["f", cell] for a formula. An unreadable file comes out as {"refused": code}.
"""

import csv
import datetime
import io
import json
import math
import posixpath
import re
import resource
import struct
import sys
import zipfile
import zlib
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
#: Excel's own limit of one cell, and what all sheets together may come to on their way out.
MAX_CELL = 32_767
MAX_OUTPUT = 40 * 1024 * 1024

CELL = re.compile(
    rb"<(?:\w+:)?c\b(?=[^>]*?\br=[\"']([A-Z]{1,3})(\d{1,7})[\"'])([^>]*[^/>])>"
    rb"\s*(?!</)(<(?:\w+:)?f[\s/>])?"
)
STYLE = re.compile(rb"\bs=[\"'](\d+)[\"']")
DIMENSION = re.compile(rb"<(?:\w+:)?dimension\b[^>]*\bref=[\"'][A-Z]*\d*:?[A-Z]{1,3}(\d+)[\"']")
#: An .xls stream begins with BOF; FILEPASS next to it says that the rest is encrypted.
ENCRYPTED_XLS = re.compile(rb"\x09\x08\x10\x00.{16}(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL)
ENCODING = re.compile(rb"^\s*<\?xml[^>]*\bencoding=[\"']([^\"']*)[\"']")
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ElementTree.ParseError,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
ROW = re.compile(rb"<(?:\w+:)?row\b")
MONTH_FORMATS = {17, 27, 36, 50, 52, 54, 57}


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
        if "EncryptedPackage".encode("utf-16-le") in data or ENCRYPTED_XLS.search(data):
            raise Refused("encrypted")
        sheets = calamine_sheets(data, {}, {})
        for sheet in sheets:
            months_in_old_sheet(sheet["rows"])
        return {"kind": "xls", "sheets": sheets}
    return read_text(data)


# ---- xlsx -------------------------------------------------------


def read_zip(data: bytes) -> dict:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
        check_directory(parts)
        formulas, months = look_inside(archive, parts)
    except BROKEN:
        raise Refused("damaged") from None
    return {"kind": "xlsx", "sheets": calamine_sheets(data, formulas, months)}


def check_directory(parts: list) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("encrypted")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNZIPPED:
        raise Refused("too_big_unzipped")
    if not any(part_name(part.filename) == "xl/workbook.xml" for part in parts):
        raise Refused("not_a_workbook")


def part_name(name: str) -> str:
    """A part's name as the reader compares it: some programs write XL\\Workbook.xml."""
    return name.replace("\\", "/").lower()


def look_inside(archive: zipfile.ZipFile, parts: list) -> tuple[dict, dict]:
    """Refuses DTDs and far cells; finds formulas and month-formatted cells, sheet by sheet."""
    xml = {}
    for part in parts:
        name, text = part_name(part.filename), archive.read(part)
        if name.endswith((".xml", ".rels", ".vml")) or looks_like_xml(text):
            check_xml(text)
            xml[name] = text
    month_styles = styles_shown_as_months(xml.get("xl/styles.xml"))
    formulas, months, rows = {}, {}, 0
    for name, path in sheet_paths(xml):
        if path in xml:
            rows += check_size(xml[path])
            formulas[name], months[name] = special_cells(xml[path], month_styles)
    if rows > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    return formulas, months


def looks_like_xml(text: bytes) -> bool:
    return text[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def check_xml(text: bytes) -> None:
    if text[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in text[:200]:
        raise Refused("entities")  # UTF-16 would hide a DTD from the look below
    said = ENCODING.match(text[:200].removeprefix(b"\xef\xbb\xbf"))
    if said and said[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise Refused("entities")  # so would another encoding
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Refused("entities")


def local(name: str) -> str:
    """A tag or attribute without its namespace: strict workbooks have other ones."""
    return name.rpartition("}")[2]


def sheet_paths(xml: dict) -> list[tuple[str, str]]:
    relations = ElementTree.fromstring(xml["xl/_rels/workbook.xml.rels"])
    target = {r.get("Id"): r.get("Target", "") for r in relations}
    found = []
    for sheet in ElementTree.fromstring(xml["xl/workbook.xml"]).iter():
        if local(sheet.tag) == "sheet":
            ids = [value for key, value in sheet.attrib.items() if local(key) == "id"]
            path = posixpath.join("/xl", target.get(ids[0] if ids else None, ""))
            found.append((sheet.get("name"), part_name(posixpath.normpath(path)[1:])))
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
    for found in root.iter():
        if local(found.tag) != "numFmt":
            continue
        code = re.sub(r'"[^"]*"|\[[^]]*\]|\\.', "", found.get("formatCode", "")).lower()
        own[int(found.get("numFmtId"))] = "y" in code and "m" in code and "d" not in code
    formats = next((part for part in root if local(part.tag) == "cellXfs"), ())
    shown = set()
    for number, style in enumerate(formats):
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
    except python_calamine.CalamineError:
        raise Refused("damaged") from None


def one_sheet(book, meta, formulas: dict, months: dict) -> dict:
    if meta.visible != python_calamine.SheetVisibleEnum.Visible:
        return {"name": meta.name, "hidden": True, "rows": [], "merged": []}
    sheet = book.get_sheet_by_name(meta.name)
    if sheet.total_height > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    if sheet.total_width > MAX_COLUMNS:
        raise Refused("too_many_columns")
    rows = [[plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for row, column in months.get(meta.name, ()):
        mark(rows, row, column, "m")
    for row, column in formulas.get(meta.name, ()):
        mark(rows, row, column, "f")
    return {"name": meta.name.replace("\x00", ""), "rows": rows, "merged": merged_inside(sheet)}


def merged_inside(sheet) -> list:
    """Merged ranges, cut to the sheet; ranges that lie over each other are no workbook's."""
    bottom, right = sheet.total_height, sheet.total_width
    merged, cells = [], 0
    for (top, left), (low, far) in sheet.merged_cell_ranges or ():
        if top <= bottom and left <= right:
            merged.append(((top, left), (min(low, bottom), min(far, right))))
            cells += (merged[-1][1][0] - top + 1) * (merged[-1][1][1] - left + 1)
    if cells > (bottom + 1) * (right + 1):
        raise Refused("damaged")
    return merged


def months_in_old_sheet(rows: list[list]) -> None:
    """An .xls tells no formats: a column whose dates are all firsts of a month holds months."""
    for column in range(max(map(len, rows), default=0)):
        dates = [r[column] for r in rows if column < len(r) and isinstance(r[column], list)]
        if all(date[1].endswith("-01") for date in dates):
            for date in dates:
                date[:] = ["m", date[1][:7]]


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
    if isinstance(cell, str):
        if len(cell) > MAX_CELL:
            raise Refused("damaged")
        return cell.replace("\x00", "")
    if isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell):
        return cell
    if isinstance(cell, datetime.datetime | datetime.date):
        return ["d", cell.isoformat()[:10]]
    return str(cell)


# ---- text -------------------------------------------------------


def read_text(data: bytes) -> dict:
    if b"\x00" in data or not data.strip() or data.startswith((b"%PDF", b"{\\rtf")):
        raise Refused("not_a_workbook")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise Refused("web_page")
    text = decode(data)
    if any(ord(c) < 32 and c not in "\t\r\n\x0b\x0c\x1a" for c in text[:5000]):
        raise Refused("not_a_workbook")
    rows = text_rows(text)
    if len(rows) > MAX_ROWS + ROWS_AROUND:
        raise Refused("too_many_rows")
    if any(len(row) > MAX_COLUMNS for row in rows):
        raise Refused("too_many_columns")
    return {"kind": "csv", "sheets": [{"name": "", "rows": rows, "merged": []}]}


def text_rows(text: str) -> list[list]:
    """Rows without the blank cells and rows that trail; an unclosed quote would swallow people."""
    delimiter = max(",\t;，", key=text[:20_000].count)
    csv.field_size_limit(MAX_CELL)
    rows, filled = [], 0
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            while line and not line[-1].strip():
                line.pop()
            rows.append([cell or None for cell in line])
            filled = len(rows) if line else filled
    except csv.Error:
        raise Refused("damaged") from None
    return rows[:filled]


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
        text = json.dumps(read(sys.argv[1]))
        if len(text) > MAX_OUTPUT:
            raise Refused("too_big_unzipped")
    except Refused as refused:
        text = json.dumps({"refused": str(refused)})
    except MemoryError:
        text = json.dumps({"refused": "too_big_unzipped"})
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
