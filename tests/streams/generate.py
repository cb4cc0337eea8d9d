#!/usr/bin/env python3
"""Writes a synthetic multi-label stream with known concept drift as JSON lines: {"x": {"f0": 0.52, ...}, "y": ["l3", ...]}.

A concept (--concept half-space) gives every label a random half-space: label l holds when w_l . x > |w_l| z_l, x standard normal, so that
the label's share of positives is what z_l was chosen for. The w_l of one group of labels share a part (--correlation), which makes the labels of a
group come together. With --concept tree each group has a random decision tree of --depth tests instead, each of one feature against a threshold, and
in each leaf some of the group's labels hold: a linear model sees little of it. Labels 0 to N-1 (--group N) are group 0, the next N are group 1 and so
on. At each drift position the stream goes over from one concept to the next:

  none         one concept for the whole stream
  sudden       from one instance to the next
  gradual      over --width instances, each is drawn from the old or the new concept, the new one ever more often
  incremental  over --width instances the half-spaces turn from the old to the new ones
  recurring    sudden, and two concepts take turns: the old one comes back
  cluster      sudden, in one group only: the k-th position gives group k-1 (modulo their number) new w_l; all else stays, shares of positives too
  structure    the groups are dealt anew, at random, and nothing else changes. Here labels do not come together by their w_l but by a number h_g ~ N(0,1) that
               each group g draws for each instance and nobody sees: l holds when sqrt(C) h_g + sqrt(1-C) w_l . x / |w_l| > z_l, C the correlation.
               P(y_l|x) of every label stays as it is; only which labels come together changes

The distribution of x never changes, only P(y|x) does. The same arguments give the same bytes (Python's seeded Mersenne Twister; values are
rounded before labels are computed from them). The drifts are centred on their positions.

Example:  python3 tests/streams/generate.py --drift sudden --instances 20000 --at 10000 | homer replay -
"""
import argparse
import copy
import json
import math
import random
import statistics
import sys

KINDS = ("none", "sudden", "gradual", "incremental", "recurring", "cluster", "structure")


class Concept:
    """One P(y|x): a weight vector and a threshold per label. Drawn from its own seed, so that concepts do not depend on how many are used."""

    def __init__(self, seed, labels, features, correlation, cardinality, group):
        rng = random.Random(f"concept {seed}")
        self.weights = []
        for label in range(labels):
            if label % group == 0:
                shared = [rng.gauss(0, 1) for _ in range(features)]
            own = [rng.gauss(0, 1) for _ in range(features)]
            self.weights.append([math.sqrt(correlation) * a + math.sqrt(1 - correlation) * b for a, b in zip(shared, own)])
        raw = [rng.uniform(0.3, 1.7) for _ in range(labels)]  # frequent and rare labels
        scale = cardinality / sum(raw)
        self.quantile = [statistics.NormalDist().inv_cdf(1 - min(max(r * scale, 0.001), 0.95)) for r in raw]

    def labels(self, x):
        return half_spaces(x, self.weights, self.quantile)

    def but(self, other, labels):
        """This concept, but these labels have the weights of the other."""
        mixed = copy.copy(self)
        mixed.weights = [other.weights[label] if label in labels else w for label, w in enumerate(self.weights)]
        return mixed


class TreeConcept:
    """One P(y|x): a tree for each group of labels. In every leaf a label holds or not, on average over the leaves as often as in Concept."""

    def __init__(self, seed, labels, features, cardinality, group, depth):
        rng = random.Random(f"tree concept {seed}")
        self.group, self.depth = group, depth
        raw = [rng.uniform(0.3, 1.7) for _ in range(labels)]
        share = [min(max(r * cardinality / sum(raw), 0.001), 0.95) for r in raw]
        self.tests, self.held = [], []
        for first in range(0, labels, group):
            self.tests.append([(rng.randrange(features), rng.uniform(-0.5, 0.5)) for _ in range(2 ** depth - 1)])
            leaves = [set() for _ in range(2 ** depth)]
            for label in range(first, min(first + group, labels)):
                for leaf in rng.sample(leaves, max(1, round(share[label] * len(leaves)))):
                    leaf.add(label)
            self.held.append(leaves)

    def labels(self, x):
        found = set()
        for tests, leaves in zip(self.tests, self.held):
            node = 0
            for _ in range(self.depth):
                feature, threshold = tests[node]
                node = 2 * node + 1 + (x.get(feature, 0) > threshold)
            found |= leaves[node - len(tests)]
        return found

    def but(self, other, labels):
        """This concept, but the groups of these labels have the trees of the other."""
        mixed = copy.copy(self)
        changed = {label // self.group for label in labels}
        mixed.tests = [(other if g in changed else self).tests[g] for g in range(len(self.tests))]
        mixed.held = [(other if g in changed else self).held[g] for g in range(len(self.held))]
        return mixed


def half_spaces(x, weights, quantile):
    """The labels whose half-space holds the sparse vector x = {feature number: value}."""
    found = []
    for label, (w, q) in enumerate(zip(weights, quantile)):
        if sum(w[j] * v for j, v in x.items()) > q * math.sqrt(sum(w[j] * w[j] for j in x)):
            found.append(label)
    return found


def between(old, new, share, x):
    """Labels of x under the concept that lies `share` of the way from old to new."""
    weights = [[(1 - share) * a + share * b for a, b in zip(u, v)] for u, v in zip(old.weights, new.weights)]
    quantile = [(1 - share) * a + share * b for a, b in zip(old.quantile, new.quantile)]
    return half_spaces(x, weights, quantile)


class Stream:
    """An iterator of (x, labels) pairs; see the module's text for what the arguments mean."""

    def __init__(self, seed=1, labels=8, features=20, instances=10000, drift="none", at=None, width=500, correlation=0.5, noise=0.01,
                 cardinality=2.0, density=1.0, late=0, group=4, concept="half-space", depth=4):
        self.instances, self.features, self.drift, self.width = instances, features, drift, width
        self.noise, self.density, self.correlation = noise, density, correlation
        self.at = [] if drift == "none" else sorted(at) if at is not None else [instances // 2]
        self.label_n, self.early = labels, labels - late
        used = {"recurring": 2, "structure": 1}.get(drift, len(self.at) + 1)
        shared = 0 if drift == "structure" else correlation
        if concept == "tree":
            self.concepts = [TreeConcept(f"{seed}.{i}", labels, features, cardinality, group, depth) for i in range(used)]
        else:
            self.concepts = [Concept(f"{seed}.{i}", labels, features, shared, cardinality, group) for i in range(used)]
        self.deals = [[label // group for label in range(labels)]]
        self.rng = random.Random(f"stream {seed}")
        groups = self.deals[0][-1] + 1
        for i in range(len(self.at)):
            if drift == "cluster":
                changed = range(i % groups * group, (i % groups + 1) * group)
                self.concepts[i + 1] = self.concepts[i].but(self.concepts[i + 1], changed)
            elif drift == "structure":
                self.deals.append(random.Random(f"deal {seed}.{i}").sample(self.deals[0], labels))

    def concept(self, i):
        return self.concepts[i % len(self.concepts)]

    def membership(self, n):
        """The group of every label at place n."""
        return self.deals[min(self.passed(n), len(self.deals) - 1)]

    def passed(self, n):
        return sum(n >= position for position in self.at)

    def truth(self, n, x):
        """The labels of x at place n (0 = first), before noise. Draws random numbers where the drift is gradual or of the structure."""
        if self.drift == "structure":
            group = self.membership(n)
            drawn = [math.sqrt(self.correlation) * self.rng.gauss(0, 1) for _ in range(max(group) + 1)]
            scale = math.sqrt(1 - self.correlation)
            quantile = [(q - drawn[g]) / scale for q, g in zip(self.concepts[0].quantile, group)]
            return half_spaces(x, self.concepts[0].weights, quantile)
        if self.drift in ("gradual", "incremental"):
            for i, position in enumerate(self.at):
                share = (n - position) / self.width + 0.5
                if 0 < share < 1:
                    if self.drift == "incremental":
                        return between(self.concept(i), self.concept(i + 1), share, x)
                    return self.concept(i + (self.rng.random() < share)).labels(x)
        return self.concept(self.passed(n)).labels(x)

    def __iter__(self):
        for n in range(self.instances):
            x = {}
            for j in range(self.features):
                value = round(self.rng.gauss(0, 1), 4)
                if self.density >= 1 or self.rng.random() < self.density:
                    x[j] = value
            held = set(self.truth(n, x))
            if self.noise:
                held ^= {label for label in range(self.label_n) if self.rng.random() < self.noise}
            last = self.early if n < self.instances // 2 else self.label_n
            yield x, [label for label in sorted(held) if label < last]


def line(x, labels):
    return json.dumps({"x": {f"f{j}": v for j, v in x.items()}, "y": [f"l{label}" for label in labels]}, separators=(",", ":"))


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--labels", type=int, default=8)
    p.add_argument("--features", type=int, default=20)
    p.add_argument("--instances", type=int, default=10000)
    p.add_argument("--drift", choices=KINDS, default="none")
    p.add_argument("--concept", choices=("half-space", "tree"), default="half-space", help="what labels follow (half-space)")
    p.add_argument("--depth", type=int, default=4, help="tests on the way to a leaf of a concept that is a tree (4)")
    p.add_argument("--at", metavar="N,N...", type=lambda s: [int(part) for part in s.split(",")],
                   help="drift positions, in instances (default: the middle)")
    p.add_argument("--width", type=int, default=500, help="instances that a gradual or incremental drift takes (500)")
    p.add_argument("--correlation", type=float, default=0.5, help="0 = independent labels, 1 = those of a group are alike (0.5)")
    p.add_argument("--group", type=int, default=4, metavar="N", help="labels of a group (4)")
    p.add_argument("--noise", type=float, default=0.01, help="probability that a label of an instance is flipped (0.01)")
    p.add_argument("--cardinality", type=float, default=2.0, help="labels of an instance on average, before noise (2)")
    p.add_argument("--density", type=float, default=1.0, help="share of features that an instance has (1 = dense)")
    p.add_argument("--late", type=int, default=0, metavar="N", help="the last N labels appear in the second half only (0)")
    args = p.parse_args(argv)
    if min(args.labels, args.features, args.instances, args.width, args.group) < 1 or not 0 <= args.late <= args.labels:
        p.error("labels, features, instances, width and group are at least 1, late at most the labels")
    if not (0 <= args.correlation <= 1 and 0 <= args.noise <= 1 and 0 < args.density <= 1 and args.cardinality > 0):
        p.error("correlation and noise lie between 0 and 1, density and cardinality above 0")
    if args.concept == "tree" and args.drift in ("incremental", "structure"):
        p.error(f"{args.drift} drift is of half-spaces")
    if not 1 <= args.depth <= 12:
        p.error("depth lies between 1 and 12")
    if args.drift == "structure" and args.correlation == 1:
        p.error("with structure drift the correlation is below 1: x has to tell something")
    return args


def main(argv=None):
    try:
        for x, labels in Stream(**vars(arguments(argv))):
            sys.stdout.write(line(x, labels) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away (head): nothing to say
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
