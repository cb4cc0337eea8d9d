"""What each part is worth: one left out in turn, everything else as it is.

An expert left out is not run, where nothing else of it is in use; its evidence is held at 0 and the stack learns without it. A decision rule left
out is replaced by that for Hamming loss (p > 1/2), or by the default (example F1) where Hamming itself loses its rule."""
import math
import statistics

from accuracy import KEPT, PUBLISHED
from score import METRICS
from text import mean, number, signed, table

TREES = ["--without", "tree-counts", "--without", "tree-bayes", "--without", "tree-better"]
ADWIN = ["--set", "model.drift.scope=off"]
PARTS = [  # name, options of bench_model over the whole's settings
    ("prior", ["--without", "prior"]),
    ("linear expert", ["--without", "linear"]),
    ("tracking linear expert", ["--without", "tracking"]),
    ("both linear experts", ["--without", "linear", "--without", "tracking"]),
    ("recent frequencies", ["--without", "recent"]),
    ("Markov expert", ["--without", "markov"]),
    ("departures from prototypes", ["--without", "residual"]),
    ("extra trees", ["--without", "extra-trees"]),
    ("neighbours", ["--without", "neighbours"]),
    ("least squares", ["--without", "least-squares"]),
    ("the spread of prior variances", ["--without", "spread"]),
    ("products of features", ["--without", "products"]),
    ("trees' class counts", ["--without", "tree-counts"]),
    ("trees' naive Bayes", ["--without", "tree-bayes"]),
    ("trees' better of both", ["--without", "tree-better"]),
    ("trees", TREES),
    ("all trees of a cluster but one", ["--set", "model.tree.trees=1"]),
    ("trees, hierarchy and ADWIN", [*TREES, *ADWIN]),
    ("ADWIN's answer to drift", ADWIN),
    ("the grouping of labels (random groups)", ["--without", "groups"]),
    ("the hierarchy (one group of all)", ["--set", "model.hierarchy.max_leaf=10000"]),
    ("the hierarchy (a tree per pair of labels)", ["--set", "model.hierarchy.max_leaf=2"]),
    ("the stack's weights per label", ["--without", "offsets"]),
    ("the stack's learning", ["--without", "stack"]),
]
ACCURATE_ONLY = {"neighbours", "least squares", "the spread of prior variances", "products of features", "extra trees", "all trees of a cluster but one"}
QUICK_PARTS = 2  # with --quick
FURTHER, EVERY = "SynTreeSud SynHPGrad SynRBFSud".split(), 5  # of these, every fifth instance: a drift comes after 5,000
DRIFTING = [("sudden-1", dict(seed=1, labels=24, group=6, cardinality=5, instances=12000, drift="sudden", at=[6000])),
            ("trees-1", dict(seed=1, labels=24, group=6, cardinality=5, instances=12000, drift="sudden", at=[6000], concept="tree"))]
TIMED = "yeast enron medical".split()  # dense, sparse, few labels, many
TURNS = 3  # rounds of the whole and every part


def parts(study, config, settings):
    """Those that this build can leave out of what the whole has."""
    listed = [(part, options) for part, options in PARTS if config == "accurate" or part not in ACCURATE_ONLY][:QUICK_PARTS if study.quick else None]
    found = [(part, options) for part, options in listed if study.bench.knows(settings, *options)]
    for part in sorted({p for p, _ in listed} - {p for p, _ in found}):
        study.say(f"ablation: this build cannot leave out {part}")
    return found


def measured(study, stream, settings, options):
    return [{k: row[k] for k in KEPT} for row in study.bench.model(stream.lines(), *options, settings=settings).rows]


def timed(study, stream, settings, known):
    """Per part the ratio of the speed without it to that of the whole: the median over rounds, in each of which all run in turn."""
    lines, rounds = stream.lines(), []
    rate = lambda options: float(study.bench.model(lines, "--objective", "hamming", *options, settings=settings).by["hamming"]["per_second"])
    for _ in range(1 if study.quick else TURNS):
        whole = rate([])
        rounds.append([rate(options) / whole for _, options in known])
    return [{"without": part, "speed": f"{statistics.median(ratios):.4f}"} for (part, _), ratios in zip(known, zip(*rounds))]


def cells(study, name):
    streams = study.recorded(name, PUBLISHED) + study.recorded(name, FURTHER, EVERY) + [study.generated(n, **a) for n, a in DRIFTING]
    for config, settings in study.configs(name).items():
        known = parts(study, config, settings)
        whole = {"config": config, "settings": settings}
        for stream in study.recorded(name, TIMED):
            run = lambda stream=stream, settings=settings, known=known: timed(study, stream, settings, known)
            about = {**whole, "options": " | ".join(" ".join(options) for _, options in known)}
            yield study.cell("ablation_speed", stream, about, run, len(known), timed=True)
        for stream in streams:
            for part, options in [("", []), *known]:
                run = lambda stream=stream, settings=settings, options=options: measured(study, stream, settings, options)
                yield study.cell("ablation", stream, {**whole, "without": part, "options": " ".join(options)}, run)


def differences(rows, names, part, rules):
    """Mean over the streams of (without the part − whole) by metric; rules: the objective that each metric is read under without it."""
    row = {(r["stream"], r["without"], r["by"]): r for r in rows if r.get("by")}
    out = {}
    for metric, _, objective in METRICS:
        whole, left = ([float(row[n, p, o][metric]) for n in names] for p, o in (("", objective), (part, rules.get(metric, objective))))
        out[metric] = mean(left) - mean(whole)
    out["log_loss"] = mean(row[n, part, "hamming"]["log_loss"] for n in names) - mean(row[n, "", "hamming"]["log_loss"] for n in names)
    return out


def speed(rows, part):
    """Geometric mean over the streams of the speeds' ratios, or None."""
    ratios = [float(r["speed"]) for r in rows if r["without"] == part and r.get("speed")]
    return math.exp(mean(map(math.log, ratios))) if ratios else None


def of_config(rows, config):
    """The tables of one configuration, the published streams first."""
    row = {(r["stream"], r["without"], r["by"]): r for r in rows if r.get("by")}
    listed = list(dict.fromkeys(r["without"] for r in rows if r["without"] and r.get("by")))
    have = [n for n in dict.fromkeys(r["stream"] for r in rows if r.get("by")) if all((n, part, "hamming") in row for part in ["", *listed])]
    columns = [*(m for m, _, _ in METRICS), "log_loss"]
    for title, names in (("published streams", [n for n in PUBLISHED if n in have]),
                         (f"recorded synthetic streams, every {EVERY}th instance", [n for n in FURTHER if n in have]),
                         *((f"{n} of tests/streams/generate.py", [n] if n in have else []) for n, _ in DRIFTING)):
        if not names:
            continue
        value = lambda metric, by: mean(row[n, "", by][metric] for n in names)
        lines = [["*the whole*", *(number(value(m, o)) for m, _, o in METRICS), number(value("log_loss", "hamming"), 5), "1.00"]]
        for part in listed:
            gap = differences(rows, names, part, {})
            ratio = speed(rows, part)
            lines.append([part, *(signed(gap[m], 5 if m == "log_loss" else 4) for m in columns), f"{ratio:.2f}" if ratio else "–"])
        for metric, title_of, objective in METRICS:
            other = "example_f1" if objective == "hamming" else "hamming"
            gap = differences(rows, names, "", {metric: other})
            lines.append([f"the rule for {title_of} (that for {other} instead)", *(signed(gap[m]) if m == metric else "" for m in columns), ""])
        yield f"**Profile `{config}`**, " + (f"mean of {len(names)} {title}" if names[0] not in dict(DRIFTING) else f"stream {title}")
        yield from table(["without", *(t for _, t, _ in METRICS), "log-loss", "speed"], lines)


def text(study, name, rows):
    yield ("First row: the whole; below it, without the part minus the whole, in original order, each metric under its own objective: a part earns its place where "
           "accuracy and F1 are negative, Hamming loss and log-loss positive. Speed: without the part over whole, geometric mean of "
           f"{' '.join(TIMED)}, medians of {TURNS} alternating rounds; evidence that is only held at 0 saves nothing.")
    for config in dict.fromkeys(r["config"] for r in rows):
        yield from of_config([r for r in rows if r["config"] == config], config)
