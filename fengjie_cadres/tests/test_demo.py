"""Reference data and the demo county: what may be loaded where, and what a second time does."""

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from branches.models import Branch
from cadres.models import CareRecord, Retiree, Unit, UnitAlias, User
from cadres.tests.make import make_retiree
from fengjie_cadres import demo, demo_points, reference
from points.audit import audit
from points.models import (
    Account,
    Adjustment,
    Cycle,
    Posting,
    Redemption,
    RedemptionDay,
    Shortfall,
    Transfer,
)
from points.statement import statement
from points.totals import totals_by

pytestmark = pytest.mark.django_db
#: Points issued in all years of the demo.
ISSUED = 6575


def test_the_demo_is_refused_where_it_was_not_asked_for(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("load_demo")
    assert not User.objects.exists()


def test_the_demo_is_refused_where_people_are(settings):
    settings.DEMO = True
    make_retiree()
    with pytest.raises(CommandError, match="真实人员"):
        call_command("load_demo")
    assert Retiree.objects.count() == 1


@pytest.mark.slow
def test_no_demo_passwords_are_told_outside_the_demo(settings, capsys):
    settings.DEMO = True
    demo.load()
    settings.DEMO = False
    call_command("demo_logins")
    assert demo.PASSWORD not in capsys.readouterr().out


def test_the_demo_is_the_countys_people_and_a_second_time_changes_nothing(settings):
    settings.DEMO = True
    demo.load()
    assert Retiree.objects.active().filter(lives_in_county=True).count() == 1878
    assert (Unit.objects.count(), Branch.objects.count()) == (112, 85)
    care = list(CareRecord.objects.order_by("pk").values_list("on", "kind", "entered_by__username"))
    assert {on.year for on, _, _ in care} == {2025}
    assert {kind for _, kind, _ in care} == {"visit", "hospital", "birthday", "hardship"}
    assert {name for _, _, name in care} == {"staff", "secretary"}
    _points_are_right()
    assert demo.load() == "示范县已经在了。"
    assert len(demo.logins()) == 7
    assert CareRecord.objects.count() == len(care)


def _points_are_right() -> None:
    """A modest year of points, whenever it is loaded: the same sums, and books that add up."""
    year = Cycle.objects.get(year=demo_points.YEAR)
    accounts = Account.objects.of_members().filter(cycle=year)
    assert accounts.count() > demo_points.PEOPLE
    totals = totals_by("cycle", Transfer.objects.all(), Account.objects.of_members())
    assert all(found.adds_up for found in totals.values())
    assert totals[year.pk].flows["issued"] > 2000
    own = User.objects.get(username="retiree").retiree
    notes = [line.notes for line in statement(own.accounts.get(cycle=year)) if line.notes]
    assert notes[0] == ("已达年度上限，少记 2 分",)
    assert Shortfall.objects.get().left > 0
    assert Adjustment.objects.get().state == "waiting"
    assert Posting.objects.get(state="waiting").waits_why == "账户已冻结"
    _redemptions_are_right(year)
    held = Redemption.objects.held().aggregate(sum=Sum("points"))
    assert totals[year.pk].flows["redeemed"] == held["sum"]  # the figure is the list's
    assert audit().is_clean


def _redemptions_are_right(year: Cycle) -> None:
    """Two days of last year, today and one to come, with people in every state they can have."""
    found = RedemptionDay.objects.order_by("date")
    assert [day.status for day in found] == ["done", "done", "open", "open"]
    assert {day.cycle for day in found} == {year}
    states = [set(day.redemptions.values_list("state", flat=True)) for day in found]
    assert states == [{"collected", "lapsed"}, {"collected", "lapsed"}, *[{"reserved"}] * 2]
    today = found[2]
    assert (today.date, today.redemptions.count()) == (timezone.localdate(), 3)
    assert today.stocks.filter(brought__gt=0).count() > 5


@pytest.mark.slow
@pytest.mark.parametrize("today", ["2026-01-01", "2031-12-31"])
def test_the_demos_points_do_not_depend_on_the_day(settings, today):
    settings.DEMO = True
    with time_machine.travel(f"{today} 10:00 +0800"):
        demo.load()
        found = totals_by("cycle", Transfer.objects.all(), Account.objects.of_members())
    issued = sum(totals.flows["issued"] for totals in found.values())
    assert issued == ISSUED


def test_reference_data_does_not_bring_back_what_staff_renamed_or_deleted():
    unit, branch = Unit.objects.first(), Branch.objects.first()
    Unit.objects.filter(pk=unit.pk).update(name="改名的单位")
    Branch.objects.filter(pk=branch.pk).update(name="改名的支部")
    UnitAlias.objects.filter(unit=unit).delete()
    counts = (Unit.objects.count(), Branch.objects.count(), UnitAlias.objects.count())
    reference.load()
    assert (Unit.objects.count(), Branch.objects.count(), UnitAlias.objects.count()) == counts


def test_reference_data_is_the_countys():
    counts = reference.load()
    assert (counts["乡镇(街道)"], counts["村(社区)"]) == (33, 392)
    assert (counts["单位"], counts["党支部"], counts["积分规则"]) == (112, 85, 17)
