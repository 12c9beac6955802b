"""What the office and the leaders see first: figures as tiles, and people by place and class.

All tiles and bars about people come out of one grouping of them (`numbers.py`), whatever their
number; that it says what the figures say is proved by a test.
"""

import datetime
import functools
from collections import Counter
from dataclasses import dataclass

from django.utils import timezone

from branches.models import ImportBatch, ImportState, Purpose
from cadres.charts import Bar, Chart, Part
from cadres.forms import AGE_BANDS, NOWHERE, UNCLASSED
from cadres.models import ActivityClass, Township, User
from cadres.roles import is_office
from fengjie_cadres.reports import numbers
from fengjie_cadres.reports.figures import FIGURES, Figure

_AGES = (
    "长期在奉居住的在册人员，按当天满周岁数分；只知道出生月份的，次月起算满周岁；"
    "不知道出生年月的不在图里。"
)


@dataclass(frozen=True)
class Tile:
    """A figure with its number and the list that it opens."""

    figure: Figure
    number: int
    address: str


class Dashboard:
    """The county on a day, for those who see all of it.

    Two queries about people, one for each other tile. `counted_at` is when the numbers were
    counted, if that was not now.
    """

    def __init__(self, user: User, on: datetime.date | None = None):
        today = timezone.localdate()
        self.user, self.on = user, min(on or today, today)
        kept = None if self.is_past else numbers.stored()
        self._stored = kept and kept.numbers
        self.counted_at = kept and kept.counted_at
        self.groups = self._stored["groups"] if kept else numbers.groups(self.on)

    @functools.cached_property
    def due(self) -> int:
        """People of today whose classes are due to be looked at."""
        return self._stored["due"] if self._stored else numbers.due(timezone.localdate())

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
        counts = {"retirees": self.number(), "party_members": self.number(is_member=True)}
        for code, _ in ActivityClass.choices:
            counts[f"class_{code.lower()}"] = self.number(class_then=code)
        if unclassed := self.number(class_then=UNCLASSED):
            counts["unclassed"] = unclassed
        for code in ("branches", "units"):
            counts[code] = FIGURES[code].count(self.user)
        if is_office(self.user):  # the list is the office's
            counts["review_due"] = self.due
        return [
            Tile(figure, counts[code], figure.address(self.on))
            for code, figure in FIGURES.items()
            if code in counts
        ]

    def trend(self) -> dict[str, int]:
        return self._stored["trend"] if self._stored else numbers.trend(self.on)

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
            bars.append(self._place("没有登记居住地", None, counts))
        series = [label for _, label in _classes()]
        return Chart("各乡镇(街道)，按活动类别", bars, "人", series)

    def _place(self, name: str, pk: int | None, counts: Counter) -> Bar:
        figure, place = FIGURES["retirees"], str(pk or NOWHERE)
        parts = [
            Part(
                label,
                counts[pk, code],
                figure.address(self.on, township=place, activity_class=code),
            )
            for code, label in _classes()
        ]
        return Bar(name, parts, figure.address(self.on, township=place))

    def by_class(self) -> Chart:
        return self._bars(
            "活动类别", "class_then", [(c, label, {"activity_class": c}) for c, label in _classes()]
        )

    def by_age(self) -> Chart:
        bands = [(band, label, {"age": band}) for band, label in AGE_BANDS.items()]
        return self._bars("年龄", "band", bands, _AGES)

    def _bars(
        self, title: str, name: str, values: list[tuple[str, str, dict]], definition: str = ""
    ) -> Chart:
        figure = FIGURES["retirees"]
        bars = [
            Bar(
                label,
                [Part(label, self.number(**{name: value}), figure.address(self.on, **more))],
                figure.address(self.on, **more),
            )
            for value, label, more in values
        ]
        return Chart(title, [bar for bar in bars if bar.total], "人", definition=definition)


def _classes() -> list[tuple[str, str]]:
    return [*ActivityClass.choices, (UNCLASSED, "未分类")]


def last_import() -> ImportBatch | None:
    """The roster that was written last."""
    written = ImportBatch.objects.filter(purpose=Purpose.IMPORT, state=ImportState.WRITTEN)
    return written.order_by("-written_at").first()
