"""The workbooks of the 时间银行: 积分流水, 积分账户, 积分排行榜."""

import datetime

from django.utils import timezone

from branches.access import sees_all, with_branch
from cadres.models import Export, Retiree
from fengjie_cadres.reports.kinds import Table, for_anybody, words_of
from fengjie_cadres.reports.workbook import Column, Sheet
from points.forms import (
    AccountFilter,
    LedgerFilter,
    RankingFilter,
    accounts_of,
    ledger_of,
    ranking_of,
    words_with_search,
)
from points.statement import detail_of, who
from points.statement import words_of as words_of_transfer
from points.totals import FLOWS

_LEDGER = [
    Column("日期", 11),
    Column("姓名", 9),
    Column("党支部", 28),
    Column("种类", 9),
    Column("什么事", 30),
    Column("摘要", 24),
    Column("分数", 8, is_number=True),
    Column("年度", 7, is_number=True),
    Column("计入", 9),
    Column("谁确认的", 20),
    Column("记账时间", 16),
]
_ACCOUNTS = [
    Column("姓名", 9),
    Column("原工作单位", 28),
    Column("党支部", 30),
    Column("年度", 7, is_number=True),
    Column("结余", 8, is_number=True),
    Column("账户状态", 24),
]
_RANKING = [
    Column("名次", 7, is_number=True),
    Column("姓名", 9),
    Column("原工作单位", 28),
    Column("党支部", 30),
    Column("片区", 14),
    Column("年度", 7, is_number=True),
    Column("得分", 8, is_number=True),
]


def _ledger(export: Export, _: datetime.date) -> list[Sheet]:
    """积分流水 of a filter, in the order in which it was booked."""
    found = ledger_of(export.params, export.asked_by)
    rows = found.select_related("rule", "posting__rule", "reverses__rule", "posted_by", "cycle")
    rows = with_branch(rows.select_related("approved_by"), person="member").order_by("id")
    people = Retiree.objects.filter(pk__in=found.order_by().values("member"))
    names = dict(people.values_list("pk", "name"))
    lines = (_transfer(row, names[row.member]) for row in rows.iterator(chunk_size=5000))
    return [Sheet("积分流水", _LEDGER, lines)]


def _transfer(row, name: str) -> tuple:
    return (
        row.occurred_on.isoformat(), name, row.with_branch_name, row.get_kind_display(),
        words_of_transfer(row, is_out=row.points < 0), detail_of(row), row.points, row.cycle.year,
        FLOWS[row.flow], who(row.posted_by, row.approved_by) or "系统",
        f"{timezone.localtime(row.posted_at):%Y-%m-%d %H:%M}",
    )  # fmt: skip


def _accounts(export: Export, _: datetime.date) -> list[Sheet]:
    found = with_branch(accounts_of(export.params, export.asked_by), person="retiree")
    rows = found.order_by("-balance", "retiree__name_pinyin", "id").values_list(
        "retiree__name", "retiree__unit__name", "with_branch_name", "cycle__year", "balance",
        "frozen_at", "frozen_why",
    )  # fmt: skip
    lines = (_account(row) for row in rows.iterator(chunk_size=5000))
    return [Sheet("积分账户", _ACCOUNTS, lines)]


def _account(row: tuple) -> tuple:
    *shown, frozen_at, why = row
    return (*shown, f"已冻结：{why}" if frozen_at else "正常")


def _ranking(export: Export, _: datetime.date) -> list[Sheet]:
    found = with_branch(ranking_of(export.params, export.asked_by), person="retiree")
    rows = found.values_list(
        "place", "retiree__name", "retiree__unit__name", "with_branch_name",
        "retiree__township__area__name", "cycle__year", "earned",
    )  # fmt: skip
    return [Sheet("积分排行榜", _RANKING, rows.iterator(chunk_size=5000))]


def _people_of_ledger(filled: dict, user) -> int:
    return ledger_of(filled, user).order_by().values("member").distinct().count()


def _people_of_accounts(filled: dict, user) -> int:
    return accounts_of(filled, user).order_by().values("retiree").distinct().count()


LEDGER = Table(
    "积分流水",
    _ledger,
    count=_people_of_ledger,
    words=for_anybody(words_with_search(LedgerFilter)),
    is_for=sees_all,
)
ACCOUNTS = Table(
    "积分账户",
    _accounts,
    count=_people_of_accounts,
    words=for_anybody(words_with_search(AccountFilter)),
    is_for=sees_all,
)
RANKING = Table(
    "积分排行榜",
    _ranking,
    count=lambda filled, user: ranking_of(filled, user).count(),
    words=words_of(RankingFilter),
    is_for=sees_all,
)
