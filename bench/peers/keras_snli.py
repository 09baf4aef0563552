"""Sentence bench of Keras on TensorFlow: the SNLI network as its document writes it, by Keras's own compiled training step.

    python keras_snli.py

Its conversation is that of snli_steps.py. Batches are TensorFlow's already: only steps are timed.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from snli_steps import CLASSES, HIDDEN, L2, LENGTH, RATE, UNITS, VECTOR, WORDS, answer, batches, say


def network(keras, activation):
    layers = keras.layers
    start = {"activation": activation, "kernel_initializer": "he_normal" if activation == "relu" else "lecun_normal"}
    embed = layers.Embedding(WORDS, VECTOR, trainable=False)
    translate = layers.TimeDistributed(layers.Dense(UNITS, **start))
    total = layers.Lambda(lambda x: keras.ops.sum(x, axis=1), output_shape=(UNITS,))
    inputs = [keras.Input((LENGTH,), dtype="int32") for _ in range(2)]
    sides = [layers.BatchNormalization()(total(translate(embed(x)))) for x in inputs]
    joint = layers.Dropout(RATE)(layers.concatenate(sides))
    for _ in range(3):
        joint = layers.Dense(HIDDEN, kernel_regularizer=keras.regularizers.L2(L2), **start)(joint)
        joint = layers.BatchNormalization()(layers.Dropout(RATE)(joint))
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(joint))


def main():
    try:
        import keras
        import tensorflow as tf
    except ImportError:
        return say(peer="keras", missing="pip install tensorflow-cpu (it brings Keras)")
    data = [((tf.constant(p), tf.constant(h)), tf.constant(y)) for p, h, y in batches()]

    def steps_of(activation):
        model = network(keras, activation)
        # XLA makes this network slower on a CPU.
        model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", jit_compile=False)
        model.make_train_function()
        return lambda i: float(model.train_function(iter([data[i]]))["loss"])

    say(peer="keras", version=f"{keras.__version__} on tensorflow {tf.__version__}", ready=True)
    answer(steps_of)


if __name__ == "__main__":
    main()
