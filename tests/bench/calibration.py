"""How probable the scores are: expected calibration error over 20 equal bins (core/eval.h), log-loss, and the bins themselves."""
from accuracy import PUBLISHED, UNTUNED
from sources import in_order
from text import mean, number, table

ORDERS = ("original", "shuffled 1")


def run(study, stream, order, settings):
    found = study.bench.model(in_order(stream.lines(), order), "--objective", "hamming", settings=settings, bins=True)
    row = found.by["hamming"]
    total = {"bin": "", "pairs": "", "mean_score": "", "positives": "", "calibration_error": row["calibration_error"], "log_loss": row["log_loss"]}
    return [total] + [{**total, "bin": b["bin"], "pairs": b["pairs"], "mean_score": mean_score(b), "positives": share(b), "calibration_error": "",
                       "log_loss": ""} for b in found.bins]


def mean_score(b):
    return f"{float(b['scores']) / float(b['pairs']):.5f}" if float(b["pairs"]) else ""


def share(b):
    return f"{float(b['positives']) / float(b['pairs']):.5f}" if float(b["pairs"]) else ""


def cells(study, name):
    for stream in study.recorded(name, PUBLISHED + UNTUNED):
        for order in ORDERS:
            for config, settings in study.configs.items():
                work = lambda stream=stream, order=order, settings=settings: run(study, stream, order, settings)
                yield study.cell("calibration", stream, {"order": order, "config": config, "settings": settings}, work)


def error_of(bins):
    """The calibration error of bins of (pairs, mean score, share of positives)."""
    total = sum(n for n, _, _ in bins)
    return sum(n * abs(score - positive) for n, score, positive in bins) / total if total else 0.0


def text(study, name, rows):
    configs = list(dict.fromkeys(r["config"] for r in rows))
    total = {(r["stream"], r["order"], r["config"]): r for r in rows if r["bin"] == ""}
    yield ("Expected calibration error (20 equal bins, |mean score − share of positives| weighted by pairs of instance and known label) and log-loss of the scores, "
           "which are the same under every objective. The bins of every stream: calibration.csv.")
    for order in ORDERS:
        head, lines = [f"{order} order"], []
        for config in configs:
            head += [f"{config}: error", "log-loss"]
        for names, title in ((PUBLISHED, "published"), (UNTUNED, "further")):
            have = [n for n in names if all((n, order, c) in total for c in configs)]
            values = lambda n: [total[n, order, c][k] for c in configs for k in ("calibration_error", "log_loss")]
            lines += [[n, *map(number, values(n))] for n in have]
            if have:
                lines.append([f"*mean of {len(have)} {title}*", *(number(mean(v)) for v in zip(*map(values, have)))])
        yield from table(head, lines)
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
