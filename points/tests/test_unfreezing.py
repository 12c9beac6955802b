"""What was asked about a closed account does not outlive its opening."""

import pytest

from cadres.roles import Role
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger
from points.models import Account, Settlement
from points.tests.make import DAY, balance, make_cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    make_cycle()
    person = make_retiree()
    ledger.award(source="x:1", retiree=person, code="study_meeting", on=DAY, by=None)
    ledger.freeze(retiree=person, why="转出")
    return Account.objects.get(retiree=person)


def asked(account) -> Settlement:
    return actions.ask_settlement(
        account=account, kind="void", receiver="", reason="转出", by=make_user()
    )


def test_a_ruling_that_waits_goes_with_the_closing(account):
    ruling, head = asked(account), make_user(role=Role.OFFICE_HEAD)
    ledger.unfreeze(retiree=account.retiree)
    with pytest.raises(ledger.LedgerRefusedError):
        actions.decide_settlement(settlement=ruling, agreed=True, by=head)
    ledger.freeze(retiree=account.retiree, why="去世")
    assert asked(account).pk != ruling.pk  # the next departure is ruled about anew
    assert balance(account.retiree) == 2


def test_one_that_was_decided_stays(account):
    ruling = asked(account)
    actions.decide_settlement(
        settlement=ruling, agreed=False, by=make_user(role=Role.OFFICE_HEAD), words="等家属"
    )
    ledger.unfreeze(retiree=account.retiree)
    assert Settlement.objects.get().words == "等家属"
