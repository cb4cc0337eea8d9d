#!/usr/bin/env python3
"""The online label hierarchy beside batch clusterings, on recorded streams.

Usage: hierarchy.py --build DIR --data DIR [--out FILE] [--streams NAME,...] [--shuffle SEED]
Runs DIR/tests/bench/bench_hierarchy on every NAME.jsonl[.zst|.gz] of the data folder, then clusters the final Jaccard similarities by
average linkage, cut to as many clusters: plainly, and with no cluster larger than the largest online one ("capped"). "fresh" is the online
algorithm's own tree if built once from the final counts. Coverage: share of all pairs of labels of one instance that lie within one
cluster. Writes a table (Markdown) to --out, or to standard output.
"""
import argparse
import json
import random
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform

from accuracy import find, lines_of

STREAMS = "yeast enron medical tmc2007_500 bibtex stackex_chess delicious reuters21578_topics".split()
CHANGES = "split replace aggregate drift balance".split()
HEAD = ["stream", "labels", "depth", "clusters", "sizes", "coverage", "within", "between", "fresh: clusters", "coverage", "ARI",
        "linkage: largest", "coverage", "ARI", "capped: clusters", "coverage", "ARI", *CHANGES, "us/instance", "slowest ms", "KB"]


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


def row(bench, name, lines):
    with tempfile.TemporaryDirectory() as folder:
        found, similarity = run(bench, lines, folder)
    online, fresh = (assignment(found[key], found["labels"]) for key in ("clusters", "fresh"))
    distance = 1 - similarity
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    batch = cut_tree(tree, found["leaves"])[:, 0].tolist()
    capped = capped_linkage(similarity, found["leaves"], found["largest"])
    judged = [[short(coverage(found["labelsets"], other)), short(adjusted_rand(online, other))] for other in (fresh, batch, capped)]
    return [name, found["labels"], found["depth"], found["leaves"], f"{found['smallest']}–{found['largest']}",
            short(coverage(found["labelsets"], online)), short(found["within"]), short(found["between"]),
            len(found["fresh"]), *judged[0], max(Counter(batch).values()), *judged[1], len(set(capped)), *judged[2],
            *(found[c] for c in CHANGES), f"{found['us']:.2f}", f"{found['slowest_us'] / 1000:.1f}", found["bytes"] // 1024]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--shuffle", type=int, help="seed; original order when not given")
    args = parser.parse_args()
    rows = ["| " + " | ".join(HEAD) + " |", "|---" + "|---:" * (len(HEAD) - 1) + "|"]
    for name in args.streams.split(","):
        path = find(args.data, name)
        if not path:
            parser.error(f"no {name} in {args.data}")
        lines = lines_of(path)
        if args.shuffle is not None:
            random.Random(args.shuffle).shuffle(lines)
        rows.append("| " + " | ".join(map(str, row(args.build / "tests/bench/bench_hierarchy", name, lines))) + " |")
    text = "\n".join(rows) + "\n"
    args.out.write_text(text) if args.out else print(text, end="")


if __name__ == "__main__":
    main()
