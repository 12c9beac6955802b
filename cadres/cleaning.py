"""From a cell as it was typed to a value as it is kept, or a problem in words.

Cells come as `workbook_reader` says: text, number, None, ["d", day], ["m", month], ["f", formula].
Nothing here asks the database or the clock; `today` is given.
"""

import datetime
import functools
import re
import unicodedata
from dataclasses import dataclass, field

import phonenumbers
from stdnum.cn import ric

from cadres.dates import partial_date
from cadres.masking import mask_id_number, mask_numbers, mask_phone

ERROR, WARNING = "error", "warning"
_NOTHING = {"", "-", "--", "—", "——", "/", "\\", "N/A", "#N/A"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202f\ufeff]")
_INVISIBLE = re.compile(r"[\ufe00-\ufe0f\U000e0000-\U000e01ef]")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell: `column` is the field, `value` what was typed, masked."""

    column: str
    code: str
    message: str
    value: str = ""
    level: str = ERROR


@dataclass
class Clean:
    """The values of one row (None: not given) and its problems."""

    values: dict[str, str | int | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_rejected(self) -> bool:
        return any(problem.level == ERROR for problem in self.problems)

    def add(self, column: str, code: str, message: str, value="", level: str = ERROR) -> None:
        message, value = mask_numbers(message), mask_numbers(value)
        self.problems.append(Problem(column, code, message, value, level))


def text_of(cell) -> str:
    """A cell as one line of text; whole numbers without `.0`; empty for nothing and for dashes."""
    cell = without_formula(cell)
    if isinstance(cell, list):
        cell = cell[1]
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    text = " ".join(_CONTROL.sub(" ", _INVISIBLE.sub("", str(cell))).split())
    return "" if text in _NOTHING else text


def without_formula(cell):
    """What a formula came to; any other cell as it is."""
    while isinstance(cell, list) and cell[0] == "f":
        cell = cell[1]
    return cell


# ---- name -------------------------------------------------------


def clean_name(cell, row: Clean) -> str | None:
    """Han characters, letters and the middle dot; blanks inside are layout (张　三)."""
    if isinstance(cell, list) and cell[0] == "f":
        row.add("name", "name_invalid", "姓名是公式，请改为文字。", "公式")
        return None
    name = re.sub(r"[•・‧∙⋅．･]", "·", text_of(cell).replace(" ", ""))
    name = unicodedata.normalize("NFKC", name)  # radicals and look-alikes pasted from a PDF
    if not name:
        row.add("name", "name_missing", "没有填姓名，请补上。")
    elif not all(map(_in_names, name)) or len(name) > 60:
        row.add("name", "name_invalid", "姓名只能是汉字、字母和间隔点，请核对。", name[:30])
    else:
        return name
    return None


def _in_names(character: str) -> bool:
    """Planes 2 and 3 hold Han characters only, some of them newer than Python's tables."""
    return character.isalpha() or character in "·〇" or "\U00020000" <= character < "\U00040000"


# ---- identity number --------------------------------------------


def clean_id_number(cell, row: Clean, today: datetime.date) -> str | None:
    """18 characters; the 15-digit form is converted; a number that lost its digits is refused."""
    cell = without_formula(cell)
    if isinstance(cell, float | int) and abs(cell) >= 1e15:
        return _refuse_id(
            row, "precision_lost", "身份证号在表中是数字，末几位已经丢失，请改为文本重填。", ""
        )
    number = unicodedata.normalize("NFKC", text_of(cell)).upper()
    if re.fullmatch(r"\d\.?\d*E\+?\d+", number):
        return _refuse_id(
            row, "precision_lost", "身份证号显示为科学计数，末几位已经丢失，请改为文本重填。", ""
        )
    number = re.sub(r"[\s'’‘`\"-]", "", number).replace("×", "X")
    if not number:
        row.add(
            "id_number",
            "id_number_missing",
            "没有身份证号，按姓名、出生年月和单位认人。",
            level=WARNING,
        )
        return None
    if not re.fullmatch(r"[0-9]+X?", number):
        return _refuse_id(row, "invalid", "身份证号里有不该有的字符，请核对。", number)
    if len(number) == 15 and number.isdigit():
        number = number[:6] + "19" + number[6:]
        number += ric.calc_check_digit(number + "0")
    if len(number) != 18:
        return _refuse_id(
            row, "length", f"身份证号是 {len(number)} 位，应为 18 位，请核对。", number
        )
    return _checked_id(number, row, today)


def _checked_id(number: str, row: Clean, today: datetime.date) -> str | None:
    try:
        born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        born = None
    if born is None or not datetime.date(1900, 1, 1) <= born <= today or number[0] == "0":
        return _refuse_id(row, "invalid", "身份证号里的出生日期不对，请核对。", number)
    if ric.calc_check_digit(number) != number[17]:
        return _refuse_id(row, "checksum", "身份证号校验不通过，可能有一位写错，请核对。", number)
    return number


def _refuse_id(row: Clean, code: str, message: str, number: str) -> None:
    row.add("id_number", f"id_number_{code}", message, mask_id_number(number))


# ---- dates ------------------------------------------------------

_DATE_TEXT = re.compile(
    r"(\d{4})(?:年|[.\-/。,、–—])(\d{1,2})(?:月份?|[.\-/。,、–—]?)(?:(?<=\D)(\d{1,2})[日号]?)?"
    r"(?:T?0{1,2}:00(?::00)?)?",
    re.ASCII,
)
_DATE_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})?", re.ASCII)


class AmbiguousDateError(Exception):
    """A numeric 1953.1: January, or October whose last zero the number lost."""


@functools.lru_cache(maxsize=16384)
def read_date(text: str, may_lack_zero: bool) -> str:
    """ISO day or month. Raises ValueError; AmbiguousDateError where a number may lack a zero."""
    text = unicodedata.normalize("NFKC", text).replace(" ", "")
    if may_lack_zero and re.fullmatch(r"\d{4}\.1", text):
        raise AmbiguousDateError(text)
    match = _DATE_TEXT.fullmatch(text) or _DATE_DIGITS.fullmatch(text)
    if not match:
        raise ValueError(text)
    year, month, day = match.groups()
    if not 1900 <= int(year) <= 2100:
        raise ValueError(text)
    return partial_date(int(year), int(month), int(day) if day else None)


def date_of(cell, in_csv: bool) -> str:
    """The ISO date of a cell; empty for nothing. Raises as `read_date` does."""
    cell = without_formula(cell)
    if isinstance(cell, list) and cell[0] in ("d", "m"):
        return read_date(cell[1], may_lack_zero=False)
    text = text_of(cell)
    return read_date(text, isinstance(cell, float) or in_csv) if text and text != "无" else ""


DATE_LABELS = {
    "birth_date": "出生年月",
    "work_started": "参加工作时间",
    "party_joined": "入党时间",
    "retired_on": "离退休时间",
}


def clean_date(column: str, cell, row: Clean, today: datetime.date, in_csv: bool) -> str | None:
    label = DATE_LABELS[column]
    try:
        value = date_of(cell, in_csv)
    except AmbiguousDateError:
        year = text_of(cell)[:4]
        words = (
            f"{label}“{text_of(cell)}”分不清是 1 月还是 10 月，先留空，"
            f"请写成 {year}.01 或 {year}.10。"
        )
        row.add(column, "date_ambiguous", words, text_of(cell), WARNING)
        return None
    except ValueError:
        words = f"{label}看不懂或没有这一天，请写成 1953.07 的样子。"
        row.add(column, "date_invalid", words, text_of(cell)[:30])
        return None
    if value > today.isoformat()[: len(value)]:
        row.add(column, "date_in_future", f"{label}晚于今天，请核对。", value)
        return None
    return value or None


def clean_birth(cell, id_number: str | None, row: Clean, today, in_csv: bool) -> str | None:
    """The identity number settles the day; what is typed must agree with it."""
    if not id_number:
        return clean_date("birth_date", cell, row, today, in_csv)
    born = partial_date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    try:
        typed = date_of(cell, in_csv)
    except AmbiguousDateError:
        typed = born if born[5:7] in ("01", "10") and born[:4] == text_of(cell)[:4] else "?"
    except ValueError:
        return clean_date("birth_date", cell, row, today, in_csv)
    if typed and not born.startswith(typed):
        words = "出生年月与身份证号不一致，请核对是哪一个写错。"
        row.add("birth_date", "birth_mismatch", words, text_of(cell))
    return born


def check_order(row: Clean) -> None:
    """A date before the birth, or a retirement before the first day of work, cannot be."""
    values = row.values
    for later, earlier in (
        ("work_started", "birth_date"),
        ("party_joined", "birth_date"),
        ("retired_on", "birth_date"),
        ("retired_on", "work_started"),
    ):
        first, second = values.get(earlier), values.get(later)
        if first and second and second < first[:7]:
            words = f"{DATE_LABELS[later]}早于{DATE_LABELS[earlier]}，请核对。"
            row.add(later, "date_invalid", words, second)
            return


# ---- lists ------------------------------------------------------

_SEXES = {"男": "M", "男性": "M", "女": "F", "女性": "F"}
_CLASSES = {
    "A": "A", "正常": "A", "正常活动": "A", "正常参加": "A", "正常参加活动": "A",
    "B": "B", "适当": "B", "适当活动": "B", "适当参加": "B", "适当参加活动": "B",
    "C": "C", "不能": "C", "不能活动": "C", "不能参加": "C", "不能参加活动": "C",
}  # fmt: skip
_POLITICAL = {
    "中共党员": "member", "党员": "member", "共产党员": "member", "中国共产党党员": "member",
    "中共预备党员": "probationary", "预备党员": "probationary",
    "群众": "masses", "无党派": "masses", "无党派人士": "masses", "未知": "unknown",
    **dict.fromkeys(
        ["民主党派", "民革", "民盟", "民建", "民进", "农工党", "致公党", "九三学社", "台盟"],
        "democratic",
    ),
}  # fmt: skip
_RETIREMENT = {"离休": "honoured", "退休": "ordinary", "离": "honoured", "退": "ordinary"}


def clean_sex(cell, id_number: str | None, row: Clean) -> str | None:
    text = text_of(cell)
    sex = _SEXES.get(text)
    said = ("M" if int(id_number[16]) % 2 else "F") if id_number else None
    if text and (sex is None or (said and sex != said)):
        words = "性别与身份证号不一致，请核对。" if sex else "性别请填男或女。"
        row.add("sex", "sex_mismatch", words, text[:10])
    return said or sex


def clean_class(cell, row: Clean) -> str | None:
    text = unicodedata.normalize("NFKC", text_of(cell)).replace(" ", "").upper()
    if not text:
        return None
    found = _CLASSES.get(text) or _CLASSES.get(re.sub(r"类(人员)?$", "", text))
    if not found:
        words = "活动类别请填：正常活动、适当参加活动或不能参加活动。"
        row.add("activity_class", "class_unknown", words, text[:20])
    return found


def _from_list(column: str, choices: dict, cell, row: Clean, words: str) -> str | None:
    text = text_of(cell).replace(" ", "")
    if not text:
        return None
    if text not in choices:
        row.add(column, "value_unknown", words, text[:20], WARNING)
    return choices.get(text)


def clean_retirement_kind(cell, row: Clean) -> str | None:
    words = "离退休类别请填离休或退休，这一格没有采用。"
    return _from_list("retirement_kind", _RETIREMENT, cell, row, words)


def clean_political_status(cell, row: Clean) -> str | None:
    words = "政治面貌没有认出，这一格没有采用。"
    return _from_list("political_status", _POLITICAL, cell, row, words)


def clean_ethnic_group(cell) -> str | None:
    text = text_of(cell).replace(" ", "")
    text = text[:20]
    return text + "族" if text and len(text) <= 4 and not text.endswith("族") else text or None


# ---- phones -----------------------------------------------------


@functools.lru_cache(maxsize=16384)
def read_phone(text: str) -> str | None:
    """Digits of a mobile, or a land line as `023-56551234`; None when it is no phone number."""
    digits = re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", text)).removeprefix("0086")
    digits = digits[2:] if len(digits) == 13 and digits.startswith("86") else digits
    if re.fullmatch(r"1[3-9]\d{9}", digits):
        return digits
    if re.fullmatch(r"[2-9]\d{7}", digits):
        digits = "023" + digits  # a number of the county's own area
    try:
        number = phonenumbers.parse(digits, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not digits.startswith("0") or not phonenumbers.is_valid_number(number):
        return None
    area = phonenumbers.length_of_geographical_area_code(number) + 1
    return f"{digits[:area]}-{digits[area:]}" if area > 1 else None


def clean_phones(cells: list, row: Clean) -> tuple[str | None, str | None]:
    """First and second phone of all phone cells of a row; a mobile comes first."""
    found = []
    for cell in cells:
        text = unicodedata.normalize("NFKC", text_of(cell))
        whole = read_phone(text) if text else None
        parts = [text] if whole else re.split(r"[/,、;|或]+|\s+(?=1\d{2}|0\d{2})", text)
        for part in filter(None, (p.strip() for p in parts)):
            phone = read_phone(part)
            if phone:
                found.append(phone)
            elif part != "无":
                words = "电话号码位数不对，这个号码没有采用。"
                row.add("phone", "phone_invalid", words, mask_phone(part[:11]), WARNING)
    first, second, *more = [*dict.fromkeys(sorted(found, key=lambda p: "-" in p)), None, None]
    if any(more):
        words = "只记两个电话，其余的没有采用。"
        row.add("phone", "phone_invalid", words, mask_phone(more[0]), WARNING)
    return first, second
