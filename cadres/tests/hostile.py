"""Files that are refused whole: name → (maker of the bytes, codes that may be answered)."""

import io
import os
import random
import struct
import zipfile

import xlwt
from xlwt.CompoundDoc import XlsDoc

from cadres.tests.workbooks import (
    HEADER,
    XML,
    old_workbook,
    people,
    person,
    raw_parts,
    raw_row,
    raw_sheet,
    raw_workbook,
    roster_of,
    shared_strings,
    text_file,
    workbook,
)

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _good_row(number: int = 1) -> str:
    return raw_row(number, HEADER) + raw_row(number + 1, person(0))


def _with_dtd(part: str, encoding: str = "utf-8", head: str = XML) -> bytes:
    """The part with a DTD in it, in another encoding if need be."""
    text = raw_parts(raw_sheet(_good_row())).get(part, f"{XML}<x>&j;</x>")
    text = text.replace(XML, head + LAUGHS)
    return raw_workbook(raw_sheet(_good_row()), parts={part: text.encode(encoding)})


def _sheet_of_another_name() -> bytes:
    """The sheet is no .xml by its name: it must be looked at all the same."""
    parts = raw_parts("")
    relations = parts["xl/_rels/workbook.xml.rels"].replace("sheet1.xml", "sheet1.dat")
    sheet = raw_sheet(_good_row()).replace(XML, XML + LAUGHS)
    more = {"xl/_rels/workbook.xml.rels": relations, "xl/worksheets/sheet1.dat": sheet}
    return raw_workbook("", parts=more, without=("xl/worksheets/sheet1.xml",))


def _lying_bomb() -> bytes:
    """Says 1,000 bytes and holds 200 MB."""
    sheet = (XML + " " * 200_000_000).encode()
    data = bytearray(raw_workbook("", parts={"xl/worksheets/sheet1.xml": sheet}))
    for sign, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = -1
        while (place := data.find(sign, place + 1)) >= 0:
            if struct.unpack_from("<I", data, place + at)[0] > 1_000_000:
                struct.pack_into("<I", data, place + at, 1000)
    return bytes(data)


def _declared_bomb() -> bytes:
    return raw_workbook("", parts={"xl/media/image1.png": b"\x00" * 60_000_000})


def _encrypted_zip() -> bytes:
    data = bytearray(roster_of(person(0)))
    for sign, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = -1
        while (place := data.find(sign, place + 1)) >= 0:
            data[place + at] |= 1
    return bytes(data)


def _encrypted_old() -> bytes:
    """An .xls with the record that says: what follows is encrypted."""
    book = xlwt.Workbook()
    book.add_sheet("S").write(0, 0, "x")
    stream = book.get_biff_data()
    end = 4 + struct.unpack_from("<H", stream, 2)[0]
    record = struct.pack("<HHHHHH", 0x2F, 54, 1, 1, 1, 0)[:10] + b"\x01" * 48
    out = io.BytesIO()
    XlsDoc().save(out, stream[:end] + record + stream[end:])
    return out.getvalue()


def _zip_of(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return out.getvalue()


def _exploding_strings() -> bytes:
    """One string of a megabyte, shown by a hundred thousand cells."""
    cells = '<c t="s"><v>0</v></c>' * 50
    rows = "".join(f"<row>{cells}</row>" for _ in range(2000))
    texts = {"xl/sharedStrings.xml": shared_strings(["字" * 350_000])}
    return raw_workbook(raw_sheet(rows), parts=texts)


def _much_text() -> bytes:
    """Each cell may be; all of them together are more than a roster."""
    cells = '<c t="s"><v>0</v></c>' * 10
    rows = "".join(f"<row>{cells}</row>" for _ in range(1000))
    texts = {"xl/sharedStrings.xml": shared_strings(["字" * 5000])}
    return raw_workbook(raw_sheet(rows), parts=texts)


def _long_cell() -> bytes:
    return raw_workbook(raw_sheet(raw_row(1, HEADER) + raw_row(2, ["张三", "男" * 40_000])))


def _merged_over_and_over() -> bytes:
    merges = '<mergeCells count="9">' + '<mergeCell ref="A1:L2"/>' * 100_000 + "</mergeCells>"
    return raw_workbook(raw_sheet(_good_row(), after=merges))


def _nested() -> bytes:
    deep = f"{XML}<workbook>" + "<a>" * 1_000_000
    return raw_workbook(raw_sheet(_good_row()), parts={"xl/workbook.xml": deep})


def _far(row: str) -> bytes:
    return raw_workbook(raw_sheet(_good_row() + row))


def _claimed(dimension: str) -> bytes:
    return raw_workbook(raw_sheet(_good_row(), before=dimension))


DAMAGED = {"damaged", "crashed"}
FILES = {
    "claims_a_million_rows": (
        lambda: _claimed('<dimension ref="A1:XFD1048576"/>'),
        {"too_many_rows"},
    ),
    "claims_them_in_other_quotes": (
        lambda: _claimed("<dimension ref='A1:C1048576'/>"),
        {"too_many_rows"},
    ),
    "lone_far_cell": (
        lambda: _far('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        {"far_cell"},
    ),
    "lone_far_cell_in_other_quotes": (
        lambda: _far("<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"),
        {"far_cell"},
    ),
    "far_row_without_cell_references": (
        lambda: _far('<row r="1048576"><c><v>1</v></c></row>'),
        {"too_many_rows", "crashed", "too_big_unzipped"},
    ),
    "far_wide_row_without_cell_references": (
        lambda: _far('<row r="1048576">' + "<c><v>1</v></c>" * 200 + "</row>"),
        {"too_many_rows", "crashed", "too_big_unzipped"},
    ),
    "far_column": (
        lambda: _far('<row r="3"><c r="XFD3"><v>1</v></c></row>'),
        {"too_many_columns"},
    ),
    "a_million_rows": (
        lambda: raw_workbook(raw_sheet("<row><c><v>1</v></c></row>" * 1_000_000)),
        {"too_many_rows"},
    ),
    "bomb_that_says_so": (_declared_bomb, {"too_big_unzipped"}),
    "bomb_that_lies": (_lying_bomb, DAMAGED | {"too_big_unzipped"}),
    "too_many_parts": (
        lambda: _zip_of("xl/workbook.xml", *(f"xl/{i}" for i in range(2001))),
        {"too_big_unzipped"},
    ),
    "laughs_in_the_workbook": (lambda: _with_dtd("xl/workbook.xml"), {"entities"}),
    "laughs_in_the_sheet": (lambda: _with_dtd("xl/worksheets/sheet1.xml"), {"entities"}),
    "laughs_in_the_relations": (lambda: _with_dtd("xl/_rels/workbook.xml.rels"), {"entities"}),
    "laughs_in_the_texts": (lambda: _with_dtd("xl/sharedStrings.xml"), {"entities"}),
    "laughs_in_the_styles": (lambda: _with_dtd("xl/styles.xml"), {"entities"}),
    "laughs_in_the_properties": (lambda: _with_dtd("docProps/core.xml"), {"entities"}),
    "laughs_in_a_drawing": (lambda: _with_dtd("xl/drawings/vmlDrawing1.vml"), {"entities"}),
    "laughs_in_a_part_of_any_name": (lambda: _with_dtd("xl/media/image1.png"), {"entities"}),
    "laughs_in_a_sheet_of_any_name": (_sheet_of_another_name, {"entities"}),
    "laughs_in_utf_16": (lambda: _with_dtd("xl/styles.xml", "utf-16"), {"entities"}),
    "laughs_in_utf_16_le": (lambda: _with_dtd("xl/workbook.xml", "utf-16-le"), {"entities"}),
    "laughs_in_utf_16_be": (lambda: _with_dtd("xl/workbook.xml", "utf-16-be"), {"entities"}),
    "laughs_in_utf_32": (lambda: _with_dtd("xl/workbook.xml", "utf-32"), {"entities"}),
    "laughs_in_another_encoding": (
        lambda: _with_dtd("xl/workbook.xml", head='<?xml version="1.0" encoding="cp037"?>'),
        {"entities"},
    ),
    "encrypted_xlsx": (
        lambda: OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600,
        {"encrypted"},
    ),
    "encrypted_xls": (_encrypted_old, {"encrypted"}),
    "encrypted_zip": (_encrypted_zip, {"encrypted"}),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + os.urandom(5000), {"not_a_workbook"}),
    "pdf": (lambda: b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", {"not_a_workbook"}),
    "rtf": (lambda: b"{\\rtf1\\ansi \\u22995?}", {"not_a_workbook"}),
    "gzip": (lambda: b"\x1f\x8b\x08\x00" + os.urandom(3000), {"not_a_workbook"}),
    "random_bytes": (lambda: random.Random(1).randbytes(20_000), {"not_a_workbook"}),
    "word_document": (lambda: _zip_of("word/document.xml"), {"not_a_workbook"}),
    "open_document": (lambda: _zip_of("mimetype", "content.xml"), {"not_a_workbook"}),
    "binary_workbook": (lambda: _zip_of("xl/workbook.bin"), {"not_a_workbook"}),
    "empty_zip": (lambda: _zip_of(), {"not_a_workbook"}),
    "truncated_xlsx": (lambda: roster_of(*people(50))[:3000], DAMAGED),
    "truncated_xlsx_a_little": (lambda: roster_of(*people(50))[:-30], DAMAGED),
    "truncated_xls": (lambda: old_workbook([HEADER, *people(50)])[:5000], DAMAGED),
    "only_the_beginning_of_an_xls": (lambda: OLE + b"\x00" * 100, DAMAGED),
    "xlsx_with_holes": (
        lambda: raw_workbook("", without=("xl/_rels/workbook.xml.rels",)),
        DAMAGED,
    ),
    "xlsx_of_broken_xml": (lambda: raw_workbook("<worksheet><sheetData><row>"), DAMAGED | {""}),
    "html_named_xls": (
        lambda: b"<html><table><tr><td>\xd0\xd5\xc3\xfb</td></tr></table></html>",
        {"web_page"},
    ),
    "html_with_a_mark": (lambda: b"\xef\xbb\xbf\n <!DOCTYPE html><html>", {"web_page"}),
    "xml_of_excel_2003": (lambda: b'<?xml version="1.0"?><Workbook/>', {"web_page"}),
    "empty": (lambda: b"", {"not_a_workbook"}),
    "blank": (lambda: b" \r\n\t\r\n", {"not_a_workbook"}),
    "six_megabytes": (lambda: b"x" * (6 * 1024 * 1024), {"too_big"}),
    "sixty_one_columns": (
        lambda: workbook([[*HEADER, *(f"列{i}" for i in range(49))], [*person(0), *["x"] * 49]]),
        {"too_many_columns"},
    ),
    "sixty_one_columns_of_text": (
        lambda: text_file([[*HEADER, *(f"列{i}" for i in range(49))]]),
        {"too_many_columns"},
    ),
    "too_many_rows": (
        lambda: raw_workbook(raw_sheet("".join(raw_row(i, ["x"]) for i in range(1, 20_103)))),
        {"too_many_rows"},
    ),
    "too_many_rows_in_two_sheets": (
        lambda: workbook([["x"]] * 10_100, [["x"]] * 10_100),
        {"too_many_rows"},
    ),
    "too_many_rows_of_text": (lambda: text_file([["x", "y"]] * 20_103), {"too_many_rows"}),
    "too_many_rows_of_an_old_workbook": (
        lambda: old_workbook([[1]] * 20_103),
        {"too_many_rows"},
    ),
    "exploding_strings": (_exploding_strings, {"crashed", "damaged", "too_big_unzipped"}),
    "much_text": (_much_text, {"too_big_unzipped"}),
    "long_cell": (_long_cell, {"damaged"}),
    "long_cell_of_text": (lambda: text_file([HEADER, ["张三", "男" * 40_000]]), {"damaged"}),
    "merged_over_and_over": (_merged_over_and_over, {"damaged"}),
    "nested_without_end": (_nested, DAMAGED),
    "text_with_an_unclosed_quote": (
        lambda: text_file([HEADER, ['"张三', *person(1)[1:]], person(2)]),
        {"damaged"},
    ),
    "text_with_a_nul": (lambda: text_file([HEADER, ["张\x00三", "男"]]), {"not_a_workbook"}),
    "text_without_a_header": (lambda: text_file([["甲", "乙"], ["1", "2"]]), {"no_header"}),
    "workbook_without_a_header": (lambda: workbook([["甲", "乙"], [1, 2]]), {"no_header"}),
    "workbook_without_anything": (lambda: workbook([]), {"no_header"}),
    "workbook_without_people": (lambda: roster_of(), {"no_people"}),
    "workbook_with_a_total_only": (lambda: roster_of(["合计", 0]), {"no_people"}),
}  # fmt: skip
