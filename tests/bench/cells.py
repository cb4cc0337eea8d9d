"""What a study keeps: cells, each a piece of work that is done once, and the rows that it gave, in a TSV file that outlives the run.

A cell's key is a digest of everything that determines its rows, so a cell is done again only when one of that has changed. A row that a run
was killed in the middle of does not count: each says how many its cell has."""
import csv
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from sources import digest_of

OWN = ["key", "rows", "seconds"]  # columns of the file itself


@dataclass
class Cell:
    store: str      # the file it is kept in; tables that need the same work name the same one
    about: dict     # columns that say what it is: stream, order, configuration, settings, …
    inputs: list    # what else determines the rows: digests of the stream, of the program
    cost: float     # proportional to its time, within a store
    run: Callable   # () -> rows, dicts of the same columns; None: it cannot be done here
    timed: bool = False  # it measures speed: nothing else runs beside it
    key: str = field(init=False)

    def __post_init__(self):
        self.key = digest_of(self.store, self.about, self.inputs)


class Store:
    def __init__(self, path):
        self.path, self.columns, self.cells = Path(path), [], {}
        if not self.path.exists():
            return
        with open(self.path, newline="") as f:
            rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
        for row in rows:
            if row["rows"]:  # the last column: else torn
                self.cells.setdefault(row["key"], []).append(row)
        self.cells = {key: rows for key, rows in self.cells.items() if len(rows) == int(rows[0]["rows"])}
        self.columns = list(rows[0]) if rows else []
        if sum(map(len, self.cells.values())) < len(rows):
            self.write()  # without what was torn

    def rows(self, cell):
        """The rows of a finished cell, else None."""
        return self.cells.get(cell.key)

    def add(self, cell, rows, seconds):
        rows = [{"key": cell.key, **cell.about, **row, "rows": len(rows), "seconds": f"{seconds:.2f}"} for row in rows]
        rows = [{column: "" if value is None else str(value) for column, value in row.items()} for row in rows]
        self.cells[cell.key] = rows
        columns = [c for c in rows[0] if c not in self.columns + OWN]
        if columns or not self.columns:
            middle = [c for c in self.columns if c not in OWN] + columns
            self.columns = ["key", *middle, "seconds", "rows"]
            return self.write()
        with open(self.path, "a", newline="") as f:
            f.write(self.text(rows))

    def text(self, rows):
        return "".join("\t".join(row.get(c) or "" for c in self.columns).replace("\n", " ") + "\n" for row in rows)

    def write(self):
        """The whole file anew, in one step."""
        if not self.columns:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text("\t".join(self.columns) + "\n" + "".join(map(self.text, self.cells.values())))
        draft.replace(self.path)


class Clock:
    """Estimates the time that is left: seconds per cost of what was done in the same store, else in any."""

    def __init__(self, tell):
        self.tell, self.done = tell, {}

    def note(self, cell, seconds):
        cost, spent = self.done.get(cell.store, (0, 0))
        self.done[cell.store] = cost + cell.cost, spent + seconds

    def guess(self, cells):
        """Seconds that these will take, or None: nothing is known yet."""
        if not any(spent for _, spent in self.done.values()):
            return None
        rates = {store: spent / cost for store, (cost, spent) in self.done.items() if cost}
        usual = sum(rates.values()) / len(rates)
        return sum(cell.cost * rates.get(cell.store, usual) for cell in cells)

    def show(self, i, cells, jobs):
        left = self.guess(cells[i:])
        cell = cells[i]
        name = " ".join(str(v) for k, v in cell.about.items() if v not in ("", None) and k not in ("settings", "options", "program"))
        self.tell(f"{i + 1}/{len(cells)} {cell.store}: {name}{f', {spoken(left / jobs)} left' if left else ''}")


def spoken(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def complete(cells, stores, tell, jobs=1):
    """Does the cells that are not done yet, keeping each as soon as it is; `jobs` of them at a time, but those that are timed first and one by
    one. One that fails does not stop the others; returns how many did."""
    clock, todo, seen = Clock(tell), [], set()
    for cell in cells:
        rows = stores[cell.store].rows(cell)
        if rows:
            clock.note(cell, float(rows[0]["seconds"]))
        elif cell.key not in seen:
            todo.append(cell)
        seen.add(cell.key)
    if len(todo) < len(seen):
        tell(f"{len(seen) - len(todo)} of {len(seen)} pieces of work are done already")
    todo.sort(key=lambda cell: not cell.timed)  # stable
    timed = sum(cell.timed for cell in todo)
    return at_a_time(1, todo, 0, timed, stores, clock) + at_a_time(jobs, todo, timed, len(todo), stores, clock)


def done(cell):
    begin = time.monotonic()
    rows = cell.run()
    return rows, time.monotonic() - begin


def at_a_time(jobs, todo, begin, end, stores, clock):
    """Does todo[begin:end]; what is kept is written by this thread alone. Returns how many failed."""
    running, failed, i = {}, 0, begin
    pool = ThreadPoolExecutor(jobs)  # the work is done by other processes
    try:
        while i < end or running:
            while i < end and len(running) < jobs:
                clock.show(i, todo, jobs)
                running[pool.submit(done, todo[i])] = todo[i]
                i += 1
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                cell = running.pop(future)
                try:
                    rows, seconds = future.result()
                except RuntimeError as why:
                    clock.tell(f"failed: {why}")
                    failed += 1
                    continue
                clock.note(cell, seconds)
                if rows is not None:  # else not to be had here, which the table says; tried again the next time
                    stores[cell.store].add(cell, rows, seconds)
    finally:
        pool.shutdown(cancel_futures=True)
    return failed
