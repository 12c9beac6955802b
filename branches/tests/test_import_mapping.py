"""Unknown names of a file are mapped once: the rows are accepted, and the names remembered."""

import sys
import threading

import pytest
from django.db import connection

from branches.models import BranchAlias, ImportBatch, StagedRow
from branches.roster import (
    ImportRefusedError,
    MappingRefusedError,
    confirm,
    discard,
    map_names,
    stage,
    stage_job,
    write,
)
from branches.roster.mapping import Choice
from branches.roster.names import beginning, names_for, unknown_names
from branches.roster.report import problems
from branches.tests.make import DAY, some_branch, staged
from cadres import jobs
from cadres.models import (
    Community,
    CommunityAlias,
    Job,
    Retiree,
    Township,
    TownshipAlias,
    UnitAlias,
)
from cadres.roles import Role
from cadres.spreadsheets import WorkbookRefusedError
from cadres.tests.make import make_community, make_user, some_township, some_unit
from cadres.tests.workbooks import HEADER, id_number, people, person, roster_of, workbook

pytestmark = pytest.mark.django_db
UNIT, BRANCH = "县火星探测局", "朱衣镇离退休干部党支部"
TOWNSHIP, COMMUNITY = "居住乡镇(街道)", "村(社区)"


@pytest.fixture
def by(db):
    return make_user(role=Role.OFFICE_STAFF)


def unknown(batch) -> dict[str, object]:
    return {one.name: one for one in unknown_names(batch, names_for(batch))}


def choice(batch, unknown_name: str, thing, **more) -> Choice:
    return Choice(unknown(batch)[unknown_name].key, thing.pk, **more)


def read_again(batch) -> ImportBatch:
    """Does what the worker does."""
    batch.refresh_from_db()
    jobs.run(batch.job_id, stage_job)
    batch.refresh_from_db()
    return batch


def mapped(batch, by, *chosen) -> ImportBatch:
    return read_again(map_names(batch=batch, chosen=[*chosen], by=by))


def test_unknown_names_are_listed_once_with_their_rows():
    rows = [person(i, 原工作单位=UNIT) for i in range(3)]
    rows += [person(3, 原工作单位="县 火星 探测局"), person(4, 所在党支部="火星支部")]
    rows += [person(5, **{TOWNSHIP: "月球乡"}), person(6, **{COMMUNITY: "桃花源村"})]
    found = unknown(staged(roster_of(*rows, person(7))))
    told = [(one.kind, one.name, one.rows) for one in found.values()]
    assert told == [
        ("unit", UNIT, 4),
        ("township", "月球乡", 1),
        ("community", "桃花源村", 1),
        ("branch", "火星支部", 1),
    ]
    assert found["桃花源村"].township == some_township().pk


def test_mapped_unit_makes_its_rows_good_and_is_known_in_the_next_file(by):
    batch = staged(roster_of(*[person(i, 原工作单位=UNIT) for i in range(3)], person(3)))
    assert (batch.created, batch.rejected) == (1, 3)
    batch = mapped(batch, by, choice(batch, UNIT, some_unit()))
    assert (batch.state, batch.created, batch.rejected) == ("staged", 4, 0)
    assert UnitAlias.objects.get(name=UNIT).unit == some_unit()
    assert unknown(batch) == {}
    write(batch=batch, by=by)
    assert Retiree.objects.filter(unit=some_unit()).count() == 4
    assert staged(roster_of(person(9, 原工作单位=UNIT))).created == 1


def test_date_and_scope_stay_as_they_were(by):
    rows = [person(i, 原工作单位=UNIT if i else "县教委") for i in range(3)]
    batch = staged(roster_of(*rows), scope="units")
    batch = mapped(batch, by, choice(batch, UNIT, some_unit("奉节县财政局")))
    assert (batch.effective_on, batch.scope, batch.rejected) == (DAY, "units", 0)


def test_each_kind_of_name_is_remembered(by):
    township = some_township()
    place = Community.objects.filter(township=township).first()
    rows = [
        person(0, 所在党支部="火星支部"),
        person(1, **{TOWNSHIP: "月球乡"}),
        person(2, **{COMMUNITY: "桃花源村"}),
    ]
    batch = staged(roster_of(*rows))
    batch = mapped(
        batch,
        by,
        choice(batch, "火星支部", some_branch(BRANCH)),
        choice(batch, "月球乡", township),
        choice(batch, "桃花源村", place),
    )
    assert batch.created == 3
    assert BranchAlias.objects.get(name="火星支部").branch == some_branch(BRANCH)
    assert TownshipAlias.objects.get(name="月球乡").township == township
    alias = CommunityAlias.objects.get(name="桃花源村")
    assert (alias.community, alias.township) == (place, township)
    row = StagedRow.objects.get(batch=batch, position=3)
    assert row.community_id == place.pk
    assert staged(roster_of(person(5, **{COMMUNITY: "桃花源村"}))).created == 1


def test_community_is_unknown_within_its_township(by):
    """The same name stands for another village in the next township."""
    rows = [person(0, **{COMMUNITY: "桃花源村"})]
    rows += [person(1, **{TOWNSHIP: "草堂镇", COMMUNITY: "桃花源村"})]
    batch = staged(roster_of(*rows))
    listed = unknown_names(batch, names_for(batch))
    assert [one.township for one in listed] == [some_township().pk, some_township("草堂镇").pk]
    place = Community.objects.filter(township=some_township("草堂镇")).first()
    with pytest.raises(MappingRefusedError, match="列表里"):
        map_names(batch=batch, chosen=[Choice(listed[0].key, place.pk)], by=by)
    batch = mapped(batch, by, Choice(listed[1].key, place.pk))
    assert (batch.created, batch.rejected) == (1, 1)


def test_community_without_a_township_is_mapped_to_one_of_the_county(by):
    place = Community.objects.filter(township=some_township()).first()
    batch = staged(roster_of(person(0, **{TOWNSHIP: None, COMMUNITY: "桃花源村"})))
    batch = mapped(batch, by, choice(batch, "桃花源村", place))
    row = StagedRow.objects.get(batch=batch)
    assert (row.verdict, row.community_id, row.township_id) == (
        "created", place.pk, place.township_id,
    )  # fmt: skip
    assert CommunityAlias.objects.count() == 1


def test_a_village_name_of_several_townships_is_taken_for_this_file_only(by):
    one, other = make_community(short_name="重名村"), make_community(short_name="重名村")
    content = roster_of(person(0, **{TOWNSHIP: None, COMMUNITY: "重名村"}))
    batch = staged(content)
    batch = mapped(batch, by, choice(batch, "重名村", other))
    assert StagedRow.objects.get(batch=batch).community_id == other.pk
    assert not CommunityAlias.objects.exists()
    assert staged(content).rejected == 1
    assert one.township_id != other.township_id


# ---- a name that may mean several ------------------------------------------------------------


def old_township(by, remember: bool):
    batch = staged(roster_of(*people(2, **{TOWNSHIP: "永安镇"})))
    street = some_township("鱼复街道")
    assert unknown(batch)["永安镇"].match.is_unclear
    return mapped(batch, by, choice(batch, "永安镇", street, remember=remember)), street


def test_old_township_that_is_asked_about_is_taken_for_this_file_only(by):
    batch, street = old_township(by, remember=False)
    assert set(StagedRow.objects.values_list("township_id", flat=True)) == {street.pk}
    assert batch.created == 2
    assert TownshipAlias.objects.get(name="永安镇").township is None
    assert staged(roster_of(person(7, **{TOWNSHIP: "永安镇"}))).rejected == 1
    again = stage(batch=batch)
    assert again.created == 2


def test_old_township_is_filled_when_staff_say_so(by):
    batch, street = old_township(by, remember=True)
    assert batch.created == 2
    assert TownshipAlias.objects.get(name="永安镇").township == street
    assert staged(roster_of(person(7, **{TOWNSHIP: "奉节县永安镇"}))).created == 1


# ---- unit and post in one cell ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("县火星探测局副局长", "县火星探测局"),
        ("县火星探测局局长", "县火星探测局"),
        ("县火星探测局", "县火星探测局"),
        ("县冥王星委员会党组书记、主任", "县冥王星委员会"),
        ("县委办公室主任", "县委办公室"),
        ("县医院主任医师", "县医院"),
        ("县委党校常务副校长", "县委党校"),
        ("局长", "局长"),
    ],
)
def test_the_likely_unit_is_what_stands_before_the_post(text, unit):
    assert beginning(text) == unit


def with_posts(*texts: str) -> ImportBatch:
    rows = [[f"张{chr(0x4E00 + i)}", id_number(i), text] for i, text in enumerate(texts)]
    return staged(workbook([["姓名", "身份证号", "原工作单位及职务"], *rows]))


def test_unit_of_cells_with_posts_is_mapped_once_and_the_posts_stay(by):
    batch = with_posts("县火星探测局副局长", "县火星探测局局长", "县火星探测局", "县教委副主任")
    assert (batch.created, unknown(batch)[UNIT].rows) == (1, 3)
    batch = mapped(batch, by, choice(batch, UNIT, some_unit("奉节县财政局")))
    told = StagedRow.objects.filter(batch=batch).values_list("unit__name", "former_post")
    assert list(told) == [
        ("奉节县财政局", "副局长"),
        ("奉节县财政局", "局长"),
        ("奉节县财政局", None),
        ("奉节县教育委员会", "副主任"),
    ]
    assert UnitAlias.objects.get(name=UNIT).unit.name == "奉节县财政局"


def test_staff_say_where_the_unit_ends(by):
    batch = with_posts("冥王星筹备处联络专办")
    chosen = choice(batch, "冥王星筹备处联络专办", some_unit(), name="冥王星筹备处")
    batch = mapped(batch, by, chosen)
    assert StagedRow.objects.get(batch=batch).former_post == "联络专办"


@pytest.mark.parametrize("part", ["奉节县", "县", "筹备处", "县教委"])
def test_a_part_that_is_no_unit_is_refused(by, part):
    """奉节县 would take the people of all units along."""
    batch = with_posts("奉节县冥王星筹备处联络员")
    (name,) = unknown(batch)
    chosen = choice(batch, name, some_unit(), name=part)
    with pytest.raises(MappingRefusedError, match=r"太短|开头"):
        map_names(batch=batch, chosen=[chosen], by=by)
    assert not UnitAlias.objects.filter(name=part).exclude(name="县教委").exists()


def test_post_behind_a_unit_of_close_spelling_is_kept():
    """奉节县教育委员会主任 is alike enough to be taken for the unit, post and all."""
    batch = with_posts("奉节县教育委员会主任")
    row = StagedRow.objects.get(batch=batch)
    assert (row.unit.name, row.former_post) == ("奉节县教育委员会", "主任")
    assert list(problems(batch)) == []


# ---- refusals, and two at once ---------------------------------------------------------------


def test_numbers_and_long_texts_are_no_names():
    rows = [person(0, 原工作单位=id_number(3)), person(1, 原工作单位="火" * 90)]
    batch = staged(roster_of(*rows))
    assert batch.rejected == 2
    assert unknown(batch) == {}


def test_a_long_name_is_remembered_whole(by):
    long = "火星" * 35
    batch = staged(roster_of(person(0, 原工作单位=long)))
    assert mapped(batch, by, choice(batch, long, some_unit())).created == 1
    assert UnitAlias.objects.filter(name=long).exists()


def test_closed_batches_are_refused(by):
    batch = staged(roster_of(person(0, 原工作单位=UNIT), person(1)))
    chosen = [choice(batch, UNIT, some_unit())]
    confirm(batch=batch, by=by)
    with pytest.raises(MappingRefusedError, match="已经确认"):
        map_names(batch=batch, chosen=chosen, by=by)
    other = staged(roster_of(person(0, 原工作单位=UNIT)))
    discard(batch=other, by=by)
    with pytest.raises(MappingRefusedError, match="已经确认或办结"):
        map_names(batch=other, chosen=chosen, by=by)
    assert not UnitAlias.objects.filter(name=UNIT).exists()


def test_confirmation_waits_until_the_file_is_read_again(by):
    """Else more would be written than anybody has seen."""
    batch = staged(roster_of(person(0, 原工作单位=UNIT), person(1)))
    batch = map_names(batch=batch, chosen=[choice(batch, UNIT, some_unit())], by=by)
    with pytest.raises(ImportRefusedError, match="重新读取"):
        confirm(batch=batch, by=by)
    assert confirm(batch=read_again(batch), by=by).confirmed_by == by


def test_sent_twice_has_one_effect(by):
    batch = staged(roster_of(person(0, 原工作单位=UNIT)))
    chosen = [choice(batch, UNIT, some_unit())]
    first = map_names(batch=batch, chosen=chosen, by=by)
    assert map_names(batch=batch, chosen=chosen, by=by).job_id == first.job_id
    read_again(first)
    assert map_names(batch=batch, chosen=chosen, by=by).job_id == first.job_id
    assert Job.objects.filter(kind="roster-stage").count() == 1
    assert UnitAlias.objects.filter(name=UNIT).count() == 1


def test_other_choices_while_the_file_is_read_again_are_a_sentence(by):
    batch = staged(roster_of(person(0, 原工作单位=UNIT), person(1, 原工作单位="县金星局")))
    first, second = (choice(batch, name, some_unit()) for name in (UNIT, "县金星局"))
    map_names(batch=batch, chosen=[first], by=by)
    with pytest.raises(MappingRefusedError, match="正在重新读取"):
        map_names(batch=batch, chosen=[second], by=by)


def test_name_that_became_known_meanwhile_as_something_else_is_refused(by):
    batch = staged(roster_of(person(0, 原工作单位=UNIT), person(1, 原工作单位="县金星局")))
    chosen = [choice(batch, "县金星局", some_unit()), choice(batch, UNIT, some_unit())]
    UnitAlias.objects.create(unit=some_unit("奉节县财政局"), name=UNIT)
    with pytest.raises(MappingRefusedError, match=f"“{UNIT}”刚才已经对应到“奉节县财政局”"):
        map_names(batch=batch, chosen=chosen, by=by)
    assert not UnitAlias.objects.filter(name="县金星局").exists()
    batch.refresh_from_db()
    assert batch.job is None


def test_name_that_became_known_meanwhile_needs_no_choice(by):
    batch = staged(roster_of(person(0, 原工作单位=UNIT)))
    UnitAlias.objects.create(unit=some_unit(), name=UNIT)
    assert unknown(batch)[UNIT].known_as.name == some_unit().name
    assert mapped(batch, by).created == 1


def test_nothing_is_kept_when_one_choice_is_wrong(by):
    batch = staged(roster_of(person(0, 原工作单位=UNIT), person(1, 原工作单位="县金星局")))
    chosen = [choice(batch, UNIT, some_unit()), Choice(unknown(batch)["县金星局"].key, 10**9)]
    with pytest.raises(MappingRefusedError):
        map_names(batch=batch, chosen=chosen, by=by)
    assert not UnitAlias.objects.filter(name=UNIT).exists()


def test_a_preview_outlives_a_file_that_cannot_be_read_again(by, monkeypatch):
    batch = staged(roster_of(person(0, 原工作单位=UNIT), person(1)))
    map_names(batch=batch, chosen=[choice(batch, UNIT, some_unit())], by=by)

    def busy(path):
        raise WorkbookRefusedError("crashed")

    monkeypatch.setattr(sys.modules["branches.roster.stage"], "read_workbook", busy)
    batch = read_again(batch)
    assert (batch.state, batch.created) == ("staged", 1)
    assert batch.job.state == "failed"
    monkeypatch.undo()
    batch = mapped(batch, by)
    assert batch.created == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_map_the_same_name_at_once(worker):
    user = make_user(role=Role.OFFICE_STAFF)
    batches = [staged(roster_of(person(i, 原工作单位=UNIT))) for i in range(2)]
    units = [some_unit(), some_unit("奉节县财政局")]
    results, gate = [], threading.Barrier(2)

    def run(batch, unit):
        chosen = [choice(batch, UNIT, unit)]
        gate.wait(10)
        try:
            results.append(map_names(batch=batch, chosen=chosen, by=user))
        except MappingRefusedError as refusal:
            results.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(batches, units, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    (refusal,) = [result for result in results if isinstance(result, str)]
    assert "刚才已经对应到" in refusal
    assert UnitAlias.objects.filter(name=UNIT).count() == 1


# ---- the page --------------------------------------------------------------------------------


@pytest.fixture
def staff(client, by):
    client.force_login(by)
    return by


def address(batch) -> str:
    return f"{batch.get_absolute_url()}names/"


def test_page_offers_the_nearest_names_first(client, staff):
    batch = staged(roster_of(person(0, 原工作单位="县财政")))
    assert "对应没认出的名称" in client.get(batch.get_absolute_url()).content.decode()
    page = client.get(address(batch)).content.decode()
    assert page.index("先不处理") < page.index("奉节县财政局") < page.index("中共奉节县委办公室")


def test_page_keeps_what_was_chosen_when_it_is_refused(client, staff):
    batch = with_posts("奉节县冥王星筹备处联络员", "县火星探测局副局长")
    keys = {name: one.key for name, one in unknown(batch).items()}
    sent = {f"to-{key}": some_unit().pk for key in keys.values()}
    sent |= {f"part-{keys[UNIT]}": "奉节"}
    page = client.post(address(batch), sent).content.decode()
    assert "不是表中写法的开头" in page
    assert page.count(f'<option value="{some_unit().pk}" selected>') == 2
    assert 'value="奉节"' in page
    assert not UnitAlias.objects.filter(name=UNIT).exists()


def test_page_without_a_choice_says_so(client, staff):
    batch = staged(roster_of(person(0, 原工作单位=UNIT)))
    key = unknown(batch)[UNIT].key
    page = client.post(address(batch), {f"to-{key}": ""}).content.decode()
    assert "还没有选" in page
    assert "请在列表里选" in client.post(address(batch), {f"to-{key}": "x"}).content.decode()


def test_page_maps_and_goes_to_the_job(client, staff):
    batch = staged(roster_of(person(0, 原工作单位=UNIT)))
    sent = {f"to-{unknown(batch)[UNIT].key}": some_unit().pk, "to-0123456789ab": "1", "x": "y"}
    response = client.post(address(batch), sent)
    batch.refresh_from_db()
    assert response.url == batch.job.get_absolute_url()
    page = client.get(batch.get_absolute_url()).content.decode()
    assert "正在按新的对应重新读取" in page
    assert "确认写入" not in page
    assert client.get(address(batch)).status_code == 302
    read_again(batch)
    assert "确认写入" in client.get(batch.get_absolute_url()).content.decode()


@pytest.mark.slow
def test_two_hundred_names_come_in_pages(client, staff):
    rows = [person(i, 原工作单位=f"外县第{i}农机站") for i in range(200)]
    batch = staged(roster_of(*rows))
    found = unknown(batch)
    assert len(found) == 200
    first = client.get(address(batch)).content.decode()
    assert first.count("<select") == 40
    assert "共 5 页" in first
    assert len(first) < 600_000
    last = client.get(address(batch), {"page": 5}).content.decode()
    sent = {f"to-{one.key}": some_unit().pk for one in found.values() if f"to-{one.key}" in last}
    assert len(sent) == 40
    client.post(f"{address(batch)}?page=5", sent)
    assert read_again(batch).created == 40


def test_page_is_for_the_office_and_an_open_batch(client, staff):
    batch = staged(roster_of(person(0, 原工作单位=UNIT)))
    discard(batch=batch, by=staff)
    assert client.get(address(batch)).status_code == 302
    assert client.get("/imports/999999/names/").status_code == 404
    for role in (Role.LEADER, Role.AUDITOR, Role.RETIREE, Role.CONTACT, ""):
        client.force_login(make_user(role=role))
        assert client.get(address(batch)).status_code == 403
        assert client.post(address(batch)).status_code == 403


def test_heading_of_the_file_stands_beside_the_problem(client, staff):
    batch = with_posts("县火星探测局副局长")
    page = client.get(batch.get_absolute_url()).content.decode()
    assert "<strong>原工作单位及职务</strong>" in page
    assert HEADER[4] == "原工作单位"


def test_clicking_a_kind_narrows_the_rows(client, staff):
    rows = [person(0, 原工作单位=UNIT), person(1, 活动类别="丁"), person(2, 出生年月="1960.02")]
    batch = staged(roster_of(*rows))
    page = client.get(batch.get_absolute_url(), {"show": "problems"}).content.decode()
    assert "kind=class_unknown" in page
    page = client.get(batch.get_absolute_url(), {"show": "problems", "kind": "class_unknown"})
    assert [item["row"].position for item in page.context["rows"]] == [2]
    page = client.get(batch.get_absolute_url(), {"show": "problems", "kind": "x' OR 1"})
    assert len(page.context["rows"]) == 3


def test_an_alias_of_a_village_does_not_reach_into_other_townships(by):
    place = Community.objects.filter(township=some_township()).first()
    CommunityAlias.objects.create(community=place, name="桃花源")
    assert staged(roster_of(person(0, **{COMMUNITY: "桃花源"}))).created == 1
    rows = [person(1, **{TOWNSHIP: "草堂镇", COMMUNITY: "桃花源"})]
    assert staged(roster_of(*rows)).rejected == 1
    assert Township.objects.count() == 33
