"""Reference data and the demo county: what may be loaded where, and what a second time does."""

import pytest
from django.core.management import CommandError, call_command

from branches.models import Branch
from cadres.models import CareRecord, Retiree, Unit, UnitAlias, User
from cadres.tests.make import make_retiree
from fengjie_cadres import demo, reference

pytestmark = pytest.mark.django_db


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
    assert demo.load() == "示范县已经在了。"
    assert len(demo.logins()) == 7
    assert CareRecord.objects.count() == len(care)


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
