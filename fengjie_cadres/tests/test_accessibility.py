"""axe and our own measures on every page that can be opened so far."""

from pathlib import Path

import pytest
from django.core.files import File

from branches import roster
from branches.models import Branch
from cadres.jobs import Job, JobState
from cadres.models import Export, Retiree, User
from fengjie_cadres import demo
from fengjie_cadres.tests.conftest import WIDTHS
from fengjie_cadres.tests.looks import MEASURES, faults
from fengjie_cadres.tests.year_end_pages import pages
from points.models import Account, RedemptionDay, Shortfall

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MESSY = Path(__file__).parents[2] / "branches" / "tests" / "data" / "roster_messy.xlsx"


@pytest.fixture
def county(db):
    """A small county with everything that a page shows."""
    demo.load()
    with open(MESSY, "rb") as file:
        batch = roster.accept_upload(
            file=File(file, name="乡镇名册.xlsx"), by=None, in_background=False
        )
    return roster.stage(batch=batch)


def addresses(batch) -> dict[str, list[str]]:
    """User name → the pages of that role; None: a stranger's."""
    person = Retiree.objects.order_by("pk").first()
    export = Export.objects.create(
        kind="roster", title="花名册", state="waiting", asked_by=User.objects.get(username="staff")
    )
    own = User.objects.get(username="retiree").retiree_id
    frozen = Account.objects.exclude(frozen_at=None).first()
    owed = Shortfall.objects.filter(left__gt=0).first()
    done = Job.objects.create(
        kind="roster-stage", title="读取名册", state=JobState.FAILED, words="x"
    )
    waiting = Job.objects.create(kind="roster-stage", title="读取名册")
    office = [
        "/", "/people/", "/people/?activity_class=C", "/people/review/",
        "/people/class-ledger/", "/people/classes/",
        "/comparisons/", "/comparisons/new/", f"/people/{person.pk}/", "/access/",
        "/exports/", "/exports/new/roster/?sex=F", export.get_absolute_url(),
        "/imports/", "/imports/new/", batch.get_absolute_url(),
        batch.get_absolute_url() + "?show=updated", batch.get_absolute_url() + "?show=missing",
        done.get_absolute_url(), waiting.get_absolute_url(),
        "/admin/", "/admin/cadres/retiree/", "/admin/cadres/retiree/?q=zhang",
        f"/admin/cadres/retiree/{person.pk}/change/", "/admin/cadres/retiree/add/",
        f"/admin/cadres/retiree/{person.pk}/history/", "/admin/cadres/unit/",
        "/admin/cadres/township/", "/admin/cadres/community/", "/admin/cadres/user/",
        "/admin/branches/branch/", f"/admin/branches/branch/{Branch.objects.first().pk}/change/",
        "/admin/branches/membership/", "/admin/points/rule/", "/admin/cadres/unit/import/",
        "/admin/cadres/user/import/", "/admin/cadres/communityalias/",
        batch.get_absolute_url() + "names/", "/admin/password_change/",
        "/no-such-page/",
        "/points/ledger/?flow=issued", "/points/accounts/?show=frozen", "/points/audit/",
        "/points/ranking/?year=2025",
        "/points/figures/?year=2025", "/points/rules/", "/points/approvals/",
        f"/points/people/{own}/?year=2025", f"/points/people/{own}/adjust/",
        f"/points/people/{own}/deduct/", f"/points/accounts/{frozen.pk}/settle/",
        f"/points/shortfalls/{owed.pk}/waive/",
        *redemption_pages(),
    ]  # fmt: skip
    return _joined(
        pages(),
        {
            "": ["/login/", "/privacy/"],
            "staff": office,
            "secretary": ["/", "/people/", f"/people/{own}/", "/points/reserve/?q=w"],
            "head": ["/points/approvals/", "/points/rules/", "/points/rules/training/new/"],
            "retiree": [
                "/",
                f"/people/{own}/",
                "/points/?year=2025",
                f"/points/people/{own}/reserve/",
            ],
            "leader": ["/", "/imports/", "/people/"],
            "auditor": ["/", "/access/", "/history/"],
            "contact": ["/"],
        },
    )


def _joined(one: dict, other: dict) -> dict[str, list[str]]:
    return {user: [*other.get(user, []), *one.get(user, [])] for user in [*other, *one]}


def redemption_pages() -> list[str]:
    """The office's, of today, when the till is open; the retired's are in their journey."""
    day = RedemptionDay.objects.filter(status="open").earliest("date")
    home, made = f"/points/days/{day.pk}", day.redemptions.first()
    return [
        "/points/days/", "/points/days/new/", f"{home}/", f"{home}/stock/", f"{home}/list/",
        f"{home}/paper/", f"{home}/till/?q=w", f"{home}/till/?person={made.retiree_id}",
        f"/points/redemptions/{made.pk}/slip/?till=1", "/points/redemptions/?state=collected",
        "/admin/points/reward/",
    ]  # fmt: skip


#: So many tests share the pages of a width, so that no worker is left with all of them.
PARTS = 3


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page(open_page, county, width, part):
    findings = []
    for user, asked in addresses(county).items():
        page = _opened(open_page, user, width)
        page.route("**/progress*.js", lambda route: route.abort())  # it would open the page again
        for address in asked[part::PARTS]:
            page.goto(address)
            findings += [(user, *fault) for fault in faults(page)]
    assert not findings, "\n".join(map(str, findings))


def _opened(open_page, user: str, width: int):
    if not user:
        return open_page(width=width)
    return open_page(width=width, user=User.objects.get(username=user))


@pytest.mark.parametrize("user", ["retiree", "secretary", pytest.param("", marks=pytest.mark.slow)])
def test_largest_text_fits_a_narrow_phone(open_page, county, user):
    page = _opened(open_page, user, 320)
    if not user:
        page.goto("/login/")
    page.click("text=特大字")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "30px"
    assert page.evaluate(MEASURES)["wide"] <= 0
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "30px"
