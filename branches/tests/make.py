"""Plain makers of branches, memberships and imports."""

import datetime
import io

from django.core.files import File

from branches import comparison, roster
from branches.models import Branch, CommitteeSeat, ImportBatch, Membership
from cadres.models import Area, Retiree, User
from cadres.tests.make import make_retiree, make_user

DAY = datetime.date(2026, 3, 1)


def make_branch(name: str = "", **fields) -> Branch:
    """A branch that is none of the county's 85."""
    name = name or f"测试第{Branch.objects.count()}党支部"
    if "area" not in fields:
        fields["area"] = Area.objects.first() or Area.objects.create(name="测试片区")
    return Branch.objects.create(name=name, **fields)


def some_branch(name: str = "朱衣镇离退休干部党支部") -> Branch:
    return Branch.objects.get(name=name)


def make_membership(
    retiree: Retiree, branch: Branch, kind: str = "served", since: str = "2020-01-01", **fields
) -> Membership:
    return Membership.objects.create(
        retiree=retiree,
        branch=branch,
        kind=kind,
        since=datetime.date.fromisoformat(since),
        **fields,
    )


def make_seat(branch: Branch, retiree: Retiree, kind: str = "secretary", **fields) -> CommitteeSeat:
    fields = {"since": datetime.date(2024, 1, 1)} | fields
    return CommitteeSeat.objects.create(branch=branch, retiree=retiree, kind=kind, **fields)


def make_secretary(branch: Branch | None = None, **fields) -> User:
    """A user who holds the secretary's seat of a branch today."""
    retiree = make_retiree(name="支书")
    make_seat(branch or some_branch(), retiree)
    return make_user(retiree=retiree, **fields)


def uploaded(
    content: bytes, *, name: str = "名册.xlsx", on: datetime.date = DAY, scope="", by=None, **fields
) -> ImportBatch:
    """A file as the upload page hands it over; not read yet unless `in_background` is true."""
    fields = {"in_background": False} | fields
    return roster.accept_upload(
        file=File(io.BytesIO(content), name=name), by=by, effective_on=on, scope=scope, **fields
    )


def staged(content: bytes, **fields) -> ImportBatch:
    return roster.stage(batch=uploaded(content, **fields))


def written(content: bytes, *, by=None, **fields) -> ImportBatch:
    """A file read, judged and written in one go."""
    return roster.write(batch=staged(content, by=by, **fields), by=by)


def listed(
    content: bytes, *, name: str = "名单.xlsx", source="测试名单", scope="none", by=None, **fields
) -> ImportBatch:
    """A list as its upload page hands it over; not compared yet unless `in_background` is true."""
    fields = {"in_background": False} | fields
    return comparison.accept_list(
        file=File(io.BytesIO(content), name=name), source=source, scope=scope, by=by, **fields
    )


def compared(content: bytes, **fields) -> ImportBatch:
    """A list read and compared."""
    return comparison.compare(batch=listed(content, **fields))
