"""Any sequence of what people do with points: after each step the books say what an independent
oracle says, every proof of the books holds, and a step that was refused has changed nothing."""

import datetime
from collections import Counter
from decimal import Decimal

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from cadres.jobs import RefusedError
from cadres.tests.make import make_retiree, make_user
from points import actions, ledger, rollover
from points.audit import audit
from points.models import Account, Cycle, Posting, Shortfall
from points.tests import books
from points.tests.make import make_cycle, make_rule
from points.tests.oracle import Books, Cause, Law, Refused, Year

LAWS = [
    Law("free", datetime.date(2020, 1, 1), 4),
    Law("hour", datetime.date(2020, 1, 1), 3, cap=10),
    Law("hour", datetime.date(2024, 12, 1), 5, cap=17),
    Law("hour", datetime.date(2025, 2, 1), 2, cap=9),
    Law("off", datetime.date(2020, 1, 1), 3, on=False),
    Law("fine", datetime.date(2020, 1, 1), 6, costs=True),
]
#: The policies of the years: how much is carried over.
POLICIES = [(0, None), (50, 7), (33, None), (100, 12)]

#: Of each of these some must have gone through in a run.
EVERYTHING = [
    "award_many", "deduct_many", "reverse", "spend", "refund", "ask_adjustment", "ask_deduction",
    "decide_adjustment", "supplement", "refuse", "ask_waiver", "waive", "freeze", "unfreeze",
    "ask_settlement", "decide_settlement", "begin_closing", "publish",
    "withdraw", "close",
]  # fmt: skip

a_person = st.integers(0, 3)
a_source = st.sampled_from([f"s{number:02d}" for number in range(36)])
a_day = st.sampled_from([0, 0, 0, 1, 1, 3, 3, 10, 25, 60, 400, -2])  # so many days ago
a_code = st.sampled_from(["free", "free", "hour", "hour", "hour", "off", "fine"])
a_cost = st.sampled_from(["fine", "fine", "fine", "free"])
some_units = st.sampled_from([Decimal(1), Decimal(2), Decimal("0.5"), Decimal("1.25")])
a_user = st.sampled_from(["甲", "乙", "丙"])
an_amount = st.integers(1, 9)
a_number = st.integers(0, 99)


def silently(call, **arguments) -> None:
    call(**arguments)


class Ledger(RuleBasedStateMachine):
    """The set-up (`people`, `users`) stands in the database; an example is rolled back."""

    people: list
    users: dict
    tally: Counter

    def __init__(self):
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.travel = time_machine.travel("2024-11-20 10:00 +0800", tick=False)
        self.clock = self.travel.start()
        self.today = datetime.date(2024, 11, 20)
        years = [self.make_year(number) for number in (2024, 2025)]
        self.oracle = Books(years, LAWS)
        self.adjustments, self.settlements = [], []
        self.before = self.read()
        self.places = {person.pk: place for place, person in enumerate(self.people)}

    def make_year(self, number: int) -> Year:
        percent, most = POLICIES[number % 2 + 1]
        until = datetime.date(number + 1, 1, 31)
        make_cycle(number, redeem_until=until, carry_percent=percent, carry_cap=most)
        return Year(number, until, percent, most)

    def teardown(self):
        try:
            assert audit().findings == []
        finally:
            self.travel.stop()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # ---- one step -------------------------------------------------------------------------------

    def step(self, name: str, done, foretold) -> None:
        """Does it and lets the oracle do it: the same answer, or the same refusal and no change."""
        answer, refusal = self.answer(done, RefusedError, lambda e: type(e).__name__)
        said, said_refusal = self.answer(foretold, Refused, str)
        assert (refusal, answer) == (said_refusal, said), name
        now = self.read()
        if refusal:
            assert now["checksum"] == self.before["checksum"], f"{name}: {refusal}"
        self.tally["steps"] += 1
        self.tally["refused" if refusal else "went through"] += 1
        if now["checksum"] != self.before["checksum"]:
            self.tally["accepted"] += 1
            self.tally[name] += 1
        self.before = now
        self.compare(now)

    def read(self) -> dict:
        return books.read()

    @staticmethod
    def answer(call, refusing, named):
        try:
            return call(), ""
        except refusing as refusal:
            return None, named(refusal)

    def compare(self, now: dict) -> None:
        assert now["findings"] == []
        oracle = self.oracle
        assert {(a["who"], a["year"]): (a["balance"], a["frozen"]) for a in now["accounts"]} == {
            (self.people[who].pk, year): (purse.balance, purse.frozen)
            for (who, year), purse in oracle.purses.items()
        }
        assert {
            p["source"]: (p["state"], p["due"], p["posted"], p["cut"], p["short"], p["undo"])
            for p in now["postings"]
        } == {
            source: (claim.state, claim.due, claim.got, claim.cut, claim.short, claim.undo_waits)
            for source, claim in self.counted()
        }
        assert {p["source"]: p["year"] for p in now["postings"]} == {
            source: claim.purse and claim.purse.year for source, claim in oracle.claims.items()
        }
        assert [
            (self.places[s["who"]], s["amount"], s["left"], s["waived"], s["cancelled"])
            for s in now["shortfalls"]
        ] == [(d.who, d.amount, d.left, d.waived, d.cancelled) for d in oracle.debts]
        assert {(s["year"], s["kind"]): s["sum"] for s in now["sums"]} == {
            key: amount for key, amount in oracle.sums.items() if amount
        }

    def counted(self):
        return self.oracle.claims.items()

    def whom(self, source: str, stranger: int) -> int:
        """A source is nearly always of the same person."""
        return stranger if stranger and stranger % 17 == 0 else int(source[1:]) % 4

    def causes(self, drawn) -> list[Cause]:
        found = {}
        for source, code, ago, units, stranger in drawn:
            day = self.today - datetime.timedelta(ago)
            who = self.whom(source, stranger) % 4
            found.setdefault(source, Cause(source, who, code, day, units))
        return list(found.values())

    def real(self, causes: list[Cause]) -> list[ledger.Cause]:
        return [
            ledger.Cause(c.source, self.people[c.who].pk, c.code, c.day, c.units) for c in causes
        ]

    def second(self, first: str | None, by: str, number: int) -> str:
        """Who decides is nearly always somebody else than who asked."""
        return by if by != first or number % 10 == 0 else "甲乙丙甲"["甲乙丙".index(by) + 1]

    def frozen(self) -> list[int]:
        return [purse.who for purse in self.oracle.purses.values() if purse.frozen]

    def year(self, number: int) -> int:
        """One of the years there are, mostly one that moves."""
        years = self.oracle.years.values()
        moving = [year.number for year in years if year.moves(self.today)]
        years = moving if moving and number % 6 else list(self.oracle.years)
        return years[number % len(years)]

    # ---- causes ---------------------------------------------------------------------------------

    @rule(
        drawn=st.lists(
            st.tuples(a_source, a_code, a_day, some_units, a_number), min_size=1, max_size=5
        ),
        by=a_user,
        twice=st.booleans(),
    )
    def award_many(self, drawn, by, twice):
        causes = self.causes(drawn)
        causes = causes * 2 if twice else causes
        self.step(
            "award_many",
            lambda: set(ledger.award_many(causes=self.real(causes), by=self.users[by])),
            lambda: self.oracle.award(causes, self.today, by),
        )

    @rule(source=a_source, code=a_code, ago=a_day, units=some_units, by=a_user)
    def award(self, source, code, ago, units, by):
        self.award_many([(source, code, ago, units, 0)], by, False)

    @rule(
        drawn=st.lists(
            st.tuples(a_source, a_cost, a_day, some_units, a_number), min_size=1, max_size=3
        ),
        by=a_user,
    )
    def deduct_many(self, drawn, by):
        causes = self.causes(drawn)
        self.step(
            "deduct_many",
            lambda: ledger.deduct_many(causes=self.real(causes), by=self.users[by]),
            lambda: self.oracle.deduct(causes, self.today, by),
        )

    @rule(source=a_source, number=a_number, by=a_user)
    def reverse(self, source, number, by):
        claims = self.oracle.claims
        alive = [name for name, claim in claims.items() if claim.state in ("posted", "waiting")]
        source = source if not alive or number % 10 == 0 else alive[number % len(alive)]
        self.step(
            "reverse",
            lambda: ledger.reverse(source=source, by=self.users[by]),
            lambda: self.oracle.reverse(source, self.today, by),
        )

    def waiting(self, number: int) -> str | None:
        """The source of a posting, of one that waits for a second person if there is any."""
        claims = self.oracle.claims
        found = [s for s, c in claims.items() if c.state == "waiting" or c.undo_waits]
        found = found or list(claims)
        return found[number % len(found)] if found else None

    @precondition(lambda self: self.waiting(0))
    @rule(number=a_number, by=a_user)
    def supplement(self, number, by):
        if source := self.waiting(number):
            by = self.second(self.oracle.claims[source].sent_by, by, number)
            posting = Posting.objects.get(source=source)
            self.step(
                "supplement",
                lambda: ledger.supplement(posting=posting, by=self.users[by], reason="属实"),
                lambda: self.oracle.supplement(source, self.today, by),
            )

    @precondition(lambda self: self.waiting(0))
    @rule(number=a_number, by=a_user)
    def refuse(self, number, by):
        if source := self.waiting(number):
            by = self.second(self.oracle.claims[source].sent_by, by, number)
            posting = Posting.objects.get(source=source)
            self.step(
                "refuse",
                lambda: ledger.refuse(posting=posting, by=self.users[by], reason="不属实"),
                lambda: self.oracle.refuse(source, by),
            )

    # ---- spending -------------------------------------------------------------------------------

    @rule(key=st.integers(0, 60), who=a_person, number=a_number, amount=an_amount)
    def spend(self, key, who, number, amount):
        key, who, year = f"k{key}", (who if number % 7 == 0 else key % 4), self.year(number)
        purse = self.oracle.purses.get((who, year))
        if purse and number % 8:
            amount = min(amount, purse.balance) or amount
        person, cycle = self.people[who], Cycle.objects.get(year=year)

        def spent():
            ledger.spend(key=key, retiree=person, cycle=cycle, amount=amount, by=None)

        self.step("spend", spent, lambda: self.oracle.spend(key, who, year, amount, self.today))

    @rule(number=a_number)
    def spend_all(self, number):
        """What a reversal cannot take any more: many shortfalls come from here."""
        rich = [
            purse for purse in self.oracle.purses.values() if purse.balance and not purse.frozen
        ]
        if rich:
            purse = rich[number % len(rich)]
            key, amount, year = f"all{len(self.oracle.spent)}", purse.balance, purse.year
            who, cycle = purse.who, Cycle.objects.get(year=year)

            def spent():
                ledger.spend(key=key, retiree=self.people[who], cycle=cycle, amount=amount, by=None)

            self.step("spend", spent, lambda: self.oracle.spend(key, who, year, amount, self.today))

    @precondition(lambda self: self.oracle.spent)
    @rule(number=a_number)
    def refund(self, number):
        spent = self.oracle.spent
        keys = [key for key in spent if not spent[key].back] if number % 10 else [*spent]
        keys = keys or ["never"]
        key = keys[number % len(keys)]

        def given_back():
            ledger.refund(key=key, by=None)

        self.step("refund", given_back, lambda: self.oracle.refund(key, self.today))

    # ---- by two persons -------------------------------------------------------------------------

    @precondition(lambda self: len(self.adjustments) < 3)
    @rule(who=a_person, number=a_number, amount=st.integers(-9, 9), by=a_user)
    def ask_adjustment(self, who, number, amount, by):
        person, cycle = self.people[who], Cycle.objects.get(year=self.year(number))

        def asked():
            self.adjustments.append(
                (
                    actions.ask_adjustment(
                        retiree=person, cycle=cycle, amount=amount, reason="核对", by=self.users[by]
                    ),
                    who,
                    by,
                    None,
                )
            )

        def foretold():
            purse = self.oracle.purses.get((who, cycle.year))
            if not amount:
                raise Refused("LedgerRefusedError")
            if (purse.balance if purse else 0) + amount < 0:
                raise Refused("InsufficientPointsError")

        self.step("ask_adjustment", asked, foretold)

    @precondition(lambda self: len(self.adjustments) < 3)
    @rule(who=a_person, ago=a_day, by=a_user)
    def ask_deduction(self, who, ago, by):
        day = self.today - datetime.timedelta(ago)
        person = self.people[who]

        def asked():
            found = actions.ask_deduction(
                retiree=person, code="fine", on=day, reason="批评", by=self.users[by]
            )
            self.adjustments.append((found, who, by, day))

        def foretold():
            years = self.oracle.years.values()
            if day > self.today or not any(y.starts <= day <= y.ends for y in years):
                raise Refused("LedgerRefusedError")

        self.step("ask_deduction", asked, foretold)

    @precondition(lambda self: self.adjustments)
    @rule(number=a_number, agreed=st.sampled_from([True, True, True, False]), by=a_user)
    def decide_adjustment(self, number, agreed, by):
        place = number % len(self.adjustments)
        asked, who, asked_by, day = self.adjustments[place]
        by = self.second(asked_by, by, number)

        def decided():
            actions.decide_adjustment(adjustment=asked, agreed=agreed, by=self.users[by])

        def foretold():
            if asked_by == by:
                raise Refused("SecondPersonError")
            if agreed and day:
                cause = Cause(f"points.adjustment:{asked.pk}", who, "fine", day)
                self.oracle.deduct([cause], self.today, asked_by)
            elif agreed:
                self.oracle.adjust(who, asked.cycle.year, asked.amount, self.today)
            del self.adjustments[place]

        self.step("decide_adjustment", decided, foretold)

    @precondition(lambda self: not self.frozen())
    @rule(who=a_person)
    def freeze(self, who):
        self.step(
            "freeze",
            lambda: silently(ledger.freeze, retiree=self.people[who], why="核实"),
            lambda: self.oracle.freeze(who, True),
        )

    @precondition(lambda self: self.frozen())
    @rule(who=a_person)
    def unfreeze(self, who):
        frozen = self.frozen()
        who = frozen[who % len(frozen)]
        self.step(
            "unfreeze",
            lambda: silently(ledger.unfreeze, retiree=self.people[who]),
            lambda: self.opened(who),
        )

    def opened(self, who: int) -> None:
        """Rulings that wait were about the closed account."""
        self.oracle.freeze(who, False)
        self.settlements = [asked for asked in self.settlements if asked[1] != who]

    @precondition(lambda self: self.oracle.purses)
    @rule(number=a_number, kind=st.sampled_from(["family", "paid", "void"]), by=a_user)
    def ask_settlement(self, number, kind, by):
        purses = list(self.oracle.purses)
        frozen = [at for at in purses if self.oracle.may_be_settled(*at)]
        frozen = frozen if frozen and number % 10 else purses
        who, year = frozen[number % len(frozen)]
        account = Account.objects.get(retiree=self.people[who], cycle__year=year)

        def asked():
            found = actions.ask_settlement(
                account=account, kind=kind, receiver="家属", reason="去世", by=self.users[by]
            )
            self.settlements.append((found, who, year, by))

        def foretold():
            if not self.oracle.may_be_settled(who, year):
                raise Refused("NothingThereError")
            if any((who, year) == other[1:3] for other in self.settlements):
                raise Refused("LedgerRefusedError")

        # The oracle looks first: the list changes with what is done.
        said = self.answer(foretold, Refused, str)[1]
        self.step("ask_settlement", asked, lambda: self.say(said))

    @staticmethod
    def say(refusal: str) -> None:
        if refusal:
            raise Refused(refusal)

    @precondition(lambda self: self.settlements)
    @rule(number=a_number, agreed=st.sampled_from([True, True, False]), by=a_user)
    def decide_settlement(self, number, agreed, by):
        place = number % len(self.settlements)
        asked, who, year, asked_by = self.settlements[place]
        by = self.second(asked_by, by, number)

        def decided():
            actions.decide_settlement(settlement=asked, agreed=agreed, by=self.users[by])

        def foretold():
            if asked_by == by:
                raise Refused("SecondPersonError")
            if agreed:
                if self.oracle.years[year].status == "closed":
                    raise Refused("NothingThereError")
                self.oracle.settle(who, year, "expired" if asked.kind == "void" else "redeemed")
            del self.settlements[place]

        self.step("decide_settlement", decided, foretold)

    @precondition(lambda self: self.oracle.debts)
    @rule(number=a_number, by=a_user)
    def ask_waiver(self, number, by):
        if self.oracle.debts:
            debts = self.oracle.debts
            left = [place for place, debt in enumerate(debts) if debt.left and not debt.asked_by]
            place = left[number % len(left)] if left else number % len(debts)
            owed = Shortfall(pk=self.before["shortfalls"][place]["id"])
            self.step(
                "ask_waiver",
                lambda: ledger.ask_waiver(shortfall=owed, by=self.users[by], reason="困难"),
                lambda: self.oracle.ask_waiver(place, by),
            )

    @precondition(lambda self: self.oracle.debts)
    @rule(number=a_number, agreed=st.booleans(), by=a_user)
    def waive(self, number, agreed, by):
        debts = self.oracle.debts
        asked = [place for place, debt in enumerate(debts) if debt.asked_by and debt.left]
        if debts:
            place = asked[number % len(asked)] if asked else number % len(debts)
            by = self.second(debts[place].asked_by, by, number)
            owed = Shortfall(pk=self.before["shortfalls"][place]["id"])
            self.step(
                "waive",
                lambda: ledger.waive(shortfall=owed, agreed=agreed, by=self.users[by]),
                lambda: self.oracle.waive(place, agreed, by),
            )

    # ---- time -----------------------------------------------------------------------------------

    @rule(days=st.sampled_from([1, 10, 30, 45]))
    def time_passes(self, days):
        self.move_to(self.today + datetime.timedelta(days))

    def move_to(self, day: datetime.date) -> None:
        if day > self.today:
            self.clock.shift(day - self.today)
            self.today = day

    @precondition(lambda self: any(y.status == "open" for y in self.oracle.years.values()))
    @rule(number=a_number)
    def begin_closing(self, number):
        numbers = [y.number for y in self.oracle.years.values() if y.status == "open"]
        year = min(numbers)
        if number % 3 == 0:
            self.move_to(self.oracle.years[year].ends + datetime.timedelta(2 + number))
        cycle = Cycle.objects.get(year=year)
        self.step(
            "begin_closing",
            lambda: silently(ledger.begin_closing, cycle=cycle),
            lambda: self.oracle.begin_closing(year, self.today),
        )

    @precondition(lambda self: any(not y.published for y in self.oracle.years.values()))
    @rule(number=a_number, by=a_user)
    def publish(self, number, by):
        year = min(y.number for y in self.oracle.years.values() if not y.published)
        if number % 3 == 0:
            self.move_to(self.oracle.years[year].until + datetime.timedelta(1))
        cycle = Cycle.objects.get(year=year)
        self.step(
            "publish",
            lambda: silently(rollover.publish, cycle=cycle, homes={}, by=self.users[by]),
            lambda: self.oracle.publish(year, self.today),
        )

    @precondition(lambda self: any(y.published for y in self.oracle.years.values()))
    @rule(number=a_number, by=a_user)
    def withdraw(self, number, by):
        years = [y.number for y in self.oracle.years.values() if y.published]
        year = years[number % len(years)]
        cycle = Cycle.objects.get(year=year)
        self.step(
            "withdraw",
            lambda: silently(rollover.withdraw, cycle=cycle, reason="有误", by=self.users[by]),
            lambda: self.oracle.withdraw(year),
        )

    @precondition(lambda self: any(y.status == "closing" for y in self.oracle.years.values()))
    @rule(number=a_number)
    def close(self, number):
        year = min(y.number for y in self.oracle.years.values() if y.status == "closing")
        if number % 3:
            self.move_to(self.oracle.years[year].until + datetime.timedelta(1))
        cycle = Cycle.objects.get(year=year)
        self.step(
            "close",
            lambda: silently(ledger.close, cycle=cycle, by=None, batch=1 + number % 3),
            lambda: self.oracle.close(year, self.today),
        )


def run(
    examples: int, steps: int, machine: type[Ledger] = Ledger, least: float = 0.3, **how
) -> Counter:
    """Runs a machine; how many steps there were and how many changed the books, by kind."""
    for law in LAWS:
        make_rule(
            law.code, valid_from=law.since, points=law.points, cap_per_cycle=law.cap,
            direction="deduct" if law.costs else "award", is_enabled=law.on,
        )  # fmt: skip
    machine.people = [make_retiree(name=f"张{n}") for n in "一二三四"]
    machine.users = {name: make_user(name=name) for name in "甲乙丙"}
    machine.tally = Counter()
    books.prepare()
    size = {"max_examples": examples, "stateful_step_count": steps, "database": None}
    phases = how.pop("phases", [Phase.generate, Phase.shrink])
    quiet = {"suppress_health_check": list(HealthCheck), "phases": phases}
    run_state_machine_as_test(machine, settings=settings(**size, **quiet, **how))
    print(dict(machine.tally))
    # A run that is only refused would prove nothing.
    assert machine.tally["accepted"] >= least * machine.tally["steps"]
    return machine.tally


@pytest.mark.django_db(transaction=True)
def test_any_sequence_of_steps_agrees_with_the_oracle():
    run(examples=20, steps=50)


@pytest.mark.slow
@pytest.mark.parametrize("forgotten", ["_grant", "_pay_debts", "_give_back"])
@pytest.mark.django_db(transaction=True)
def test_an_oracle_that_forgets_something_is_contradicted(forgotten, monkeypatch):
    """The negative control: ledger and oracle do not agree whatever is done."""
    monkeypatch.setattr(Books, forgotten, lambda *_: None)
    with pytest.raises(AssertionError):
        run(examples=40, steps=60, phases=[Phase.generate])


@pytest.mark.slow
@pytest.mark.parametrize("half", [1, 2])
@pytest.mark.django_db(transaction=True)
def test_any_long_sequence_of_steps_agrees_with_the_oracle(half):
    """Two halves of 500, other sequences each time; with two processes each has a core."""
    tally = run(examples=500, steps=100, derandomize=False)
    assert [name for name in EVERYTHING if not tally[name]] == []
