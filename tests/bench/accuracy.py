"""Accuracy beside the published learners: one default configuration of each profile, every metric under its own objective.

Published figures: published.tsv beside this file. The settings that were tuned on the 17 published streams are shown beside streams that
nobody tuned on, and beside further shuffles of the streams that are sorted by label."""
import csv
from pathlib import Path

from score import METRICS
from sources import in_order
from text import mean, number, table

HERE = Path(__file__).resolve().parent
PUBLISHED = ("flags waterquality emotions virusgo birds yeast scene plantpseaac yelp medical slashdot enron langlog "
             "stackex_chess tmc2007_500 ng20 bibtex").split()
UNTUNED = ("cal500 chd_49 genbase mediamill_exp1_2500 corel5k stackex_philosophy rcv1sub1 yahoo_arts corel16k001 delicious SynTreeSud SynHPGrad "
           "SynRBFSud").split()
SORTED = "scene plantpseaac virusgo yelp".split()  # by label
SEEDS = (1, 2, 3, 4, 5)
PAPER = "ihomer-paper"
BASELINES = ["NO-CHANGE", "MAJORITY"]
KEPT = ("by instances features labels subset hamming example_f1 micro_f1 macro_f1 p@1 p@3 p@5 ndcg@5 psp@1 psp@3 psp@5 log_loss "
        "calibration_error per_second peak_bytes").split()


def measured(study, stream, order, settings):
    """bench_model's rows, then the calibration bins (by: "bin"): pairs, their mean score, the share of positives."""
    found = study.bench.model(in_order(stream.lines(), order), settings=settings, bins=True)
    rows = [{k: row[k] for k in KEPT} for row in found.rows]
    for b in found.bins:
        share = lambda key: f"{float(b[key]) / float(b['pairs']):.5f}" if float(b["pairs"]) else ""
        rows.append({"by": "bin", "bin": b["bin"], "pairs": b["pairs"], "mean_score": share("scores"), "positives": share("positives")})
    return [{"bin": "", "pairs": "", "mean_score": "", "positives": "", **row} for row in rows]


def run_cells(study, table, streams, orders):
    """What was measured of streams in these orders, under every configuration; other tables share it."""
    for stream in streams:
        for order in orders:
            for config, settings in study.configs(table).items():
                run = lambda stream=stream, order=order, settings=settings: measured(study, stream, order, settings)
                yield study.cell("accuracy", stream, {"order": order, "config": config, "settings": settings}, run,
                                 timed=order == "original" and stream.name in PUBLISHED)  # these are where speed is read


def cells(study, _):
    tuned, further = study.recorded("accuracy", PUBLISHED), study.recorded("accuracy", UNTUNED)
    yield from run_cells(study, "accuracy", tuned + further, ["original", "shuffled 1"])
    by_label = [s for s in tuned if s.name in SORTED]
    yield from run_cells(study, "accuracy", by_label, [f"shuffled {seed}" for seed in SEEDS[1:]])


def listed(name, row):
    """Whether the table's CSV has this row."""
    return row["by"] != "bin"


def published():
    rows = [row for row in (HERE / "published.tsv").read_text().splitlines() if not row.startswith("#")]
    return {(r["stream"], r["metric"]): r for r in csv.DictReader(rows, delimiter="\t")}


def better(metric, a, b):
    return a < b if metric == "hamming" else a > b


class Figures:
    """The rows by what a table asks for."""

    def __init__(self, rows):
        self.row = {(r["stream"], r["order"], r["config"], r["by"]): r for r in rows}
        self.configs = list(dict.fromkeys(r["config"] for r in rows))
        self.known = published()

    def names(self, among, order):
        return [n for n in among if all((n, order, c, "hamming") in self.row for c in self.configs)]

    def of(self, name, order, who, metric, objective):
        """A configuration's figure under the metric's own objective, or a baseline's; None: there is none."""
        if who in BASELINES:
            return next((float(r[metric]) for c in self.configs if (r := self.row.get((name, order, c, who)))), None)
        row = self.row.get((name, order, who, objective))
        return float(row[metric]) if row else None

    def theirs(self, name, metric, key):
        value = self.known.get((name, metric), {}).get(key)
        return float(value) if value else None

    def means(self, names, order, published_too):
        """Profiles, what others published, the trivial baselines."""
        rows = []
        for who in [*self.configs, *BASELINES]:
            values = [[self.of(n, order, who, m, o) for n in names] for m, _, o in METRICS]
            rows.append([who, *(number(mean(v)) if None not in v else "–" for v in values)])
        if published_too and PAPER in self.configs:  # as its authors decide
            values = [[self.of(n, order, PAPER, m, "hamming") for n in names] for m, _, _ in METRICS]
            rows.insert(len(self.configs), [f"{PAPER}, labels above 1/2", *(number(mean(v)) if None not in v else "–" for v in values)])
        if published_too:
            for key, title in (("best17", "best of 17 published, chosen per stream and metric"), ("mlhat", "MLHAT, published")):
                have = [[self.theirs(n, m, key) for n in names] for m, _, _ in METRICS]
                rows.insert(len(self.configs), [title, *(number(mean(v)) if None not in v else "–" for v in have)])
        return table([f"mean of {len(names)}, {order} order", *(title for _, title, _ in METRICS)], rows)

    def compared(self, names, who, key):
        """(ahead, stream, metric) of every figure that is published under this key."""
        pairs = [(n, m, self.of(n, "original", who, m, o), self.theirs(n, m, key)) for m, _, o in METRICS for n in names]
        return [(better(m, a, b), n, m) for n, m, a, b in pairs if a is not None and b is not None]

    def ahead(self, names):
        rows = []
        for who in self.configs:
            found = {key: self.compared(names, who, key) for key in ("mlhat", "ihomer", "best17")}
            behind = {}
            for _, stream, metric in (c for c in found["best17"] if not c[0]):
                behind.setdefault(stream, []).append(metric)
            listed = "; ".join(f"{stream} {', '.join(metrics)}" for stream, metrics in behind.items())
            few = sum(map(len, behind.values())) <= 8
            rows.append([who, *(f"{sum(c[0] for c in f)} of {len(f)}" for f in found.values()), (listed or "–") if few else "more"])
        return table(["original order: ahead of", "MLHAT", "iHOMER", "best of 17 per stream and metric", "not ahead of the best of 17"], rows)

    def speed(self, names):
        """In process, of the run with the rules' own work not counted; geometric mean."""
        rows = []
        for who in self.configs:
            rates = [self.row.get((n, "original", who, "hamming"), {}).get("per_second") for n in names]
            rates = [float(r) for r in rates if r]
            geometric = 1.0
            for r in rates:
                geometric *= r ** (1 / len(rates))
            rows.append([who, f"{geometric:,.0f}"])
        return table(["configuration", "instances a second, geometric mean"], rows)

    def streams(self, names, order, metric, title, objective, published_too):
        """One row a stream; the best of a row is bold."""
        head = ["stream", *self.configs, *BASELINES] + (["MLHAT", "iHOMER", "best of 17"] if published_too else [])
        yield f"**{title}**{' (lower is better)' if metric == 'hamming' else ''}, {order} order"
        rows = []
        for name in names:
            values = [self.of(name, order, who, metric, objective) for who in [*self.configs, *BASELINES]]
            if published_too:
                values += [self.theirs(name, metric, key) for key in ("mlhat", "ihomer", "best17")]
            best = (min if metric == "hamming" else max)(v for v in values if v is not None)
            shown = [f"**{number(v)}**" if v == best else number(v) for v in values]
            if published_too:
                shown[-1] += f" {self.known.get((name, metric), {}).get('best17_learner') or ''}".rstrip()
            rows.append([name, *shown])
        yield from table(head, rows)

    def compact(self, names, order, who):
        """One row a stream; in each cell homerd, the better baseline, then MLHAT and iHOMER in original order."""
        rows = []
        for name in names:
            row = [name]
            for metric, _, objective in METRICS:
                ours = self.of(name, order, who, metric, objective)
                values = [(min if metric == "hamming" else max)(self.of(name, order, b, metric, objective) for b in BASELINES)]
                values += [self.theirs(name, metric, key) for key in ("mlhat", "ihomer")] if order == "original" else []
                mark = "**" if all(v is None or not better(metric, v, ours) for v in values) else ""
                row.append(" ".join([f"{mark}{number(ours, 3)}{mark}", *(number(v, 3) for v in values)]))
            rows.append(row)
        return table([f"{order} order", *(title for _, title, _ in METRICS)], rows)


def text(study, name, rows):
    f = Figures(rows)
    shown = f.names(PUBLISHED, "original")
    if not shown:
        return
    yield from f.means(shown, "original", True)
    yield from f.ahead(shown)
    yield from f.means(shown, "shuffled 1", False)
    yield from f.speed(shown)
    yield ("One configuration for all streams. Published figures are other people's runs under the same protocol (tests/bench/published.tsv); iHOMER's authors give "
           "no example F1, and not every stream. Shuffled N: Python's `random.Random(N).shuffle` of the lines. `ihomer-paper`: iHOMER as published, made anew from its text.")
    for who in f.configs[:1]:
        yield f"**By stream**: profile `{who}` (bold when nothing beside it is better), the better of NO-CHANGE and MAJORITY, then MLHAT and iHOMER as published"
        for order in ("original", "shuffled 1"):
            yield from f.compact(shown, order, who)
    further = f.names(UNTUNED, "original")
    if further:
        yield "**Streams that no setting was chosen on**"
        for order in ("original", "shuffled 1"):
            yield from f.means(further, order, False)
    by_label = f.names(SORTED, "original")
    if by_label:
        yield f"**Streams that are sorted by label** ({' '.join(by_label)}), in their order and shuffled by {len(SEEDS)} seeds"
        for order in ["original", *(f"shuffled {s}" for s in SEEDS)]:
            yield from f.means(by_label, order, False)
    for names, published_too in ((shown, True), (further, False)):
        for order in ("original", "shuffled 1"):
            for metric, title, objective in METRICS:
                if names:
                    yield from f.streams(names, order, metric, title, objective, published_too and order == "original")
