"""The metrics of core/eval.h computed afresh from recorded predictions, with scikit-learn wherever it has the measure.

A record is what one `test` request showed: the true labels, the predicted ones, and the scores of all labels known before it."""
import collections
import warnings

import numpy as np
from sklearn import metrics as sk


class Record:
    def __init__(self, true, predicted, scores):
        self.true, self.predicted, self.scores = frozenset(true), frozenset(predicted), scores


def no_change(records):
    """The labelset before; at first the empty one."""
    return [frozenset()] + [record.true for record in records[:-1]]


def majority(records):
    """The most frequent labelset so far; among equals the one that reached its count first; at first the empty one."""
    count = collections.Counter()
    best, found = frozenset(), []
    for record in records:
        found.append(best)
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


def of_labelsets(true, predicted, labels):
    """The measures that need no scores; labels: all that are known at the end."""
    y, p = matrix(true, labels), matrix(predicted, labels)
    both_empty = np.mean((y.sum(axis=1) == 0) & (p.sum(axis=1) == 0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the empty labelsets, which are counted as core/eval.h says
        return {
            "n": len(true),
            "subset": sk.accuracy_score(y, p),
            "hamming": sk.hamming_loss(y, p),
            "example_f1": sk.f1_score(y, p, average="samples", zero_division=0) + both_empty,
            "example_precision": sk.precision_score(y, p, average="samples", zero_division=0) + both_empty,
            "example_recall": sk.recall_score(y, p, average="samples", zero_division=0) + both_empty,
            "micro_f1": sk.f1_score(y, p, average="micro", zero_division=0),
            "macro_f1": sk.f1_score(y, p, average="macro", zero_division=0),
            "cardinality": p.sum() / len(true),
        }


def best_first(record):
    """The labels known before, by falling score; equal scores keep the order of appearance, which is that of `scores`."""
    return sorted(record.scores, key=lambda label: -record.scores[label])


def of_scores(records):
    """The measures of the model's scores. Labels that are new with an instance were not scored: they can be missed, never hit."""
    out, count = {}, collections.Counter()
    sums = collections.defaultdict(float)
    with_labels = 0
    for seen, record in enumerate(records):
        rank = best_first(record)
        c = max(0.0, np.log(seen) - 1) * 2.5**0.55 if seen else 0.0
        worth = {label: 1 + c * (count[label] + 1.5) ** -0.55 for label in {*rank, *record.true}}
        rarest = sorted((worth[label] for label in record.true), reverse=True)
        with_labels += bool(record.true)
        for k in (1, 3, 5):
            hit = [label in record.true for label in rank[:k]]
            sums["p", k] += sum(hit) / k
            if record.true:
                ideal = sum(1 / np.log2(i + 2) for i in range(min(k, len(record.true))))
                sums["ndcg", k] += sum(h / np.log2(i + 2) for i, h in enumerate(hit)) / ideal
            sums["psp", k] += sum(worth[label] for label, h in zip(rank, hit) if h)
            sums["best", k] += sum(rarest[:k])
        count.update(record.true)
    for k in (1, 3, 5):
        out[f"p@{k}"] = sums["p", k] / len(records)
        out[f"ndcg@{k}"] = sums["ndcg", k] / with_labels if with_labels else 0
        out[f"psp@{k}"] = sums["psp", k] / sums["best", k] if sums["best", k] else 0
    pairs = [(label in record.true, score) for record in records for label, score in record.scores.items()]
    true = np.array([pair[0] for pair in pairs], dtype=int)
    score = np.array([pair[1] for pair in pairs], dtype=np.float32)
    out["log_loss"] = sk.log_loss(true, np.clip(score.astype(float), 1e-6, 1 - 1e-6), labels=[0, 1]) if pairs else 0
    place = np.minimum((score * np.float32(20)).astype(int), 19)
    out["calibration_error"] = sum(abs(float(score[place == b].sum(dtype=float)) - true[place == b].sum()) for b in range(20)) / max(len(pairs), 1)
    return out
