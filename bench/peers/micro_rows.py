"""The rows every microbench of a Python peer prints, and how they are timed: one contract, so that rows can be laid side by side.

A peer gives {row name: (function, calls per round, note)} lazily, row by row; this file picks, times and prints. One JSON line a row:
{"peer", "version", "bench", "ms" (median of one call), "min", "n" (rounds), "note" (where a row needs one)}.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Callable

ELEMENTWISE_OPS = (
    *("relu", "elu", "selu", "leakyRelu", "softplus", "sigmoid", "tanh", "gelu", "silu"),
    *("relu6", "celu", "softsign", "mish", "hardSigmoid", "hardSwish", "logSigmoid", "geluTanh"),
)
DROPPED = "elementwise/selu+alphaDropout/16Mi/float32/both"  # SELU, alpha dropout at rate 0.1, and the gradient of both
ALPHA_RATE = 0.1
ELEMENTS = 16 * 1024 * 1024
MATRIX = 1024
CONV = {"batch": 250, "size": 13, "inputs": 32, "outputs": 64, "kernel": 3}  # stride 1, valid padding
TOY = {"points": 256, "steps": 2000, "start": (1.0, 0.5, 1.0, 0.0), "learning_rate": 0.1}  # f(a x + b) c + d learns ReLU
WARM_UP_ROUNDS, WARM_UP_SECONDS = 3, 0.3
CALLS_OF_TINY_OP = 2000

ROWS = (
    *(f"elementwise/{op}/16Mi/float32/{direction}" for op in ELEMENTWISE_OPS for direction in ("forward", "backward")),
    DROPPED,
    "matmul/1024",
    "matmul/1024+bias+selu",
    "fit/toy/2000",
    "add/16",
    "conv/250x13x13x32-64/forward",
    "conv/250x13x13x32-64/backward",
)


@dataclass
class Candidate:
    """One way of computing a row; of several, the fastest is printed, since the peer's user would choose it."""

    call: Callable[[], object]
    note: str = ""
    calls: int = 1
    """Calls per round: more than one where a single call is shorter than the clock can tell."""
    most_rounds: int = sys.maxsize
    """Rounds at most, where one takes seconds."""


def arguments(description, **extra):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", default="", metavar="PREFIX", help="only rows whose name starts with this")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="timed rounds a row (default 15)")
    for name, options in extra.items():
        parser.add_argument(f"--{name}", **options)
    chosen = parser.parse_args()
    if chosen.rounds < 1:
        parser.error(f"--rounds: expected at least 1, got {chosen.rounds}")
    return chosen


def selected(prefix):
    return [row for row in ROWS if row.startswith(prefix)]


def missing(peer, remedy):
    """A peer that is not installed is a fact about the machine, not a failure of the bench."""
    print(json.dumps({"peer": peer, "missing": remedy}), flush=True)


def times_of(candidate, rounds, synchronize):
    """Milliseconds of one call, one number a round. The collector is off meanwhile: its pauses are not the peer's arithmetic."""

    def one_round():
        synchronize()
        start = time.perf_counter()
        for _ in range(candidate.calls):
            candidate.call()
        synchronize()
        return (time.perf_counter() - start) * 1e3 / candidate.calls

    gc.disable()
    # By time as well as by count: the first large results wait while the system gathers huge pages.
    warm_up_ends, warm_ups = time.perf_counter() + WARM_UP_SECONDS, 0
    while warm_ups < min(WARM_UP_ROUNDS, candidate.most_rounds) or time.perf_counter() < warm_up_ends:
        one_round()
        warm_ups += 1
    times = [one_round() for _ in range(min(rounds, candidate.most_rounds))]
    gc.enable()
    return times


def print_row(peer, version, bench, candidates, rounds, synchronize=lambda: None):
    """Prints nothing where the peer has no way of computing the row."""
    if not candidates:
        return
    measured = [(times_of(candidate, rounds, synchronize), candidate) for candidate in candidates]
    times, fastest = min(measured, key=lambda pair: statistics.median(pair[0]))
    row = {
        "peer": peer,
        "version": version,
        "bench": bench,
        "ms": round(statistics.median(times), 6),
        "min": round(min(times), 6),
        "n": len(times),
    }
    if fastest.note:
        row["note"] = fastest.note
    print(json.dumps(row), flush=True)
