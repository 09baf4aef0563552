"""What the Python peers of the sentence bench share: its sizes, random sentences, and the conversation with bench/training/sentences.ts.

A peer prints {"peer", "version", "ready": true}, then for each line "relu N" or "selu N" on its input trains N steps of that network and
prints {"seconds"}. The end of its input ends it.
"""

import json
import sys
import time

import numpy as np

WORDS, VECTOR, LENGTH, UNITS, BATCH, CLASSES = 20000, 300, 42, 300, 512, 3
HIDDEN, RATE, L2 = 600, 0.2, 4e-6
BATCHES = 8


def batches():
    """[(premises, hypotheses, labels)]: int32 [512, 42] twice, int32 [512]."""
    random = np.random.default_rng(0)
    sentences = lambda: random.integers(0, WORDS, (BATCH, LENGTH), dtype=np.int32)
    return [(sentences(), sentences(), random.integers(0, CLASSES, BATCH, dtype=np.int32)) for _ in range(BATCHES)]


def say(**line):
    print(json.dumps(line), flush=True)


def answer(steps_of):
    """steps_of: a function of the activation's name that gives a function of one batch's number."""
    steps = {name: steps_of(name) for name in ("relu", "selu")}
    for line in sys.stdin:
        name, count = line.split()
        start = time.perf_counter()
        for i in range(int(count)):
            steps[name](i % BATCHES)
        say(seconds=time.perf_counter() - start)
