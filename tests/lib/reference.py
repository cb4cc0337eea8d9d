"""The metrics of core/eval.h computed afresh from recorded predictions, with scikit-learn wherever it has the measure.

A record is what one `test` request showed: the true labels, the predicted ones, and the scores of all labels known before it."""
import collections
import warnings

import numpy as np
from sklearn import metrics as sk


class Record:
    def __init__(self, true, predicted, scores, known=None):
        self.true, self.predicted, self.scores = frozenset(true), frozenset(predicted), scores
        self.known = None if known is None else frozenset(known)  # None: a complete labelling

    def seen(self, labelset):
        """A labelset as far as this instance can judge it."""
        return labelset if self.known is None else labelset & self.known


def of_model(records):
    return [record.predicted for record in records]


def no_change(records):
    """The labelset before (of a partial one, what was true in it); at first the empty one."""
    return [frozenset()] + [record.true for record in records[:-1]]


def majority(records):
    """The most frequent complete labelset so far; among equals the one that reached its count first; at first the empty one."""
    count = collections.Counter()
    best, found = frozenset(), []
    for record in records:
        found.append(best)
        if record.known is None:
            count[record.true] += 1
            if count[record.true] > count[best]:
                best = record.true
    return found


def matrix(sets, labels):
    column = {label: i for i, label in enumerate(labels)}
    out = np.zeros((len(sets), len(labels)), dtype=int)
    for row, labelset in enumerate(sets):
        for label in labelset:
            out[row, column[label]] = 1
    return out


def of_labelsets(records, predicted, labels):
    """The measures that need no scores; labels: all that are known at the end."""
    y = matrix([record.true for record in records], labels)
    p = matrix([record.seen(labelset) for record, labelset in zip(records, predicted)], labels)
    both_empty = np.mean((y.sum(axis=1) == 0) & (p.sum(axis=1) == 0))
    unknown = sum(len(labels) - len(record.known) for record in records if record.known is not None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the empty labelsets, which are counted as core/eval.h says
        return {
            "n": len(records),
            "subset": sk.accuracy_score(y, p),
            "hamming": sk.hamming_loss(y, p) * y.size / (y.size - unknown),
            "example_f1": sk.f1_score(y, p, average="samples", zero_division=0) + both_empty,
            "example_precision": sk.precision_score(y, p, average="samples", zero_division=0) + both_empty,
            "example_recall": sk.recall_score(y, p, average="samples", zero_division=0) + both_empty,
            "micro_f1": sk.f1_score(y, p, average="micro", zero_division=0),
            "macro_f1": sk.f1_score(y, p, average="macro", zero_division=0),
            "cardinality": p.sum() / len(records),
        }


def best_first(record):
    """The labels known before, by falling score; equal scores keep the order of appearance, which is that of `scores`."""
    return sorted(record.scores, key=lambda label: -record.scores[label])


def of_ranks(records):
    """P@k, nDCG@k, PSP@k. Labels that are new with an instance were not scored: they can be missed, never hit. A partial labelling only counts
    the labels it shows."""
    out, count = {}, collections.Counter()
    sums = collections.defaultdict(float)
    complete = with_labels = 0
    for seen, record in enumerate(records):
        if record.known is None:
            rank = best_first(record)
            c = max(0.0, np.log(seen) - 1) * 2.5**0.55 if seen else 0.0
            worth = {label: 1 + c * (count[label] + 1.5) ** -0.55 for label in {*rank, *record.true}}
            rarest = sorted((worth[label] for label in record.true), reverse=True)
            complete += 1
            with_labels += bool(record.true)
            for k in (1, 3, 5):
                hit = [label in record.true for label in rank[:k]]
                sums["p", k] += sum(hit) / k
                ideal = sum(1 / np.log2(i + 2) for i in range(min(k, len(record.true))))
                sums["ndcg", k] += sum(h / np.log2(i + 2) for i, h in enumerate(hit)) / ideal if ideal else 0
                sums["psp", k] += sum(worth[label] for label, h in zip(rank, hit) if h)
                sums["best", k] += sum(rarest[:k])
        count.update(record.true)
    for k in (1, 3, 5):
        out[f"p@{k}"] = sums["p", k] / max(complete, 1)
        out[f"ndcg@{k}"] = sums["ndcg", k] / max(with_labels, 1)
        out[f"psp@{k}"] = sums["psp", k] / sums["best", k] if sums["best", k] else 0
    return out


def of_scores(records):
    """The measures of the model's scores: ranks, log loss, calibration."""
    pairs = [(label in record.true, score) for record in records for label, score in record.scores.items()
             if record.known is None or label in record.known]
    true = np.array([pair[0] for pair in pairs], dtype=int)
    score = np.array([pair[1] for pair in pairs], dtype=np.float32)
    place = np.minimum((score * np.float32(20)).astype(int), 19)
    gaps = (abs(score[place == b].sum(dtype=float) - true[place == b].sum()) for b in range(20))
    return of_ranks(records) | {
        "log_loss": sk.log_loss(true, np.clip(score.astype(float), 1e-6, 1 - 1e-6), labels=[0, 1]),
        "calibration_error": sum(gaps) / len(pairs),
    }
