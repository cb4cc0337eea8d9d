"""Labels of which only a part is told, and labels that are told late: what is learned from is not what is judged by.

Judged is every instance, against its full truth, by the prediction made when it came."""
import json
import random

from score import METRICS, Scored
from text import number, table

PARTIAL = "emotions yeast scene enron medical bibtex".split()
DELAYED = "yeast scene slashdot yelp bibtex".split()
SHARES = [1.0, 0.5, 0.2, 0.05]
DELAYS = [0, 100, 1000]
PIECES = 20  # stretches of a curve
KINDS = [("labels", "of each instance's labels"), ("instances", "of the instances, fully labelled")]
DRIFT = dict(seed=1, labels=24, group=6, cardinality=5, instances=12000, drift="sudden", at=[6000])


def judged(true, predicted, labels):
    """Rows: every metric under its own objective, over the whole stream (piece ""), its second half, and pieces of it."""
    n, rows = len(true), []
    for metric, _, objective in METRICS:
        scored = Scored(true, predicted[objective], labels)
        rows.append({"piece": "", "until": n, "metric": metric, "value": f"{scored.measures()[metric]:.5f}"})
        rows.append({"piece": "half", "until": n, "metric": metric, "value": f"{scored.measures(n // 2)[metric]:.5f}"})
        for i in range(PIECES if metric in ("hamming", "micro_f1") else 0):
            begin, end = n * i // PIECES, n * (i + 1) // PIECES
            if begin < end:
                rows.append({"piece": i, "until": end, "metric": metric, "value": f"{scored.measures(begin, end)[metric]:.5f}"})
    return rows


def observed(row, labels, share, rng):
    """The labelling of which each label, true or not, is told with that probability."""
    true = set(row["y"])
    return {label: label in true for label in labels if rng.random() < share}


def partial_lines(rows, labels, kind, share):
    rng = random.Random(f"{kind} {share}")
    for row in rows:
        if share == 1 or kind == "instances" and rng.random() < share:
            yield row
        elif kind == "instances":
            yield {k: v for k, v in row.items() if k != "y"}  # predicted only
        else:
            yield {**row, "y": observed(row, labels, share, rng)}


def partial_run(study, stream, settings, kind, share):
    rows = [json.loads(line) for line in stream.lines()]
    labels = sorted({label for row in rows for label in row["y"]})
    run = study.bench.model(encoded(partial_lines(rows, labels, kind, share)), settings=settings, record=True)
    return judged([frozenset(row["y"]) for row in rows], run.predicted, labels)


def encoded(rows):
    return [json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() for row in rows]


def delayed_run(study, stream, settings, delay):
    """Each instance is predicted when it comes and learned `delay` instances later."""
    rows = [json.loads(line) for line in stream.lines()]
    lines = []
    for i, row in enumerate(rows):
        lines.append({k: v for k, v in row.items() if k != "y"})
        if i >= delay:
            lines.append(rows[i - delay])
    # of the predictions, those of the lines without y
    run = study.bench.model(encoded(lines), settings=settings, record=True)
    asked = {by: [p for line, p in zip(lines, predicted) if "y" not in line] for by, predicted in run.predicted.items()}
    true = [frozenset(row["y"]) for row in rows]
    return judged(true, asked, frozenset().union(*true))


def cells(study, name):
    if name == "partial":
        for stream in study.recorded(name, PARTIAL):
            for config, settings in study.configs(name).items():
                for kind, _ in KINDS:
                    for share in SHARES if kind == "labels" else SHARES[1:]:
                        run = lambda stream=stream, settings=settings, kind=kind, share=share: partial_run(study, stream, settings, kind, share)
                        yield study.cell("partial", stream, {"config": config, "settings": settings, "kind": kind, "share": share}, run)
        return
    for stream in [*study.recorded(name, DELAYED), study.generated("sudden-1", **DRIFT)]:
        for config, settings in study.configs(name).items():
            for delay in DELAYS:
                run = lambda stream=stream, settings=settings, delay=delay: delayed_run(study, stream, settings, delay)
                yield study.cell("delayed", stream, {"config": config, "settings": settings, "delay": delay}, run, 2)


def means(rows, key, piece=""):
    """Over the streams: {(config, key of the row): {metric: mean}}, and how many streams."""
    sums, streams = {}, set()
    for r in rows:
        if r["piece"] == piece:
            sums.setdefault((r["config"], key(r)), {}).setdefault(r["metric"], []).append(float(r["value"]))
            streams.add(r["stream"])
    return {k: {m: sum(v) / len(v) for m, v in by.items()} for k, by in sums.items()}, len(streams)


def curves(rows, name, key, metric):
    """One row per stream and setting of the default profile: the metric of each piece of the stream."""
    curve, default = {}, "fast" if any(r["config"] == "fast" for r in rows) else rows[0]["config"]
    for r in rows:
        if r["metric"] == metric and r["piece"] not in ("", "half") and r["config"] == default:
            curve.setdefault((r["stream"], r["config"], key(r)), {})[int(r["piece"])] = r["value"]
    yield f"Curves, {metric} by twentieth of the stream (all of them: {name}.csv):"
    head = ["stream", "configuration", name, *(f"{5 * (i + 1)} %" for i in range(0, PIECES, 3))]
    yield from table(head, [[*k, *(number(v.get(i), 3) for i in range(0, PIECES, 3))] for k, v in curve.items()])


def per_stream(rows, name, settings, key):
    value = {(r["stream"], r["config"], key(r), r["metric"]): r["value"] for r in rows if r["piece"] == ""}
    for metric in ("micro_f1", "hamming"):
        yield f"**{metric}** by stream"
        who = list(dict.fromkeys((stream, config) for stream, config, _, _ in value))
        yield from table(["stream", "configuration", *settings], [[*w, *(number(value.get((*w, s, metric))) for s in settings)] for w in who])


def text(study, name, rows):
    if name == "partial":
        key = lambda r: f"{100 * float(r['share']):g} % {r['kind']}"
        yield ("Each label of each instance, true or false, is told with the given probability (`y` as an object, seeded); for comparison only that share of the "
               "instances is learned, fully labelled. All instances are judged by their full truth.")
    else:
        key = lambda r: r["delay"]
        yield "Every instance is predicted when it comes; its labels are learned so many instances later."
    for piece, what in (("", "whole streams"), ("half", "their second half")):
        by, n = means(rows, key, piece)
        yield from table([f"mean of {n}: {what}", name, *(title for _, title, _ in METRICS)],
                         [[config, setting, *(number(v[m]) for m, _, _ in METRICS)] for (config, setting), v in by.items()])
    yield from per_stream(rows, name, list(dict.fromkeys(s for _, s in by)), key)
    yield from curves(rows, name, key, "micro_f1")
