"""The year's end in the county of the trust tests: notices, an objection, a list that waits."""

from cadres.roles import Role
from points import commendations, notices
from points.models import CommendationKind, Objection
from points.tests.make import make_cycle, make_notice

ROLES = ["no_role", "secretary", *Role.values]


def plant_year_end(county) -> dict[tuple[str, str], object]:
    """A published notice is everybody's own; a draft, an objection and a list are the office's."""
    staff, cycle, word = county.users["office_staff"], make_cycle(), county.garden.word
    published = make_notice(cycle, staff)
    draft = notices.make(cycle=cycle, quarter=2, with_names=False, homes={}, by=staff)
    objection = notices.object_to(
        notice=published, by=staff, text=word(Objection, "text", "B"), retiree=county.person_b,
        caller=word(Objection, "caller", "B"),
    )  # fmt: skip
    threshold = commendations.set_threshold(
        cycle=cycle, kind=CommendationKind.CERTIFICATE, points=1, amount=None, by=staff
    )
    rich = list(commendations.candidates(threshold).values_list("pk", flat=True)[:1])
    waiting = commendations.propose(threshold=threshold, accounts=rich, by=staff)
    own = {("notice", role): published for role in ROLES}
    return own | {
        ("notice", "foreign"): draft,
        ("draft", "foreign"): draft,
        ("objection", "foreign"): objection,
        ("commendations", "foreign"): waiting,
    }
