"""Values of several rounds, and how they are told."""
import csv
import statistics

import text


class Measured:
    """(part, stream, profile, what) -> one value a round."""

    def __init__(self):
        self.values = {}

    def add(self, key, value):
        self.values.setdefault(key, []).append(value)

    def of(self, *key):
        return self.values.get(key)

    def write(self, path):
        """Every round as a row of a CSV; a value that could not be had is empty."""
        with open(path, "w", newline="") as f:
            rows = csv.writer(f)
            rows.writerow(["part", "stream", "profile", "what", "round", "value"])
            for key, values in self.values.items():
                rows.writerows([*key, i, "" if value is None else f"{value:.6g}"] for i, value in enumerate(values, 1))


def figure(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def spread(values):
    """Median [least, most]."""
    return f"{figure(statistics.median(values))} [{figure(min(values))}, {figure(max(values))}]" if values else "-"


def ratios(a, b):
    """Round by round; None when one was not measured."""
    return [x / y for x, y in zip(a, b)] if a and b else None


def ratio(a, b):
    return figure(statistics.median(ratios(a, b))) if a and b else "-"


def table(head, rows, left=2):
    """As text."""
    _, *lines = text.table(head, rows, left)
    return "\n".join(lines)
