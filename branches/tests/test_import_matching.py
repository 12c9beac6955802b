"""Which person a row means; when that is not clear, nobody is touched."""

import pytest

from branches.models import StagedRow
from branches.tests.make import staged, written
from cadres.models import Retiree
from cadres.tests.make import make_id_number, make_retiree, some_unit
from cadres.tests.workbooks import HEADER, id_number, person, roster_of, workbook

pytestmark = pytest.mark.django_db


def rows_of(batch) -> list[tuple]:
    """(verdict, person, codes) of each row."""
    rows = StagedRow.objects.filter(batch=batch)
    return [(r.verdict, r.retiree_id, [p["code"] for p in r.all_problems]) for r in rows]


def without_id(index: int = 0, **more) -> list:
    return person(index, 身份证号=None, **more)


def make_known(**fields) -> Retiree:
    fields = {"name": "张一", "birth_date": "1950-01", "unit": some_unit()} | fields
    return make_retiree(**fields)


def test_identity_number_finds_a_person_whatever_else_has_changed():
    known = make_known(id_number=id_number(0), birth_date="1950-01-01")
    batch = written(roster_of(person(0, 姓名="李四", 原工作单位="县财政局")))
    assert rows_of(batch) == [("updated", known.pk, ["name_differs"])]
    known.refresh_from_db()
    assert (known.name, known.name_pinyin) == ("李四", "li si")
    assert list(Retiree.objects.search("lisi")) == [known]
    assert not Retiree.objects.search("张一").exists()


def test_row_without_identity_number_finds_a_person_by_name_month_and_unit():
    known = make_known(id_number=id_number(0), birth_date="1950-01-01")
    batch = written(roster_of(without_id(0)))
    assert rows_of(batch) == [("updated", known.pk, ["id_number_missing"])]
    known.refresh_from_db()
    assert known.id_number == id_number(0)


@pytest.mark.parametrize(
    "other", [{"姓名": "张二"}, {"出生年月": "1950.02"}, {"原工作单位": "县财政局"}]
)
def test_row_without_identity_number_that_differs_is_somebody_new(other):
    make_known()
    assert rows_of(staged(roster_of(without_id(0, **other)))) == [
        ("created", None, ["id_number_missing"])
    ]


@pytest.mark.parametrize("column", ["出生年月", "原工作单位"])
def test_row_that_leaves_out_what_would_tell_people_apart_is_refused(column):
    make_known()
    assert rows_of(staged(roster_of(without_id(0, **{column: None})))) == [
        ("rejected", None, ["id_number_missing", "person_ambiguous"])
    ]


def test_new_identity_number_is_added_to_the_person_who_had_none():
    known = make_known(id_number=None)
    batch = written(roster_of(person(0)))
    assert rows_of(batch) == [("updated", known.pk, [])]
    known.refresh_from_db()
    assert (known.id_number, known.birth_date) == (id_number(0), "1950-01-01")


def test_person_with_another_identity_number_is_somebody_else():
    make_known(id_number=make_id_number("1950-01-01", serial=9), birth_date="1950-01-01")
    assert rows_of(staged(roster_of(person(0)))) == [("created", None, [])]


def test_row_that_two_people_fit_is_refused():
    make_known(id_number=make_id_number("1950-01-01", serial=9), birth_date="1950-01-01")
    make_known(id_number=None)
    batch = written(roster_of(without_id(0), without_id(1)))
    assert rows_of(batch) == [
        ("rejected", None, ["id_number_missing", "person_ambiguous"]),
        ("created", Retiree.objects.get(name="张丁").pk, ["id_number_missing"]),
    ]
    assert Retiree.objects.filter(name="张一").count() == 2


def test_two_rows_that_fit_one_person_are_not_both_written():
    """By number and by name: only the database knows that they are the same."""
    known = make_known(id_number=id_number(0), birth_date="1950-01-01")
    rows = [person(0, 姓名="张大"), without_id(0, 联系电话="13999999999")]
    batch = written(roster_of(*rows))
    assert [(verdict, pk) for verdict, pk, _ in rows_of(batch)] == [
        ("updated", known.pk),
        ("rejected", known.pk),
    ]
    assert rows_of(batch)[1][2] == ["id_number_missing", "duplicate_in_file"]


@pytest.mark.parametrize("first", [person(0), without_id(0)])
@pytest.mark.parametrize("second", [person(0, 联系电话="13999999999"), without_id(0)])
def test_second_row_of_the_same_person_is_refused(first, second):
    batch = written(roster_of(first, person(5), second))
    assert [verdict for verdict, _, _ in rows_of(batch)] == ["created", "created", "rejected"]
    assert "duplicate_in_file" in rows_of(batch)[2][2]
    (found,) = [
        problem["message"]
        for problem in StagedRow.objects.get(batch=batch, row=4).all_problems
        if problem["code"] == "duplicate_in_file"
    ]
    assert "第 2 行" in found


def test_good_row_behind_a_bad_one_of_the_same_person_is_taken():
    batch = staged(roster_of(person(0, 活动类别="丁"), person(0)))
    assert [verdict for verdict, _, _ in rows_of(batch)] == ["rejected", "created"]


def test_two_people_of_one_name_with_numbers_of_their_own_are_two():
    batch = written(roster_of(person(0, 姓名="张伟"), person(1, 姓名="张伟")))
    assert batch.created == 2


def test_same_person_in_two_sheets_is_refused_and_told_where():
    rows = [HEADER, person(0)]
    batch = staged(workbook(rows, rows, names=["朱衣", "草堂"]))
    assert batch.rejected == 1
    assert "朱衣" in StagedRow.objects.get(verdict="rejected").all_problems[0]["message"]


def test_person_entered_by_hand_is_found_by_the_same_words_as_an_imported_one():
    written(roster_of(person(0, 姓名="单雄信", 联系电话="13800000300/023-56551234")))
    imported = Retiree.objects.get()
    by_hand = Retiree.objects.get(pk=imported.pk)
    by_hand.save()
    by_hand.refresh_from_db()
    for column in ("search_key", "name_pinyin", "id_number_digest", "phone_digest",
                   "second_phone_digest", "address_digest"):  # fmt: skip
        assert getattr(by_hand, column) == getattr(imported, column), column
