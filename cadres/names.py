"""Names: pinyin, initials, and the words a person is found by."""

import functools

from pypinyin import Style, lazy_pinyin, pinyin

#: Surnames that are read unlike the same character elsewhere.
SURNAME_READINGS = {
    "单": "shan", "仇": "qiu", "解": "xie", "曾": "zeng", "查": "zha", "区": "ou", "覃": "qin",
    "盖": "ge", "任": "ren", "乐": "yue", "朴": "piao", "尉": "yu", "冼": "xian", "员": "yun",
    "繁": "po", "折": "she", "种": "chong", "黑": "he", "秘": "bi", "宓": "mi", "缪": "miao",
    "纪": "ji", "翟": "zhai", "卜": "bu", "华": "hua", "万": "wan", "尹": "yin", "阚": "kan",
    "葛": "ge", "召": "shao", "逄": "pang", "牟": "mou", "适": "kuo", "句": "gou", "娄": "lou",
}  # fmt: skip
COMPOUND_SURNAMES = {
    "尉迟": ["yu", "chi"], "长孙": ["zhang", "sun"], "万俟": ["mo", "qi"],
    "澹台": ["tan", "tai"], "单于": ["chan", "yu"], "令狐": ["ling", "hu"],
}  # fmt: skip


@functools.lru_cache(maxsize=8192)
def _syllables(character: str) -> tuple[str, ...]:
    """All readings of one character, the usual one first, without tones."""
    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    usual = lazy_pinyin(character, errors="ignore")
    return tuple(dict.fromkeys([*usual, *(found[0] if found else [])]))


def _plain(name: str) -> str:
    return name.replace("·", "").replace(" ", "")


def readings_of(name: str) -> list[list[str]]:
    """The name as syllables: first as it is spoken, then with the other reading of its surname."""
    name = _plain(name)
    if not name:
        return []
    usual = [syllables[0] for c in name if (syllables := _syllables(c))]
    if name[:2] in COMPOUND_SURNAMES:
        return [COMPOUND_SURNAMES[name[:2]] + usual[2:], usual]
    surname = SURNAME_READINGS.get(name[0])
    if surname and usual:
        others = [s for s in (usual[0], *_syllables(name[0])) if s != surname]
        return [[surname, *usual[1:]], *([s, *usual[1:]] for s in dict.fromkeys(others))]
    return [usual]


@functools.lru_cache(maxsize=32768)
def pinyin_of(name: str) -> str:
    """`zhang san feng`: sorts Chinese names the way people expect."""
    readings = readings_of(name)
    return " ".join(readings[0])[:240] if readings else ""


@functools.lru_cache(maxsize=32768)
def name_tokens(name: str) -> tuple[str, ...]:
    plain = _plain(name).lower()
    tokens = {plain[i:] for i in range(min(len(plain), 12))}
    for syllables in readings_of(name):
        tokens.add("".join(syllables))
        tokens.add("".join(s[0] for s in syllables))
        tokens.update("".join(syllables[i:]) for i in range(1, min(len(syllables), 4)))
    return tuple(t for t in tokens if t)


def search_tokens(name: str, id_number: str | None, *phones: str) -> list[str]:
    """What a person is found by: name, pinyin, initials, last four of the id number, phones."""
    tokens = set(name_tokens(name))
    if id_number:
        tokens.add(id_number[-4:].lower())
    tokens.update(phone for phone in phones if phone)
    return sorted(tokens)


def some_of(names: list[str], at_most: int = 10) -> str:
    """张三、李四、王五; of many the first, and how many there are."""
    more = f"等 {len(names)} 人" if len(names) > at_most else ""
    return "、".join(names[:at_most]) + more
