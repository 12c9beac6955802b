"""The tables that are exported: who may have them, who is in them, and their columns."""

import datetime

from django.db.models import F, OuterRef, Subquery, Value

from branches.models import Membership, MembershipKind
from cadres.dates import age_on
from cadres.forms import PeopleFilter, people_of
from cadres.forms.class_ledger import class_changes_of, ledger_in_words, people_of_ledger
from cadres.masking import mask_phone
from cadres.models import (
    ActivityClass,
    ClassChange,
    ClassReason,
    Export,
    PoliticalStatus,
    RetirementKind,
    Sex,
    Status,
    Township,
)
from fengjie_cadres.reports import (
    care,
    class_totals,
    comparison,
    organisation,
    points,
    redemptions,
    review,
    year_end,
)
from fengjie_cadres.reports.kinds import Table, for_anybody
from fengjie_cadres.reports.workbook import Column, Sheet

_CLASSES = dict(ActivityClass.choices)
_REASONS = dict(ClassReason.choices)
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


def month(value: str) -> str:
    """1953.07 or 1953.07.15, as rosters write it."""
    return value.replace("-", ".")


def roster(export: Export, _: datetime.date) -> list[Sheet]:
    """花名册 of a filter; identity numbers and whole phones only when the export is a full one."""
    asked = PeopleFilter(export.params, user=export.asked_by)
    served = Membership.objects.on(asked.day).filter(
        retiree=OuterRef("pk"), kind=MembershipKind.SERVED
    )
    places = dict(Township.objects.values_list("pk", "name"))
    people = people_of(export.params, export.asked_by).order_by("name_pinyin", "id")
    found = people.annotate(branch_name=Subquery(served.values("branch__name")[:1])).values_list(
        "name", "sex", "ethnic_group", "birth_date", "work_started", "political_status",
        "party_joined", "retired_on", "retirement_kind", "unit__name", "former_post", "rank",
        "phone", "township_then", _community(asked), "branch_name", "class_then",
        "health", _status(asked), "id_number",
    )  # fmt: skip
    rows = (
        _person(row, asked.day, places, export.is_full) for row in found.iterator(chunk_size=5000)
    )
    columns = [*ROSTER, Column("身份证号", 21)] if export.is_full else ROSTER
    return [Sheet("离退休干部花名册", columns, rows)]


def _community(asked: PeopleFilter):
    """There is no ledger of villages: today's would contradict the township of an earlier day."""
    return Value("") if asked.is_past else F("community__short_name")


def _status(asked: PeopleFilter):
    return Value(asked.status_then) if asked.is_past else F("status")


def _person(row: tuple, day: datetime.date, places: dict, is_full: bool) -> tuple:
    (name, sex, ethnic, born, worked, political, joined, retired, kind, unit, post, rank, phone,
     township, community, branch, activity_class, health, status, id_number) = row  # fmt: skip
    shown = (
        name, _SEXES.get(sex), ethnic, month(born), age_on(born, day), month(worked),
        _POLITICAL[political], month(joined), month(retired), _KINDS[kind], unit, post, rank,
        phone if is_full else mask_phone(phone), places.get(township), community, branch,
        _CLASSES.get(activity_class, "未分类"), health, _STATUSES[status],
    )  # fmt: skip
    return (*shown, id_number) if is_full else shown


def class_ledger(export: Export, _: datetime.date) -> list[Sheet]:
    """分类台账: every class a person of the filter has been in, with its date and reason."""
    people = people_of(export.params, export.asked_by)
    found = ClassChange.objects.filter(retiree__in=people.order_by().values("pk"))
    order = ("retiree__name_pinyin", "retiree_id", "effective_from", "id")
    return _ledger(found.order_by(*order))


def class_changes(export: Export, _: datetime.date) -> list[Sheet]:
    """分类台账 as its own page shows it: by the date of the change, the latest first."""
    return _ledger(class_changes_of(export.params, export.asked_by))


def _ledger(found) -> list[Sheet]:
    values = found.values_list(
        "retiree__name", "retiree__sex", "retiree__birth_date", "retiree__unit__name",
        "retiree__township__name", "activity_class", "effective_from", "until", "reason_kind",
        "reason", "decided_by__name",
    )  # fmt: skip
    rows = (_change(row) for row in values.iterator(chunk_size=5000))
    return [Sheet("活动类别台账", CLASS_LEDGER, rows)]


def _change(row: tuple) -> tuple:
    name, sex, born, unit, township, activity_class, since, until, kind, reason, decided = row
    return (
        name, _SEXES.get(sex), month(born), unit, township, _CLASSES[activity_class],
        since.isoformat(), until.isoformat() if until else "",
        "：".join(filter(None, [_REASONS[kind], reason])), decided,
    )  # fmt: skip


#: Kind of export (in its address) → the table.
TABLES = {
    "branches": organisation.BRANCHES,
    "units": organisation.UNITS,
    "roster": Table("离退休干部花名册", roster, may_be_full=True),
    "class-ledger": Table("活动类别台账", class_ledger),
    "class-changes": Table(
        "活动类别台账", class_changes, count=people_of_ledger, words=for_anybody(ledger_in_words)
    ),
    "class-totals": class_totals.TOTALS,
    "review-list": review.REVIEW,
    comparison.KIND: comparison.COMPARISON,
    "care-ledger": care.CARE,
    "points-ledger": points.LEDGER,
    "points-accounts": points.ACCOUNTS,
    "points-ranking": points.RANKING,
    "redemptions": redemptions.REDEMPTIONS,
    "points-rollover": year_end.ROLLOVER,
    "points-calls": year_end.CALLS,
    "ranking-groups": year_end.GROUP_RANKING,
    "commendations": year_end.COMMENDATIONS,
}
