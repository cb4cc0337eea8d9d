"""What each part is worth: one left out in turn, everything else as it is.

An expert left out is not run, where nothing else of it is in use; its evidence is held at 0 and the stack learns without it. A decision rule left
out is replaced by that for Hamming loss (p > 1/2), or by the default (example F1) where Hamming itself loses its rule."""
import math
import statistics

from accuracy import KEPT, PUBLISHED
from score import METRICS
from text import mean, number, signed, table

BASE = "fast"  # what the parts are left out of; `accurate` once this build knows it
PARTS = [  # name, options of bench_model over the whole's settings
    ("prior", ["--without", "prior"]),
    ("linear expert", ["--without", "linear"]),
    ("tracking linear expert", ["--without", "tracking"]),
    ("both linear experts", ["--without", "linear", "--without", "tracking"]),
    ("recent frequencies", ["--without", "recent"]),
    ("Markov expert", ["--without", "markov"]),
    ("trees' class counts", ["--without", "tree-counts"]),
    ("trees' naive Bayes", ["--without", "tree-bayes"]),
    ("trees' better of both", ["--without", "tree-better"]),
    ("trees, hierarchy and ADWIN", ["--set", "model.profile=linear"]),
    ("departures from prototypes", ["--without", "residual"]),
    ("neighbours", ["--without", "neighbours"]),
    ("least squares", ["--without", "least-squares"]),
    ("the spread of prior variances", ["--without", "spread"]),
    ("products of features", ["--without", "products"]),
    ("centres", ["--without", "centres"]),
    ("the stack's weights per label", ["--without", "offsets"]),
    ("the stack's learning", ["--without", "stack"]),
    ("the grouping of labels (random groups)", ["--without", "groups"]),
    ("the hierarchy (one group of all)", ["--set", "model.hierarchy.max_leaf=10000"]),
    ("the hierarchy (a tree per pair of labels)", ["--set", "model.hierarchy.max_leaf=2"]),
    ("ADWIN's answer to drift", ["--set", "model.drift.scope=off"]),
]
FURTHER = "SynTreeSud SynHPGrad SynRBFSud".split()
DRIFTING = [("sudden-1", dict(seed=1, labels=24, group=6, cardinality=5, instances=12000, drift="sudden", at=[6000]))]
TIMED = "yeast scene enron medical slashdot".split()  # some dense, some sparse
TURNS = 5  # alternating runs of whole and part


def base(study):
    return "accurate" if "accurate" in study.configs else BASE


ACCURATE_ONLY = {"neighbours", "least squares", "the spread of prior variances", "products of features", "centres"}


def parts(study):
    """Those that this build can leave out, of those that the whole has."""
    listed = [(part, options) for part, options in PARTS if base(study) == "accurate" or part not in ACCURATE_ONLY]
    found = [(part, options) for part, options in listed if study.bench.knows(study.configs[base(study)], *options)]
    for part in sorted({p for p, _ in listed} - {p for p, _ in found}):
        study.say(f"ablation: this build cannot leave out {part}")
    return found


def about(study, part, options):
    return {"config": base(study), "settings": study.configs[base(study)], "without": part, "options": " ".join(options)}


def measured(study, stream, options):
    return [{k: row[k] for k in KEPT} for row in study.bench.model(stream.lines(), *options, settings=study.configs[base(study)]).rows]


def timed(study, stream, options):
    """Ratio of the speed without the part to that of the whole: alternating runs, median of each."""
    lines, whole, part = stream.lines(), [], []
    for _ in range(1 if study.quick else TURNS):
        for rates, more in ((whole, []), (part, options)):
            found = study.bench.model(lines, "--objective", "hamming", *more, settings=study.configs[base(study)])
            rates.append(float(found.by["hamming"]["per_second"]))
    return [{"whole_per_second": f"{statistics.median(whole):.0f}", "part_per_second": f"{statistics.median(part):.0f}"}]


def cells(study, name):
    if base(study) not in study.configs:
        return
    streams = study.recorded(name, PUBLISHED + FURTHER) + [study.generated(n, **a) for n, a in DRIFTING]
    known = parts(study)
    for stream in streams:
        for part, options in [("", []), *known]:
            run = lambda stream=stream, options=options: measured(study, stream, options)
            yield study.cell("ablation", stream, about(study, part, options), run, 5 if part.startswith("the hierarchy (a tree") else 1)
    for stream in study.recorded(name, TIMED):
        for part, options in known:
            run = lambda stream=stream, options=options: timed(study, stream, options)
            yield study.cell("ablation_speed", stream, about(study, part, options), run)


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
    """Geometric mean of the speeds' ratios, or None."""
    ratios = [float(r["part_per_second"]) / float(r["whole_per_second"]) for r in rows if r["without"] == part and r.get("part_per_second")]
    return math.exp(mean(map(math.log, ratios))) if ratios else None


def text(study, name, rows):
    row = {(r["stream"], r["without"], r["by"]): r for r in rows if r.get("by")}
    listed = list(dict.fromkeys(r["without"] for r in rows if r["without"] and r.get("by")))
    have = [n for n in dict.fromkeys(r["stream"] for r in rows if r.get("by")) if all((n, part, "hamming") in row for part in ["", *listed])]
    columns = [*(m for m, _, _ in METRICS), "log_loss"]
    yield (f"What profile `{rows[0]['config']}` loses (positive Hamming loss and log-loss: worse) when one part is left out, everything else as it is, original order; each "
           f"metric under its own objective. Speed: without the part over whole, geometric mean of {' '.join(TIMED)}, medians of {TURNS} alternating runs; a row of "
           "evidence that is only held at 0 saves nothing.")
    for title, names in (("published streams", [n for n in PUBLISHED if n in have]), ("streams of trees", [n for n in FURTHER if n in have]),
                         ("drifting streams", [n for n, _ in DRIFTING if n in have])):
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
        yield from table([f"mean of {len(names)} {title}, without", *(t for _, t, _ in METRICS), "log-loss", "speed"], lines)
