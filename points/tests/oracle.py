"""What the ledger should do, said a second time in plain Python: other data, other arithmetic.

Written from design/points.md and not from the SQL. Knows nothing of the database; people are
numbers, users are names, a refusal is the name of the exception expected.
"""

import datetime
from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal


class Refused(Exception):
    pass


@dataclass
class Year:
    number: int
    until: datetime.date
    percent: int = 0
    most: int | None = None
    status: str = "open"
    published: bool = False

    @property
    def starts(self) -> datetime.date:
        return datetime.date(self.number, 1, 1)

    @property
    def ends(self) -> datetime.date:
        return datetime.date(self.number, 12, 31)

    def moves(self, today: datetime.date) -> bool:
        lives = self.status != "closed" and not self.published
        return lives and self.starts <= today <= self.until

    def corrects(self, today: datetime.date) -> bool:
        """Until its end is published, what a year gave wrongly is taken back in it."""
        return self.status != "closed" and not self.published and self.starts <= today


@dataclass(frozen=True)
class Law:
    """A version of a rule."""

    code: str
    since: datetime.date
    points: int
    cap: int | None = None
    costs: bool = False
    on: bool = True


@dataclass
class Purse:
    who: int
    year: int
    number: int
    balance: int = 0
    frozen: bool = False
    expired: int = 0


@dataclass
class Take:
    """Points that a deduction took, and whether they came back."""

    purse: Purse
    amount: int
    back: bool = False


@dataclass
class Debt:
    who: int
    amount: int
    left: int
    waived: int = 0
    cancelled: int = 0
    asked_by: str = ""
    takes: list[Take] = field(default_factory=list)
    #: Of an award that was taken back: where it had given points.
    homes: list[Purse] = field(default_factory=list)


@dataclass
class Claim:
    """A cause and what it got."""

    number: int
    who: int
    law: Law
    purse: Purse | None
    due: int
    sent_by: str | None
    got: int = 0
    cut: int = 0
    short: int = 0
    state: str = "reversed"
    undo_waits: bool = False
    take: Take | None = None
    debt: Debt | None = None
    #: Where it has ever given points.
    homes: list[Purse] = field(default_factory=list)

    def reset(self) -> None:
        self.got = self.cut = self.short = 0
        self.state, self.undo_waits, self.take, self.debt = "reversed", False, None, None

    def taken(self) -> list[Take]:
        takes = [self.take] if self.take else []
        takes += self.debt.takes if self.debt else []
        return [take for take in takes if not take.back]


@dataclass(frozen=True)
class Cause:
    source: str
    who: int
    code: str
    day: datetime.date
    units: Decimal = Decimal(1)


@dataclass
class Spent:
    purse: Purse
    amount: int
    back: bool = False


class Books:
    def __init__(self, years: list[Year], laws: list[Law]):
        self.years = {year.number: year for year in years}
        self.laws = laws
        self.purses: dict[tuple[int, int], Purse] = {}
        self.claims: dict[str, Claim] = {}
        self.debts: list[Debt] = []
        self.spent: dict[str, Spent] = {}
        self.sums: Counter = Counter()

    # ---- what everything stands on -------------------------------------------------------------

    def _flow(self, purse: Purse, amount: int, other: str, *, other_year: int = 0) -> None:
        """Into the purse (or, negative, out of it), from the system's account `other`."""
        purse.balance += amount
        self.sums[other_year or purse.year, other] -= amount
        assert purse.balance >= 0

    def _year_of(self, day: datetime.date) -> Year | None:
        return next((y for y in self.years.values() if y.starts <= day <= y.ends), None)

    def _purse(self, who: int, year: int) -> Purse:
        if (who, year) not in self.purses:
            self.purses[who, year] = Purse(who, year, len(self.purses))
        return self.purses[who, year]

    def _purses_for(self, causes: list[Cause]) -> None:
        years = {(y.number, c.who) for c in causes if (y := self._year_of(c.day))}
        for year, who in sorted(years):
            if self.years[year].status != "closed":
                self._purse(who, year)

    def _purse_at(self, cause: Cause) -> Purse | None:
        year = self._year_of(cause.day)
        return self.purses.get((cause.who, year.number)) if year else None

    def _moves(self, purse: Purse | None, today: datetime.date) -> bool:
        return purse is not None and self.years[purse.year].moves(today)

    def _corrects(self, purse: Purse | None, today: datetime.date) -> bool:
        return purse is not None and self.years[purse.year].corrects(today)

    def _owed(self, causes: list[Cause], costs: bool) -> list[tuple[Cause, Law, int]]:
        """The causes that a rule counts, and how much each is."""
        found = []
        for cause in causes:
            versions = [x for x in self.laws if x.code == cause.code and x.since <= cause.day]
            law = max(versions, key=lambda x: x.since, default=None)
            if law and law.on and law.costs == costs:
                exact = law.points * cause.units
                points = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
                if points > 0:
                    found.append((cause, law, points))
        return found

    def _pay_debts(self, purse: Purse, most: int) -> None:
        for debt in self.debts:
            part = min(debt.left, most) if debt.who == purse.who else 0
            if part > 0:
                self._flow(purse, -part, "issued")
                debt.left -= part
                debt.takes.append(Take(purse, part))
                most -= part

    def _new_debt(self, who: int, amount: int, homes: list[Purse] | None = None) -> Debt:
        self.debts.append(Debt(who, amount, amount, homes=homes or []))
        return self.debts[-1]

    # ---- causes --------------------------------------------------------------------------------

    def award(self, causes: list[Cause], today: datetime.date, by: str | None) -> set[str]:
        if any(cause.day > today for cause in causes):
            raise Refused("NotYetError")
        owed = self._owed(causes, costs=False)
        owners = {cause.source: cause.who for cause, _, _ in owed}
        owners |= {source: claim.who for source, claim in self.claims.items()}
        if any(owners.get(cause.source, cause.who) != cause.who for cause in causes):
            raise Refused("SourceTakenError")
        self._purses_for(causes)
        todo = {}
        for cause, law, points in sorted(owed, key=lambda one: one[0].source):
            claim = self.claims.get(cause.source)
            if claim is None:
                claim = Claim(len(self.claims), cause.who, law, None, points, by)
                self.claims[cause.source] = claim
            if claim.state == "reversed":
                claim.law, claim.due, claim.sent_by = law, points, by
                claim.purse = self._purse_at(cause)
                todo[cause.source] = claim
        for cause in causes:
            if cause.source in self.claims:
                self.claims[cause.source].undo_waits = False
        self._award_or_wait(list(todo.values()), today)
        return set(todo)

    def _award_or_wait(self, claims: list[Claim], today: datetime.date) -> None:
        gained: dict[int, int] = {}
        for claim in sorted(claims, key=lambda one: (one.law.since, one.number)):
            if not self._moves(claim.purse, today) or claim.purse.frozen:
                claim.state = "waiting"
                continue
            self._grant(claim)
            number = claim.purse.number
            gained[number] = gained.get(number, 0) + claim.got
        purses = {purse.number: purse for purse in self.purses.values()}
        for number in sorted(gained):
            self._pay_debts(purses[number], gained[number])

    def _grant(self, claim: Claim) -> None:
        claim.got = claim.due
        if claim.law.cap is not None:
            counted = sum(
                other.got
                for other in self.claims.values()
                if other is not claim
                and other.purse is claim.purse
                and other.law.code == claim.law.code
                and other.state == "posted"
            )
            claim.got = min(claim.due, max(0, claim.law.cap - counted))
        claim.cut = claim.due - claim.got
        claim.state = "posted"
        if claim.got:
            self._flow(claim.purse, claim.got, "issued")
            claim.homes.append(claim.purse)

    def deduct(self, causes: list[Cause], today: datetime.date, by: str | None) -> list[str]:
        if any(cause.day > today for cause in causes):
            raise Refused("NotYetError")

        def order(one):
            year = self._year_of(one[0].day)
            return (year is None, year and year.number, one[0].who, one[0].source)

        owed, done = sorted(self._owed(causes, costs=True), key=order), []
        for cause, _, _ in owed:
            self._may_cost(cause, today)
        self._purses_for(causes)
        for cause, law, points in owed:
            claim = self.claims.setdefault(
                cause.source, Claim(len(self.claims), cause.who, law, None, points, by)
            )
            if claim.state != "reversed":
                claim.undo_waits = False
                continue
            claim.law, claim.due, claim.sent_by = law, points, by
            claim.purse, claim.state = self._purse_at(cause), "posted"
            claim.got = min(points, claim.purse.balance)
            claim.short = points - claim.got
            if claim.got:
                self._flow(claim.purse, -claim.got, "issued")
                claim.take = Take(claim.purse, claim.got)
            if claim.short:
                claim.debt = self._new_debt(cause.who, claim.short)
            done.append(cause.source)
        return done

    def _may_cost(self, cause: Cause, today: datetime.date) -> None:
        claim = self.claims.get(cause.source)
        if claim and claim.who != cause.who:
            raise Refused("SourceTakenError")
        if claim and claim.state != "reversed":
            return
        year = self._year_of(cause.day)
        if year is None or not year.moves(today):
            raise Refused("CycleClosedError")
        purse = self._purse_at(cause)
        if purse and purse.frozen:
            raise Refused("FrozenError")

    def reverse(self, source: str, today: datetime.date, by: str | None) -> str:
        claim = self.claims.get(source)
        if claim is None or claim.state in ("reversed", "refused"):
            return "nothing"
        if claim.state == "waiting":
            claim.state = "reversed"
            return "reversed"
        touched = [claim.purse] + [take.purse for take in claim.taken()]
        goes = self._moves if claim.law.costs else self._corrects
        if claim.got + claim.short and not all(goes(purse, today) for purse in touched):
            claim.undo_waits, claim.sent_by = True, by
            return "waiting"
        if claim.law.costs:
            self._give_back(claim, None, today)
        elif claim.got:
            self._take_back(claim)
        claim.reset()
        return "reversed"

    def _take_back(self, claim: Claim) -> None:
        taken = min(claim.got, claim.purse.balance)
        self._flow(claim.purse, -taken, "issued")
        if taken < claim.got:
            self._new_debt(claim.who, claim.got - taken, claim.homes)

    def _take_back_late(self, claim: Claim) -> None:
        """Of a closed year: not what has expired with it, and that only once."""
        forgiven = sum(d.cancelled for d in self.debts if any(h is claim.purse for h in d.homes))
        expired = min(claim.got, max(0, claim.purse.expired - forgiven))
        debt = self._new_debt(claim.who, claim.got, claim.homes)
        debt.left, debt.cancelled = claim.got - expired, expired

    def _give_back(self, claim: Claim, late: Purse | None, today: datetime.date) -> None:
        came_home = 0
        for take in claim.taken():
            home = take.purse if self._moves(take.purse, today) else late
            self._flow(home, take.amount, "issued")
            if home is take.purse and home is not None and self._moves(take.purse, today):
                take.back = True
                came_home += take.amount if take is not claim.take else 0
        if claim.debt:
            claim.debt.cancelled += claim.debt.left + came_home
            claim.debt.left = 0

    # ---- spending ------------------------------------------------------------------------------

    def spend(self, key: str, who: int, year: int, amount: int, today: datetime.date) -> None:
        purse = self.purses.get((who, year))
        if key in self.spent:
            before = self.spent[key]
            if before.purse is not purse or before.amount != amount:
                raise Refused("SourceTakenError")
            return
        if not self.years[year].moves(today):
            raise Refused("CycleClosedError")
        if purse and purse.frozen:
            raise Refused("FrozenError")
        if purse is None or purse.balance < amount:
            raise Refused("InsufficientPointsError")
        self._flow(purse, -amount, "redeemed")
        self.spent[key] = Spent(purse, amount)

    def refund(self, key: str, today: datetime.date) -> None:
        if key not in self.spent:
            raise Refused("NothingThereError")
        spent = self.spent[key]
        if spent.back:
            return
        year = self.years[spent.purse.year]
        if year.status == "closed" or year.published:
            raise Refused("CycleClosedError")
        self.give_back(spent.purse, spent.amount, today)
        spent.back = True

    def give_back(self, purse: Purse, amount: int, today: datetime.date) -> None:
        """Into the purse, and out of it what its person owes."""
        self._flow(purse, amount, "redeemed")
        if self._moves(purse, today) and not purse.frozen:
            self._pay_debts(purse, amount)

    # ---- by two persons ------------------------------------------------------------------------

    def adjust(self, who: int, year: int, amount: int, today: datetime.date) -> None:
        purse = self.purses.get((who, year))
        if not self.years[year].corrects(today):
            raise Refused("CycleClosedError")
        if purse and purse.frozen:
            raise Refused("FrozenError")
        if (purse.balance if purse else 0) + amount < 0:
            raise Refused("InsufficientPointsError")
        self._flow(self._purse(who, year), amount, "issued")

    def may_be_settled(self, who: int, year: int) -> bool:
        purse = self.purses.get((who, year))
        return bool(purse and purse.frozen and purse.balance)

    def settle(self, who: int, year: int, goes_to: str) -> None:
        if not self.may_be_settled(who, year):
            raise Refused("NothingThereError")
        purse = self.purses[who, year]
        self._flow(purse, -purse.balance, goes_to)

    def supplement(self, source: str, today: datetime.date, by: str) -> str:
        claim = self.claims[source]
        takes_back = claim.undo_waits and not claim.law.costs
        own = self._corrects if takes_back else self._moves
        is_own = own(claim.purse, today)
        open_years = [y.number for y in self.years.values() if y.moves(today)]
        if not is_own and not open_years:
            raise Refused("CycleClosedError")
        if claim.state == "waiting" or claim.undo_waits:
            self._second_person(claim, by)
        if takes_back and not is_own and self.years[claim.purse.year].status != "closed":
            raise Refused("PublishedError")
        purse = self._purse(claim.who, claim.purse.year if is_own else max(open_years))
        if claim.state == "waiting":
            claim.purse = purse
            self._grant(claim)
            self._pay_debts(purse, claim.got)
            return "sent"
        if not claim.undo_waits:
            return "nothing"
        if claim.law.costs:
            self._give_back(claim, purse, today)
        elif is_own:
            self._take_back(claim)
        else:
            self._take_back_late(claim)
            if not purse.frozen:
                self._pay_debts(purse, min(purse.balance, claim.got))
        claim.reset()
        return "sent"

    def refuse(self, source: str, by: str) -> str:
        claim = self.claims[source]
        if claim.state != "waiting" and not claim.undo_waits:
            return "nothing"
        self._second_person(claim, by)
        claim.state = "refused" if claim.state == "waiting" else claim.state
        claim.undo_waits = False
        return "refused"

    @staticmethod
    def _second_person(claim: Claim, by: str) -> None:
        if claim.sent_by == by:
            raise Refused("SecondPersonError")

    def ask_waiver(self, number: int, by: str) -> None:
        debt = self.debts[number]
        if debt.left and not debt.asked_by:
            debt.asked_by = by

    def waive(self, number: int, agreed: bool, by: str) -> int:
        debt = self.debts[number]
        if not debt.left or not debt.asked_by:
            return 0
        if debt.asked_by == by:
            raise Refused("SecondPersonError")
        if not agreed:
            debt.asked_by = ""
            return 0
        debt.waived, debt.left = debt.left, 0
        return debt.waived

    def freeze(self, who: int, frozen: bool) -> None:
        for purse in self.purses.values():
            if purse.who == who:
                purse.frozen = frozen

    # ---- the year's end ------------------------------------------------------------------------

    def begin_closing(self, year: int, today: datetime.date) -> None:
        if self.years[year].status == "open":
            if today <= self.years[year].ends:
                raise Refused("CycleClosedError")
            self.years[year].status = "closing"

    def publish(self, number: int, today: datetime.date) -> None:
        year = self.years[number]
        if year.published:
            return
        if today <= year.until:
            raise Refused("RolloverRefusedError")
        year.status, year.published = "closing", True

    def withdraw(self, number: int) -> None:
        year = self.years[number]
        if year.published and year.status == "closed":
            raise Refused("RolloverRefusedError")
        year.published = False

    def close(self, number: int, today: datetime.date) -> None:
        year = self.years[number]
        if year.status == "closed":
            return
        if year.status != "closing" or today <= year.until:
            raise Refused("CycleClosedError")
        if not year.published:
            raise Refused("NotPublishedError")
        rich = [p for p in self.purses.values() if p.year == number and p.balance]
        if any(purse.frozen for purse in rich):
            raise Refused("FrozenError")
        following = number + 1
        if following not in self.years:
            self.years[following] = Year(following, datetime.date(number + 2, 1, 31))
        for purse in sorted(rich, key=lambda one: one.number):
            carried = purse.balance * year.percent // 100
            carried = carried if year.most is None else min(carried, year.most)
            if carried:
                self._flow(purse, -carried, "carried_out")
                self._flow(self._purse(purse.who, following), carried, "carried_in")
            purse.expired = purse.balance
            self._flow(purse, -purse.balance, "expired")
        year.status = "closed"
