"""What the office and the leaders see first: figures as tiles, and people by place and class.

All tiles and bars about people come out of one grouping of them, whatever their number; that
it says what the figures say is proved by a test.
"""

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Case, Count, Q, Value, When
from django.utils import timezone

from branches.models import ImportBatch, ImportState, Purpose
from cadres.charts import Bar, Chart, Part
from cadres.forms import AGE_BANDS, UNCLASSED, people_of
from cadres.models import PARTY_MEMBERS, ActivityClass, Retiree, Township, User
from cadres.models.people import old_enough
from fengjie_cadres.reports.figures import FIGURES, Figure

UNKNOWN_AGE = ""


@dataclass(frozen=True)
class Tile:
    """A figure with its number and the list that it opens."""

    figure: Figure
    number: int
    address: str


class Dashboard:
    """The county on a day, as a user sees it. Two queries about people, one for each other tile."""

    def __init__(self, user: User, on: datetime.date | None = None):
        self.user, self.on = user, on or timezone.localdate()
        self.groups = list(_grouped(user, self.on))

    @property
    def is_past(self) -> bool:
        return self.on < timezone.localdate()

    def number(self, **wanted) -> int:
        """People of the groups whose values are the wanted ones."""
        return sum(
            group["people"]
            for group in self.groups
            if all(group[name] == value for name, value in wanted.items())
        )

    # ---- tiles ------------------------------------------------------------------------------

    def tiles(self) -> list[Tile]:
        numbers = {"retirees": self.number(), "party_members": self.number(is_member=True)}
        for code, _ in ActivityClass.choices:
            numbers[f"class_{code.lower()}"] = self.number(class_then=code)
        if unclassed := self.number(class_then=UNCLASSED):
            numbers["unclassed"] = unclassed
        for code in ("branches", "units"):
            numbers[code] = FIGURES[code].count(self.user)
        return [
            Tile(figure, numbers[code], figure.address(self.on))
            for code, figure in FIGURES.items()
            if code in numbers
        ]

    def trend(self) -> dict[str, int]:
        """What has happened to the people since the year began: came in, died, moved away."""
        first = self.on.replace(month=1, day=1)
        within = (first, self.on)
        return Retiree.objects.filter(
            Q(registered_on__range=within)
            | Q(died_on__range=within)
            | Q(moved_away_on__range=within)
        ).aggregate(
            came=Count("pk", filter=Q(registered_on__range=within)),
            died=Count("pk", filter=Q(died_on__range=within)),
            moved=Count("pk", filter=Q(moved_away_on__range=within, died_on=None)),
        )

    # ---- charts -----------------------------------------------------------------------------

    def by_township(self) -> Chart:
        names = dict(Township.objects.values_list("pk", "name"))
        counts = Counter()
        for group in self.groups:
            counts[group["township_then"], group["class_then"]] += group["people"]
        places = [pk for pk in names if any(counts[pk, c] for c, _ in _classes())]
        bars = [self._place(names[pk], pk, counts) for pk in places]
        bars.sort(key=lambda bar: -bar.total)
        if any(pk is None for pk, _ in counts):
            nowhere = [Part(label, counts[None, code]) for code, label in _classes()]
            bars.append(Bar("没有登记居住地", nowhere))
        series = [label for _, label in _classes()]
        return Chart("各乡镇(街道)，按活动类别", bars, "人", series)

    def _place(self, name: str, pk: int, counts: Counter) -> Bar:
        figure = FIGURES["retirees"]
        parts = [
            Part(
                label,
                counts[pk, code],
                figure.address(self.on, township=str(pk), activity_class=code),
            )
            for code, label in _classes()
        ]
        return Bar(name, parts, figure.address(self.on, township=str(pk)))

    def by_class(self) -> Chart:
        return self._bars(
            "活动类别", "class_then", [(c, label, {"activity_class": c}) for c, label in _classes()]
        )

    def by_age(self) -> Chart:
        bands = [(band, label, {"age": band}) for band, label in AGE_BANDS.items()]
        return self._bars("年龄", "band", bands)

    def _bars(self, title: str, name: str, values: list[tuple[str, str, dict]]) -> Chart:
        figure = FIGURES["retirees"]
        bars = [
            Bar(
                label,
                [Part(label, self.number(**{name: value}), figure.address(self.on, **more))],
                figure.address(self.on, **more),
            )
            for value, label, more in values
        ]
        return Chart(title, [bar for bar in bars if bar.total], "人")


def _classes() -> list[tuple[str, str]]:
    return [*ActivityClass.choices, (UNCLASSED, "未分类")]


def _grouped(user: User, on: datetime.date) -> Iterator[dict]:
    """People by place, class, party and age band: some hundred groups, one walk through them."""
    lowest = [(band, int(band.split("-")[0])) for band in reversed(AGE_BANDS)]
    known = ~Q(birth_date="")
    bands = [When(known & (old_enough(low, on) if low else Q()), Value(b)) for b, low in lowest]
    groups = (
        people_of(FIGURES["retirees"].asked(on), user)
        .order_by()
        .annotate(
            band=Case(*bands, default=Value(UNKNOWN_AGE)),
            is_member=Q(political_status__in=PARTY_MEMBERS),
        )
        .values("township_then", "class_then", "band", "is_member")
        .annotate(people=Count("pk"))
    )
    for group in groups:
        yield group | {"class_then": group["class_then"] or UNCLASSED}


def last_import() -> ImportBatch | None:
    """The roster that was written last."""
    written = ImportBatch.objects.filter(purpose=Purpose.IMPORT, state=ImportState.WRITTEN)
    return written.order_by("-written_at").first()
