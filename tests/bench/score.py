"""Metrics of recorded predictions, as core/eval.h defines them, but over any labels and any stretch of a stream; the same for homerd and for
its peers. Labelsets are frozensets of names. tests/integration/test_study.py holds them against scikit-learn's."""
from collections import Counter

import numpy as np

METRICS = [("subset", "Subset accuracy", "subset"), ("hamming", "Hamming loss", "hamming"), ("example_f1", "Example F1", "example_f1"),
           ("micro_f1", "Micro F1", "micro_f1"), ("macro_f1", "Macro F1", "macro_f1")]  # name, title, the objective it is measured under
SEEN = [(1, 1), (2, 5), (6, 20), (21, 100), (101, None)]  # positives of a label so far


def ratio(a, b):
    return float(a) / float(b) if b else 0.0


class Scored:
    """Per instance how much of the truth was hit. `only`: of these labels alone; `labels`: all that count for Hamming and macro F1."""

    def __init__(self, true, predicted, labels, only=None):
        if only is not None:
            labels = only = frozenset(only)
            true, predicted = [y & only for y in true], [p & only for p in predicted]
        self.true, self.predicted, self.labels = true, predicted, frozenset(labels)
        self.hit = np.array([len(y & p) for y, p in zip(true, predicted)], dtype=np.int64)
        self.y = np.array([len(y) for y in true], dtype=np.int64)
        self.p = np.array([len(p) for p in predicted], dtype=np.int64)

    def measures(self, begin=0, end=None):
        """The metrics of instances begin to end."""
        hit, y, p = self.hit[begin:end], self.y[begin:end], self.p[begin:end]
        n = len(hit)
        return {
            "n": n,
            "subset": ratio(((hit == y) & (hit == p)).sum(), n),
            "hamming": ratio((y + p - 2 * hit).sum(), n * len(self.labels)),
            "example_f1": ratio(np.where(y + p > 0, 2 * hit / np.maximum(y + p, 1), 1.0).sum(), n),
            "micro_f1": ratio(2 * hit.sum(), y.sum() + p.sum()),
            "micro_precision": ratio(hit.sum(), p.sum()),
            "micro_recall": ratio(hit.sum(), y.sum()),
            "macro_f1": self.macro(begin, end),
        }

    def macro(self, begin=0, end=None):
        both, size = Counter(), Counter()
        for y, p in zip(self.true[begin:end], self.predicted[begin:end]):
            both.update(y & p)
            size.update(y)
            size.update(p)
        return ratio(sum(2 * both[label] / size[label] for label in self.labels if size[label]), len(self.labels))

    def moving(self, metric, width):
        """The metric over the `width` instances that begin at each place: [n - width + 1]. subset, hamming, micro_f1."""
        wide = lambda values: np.convolve(values, np.ones(width, dtype=np.int64), "valid")
        if metric == "subset":
            return wide(((self.hit == self.y) & (self.hit == self.p)).astype(np.int64)) / width
        if metric == "hamming":
            return wide(self.y + self.p - 2 * self.hit) / (width * len(self.labels))
        return 2 * wide(self.hit) / np.maximum(wide(self.y + self.p), 1)


def late(true):
    """The labels whose first positive comes after the first tenth of the stream, and after 100 instances."""
    first = {}
    for i, y in enumerate(true):
        for label in y:
            first.setdefault(label, i)
    return frozenset(label for label, i in first.items() if i >= max(100, len(true) / 10))


def by_positives_seen(true, predicted, labels):
    """tp, fp, fn of these labels by how many positives each had before the instance: {(least, most): [tp, fp, fn]} over SEEN."""
    count, out = Counter(), {bucket: [0, 0, 0] for bucket in SEEN}
    for y, p in zip(true, predicted):
        y, p = y & labels, p & labels
        for label in y | p:
            for least, most in SEEN:
                if count[label] >= least and (most is None or count[label] <= most):
                    out[least, most][0 if label in y and label in p else 1 if label in p else 2] += 1
        count.update(y)
    return out
