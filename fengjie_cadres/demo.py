"""The demo county, built through the same actions the pages use. Each issue adds its part."""

import datetime
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone

from branches import roster
from branches.access import secretary_branches, served_by
from branches.models import Branch, CommitteeSeat, ImportBatch, ImportState, SeatKind
from cadres.care import record_care, record_care_for_many
from cadres.jobs import RefusedError
from cadres.models import CareKind, ClassReview, Community, Retiree, ReviewOutcome, User
from cadres.roles import Role, give_role
from fengjie_cadres.demo_points import load_points

ROSTER = Path(__file__).with_name("data") / "demo_roster.xlsx"
FILE_NAME = "示范县花名册.xlsx"
#: The demo's year is 2025: classes, residences and memberships count from its first day.
SINCE = datetime.date(2025, 1, 1)
PASSWORD = settings.DEMO_PASSWORD
#: User name, shown name, role (None: the branch secretary, whose role is the seat).
LOGINS = [
    ("staff", "王科长", Role.OFFICE_STAFF),
    ("head", "李局长", Role.OFFICE_HEAD),
    ("secretary", "", None),
    ("contact", "陈联络员", Role.CONTACT),
    ("retiree", "", Role.RETIREE),
    ("leader", "张部长", Role.LEADER),
    ("auditor", "刘审计", Role.AUDITOR),
]
#: Kind, day, day of leaving hospital, what was done.
CARE = [
    (
        CareKind.HOSPITAL,
        datetime.date(2025, 3, 10),
        datetime.date(2025, 3, 24),
        {"place": "奉节县人民医院", "words": "腿部骨折", "visitors": "支部书记"},
    ),
    (
        CareKind.BIRTHDAY,
        datetime.date(2025, 5, 16),
        None,
        {"visitors": "支部书记", "given": "生日蛋糕"},
    ),
    (
        CareKind.HARDSHIP,
        datetime.date(2025, 8, 6),
        None,
        {"given": "帮扶金 1000 元", "words": "家中漏雨，修了屋顶"},
    ),
    (
        CareKind.HOSPITAL,
        datetime.date(2025, 12, 8),
        None,
        {"place": "奉节县中医院", "words": "肺部感染"},
    ),
]


class RealPeopleError(RefusedError):
    """The demo is not loaded where it is not asked for, or where real people are."""


def load() -> str:
    """Builds what is missing of the demo county; one sentence about what it did."""
    if not settings.DEMO:
        raise RealPeopleError("这里没有打开示范模式（DEMO=1），不载入示范数据。")
    if _is_loaded():
        return "示范县已经在了。"
    if Retiree.objects.exists():
        raise RealPeopleError("这里已经有真实人员，不载入示范数据。")
    with transaction.atomic():
        batch = _import_roster()
        _make_logins()
        _make_care()
        _make_reviews()
        load_points()
    return f"示范县已建好：{batch.created} 位老同志。"


def _is_loaded() -> bool:
    written = ImportBatch.objects.filter(file_name=FILE_NAME, state=ImportState.WRITTEN)
    return written.exists() and User.objects.filter(username=LOGINS[0][0]).exists()


def _import_roster() -> ImportBatch:
    with open(ROSTER, "rb") as file:
        batch = roster.accept_upload(
            file=File(file, name=FILE_NAME), by=None, effective_on=SINCE, in_background=False
        )
    return roster.write(batch=roster.stage(batch=batch), by=None)


def _make_logins() -> None:
    branch = Branch.objects.order_by("pk").first()
    members = Retiree.objects.filter(
        memberships__branch=branch, memberships__kind="affiliated", activity_class="A"
    ).order_by("pk")
    secretary, retiree = members[0], members[1]
    CommitteeSeat.objects.create(
        branch=branch, retiree=secretary, kind=SeatKind.SECRETARY, since=SINCE
    )
    own = {"secretary": secretary, "retiree": retiree}
    for username, name, role in LOGINS:
        person = own.get(username)
        user = User.objects.create_user(
            username,
            PASSWORD,
            name=person.name if person else name,
            retiree=person,
            community=Community.objects.first() if role == Role.CONTACT else None,
        )
        if role:
            give_role(user, role)


def _make_care() -> None:
    """A handful of the year's care in the secretary's branch, through the actions of the pages."""
    secretary, staff = (User.objects.get(username=name) for name in ("secretary", "staff"))
    served = Retiree.objects.filter(pk__in=served_by(secretary_branches(secretary)))
    oldest = [person.pk for person in served.order_by("birth_date", "pk")[:6]]
    record_care_for_many(
        people=Retiree.objects.filter(pk__in=oldest),
        kind=CareKind.VISIT,
        on=datetime.date(2025, 1, 22),
        by=secretary,
        visitors="支部书记、支部委员",
        given="慰问金 500 元",
        words="春节前走访",
    )
    others = served.exclude(pk__in=oldest).order_by("pk")[2 : 2 + len(CARE)]
    for person, (kind, on, until, said) in zip(others, CARE, strict=True):
        by = secretary if kind == CareKind.BIRTHDAY else staff
        record_care(retiree=person, kind=kind, on=on, until=until, by=by, **said)


def _make_reviews() -> None:
    """The office has gone through the classes a month ago; every thirtieth is left for the demo."""
    staff, day = User.objects.get(username="staff"), timezone.localdate()
    ClassReview.objects.bulk_create(
        ClassReview(
            retiree_id=pk,
            reviewed_on=day - datetime.timedelta(days=30),
            outcome=ReviewOutcome.KEPT,
            reason="年度复核",
            reviewed_by=staff,
        )
        for place, pk in enumerate(Retiree.objects.order_by("pk").values_list("pk", flat=True))
        if place % 30
    )


def logins() -> list[tuple[str, str, str]]:
    """(role, shown name, user name) of each demo log-in that is there."""
    users = User.objects.in_bulk([name for name, _, _ in LOGINS], field_name="username")
    return [
        (role.label if role else "支部书记", str(users[name]), name)
        for name, _, role in LOGINS
        if name in users
    ]
