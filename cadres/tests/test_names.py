"""Pinyin with both readings of surnames, initials, and what a search finds."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from cadres.models import Retiree
from cadres.names import name_tokens, pinyin_of, readings_of
from cadres.tests.make import make_id_number, make_retiree


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("张三丰", "zhang san feng"),
        ("单雄信", "shan xiong xin"),
        ("曾国强", "zeng guo qiang"),
        ("解晓东", "xie xiao dong"),
        ("仇和", "qiu he"),
        ("查良镛", "zha liang yong"),
        ("区桃", "ou tao"),
        ("任重", "ren zhong"),
        ("尉迟恭", "yu chi gong"),
        ("长孙无忌", "zhang sun wu ji"),
        ("买买提·阿不都", "mai mai ti a bu dou"),
        ("", ""),
    ],
)
def test_pinyin_reads_a_surname_as_a_surname(name, pinyin):
    assert pinyin_of(name) == pinyin


@pytest.mark.parametrize(
    ("name", "other"),
    [("单雄信", "danxiongxin"), ("曾国强", "cengguoqiang"), ("解晓东", "jiexiaodong"),
     ("仇和", "chouhe"), ("查良镛", "chaliangyong"), ("区桃", "qutao"), ("覃勇", "tanyong"),
     ("盖叫天", "gaijiaotian"), ("乐嘉", "lejia"), ("尉迟恭", "weichigong")],
)  # fmt: skip
def test_tokens_hold_the_other_reading_too(name, other):
    assert other in name_tokens(name)
    assert "".join(readings_of(name)[0]) in name_tokens(name)


@pytest.mark.parametrize(
    "words",
    ["单雄信", "单雄", "雄信", "shanxiongxin", "danxiongxin", "ShanXiong", "sxx", "dxx", "xiongxin",
     "单 信", "219X", "219x", "13800000300", "023-56551234", "单雄信 13800000300"],
)  # fmt: skip
def test_search_finds_a_person(db, words):
    person = make_retiree(
        name="单雄信",
        id_number=number_ending_in_x(),
        phone="13800000300",
        second_phone="023-56551234",
    )
    make_retiree(name="王五", id_number=make_id_number(serial=2), phone="13900000399")
    words = words.replace("219x", person.id_number[-4:].lower()).replace(
        "219X", person.id_number[-4:]
    )
    assert list(Retiree.objects.search(words)) == [person]


def number_ending_in_x() -> str:
    numbers = (make_id_number("1950-01-01", serial=serial) for serial in range(500))
    return next(number for number in numbers if number.endswith("X"))


@pytest.mark.parametrize("words", ["138", "1380000030", "3800000300", "30", "023-5655123", "19X"])
def test_search_by_part_of_a_number_finds_nobody(db, words):
    make_retiree(name="单雄信", id_number=number_ending_in_x(), phone="13800000300")
    assert not Retiree.objects.search(words).exists()


@pytest.mark.parametrize(
    "words", ["买买提·阿不都", "买买提", "阿不都", "maimaiti", "mmtabd", "买买提 阿不都"]
)
def test_search_finds_a_name_with_a_dot(db, words):
    person = make_retiree(name="买买提·阿不都")
    assert list(Retiree.objects.search(words)) == [person]


def test_search_finds_a_rare_character(db):
    person = make_retiree(name="𠮷野三")
    assert list(Retiree.objects.search("𠮷野三")) == [person]
    assert list(Retiree.objects.search("𠮷")) == [person]


@given(st.text(max_size=60))
def test_search_takes_whatever_is_typed(django_db_setup, django_db_blocker, words):
    with django_db_blocker.unblock():
        list(Retiree.objects.search(words)[:1])
        connection.close_if_unusable_or_obsolete()


@given(st.text(max_size=60))
def test_tokens_of_any_name_are_no_empty_words(name):
    assert all(name_tokens(name))
    assert len(pinyin_of(name)) <= 240
