"""What the pages of an import show: problems by kind, and changes from old to new in words."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from branches.models import (
    Branch,
    ImportBatch,
    ImportState,
    MissingPerson,
    MissingRuling,
    StagedRow,
    Verdict,
)
from branches.roster.missing import earlier_rulings
from branches.roster.names import UNKNOWN
from branches.roster.report import problems
from cadres.dates import in_words
from cadres.masking import mask_id_number, mask_phone
from cadres.models import (
    ActivityClass,
    Community,
    PoliticalStatus,
    Retiree,
    RetirementKind,
    Sex,
    Township,
    Unit,
    User,
)
from cadres.rosters import LABELS

#: What kinds of problems are called when they are counted.
KINDS = {
    "name_missing": "没有姓名",
    "name_invalid": "姓名不对",
    "id_number_checksum": "身份证号校验不通过",
    "id_number_length": "身份证号位数不对",
    "id_number_precision_lost": "身份证号丢了末几位",
    "id_number_invalid": "身份证号不对",
    "id_number_missing": "没有身份证号",
    "sex_mismatch": "性别不对",
    "birth_mismatch": "出生年月与身份证号不一致",
    "date_invalid": "日期不对",
    "date_in_future": "日期在今天以后",
    "date_ambiguous": "日期分不清月份",
    "unit_unknown": "没有这个单位",
    "class_unknown": "活动类别不对",
    "township_unknown": "没有这个乡镇或村社区",
    "branch_unknown": "没有这个党支部",
    "name_matched_closely": "按相近的名称处理",
    "phone_invalid": "电话不对",
    "duplicate_in_file": "同一个人出现两次",
    "person_ambiguous": "分不清是哪一位",
    "value_unknown": "没有采用的内容",
    "text_too_long": "内容太长",
    "name_differs": "身份证号对应的姓名不同",
    "not_active": "系统里已去世或转出",
    "newer_known": "系统里有更晚的记录",
    "died_in_file": "填了去世时间",
}
_CHOICES = {
    "sex": dict(Sex.choices),
    "activity_class": dict(ActivityClass.choices),
    "political_status": dict(PoliticalStatus.choices),
    "retirement_kind": dict(RetirementKind.choices),
}
_DATES = {"birth_date", "work_started", "party_joined", "retired_on"}
#: What a preview shows of a person it would add.
SUMMARY = [
    "sex", "birth_date", "political_status", "retired_on", "rank", "phone", "township_id",
    "community_id", "branch_id", "activity_class",
]  # fmt: skip
_MASKED = {"id_number": mask_id_number, "phone": mask_phone, "second_phone": mask_phone}


class Wording:
    """Turns stored values into words; the names of places, units and branches are asked once."""

    def __init__(self):
        self.names = {
            "unit_id": dict(Unit.objects.values_list("pk", "name")),
            "township_id": dict(Township.objects.values_list("pk", "name")),
            "community_id": dict(Community.objects.values_list("pk", "short_name")),
            "branch_id": dict(Branch.objects.values_list("pk", "name")),
        }

    def value(self, column: str, value) -> str:
        """A value as people read it; identity numbers and phones masked."""
        if value in (None, "", 0):
            return "（空）"
        if column in self.names:
            return self.names[column].get(value, "（已删除）")
        if column in _CHOICES:
            return _CHOICES[column].get(value, value)
        if column in _DATES:
            return in_words(value)
        return _MASKED.get(column, str)(value)

    def summary(self, row: StagedRow) -> str:
        """What a new person's row says: sex, birth, class, place, branch."""
        said = []
        for column in SUMMARY:
            if (value := getattr(row, column)) is not None:
                said.append(f"{LABELS[column.removesuffix('_id')]} {self.value(column, value)}")
        return "；".join(said)

    def changes(self, row: StagedRow) -> list[tuple[str, str, str]]:
        """(field, old, new) for every field that changes, and a proposed transfer last."""
        found = [
            (LABELS[column.removesuffix("_id")], self.value(column, old), self.value(column, new))
            for column, (old, new) in sorted(row.changes.items())
        ]
        if row.proposal:
            old, new = (self.value("branch_id", pk) for pk in row.proposal)
            found.append(("组织关系（只是建议，不写入）", old, new))
        return found


def columns_in_words(batch: ImportBatch, row: StagedRow) -> list[tuple[str, dict]]:
    """Each problem of a row with the heading of its cell, as the file has it."""
    headings = batch.notes.get("layout", {}).get(row.sheet, {}).get("headings", {})
    return [(headings.get(p["column"]) or LABELS.get(p["column"], ""), p) for p in row.all_problems]


def problem_groups(batch: ImportBatch) -> list[dict]:
    """Problems counted by kind, errors first: code, name, level, count."""
    counted = Counter((p["level"], p["code"]) for p in problems(batch))
    return [
        {
            "code": code,
            "name": KINDS.get(code, code),
            "level": level,
            "count": count,
            "is_unknown": code in UNKNOWN,
        }
        for (level, code), count in sorted(counted.items(), key=lambda i: (i[0][0], -i[1]))
    ]


def with_problem(rows, code: str):
    """Of staged rows those with a problem of one kind."""
    said = [{"code": code}]
    return rows.filter(Q(problems__contains=said) | Q(findings__contains=said))


@dataclass(frozen=True)
class Missing:
    """One missing person: what was found out this time, and what the time before."""

    person: Retiree
    ruling: str
    earlier: str
    deceased_at: str
    moved_at: str


def missing(batch: ImportBatch, people: list[Retiree]) -> list[Missing]:
    """People as `listed_people` has them, with words and where to go on."""
    earlier = earlier_rulings(batch, people)
    return [
        Missing(
            person,
            MissingRuling(person.ruling).label if person.ruling else "",
            _earlier_in_words(earlier.get(person.pk)),
            departure_address(person, MissingRuling.DECEASED, batch),
            departure_address(person, MissingRuling.MOVED_AWAY, batch),
        )
        for person in people
    ]


def _earlier_in_words(ruling: MissingPerson | None) -> str:
    if ruling is None:
        return ""
    day = ruling.batch.effective_on
    label = MissingRuling(ruling.ruling).label
    return f"{day:%Y-%m-%d} 的名册里也没有：{label}"


def departure_address(person: Retiree, kind: MissingRuling, batch: ImportBatch) -> str:
    """The page that asks for the date and what follows."""
    return f"{reverse('branches:departure', args=[person.pk])}?kind={kind.value}&batch={batch.pk}"


def closers(batches: list[ImportBatch]) -> dict[int, str]:
    """Who undid or gave up each of some batches, by the database's own record."""
    events = ImportBatch.pgh_event_model.objects.filter(
        pgh_obj_id__in=[batch.pk for batch in batches],
        state__in=[ImportState.UNDONE, ImportState.DISCARDED],
    )
    who = {}
    for batch, context in events.order_by("-pgh_id").values_list("pgh_obj_id", "pgh_context"):
        who[batch] = (context or {}).get("user")  # the first entry in that state stays
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=set(who.values()))}
    return {batch: names.get(user, "系统") for batch, user in who.items()}


def _proposals(batch: ImportBatch):
    return StagedRow.objects.filter(batch=batch, proposal__isnull=False)


def tabs(batch: ImportBatch) -> list[tuple[str, str, int]]:
    """The lists of a preview: key, label, number of rows."""
    with_problems = StagedRow.objects.filter(batch=batch).with_problems().count()
    return [
        ("problems", "有问题的行", with_problems),
        (Verdict.CREATED, "新增", batch.created),
        (Verdict.UPDATED, "更新", batch.updated),
        (Verdict.UNCHANGED, "不变", batch.unchanged),
        (Verdict.REJECTED, "拒绝", batch.rejected),
        ("proposals", "建议转接组织关系", _proposals(batch).count()),
        ("missing", "没在表里的人", batch.missing),
    ]
