"""Any sequence of what people do with points, and of what they do with articles: the ledger's
machine and oracle (test_properties.py) with reserving, handing out, cancelling and lapsing."""

import datetime
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from points import redemption
from points.models import Cycle, DayStock, Redemption, RedemptionDay
from points.tests.make import make_stock
from points.tests.oracle import Books, Refused
from points.tests.test_properties import (
    LAWS,
    Ledger,
    a_number,
    a_person,
    a_user,
    run,
    silently,
)

#: (points, brought, per person) of the articles of each day.
ARTICLES = [(1, 4, 2), (3, 2, None)]
DATES = [datetime.date(2024, 12, day) for day in (5, 20)]
DATES += [datetime.date(2025, 3, 10), datetime.date(2026, 1, 15)]
YEARS = [2024, 2024, 2025, 2025]

#: Of each of these some must have gone through in a long run.
EVERYTHING = ["reserve", "serve", "collect", "cancel", "finish", "call_off", "publish", "close"]


# ---- the oracle ----------------------------------------------------------------------------------


@dataclass
class Ticket:
    day: int
    who: int
    basket: tuple[int, int]
    made_on: datetime.date
    state: str
    collected_on: datetime.date | None = None

    @property
    def points(self) -> int:
        return sum(n * points for n, (points, _, _) in zip(self.basket, ARTICLES, strict=True))

    @property
    def is_held(self) -> bool:
        return self.state in ("reserved", "collected")


class Shop(Books):
    """The books, and a shop whose stock is what was brought less what is held."""

    def __init__(self, years, laws):
        super().__init__(years, laws)
        self.tickets: dict[int, Ticket] = {}
        self.days = ["open"] * len(DATES)

    def taken(self, day: int, article: int, who: int | None = None) -> int:
        return sum(
            ticket.basket[article]
            for ticket in self.tickets.values()
            if ticket.day == day and ticket.is_held and who in (None, ticket.who)
        )

    def take(self, key: int, ticket: Ticket) -> None:
        if key in self.tickets:
            before = self.tickets[key]
            if (before.day, before.who) != (ticket.day, ticket.who):
                raise Refused("RefusedError")
            if before.state not in (ticket.state, "collected"):
                raise Refused("DoneBeforeError")
            return
        if self.days[ticket.day] != "open":
            raise Refused("RefusedError")
        if ticket.state == "reserved" and ticket.made_on > DATES[ticket.day]:
            raise Refused("RefusedError")  # at ten in the morning the day itself is not over
        for article, (_, brought, most) in enumerate(ARTICLES):
            wanted = ticket.basket[article]
            if wanted > brought - self.taken(ticket.day, article):
                raise Refused("SoldOutError")
            if most and wanted and self.taken(ticket.day, article, ticket.who) + wanted > most:
                raise Refused("RefusedError")
        name = f"ticket {key}"
        self.spend(name, ticket.who, YEARS[ticket.day], ticket.points, ticket.made_on)
        del self.spent[name]  # given back as a whole, not by the ledger's refund
        self.tickets[key] = ticket

    def collect(self, key: int, today: datetime.date) -> None:
        ticket = self.tickets[key]
        if not ticket.is_held:
            raise Refused("RefusedError")
        if ticket.state == "reserved":
            ticket.state, ticket.collected_on = "collected", today

    def cancel(self, key: int, today: datetime.date, is_office: bool) -> None:
        ticket = self.tickets[key]
        if not ticket.is_held:
            return
        at_once = (
            ticket.collected_on or ticket.made_on
        ) == today  # the clock stands still within a day
        if ticket.state == "reserved":
            before = today < DATES[ticket.day]
            at_once |= before or (is_office and self.days[ticket.day] != "done")
        elif not is_office:
            at_once = False
        if not at_once:
            raise Refused("RefusedError")
        self._back(ticket, "cancelled", today)

    def _back(self, ticket: Ticket, state: str, today: datetime.date) -> None:
        year = self.years[YEARS[ticket.day]]
        if year.status == "closed" or year.published:
            raise Refused("CycleClosedError")
        self.give_back(self.purses[ticket.who, year.number], ticket.points, today)
        ticket.state = state

    def finish(self, day: int, today: datetime.date) -> int:
        if self.days[day] != "open":
            return 0
        if today < DATES[day]:
            raise Refused("RefusedError")
        self.days[day] = "done"
        return self._end(day, "lapsed", today)

    def call_off(self, day: int, today: datetime.date) -> int:
        if self.days[day] != "open":
            return 0
        if any(t.day == day and t.state == "collected" for t in self.tickets.values()):
            raise Refused("RefusedError")
        self.days[day] = "cancelled"
        return self._end(day, "cancelled", today)

    def _end(self, day: int, state: str, today: datetime.date) -> int:
        waiting = [t for t in self.tickets.values() if t.day == day and t.state == "reserved"]
        for ticket in waiting:
            self._back(ticket, state, today)
        return len(waiting)

    def publish(self, number: int, today: datetime.date) -> None:
        is_new = not self.years[number].published
        waiting = any(
            t.state == "reserved" and YEARS[t.day] == number for t in self.tickets.values()
        )
        if is_new and waiting:
            raise Refused("RolloverRefusedError")
        super().publish(number, today)


# ---- the machine ---------------------------------------------------------------------------------


#: Of a short run, which by chance may close its years early; a long one keeps the usual bar.
LEAST = 0.2


class Desk(Ledger):
    """The ledger's machine at a counter."""

    def __init__(self):
        super().__init__()
        self.oracle = Shop(list(self.oracle.years.values()), LAWS)
        self.days, self.stocks = [], []
        for date, year in zip(DATES, YEARS, strict=True):
            cycle = Cycle.objects.get(year=year)
            day = RedemptionDay.objects.create(
                cycle=cycle,
                date=date,
                opens_at="9:00",
                closes_at="16:30",
                place="一楼",
                status="open",
            )
            self.days.append(day)
            self.stocks.append(
                [
                    make_stock(day, name, points, brought=brought, per_person=most)
                    for name, (points, brought, most) in zip(("皂", "米"), ARTICLES, strict=True)
                ]
            )
        self.before = self.read()

    def compare(self, now: dict) -> None:
        super().compare(now)
        oracle = self.oracle
        assert {r.key: (r.state, r.points) for r in Redemption.objects.all()} == {
            uuid.UUID(int=key): (t.state, t.points) for key, t in oracle.tickets.items()
        }
        assert dict(DayStock.objects.values_list("pk", "taken")) == {
            stock.pk: oracle.taken(day, article)
            for day, stocks in enumerate(self.stocks)
            for article, stock in enumerate(stocks)
        }
        states = RedemptionDay.objects.order_by("pk").values_list("status", flat=True)
        assert list(states) == oracle.days

    def take(self, name: str, key: int, day: int, who: int, by: str) -> None:
        """A key is nearly always of the same day and person; its basket it always has."""
        basket = (key % 3, (key // 3) % 2) if key % 6 else (1, 1)
        state = "reserved" if name == "reserve" else "collected"
        at_once = self.today if name == "serve" else None
        ticket = Ticket(day, who, basket, self.today, state, at_once)
        stocks = self.stocks[day]
        fields = {
            "key": uuid.UUID(int=key), "day": self.days[day], "retiree": self.people[who],
            "basket": {stock.pk: n for stock, n in zip(stocks, basket, strict=True) if n},
            "by": self.users[by],
        }  # fmt: skip
        self.step(
            name,
            lambda: silently(getattr(redemption, name), **fields),
            lambda: self.oracle.take(key, ticket),
        )

    def day_of(self, number: int) -> int:
        """Mostly a day that is open and whose year moves."""
        good = [
            place
            for place, state in enumerate(self.oracle.days)
            if state == "open" and self.oracle.years[YEARS[place]].moves(self.today)
        ]
        places = good if good and number % 8 else range(len(DATES))
        return places[number % len(places)]

    def rich(self, day: int, number: int) -> int:
        """Mostly somebody who has points in the day's year."""
        purses = self.oracle.purses.values()
        found = [p.who for p in purses if p.year == YEARS[day] and p.balance and not p.frozen]
        return found[number % len(found)] if found and number % 9 else number % 4

    @precondition(lambda self: any(date >= self.today for date in DATES))
    @rule(key=st.integers(1, 40), number=a_number, by=a_user)
    def reserve(self, key, number, by):
        day = self.day_of(number)
        self.take("reserve", key, day, self.rich(day, number), by)

    @rule(key=st.integers(41, 70), number=a_number, by=a_user)
    def serve(self, key, number, by):
        day = self.day_of(number)
        self.take("serve", key, day, self.rich(day, number), by)

    @precondition(lambda self: self.oracle.tickets)
    @rule(key=st.integers(1, 70), number=a_number, by=a_user)
    def the_same_again(self, key, number, by):
        """A form sent twice, now and then by somebody else."""
        keys = list(self.oracle.tickets)
        key = keys[key % len(keys)]
        ticket = self.oracle.tickets[key]
        who = number % 4 if number % 5 == 0 else ticket.who
        self.take("reserve" if key <= 40 else "serve", key, ticket.day, who, by)

    def ticket(self, number: int) -> int:
        tickets = self.oracle.tickets
        good = [key for key, ticket in tickets.items() if ticket.state == "reserved"]
        keys = good if good and number % 5 else list(tickets)
        return keys[number % len(keys)]

    def one(self, key: int) -> Redemption:
        return Redemption.objects.get(key=uuid.UUID(int=key))

    @precondition(lambda self: self.oracle.tickets)
    @rule(number=a_number, by=a_user)
    def collect(self, number, by):
        key = self.ticket(number)
        self.step(
            "collect",
            lambda: silently(redemption.collect, redemption=self.one(key), by=self.users[by]),
            lambda: self.oracle.collect(key, self.today),
        )

    @precondition(lambda self: self.oracle.tickets)
    @rule(number=a_number, is_office=st.booleans(), by=a_user)
    def cancel(self, number, is_office, by):
        key = self.ticket(number)
        self.step(
            "cancel",
            lambda: silently(
                redemption.cancel,
                redemption=self.one(key),
                by=self.users[by],
                is_office=is_office,
            ),
            lambda: self.oracle.cancel(key, self.today, is_office),
        )

    @rule(number=a_number, who=a_person)
    def finish(self, number, who):
        day = self.day_of(number)
        if who == 0:
            self.move_to(DATES[day])
        self.step(
            "finish",
            lambda: redemption.finish(day=self.days[day], by=None),
            lambda: self.oracle.finish(day, self.today),
        )

    @precondition(lambda self: self.oracle.tickets)
    @rule(number=a_number, by=a_user)
    def call_off(self, number, by):
        if number % 3 == 0:  # a day is not called off as often as that
            day = self.day_of(number)
            self.step(
                "call_off",
                lambda: redemption.call_off(day=self.days[day], by=self.users[by]),
                lambda: self.oracle.call_off(day, self.today),
            )


@pytest.mark.django_db(transaction=True)
def test_any_sequence_at_the_counter_agrees_with_the_oracle():
    run(examples=20, steps=50, machine=Desk, least=LEAST, phases=[Phase.generate])


@pytest.mark.slow
@pytest.mark.parametrize("forgotten", ["_back", "_end"])
@pytest.mark.django_db(transaction=True)
def test_an_oracle_that_gives_nothing_back_is_contradicted(forgotten, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(Shop, forgotten, lambda *_: None)
    with pytest.raises(AssertionError):
        run(examples=40, steps=60, machine=Desk, least=LEAST, phases=[Phase.generate])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_any_long_sequence_at_the_counter_agrees_with_the_oracle():
    tally = run(examples=200, steps=100, machine=Desk, derandomize=False)
    assert [name for name in EVERYTHING if not tally[name]] == []
