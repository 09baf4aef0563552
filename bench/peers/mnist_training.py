"""What the Python peers of the training bench share: MNIST, and the conversation with bench/training/run.ts.

A peer prints {"peer", "version", "ready": true}, then for each line "epoch" on its input trains one epoch and prints
{"seconds" (training alone, no validation), "loss" (mean over the epoch), "accuracy" (of the validation images after it)}. The end of
its input ends it. Between epochs it sleeps: peers take turns, so all see the same machine.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

BATCH = 250
VALIDATION_SPLIT = 0.2
IMAGE_HEADER, LABEL_HEADER = 16, 8  # bytes before the values in an IDX file of three axes and of one


def arguments(description, **extra):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of MNIST's IDX files, unpacked")
    parser.add_argument("--images", type=int, default=60000, metavar="N", help="training and validation images (default all)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    for name, options in extra.items():
        parser.add_argument(f"--{name}", **options)
    return parser.parse_args()


def images_and_labels(folder, count):
    """The first training images, [count, 28, 28, 1] float32 in [0, 1], and their labels, int64."""
    images = np.fromfile(Path(folder) / "train-images-idx3-ubyte", np.uint8, offset=IMAGE_HEADER).reshape(-1, 28, 28, 1)
    labels = np.fromfile(Path(folder) / "train-labels-idx1-ubyte", np.uint8, offset=LABEL_HEADER)
    return images[:count].astype("float32") / np.float32(255), labels[:count].astype("int64")


def say(**line):
    print(json.dumps(line), flush=True)


def told_to_train():
    return sys.stdin.readline().strip() == "epoch"
