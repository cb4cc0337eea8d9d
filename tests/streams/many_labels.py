#!/usr/bin/env python3
"""Writes a synthetic stream with very many labels as JSON lines: {"x": {"w17": 1, ...}, "y": ["l3", ...]}.

Every label belongs to one of 40 topics, each of which has 60 words of its own; the label's signature is 12 words, half of them drawn from its
topic's, half from all. An instance takes a topic (the i-th with weight 1/sqrt(i)) and one to four labels of it (the i-th with weight i^-0.8; the same may
be drawn twice), sometimes one more of another topic; of each label's words it has each with probability .6, and 15 words at random. The same arguments
give the same bytes (Python's seeded Mersenne Twister).

Usage: many_labels.py LABELS WORDS INSTANCES [SEED]      LABELS: some hundreds at least, so that no topic is without; e.g. 4000 6000 15000, 20000 50000 20000, 100000 100000 20000
"""
import json
import random
import sys

TOPICS, TOPIC_WORDS, HALF_SIGNATURE, NOISE_WORDS = 40, 60, 6, 15


class Stream:
    """An iterator of (words with counts, labels), in numbers."""

    def __init__(self, labels, words, instances, seed=3):
        self.rng, self.words, self.instances = random.Random(seed), words, instances
        draw = self.rng.randrange
        topic_of = [draw(TOPICS) for _ in range(labels)]
        topic_words = [[draw(words) for _ in range(TOPIC_WORDS)] for _ in range(TOPICS)]
        self.signature = [[self.rng.choice(topic_words[topic]) for _ in range(HALF_SIGNATURE)] + [draw(words) for _ in range(HALF_SIGNATURE)]
                          for topic in topic_of]
        self.members = [[] for _ in range(TOPICS)]
        for label, topic in enumerate(topic_of):
            self.members[topic].append(label)
        self.weights = [[(i + 1) ** -0.8 for i in range(len(group))] for group in self.members]
        self.topics = [(i + 1) ** -0.5 for i in range(TOPICS)]

    def labels_of(self, topic, n):
        return self.rng.choices(self.members[topic], self.weights[topic], k=n)

    def __iter__(self):
        rng = self.rng
        for _ in range(self.instances):
            topic = rng.choices(range(TOPICS), self.topics)[0]
            held = set(self.labels_of(topic, rng.choice([1, 1, 2, 2, 3, 4])))
            if rng.random() < 0.15:
                held.update(self.labels_of(rng.randrange(TOPICS), 1))
            found = [word for label in held for word in self.signature[label] if rng.random() < 0.6]
            found += [rng.randrange(self.words) for _ in range(NOISE_WORDS)]
            yield {word: found.count(word) for word in sorted(set(found))}, sorted(held)


def lines(*arguments):
    for x, y in Stream(*arguments):
        yield json.dumps({"x": {f"w{word}": n for word, n in x.items()}, "y": [f"l{label}" for label in y]})


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or not all(argument.isdigit() for argument in sys.argv[1:]):
        sys.exit(__doc__)
    for row in lines(*map(int, sys.argv[1:])):
        print(row)
