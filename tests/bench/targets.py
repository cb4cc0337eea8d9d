"""The speeds that were set as targets, and whether they were met.

A target in requests a second is for the machine that it was set on, alone: an AMD EPYC with 2 cores, on which jansson parsed the lines
of a stream as fast as JANSSON says. On another machine, or on a busy one, it is scaled by what jansson does beside it in the same rounds."""
import statistics

from measured import figure, ratio, ratios, spread, table

JANSSON = {"yeast": 29000, "medical": 325000, "ng20": 150000}  # lines a second of bench_jansson
RATES = [  # stream, profile, verb, a second
    ("yeast", "linear", "learn", 40000), ("medical", "linear", "learn", 70000), ("ng20", "linear", "learn", 60000),
    ("yeast", "fast", "learn", 25000), ("medical", "fast", "learn", 45000), ("ng20", "fast", "learn", 35000),
    ("yeast", "linear", "predict", 80000)]
ROUND_TRIP, P99_MS = 1.5, 5.0


def verdict(met, scaled=None):
    return "yes" if met else "scaled" if scaled else "**no**"


def rate_rows(m):
    for stream, profile, verb, wanted in RATES:
        got, jansson = m.of("speed", stream, profile, verb), m.of("yardstick", stream, "", "jansson")
        if not got:
            continue
        scaled = [wanted * j / JANSSON[stream] for j in jansson] if jansson else None
        met = statistics.median(got) >= wanted
        yield [f"`{profile}` {verb} on {stream}", f"{wanted:,}/s", figure(statistics.median(scaled)) if scaled else "-", spread(got),
               f"{ratio(got, jansson)} of jansson, {ratio(got, m.of('yardstick', stream, '', 'decode'))} of decode",
               verdict(met, scaled and statistics.median(ratios(got, scaled)) >= 1)]


def latency_rows(m):
    for stream in JANSSON:
        for profile in ("linear", "fast"):
            got, echo = m.of("round trip", stream, profile, "predict"), m.of("round trip", stream, "", "echo")
            if got and echo:
                value = statistics.median(ratios(got, echo))
                yield [f"`{profile}` predict on {stream}, one at a time: round trip", f"{ROUND_TRIP} x echo", "", f"{spread(got)} ms",
                       f"{figure(value)} of echo", verdict(value <= ROUND_TRIP)]
    for what in ("predict as fast as answered", "predict at 2,000/s"):
        got = m.of("p99 under load", "yeast", "fast", what)
        if got:
            yield [f"p99 of {what}, 50 connections, while learning at full speed", f"{P99_MS:g} ms", "", f"{spread(got)} ms", "",
                   verdict(statistics.median(got) <= P99_MS)]


def told(m):
    """The table of targets, in markdown."""
    rows = [*rate_rows(m), *latency_rows(m)]
    note = ", ".join(f"{name} {n:,}" for name, n in JANSSON.items())
    return (table(["target", "wanted", "scaled by jansson", "measured", "ratio to yardsticks", "met"], rows)
            + f"\nscaled: met when the target is scaled by what jansson parses here, lines a second, against the machine of the targets ({note}).\n") if rows else ""
