"""The pages of the year's end in the demo county, with something on each of them."""

from cadres.models import User
from points import commendations, notices
from points.models import Cycle, PublicNotice
from points.outcome import people
from points.snapshots import of_year

YEAR = 2025


def pages() -> dict[str, list[str]]:
    """User name → addresses."""
    users = User.objects.in_bulk(["staff", "head", "retiree"], field_name="username")
    staff, cycle = users["staff"], Cycle.objects.get(year=YEAR)
    notice = _notice(cycle, staff)
    objection = notices.object_to(
        notice=notice, text="我三月做的志愿服务好像少记了两个小时。", by=users["retiree"],
        retiree=users["retiree"].retiree,
    )  # fmt: skip
    waiting = _lists(cycle, staff, users["head"])
    year, own = f"/points/rollover/{YEAR}/", f"/points/notices/{notice.pk}/"
    given = f"/points/commendations/{YEAR}/"
    return {
        "staff": [
            "/points/rollover/", year, f"{year}?show=losing", f"{year}calls/", "/points/notices/",
            "/points/notices/new/", own, f"/points/objections/{objection.pk}/", given,
            f"{given}commended/candidates/", f"{given}certificate/",
            f"{given}certificate/print/?number=1", waiting, "/points/ranking/branches/",
            "/points/ranking/areas/",
        ],
        "head": [f"{year}policy/", year, f"{given}subsidy/threshold/", waiting],
        "secretary": ["/points/notices/", own, f"{year}calls/"],
        "retiree": ["/points/notices/", own],
    }  # fmt: skip


def _notice(cycle: Cycle, staff: User) -> PublicNotice:
    """Of a quarter, but with the figures of the whole year: the demo's are booked today."""
    homes = {
        pk: name
        for pk, name in cycle.accounts.of_members().values_list(
            "retiree", "retiree__memberships__branch__name"
        )
        if name
    }
    notice = notices.make(cycle=cycle, quarter=4, with_names=True, homes=homes, by=staff)
    says = of_year(cycle, homes, people(cycle).none(), {})
    says.pop("rollover")
    names = [{"name": "王*华", "branch": name, "points": 8} for name in [*homes.values()][:9]]
    PublicNotice.objects.filter(pk=notice.pk).update(snapshot=says | {"names": names})
    return notices.publish(notice=notice, by=staff)


def _lists(cycle: Cycle, staff: User, head: User) -> str:
    """One list that is approved, thresholds for all, and the address of one that waits."""
    for kind, points, amount in (("commended", 20, None), ("subsidy", 40, 500)):
        commendations.set_threshold(cycle=cycle, kind=kind, points=points, amount=amount, by=head)
    made = [
        commendations.propose(
            threshold=(
                threshold := commendations.set_threshold(
                    cycle=cycle, kind=kind, points=25, amount=amount, by=head
                )
            ),
            accounts=list(commendations.candidates(threshold).values_list("pk", flat=True)[:6]),
            by=staff,
        )
        for kind, amount in (("certificate", None), ("subsidy", 500))
    ]
    commendations.decide(found=made[0], agreed=True, by=head)
    return f"/points/commendations/lists/{made[1].pk}/"
