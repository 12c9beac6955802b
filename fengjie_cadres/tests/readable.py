"""What each role may read of the planted words. What is not said here, nobody of it may meet.

The crawl finds exactly this: a word more is a leak, a word less a line that holds no longer.
Numbers stand nowhere: no role reads one in full by opening a page or an ordinary file.
"""

from fengjie_cadres.tests.county import AUDITOR, HEAD, LEADER, RETIREE, ROLES, SECRETARY, STAFF

#: Reads every word of everybody's: no more is said of them.
READS_ALL = {STAFF, HEAD}

_LISTED = {"Retiree.name", "Retiree.rank", "Retiree.former_post", "ClassChange.reason"}
_OF_POINTS = {"Transfer.memo", "Account.frozen_why"}
_LOOKED_AFTER = {f"CareRecord.{column}" for column in ("place", "visitors", "given", "words")}
_LOOKED_AFTER |= {"Announcement.title", "Announcement.text", "AccessEntry.reason"}
_TAKEN = {"Redemption.collector", "Redemption.relation"}
_LOGGED = {"AccessEntry.reason", "Retiree.name"}
#: In the history: who changed what of places, units, branches, imports and users.
_CHANGED = {f"{name}Alias.name" for name in ("Branch", "Community", "Township", "Unit")}
_CHANGED |= {f"ImportBatch.{column}" for column in ("checksum", "file_name", "refusal")}
_CHANGED |= {"TownshipAlias.note", "User.name", "User.username"}

#: Role → whose rows (A, B, office) → the columns read on pages.
ON_PAGES = {role: {} for role in ROLES}
ON_PAGES[RETIREE] = {"A": _TAKEN}
ON_PAGES[SECRETARY] = {"A": _LISTED | _LOOKED_AFTER | _TAKEN | {"Transfer.memo"}}
ON_PAGES[LEADER] = dict.fromkeys("AB", _LISTED | _OF_POINTS | _TAKEN)
ON_PAGES[AUDITOR] = dict.fromkeys("AB", _LOGGED | {"Membership.source"}) | {"office": _CHANGED}

#: The same of ordinary workbooks, all kinds together.
_IN_ROSTER = _LISTED | {"Retiree.health", "Retiree.ethnic_group"}
_CARE_WORDS = {column for column in _LOOKED_AFTER if column.startswith("CareRecord.")}
IN_FILES = {
    SECRETARY: {"A": _IN_ROSTER | _CARE_WORDS},
    LEADER: dict.fromkeys("AB", _IN_ROSTER | _OF_POINTS | _TAKEN),
}


def stated(table: dict, role: str) -> set[str]:
    """The lines of a role in a token's own words: `A: Retiree.name`."""
    return {f"{whose}: {column}" for whose, columns in table[role].items() for column in columns}
