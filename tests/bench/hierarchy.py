#!/usr/bin/env python3
"""The online label hierarchy beside batch clusterings, on recorded streams, in their order and shuffled.

Usage: hierarchy.py --build DIR [--data DIR] [--out DIR] [--streams NAME,...] [--seed N]
Runs DIR/tests/bench/bench_hierarchy on every NAME.jsonl[.zst|.gz] of the data folder (default: $HOMER_DATA) and on its lines shuffled
(random.Random(N), N = 1), then clusters the final Jaccard similarities by average linkage, cut to as many clusters: plainly, and with no cluster
larger than the largest online one ("capped"). "fresh" are the clusters that the online algorithm makes of the final counts, with no past.
coverage          share of all pairs of labels of one instance that lie within one cluster
within, between   mean Jaccard similarity of the pairs of labels within clusters, and of all others
ari               adjusted Rand index with the online clusters; "orders": of the online clusters of both orders
changes           how often clusters changed; us: microseconds of processor time an instance
Prints the README's table, and writes it to hierarchy.md and all figures to hierarchy.tsv in --out (default: DIR/bench).
"""
import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from sources import find, lines_of

STREAMS = "yeast enron medical tmc2007_500 bibtex stackex_chess delicious reuters21578_topics".split()
FIGURES = "depth smallest largest regroup drift".split()  # of bench_hierarchy, as they are
HEAD = ["stream", "labels", "depth", "clusters", "labels in one", "changes", "us", "coverage", "within / between", "capped: coverage",
        "within / between", "linkage: largest", "coverage", "ari: fresh", "fresh, shuffled", "orders", "capped", "linkage"]


def run(bench, lines, folder):
    path, matrix = Path(folder) / "stream.jsonl", Path(folder) / "matrix.txt"
    path.write_bytes(b"\n".join(lines) + b"\n")
    out = subprocess.run([bench, "--matrix", matrix, path], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out), np.loadtxt(matrix, ndmin=2)


def coverage(labelsets, cluster):
    inside = pairs = 0
    for y in labelsets:
        pairs += len(y) * (len(y) - 1) // 2
        inside += sum(n * (n - 1) // 2 for n in Counter(cluster[label] for label in y).values())
    return inside / pairs if pairs else 1.0


def adjusted_rand(a, b):
    """Hubert and Arabie 1985."""
    choose = lambda counts: sum(n * (n - 1) / 2 for n in counts)
    both, x, y = choose(Counter(zip(a, b)).values()), choose(Counter(a).values()), choose(Counter(b).values())
    expected = x * y / max(1, choose([len(a)]))
    return (both - expected) / ((x + y) / 2 - expected) if (x + y) / 2 != expected else 1.0


def short(value):
    return f"{value:.3f}".lstrip("0") if 0 < value < 1 else f"{value:.3g}"


def capped_linkage(similarity, clusters, largest):
    """Average linkage that never joins beyond `largest` labels; stops at `clusters`, or when nothing may join."""
    members = {i: [i] for i in range(len(similarity))}
    size = np.ones(len(similarity))
    links = similarity.copy()  # between clusters: mean similarity
    np.fill_diagonal(links, -1)
    while len(members) > clusters:
        allowed = np.where(size[:, None] + size[None, :] <= largest, links, -1)
        a, b = divmod(int(allowed.argmax()), len(similarity))
        if allowed[a, b] < 0:
            break
        links[a] = links[:, a] = (size[a] * links[a] + size[b] * links[b]) / (size[a] + size[b])
        links[b] = links[:, b] = links[a, a] = -1
        for c in range(len(similarity)):
            if c not in members or c == a:
                links[a, c] = links[c, a] = -1
        size[a] += size[b]
        members[a] += members.pop(b)
    return assignment(members.values(), len(similarity))


def assignment(clusters, labels):
    cluster_of = [0] * labels
    for k, members in enumerate(clusters):
        for label in members:
            cluster_of[label] = k
    return cluster_of


def cohesion(similarity, cluster):
    """Mean similarity of the pairs within clusters, and of the others."""
    upper = np.triu_indices(len(similarity), 1)
    inside = np.equal.outer(cluster, cluster)[upper]
    return tuple(float(similarity[upper][which].mean()) if which.any() else 0.0 for which in (inside, ~inside))


def measure(bench, name, lines):
    """All figures of one stream."""
    from scipy.cluster.hierarchy import cut_tree, linkage  # slow to load, and adjusted_rand alone is used elsewhere
    from scipy.spatial.distance import squareform
    with tempfile.TemporaryDirectory() as folder:
        found, similarity = run(bench, lines, folder)
    distance = 1 - similarity
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    clusters = {
        "online": assignment(found["clusters"], found["labels"]),
        "fresh": assignment(found["fresh"], found["labels"]),
        "linkage": cut_tree(tree, found["leaves"])[:, 0].tolist(),
        "capped": capped_linkage(similarity, found["leaves"], found["largest"]),
    }
    names = list(dict.fromkeys(label for line in lines for label in json.loads(line)["y"]))  # ids go by first appearance
    row = {"stream": name, "instances": found["instances"], "labels": found["labels"], **{key: found[key] for key in FIGURES},
           "us_per_instance": found["us"], "slowest_us": found["slowest_us"], "bytes": found["bytes"]}
    for by, cluster in clusters.items():
        row[f"{by}_clusters"], row[f"{by}_largest"] = len(set(cluster)), max(Counter(cluster).values())
        row[f"{by}_coverage"] = coverage(found["labelsets"], cluster)
        row[f"{by}_within"], row[f"{by}_between"] = cohesion(similarity, cluster)
        row[f"{by}_ari"] = adjusted_rand(clusters["online"], cluster)
    return row, dict(zip(names, clusters["online"]))


def both_orders(bench, name, lines, seed):
    """Rows of the original order and of the shuffled one."""
    shuffled = list(lines)
    random.Random(seed).shuffle(shuffled)
    (row, cluster), (other, of_shuffled) = measure(bench, name, lines), measure(bench, name, shuffled)
    agree = adjusted_rand(list(cluster.values()), [of_shuffled[label] for label in cluster])
    return [{"order": order, **r, "orders_ari": agree} for order, r in (("original", row), ("shuffled", other))]


def cells(row, shuffled):
    both = lambda by: " / ".join(f"{row[by + side]:.4f}".lstrip("0") for side in ("_within", "_between"))
    index = lambda value: f"{value:.2f}"
    return [row["stream"], row["labels"], row["depth"], row["online_clusters"], f"{row['smallest']}–{row['largest']}", row["regroup"],
            f"{row['us_per_instance']:.1f}", short(row["online_coverage"]), both("online"), short(row["capped_coverage"]), both("capped"),
            row["linkage_largest"], short(row["linkage_coverage"]), index(row["fresh_ari"]), index(shuffled["fresh_ari"]), index(row["orders_ari"]),
            index(row["capped_ari"]), index(row["linkage_ari"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--data", type=Path, default=os.environ.get("HOMER_DATA"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--seed", type=int, default=1, help="of the shuffle")
    args = parser.parse_args()
    if not args.data:
        sys.exit("hierarchy: where are the streams? --data DIR, or the environment's HOMER_DATA")
    out, rows = args.out or args.build / "bench", []
    text = ["| " + " | ".join(HEAD) + " |", "|---" + "|---:" * (len(HEAD) - 1) + "|"]
    for name in args.streams.split(","):
        path = find(Path(args.data), name)
        if not path:
            print(f"hierarchy: no {name} in {args.data}: left out", file=sys.stderr)
            continue
        rows += both_orders(args.build / "tests/bench/bench_hierarchy", name, lines_of(path), args.seed)
        text.append("| " + " | ".join(map(str, cells(*rows[-2:]))) + " |")
    if not rows:
        sys.exit(f"hierarchy: no stream found in {args.data}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "hierarchy.md").write_text("\n".join(text) + "\n")
    with open(out / "hierarchy.tsv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print("\n".join(text))


if __name__ == "__main__":
    main()
