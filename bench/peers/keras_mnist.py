"""Training bench of Keras on TensorFlow: the MNIST network as its document writes it, one `fit` over all epochs.

    python keras_mnist.py --data DIR [--images N] [--device cpu|cuda] [--xla]

Its conversation is that of mnist_training.py. Keras compiles by XLA unless it is told not to. On a CPU that makes this network many
times slower, so there it is told not to; on a GPU both are measured.
"""

import os
import sys
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from mnist_training import BATCH, VALIDATION_SPLIT, arguments, images_and_labels, say, told_to_train


def network(keras):
    layers = keras.layers
    he = {"kernel_initializer": "he_normal"}
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, **he),
            layers.ELU(alpha=1.0),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, **he),
            layers.ELU(alpha=1.0),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, **he),
            layers.ELU(alpha=1.0),
            layers.Dense(10, activation="softmax", **he),
        ]
    )


def turns(keras):
    """A callback that waits for its turn before an epoch. No batch hooks: Keras would read the loss at every batch for them."""

    class Turns(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if not told_to_train():
                sys.exit()
            self.seconds = None
            self.start = time.perf_counter()

        def on_test_begin(self, logs=None):
            self.seconds = time.perf_counter() - self.start

        def on_epoch_end(self, epoch, logs=None):
            say(seconds=self.seconds, loss=logs["loss"], accuracy=logs["val_accuracy"])

    return Turns()


def main():
    options = arguments(__doc__.split("\n")[0], xla={"action": "store_true"})
    peer = "keras-xla" if options.xla else "keras"
    try:
        import keras
        import tensorflow as tf
    except ImportError:
        return say(peer=peer, missing="pip install tensorflow-cpu (it brings Keras)")
    gpus = tf.config.list_physical_devices("GPU")
    if options.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not gpus:
        return say(peer=peer, missing="pip install 'tensorflow[and-cuda]' and a driver: see tensorflow.org/install/pip")
    keras.utils.set_random_seed(0)
    images, labels = images_and_labels(options.data, options.images)
    targets = keras.utils.to_categorical(labels, 10)
    model = network(keras)
    model.compile(
        loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(), metrics=["accuracy"], jit_compile=options.xla
    )
    say(peer=peer, version=f"{keras.__version__} on tensorflow {tf.__version__}", ready=True)
    model.fit(
        images,
        targets,
        batch_size=BATCH,
        epochs=sys.maxsize,
        verbose=0,
        validation_split=VALIDATION_SPLIT,
        callbacks=[turns(keras)],
    )


if __name__ == "__main__":
    main()
