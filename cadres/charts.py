"""Charts as SVG made here: bars and stacked bars, readable in grey, each bar opening its list.

Geometry only; the template (templates/charts/chart.html) draws it, wide for screens and paper
and narrow for phones, with the numbers as a table below.
"""

from dataclasses import dataclass, field

#: Height of a bar and of its row, widths, and the room for names and totals, in units of the view
#: box (about a pixel on the screen).
BAR, ROW = 22, 32
WIDE, HALF, NARROW = 720, 470, 340
NAMES, NARROW_NAMES = 150, 104
TOTALS = 64
#: Fills of the parts, in CSS classes that differ in lightness as well as in colour.
FILLS = ("part-1", "part-2", "part-3", "part-4")


@dataclass(frozen=True)
class Part:
    """A stretch of a bar: what it is, how many, and the address of its list ("" for none)."""

    label: str
    value: int
    address: str = ""


@dataclass(frozen=True)
class Bar:
    """A row of the chart."""

    label: str
    parts: list[Part]
    address: str = ""

    @property
    def total(self) -> int:
        return sum(part.value for part in self.parts)


@dataclass(frozen=True)
class Stretch:
    """A rectangle: its part, where it begins and how long it is."""

    part: Part
    x: float
    width: float
    fill: str


@dataclass(frozen=True)
class Line:
    """A drawn row: `y` of its upper edge, `text_y` of its words, `end` of the whole bar."""

    bar: Bar
    y: int
    text_y: int
    stretches: list[Stretch]
    end: float
    label: str


@dataclass(frozen=True)
class Drawing:
    """A chart at one width."""

    width: int
    height: int
    names: int
    lines: list[Line]


@dataclass(frozen=True)
class Chart:
    """A titled chart; `series` names the parts when a bar has several, `definition` (口径) what
    is counted."""

    title: str
    bars: list[Bar]
    measure: str
    series: list[str] = field(default_factory=list)
    definition: str = ""

    @property
    def total(self) -> int:
        return sum(bar.total for bar in self.bars)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """(fill, name) of each series that occurs."""
        named = zip(FILLS, self.series, strict=False)
        return [
            pair
            for index, pair in enumerate(named)
            if any(len(bar.parts) > index and bar.parts[index].value for bar in self.bars)
        ]

    @property
    def sums(self) -> list[int]:
        """Of each series, over all bars."""
        return [
            sum(bar.parts[index].value for bar in self.bars if len(bar.parts) > index)
            for index, _ in enumerate(self.series)
        ]

    @property
    def wide(self) -> Drawing:
        """Simple bars stand two beside each other."""
        return self._drawn(WIDE if self.series else HALF, NAMES, 10)

    @property
    def narrow(self) -> Drawing:
        return self._drawn(NARROW, NARROW_NAMES, 6)

    def _drawn(self, width: int, names: int, letters: int) -> Drawing:
        most = max((bar.total for bar in self.bars), default=0) or 1
        scale = (width - names - TOTALS) / most
        lines = [_line(bar, index, names, scale, letters) for index, bar in enumerate(self.bars)]
        return Drawing(width, max(len(lines), 1) * ROW, names, lines)


def _line(bar: Bar, index: int, start: int, scale: float, letters: int) -> Line:
    stretches, x = [], float(start)
    for part, fill in zip(bar.parts, FILLS, strict=False):
        if part.value:
            stretches.append(Stretch(part, round(x, 1), round(part.value * scale, 1), fill))
            x += part.value * scale
    y = index * ROW + (ROW - BAR) // 2
    label = bar.label if len(bar.label) <= letters else bar.label[: letters - 1] + "…"
    return Line(bar, y, y + 16, stretches, round(x + 6, 1), label)
