"""What a roster does to people who are known already: fields, ledgers, branches, served by whom."""

import datetime

import pytest
from django.apps import apps

from branches.models import StagedRow
from branches.tests.make import (
    DAY,
    staged,
    uploaded,
    written,
)
from cadres.jobs import RefusedError
from cadres.models import ClassChange, Residence, Retiree, Unit
from cadres.tests.make import (
    make_class_change,
    make_residence,
    make_retiree,
    make_user,
    some_community,
    some_township,
    some_unit,
)
from cadres.tests.workbooks import HEADER, id_number, person, roster_of, workbook

pytestmark = pytest.mark.django_db
LATER = datetime.date(2026, 5, 1)
EVENTS = (
    "cadres.RetireeEvent",
    "cadres.ResidenceEvent",
    "cadres.ClassChangeEvent",
    "branches.MembershipEvent",
)
BRANCH, OTHER = "朱衣镇离退休干部党支部", "草堂镇离退休干部党支部"


def verdicts(batch) -> list[str]:
    return list(StagedRow.objects.filter(batch=batch).values_list("verdict", flat=True))


def codes(batch) -> list[str]:
    rows = StagedRow.objects.filter(batch=batch)
    return [problem["code"] for row in rows for problem in row.all_problems]


def changes(batch) -> dict:
    return StagedRow.objects.get(batch=batch).changes


def rows_of(model, person: Retiree, *columns: str) -> list[tuple]:
    found = model.objects.filter(retiree=person).order_by("pk")
    return list(found.values_list(*columns))


def only() -> Retiree:
    return Retiree.objects.get()


def full_person(**more) -> list:
    return person(
        0,
        出生年月="1950.01.01",
        详细地址="12号",
        所在党支部=BRANCH,
        活动类别="B",
        政治面貌="中共党员",
        **{"村(社区)": some_community().short_name},
        **more,
    )


def event_counts() -> dict[str, int]:
    models = [apps.get_model(*label.split(".")) for label in EVENTS]
    return {model._meta.label: model.objects.count() for model in models}


# ---- fields ------------------------------------------------------------------------------------


def test_empty_cells_never_wipe_anything():
    written(roster_of(full_person()))
    before = Retiree.objects.values().get()
    row = person(0)
    empty = [row[0] if h == "姓名" else row[2] if h == "身份证号" else None for h in HEADER]
    for blank in (None, " ", "　", "-", "——"):
        batch = staged(roster_of([blank if cell is None else cell for cell in empty]), on=LATER)
        assert verdicts(batch) == ["unchanged"], blank
        assert (codes(batch), changes(batch)) == ([], {})
    written(roster_of(empty), on=LATER)
    assert Retiree.objects.values().get() == before


def test_changed_field_is_shown_old_and_new_and_written():
    written(roster_of(person(0)))
    batch = written(roster_of(person(0, 联系电话="13999999999", 原工作单位="县财政局")), on=LATER)
    known = Unit.objects.get(name="奉节县教育委员会").pk, some_unit("奉节县财政局").pk
    assert verdicts(batch) == ["updated"]
    assert changes(batch) == {"phone": ["13800000000", "13999999999"], "unit_id": list(known)}
    assert (only().phone, only().unit_id) == ("13999999999", known[1])


def test_month_never_takes_the_day_away():
    somebody = make_retiree(id_number=None, birth_date="1950-01-01", work_started="1970-05-06",
                            name="张一", unit=some_unit())  # fmt: skip
    header = ["姓名", "性别", "出生年月", "参加工作时间", "单位"]
    row = ["张一", "男", "1950.01", "1970.05", "县教委"]
    assert verdicts(written(workbook([header, row]))) == ["unchanged"]
    row[3] = "1970.06"
    assert verdicts(written(workbook([header, row]))) == ["updated"]
    somebody.refresh_from_db()
    assert (somebody.birth_date, somebody.work_started) == ("1950-01-01", "1970-06")


def test_day_replaces_a_month():
    somebody = make_retiree(name="张一", birth_date="1950-01", work_started="1970-05")
    header = ["姓名", "性别", "出生年月", "参加工作时间", "单位"]
    written(workbook([header, ["张一", "男", "1950.01.09", "1970.05.06", "县教委"]]))
    somebody.refresh_from_db()
    assert (somebody.birth_date, somebody.work_started) == ("1950-01-09", "1970-05-06")


def test_date_that_contradicts_what_is_known_is_refused_by_row():
    """The file leaves the birth out: only the database sees the contradiction."""
    make_retiree(id_number=id_number(0), name="张一", birth_date="1950-01-01")
    header = ["姓名", "身份证号", "原单位", "退休时间", "参加工作时间"]
    make_retiree(id_number=id_number(1), name="张二", work_started="1975-05")
    rows = [
        ["张二", id_number(1), "县教委", "1974.05", None],
        ["张三", id_number(2), "县教委", "2010.05", None],
    ]
    batch = written(workbook([header, *rows]))
    assert verdicts(batch) == ["rejected", "created"]
    assert codes(batch) == ["date_invalid"]


def test_same_file_again_changes_nothing_and_writes_no_history():
    content = roster_of(full_person(), *(person(i) for i in range(1, 30)))
    written(content)
    events = event_counts()
    batch = written(content, on=LATER)
    assert (batch.unchanged, batch.updated, batch.created) == (30, 0, 0)
    assert event_counts() == events


# ---- class ledger ------------------------------------------------------------------------------


def test_new_person_begins_the_class_ledger_on_the_day_of_the_file():
    user = make_user()
    batch = written(roster_of(person(0)), by=user)
    columns = ("activity_class", "effective_from", "decided_by", "source")
    assert rows_of(ClassChange, only(), *columns) == [("A", DAY, user.pk, f"import:{batch.pk}")]


def test_changed_class_goes_through_the_ledger():
    written(roster_of(person(0)))
    written(roster_of(person(0, 活动类别="C类")), on=LATER)
    assert only().activity_class == "C"
    assert rows_of(ClassChange, only(), "activity_class", "effective_from") == [
        ("A", DAY),
        ("C", LATER),
    ]


def test_class_that_counts_from_a_later_day_is_not_overridden():
    written(roster_of(person(0)))
    make_class_change(only(), "B", "2026-06-01")
    batch = written(roster_of(person(0, 活动类别="C")), on=LATER)
    assert verdicts(batch) == ["unchanged"]
    assert only().activity_class == "B"
    assert ClassChange.objects.count() == 2


# ---- residence ---------------------------------------------------------------------------------


def home(township: str, address: str | None = None, **more) -> list:
    return person(0, **{"居住乡镇(街道)": township, "详细地址": address}, **more)


RESIDENCE = ("township__name", "address", "since", "until")


def test_changed_residence_closes_the_old_one_and_opens_another():
    written(roster_of(home("朱衣镇", "1号")))
    written(roster_of(home("草堂镇", "2号")), on=LATER)
    assert rows_of(Residence, only(), *RESIDENCE) == [
        ("朱衣镇", "1号", DAY, LATER),
        ("草堂镇", "2号", LATER, None),
    ]
    assert (only().township.name, only().address) == ("草堂镇", "2号")


def test_residence_that_began_on_the_very_day_is_corrected():
    written(roster_of(home("朱衣镇", "1号")))
    written(roster_of(home("草堂镇", "2号")), on=DAY)
    assert rows_of(Residence, only(), *RESIDENCE) == [("草堂镇", "2号", DAY, None)]


def test_residence_of_a_later_day_stays():
    written(roster_of(home("朱衣镇", "1号")))
    written(roster_of(home("草堂镇", "2号")), on=LATER)
    batch = written(roster_of(home("白帝镇", "3号", 联系电话="13999999999")), on=DAY)
    assert changes(batch).keys() == {"phone"}
    assert len(rows_of(Residence, only(), "pk")) == 2
    assert only().township.name == "草堂镇"


def test_residence_that_ended_later_than_the_day_of_the_file_stays():
    """An open period from the file's day would lie over the one that is closed."""
    written(roster_of(home("朱衣镇", "1号")))
    Residence.objects.update(until=LATER)
    batch = written(roster_of(home("草堂镇", "2号", 联系电话="13999999999")), on=DAY)
    assert changes(batch).keys() == {"phone"}
    assert rows_of(Residence, only(), *RESIDENCE) == [("朱衣镇", "1号", DAY, LATER)]


def test_new_township_does_not_keep_the_old_community():
    community = some_community()
    written(roster_of(person(0, **{"村(社区)": community.short_name})))
    assert only().community == community
    written(roster_of(home("草堂镇")), on=LATER)
    assert (only().township.name, only().community) == ("草堂镇", None)


def test_community_alone_names_its_township():
    community = some_community(some_township("草堂镇"))
    written(roster_of(person(0, **{"居住乡镇(街道)": None, "村(社区)": community.name})))
    assert (only().community, only().township) == (community, community.township)


def test_person_without_a_residence_gets_one_later():
    written(roster_of(home(None)))
    assert not Residence.objects.exists()
    written(roster_of(home("朱衣镇")), on=LATER)
    assert rows_of(Residence, only(), *RESIDENCE) == [("朱衣镇", "", LATER, None)]


# ---- scope and dates ---------------------------------------------------------------------------


def test_missing_people_of_the_units_are_counted_and_left_as_they_are():
    make_retiree(name="甲", unit=some_unit())
    make_retiree(name="乙", unit=some_unit("奉节县财政局"))
    make_retiree(name="丙", unit=some_unit(), status="deceased", died_on=DAY)
    before = list(Retiree.objects.order_by("pk").values())
    batch = written(roster_of(person(0)))
    assert (batch.scope, batch.missing) == ("units", 1)
    assert list(Retiree.objects.order_by("pk").values())[:3] == before
    assert written(roster_of(person(1)), scope="county").missing == 3
    assert written(roster_of(person(2)), scope="none").missing == 0


def test_person_whose_row_is_rejected_is_not_missing():
    make_retiree(id_number=id_number(0), name="张三")
    assert staged(roster_of(person(0, 活动类别="丁"), person(1))).missing == 0


@pytest.mark.parametrize(
    ("units", "scope"), [(1, "units"), (3, "units"), (4, "none"), (79, "none"), (80, "county")]
)
def test_scope_is_proposed_by_the_number_of_units(units, scope):
    names = list(Unit.objects.values_list("name", flat=True)[:units])
    rows = [person(i, 原工作单位=name) for i, name in enumerate(names)]
    assert staged(roster_of(*rows)).scope == scope


def test_day_in_the_future_is_refused():
    with pytest.raises(RefusedError, match="不能晚于今天"):
        uploaded(roster_of(person(0)), on=datetime.date.today() + datetime.timedelta(days=2))


def test_day_is_today_when_nobody_says_another():
    batch = uploaded(roster_of(person(0)), on=None)
    assert abs((batch.effective_on - datetime.date.today()).days) <= 1


def test_file_that_cannot_be_stored_is_refused_in_a_sentence(monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", full)
    with pytest.raises(RefusedError, match="没能存下"):
        uploaded(roster_of(person(0)))


def test_residence_given_by_hand_is_closed_by_the_file():
    somebody = make_retiree(id_number=id_number(0))
    make_residence(somebody, some_township("草堂镇"), since="2020-01-01")
    written(roster_of(home("朱衣镇")))
    assert rows_of(Residence, somebody, *RESIDENCE) == [
        ("草堂镇", "", datetime.date(2020, 1, 1), DAY),
        ("朱衣镇", "", DAY, None),
    ]
