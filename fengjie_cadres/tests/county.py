"""A small county for the trust tests: one user of each role, own things and foreign things.

Branch A has a secretary who logs in, a retiree who logs in, and a person; branch B has a person
and a secretary of its own. A's person, B's person and the office's papers carry planted words.
"""

import datetime
import uuid
from dataclasses import dataclass, field

import pytest
from django.utils import timezone

from branches.models import Branch, CommitteeSeat, ImportBatch, Membership, MissingPerson, StagedRow
from branches.tests.make import make_branch
from cadres.models import (
    CareRecord,
    Community,
    Export,
    Heartbeat,
    Job,
    Retiree,
    Township,
    Unit,
    User,
)
from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user, some_community, some_unit
from fengjie_cadres.tests.county_year_end import plant_year_end
from fengjie_cadres.tests.planting import ABOUT_PEOPLE, OF_THE_OFFICE, Garden
from points import actions, ledger, redemption
from points.models import (
    Account,
    Adjustment,
    Redemption,
    Reward,
    Settlement,
    Shortfall,
    Transfer,
)
from points.tests.make import awarded, make_cycle, make_day, make_picture, make_stock

SINCE = datetime.date(2025, 1, 1)
STRANGER, DISABLED, NO_ROLE, SECRETARY = "stranger", "disabled", "no_role", "secretary"
STAFF, HEAD, LEADER = Role.OFFICE_STAFF.value, Role.OFFICE_HEAD.value, Role.LEADER.value
CONTACT, RETIREE, AUDITOR = Role.CONTACT.value, Role.RETIREE.value, Role.AUDITOR.value
#: Everybody a page may be opened by; a stranger has no user, a disabled one counts as a stranger.
ROLES = [STRANGER, DISABLED, NO_ROLE, CONTACT, RETIREE, SECRETARY, AUDITOR, LEADER, STAFF, HEAD]
#: For tests that take long: those who see the most pages, and those who differ from them by little
#: or see next to nothing, are asked among the slow tests.
_SLOW = {DISABLED, NO_ROLE, AUDITOR, LEADER, STAFF, HEAD, CONTACT}
EACH_ROLE = [
    pytest.param(role, marks=pytest.mark.slow) if role in _SLOW else role for role in ROLES
]


@dataclass
class County:
    users: dict[str, User | None]
    branch_a: Branch
    branch_b: Branch
    person_a: Retiree
    person_b: Retiree
    garden: Garden
    papers: dict[type, object]
    own: dict[tuple[str, str], object] = field(default_factory=dict)

    def seen(self, kind: str, role: str):
        """An object of a kind that the role may see; one that is not the role's at the worst."""
        return self.own.get((kind, role)) or self.own[kind, STAFF]

    def foreign(self, kind: str, role: str):
        """One that is somebody else's."""
        return self.own[kind, "foreign"]


def build() -> County:
    garden = Garden()
    branch_a, branch_b = make_branch("甲测试党支部"), make_branch("乙测试党支部")
    secretary = served(branch_a, name="甲书记")
    CommitteeSeat.objects.create(branch=branch_a, retiree=secretary, kind="secretary", since=SINCE)
    users = make_users(secretary, served(branch_a, name="甲本人"))
    other = planted_user(garden)
    links = {User: other, Unit: some_unit(), Community: some_community()}
    links |= {Township: links[Community].township, Branch: branch_b}
    papers = plant_papers(garden, links)
    person_a = plant_person(garden, "A", branch_a, links | {User: users[STAFF]})
    person_b = plant_person(garden, "B", branch_b, links | papers)
    seat = served(branch_b, name="乙书记")
    CommitteeSeat.objects.create(branch=branch_b, retiree=seat, kind="secretary", since=SINCE)
    plant_rows(garden, papers[ImportBatch], person_b, links)
    plant_points(garden, person_a, "A", users)
    points = plant_points(garden, person_b, "B", users)
    county = County(users, branch_a, branch_b, person_a, person_b, garden, papers)
    county.own = belongings(county) | {(kind, "foreign"): row for kind, row in points.items()}
    county.own |= plant_redemptions(county)
    county.own["comparison", "foreign"] = plant_comparison(garden, links[User])
    county.own |= plant_year_end(county)
    beat_at = timezone.now() + datetime.timedelta(hours=1)  # /readyz answers all the while
    Heartbeat.objects.update_or_create(name="worker", defaults={"beat_at": beat_at})
    return county


def served(branch: Branch, **fields) -> Retiree:
    person = make_retiree(**fields)
    Membership.objects.create(retiree=person, branch=branch, kind="served", since=SINCE)
    return person


def make_users(secretary: Retiree, retiree: Retiree) -> dict[str, User | None]:
    own = {
        RETIREE: {"retiree": retiree},
        CONTACT: {"community": some_community()},
    }
    users = {role.value: make_user(role=role, **own.get(role.value, {})) for role in Role}
    users |= {
        STRANGER: None,
        SECRETARY: make_user(retiree=secretary),
        NO_ROLE: make_user(),
        DISABLED: make_user(role=Role.OFFICE_HEAD, is_active=False),
    }
    return users


def planted_user(garden: Garden) -> User:
    """Somebody at the office whose names are planted too."""
    user = garden.plant(User, "office", {}, password="!")
    user.groups.set(make_user(role=Role.OFFICE_STAFF).groups.all())
    return user


def plant_person(garden: Garden, whose: str, branch: Branch, links: dict) -> Retiree:
    """A person whose every text is planted, with a row of every model that is about people."""
    fields = {"birth_date": "1953-07-15", "sex": "M", "unit": links[Unit]}
    fields |= {"township": links[Township], "community": links[Community]}
    fields |= dict.fromkeys(("work_started", "party_joined", "retired_on"), "1990-07")
    person = garden.plant(Retiree, whose, {}, activity_class="A", **fields)
    Membership.objects.create(retiree=person, branch=branch, kind="served", since=SINCE)
    for model in ABOUT_PEOPLE:
        garden.plant(model, whose, links | {Retiree: person, Branch: branch})
    return person


def plant_papers(garden: Garden, links: dict) -> dict[type, object]:
    """A row of every model that is nobody's but the office's."""
    papers = {}
    for model in OF_THE_OFFICE:
        papers[model] = garden.plant(model, "office", links | papers)
    return papers


def plant_rows(garden: Garden, batch: ImportBatch, person: Retiree, links: dict) -> None:
    for position, verdict in enumerate(("updated", "rejected"), 1):
        garden.plant(
            StagedRow, "office", {}, batch=batch, position=position, row=position,
            verdict=verdict, retiree=person, unit=links[Unit], township=links[Township],
            community=links[Community], branch=links[Branch],
        )  # fmt: skip
    MissingPerson.objects.create(
        batch=batch, retiree=person, ruling="omitted", ruled_by=links[User]
    )


def plant_points(garden: Garden, person: Retiree, whose: str, users: dict) -> dict[str, object]:
    """One of everything that can be decided about a person's points; kind → the row."""
    staff, cycle = users[STAFF], make_cycle()

    def word(model, column: str) -> str:
        return garden.word(model, column, whose)

    source = f"test.county:{person.pk}"
    ledger.award(
        source=source, retiree=person, code="study_meeting", on=SINCE, by=staff,
        memo=word(Transfer, "memo"),
    )  # fmt: skip
    ledger.spend(key=source, retiree=person, cycle=cycle, amount=2, by=staff)
    ledger.reverse(source=source, by=staff, memo=word(Transfer, "memo"))
    adjustment = actions.ask_adjustment(
        retiree=person, cycle=cycle, amount=5, reason=word(Adjustment, "reason"), by=staff
    )
    late = served(person.memberships.first().branch, name="已故的人")
    ledger.award(source=f"{source}!", retiree=late, code="study_meeting", on=SINCE, by=staff)
    ledger.freeze(retiree=late, why=word(Account, "frozen_why"))
    account = Account.objects.get(retiree=late)
    settlement = actions.ask_settlement(
        account=account, kind="family", receiver=word(Settlement, "receiver"), by=staff,
        reason=word(Settlement, "reason"),
    )  # fmt: skip
    waiting = ledger.award(
        source=f"{source}?", retiree=late, code="study_meeting", on=SINCE, by=staff
    )
    return {
        "adjustment": adjustment,
        "account": account,
        "settlement": settlement,
        "posting": waiting,
        "shortfall": Shortfall.objects.get(retiree=person),
        "care": CareRecord.objects.filter(retiree=person).first(),
    }


def plant_redemptions(county: County) -> dict[tuple[str, str], object]:
    """A day with a redemption of somebody of each branch; another one at whose till the contact
    works, today; a reward with a picture."""
    users, today = county.users, timezone.localdate()
    day = make_day(today + datetime.timedelta(days=3), cycle=make_cycle())
    till = make_day(today, cycle=make_cycle(), place="联络员的场次")
    till.operators.add(users[CONTACT])
    soap = make_stock(day, "香皂", 2, brought=99)

    def taken(retiree: Retiree, whose: str) -> Redemption:
        awarded(retiree, 9, by=users[STAFF])
        words = {
            name: county.garden.word(Redemption, name, whose) for name in ("collector", "relation")
        }
        return redemption.serve(
            key=uuid.uuid4(),
            day=day,
            retiree=retiree,
            basket={soap.pk: 1},
            by=users[STAFF],
            **words,
        )

    reward = Reward.objects.get(name="香皂")
    reward.picture = make_picture()
    reward.save()
    return {
        ("day", "foreign"): day,
        ("day", CONTACT): till,
        ("redemption", "foreign"): taken(served(county.branch_b, name="乙兑换"), "B"),
        ("redemption", SECRETARY): taken(served(county.branch_a, name="甲兑换"), "A"),
        ("redemption", RETIREE): taken(users[RETIREE].retiree, "A"),
        ("reward", "foreign"): reward,
    }


def plant_comparison(garden: Garden, user: User) -> ImportBatch:
    """A list of another office that was compared with the county's people."""
    links = {User: user}
    return garden.plant(ImportBatch, "office", links, purpose="compare", scope="none")


def belongings(county: County) -> dict[tuple[str, str], object]:
    """(kind, role) → an object of the role's own; (kind, "foreign") → somebody else's."""
    own = {
        ("person", "foreign"): county.person_b,
        ("person", STAFF): county.person_b,
        ("person", SECRETARY): county.person_a,
        ("person", RETIREE): county.users[RETIREE].retiree,
        ("batch", STAFF): county.papers[ImportBatch],
        ("batch", "foreign"): county.papers[ImportBatch],
        ("job", "foreign"): county.papers[Job],
        ("export", "foreign"): county.papers[Export],
    }
    for role, user in county.users.items():
        if user:
            own["job", role] = Job.objects.create(kind="export", title="自己的", asked_by=user)
            own["export", role] = Export.objects.create(
                kind="roster", title="自己的", state="making", asked_by=user
            )
    return own
