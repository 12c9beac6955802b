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


@dataclass(frozen=True)
class Match:
    """What was found: `pk` None when nothing is clear, with the nearest names as suggestions."""

    pk: int | None
    name: str = ""
    is_close: bool = False
    suggestions: tuple[str, ...] = ()


@functools.lru_cache(maxsize=16384)
def normal(text: str) -> str:
    """Without blanks and full-width forms."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


_NUMERALS = re.compile(r"[一二三四五六七八九十\d]+")


class NameIndex:
    """Names and aliases of one kind of thing.

    `official`: name → pk; `aliases`: other name → pk, or None for one that staff must choose.
    `stems` shortens a name to what may be compared (永安镇 → 永安).
    """

    def __init__(self, official: dict, aliases: dict | None = None, stem=None, hints=None):
        self.display = {pk: name for name, pk in official.items()}
        self.known = {normal(k): v for k, v in (aliases or {}).items()}
        self.known |= {normal(k): v for k, v in official.items()}
        self.hints = {normal(k): v for k, v in (hints or {}).items()}
        self.stem = stem or (lambda text: text)
        self._answers: dict[str, Match] = {}

    def find(self, text: str) -> Match:
        key = normal(text)
        if key not in self._answers:
            self._answers[key] = self._find(key)
        return self._answers[key]

    def _find(self, key: str) -> Match:
        for tried in (key, self.stem(key)):
            if tried in self.known:
                pk = self.known[tried]
                if pk is None:
                    return Match(None, suggestions=self.hints.get(tried, ()))
                return Match(pk, self.display[pk])
        return self._close(key)

    def _close(self, key: str) -> Match:
        best: dict[int, float] = {}
        for name, pk in self.known.items():
            if pk is not None:
                best[pk] = max(best.get(pk, 0), likeness(self.stem(key), self.stem(name)))
        ranked = sorted(best.items(), key=lambda item: -item[1])[:4]
        if ranked and ranked[0][1] >= CLOSE and _is_clear(ranked):
            return Match(ranked[0][0], self.display[ranked[0][0]], is_close=True)
        near = [self.display[pk] for pk, score in ranked if score >= 0.5][:3]
        return Match(None, suggestions=tuple(near))


def _is_clear(ranked: list[tuple[int, float]]) -> bool:
    return len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= MARGIN


def likeness(one: str, other: str) -> float:
    """0 to 1; names that differ in a number (第二党支部, 第三党支部) are never alike."""
    if one == other:
        return 1.0
    if len(one) < 3 or _NUMERALS.findall(one) != _NUMERALS.findall(other):
        return 0.0
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= 0.5 else 0.0


_COUNTY = re.compile(r"^(重庆市|重庆)?(奉节县)?")


def place_stem(name: str) -> str:
    """A place without county in front and kind behind: 奉节县五马乡 → 五马."""
    bare = _COUNTY.sub("", name)
    short = re.sub(r"(土家族)?(街道|镇|乡)(办事处|人民政府|政府)?$", "", bare)
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
