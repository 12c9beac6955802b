"""The workbooks of the year's end: 结转名单, 催办名单, 表彰名单, 支部和片区排行."""

import datetime

from branches.access import secretary_branches, sees_all, with_branch
from cadres.keys import key_in
from cadres.masking import mask_phone
from cadres.models import Export
from cadres.roles import is_office
from fengjie_cadres.reports.kinds import Table, for_anybody
from fengjie_cadres.reports.workbook import Column, Sheet
from points import commendations
from points.models import Account, Commendation, CommendationKind, Cycle
from points.snapshots import NO_BRANCH
from points.views.group_ranking import groups
from points.views.year_end_forms import RolloverFilter, losing_of, rollover_of

_ROLLOVER = [
    Column("姓名", 9),
    Column("原工作单位", 28),
    Column("党支部", 30),
    Column("结余", 8, is_number=True),
    Column("已预约", 8, is_number=True),
    Column("转入下年", 9, is_number=True),
    Column("作废", 8, is_number=True),
    Column("账户状态", 24),
]
_CALLS = [
    Column("党支部", 30),
    Column("姓名", 9),
    Column("联系电话", 14),
    Column("结余", 8, is_number=True),
    Column("将作废", 8, is_number=True),
    Column("打过电话", 12),
    Column("回话", 24),
]
_COMMENDED = [
    Column("编号", 22),
    Column("姓名", 9),
    Column("原工作单位", 28),
    Column("党支部", 30),
    Column("全年得分", 9, is_number=True),
    Column("补贴（元）", 10, is_number=True),
    Column("谁审批的", 10),
]
_GROUPS = [
    Column("名次", 7, is_number=True),
    Column("名称", 30),
    Column("人均得分", 9, is_number=True),
    Column("得分合计", 9, is_number=True),
    Column("在册人数", 9, is_number=True),
    Column("得过分的", 9, is_number=True),
]


def _cycle(filled: dict) -> Cycle | None:
    """The year of the address; a page always says it."""
    return Cycle.objects.filter(year=key_in(str(filled.get("cycle", "")))).first()


def _rows(filled: dict, user):
    cycle = _cycle(filled)
    return rollover_of(cycle, filled, user) if cycle else Account.objects.none()


def _losing(filled: dict, user):
    cycle = _cycle(filled)
    if cycle is None:
        return Account.objects.none()
    return RolloverFilter(filled).filter(losing_of(cycle, user))


def _rollover(export: Export, _: datetime.date) -> list[Sheet]:
    if _cycle(export.params) is None:
        return [Sheet("结转名单", _ROLLOVER, [])]
    found = with_branch(_rows(export.params, export.asked_by), person="retiree")
    rows = found.order_by("retiree__name_pinyin", "id").values_list(
        "retiree__name", "retiree__unit__name", "with_branch_name", "held", "reserved", "carried",
        "expiring", "frozen_at", "frozen_why",
    )  # fmt: skip
    lines = (_line(row) for row in rows.iterator(chunk_size=5000))
    return [Sheet("结转名单", _ROLLOVER, lines)]


def _line(row: tuple) -> tuple:
    *shown, frozen_at, why = row
    return (*shown, f"已冻结：{why}" if frozen_at else "正常")


def _calls_people(user) -> bool:
    """As their page: the office, and secretaries about the people of their branches."""
    return is_office(user) or secretary_branches(user).exists()


def _whole(phone: str | None) -> str:
    return phone or ""


def _calls(export: Export, _: datetime.date) -> list[Sheet]:
    """Whom to call; whole phones only when the export is a full one."""
    if _cycle(export.params) is None:
        return [Sheet("催办名单", _CALLS, [])]
    found = with_branch(_losing(export.params, export.asked_by), person="retiree")
    rows = found.order_by("with_branch_name", "-expiring", "id").values_list(
        "with_branch_name", "retiree__name", "retiree__phone", "held", "expiring"
    )
    shown = _whole if export.is_full else mask_phone
    lines = (
        (branch or NO_BRANCH, name, shown(phone), held, expiring, "", "")
        for branch, name, phone, held, expiring in rows.iterator(chunk_size=5000)
    )
    return [Sheet("催办名单", _CALLS, lines)]


def _commended(filled: dict):
    cycle, kind = _cycle(filled), filled.get("kind", "")
    if cycle is None or kind not in CommendationKind.values:
        return Commendation.objects.none()
    return commendations.granted(cycle, kind)


def _commendations(export: Export, _: datetime.date) -> list[Sheet]:
    rows = with_branch(_commended(export.params), person="retiree")
    lines = (
        (
            one.number_in_words, one.retiree.name, str(one.retiree.unit or ""),
            one.with_branch_name or "", one.earned, one.amount, str(one.list.decided_by),
        )
        for one in rows.select_related("list__decided_by")
    )  # fmt: skip
    return [Sheet("表彰名单", _COMMENDED, lines)]


def _commendation_words(filled: dict) -> str:
    kind = dict(CommendationKind.choices).get(filled.get("kind", ""), "")
    return f"年度：{filled.get('cycle', '')}；种类：{kind}"


def _group_ranking(export: Export, _: datetime.date) -> list[Sheet]:
    cycle = _cycle(export.params)
    return [
        Sheet(title, _GROUPS, [_group(row) for row in _groups(by, cycle, export.asked_by)])
        for by, title in (("branches", "党支部排行"), ("areas", "片区排行"))
    ]


def _groups(by: str, cycle: Cycle | None, user) -> list[dict]:
    return groups(by, cycle, user) if cycle else []


def _group(row: dict) -> tuple:
    shown = (row[name] for name in ("earned", "people", "active"))
    return row["place"], row["name"], float(row["average"]), *shown


def _people_of_groups(filled: dict, user) -> int:
    return sum(row["people"] for row in _groups("branches", _cycle(filled), user))


def _words(filled: dict) -> str:
    searched = [f"搜索：{filled['q']}"] if filled.get("q") else []
    year = [f"年度：{filled.get('cycle', '')}"]
    return "；".join(filter(None, [*year, RolloverFilter(filled).in_words(), *searched]))


ROLLOVER = Table(
    "积分结转名单",
    _rollover,
    count=lambda filled, user: _rows(filled, user).count(),
    words=for_anybody(_words),
    is_for=is_office,
)
CALLS = Table(
    "积分催办名单",
    _calls,
    count=lambda filled, user: _losing(filled, user).count(),
    words=for_anybody(_words),
    is_for=_calls_people,
    may_be_full=True,
    full_words="完整的电话",
)
COMMENDATIONS = Table(
    "表彰名单",
    _commendations,
    count=lambda filled, user: _commended(filled).count(),
    words=for_anybody(_commendation_words),
    is_for=is_office,
)
GROUP_RANKING = Table(
    "积分排行榜（党支部、片区）",
    _group_ranking,
    count=_people_of_groups,
    words=lambda filled, user: f"年度：{filled.get('cycle', '')}",
    is_for=sees_all,
)
