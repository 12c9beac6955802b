"""What the database's own history says, in words: when, who, and each field from old to new."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.apps import apps
from django.core.paginator import Page, Paginator
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format

from cadres.dates import PartialDateField, in_words

PER_PAGE = 30
#: A record's parts (aliases, residences) show this many of their latest entries.
PARTS = 100
_KINDS = {
    "insert": "新增",
    "update": "修改",
    "delete": "删除",
    "two-step-on": "打开两步验证",
    "two-step-off": "关闭两步验证",
}
_COMMANDS = {
    "import_roster": "名册导入",
    "load_reference": "基础数据载入",
    "load_demo": "演示数据载入",
    "createoffice": "建立办公室账号",
}
#: Fields of tables that Django makes and that have no Chinese name.
_LABELS = {"group": "角色"}
_DERIVED = {"name_pinyin", "created_at", "date_joined", "watermarks", "notes"}
#: For the program, in its own words.
_DERIVED |= {"cause", "credited"}


def source_in_words(source: str) -> str:
    """`import:3` is how a roster import signs its entries in the ledgers."""
    kind, _, number = source.partition(":")
    return f"名册导入（第 {number} 批）" if kind == "import" else source


@dataclass(frozen=True)
class FieldChange:
    """One field; without `old` and `new` where the value itself is never written down."""

    label: str
    old: str = ""
    new: str = ""
    is_secret: bool = False
    name: str = ""


@dataclass(frozen=True)
class Change:
    """One entry of the history."""

    at: datetime.datetime
    who: str
    kind: str
    fields: list[FieldChange] = field(default_factory=list)
    about: str = ""

    @property
    def is_new(self) -> bool:
        return self.kind == _KINDS["insert"]

    @property
    def secrets(self) -> list[str]:
        """The labels of what is not told."""
        return [told.label for told in self.fields if told.is_secret]


class History:
    """The history of one record, a page at a time, and that of its parts. Asks when it is read.

    A part is the name of a reverse relation, or (tracked model, its link to this one).
    """

    def __init__(self, model, pk, parts: tuple = (), page: str | None = None):
        self.model, self.pk, self.parts, self._number = model, pk, parts, page

    @cached_property
    def page(self) -> Page:
        events = self.model.pgh_event_model.objects.filter(pgh_obj_id=self.pk)
        return Paginator(events.order_by("-pgh_id"), PER_PAGE).get_page(self._number)

    @cached_property
    def changes(self) -> list[Change]:
        events = list(self.page)
        if self.page.has_next():
            older = self.page.paginator.object_list.filter(pgh_id__lt=events[-1].pgh_id)
            return _described(self.model, [*events, older.first()])[:-1]
        return _described(self.model, events)

    @cached_property
    def sections(self) -> list[tuple[str, list[Change]]]:
        """Each kind of part with its latest changes."""
        found = []
        for named in self.parts:
            part, link = named if isinstance(named, tuple) else self._part(named)
            events = part.pgh_event_model.objects.filter(**{link: self.pk})
            changes = _described(part, list(events.order_by("-pgh_id")[:PARTS]))
            found.append((part._meta.verbose_name, changes))
        return [(label, changes) for label, changes in found if changes]

    def _part(self, name: str) -> tuple[type[models.Model], str]:
        relation = self.model._meta.get_field(name)
        return relation.related_model, relation.field.name


class ChangeLog:
    """The changes of all records of one kind, a page at a time, latest first.

    Of a field for which `hides(name)` only that it changed is said.
    """

    def __init__(self, model, events: models.QuerySet, hides: Callable[[str], bool], page: str):
        self.model, self._hides = model, hides
        self.page = Paginator(events.order_by("-pgh_id"), PER_PAGE).get_page(page)

    @cached_property
    def changes(self) -> list[Change]:
        shown = list(self.page)
        described = _described(self.model, [*shown, *self._before(shown)], names_records=True)
        return [self._without_hidden(change) for change in described[: len(shown)]]

    def _before(self, shown: list) -> list:
        """What the page's records were before the page: for each its latest earlier entry."""
        if not shown:
            return []
        events = self.model.pgh_event_model.objects.filter(
            pgh_obj_id__in={event.pgh_obj_id for event in shown}, pgh_id__lt=shown[-1].pgh_id
        )
        return list(events.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id"))

    def _without_hidden(self, change: Change) -> Change:
        fields = [
            FieldChange(told.label, is_secret=True) if self._hides(told.name) else told
            for told in change.fields
        ]
        return replace(change, fields=fields)


def _described(model, events: list, names_records: bool = False) -> list[Change]:
    """`events` come latest first; each is compared with the one before it of the same record."""
    names = _Names(model, events, names_records)
    described = []
    for i, event in enumerate(events):
        older = next((e for e in events[i + 1 :] if e.pgh_obj_id == event.pgh_obj_id), None)
        changed = _differences(model, older, event, names)
        kind, about = _KINDS[event.pgh_label], names.about(event) if names_records else ""
        described.append(Change(event.pgh_created_at, names.who(event), kind, changed, about))
    return described


def _differences(model, older, event, names: "_Names") -> list[FieldChange]:
    if event.pgh_label == "delete":
        older, event = event, None
    found = []
    for kept in _told_fields(model):
        old, new = (getattr(e, kept.attname, None) if e else None for e in (older, event))
        if (old or "") == (new or "") and not isinstance(kept, models.BooleanField):
            continue
        if old == new:
            continue
        if kept.name.endswith("_digest"):
            label = model._meta.get_field(kept.name.removesuffix("_digest")).verbose_name
            found.append(FieldChange(label, is_secret=True, name=kept.name))
        else:
            old, new = names.said(kept, old), names.said(kept, new)
            found.append(FieldChange(_label(kept), old, new, name=kept.name))
    return found


def _told_fields(model) -> list[models.Field]:
    """Fields of the history that people understand; digests stand for what they are made of."""
    kept = {f.name for f in model.pgh_event_model._meta.fields}
    return [
        f
        for f in model._meta.fields
        if f.name in kept
        and f.name not in _DERIVED
        and (f.name.endswith("_digest") or not _label(f).isascii())
    ]


def _label(kept: models.Field) -> str:
    return _LABELS.get(kept.name) or str(kept.verbose_name)


class _Names:
    """Names of everything that some events point to: one query for each kind of thing."""

    def __init__(self, model, events: list, names_records: bool = False):
        self.model, self.linked = model, {}
        if names_records:
            self._collect(model, {event.pgh_obj_id for event in events})
        for kept in _told_fields(model):
            if kept.is_relation:
                self._collect(kept.related_model, {getattr(e, kept.attname) for e in events})
        contexts = [event.pgh_context or {} for event in events]
        self._collect(apps.get_model("cadres.User"), {c.get("user") for c in contexts})
        self._collect(apps.get_model("cadres.Job"), {c.get("job") for c in contexts})

    def _collect(self, model, keys: set) -> None:
        known = self.linked.setdefault(model, {})
        wanted = {key for key in keys if key} - known.keys()
        if wanted:
            known |= model._base_manager.in_bulk(wanted)

    def who(self, event) -> str:
        context = event.pgh_context or {}
        user = self.linked[apps.get_model("cadres.User")].get(context.get("user"))
        job = self.linked[apps.get_model("cadres.Job")].get(context.get("job"))
        said = _COMMANDS.get(context.get("command"), "后台命令" if "command" in context else "")
        parts = [str(part) for part in (user, job, said) if part]
        return " · ".join(parts) or "系统"

    def about(self, event) -> str:
        """Which record: of what belongs to a person only the person's name is said."""
        person = getattr(event, "retiree_id", None)
        if person and self.model is not apps.get_model("cadres.User"):
            return str(self.linked[apps.get_model("cadres.Retiree")].get(person, ""))
        there = self.linked[self.model].get(event.pgh_obj_id)
        return str(there or getattr(event, "name", "") or f"第 {event.pgh_obj_id} 号（已删除）")

    def said(self, kept: models.Field, value) -> str:
        """A value as people read it."""
        if isinstance(value, bool):
            return "是" if value else "否"
        if value in (None, ""):
            return ""
        if kept.is_relation:
            return str(self.linked[kept.related_model].get(value, f"（{value}）"))
        if kept.name == "source":
            return source_in_words(value)
        if isinstance(kept, PartialDateField):
            return in_words(value)
        if isinstance(value, datetime.datetime):
            return date_format(timezone.localtime(value), "DATETIME_FORMAT")
        if isinstance(value, datetime.date):
            return date_format(value, "DATE_FORMAT")
        return str(dict(kept.flatchoices).get(value, value))
