"""Microbench of Keras on TensorFlow: rows of micro_rows.py, one JSON line each.

    python keras_micro.py [--rows PREFIX] [--rounds N]

Each row is measured eagerly, as tf.function and as tf.function compiled by XLA; the fastest is printed and named in the note.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from micro_rows import (
    ALPHA_RATE,
    CALLS_OF_TINY_OP,
    CONV,
    DROPPED,
    ELEMENTS,
    MATRIX,
    TOY,
    Candidate,
    arguments,
    missing,
    print_row,
    selected,
)


def every_mode(tf, function, *inputs, note="", calls=1):
    """The same function eagerly, as a graph and through XLA."""
    graph, xla = tf.function(function), tf.function(function, jit_compile=True)
    after = f"; {note}" if note else ""
    return [
        Candidate(lambda: function(*inputs), f"eager{after}", calls),
        Candidate(lambda: graph(*inputs), f"tf.function{after}", calls),
        Candidate(lambda: xla(*inputs), f"tf.function, XLA{after}", calls),
    ]


def gradient_candidates(tf, function, inputs, dy):
    """Eagerly a kept tape gives the gradient alone. A graph sees forward and gradient together and drops what dx does not need."""
    with tf.GradientTape(persistent=True) as kept:
        kept.watch(inputs)
        y = function(*inputs)

    def forward_and_gradient(*arguments):
        *values, seed = arguments
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = function(*values)
        return tape.gradient(result, values, seed)

    _, graph, xla = every_mode(
        tf, forward_and_gradient, *inputs, dy, note="forward and gradient, what dx does not need is dropped"
    )
    return [Candidate(lambda: kept.gradient(y, inputs, dy), "eager; gradient alone: a kept tape"), graph, xla]


def elementwise(tf, keras, op, direction):
    function = {
        "relu": keras.ops.relu,
        "elu": keras.ops.elu,
        "selu": keras.ops.selu,
        "leakyRelu": lambda x: keras.ops.leaky_relu(x, 0.2),
        "softplus": keras.ops.softplus,
        "sigmoid": keras.ops.sigmoid,
        "tanh": keras.ops.tanh,
        "gelu": lambda x: keras.ops.gelu(x, approximate=False),
        "silu": keras.ops.silu,
        "relu6": keras.ops.relu6,
        "celu": keras.ops.celu,
        "softsign": keras.ops.softsign,
        "mish": keras.activations.mish,
        "hardSigmoid": keras.ops.hard_sigmoid,
        "hardSwish": keras.ops.hard_silu,
        "logSigmoid": keras.ops.log_sigmoid,
        "geluTanh": lambda x: keras.ops.gelu(x, approximate=True),
    }[op]
    x = tf.random.normal([ELEMENTS])
    if direction == "forward":
        return every_mode(tf, function, x)
    return gradient_candidates(tf, function, [x], tf.random.normal([ELEMENTS]))


def selu_and_alpha_dropout(tf, keras):
    layer = keras.layers.AlphaDropout(ALPHA_RATE)
    function = lambda x: layer(keras.ops.selu(x), training=True)

    def forward_and_gradient(x, dy):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x, dy)

    # Without XLA, whose random numbers take minutes here.
    candidates = every_mode(tf, forward_and_gradient, tf.random.normal([ELEMENTS]), tf.random.normal([ELEMENTS]))[:2]
    for candidate in candidates:
        candidate.most_rounds = 3
    return candidates


def matmul(tf, with_bias_and_selu):
    a, b, bias = tf.random.normal([MATRIX, MATRIX]), tf.random.normal([MATRIX, MATRIX]), tf.random.normal([MATRIX])
    if with_bias_and_selu:
        return every_mode(tf, lambda a, b, bias: tf.nn.selu(tf.nn.bias_add(tf.matmul(a, b), bias)), a, b, bias)
    return every_mode(tf, tf.matmul, a, b)


def add(tf):
    return every_mode(tf, tf.add, tf.random.normal([16]), tf.random.normal([16]), calls=CALLS_OF_TINY_OP)


def convolution(tf, direction):
    x = tf.random.normal([CONV["batch"], CONV["size"], CONV["size"], CONV["inputs"]])
    kernel = tf.random.normal([CONV["kernel"], CONV["kernel"], CONV["inputs"], CONV["outputs"]])

    def conv2d(x, kernel):
        return tf.nn.conv2d(x, kernel, 1, "VALID")

    if direction == "forward":
        return every_mode(tf, conv2d, x, kernel)
    return gradient_candidates(tf, conv2d, [x, kernel], tf.random.normal(conv2d(x, kernel).shape))


def fit_toy(tf, keras):
    x = tf.linspace(-0.5, 0.5, TOY["points"])
    x = tf.cast(x, tf.float32)
    target = tf.nn.relu(x)
    a, b, c, d = parameters = [tf.Variable(value) for value in TOY["start"]]
    adam = keras.optimizers.Adam(TOY["learning_rate"])
    adam.build(parameters)

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(tf.nn.elu(a * x + b) * c + d - target))
        adam.apply(tape.gradient(loss, parameters), parameters)

    def fit_with(step):
        def fit():
            for variable, value in zip(parameters, TOY["start"]):
                variable.assign(value)
            for _ in range(TOY["steps"]):
                step()

        return fit

    return [
        Candidate(fit_with(step), "eager", most_rounds=1),
        Candidate(fit_with(tf.function(step)), "tf.function, a call a step", most_rounds=5),
        Candidate(fit_with(tf.function(step, jit_compile=True)), "tf.function, XLA, a call a step", most_rounds=5),
    ]


def candidates_of(tf, keras, row):
    parts = row.split("/")
    if parts[0] == "fit":
        return fit_toy(tf, keras)
    if row == DROPPED:
        return selu_and_alpha_dropout(tf, keras)
    if parts[0] == "elementwise":
        return elementwise(tf, keras, parts[1], parts[-1])
    if parts[0] == "conv":
        return convolution(tf, parts[-1])
    return add(tf) if parts[0] == "add" else matmul(tf, row.endswith("+bias+selu"))


def main():
    options = arguments(__doc__.split("\n")[0])
    try:
        import keras
        import tensorflow as tf
    except ImportError:
        return missing("keras", "pip install tensorflow-cpu (it brings Keras)")
    version = f"{keras.__version__} on tensorflow {tf.__version__}"
    tf.random.set_seed(0)
    for row in selected(options.rows):
        print_row("keras", version, row, candidates_of(tf, keras, row), options.rounds)


if __name__ == "__main__":
    main()
