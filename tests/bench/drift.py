"""Drift: how soon it is followed, what the answers to it are worth, and whether one cluster's drift costs the others.

On streams of tests/streams/generate.py, whose drifts are known: 24 labels in groups of 6, 20 features, 12,000 instances. A drift begins at its
position, or half its width before. Earlier level: over the 1,000 instances before. Regained: instances from the drift's beginning to the first
200 in a row, from the worst 200 on, that are at 90 % of the earlier level (Hamming loss: at most 1/.9 of it); 0: never lost."""
import json
import statistics

from hierarchy import adjusted_rand, assignment
from score import Scored
from sources import truths
from text import mean, number, signed, table

LABELS, GROUP, LENGTH, AT, BEFORE, AFTER, STEP, WIDE = 24, 6, 12000, 6000, 1000, 2000, 20, 200
SHAPE = {"labels": LABELS, "group": GROUP, "instances": LENGTH, "cardinality": 5}
SEEDS = range(1, 6)
STRUCTURE_SEEDS = range(1, 8)
AGREE = 0.9
KINDS = [("sudden", "sudden", [AT], 0), ("gradual", "gradual over 1,000", [AT], 1000), ("incremental", "incremental over 1,000", [AT], 1000),
         ("recurring", "recurring", [4000, 8000], 0), ("cluster", "of one group of four", [AT], 0), ("none", "none", [AT], 0)]
METRICS = ["subset", "hamming", "micro_f1"]  # each under its own objective
SCOPES = [("both", "whole"), ("off", "without ADWIN"), ("global", "global reset only"), ("cluster", "cluster resets only")]
SCOPED = {"accurate": 3, "fast": 4}  # how many of them each profile with detectors is worth; --quick: 2
SEEN_BY = ["cluster_drifts", "global_drifts"]
OUTSIDE = [f"l{i}" for i in range(GROUP, LABELS)]  # the labels that drift `cluster` leaves alone


def rows_of(figure, value, drift="", metric=""):
    return {"drift": drift, "metric": metric, "figure": figure, "value": f"{value:.5f}" if isinstance(value, float) else value}


def good(metric, value, level):
    return value <= level / 0.9 if metric == "hamming" else value >= 0.9 * level


def regained(metric, moving, level, reach):
    """See the module's text; moving: from the drift's beginning on, until the next drift."""
    worst = moving[:reach].argmax() if metric == "hamming" else moving[:reach].argmin()
    if good(metric, moving[worst], level):
        return 0
    return next((int(k) for k in range(worst, len(moving)) if good(metric, moving[k], level)), len(moving))


def shape_of(stream, width):
    """(beginning of each drift, the instance where the next one begins or the stream ends)."""
    at = [n - width // 2 for n in stream.arguments["at"]]
    return list(zip(at, at[1:] + [stream.arguments["instances"]]))


def around_drifts(scored, stretches, width, scale):
    before, after, wide = (max(10, int(n * scale)) for n in (BEFORE, AFTER, WIDE))
    for metric, s in scored.items():
        for i, (begin, end) in enumerate(stretches):
            level = s.measures(begin - before, begin)[metric]
            yield rows_of("before", level, i, metric)
            yield rows_of("after", s.measures(begin, min(begin + after, end))[metric], i, metric)
            moving = s.moving(metric, wide)[begin:end - wide]
            yield rows_of("worst", float(moving[:width + after].max() if metric == "hamming" else moving[:width + after].min()), i, metric)
            yield rows_of("regained", regained(metric, moving, level, width + after), i, metric)


def detections(windows, stretches, width, scale, length):
    """Of each drift: instances until it was seen, or nothing; and detections that no drift explains, by what saw them."""
    reach = int(AFTER * scale)
    seen = lambda by, begin, end: [int(r["instances"]) for r in windows for _ in range(int(r[by])) if begin < int(r["instances"]) <= end]
    for by in [*SEEN_BY, "structure_drifts"]:
        explained = 0
        for i, (begin, _) in enumerate(stretches):
            found = seen(by, begin, begin + width + reach)
            explained += len(found)
            yield rows_of("seen after", found[0] - begin if found else "", i, by)
        yield rows_of("false", len(seen(by, 0, length)) - explained, "", by)


def outside(lines, predicted, begin, scale):
    """The labels that the drift of one group leaves alone, over the instances after it."""
    true, end = truths(lines), begin + int(AFTER * scale)
    for metric in ("hamming", "micro_f1"):
        s = Scored(true, predicted[metric], OUTSIDE, OUTSIDE)
        yield rows_of("outside", s.measures(begin, end)[metric], 0, metric)


def drift_run(study, stream, kind, width, settings):
    lines, length = stream.lines(), stream.arguments["instances"]
    scale = length / LENGTH
    run = study.bench.model(lines, "--every", STEP, settings=settings, record=True)
    true = truths(lines)
    stretches = shape_of(stream, int(width * scale))
    scored = {m: Scored(true, run.predicted[m], [f"l{i}" for i in range(LABELS)]) for m in METRICS}
    width = int(width * scale)
    nothing = kind == "none"
    rows = list(around_drifts(scored, stretches, width, scale))
    rows += detections(run.windows, [] if nothing else stretches, width, scale, length)
    losses = [float(r["log_loss"]) for r in run.windows if stretches[0][0] < int(r["instances"]) <= stretches[0][0] + AFTER * scale]
    rows.append(rows_of("after", mean(losses), 0, "log_loss"))
    if kind in ("cluster", "none"):
        rows += outside(lines, run.predicted, stretches[0][0], scale)
    piece = max(STEP, int(250 * scale))
    return rows + [rows_of(f"window until {end}", s.measures(end - piece, end)[m], "", m)
                   for m, s in scored.items() for end in range(piece, length + 1, piece)]


def scoped(study):
    """(name, settings) of what is compared: profiles with detectors under several scopes, and what has none or detectors of its own."""
    for config, settings in study.configs("drift").items():
        if config not in SCOPED:
            yield config, settings
            continue
        scopes = SCOPES[:2 if study.quick else SCOPED[config]]
        yield from ((f"{config}, {title}", f"{settings} model.drift.scope={scope}") for scope, title in scopes)


def structure_run(study, stream, settings):
    lines = stream.lines()
    ids = {}
    for row in map(json.loads, lines):
        for label in row["y"]:
            ids.setdefault(int(label[1:]), len(ids))
    order, at, length = sorted(ids, key=ids.get), stream.arguments["at"][0], stream.arguments["instances"]
    groups = stream.stream()
    agree = lambda clusters, n: adjusted_rand(assignment(clusters, len(ids)), [groups.membership(n)[label] for label in order])
    changes = study.bench.hierarchy(lines, "--events")["changes"]
    held = [c for c in changes if c["seq"] <= at]
    delay = next((c["seq"] - at for c in changes if c["seq"] > at and agree(c["clusters"], at) >= AGREE), length - at)
    run = study.bench.model(lines, "--objective", "hamming", "--every", STEP, settings=settings)
    false = sum(int(r[by]) for r in run.windows for by in [*SEEN_BY, "structure_drifts"] if int(r["instances"]) <= at)
    return [rows_of("agreement before", agree(held[-1]["clusters"], 0) if held else 0.0), rows_of("delay", delay), rows_of("drifts before", false)]


def cells(study, name):
    if name == "structure":
        for seed in STRUCTURE_SEEDS[:1] if study.quick else STRUCTURE_SEEDS:
            stream = study.generated("structure", seed=seed, drift="structure", correlation=0.8, at=[AT], **SHAPE)
            settings = study.configs(name).get("fast", "")
            run = lambda stream=stream, settings=settings: structure_run(study, stream, settings)
            yield study.cell("structure", stream, {"seed": seed, "config": "fast", "settings": settings}, run,
                             program=f"{study.bench.digest} {study.bench.hierarchy_digest}")
        return
    for kind, _, at, width in KINDS[-2:] if study.quick else KINDS:
        for seed in SEEDS[:1] if study.quick else SEEDS:
            stream = study.generated(kind, seed=seed, drift=kind, at=at, width=width or 500, **SHAPE)
            for config, settings in scoped(study):
                run = lambda stream=stream, kind=kind, width=width, settings=settings: drift_run(study, stream, kind, width, settings)
                yield study.cell("drift", stream, {"seed": seed, "config": config, "settings": settings}, run)


class Found:
    """Values of one kind of drift by configuration, over seeds and drifts."""

    def __init__(self, rows, kind):
        self.rows = [r for r in rows if r["stream"] == kind]

    def values(self, config, figure, metric):
        return [r["value"] for r in self.rows if r["config"] == config and r["figure"] == figure and r["metric"] == metric]

    def mean(self, config, figure, metric):
        found = [float(v) for v in self.values(config, figure, metric)]
        return mean(found) if found else None


def drift_text(rows):
    configs = list(dict.fromkeys(r["config"] for r in rows))
    yield from summary(rows, configs)
    yield __doc__.split("\n\n")[1] + " Means over the seeds (and drifts); of what was regained the median and the worst."
    for kind, title, _, _ in KINDS[:-1]:
        f, lines = Found(rows, kind), []
        if not f.rows:
            continue
        for config in configs:
            line = [config]
            for metric in METRICS:
                steps = [int(float(v)) for v in f.values(config, "regained", metric)]
                if not steps:
                    continue
                line += [" / ".join(number(f.mean(config, w, metric), 3) for w in ("before", "worst", "after")),
                         f"{statistics.median(steps):,.0f}; {max(steps):,}"]
            lines.append([*line, number(f.mean(config, "after", "log_loss"))])
        yield f"**Drift {title}**: before / worst {WIDE} / the {AFTER:,} after; instances until regained, median; worst"
        yield from table(["configuration", *(h for m in METRICS for h in (m, "regained")), "log-loss after"], lines)
    yield from detection_text(rows, [c for c in configs if c.endswith("whole")])
    yield "**What the drift of one group costs the other labels**: their metrics over the 2,000 instances after it, minus the same labels' on the same stream without it"
    drifted, still, lines = Found(rows, "cluster"), Found(rows, "none"), []
    for config in configs:
        line = [config]
        for metric in ("hamming", "micro_f1"):
            a, b = drifted.mean(config, "outside", metric), still.mean(config, "outside", metric)
            line += [number(b), signed(a - b)] if a is not None and b is not None else ["–", "–"]
        lines.append(line)
    yield from table(["configuration", "Hamming loss without the drift", "with it", "micro F1 without the drift", "with it"], lines)


def summary(rows, configs):
    """Hamming loss and log-loss after each kind of drift, one row a configuration."""
    kinds = [(kind, title) for kind, title, _, _ in KINDS if Found(rows, kind).rows]
    head = [h for kind, title in kinds for h in (f"{'no drift' if kind == 'none' else title}: Hamming", "log-loss")]
    yield f"Over the {AFTER:,} instances after the drift's beginning:"
    yield from table(["configuration", *head], [[c, *(number(Found(rows, kind).mean(c, "after", m)) for kind, _ in kinds for m in ("hamming", "log_loss"))]
                                                for c in configs])


def detection_text(rows, configs):
    yield f"**Detections**: of how many drifts each detector saw one within {AFTER:,} instances, how late (median), and detections that no drift explains (per stream)"
    lines = []
    for config in configs:
        for kind, title, _, _ in KINDS:
            f, line = Found(rows, kind), [f"{title}" if len(configs) == 1 else f"{config}: {title}"]
            for by in [*SEEN_BY, "structure_drifts"]:
                seen = f.values(config, "seen after", by)
                delays = [int(v) for v in seen if v != ""]
                false = [int(v) for v in f.values(config, "false", by)]
                line += [f"{len(delays)} of {len(seen)}" if seen else "–", f"{statistics.median(delays):.0f}" if delays else "–",
                         f"{mean(false):.1f}" if false else "–"]
            lines.append(line)
    yield from table(["drift", *(h for by in ("cluster", "global", "structure") for h in (f"{by}: seen", "delay", "false"))], lines)


def structure_text(rows):
    yield (f"Which labels come together is dealt anew after {AT:,} instances (correlation .8). Agreement: adjusted Rand index with the stream's groups; followed: at least {AGREE}; "
           "a hierarchy that never follows counts as the whole rest of the stream.")
    value = {(r["seed"], r["figure"]): r["value"] for r in rows}
    seeds = list(dict.fromkeys(r["seed"] for r in rows))
    delays = [int(value[s, "delay"]) for s in seeds]
    lines = [[s, number(value[s, "agreement before"], 3), f"{int(value[s, 'delay']):,}", value[s, "drifts before"]] for s in seeds]
    lines.insert(0, ["*median; worst*", "", f"{statistics.median(delays):,.0f}; {max(delays):,}", ""])
    yield from table(["seed", "agreement with the old groups at the change", "instances until followed", "drifts reported before the change"], lines)


def text(study, name, rows):
    return structure_text(rows) if name == "structure" else drift_text(rows)
