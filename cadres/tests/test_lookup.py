"""Units, places and branches by name, alias or close spelling, out of the county's own lists."""

import pytest

from branches.models import Branch
from cadres.lookup import NameIndex, likeness, unit_stem
from cadres.models import Community, Township, TownshipAlias, Unit
from cadres.rosters import CommunityIndex, Names

STREETS = ("永安街道", "鱼复街道", "夔门街道", "夔州街道")


@pytest.fixture(scope="module")
def names(django_db_setup, django_db_blocker) -> Names:
    with django_db_blocker.unblock():
        return Names.load(dict(Branch.objects.values_list("name", "pk")), {})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("奉节县教育委员会", "奉节县教育委员会"),
        ("县教委", "奉节县教育委员会"),
        ("县 教 委", "奉节县教育委员会"),
        ("　县教委\n", "奉节县教育委员会"),
        ("教委", "奉节县教育委员会"),
        ("附小", "奉节师范附属小学"),
        ("五马镇人民政府", "奉节县五马镇"),
    ],
)
def test_unit_is_found_by_name_or_alias_without_a_warning(names, text, name):
    match = names.units.find(text)
    assert (match.name, match.is_close) == (name, False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("县教育委员会", "奉节县教育委员会"),
        ("奉节县规划和自然资原局", "奉节县规划和自然资源局"),
        ("奉节县人力资源和社会保障厅", "奉节县人力资源和社会保障局"),
        ("县财政局局", "奉节县财政局"),
    ],
)
def test_unit_of_close_spelling_says_what_was_taken(names, text, name):
    match = names.units.find(text)
    assert (match.name, match.is_close) == (name, True)


@pytest.mark.parametrize(
    "text",
    ["县火星探测局", "县委农办", "县委台办", "县委编制", "县牙医院", "委员会", "局", "县", "奉节县",
     "奉节县第二中学", "=1+1", "新马镇人民政府"],
)  # fmt: skip
def test_unit_that_is_not_clear_is_not_guessed(names, text):
    assert names.units.find(text).pk is None


def test_unknown_unit_is_answered_with_the_nearest_names(names):
    assert "奉节县财政局" in names.units.find("县财政").suggestions
    assert len(names.units.find("奉节县教育局委会").suggestions) <= 3


def test_every_name_of_the_county_finds_itself(names):
    for index, model in ((names.units, Unit), (names.townships, Township)):
        for pk, name in model.objects.values_list("pk", "name"):
            assert (index.find(name).pk, index.find(name).is_close) == (pk, False)


@pytest.fixture(autouse=True)
def _database(db):
    pass


@pytest.mark.parametrize("change", ["一", "二", "三", "十"])
def test_branch_with_another_number_is_never_taken_for_its_neighbour(names, change):
    branches = dict(Branch.objects.values_list("name", "pk"))
    for name in branches:
        other = name.translate({ord("二"): change, ord("三"): change})
        assert names.branches.find(other).pk == branches.get(other), other


def test_branch_of_close_spelling_keeps_its_number(names):
    found = names.branches.find("夔州街道湖家社区离退休干部第二党支部")
    assert found.name in ("", "夔州街道胡家社区离退休干部第二党支部")
    assert names.branches.find("胡家社区第四党支部").pk is None


def test_two_units_alike_are_not_confused():
    index = NameIndex({"奉节县东风机械厂": 1, "奉节县东方机械厂": 2}, stem=unit_stem)
    assert index.find("奉节县东凤机械厂").pk is None
    assert set(index.find("奉节县东凤机械厂").suggestions) == {
        "奉节县东风机械厂",
        "奉节县东方机械厂",
    }
    assert index.find("奉节县东风机械厂").pk == 1
    alone = NameIndex({"奉节县东风机械厂": 1}, stem=unit_stem)
    assert alone.find("奉节县东凤机械厂").pk == 1


def test_two_units_that_differ_in_a_number_are_not_confused():
    index = NameIndex({"奉节县第一人民医院": 1}, stem=unit_stem)
    assert index.find("奉节县第二人民医院").pk is None
    assert index.find("奉节县第2人民医院").pk is None
    assert likeness("第一人民医院", "第二人民医院") > 0.8  # it is not for want of likeness


def test_old_township_with_several_answers_is_asked_about(names):
    for text in ("永安镇", "奉节县永安镇", "重庆市奉节县永安镇", "永安"):
        match = names.townships.find(text)
        assert match.pk is None, text
        assert match.suggestions == STREETS


def test_old_township_with_one_answer_is_taken_without_a_warning(names):
    for text in ("五马乡", "奉节县五马乡", "五马镇"):
        match = names.townships.find(text)
        assert (match.name, match.is_close) == ("五马镇", False)
    assert names.townships.find("安坪乡").name == "安坪镇"
    assert names.townships.find("新政乡").pk is None


@pytest.mark.parametrize(
    ("text", "name", "is_close"),
    [
        ("永安街道", "永安街道", False),
        ("永安街道办事处", "永安街道", False),
        ("永安街道办", "永安街道", False),
        ("朱衣镇人民政府", "朱衣镇", False),
        ("云雾乡", "云雾土家族乡", True),
        ("朱衣", "朱衣镇", True),
        ("康坪镇", "康坪乡", True),
    ],
)
def test_township_is_found(names, text, name, is_close):
    match = names.townships.find(text)
    assert (match.name, match.is_close) == (name, is_close)


@pytest.mark.parametrize("text", ["康平乡", "万州区", "北京市", "镇", "乡", "奉节县", "朱镇"])
def test_township_that_is_not_clear_is_not_guessed(names, text):
    assert names.townships.find(text).pk is None


def test_community_is_looked_for_in_its_township():
    index = CommunityIndex(
        [(1, "新民村村民委员会", "新民村", 10), (2, "新民村村民委员会", "新民村", 20)]
    )
    assert index.find("新民村", None).pk is None
    assert index.find("新民村村民委员会", None).pk is None
    assert index.find("新民村", 10).pk == 1
    assert index.find("新民村委会", 20).pk == 2


@pytest.mark.parametrize("end", ["社区居民委员会", "社区居委会", "社区"])
def test_community_is_found_by_its_short_name(names, end):
    township = Township.objects.get(name="夔州街道")
    match = names.communities.find("胡家" + end, township.pk)
    assert (match.name, match.is_close) == ("胡家社区居民委员会", False)


def test_every_community_finds_itself_in_its_township(names):
    for community in Community.objects.all():
        found = names.communities.find(community.name, community.township_id)
        assert found.pk == community.pk, community.name


def test_alias_that_staff_added_is_taken(db):
    township = Township.objects.get(name="朱衣镇")
    TownshipAlias.objects.create(name="朱衣区", township=township)
    match = Names.load({}, {}).townships.find("朱衣区")
    assert (match.pk, match.is_close) == (township.pk, False)
