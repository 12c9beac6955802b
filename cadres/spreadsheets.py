"""Reading any workbook that an office sends: xlsx, xls, csv, by content and within limits."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cadres.jobs import RefusedError

READER = Path(__file__).with_name("workbook_reader.py")
MAX_BYTES = 5 * 1024 * 1024
SECONDS = 30

REFUSALS = {
    "too_big": "文件超过 5 MB，请拆成几个文件，或删去图片后再上传。",
    "too_big_unzipped": "文件展开后过大，请把名册另存为新的 Excel 文件再上传。",
    "too_many_rows": "表格超过 20,000 行（或标明的范围有上百万行），请只保留名册，另存后再上传。",
    "too_many_columns": "表格超过 60 列，请删去名册以外的列再上传。",
    "far_cell": "表格外很远的地方还有内容，请把名册复制到新的 Excel 文件再上传。",
    "entities": "文件里含有不安全的内容，没有读取。请用 Excel 或 WPS 打开后另存再上传。",
    "encrypted": "文件设了密码，请先取消密码再上传。",
    "not_a_workbook": "这不是 Excel 或 CSV 文件，请上传 .xlsx、.xls 或 .csv 名册。",
    "web_page": "这是网页格式的文件，请用 Excel 或 WPS 打开，另存为 .xlsx 再上传。",
    "damaged": "文件已损坏或不完整，请重新导出或另存后再上传。",
    "crashed": "这个文件无法正常读取，请用 Excel 或 WPS 打开，另存为 .xlsx 再上传。",
    "no_header": (
        "没有找到表头。前 30 行里要有一行表头，其中有“姓名”，"
        "还至少有两列认得的内容（如身份证号、原工作单位）。"
    ),
    "no_list_header": (
        "没有找到表头。前 30 行里要有一行表头，其中有“姓名”，"
        "还至少有一列认得的内容（如身份证号、出生年月、单位）。"
    ),
    "no_people": "表里没有人员，请检查后再上传。",
}


class WorkbookRefusedError(RefusedError):
    """A file that is refused whole; the text says in one sentence what to do."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(REFUSALS[code])


@dataclass(frozen=True)
class Sheet:
    """One sheet; `rows[i]` is row i + 1 as Excel shows it, cells as workbook_reader says."""

    name: str
    rows: list[list]
    merged: list = field(default_factory=list)
    hidden: bool = False


@dataclass(frozen=True)
class Workbook:
    """`kind` is xlsx, xls or csv: in a csv every cell is text, numbers included."""

    kind: str
    sheets: list[Sheet]


def read_workbook(path: str | Path) -> Workbook:
    """Reads a file in a limited child process. Raises WorkbookRefusedError."""
    if Path(path).stat().st_size > MAX_BYTES:
        raise WorkbookRefusedError("too_big")
    found = _read_in_child(path)
    if "refused" in found:
        raise WorkbookRefusedError(found["refused"])
    return Workbook(found["kind"], [Sheet(**sheet) for sheet in found["sheets"]])


def _read_in_child(path: str | Path) -> dict:
    try:
        child = subprocess.run(
            [sys.executable, "-I", str(READER), str(path)],
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        return json.loads(child.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        raise WorkbookRefusedError("crashed") from None
