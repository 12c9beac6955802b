"""Columns of the small tables: what a cell means, in words, without a query for each row."""

import datetime
import re
from collections.abc import Callable
from decimal import Decimal

from django.db import models
from import_export import fields, widgets

from cadres.aliases import set_aliases
from cadres.cleaning import text_of
from cadres.lookup import normal


class Text(widgets.Widget):
    """Text of at most so many characters; with `is_name` without blanks and full-width forms."""

    def __init__(self, longest: int, is_name: bool = False):
        super().__init__()
        self.longest, self.is_name = longest, is_name

    def clean(self, value, row=None, **kwargs) -> str:
        text = plain(value)
        text = normal(text) if self.is_name else text
        if len(text) > self.longest:
            raise ValueError(f"“{text[:20]}…”太长，最多 {self.longest} 个字，请缩短。")
        return text

    def render(self, value, obj=None, **kwargs) -> str:
        return value or ""


class Word(widgets.Widget):
    """One of a list of choices, by the word it is shown as."""

    def __init__(self, choices: list[tuple], what: str):
        super().__init__()
        self.labels, self.what = dict(choices), what

    def clean(self, value, row=None, **kwargs):
        text = normal(plain(value))
        for choice, label in self.labels.items():
            if text == label:
                return choice
        raise ValueError(
            f"没有“{text[:20]}”这个{self.what}，请填：{'、'.join(self.labels.values())}。"
        )

    def render(self, value, obj=None, **kwargs) -> str:
        return self.labels.get(value, "")


class YesNo(Word):
    def __init__(self):
        super().__init__([(True, "是"), (False, "否")], "写法")


class Number(widgets.Widget):
    """A number that is only written out."""

    def render(self, value, obj=None, **kwargs):
        return value


class Count(Number):
    """A whole number from 1 to `most`."""

    def __init__(self, most: int, what: str):
        super().__init__()
        self.most, self.what = most, what

    def clean(self, value, row=None, **kwargs) -> int:
        text = plain(value).removesuffix(".0")
        if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= self.most):
            raise ValueError(f"“{text[:20]}”：{self.what}要是 1 到 {self.most} 的整数。")
        return int(text)


class Money(widgets.Widget):
    """Yuan, with at most two decimals."""

    _FORM = re.compile(r"\d{1,6}(\.\d{1,2})?")

    def clean(self, value, row=None, **kwargs) -> Decimal:
        text = plain(value)
        if not self._FORM.fullmatch(text):
            raise ValueError(f"“{text[:20]}”不是金额，请写成 25 或 25.50。")
        return Decimal(text)

    def render(self, value, obj=None, **kwargs) -> str:
        return "" if value is None else f"{value:.2f}"


class Day(widgets.Widget):
    """A whole date: a date cell, or 2020-01-31, 2020.1.31, 2020/1/31, 2020年1月31日."""

    _FORM = re.compile(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?")

    def clean(self, value, row=None, **kwargs) -> datetime.date:
        text = plain(value)
        try:
            return datetime.date(*map(int, self._FORM.fullmatch(text).groups()))
        except (AttributeError, ValueError):
            raise ValueError(f"“{text[:20]}”不是完整的日期，请写成 2020-01-31。") from None

    def render(self, value, obj=None, **kwargs) -> str:
        return value.isoformat() if value else ""


class Named(widgets.Widget):
    """Another record, by its name; all of them are asked for once."""

    def __init__(self, model: type[models.Model], what: str, name: Callable = str, related=()):
        super().__init__()
        self.model, self.what, self.name, self.related = model, what, name, related
        self._known: dict | None = None

    def clean(self, value, row=None, **kwargs):
        text = plain(value)
        if self._known is None:
            found = self.model.objects.select_related(*self.related)
            self._known = {normal(self.name(thing)): thing for thing in found}
        if thing := self._known.get(normal(text)):
            return thing
        raise ValueError(f"没有“{text[:30]}”这个{self.what}，请核对名称。")

    def render(self, value, obj=None, **kwargs) -> str:
        return self.name(value) if value else ""


class Names(widgets.Widget):
    """Several names in one cell, with 、 between them."""

    def __init__(self, longest: int):
        super().__init__()
        self.longest = longest

    def clean(self, value, row=None, **kwargs) -> tuple[str, ...]:
        names = {normal(name) for name in re.split(r"[、,，;；\n]", plain(value))} - {""}
        for name in names:
            if len(name) > self.longest:
                raise ValueError(f"“{name[:20]}…”太长，最多 {self.longest} 个字，请用顿号分开。")
        return tuple(sorted(names))

    def render(self, value, obj=None, **kwargs) -> str:
        return "、".join(value or ())


def plain(cell) -> str:
    """The text of a cell. Raises ValueError for a formula."""
    if _is_formula(cell):
        raise ValueError("是公式，请改为文字。")
    return text_of(cell)


def _is_formula(cell) -> bool:
    return isinstance(cell, list) and cell[0] == "f"


def _is_given(cell) -> bool:
    """Whether there is something in a cell; a formula is, whatever it came to."""
    return _is_formula(cell) or bool(text_of(cell))


class Column(fields.Field):
    """One column of a table. An empty cell leaves alone what there is."""

    def __init__(self, attribute: str, heading: str, widget, is_required: bool = False):
        super().__init__(attribute=attribute, column_name=heading, widget=widget)
        self.is_required = is_required

    def save(self, instance, row, is_m2m=False, **kwargs):
        if _is_given(row[self.column_name]):
            super().save(instance, row, is_m2m, **kwargs)


class KeyColumn(Column):
    """What a record is known by: a file finds it by this, and never changes it."""

    def save(self, instance, row, is_m2m=False, **kwargs):
        if instance.pk is None:
            super().save(instance, row, is_m2m, **kwargs)


class FixedColumn(Column):
    """A column that is written out and may not be changed by a file."""

    def save(self, instance, row, is_m2m=False, **kwargs):
        text, now = plain(row[self.column_name]), str(self.export(instance))
        if text and normal(text) != normal(now):
            words = f"原来是“{now}”" if now else "请留空"
            raise ValueError(f"“{text[:20]}”：这一列不能在表里改，{words}。")


class PartsColumn(Column):
    """Names that are kept in rows of another table; they are written after the record."""

    def _kept(self) -> str:
        return f"_{self.attribute}_of_file"

    def _known(self) -> str:
        """What was there is kept with the record: a copy of it would ask the database again."""
        return f"_{self.attribute}_before"

    def get_value(self, instance) -> tuple[str, ...]:
        if self._kept() in instance.__dict__:
            return getattr(instance, self._kept())
        if instance.pk is None:
            return ()
        if self._known() not in instance.__dict__:
            names = (part.name for part in getattr(instance, self.attribute).all())
            setattr(instance, self._known(), tuple(sorted(names)))
        return getattr(instance, self._known())

    def save(self, instance, row, is_m2m=False, **kwargs):
        if _is_given(row[self.column_name]):
            setattr(instance, self._kept(), self.clean(row, **kwargs))

    def write(self, instance, by) -> None:
        """Writes what the file says, if it says something."""
        if self._kept() in instance.__dict__:
            self.write_parts(instance, list(self.get_value(instance)), by)

    def write_parts(self, instance, names: list[str], by) -> None:
        raise NotImplementedError


class AliasColumn(PartsColumn):
    def __init__(self, longest: int):
        super().__init__("aliases", "别名", Names(longest))

    def write_parts(self, instance, names: list[str], by) -> None:
        set_aliases(thing=instance, names=names, by=by)
