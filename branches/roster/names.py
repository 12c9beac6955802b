"""Names in a file: all that can be known by one, and those that nobody knows."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from branches.models import Branch, BranchAlias, ImportBatch, StagedRow, Verdict
from cadres.lookup import Match, normal
from cadres.models import CommunityAlias, TownshipAlias, UnitAlias
from cadres.rosters import Names

KINDS = {"unit": "单位", "township": "乡镇(街道)", "community": "村(社区)", "branch": "党支部"}
ALIASES = {
    "unit": UnitAlias,
    "township": TownshipAlias,
    "community": CommunityAlias,
    "branch": BranchAlias,
}
#: The problems of a name that nobody knows.
UNKNOWN = {"unit_unknown", "township_unknown", "branch_unknown"}
#: What may follow a unit in one cell: 县教委副局长.
_POST = re.compile(
    r"(原|退休|离休|正|副|党委|党组|党总支|支部|常务|一级|二级|三级|四级|高级|中级|主任|助理|兼|、)*"
    r"([局科股处院校所站镇乡县区部队馆场厂社行会组园委]长|书记|主任|主席|经理|委员|常委|干事|调研员"
    r"|巡视员|科员|职员|办事员|干部|教师|教员|医师|护士|会计|工程师|农艺师|专员|司机|工人|职工|纪检员)$"
)


def known_names() -> Names:
    """Everything that a row may name."""
    known = list(Branch.objects.values_list("pk", "name", "aliases__name"))
    return Names.load(
        {name: pk for pk, name, _ in known}, {alias: pk for pk, _, alias in known if alias}
    )


def names_for(batch: ImportBatch) -> Names:
    """All that the county knows by name, and what staff chose for this file alone."""
    names = known_names()
    for choice in batch.notes.get("mapped", []):
        index = names.index(choice["kind"], choice["township"])
        index.also(choice["name"], choice["pk"])
    return names


@dataclass
class UnknownName:
    """A name in a file that nobody knows, and the rows that are refused for it.

    `township`: within which a community was looked for. `texts`: the cells as they stand, where
    a cell holds unit and post together and `name` is only the likely beginning.
    """

    kind: str
    name: str
    township: int | None = None
    rows: int = 0
    texts: set[str] = field(default_factory=set)
    match: Match = field(default_factory=lambda: Match(None))

    @property
    def key(self) -> str:
        """The same name has the same key, whatever else is in the list."""
        told = f"{self.kind}|{self.township or ''}|{self.name}"
        return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()[:12]

    @property
    def label(self) -> str:
        return KINDS[self.kind]

    @property
    def with_post(self) -> bool:
        return bool(self.texts)

    @property
    def known_as(self) -> Match | None:
        """What the name has come to mean since the file was read."""
        return self.match if self.match.pk and not self.match.is_close else None

    @property
    def is_for_this_file_only(self) -> bool:
        """Without a township, an alias cannot say which of several villages of a name is meant."""
        return self.kind == "community" and self.township is None and self.match.is_unclear


def unknown_names(batch: ImportBatch, names: Names) -> list[UnknownName]:
    """Each unknown name of a staged batch once, what is used most first, kind by kind.

    Those that have become known since the file was read say so (`known_as`).
    """
    found: dict[tuple, UnknownName] = {}
    for kind, text, township, with_post in _refused(batch):
        name = beginning(text) if with_post else normal(text)
        if _can_be_an_alias(kind, name):
            unknown = UnknownName(kind, name, township)
            unknown = found.setdefault((kind, name, township), unknown)
            unknown.rows += 1
            if with_post:
                unknown.texts.add(text)
    for unknown in found.values():
        unknown.match = names.index(unknown.kind, unknown.township).find(unknown.name)
    order = list(KINDS)
    return sorted(found.values(), key=lambda u: (order.index(u.kind), -u.rows, u.name))


def _refused(batch: ImportBatch) -> Iterator[tuple[str, str, int | None, bool]]:
    """(kind, text, township, whether the cell holds a post too) of every unknown name."""
    layout = batch.notes.get("layout", {})
    rows = StagedRow.objects.filter(batch=batch, verdict=Verdict.REJECTED)
    for sheet, township, problems in rows.values_list("sheet", "township_id", "problems"):
        for problem in problems:
            if problem["code"] in UNKNOWN:
                kind = problem["column"]
                with_post = kind == "unit" and layout.get(sheet, {}).get("unit_with_post", False)
                yield kind, problem["value"], township if kind == "community" else None, with_post


def beginning(text: str) -> str:
    """What is likely the unit in 县教委副主任; the whole when no post is seen."""
    name = normal(text)
    while (shorter := _POST.sub("", name)) != name and len(shorter) >= 3:
        name = shorter
    return name


def _can_be_an_alias(kind: str, name: str) -> bool:
    """Neither cut off nor masked (a number in the wrong column)."""
    longest = ALIASES[kind]._meta.get_field("name").max_length
    return 0 < len(name) <= longest and "****" not in name
