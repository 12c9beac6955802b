"""The tables that are exported: who is in them, and their columns."""

import datetime
from collections.abc import Iterator

from django.db.models import OuterRef, Subquery

from branches.access import with_branch
from branches.models import Membership, MembershipKind
from cadres.dates import age_on
from cadres.forms import care_filter_in_words, care_of, people_of, people_of_care
from cadres.masking import mask_phone
from cadres.models import (
    ActivityClass,
    CareKind,
    ClassChange,
    ClassReason,
    Export,
    PoliticalStatus,
    RetirementKind,
    Sex,
    Status,
)
from fengjie_cadres.reports.workbook import Column

_CLASSES = dict(ActivityClass.choices)
_REASONS = dict(ClassReason.choices)
_CARE = dict(CareKind.choices)
_SEXES = dict(Sex.choices)
_POLITICAL = dict(PoliticalStatus.choices)
_KINDS = dict(RetirementKind.choices)
_STATUSES = dict(Status.choices)

ROSTER = [
    Column("姓名", 9),
    Column("性别", 5),
    Column("民族", 8),
    Column("出生年月", 10),
    Column("年龄", 5, is_number=True),
    Column("参加工作时间", 10),
    Column("政治面貌", 10),
    Column("入党时间", 10),
    Column("离退休时间", 10),
    Column("离退休类别", 7),
    Column("原工作单位", 24),
    Column("原职务", 12),
    Column("职级", 12),
    Column("联系电话", 14),
    Column("居住乡镇(街道)", 13),
    Column("村(社区)", 12),
    Column("所在党支部", 30),
    Column("活动类别", 13),
    Column("健康状况", 10),
    Column("状态", 8),
]
CLASS_LEDGER = [
    Column("姓名", 9),
    Column("性别", 5),
    Column("出生年月", 10),
    Column("原工作单位", 28),
    Column("居住乡镇(街道)", 14),
    Column("活动类别", 14),
    Column("生效日期", 12),
    Column("至", 12),
    Column("原因", 24),
    Column("审定人", 10),
]
CARE_LEDGER = [
    Column("日期", 11),
    Column("姓名", 9),
    Column("性别", 5),
    Column("年龄", 5, is_number=True),
    Column("原工作单位", 24),
    Column("党支部", 28),
    Column("居住乡镇(街道)", 13),
    Column("种类", 10),
    Column("地点", 14),
    Column("看望的人", 16),
    Column("慰问品或慰问金", 16),
    Column("情况", 30),
    Column("出院日期", 11),
    Column("登记人", 10),
]


def month(value: str) -> str:
    """1953.07 or 1953.07.15, as rosters write it."""
    return value.replace("-", ".")


def roster(export: Export, today: datetime.date) -> tuple[list[Column], Iterator[tuple]]:
    """花名册 of a filter; identity numbers and whole phones only when the export is a full one."""
    served = Membership.objects.current().filter(retiree=OuterRef("pk"), kind=MembershipKind.SERVED)
    people = people_of(export.params, export.asked_by).order_by("name_pinyin", "id")
    found = people.annotate(branch_name=Subquery(served.values("branch__name")[:1])).values_list(
        "name", "sex", "ethnic_group", "birth_date", "work_started", "political_status",
        "party_joined", "retired_on", "retirement_kind", "unit__name", "former_post", "rank",
        "phone", "township__name", "community__short_name", "branch_name", "activity_class",
        "health", "status", "id_number",
    )  # fmt: skip
    rows = (_person(row, today, export.is_full) for row in found.iterator(chunk_size=5000))
    return [*ROSTER, Column("身份证号", 21)] if export.is_full else ROSTER, rows


def _person(row: tuple, today: datetime.date, is_full: bool) -> tuple:
    (name, sex, ethnic, born, worked, political, joined, retired, kind, unit, post, rank, phone,
     township, community, branch, activity_class, health, status, id_number) = row  # fmt: skip
    shown = (
        name, _SEXES.get(sex), ethnic, month(born), age_on(born, today), month(worked),
        _POLITICAL[political], month(joined), month(retired), _KINDS[kind], unit, post, rank,
        phone if is_full else mask_phone(phone), township, community, branch,
        _CLASSES.get(activity_class, "未分类"), health, _STATUSES[status],
    )  # fmt: skip
    return (*shown, id_number) if is_full else shown


def class_ledger(export: Export, today: datetime.date) -> tuple[list[Column], Iterator[tuple]]:
    """分类台账: every class a person of the filter has been in, with its date and reason."""
    people = people_of(export.params, export.asked_by)
    found = (
        ClassChange.objects.filter(retiree__in=people.order_by().values("pk"))
        .order_by("retiree__name_pinyin", "retiree_id", "effective_from", "id")
        .values_list(
            "retiree__name", "retiree__sex", "retiree__birth_date", "retiree__unit__name",
            "retiree__township__name", "activity_class", "effective_from", "until", "reason_kind",
            "reason", "decided_by__name",
        )
    )  # fmt: skip
    return CLASS_LEDGER, (_change(row) for row in found.iterator(chunk_size=5000))


def _change(row: tuple) -> tuple:
    name, sex, born, unit, township, activity_class, since, until, kind, reason, decided = row
    return (
        name, _SEXES.get(sex), month(born), unit, township, _CLASSES[activity_class],
        since.isoformat(), until.isoformat() if until else "",
        "：".join(filter(None, [_REASONS[kind], reason])), decided,
    )  # fmt: skip


def care_ledger(export: Export, today: datetime.date) -> tuple[list[Column], Iterator[tuple]]:
    """关心关爱台账 of a filter, by date; the words only where they are the asker's to read."""
    found = with_branch(care_of(export.params, export.asked_by), person="retiree")
    rows = found.order_by("on", "id").values_list(
        "on", "retiree__name", "retiree__sex", "retiree__birth_date", "retiree__unit__name",
        "with_branch_name", "retiree__township__name", "kind", "entered_by__name", "is_readable",
        "until", "place", "visitors", "given", "words",
    )  # fmt: skip
    return CARE_LEDGER, (_care(row, today) for row in rows.iterator(chunk_size=5000))


def _care(row: tuple, today: datetime.date) -> tuple:
    on, name, sex, born, unit, branch, township, kind, entered, is_readable, until, *said = row
    return (
        on.isoformat(), name, _SEXES.get(sex), age_on(born, today), unit, branch, township,
        _CARE[kind], *(said if is_readable else [""] * len(said)),
        until.isoformat() if until and is_readable else "", entered,
    )  # fmt: skip


#: Kind of export → its title and what fills it.
TABLES = {
    "roster": ("离退休干部花名册", roster),
    "class-ledger": ("活动类别台账", class_ledger),
    "care-ledger": ("关心关爱台账", care_ledger),
}
#: Kinds that are narrowed by a filter of their own: whose rows they are, and the filter in words.
FILTERS = {"care-ledger": (people_of_care, care_filter_in_words)}
