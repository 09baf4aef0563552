"""The bag-of-words network of `selfnorm run snli-bow` in Keras on TensorFlow, as its document writes it, on the ids that selfnorm made.

    python keras_snli_accuracy.py --data DIR --configurations relu,selu --seeds 1,2,3 --epochs N

DIR holds sizes.json and arrays of int32 and float32 as bench/training/agreement.ts writes them. Every training run, with batch normalisation,
prints {"activation", "seed", "bestEpoch", "validationAccuracy", "testAccuracy", "seconds"}; the accuracies are of the epoch whose
validation loss is lowest.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

WORD_UNITS, DENSE_UNITS = 300, 600


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    parser.add_argument("--configurations", required=True, type=lambda text: text.split(","))
    parser.add_argument("--seeds", required=True, type=lambda text: [int(seed) for seed in text.split(",")])
    parser.add_argument("--epochs", required=True, type=int)
    return parser.parse_args()


def say(**line):
    print(json.dumps(line), flush=True)


def network(keras, activation, vectors, sizes):
    layers = keras.layers
    words, dimension = vectors.shape
    length = sizes["maxLen"]
    embed = layers.Embedding(words, dimension, weights=[vectors], trainable=False)
    translate = layers.TimeDistributed(layers.Dense(WORD_UNITS, activation=activation))
    add = layers.Lambda(lambda x: keras.ops.sum(x, axis=1), output_shape=(WORD_UNITS,))
    sentences = [keras.Input((length,), dtype="int32") for _ in range(2)]
    x = layers.concatenate([layers.BatchNormalization()(add(translate(embed(ids)))) for ids in sentences])
    x = layers.Dropout(sizes["dropout"])(x)
    for _ in range(3):
        x = layers.Dense(DENSE_UNITS, activation=activation, kernel_regularizer=keras.regularizers.L2(sizes["l2"]))(x)
        x = layers.Dropout(sizes["dropout"])(x)
        x = layers.BatchNormalization()(x)
    return keras.Model(sentences, layers.Dense(3, activation="softmax")(x))


def main():
    options = arguments()
    try:
        import keras
        import tensorflow as tf
    except ImportError:
        return say(peer="keras", missing="pip install tensorflow-cpu (it brings Keras)")
    sizes = json.loads((options.data / "sizes.json").read_text())

    def array(name, dtype, columns):
        return np.fromfile(options.data / name, dtype).reshape(-1, columns)

    def part(name):
        ids = [array(f"{name}-{side}", np.int32, sizes["maxLen"]) for side in ("premises", "hypotheses")]
        return ids, array(f"{name}-labels", np.float32, 3)

    vectors = array("vectors", np.float32, sizes["dimension"])
    training, validation, test = (part(name) for name in ("training", "validation", "test"))
    say(peer="keras", version=f"{keras.__version__} on tensorflow {tf.__version__}")
    for seed in options.seeds:
        for activation in options.configurations:
            keras.utils.set_random_seed(seed)
            model = network(keras, activation, vectors, sizes)
            model.compile(
                loss="categorical_crossentropy",
                optimizer=keras.optimizers.RMSprop(sizes["learningRate"]),
                metrics=["accuracy"],
                jit_compile=False,
            )
            weights = options.data / "best.weights.h5"
            best = keras.callbacks.ModelCheckpoint(weights, save_best_only=True, save_weights_only=True)
            start = time.perf_counter()
            history = model.fit(
                *training,
                batch_size=sizes["batchSize"],
                epochs=options.epochs,
                validation_data=validation,
                callbacks=[best],
                verbose=0,
            ).history
            seconds = time.perf_counter() - start
            model.load_weights(weights)
            epoch = int(np.argmin(history["val_loss"]))
            _, accuracy = model.evaluate(*test, batch_size=sizes["batchSize"], verbose=0)
            say(
                activation=activation,
                seed=seed,
                bestEpoch=epoch + 1,
                validationAccuracy=history["val_accuracy"][epoch],
                testAccuracy=accuracy,
                seconds=seconds,
            )


if __name__ == "__main__":
    main()
