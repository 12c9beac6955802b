"""Measuring contenders in turn, and the table they come to."""

import gc
import multiprocessing
import statistics
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from django.db import connection

from bench import database

RUNS = 3
#: A contender slower than this (in seconds) has one run.
SLOW = 20
MEGABYTE = 1024


@dataclass
class Contender:
    """`work` is timed, in the copy of a database that `template` names. It may also measure
    itself: then it returns seconds and queries."""

    work: Callable[[], tuple[float, int] | None]
    template: str = ""
    runs: list["Run"] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return bool(self.runs) and (len(self.runs) >= RUNS or self.runs[0].elapsed > SLOW)

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.runs)

    @property
    def queries(self) -> int:
        return max(run.queries for run in self.runs)

    @property
    def peak(self) -> float:
        """Megabytes that the work needs on top of a started Django, reading children included."""
        return max(run.peak for run in self.runs)


@dataclass(frozen=True)
class Run:
    seconds: float
    elapsed: float
    queries: int
    peak: float


@dataclass
class Row:
    """One line of the table. `bars`: what is demanded, in words, and whether it holds."""

    what: str
    ours: Contender
    floor: Contender | None = None
    peer: Contender | None = None
    bars: list[tuple[str, bool]] = field(default_factory=list)

    def at_most(self, words: str, value: float, limit: float) -> None:
        self.bars.append((f"{words} ≤ {limit:g}（{value:.2f}）", value <= limit))

    def at_least(self, words: str, value: float, limit: float) -> None:
        self.bars.append((f"{words} ≥ {limit:g}（{value:.1f}）", value >= limit))

    def same(self, words: str, one: object, other: object) -> None:
        self.bars.append((f"{words}（{one} = {other}）", one == other))


# ---- measuring -------------------------------------------------------------------------------


def measure(*contenders: Contender | None) -> None:
    """Runs the contenders in turn until each has its runs."""
    contenders = [c for c in contenders if c]
    while waiting := [c for c in contenders if not c.is_done]:
        for contender in waiting:
            contender.runs.append(_run(contender))


def _run(contender: Contender) -> Run:
    """One run in a process of its own: nothing is warm that the one before has warmed."""
    if contender.template:
        database.make(database.PREFIX + "run", contender.template)
        database.use(database.PREFIX + "run")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(contender.work, theirs))
    process.start()
    theirs.close()
    children = 0
    while not ours.poll(0.01):
        children = max(children, *(_memory(pid, "VmHWM") for pid in _children(process.pid)), 0)
    answer = ours.recv()
    process.join()
    if isinstance(answer, str):
        raise RuntimeError(answer)
    seconds, elapsed, queries, grown = answer
    return Run(seconds, elapsed, queries, (grown + children) / MEGABYTE)


def _work(work: Callable[[], tuple[float, int] | None], answer: Connection) -> None:
    try:
        connection.ensure_connection()
        gc.collect()
        before, sent, began = _memory("self", "VmRSS"), database.sent(), time.perf_counter()
        own = work()
        elapsed = time.perf_counter() - began
        grown = max(_memory("self", "VmHWM") - before, 0)
        seconds, queries = own or (elapsed, database.sent() - sent)
        answer.send((seconds, elapsed, queries, grown))
    except Exception as error:
        answer.send(f"{type(error).__name__}: {error}")
        raise
    finally:
        connection.close()


def _memory(pid: int | str, line: str) -> int:
    """Kilobytes: VmRSS now, VmHWM at the highest."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [row.split() for row in text.splitlines() if row.startswith(line + ":")]
    return int(found[0][1]) if found else 0


def _children(pid: int) -> list[int]:
    """Its children that run another program: before that, they count its memory as theirs."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = Path(f"/proc/{pid}/cmdline").read_bytes()
        return [int(n) for n in found if Path(f"/proc/{n}/cmdline").read_bytes() != own]
    except OSError:
        return []


# ---- printing --------------------------------------------------------------------------------

HEADINGS = ["项目", "我们", "下限", "÷下限", "同类", "同类÷", "查询", "内存MB", "标准", ""]


def show(rows: list[Row]) -> None:
    lines = [HEADINGS, *map(_line, rows)]
    widths = [max(_width(line[i]) for line in lines) for i in range(len(HEADINGS))]
    for line in lines:
        cells = (t + " " * (w - _width(t)) for t, w in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip(), flush=True)
    missed = sum(not holds for row in rows for _, holds in row.bars)
    print(f"{missed} 条标准没有达到。" if missed else "标准全部达到。")


def _line(row: Row) -> list[str]:
    ours, floor, peer = row.ours, row.floor, row.peer
    queries = [str(c.queries) for c in (ours, floor, peer) if c]
    peaks = [f"{c.peak:.0f}" for c in (ours, floor, peer) if c]
    return [
        row.what,
        _seconds(ours),
        _seconds(floor),
        f"{ours.seconds / floor.seconds:.1f}" if floor else "–",
        _seconds(peer),
        f"{peer.seconds / ours.seconds:.1f}" if peer else "–",
        " / ".join(queries),
        " / ".join(peaks),
        "；".join(words for words, _ in row.bars),
        "" if not row.bars else "✓" if all(holds for _, holds in row.bars) else "✗ 未达到",
    ]


def _seconds(contender: Contender | None) -> str:
    if contender is None:
        return "–"
    value = contender.seconds
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
