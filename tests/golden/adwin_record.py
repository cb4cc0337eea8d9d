#!/usr/bin/env python3
"""Writes adwin.tsv, what river 0.26.1 says to the sequences below: adwin_record.py > adwin.tsv

Needs river (pip install river), which the tests do not: tests/unit/core/test_adwin.c makes the same values from
seed and parts, and compares. Rows, tab-separated:
  case  name  seed  delta  clock  min_window  grace  reset    a sequence, and its detector's parameters
  part  kind  n  from  to     its next n values, around a level that moves linearly; kinds as in values()
  at    index  detected  width  mean  variance    after the value with this index; every detection has a row
reset 1 is river.drift.ADWIN, which forgets the whole window at the value after a detection; reset 0 is the
algorithm inside it, where the window lives on, cut. river's `variance` is the sum of squared deviations; here it is
divided by the width.
"""
import river
from river import drift

RECORDED_WITH = "0.26.1"
MASK = (1 << 64) - 1


class Dice:
    """SplitMix64, as in core_fixture.h: the same doubles in C and Python."""

    def __init__(self, seed):
        self.state = seed

    def unit(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    def normal(self):
        total = -6.0
        for _ in range(12):
            total += self.unit()
        return total


def values(seed, parts):
    dice = Dice(seed)
    for kind, n, start, end in parts:
        for i in range(n):
            level = start + (end - start) * i / n
            if kind == "coin":
                yield 1.0 if dice.unit() < level else 0.0
            elif kind == "bell":
                yield min(max(level + 0.1 * dice.normal(), 0.0), 1.0)
            elif kind == "wide":
                yield level * dice.unit()
            else:
                assert kind == "flat"
                yield level


def steps(kind, n, levels):
    return [(kind, n, level, level) for level in levels]


# name, seed, parts, and the parameters that are not river's defaults
SUDDEN = steps("coin", 1000, [0.2, 0.8, 0.4])
GRADUAL = [("coin", 2000, 0.2, 0.2), ("coin", 3000, 0.2, 0.7), ("coin", 2000, 0.7, 0.7)]
BELLS = steps("bell", 800, [0.5, 0.55, 0.4, 0.42, 0.9])
CONSTANTS = steps("flat", 300, [0.1, 0.7, 0.1, 0.3, 1.0, 0.0, 1 / 3])
SPIKES = [("flat", 1, 1e3, 1e3), ("flat", 30, 0.0, 0.0), ("flat", 5, 1e3, 1e3)]
HASTY = dict(clock=1, min_window_length=1, grace_period=1)
LONG = steps("coin", 20000, [0.1, 0.12, 0.5]) + [("wide", 20000, 0.9, 1.0), ("bell", 20000, 0.3, 0.6)]
CASES = [
    ("still coin", 1, steps("coin", 20000, [0.3]), {}),
    ("still coin, eager", 2, steps("coin", 20000, [0.5]), dict(delta=0.3, clock=1)),
    ("sudden", 3, SUDDEN, {}),
    ("sudden, each value tested", 4, SUDDEN, dict(clock=1)),
    ("sudden, strict", 5, SUDDEN, dict(delta=1e-6, clock=10)),
    ("gradual", 6, GRADUAL, {}),
    ("gradual, lax", 7, GRADUAL, dict(delta=0.05, clock=7)),
    ("bells", 8, BELLS, {}),
    ("bells, clock 100", 9, BELLS, dict(clock=100, delta=0.02)),
    ("bells sliding", 10, [("bell", 4000, 0.2, 0.8), ("bell", 4000, 0.8, 0.1)], dict(delta=0.01)),
    ("constants", 11, CONSTANTS, {}),
    ("constants, each value tested", 12, CONSTANTS, dict(clock=1)),
    ("constants, hasty", 13, steps("flat", 30, [0.1, 0.7, 0.1, 0.3, 0.9]), HASTY),
    ("one constant", 14, steps("flat", 3000, [0.1]), HASTY),
    ("short, hasty", 15, steps("coin", 15, [0.0, 1.0, 0.1, 0.9, 0.0, 0.5]), dict(HASTY, delta=0.5)),
    ("tiny", 16, steps("coin", 4, [0.5]), HASTY),
    ("patient", 17, steps("coin", 400, [0.1, 0.9, 0.1, 0.5]), dict(clock=3, min_window_length=40, grace_period=300)),
    ("flicker", 18, steps("bell", 60, [0.2, 0.8] * 10), dict(delta=0.01, clock=8)),
    ("shortest sides", 19, SPIKES, dict(HASTY, delta=0.99)),
    ("far from one", 20, steps("wide", 500, [1000.0, 3000.0, -5.0]), {}),
    ("long", 21, LONG, {}),
    ("long, strict", 22, LONG, dict(delta=1e-5, clock=64)),
    ("long, lax", 23, LONG, dict(delta=0.1, clock=16)),
]


def record(name, seed, parts, given, reset):
    parameters = dict(delta=0.002, clock=32, min_window_length=5, grace_period=10) | given
    print("case", name, seed, *map(repr, parameters.values()), reset, sep="\t")
    for kind, n, start, end in parts:
        print("part", kind, n, repr(start), repr(end), sep="\t")
    detector = drift.ADWIN(**parameters)
    whole = sum(n for _, n, _, _ in parts)
    for i, x in enumerate(values(seed, parts)):
        if reset:
            detector.update(x)
            detected = detector.drift_detected
        else:
            detected = detector._helper.update(x)
        if detected or i in (0, 1, 5, 11, 31, 32) or (i + 1) % max(whole // 8, 1) == 0 or i + 1 == whole:
            width = int(detector.width)
            print("at", i, int(detected), width, f"{detector.estimation:.13g}", f"{detector.variance / width:.13g}", sep="\t")


if __name__ == "__main__":
    assert river.__version__ == RECORDED_WITH
    print(f"# river {RECORDED_WITH}, written by adwin_record.py, which explains the rows")
    for case in CASES:
        for reset in (1, 0):
            record(*case, reset)
