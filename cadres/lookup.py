"""Finding a unit, a place or a branch by what people write: name, alias, or close spelling."""

import difflib
import functools
import re
import unicodedata
from dataclasses import dataclass

#: Below this likeness (0 to 1) two names are different names.
CLOSE = 0.8
#: A second candidate within this distance makes the first one unclear.
MARGIN = 0.06
#: Shorter names are taken only when they are equal: 县委农办 is not 县委办.
LONG_ENOUGH = 3


@dataclass(frozen=True)
class Match:
    """What was found: `pk` None when nothing is clear, with the nearest names as suggestions.

    `is_unclear`: the name itself is known, but it may mean several (永安镇), and staff choose.
    """

    pk: int | None
    name: str = ""
    is_close: bool = False
    suggestions: tuple[str, ...] = ()
    is_unclear: bool = False


@functools.lru_cache(maxsize=16384)
def normal(text: str) -> str:
    """Without blanks and full-width forms."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


class NameIndex:
    """Names and aliases of one kind of thing.

    `official`: name → pk; `aliases`: other name → pk, or None for one that staff must choose.
    `stem` shortens a name to what may be compared (永安镇 → 永安).
    """

    def __init__(self, official: dict, aliases: dict | None = None, stem=None, hints=None):
        self.display = {pk: name for name, pk in official.items()}
        self.known = {normal(k): v for k, v in (aliases or {}).items()}
        self.known |= {normal(k): v for k, v in official.items()}
        self.hints = {normal(k): v for k, v in (hints or {}).items()}
        self.stem = stem or (lambda text: text)
        self.stems = [(name, self.stem(name), pk) for name, pk in self.known.items()]
        self._answers: dict[str, Match] = {}

    def also(self, name: str, pk: int) -> None:
        """Takes one more name for something known, in this index only."""
        if pk in self.display:
            self.known[normal(name)] = pk
            self._answers.clear()

    def find(self, text: str) -> Match:
        key = normal(text)
        if key not in self._answers:
            self._answers[key] = self._find(key)
        return self._answers[key]

    def _find(self, key: str) -> Match:
        for tried in (key, _COUNTY.sub("", key), self.stem(key)):
            if tried in self.known:
                pk = self.known[tried]
                return Match(pk, self.display[pk]) if pk is not None else self._ask(tried)
        short = self.stem(key)
        same = {pk: name for name, stem, pk in self.stems if stem == short}
        if len(same) > 1 or None in same:
            return self._ask(same.get(None, ""), same)
        if same:
            (pk,) = same
            return Match(pk, self.display[pk], is_close=True)
        return self._close(short)

    def _ask(self, name: str, pks=()) -> Match:
        names = [self.display[pk] for pk in pks if pk is not None]
        return Match(None, suggestions=tuple(self.hints.get(name) or names), is_unclear=True)

    def _close(self, short: str) -> Match:
        """One name that is alike, when no other one is nearly as much so."""
        best: dict[int, tuple[float, bool]] = {}
        for _, stem, pk in self.stems:
            if pk is not None:
                found = (likeness(short, stem), may_be(short, stem))
                best[pk] = max(best.get(pk, (0.0, False)), found)
        ranked = sorted(best.items(), key=lambda item: item[1], reverse=True)[:8]
        if ranked and _is_clear([found for _, found in ranked]):
            pk = ranked[0][0]
            return Match(pk, self.display[pk], is_close=True)
        near = [self.display[pk] for pk, (score, _) in ranked if score >= 0.5][:3]
        return Match(None, suggestions=tuple(near))


def _is_clear(ranked: list[tuple[float, bool]]) -> bool:
    """Whether the first one may be meant, and nothing else stands in its way."""
    (score, possible), *others = ranked
    return (
        possible
        and score >= CLOSE
        and all(score - other >= (MARGIN if meant else 0.001) for other, meant in others)
    )


_NUMERALS = re.compile(r"[一二三四五六七八九十\d]+")


def may_be(one: str, other: str) -> bool:
    """Whether one may be meant by the other: 第二党支部 never means 第三党支部."""
    if min(len(one), len(other)) < LONG_ENOUGH:
        return one == other
    return _NUMERALS.findall(one) == _NUMERALS.findall(other)


def likeness(one: str, other: str) -> float:
    """0 to 1; below a half it is only said to be 0."""
    shared = len(set(one) & set(other)) + 1
    if shared * 4 < len(one) + len(other):
        return 0.0
    score = difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
    return score if score >= 0.5 else 0.0


_COUNTY = re.compile(r"^(重庆市|重庆)?(奉节县)?")


def place_stem(name: str) -> str:
    """A place without county in front and kind behind: 奉节县五马乡 → 五马."""
    bare = _COUNTY.sub("", name)
    short = re.sub(r"(土家族)?(街道|镇|乡)(办事处|办|人民政府|政府)?$", "", bare)
    return short if len(short) >= 2 else bare


def unit_stem(name: str) -> str:
    """A unit without the county: 奉节县教育委员会 and 县教育委员会 → 教育委员会."""
    return re.sub(r"^(中共|国家税务总局|政协)?(重庆市)?(奉节县|县)", "", name)


def branch_stem(name: str) -> str:
    """A branch without what all branch names share."""
    bare = re.sub(r"^(中共)?(奉节县)?", "", name)
    return re.sub(r"(离退休干部|离退休|退休干部|老干部|老年)?(党支部|支部)(委员会)?$", "", bare)


def community_stem(name: str) -> str:
    """朝阳社区居民委员会, 朝阳社区居委会, 朝阳社区 → 朝阳社区; 桥湾村村民委员会 → 桥湾村."""
    short = re.sub(r"(居民委员会|居委会)$", "", name)
    short = re.sub(r"村?(村民委员会|村委会)$", "村", short)
    return re.sub(r"(?<=.)村$", "村", short)


def short_community_name(name: str) -> str:
    """The display name of an official one: 真武村民委员会 → 真武村."""
    return community_stem(name)
