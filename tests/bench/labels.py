"""Labels that come late, and labels that are rare."""
from accuracy import Figures, run_cells
from score import SEEN, by_positives_seen, late, ratio
from sources import truths
from text import number, table

LATE = "enron medical langlog stackex_chess bibtex rcv1sub1 corel5k delicious arxiv_titles_10k".split()
TAIL = "bibtex delicious stackex_chess rcv1sub1 medical".split()
OBJECTIVES = ["micro_f1", "example_f1", "macro_f1"]
GENERATED = [(f"late-{seed}", dict(seed=seed, labels=24, group=6, cardinality=3.0, instances=10000, late=8)) for seed in (1, 2, 3)]


def late_row(by, bucket, tp, fp, fn, labels):
    return {"by": by, "least": bucket[0], "most": bucket[1], "tp": tp, "fp": fp, "fn": fn, "late_labels": labels}


def late_run(study, stream, settings):
    lines = stream.lines()
    run, true = study.bench.model(lines, settings=settings, record=True), truths(lines)
    labels = late(true)
    return [late_row(by, bucket, *counts, len(labels)) for by in OBJECTIVES
            for bucket, counts in by_positives_seen(true, run.predicted[by], labels).items()]


def cells(study, name):
    if name == "tail":
        yield from run_cells(study, name, study.recorded(name, TAIL), ["original"])
        return
    streams = study.recorded(name, LATE) + [study.generated(n, **a) for n, a in GENERATED[:1 if study.quick else None]]
    for stream in streams:
        for config, settings in study.configs(name).items():
            run = lambda stream=stream, settings=settings: late_run(study, stream, settings)
            yield study.cell("late", stream, {"config": config, "settings": settings}, run)


def shown(bucket):
    least, most = bucket
    return f"{least}" if least == most else f"{least}–{most}" if most else f"over {least - 1}"


def late_text(rows):
    yield ("Labels whose first positive comes after the first tenth of the stream (and 100 instances): micro F1 / recall over these labels, of the predictions made "
           "when the label had had so many positives. A label waits long between its first positives, so that its false positives are many chances.")
    at = {}
    for r in rows:
        bucket = (int(r["least"]), int(r["most"]) if r["most"] else None)
        at.setdefault((r["by"], r["stream"], r["config"]), {})[bucket] = r
    for by in OBJECTIVES:
        yield f"**Objective {by}**"
        lines, sums = [], {}
        for (objective, stream, config), row in at.items():
            if objective != by:
                continue
            cells = []
            for bucket in SEEN:
                tp, fp, fn = (int(row[bucket][k]) for k in ("tp", "fp", "fn"))
                cells.append(f"{number(ratio(2 * tp, 2 * tp + fp + fn), 3)} / {number(ratio(tp, tp + fn), 3)}" if tp + fn else "–")
                total = sums.setdefault((config, bucket), [0, 0, 0])
                for i, v in enumerate((tp, fp, fn)):
                    total[i] += v
            lines.append([stream, config, row[SEEN[0]]["late_labels"], *cells])
        whole = []
        for config in dict.fromkeys(c for c, _ in sums):
            cells = []
            for bucket in SEEN:
                tp, fp, fn = sums[config, bucket]
                cells.append(f"{number(ratio(2 * tp, 2 * tp + fp + fn), 3)} / {number(ratio(tp, tp + fn), 3)}")
            whole.append(["*all together*", config, "", *cells])
        yield from table(["stream", "configuration", "late labels", *map(shown, SEEN)], whole + lines)


def tail_text(rows):
    yield ("Macro F1 under its own objective; P@k and propensity-scored P@k (A = .55, B = 1.5) of the scores. Beside them micro F1 and, as what labels cannot do "
           "without being learned, MAJORITY's macro F1.")
    f, lines = Figures(rows), []
    for name in f.names(TAIL, "original"):
        for who in f.configs:
            score = lambda key: number(f.row[name, "original", who, "hamming"][key])
            lines.append([name, who, number(f.of(name, "original", who, "macro_f1", "macro_f1")), *(score(f"psp@{k}") for k in (1, 3, 5)),
                          *(score(f"p@{k}") for k in (1, 3, 5)), number(f.of(name, "original", who, "micro_f1", "micro_f1")),
                          number(f.of(name, "original", "MAJORITY", "macro_f1", ""))])
    yield from table(["stream", "configuration", "macro F1", "PSP@1", "PSP@3", "PSP@5", "P@1", "P@3", "P@5", "micro F1", "MAJORITY macro F1"], lines)


def text(study, name, rows):
    return late_text(rows) if name == "late" else tail_text(rows)
