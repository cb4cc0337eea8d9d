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
