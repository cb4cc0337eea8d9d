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
BASELINES = ["NO-CHANGE", "MAJORITY"]
KEPT = ("by instances features labels subset hamming example_f1 micro_f1 macro_f1 p@1 p@3 p@5 ndcg@5 psp@1 psp@3 psp@5 log_loss "
        "calibration_error per_second peak_bytes").split()
COST = {"linear": 1, "fast": 1.5, "accurate": 8, "ihomer-paper": 8}


def run_cells(study, streams, orders, configs=None):
    """bench_model's rows of streams in these orders, under every configuration; other tables share them."""
    for stream in streams:
        for order in orders:
            for config, settings in (configs or study.configs).items():
                run = lambda stream=stream, order=order, settings=settings: [
                    {k: row[k] for k in KEPT} for row in study.bench.model(in_order(stream.lines(), order), settings=settings).rows]
                yield study.cell("accuracy", stream, {"order": order, "config": config, "settings": settings}, run, COST.get(config, 1))


def cells(study, _):
    tuned, further = study.recorded("accuracy", PUBLISHED), study.recorded("accuracy", UNTUNED)
    yield from run_cells(study, tuned + further, ["original", "shuffled 1"])
    by_label = [s for s in tuned if s.name in SORTED]
    yield from run_cells(study, by_label, [f"shuffled {seed}" for seed in SEEDS[1:]])


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

    def means(self, names, orders, published_too):
        head = [f"mean of {len(names)} streams", *(title for _, title, _ in METRICS)]
        rows = []
        for order in orders:
            for who in [*self.configs, *BASELINES]:
                values = [[self.of(n, order, who, m, o) for n in names] for m, _, o in METRICS]
                rows.append([f"{who}, {order}", *(number(mean(v)) if None not in v else "–" for v in values)])
            if order == "original" and published_too:
                for key, title in (("mlhat", "MLHAT, published"), ("best17", "best of 17 published, chosen per stream and metric")):
                    have = [[self.theirs(n, m, key) for n in names] for m, _, _ in METRICS]
                    rows.append([title, *(number(mean(v)) if None not in v else "–" for v in have)])
        return table(head, rows)

    def ahead(self, names):
        rows = []
        for who in self.configs:
            cells = []
            for key in ("mlhat", "ihomer", "best17"):
                pairs = [(m, self.of(n, "original", who, m, o), self.theirs(n, m, key)) for m, _, o in METRICS for n in names]
                pairs = [(m, a, b) for m, a, b in pairs if a is not None and b is not None]
                cells.append(f"{sum(better(m, a, b) for m, a, b in pairs)} of {len(pairs)}")
            rows.append([who, *cells])
        return table(["original order: ahead of", "MLHAT", "iHOMER", "best of 17 per stream and metric"], rows)

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
    yield ("Prequential, one pass, from the first instance, one configuration for all streams; each metric under its own objective. Published figures are "
           "other people's runs under the same protocol (tests/bench/published.tsv). Shuffled N: Python's `random.Random(N).shuffle` of the lines.")
    yield from f.means(shown, ["original", "shuffled 1"], True)
    yield from f.ahead(shown)
    yield from f.speed(shown)
    further = f.names(UNTUNED, "original")
    if further:
        yield "Streams that no setting was chosen on:"
        yield from f.means(further, ["original", "shuffled 1"], False)
    by_label = f.names(SORTED, "original")
    if by_label:
        yield f"Streams that are sorted by label ({' '.join(by_label)}), in their order and shuffled by {len(SEEDS)} seeds:"
        yield from f.means(by_label, ["original", *(f"shuffled {s}" for s in SEEDS)], False)
    whole = [c for c in ("fast", *f.configs) if c in f.configs][:1]
    for who in whole:
        yield f"Profile `{who}` (bold when nothing beside it is better), the better of NO-CHANGE and MAJORITY, then MLHAT and iHOMER as published:"
        for order in ("original", "shuffled 1"):
            yield from f.compact(shown, order, who)
    for names, published_too in ((shown, True), (further, False)):
        for order in ("original", "shuffled 1"):
            for metric, title, objective in METRICS:
                if names:
                    yield from f.streams(names, order, metric, title, objective, published_too and order == "original")
