"""The books that the ledger's rows are measured on, and the least that could be written in them."""

import datetime

from django.db import connection
from django.utils import timezone

from bench import database, people, roster
from cadres.models import Retiree
from points import ledger
from points.models import Account, Rule

#: Everybody of the demo county, once awarded: their accounts stand.
BOOKS = database.PREFIX + "books"
CODE = "study_meeting"


def make_books() -> None:
    """The county with a cycle in which everybody has an account."""
    roster.make_full()
    database.make(BOOKS, roster.FULL)
    database.use(BOOKS)
    cycle = ledger.open_cycle(year=today().year)
    ledger.award_many(causes=causes("first", member_ids()), by=None)
    assert Account.objects.of_members().filter(cycle=cycle).count() == people.PEOPLE
    connection.close()
    with database.as_owner(BOOKS) as cursor:
        cursor.execute("VACUUM ANALYZE")


def today() -> datetime.date:
    return timezone.localdate()


def member_ids() -> list[int]:
    """The numbers of all people; without gaps, as pgbench counts through them."""
    found = list(Retiree.objects.order_by("pk").values_list("pk", flat=True))
    assert found[-1] - found[0] == len(found) - 1
    return found


def causes(prefix: str, retirees: list[int]) -> list[ledger.Cause]:
    return [ledger.Cause(f"bench.{prefix}:{pk}", pk, CODE, today(), memo="例会") for pk in retirees]


# ---- the least -----------------------------------------------------------------------------------

#: Posting and transfer as they stand in the end, for each (source, retiree) of {given}. All
#: constraints hold and the balances move, but nothing is locked, looked up, cut or asked again.
#: The posting names the transfer that comes after it: a deferred foreign key lets that pass.
LEAST = """
WITH given AS ({given}), posted AS (
    INSERT INTO points_posting (source, retiree_id, rule_id, code, account_id, occurred_on, due,
        posted, cut, short, revision, state, waits_why, is_reversal_waiting, transfer_id,
        memo, reason)
    SELECT g.source, g.retiree, {rule}, '{code}', a.id, '{day}', {points}, {points}, 0, 0, 1,
        'posted', '', FALSE, nextval('points_transfer_id_seq'), '例会', ''
    FROM given g JOIN points_account a ON a.cycle_id = {cycle} AND a.retiree_id = g.retiree
    RETURNING id, source, account_id, transfer_id
)
INSERT INTO points_transfer (id, cycle_id, from_account_id, to_account_id, amount, kind, rule_id,
    posting_id, key, occurred_on, posted_at, memo)
SELECT transfer_id, {cycle}, {issued}, account_id, {points}, 'award', {rule}, id, source || '#1',
    '{day}', now(), '例会' FROM posted
"""


def least(given: str, code: str = CODE) -> str:
    """That statement for a query of (source, retiree)."""
    rule = Rule.objects.on(today()).get(code=code)
    issued = Account.objects.get(cycle__year=today().year, kind="issued")
    return LEAST.format(
        given=given, rule=rule.pk, code=code, day=today(), points=rule.points,
        cycle=issued.cycle_id, issued=issued.pk,
    )  # fmt: skip
