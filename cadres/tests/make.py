"""Plain makers of what a test needs; everything may be said, nothing has to be."""

import datetime
import itertools

from django.contrib.auth.models import Group
from stdnum.cn import ric

from cadres.models import (
    ActivityClass,
    Area,
    CareRecord,
    ClassChange,
    ClassReview,
    Community,
    Residence,
    Retiree,
    ReviewOutcome,
    Township,
    Unit,
    UnitAlias,
    User,
)
from cadres.roles import Role, load_roles

_numbers = itertools.count(1)
PASSWORD = "yin-yao-2025"


def make_user(*, role: Role | str = "", password: str = PASSWORD, **fields) -> User:
    """A user who may log in; `role` puts it into the role's group (office roles are staff)."""
    number = next(_numbers)
    fields = {"username": f"user{number}", "name": f"用户{number}"} | fields
    if role in (Role.OFFICE_STAFF, Role.OFFICE_HEAD):
        fields.setdefault("is_staff", True)
    user = User.objects.create_user(password=password, **fields)
    if role:
        group = Group.objects.filter(name=Role(role).label).first()
        if group is None:
            load_roles()
            group = Group.objects.get(name=Role(role).label)
        user.groups.add(group)
    return user


def make_unit(name: str = "", *, aliases: tuple[str, ...] = (), **fields) -> Unit:
    """A unit that is none of the county's 112."""
    name = name or f"测试单位第{next(_numbers)}号"
    fields = {"nature": "机关", "sector": "党群", "unit_level": "县级"} | fields
    unit = Unit.objects.create(name=name, **fields)
    for alias in aliases:
        UnitAlias.objects.create(unit=unit, name=alias)
    return unit


def some_unit(name: str = "奉节县教育委员会") -> Unit:
    return Unit.objects.get(name=name)


def some_township(name: str = "朱衣镇") -> Township:
    return Township.objects.get(name=name)


def some_community(township: Township | None = None) -> Community:
    return Community.objects.filter(township=township or some_township()).first()


def make_id_number(
    birth: str = "1953-07-15", *, sex: str = "M", place: str = "512226", serial: int | None = None
) -> str:
    """A valid identity number; another one each time unless `serial` (0 to 499) is given."""
    serial = next(_numbers) % 500 if serial is None else serial
    body = f"{place}{birth.replace('-', '')}{serial * 2 + (sex == 'M'):03d}"
    return body + ric.calc_check_digit(body + "0")


def make_retiree(**fields) -> Retiree:
    """A person with a name, a sex and a unit; `birth_date` follows a given `id_number`."""
    number = fields.get("id_number") or ""
    if number and "birth_date" not in fields:
        fields["birth_date"] = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    if "unit" not in fields:
        fields["unit"] = some_unit()
    fields = {"name": "张三", "sex": "M", "birth_date": "1953-07"} | fields
    return Retiree.objects.create(**fields)


def make_class_change(
    retiree: Retiree, activity_class: str = ActivityClass.A, on: str = "2025-01-01", **fields
) -> ClassChange:
    """A row of the ledger; the person's own class is put beside it."""
    retiree.activity_class = activity_class
    retiree.save()
    return ClassChange.objects.create(
        retiree=retiree,
        activity_class=activity_class,
        effective_from=datetime.date.fromisoformat(on),
        **fields,
    )


def make_residence(
    retiree: Retiree, township: Township | None = None, since: str = "2020-01-01", **fields
) -> Residence:
    """A period of residence; an open one is put into the person's own row as well."""
    residence = Residence.objects.create(
        retiree=retiree,
        township=township or some_township(),
        since=datetime.date.fromisoformat(since),
        **fields,
    )
    if residence.until is None:
        retiree.township, retiree.community = residence.township, residence.community
        retiree.address = residence.address
        retiree.save()
    return residence


def make_area(**fields) -> Area:
    """An area that is none of the county's."""
    return Area.objects.create(**({"name": f"测试片区{next(_numbers)}"} | fields))


def make_township(**fields) -> Township:
    """A township that is none of the county's 33."""
    number = next(_numbers)
    return Township.objects.create(
        **({"name": f"测试{number}乡", "code": f"999{number:09d}"} | fields)
    )


def make_community(**fields) -> Community:
    """A community of a township of its own, unless one is given."""
    number = next(_numbers)
    fields = {"short_name": f"测试{number}社区", "code": f"998{number:09d}"} | fields
    fields = {"name": f"{fields['short_name']}居民委员会", **fields}
    if "township" not in fields:
        fields["township"] = make_township()
    return Community.objects.create(**fields)


def make_care(
    retiree: Retiree, kind: str = "visit", on: str | datetime.date = "2025-06-01", **fields
) -> CareRecord:
    """A record of care as it stands in the database; a stay in hospital ends by `until`."""
    day = datetime.date.fromisoformat(on) if isinstance(on, str) else on
    return CareRecord.objects.create(retiree=retiree, kind=kind, on=day, **fields)


def make_review(retiree: Retiree, on: datetime.date, **fields) -> ClassReview:
    """A look at the class that kept it."""
    fields = {"outcome": ReviewOutcome.KEPT} | fields
    return ClassReview.objects.create(retiree=retiree, reviewed_on=on, **fields)
