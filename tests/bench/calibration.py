"""How probable the scores are: expected calibration error over 20 equal bins (core/eval.h), log-loss, and the bins themselves. The runs are those
of the table `accuracy`."""
from accuracy import PUBLISHED, UNTUNED, run_cells
from text import mean, number, table

ORDERS = ("original", "shuffled 1")


def cells(study, name):
    yield from run_cells(study, name, study.recorded(name, PUBLISHED + UNTUNED), ORDERS)


def listed(name, row):
    """Whether the table's CSV has this row."""
    return row["by"] in ("bin", "hamming")  # the scores are the same under every objective


def error_of(bins):
    """The calibration error of bins of (pairs, mean score, share of positives)."""
    total = sum(n for n, _, _ in bins)
    return sum(n * abs(score - positive) for n, score, positive in bins) / total if total else 0.0


def text(study, name, rows):
    configs = list(dict.fromkeys(r["config"] for r in rows))
    total = {(r["stream"], r["order"], r["config"]): r for r in rows if r["by"] == "hamming"}
    head = ["mean", *(h for config in configs for h in (f"{config}: error", "log-loss"))]
    values = lambda n, order: [float(total[n, order, c][k]) for c in configs for k in ("calibration_error", "log_loss")]
    have = {(title, order): [n for n in names if all((n, order, c) in total for c in configs)]
            for names, title in ((PUBLISHED, "published"), (UNTUNED, "further")) for order in ORDERS}
    lines = [[f"{len(names)} {title} streams, {order}", *(number(mean(v)) for v in zip(*(values(n, order) for n in names)))]
             for (title, order), names in have.items() if names]
    yield from table(head, lines)
    yield ("Error: expected calibration error (20 equal bins, |mean score − share of positives|, weighted by pairs of instance and known label). The scores are the "
           "same under every objective. The bins of every stream: calibration.csv.")
    yield "**Reliability**, original order, all published streams together: mean score and share of positives by bin"
    lines = []
    for b in range(20):
        line = [f"{b / 20:.2f}–{(b + 1) / 20:.2f}"]
        for config in configs:
            own = [r for r in rows if r["bin"] == str(b) and r["config"] == config and r["order"] == "original" and r["stream"] in PUBLISHED and r["mean_score"]]
            pairs = sum(float(r["pairs"]) for r in own)
            weighed = lambda key: sum(float(r["pairs"]) * float(r[key]) for r in own) / pairs if pairs else None
            line += [f"{pairs:,.0f}", number(weighed("mean_score"), 3), number(weighed("positives"), 3)]
        lines.append(line)
    yield from table(["score", *(f"{config}: {what}" for config in configs for what in ("pairs", "score", "positives"))], lines)
    for order in ORDERS:
        names = have["published", order] + have["further", order]
        if names:
            yield f"**By stream**, {order} order"
            yield from table(["stream", *head[1:]], [[n, *map(number, values(n, order))] for n in names])
