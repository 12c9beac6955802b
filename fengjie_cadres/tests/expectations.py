"""Which role may open which address, and what the others get. The test walks all of it.

A new address gets a line in PAGES; a new model of the admin gets one in DESK. An address without
a line fails the test, and so does a line without an address.
"""

import re
from collections.abc import Set
from dataclasses import dataclass, field

from fengjie_cadres.tests.county import (
    AUDITOR,
    CONTACT,
    DISABLED,
    HEAD,
    LEADER,
    RETIREE,
    ROLES,
    SECRETARY,
    STAFF,
    STRANGER,
)

#: Outcomes. OK: a page, a file, or a way on to another page of ours.
OK, LOGIN, FORBIDDEN, MISSING, REFUSED = "ok", "to login", "403", "404", "405"

EVERYBODY = frozenset(ROLES)
OUTSIDE = frozenset({STRANGER, DISABLED})
LOGGED_IN = EVERYBODY - OUTSIDE
OFFICE = frozenset({STAFF, HEAD})
LISTS = OFFICE | {LEADER, SECRETARY}  # who sees more people than themselves
NOBODY: Set[str] = frozenset()


@dataclass(frozen=True)
class Page:
    """Who may GET (and HEAD) and who may POST; `others` is what everybody else gets.

    `of` names the kind of object in the address: somebody else's object is missing, exactly as
    one that does not exist. `but` says what a few get instead of `others`, for an object they see.
    A method that is in neither is refused with 405, or as the page is.
    """

    get: Set[str] = NOBODY
    post: Set[str] = NOBODY
    others: str = FORBIDDEN
    of: str = ""
    all_of_them: Set[str] = NOBODY  # who sees every object of the kind
    but: dict[str, str] = field(default_factory=dict)
    is_open: bool = False  # needs no log-in
    answer: str = OK  # what those get who may


PERSON = {"of": "person", "others": MISSING, "all_of_them": OFFICE | {LEADER}}
EXPORT = {"of": "export", "others": MISSING, "all_of_them": {HEAD}}
BATCH = {"of": "batch", "others": FORBIDDEN, "all_of_them": OFFICE}
OF_PERSON = {"of": "person", "others": FORBIDDEN, "all_of_them": OFFICE}  # the office's verbs
CARE = {"of": "care", "others": MISSING, "all_of_them": OFFICE | {LEADER}}
COMPARISON = {"of": "comparison", "others": FORBIDDEN, "all_of_them": OFFICE}
DAY = {"of": "day", "others": MISSING, "all_of_them": OFFICE | {LEADER}}
REDEMPTION = {"of": "redemption", "others": MISSING, "all_of_them": OFFICE | {LEADER}}
REDEEMING = OFFICE | {LEADER, RETIREE, SECRETARY, CONTACT}  # the contact works at a till
NOT_THEIR_DAY = {LEADER: FORBIDDEN, CONTACT: FORBIDDEN}
NOT_THEIRS = {LEADER: FORBIDDEN, RETIREE: FORBIDDEN}  # they see the page, not its verb

PAGES = {
    # ---- for everybody -------------------------------------------------------------------------
    "healthz": Page(get=EVERYBODY, is_open=True),
    "readyz": Page(get=EVERYBODY, is_open=True),
    "privacy": Page(get=EVERYBODY, is_open=True),
    "text-size": Page(post=EVERYBODY, is_open=True),
    "login": Page(get=EVERYBODY, post=EVERYBODY, is_open=True),
    "home": Page(get=LOGGED_IN),
    "logout": Page(post=LOGGED_IN, answer=LOGIN),
    "password": Page(get=LOGGED_IN, post=LOGGED_IN),
    "still-here": Page(post=LOGGED_IN, answer="204"),
    "resume": Page(get=LOGGED_IN, post=LOGGED_IN),
    "role": Page(post=LOGGED_IN),
    "two-step-check": Page(get=EVERYBODY, post=EVERYBODY, is_open=True, answer=LOGIN),
    "two-step": Page(get=OFFICE, post=OFFICE),
    "cadres:job": Page(get=LOGGED_IN, of="job", others=MISSING, all_of_them=OFFICE),
    # ---- people --------------------------------------------------------------------------------
    "cadres:people": Page(get=LISTS),
    "cadres:person": Page(get=LISTS | {RETIREE}, **PERSON),
    "cadres:reveal": Page(post=OFFICE | {SECRETARY}, but=NOT_THEIRS, **PERSON),
    "cadres:reclassify": Page(post=OFFICE),
    "cadres:reclassify-found": Page(get=OFFICE, post=OFFICE),
    "cadres:review-list": Page(get=OFFICE, post=OFFICE),
    "cadres:review": Page(get=OFFICE, post=OFFICE, **OF_PERSON),
    "cadres:class-ledger": Page(get=LISTS),
    "class-totals": Page(get=OFFICE | {LEADER}),
    "cadres:units": Page(get=OFFICE | {LEADER}),
    "branches:branches": Page(get=LISTS),
    "branches:departure": Page(get=OFFICE, post=OFFICE, **OF_PERSON),
    "branches:departure-return": Page(post=OFFICE, **OF_PERSON),
    "branches:departure-take-back": Page(post=OFFICE, **OF_PERSON),
    # ---- care ----------------------------------------------------------------------------------
    "cadres:care": Page(get=LISTS),
    "cadres:care-new": Page(get=OFFICE | {SECRETARY}, post=OFFICE | {SECRETARY}),
    "cadres:care-birthdays": Page(get=LISTS),
    "cadres:care-visits": Page(get=LISTS),
    # Who sees a record without having entered it does not mend it.
    "cadres:care-record": Page(
        get=OFFICE, post=OFFICE, but={SECRETARY: FORBIDDEN, LEADER: FORBIDDEN}, **CARE
    ),
    "cadres:care-void": Page(post=OFFICE, but={SECRETARY: FORBIDDEN, LEADER: FORBIDDEN}, **CARE),
    "cadres:access-log": Page(get=OFFICE | {AUDITOR}),
    "history": Page(get=OFFICE | {AUDITOR}),
    # ---- exports -------------------------------------------------------------------------------
    "exports": Page(get=LOGGED_IN),
    "export-new": Page(get=LISTS, post=LISTS),
    "export": Page(get=LOGGED_IN, **EXPORT),
    "export-decide": Page(post=LOGGED_IN, **EXPORT),  # only a head's has an effect
    "export-file": Page(post=LOGGED_IN, **EXPORT),  # only the own one's
    # ---- imports -------------------------------------------------------------------------------
    "branches:import-list": Page(get=OFFICE),
    "branches:import-new": Page(get=OFFICE, post=OFFICE),
    "branches:import-detail": Page(get=OFFICE, **BATCH),
    "branches:import-rejected": Page(post=OFFICE, **BATCH),
    "branches:import-confirm": Page(post=OFFICE, **BATCH),
    "branches:import-discard": Page(post=OFFICE, **BATCH),
    "branches:import-undo": Page(post=OFFICE, **BATCH),
    "branches:import-names": Page(get=OFFICE, post=OFFICE, **BATCH),
    "branches:import-omitted": Page(post=OFFICE, **BATCH),
    # ---- comparisons ---------------------------------------------------------------------------
    "branches:comparison-list": Page(get=OFFICE),
    "branches:comparison-new": Page(get=OFFICE, post=OFFICE),
    "branches:comparison-detail": Page(get=OFFICE, **COMPARISON),
    "branches:comparison-export": Page(post=OFFICE, **COMPARISON),
    # ---- points --------------------------------------------------------------------------------
    "points:mine": Page(get=OFFICE | {LEADER, RETIREE, SECRETARY}),
    "points:person": Page(get=LISTS | {RETIREE}, **PERSON),
    "points:ledger": Page(get=OFFICE | {LEADER}),
    "points:accounts": Page(get=OFFICE | {LEADER}),
    "points:ranking": Page(get=OFFICE | {LEADER}),
    "points:figures": Page(get=OFFICE | {LEADER}),
    "points:rules": Page(get=OFFICE | {LEADER}),
    "points:audit": Page(get=OFFICE | {LEADER, AUDITOR}),
    "points:adjust": Page(get=OFFICE, post=OFFICE, **OF_PERSON),
    "points:deduct": Page(get=OFFICE, post=OFFICE, **OF_PERSON),
    "points:approvals": Page(get=OFFICE),
    "points:settle": Page(get=OFFICE, post=OFFICE, of="account", all_of_them=OFFICE),
    "points:waive": Page(get=OFFICE, post=OFFICE, of="shortfall", all_of_them=OFFICE),
    "points:adjustment-decide": Page(post={HEAD}, of="adjustment", all_of_them={HEAD}),
    "points:settlement-decide": Page(post={HEAD}, of="settlement", all_of_them={HEAD}),
    "points:posting-decide": Page(post=OFFICE, of="posting", all_of_them=OFFICE),
    "points:shortfall-decide": Page(post=OFFICE, of="shortfall", all_of_them=OFFICE),
    "points:rule-new": Page(get={HEAD}, post={HEAD}),
    # ---- redemption ----------------------------------------------------------------------------
    "points:days": Page(get=OFFICE | {LEADER, CONTACT}),
    "points:day-new": Page(get=OFFICE, post=OFFICE),
    "points:day": Page(get=OFFICE | {LEADER, CONTACT}, **DAY),
    "points:day-edit": Page(get=OFFICE, post=OFFICE, but=NOT_THEIR_DAY, **DAY),
    "points:day-stock": Page(get=OFFICE, post=OFFICE, but=NOT_THEIR_DAY, **DAY),
    "points:day-open": Page(post=OFFICE, but=NOT_THEIR_DAY, **DAY),
    "points:day-finish": Page(get=OFFICE, post=OFFICE, but=NOT_THEIR_DAY, **DAY),
    "points:day-call-off": Page(get=OFFICE, post=OFFICE, but=NOT_THEIR_DAY, **DAY),
    "points:till": Page(
        get=OFFICE | {CONTACT}, post=OFFICE | {CONTACT}, but={LEADER: FORBIDDEN}, **DAY
    ),
    "points:day-sheet": Page(get=OFFICE | {LEADER, CONTACT}, **DAY),
    "points:day-paper": Page(
        get=OFFICE | {CONTACT}, post=OFFICE | {CONTACT}, but={LEADER: FORBIDDEN}, **DAY
    ),
    "points:redemptions": Page(get=OFFICE | {LEADER}),
    "points:slip": Page(get=OFFICE | {LEADER, RETIREE, SECRETARY}, **REDEMPTION),
    "points:cancel": Page(
        get=OFFICE | {RETIREE, SECRETARY},
        post=OFFICE | {RETIREE, SECRETARY},
        but={LEADER: FORBIDDEN},
        **REDEMPTION,
    ),
    "points:picture": Page(get=REDEEMING, of="reward", all_of_them=REDEEMING),
    "points:reserve-find": Page(get=OFFICE | {RETIREE, SECRETARY}),
    "points:reserve": Page(
        get=OFFICE | {RETIREE, SECRETARY},
        post=OFFICE | {RETIREE, SECRETARY},
        but={LEADER: FORBIDDEN},
        **PERSON,
    ),
    # ---- the year's end ------------------------------------------------------------------------
    "points:rollovers": Page(get=OFFICE),
    "points:rollover": Page(get=OFFICE),
    "points:rollover-policy": Page(get={HEAD}, post={HEAD}),
    "points:rollover-publish": Page(post={HEAD}),
    "points:rollover-withdraw": Page(post={HEAD}),
    "points:rollover-start": Page(post={HEAD}),
    "points:rollover-calls": Page(get=OFFICE | {SECRETARY}),
    "points:ranking-groups": Page(get=OFFICE | {LEADER}),
    "points:commendations-latest": Page(get=OFFICE),
    "points:commendations": Page(get=OFFICE),
    "points:threshold": Page(get={HEAD}, post={HEAD}),
    "points:candidates": Page(get=OFFICE, post=OFFICE),
    "points:granted": Page(get=OFFICE),
    "points:certificates": Page(get=OFFICE),
    "points:commendation-list": Page(get=OFFICE, of="commendations", all_of_them=OFFICE),
    "points:commendation-decide": Page(post={HEAD}, of="commendations", all_of_them={HEAD}),
    # Everybody reads what is published and may object; drafts are the office's.
    "points:notices": Page(get=LOGGED_IN),
    "points:notice": Page(
        get=LOGGED_IN, post=LOGGED_IN, of="notice", others=MISSING, all_of_them=OFFICE
    ),
    "points:notice-make": Page(get=OFFICE, post=OFFICE),
    "points:notice-publish": Page(post=OFFICE, of="draft", all_of_them=OFFICE),
    "points:notice-withdraw": Page(post=OFFICE, of="draft", all_of_them=OFFICE),
    "points:objection": Page(get=OFFICE, post=OFFICE, of="objection", all_of_them=OFFICE),
    "points:objection-confirm": Page(post=OFFICE, of="objection", all_of_them=OFFICE),
}

# ---- the desk (admin) --------------------------------------------------------------------------

_DESK_PAGE = Page(get=OFFICE, post=OFFICE, others=LOGIN)
_DESK_READ = Page(get=OFFICE, others=LOGIN)
_SHUT = Page(others=LOGIN, but=dict.fromkeys(OFFICE, FORBIDDEN))
_AWAY = dict.fromkeys(LOGGED_IN - OFFICE, OK)  # sent to the desk's door

PAGES |= {
    "admin:index": _DESK_PAGE,
    "admin:app_list": _DESK_PAGE,
    "admin:login": Page(others=FORBIDDEN, but=dict.fromkeys(OFFICE | OUTSIDE, LOGIN), is_open=True),
    "admin:logout": Page(post=OFFICE, answer=LOGIN, others=LOGIN, but=_AWAY),
    "admin:password_change": _DESK_PAGE,
    "admin:password_change_done": _DESK_PAGE,
    "admin:autocomplete": _DESK_READ,
    "admin:jsi18n": _DESK_READ,
    "admin:view_on_site": _DESK_PAGE,
    "admin:auth_user_password_change": _DESK_PAGE,
    "admin:cadres_user_two_step_off": Page(
        get={HEAD}, post={HEAD}, others=LOGIN, but={STAFF: FORBIDDEN}
    ),
    "admin/<url>": Page(others=LOGIN, but=dict.fromkeys(OFFICE, MISSING)),
}

_ALL = "list add change history"
#: What the office may do with each model; `delete` only where it is said.
DESK = {
    "cadres_retiree": _ALL,
    "cadres_unit": _ALL + " import export",
    "cadres_area": _ALL + " import export",
    "cadres_township": "list change history import export",
    "cadres_communityalias": _ALL + " delete",
    "cadres_townshipalias": _ALL + " delete",
    "cadres_community": _ALL,
    "cadres_user": _ALL + " import export",
    "branches_branch": _ALL + " import export",
    "branches_membership": _ALL,
    "branches_committeeseat": _ALL,
    "branches_importbatch": "list change history",  # a change leads to the batch's own page
    "points_rule": "list look history export",
    "points_reward": _ALL + " import export",
}
VERBS = {"changelist": "list", "add": "add", "change": "change", "history": "history"}
VERBS |= {"delete": "delete", "import": "import", "export": "export", "process_import": "import"}
_ONLY = {"export": _DESK_READ, "process_import": Page(post=OFFICE, others=LOGIN)}


class UnstatedError(LookupError):
    """An address of which nobody has said who may open it."""


def expected(name: str) -> Page:
    """What is stated of an address. Raises UnstatedError."""
    if name in PAGES:
        return PAGES[name]
    found = re.fullmatch(r"admin:([a-z]+_[a-z]+)_(process_import|[a-z]+)", name)
    if found and found[1] in DESK and found[2] in VERBS:
        stated = _of_the_desk(DESK[found[1]].split(), VERBS[found[2]])
        return _ONLY.get(found[2], stated) if stated is _DESK_PAGE else stated
    found = re.fullmatch(r"admin/(\w+)/(\w+)/<object_id>", name)
    if found and f"{found[1]}_{found[2]}" in DESK:
        return _DESK_PAGE  # an old address; leads to the form
    raise UnstatedError(name)


def _of_the_desk(may: list[str], verb: str) -> Page:
    if verb == "change" and "look" in may:
        return Page(get=OFFICE, others=LOGIN, but=dict.fromkeys(OFFICE, FORBIDDEN))
    return _DESK_PAGE if verb in may else _SHUT


def outcomes(page: Page, method: str, role: str, is_seen: bool) -> set[str]:
    """What the role may get; `is_seen`: whether it may see the object in the address at all."""
    if method not in ("GET", "HEAD", "POST"):
        return {REFUSED}
    if role in OUTSIDE and not page.is_open:
        return {LOGIN}
    allowed = page.post if method == "POST" else page.get
    knows = role in page.get | page.post | page.but.keys()
    found = page.but.get(role, page.others)
    if page.of and knows and not is_seen:
        found = MISSING
    elif role in allowed:
        found = page.answer
    return {found} if allowed and method != "HEAD" else {found, REFUSED}
