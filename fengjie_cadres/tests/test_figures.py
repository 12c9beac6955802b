"""One number, one definition: figure, tile, list and workbook agree; one more record moves it."""

import datetime
import io

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from branches.models import Branch, ImportBatch
from branches.tests.make import make_branch, make_membership, make_secretary
from cadres import actions
from cadres.charts import Bar, Chart, Part
from cadres.models import Export, Job, StoredFigures, Unit
from cadres.roles import Role
from cadres.tests.make import (
    make_class_change,
    make_residence,
    make_retiree,
    make_unit,
    make_user,
    some_township,
)
from fengjie_cadres.reports import numbers
from fengjie_cadres.reports.class_totals import BY, class_totals
from fengjie_cadres.reports.dashboard import Dashboard
from fengjie_cadres.reports.exports import export_job
from fengjie_cadres.reports.figures import FIGURES

pytestmark = pytest.mark.django_db
LONG_AGO = datetime.date(2020, 1, 1)
PAST = datetime.date(2025, 6, 30)
#: Which cell of a row is summed up.
SUMMED = {"points-ledger": 7, "points-accounts": 5}


@pytest.fixture
def staff(client):
    user = make_user(role=Role.OFFICE_STAFF)
    client.force_login(user)
    return user


@pytest.fixture
def people():
    """A handful of every kind, dead and moved ones too."""
    births = ["1930-02", "1944-07-15", "1955-01", "1962-12", "1970-03", ""]
    for number, born in enumerate(births * 2):
        person = make_retiree(
            name=f"甲{number}",
            birth_date=born,
            registered_on=LONG_AGO,
            political_status=["member", "masses", "probationary"][number % 3],
            lives_in_county=number != 5,
        )
        if number % 4:
            make_class_change(person, "ABC"[number % 3], "2024-01-01")
        if number % 2:
            make_residence(person, some_township())
    actions.record_death(
        retiree=make_retiree(registered_on=LONG_AGO), on=datetime.date(2025, 9, 1), by=None
    )


def number_of_rows(client, figure, on=None) -> int:
    """Rows of the workbook that the figure's list hands out."""
    client.post(figure.workbook_address(on))
    export = Export.objects.latest("pk")
    export_job(export.job or Job(params={"export": export.pk}))
    export.refresh_from_db()
    rows = openpyxl.load_workbook(io.BytesIO(export.file.read())).active.iter_rows(min_row=4)
    if figure.measure == "分":  # sums, not rows: test_points_figures.py
        return sum(row[SUMMED[figure.table]].value for row in rows if isinstance(row[0].value, int))
    return sum(1 for row in rows if isinstance(row[0].value, int))


def listed(client, address: str) -> int:
    context = client.get(address).context
    if "total" in context:
        return context["total"]
    if "page" in context:
        return context["page"].paginator.count
    return len(context["units"] if "units" in context else context["branches"])


@pytest.mark.parametrize("on", [None, pytest.param(PAST, marks=pytest.mark.slow)])
@pytest.mark.parametrize("code", FIGURES)
def test_figure_tile_list_and_workbook_agree(client, staff, people, code, on):
    figure = FIGURES[code]
    number = figure.count(staff, on)
    assert listed(client, figure.address(on)) == number
    assert number_of_rows(client, figure, on) == number
    tiles = {tile.figure.code: tile for tile in Dashboard(staff, on).tiles()}
    if code in tiles:
        assert (tiles[code].number, tiles[code].address) == (number, figure.address(on))


def test_every_bar_says_what_its_list_says(client, staff, people):
    board = Dashboard(staff)
    for chart in (board.by_class(), board.by_age(), board.by_township()):
        assert chart.bars
        for bar in chart.bars:
            for part in bar.parts:
                assert part.address
                if part.value:
                    assert listed(client, part.address) == part.value, (chart.title, bar.label)


def test_classes_and_ages_add_up_to_the_people(staff, people):
    for on in (None, PAST, LONG_AGO):
        board = Dashboard(staff, on)
        total = FIGURES["retirees"].count(staff, on)
        assert board.by_class().total == total
        assert board.by_township().total == total
        unknown_birth = board.number(band="")
        assert board.by_age().total + unknown_birth == total


def test_one_more_record_moves_its_figure(staff, people):
    before = {code: figure.count(staff) for code, figure in FIGURES.items()}
    make_class_change(make_retiree(birth_date="1940-05", political_status="member"), "B")
    make_unit()
    make_branch()
    after = {code: figure.count(staff) for code, figure in FIGURES.items()}
    moved = {code for code in FIGURES if after[code] == before[code] + 1}
    assert moved == {
        "retirees", "class_b", "party_members", "age_80_89", "branches", "units", "review_due",
    }  # fmt: skip
    assert all(after[code] == before[code] for code in FIGURES.keys() - moved)


def test_a_figure_of_the_past_is_unchanged_by_a_later_change(staff, people):
    dated = {code: figure for code, figure in FIGURES.items() if code != "review_due"}  # of today
    before = {code: figure.count(staff, PAST) for code, figure in dated.items()}
    person = FIGURES["class_a"].queryset(staff).exclude(name="").first() or make_retiree()
    actions.reclassify(retiree=person, activity_class="C", on=datetime.date(2025, 7, 1), by=staff)
    actions.record_death(retiree=person, on=datetime.date(2025, 8, 1), by=staff)
    make_retiree(name="新来")
    assert {code: figure.count(staff, PAST) for code, figure in dated.items()} == before


def test_who_moved_away_and_came_back_is_in_the_years_numbers(client, staff):
    person = make_retiree(registered_on=LONG_AGO)
    end, left, back = (datetime.date(2025, *day) for day in ((12, 31), (3, 1), (9, 1)))
    actions.record_moving_away(retiree=person, on=left, by=staff)
    assert numbers.trend(end) == {"came": 0, "died": 0, "moved": 1, "returned": 0}
    before = FIGURES["retirees"].count(staff, PAST)
    actions.record_return(retiree=person, on=back, by=staff)
    assert FIGURES["retirees"].count(staff, PAST) == before == 0
    assert numbers.trend(end) == {"came": 0, "died": 0, "moved": 1, "returned": 1}
    assert numbers.trend(PAST) == {"came": 0, "died": 0, "moved": 1, "returned": 0}
    assert "转出 1 人，转回 1 人" in client.get("/?on=2025-12-31").content.decode()
    actions.record_death(retiree=person, on=datetime.date(2026, 2, 1), by=staff)
    assert numbers.trend(end)["moved"] == 1


def test_home_asks_as_little_for_many_people_as_for_few(client, staff):
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get("/").status_code == 200
        return len(found)

    make_retiree()
    few = queries()
    for number in range(30):
        make_residence(make_retiree(name=f"乙{number}", birth_date="1950-01"))
    assert queries() == few


def test_the_dashboard_itself_asks_at_most_twelve_times(
    staff, people, django_assert_max_num_queries
):
    with django_assert_max_num_queries(12):
        board = Dashboard(staff)
        board.tiles(), board.trend(), board.by_class(), board.by_age(), board.by_township()


def test_leaders_open_units_and_branches_and_others_do_not(client):
    client.force_login(make_user(role=Role.LEADER))
    assert client.get("/units/").status_code == 200
    assert client.get("/branches/").status_code == 200
    for user in (make_user(), make_user(role=Role.AUDITOR), make_user(role=Role.CONTACT)):
        client.force_login(user)
        assert client.get("/units/").status_code == 403
        assert client.get("/branches/").status_code == 403


def test_a_secretary_sees_the_own_branch_only(client):
    branch = make_branch("甲支部")
    make_branch("乙支部")
    client.force_login(make_secretary(branch))
    assert [b.name for b in client.get("/branches/").context["branches"]] == ["甲支部"]


def test_branches_are_listed_with_the_same_queries_however_many(client, staff):
    with CaptureQueriesContext(connection) as first:
        client.get("/branches/")
    for number in range(3):
        make_membership(make_retiree(), make_branch(f"新{number}支部"))
    with CaptureQueriesContext(connection) as second:
        client.get("/branches/")
    assert len(first) == len(second)


def test_a_branch_counts_affiliated_and_served_people_apart():
    branch = make_branch()
    for number in range(3):
        make_membership(make_retiree(name=f"丙{number}"), branch, "served")
    make_membership(make_retiree(political_status="member"), branch, "affiliated")
    make_membership(make_retiree(status="deceased", died_on=PAST), branch, "served")
    found = Branch.objects.with_people().get(pk=branch.pk)
    assert (found.affiliated, found.served) == (1, 3)


def test_served_means_today_in_the_table_and_in_the_list_that_it_opens(client, staff):
    """Not who will be served from a day on; and whose end is only planned still is."""
    branch = make_branch()
    make_membership(make_retiree(name="到期"), branch, until=datetime.date(2099, 1, 1))
    make_membership(make_retiree(name="以后"), branch, since="2099-01-01")
    make_membership(make_retiree(name="以前"), branch, until=datetime.date(2021, 1, 1))
    [row] = [b for b in client.get("/branches/").context["branches"] if b.pk == branch.pk]
    opened = client.get("/people/", {"branch": branch.pk, "status": "active"}).context["page"]
    desk = client.get("/admin/cadres/retiree/", {"branch": branch.pk}).context["cl"]
    assert row.served == 1
    assert [p.name for p in opened] == [p.name for p in desk.result_list] == ["到期"]
    assert (
        "到期"
        in client.get(
            f"/admin/branches/membership/?branch={branch.pk}&period=current"
        ).content.decode()
    )


def test_a_unit_counts_its_people_by_class():
    unit = make_unit()
    make_class_change(make_retiree(unit=unit), "A")
    make_class_change(make_retiree(unit=unit), "C")
    make_retiree(unit=unit, lives_in_county=False)
    found = Unit.objects.with_people().get(pk=unit.pk)
    assert (found.people, found.people_a, found.people_b, found.people_c) == (2, 1, 0, 1)


def test_bars_are_as_long_as_their_numbers():
    chart = Chart(
        "图", [Bar("甲", [Part("A", 30), Part("B", 10)]), Bar("乙", [Part("A", 20)])], "人"
    )
    first, second = chart.wide.lines
    assert first.stretches[0].width == pytest.approx(first.stretches[1].width * 3, abs=0.2)
    assert second.stretches[0].width == pytest.approx(
        sum(s.width for s in first.stretches) / 2, abs=0.3
    )
    assert first.end < chart.wide.width


def test_the_home_page_takes_a_day_and_no_nonsense(client, staff, people):
    page = client.get("/?on=2025-06-30").content.decode()
    assert "2025年6月30日" in page
    assert client.get("/?on=昨天").status_code == 200
    assert client.get("/?on=9999-99-99").status_code == 200
    board = client.get("/?on=2099-12-31").context["dashboard"]
    assert (board.on, board.is_past) == (timezone.localdate(), False)


@pytest.mark.parametrize(
    ("on", "words"),
    [
        ("2099-12-31", "日期不能晚于今天"),
        ("2025-02-30", "没有这一天"),
        ("1949-10-01", "更早的情况数不出来"),
    ],
)
@pytest.mark.parametrize("address", ["/", "/people/classes/"])
def test_a_day_that_cannot_be_counted_is_said(client, staff, people, address, on, words):
    assert words in client.get(address, {"on": on}).content.decode()
    assert words not in client.get(address, {"on": PAST}).content.decode()


@pytest.mark.parametrize("on", [PAST, pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "by", [by if by == "township" else pytest.param(by, marks=pytest.mark.slow) for by in BY]
)
def test_classes_by_anything_add_up_to_the_people_and_open_their_lists(
    client, staff, people, by, on
):
    day = on or timezone.localdate()
    rows = class_totals(staff, by, day)
    assert rows[-1].total.number == FIGURES["retirees"].count(staff, on)
    for row in rows:
        assert sum(cell.number for cell in row.cells) == row.total.number
        for cell in [*row.cells, row.total]:
            if cell.address and cell.number:
                assert listed(client, cell.address) == cell.number, (row.label, cell)
    page = client.get(f"/people/classes/?by={by}&on={day}")
    assert page.status_code == 200


@pytest.mark.parametrize("on", [None, PAST])
def test_the_workbook_of_classes_holds_what_the_page_shows(client, staff, people, on):
    query = f"?by=age&on={on}" if on else "?by=age"
    client.post(f"/exports/new/class-totals/{query}")
    export = Export.objects.get()
    export_job(export.job)
    export.refresh_from_db()
    sheet = openpyxl.load_workbook(io.BytesIO(export.file.read())).active
    told = [[c.value for c in row][1:] for row in sheet.iter_rows(min_row=4) if row[1].value]
    shown = [
        [row.label, *(cell.number for cell in row.cells), row.total.number]
        for row in class_totals(staff, "age", on or timezone.localdate())
    ]
    assert told == shown
    assert export.people == shown[-1][-1] > 0
    assert "年龄" in export.filter_words


@pytest.mark.parametrize("on", [None, PAST])
def test_who_lives_nowhere_known_is_listed(client, staff, people, on):
    rows = class_totals(staff, "township", on or timezone.localdate())
    [nowhere] = [row for row in rows if row.label == "没有登记"]
    [bar] = [b for b in Dashboard(staff, on).by_township().bars if b.label == "没有登记居住地"]
    assert nowhere.total.number == bar.total > 0
    assert listed(client, nowhere.total.address) == listed(client, bar.address) == bar.total


def test_the_home_of_the_office_has_tiles_of_review_and_import_and_the_leaders_has_not(
    client, staff, people
):
    batch = ImportBatch.objects.create(
        file_name="名册.xlsx", checksum="", effective_on=PAST, state="written", rows=7, created=7,
        written_at=timezone.now(),
    )  # fmt: skip
    home = client.get("/").content.decode()
    tile = f'<a href="{batch.get_absolute_url()}">最近一次导入<strong>7<small> 人</small>'
    assert tile in home
    due = FIGURES["review_due"]
    assert f'<a href="{due.address()}">{due.name}<strong>{due.count(staff)}' in home
    assert "不知道出生年月的不在图里" in home
    client.force_login(make_user(role=Role.LEADER))
    home = client.get("/").content.decode()
    assert tile not in home
    assert due.name not in home


def test_class_totals_are_for_office_and_leaders(client):
    for role, status in ((Role.LEADER, 200), (Role.AUDITOR, 403), ("", 403)):
        client.force_login(make_user(role=role))
        assert client.get("/people/classes/?by=nonsense").status_code == status


# ---- many people: counted in the background ----------------------------------------------------


def test_the_county_itself_is_counted_at_once(client, staff, people):
    assert not numbers.refresh()
    make_retiree()
    before = Dashboard(staff).number()
    make_retiree()
    assert Dashboard(staff).number() == before + 1
    assert "数的" not in client.get("/").content.decode()


def test_very_many_people_are_counted_in_the_background_and_the_page_says_when(
    client, staff, people, monkeypatch
):
    monkeypatch.setattr(numbers, "LIVE_UP_TO", 5)
    live = Dashboard(staff)
    at_once = [(t.figure.code, t.number) for t in live.tiles()], live.trend(), live.due
    assert numbers.refresh()
    stored = Dashboard(staff)
    assert ([(t.figure.code, t.number) for t in stored.tiles()], stored.trend(), stored.due) == (
        at_once
    )
    charts = [(b.label, b.total) for c in (live.by_class(), live.by_township()) for b in c.bars]
    assert charts == [
        (b.label, b.total) for c in (stored.by_class(), stored.by_township()) for b in c.bars
    ]
    make_retiree()
    assert Dashboard(staff).number() == live.number()
    assert "数的）" in client.get("/").content.decode()
    assert Dashboard(staff, PAST).counted_at is None
    StoredFigures.objects.update(counted_at=timezone.now() - 2 * numbers.FRESH)
    assert Dashboard(staff).number() == live.number() + 1


def test_a_number_stored_yesterday_is_not_todays(staff, people, monkeypatch):
    monkeypatch.setattr(numbers, "LIVE_UP_TO", 5)
    numbers.refresh()
    StoredFigures.objects.update(
        numbers={**StoredFigures.objects.get().numbers, "day": "2020-01-01"}
    )
    assert Dashboard(staff).counted_at is None
