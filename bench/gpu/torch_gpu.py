"""PyTorch's side of the GPU bench: times each row eagerly, and compiled where the row asks for it, one JSON line each.

    python torch_gpu.py ROWS.json [--seconds N] [--device cpu|cuda] [--mode eager|compile|both]

A call's time is that of many calls, queued without waiting, by their number, as bench/gpu/selfnorm.ts takes it. Convolutions are
channels last, which is the faster layout for tensor cores; float32 products are TF32.
"""

import argparse
import json
import math
import statistics
import time

ROUNDS = 5


def functions(torch):
    functional = torch.nn.functional
    return {
        "relu": functional.relu,
        "leakyRelu": lambda x: functional.leaky_relu(x, 0.2),
        "elu": functional.elu,
        "selu": functional.selu,
        "celu": functional.celu,
        "softplus": functional.softplus,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "gelu": functional.gelu,
        "silu": functional.silu,
        "mish": functional.mish,
    }


def gradient(torch, f, xs, dy):
    """A call that makes y and its gradients."""

    def call():
        return torch.autograd.grad(f(*xs), xs, dy)

    return call


def optimizer_call(torch, name, n, device):
    weights = torch.zeros(n, device=device, requires_grad=True)
    weights.grad = torch.randn(n, device=device)
    optim = torch.optim
    foreach = {"foreach": True}
    made = {
        "sgd": lambda: optim.SGD([weights], 1e-3, **foreach),
        "momentum": lambda: optim.SGD([weights], 1e-3, momentum=0.9, **foreach),
        "adam": lambda: optim.Adam([weights], 1e-3, **foreach),
        "adadelta": lambda: optim.Adadelta([weights], 1e-3, **foreach),
        "rmsprop": lambda: optim.RMSprop([weights], 1e-3, **foreach),
    }[name]()
    return made.step


def memory_row(torch, row, dtype, device):
    functional = torch.nn.functional
    kind = row["kind"]
    if kind == "optimizer":
        return optimizer_call(torch, row["op"], row["n"], device)
    if kind == "softmaxCrossEntropy":
        logits = torch.randn(row["rowCount"], row["classes"], device=device, dtype=dtype, requires_grad=True)
        labels = torch.randint(0, row["classes"], (row["rowCount"],), device=device)
        one = torch.ones((), device=device, dtype=dtype)
        return gradient(torch, lambda z: functional.cross_entropy(z, labels), [logits], one)
    if kind == "batchNorm":
        channels = row["channels"]
        x = torch.randn(row["rowCount"], channels, device=device, dtype=dtype, requires_grad=True)
        scale = torch.ones(channels, device=device, requires_grad=True)
        offset = torch.zeros(channels, device=device, requires_grad=True)
        f = lambda given, w, b: functional.batch_norm(given, None, None, w, b, training=True, eps=1e-3)
        return gradient(torch, f, [x, scale, offset], torch.randn_like(x))
    x = torch.randn(row["n"], device=device, dtype=dtype)
    dy = torch.randn_like(x)
    if kind == "copy":
        return lambda: x.copy_(dy)
    if kind == "forward":
        function = functions(torch)[row["op"]]
        return lambda: function(x)
    x.requires_grad_()
    if kind == "backward":
        y = functions(torch)[row["op"]](x)
        return lambda: torch.autograd.grad(y, x, dy, retain_graph=True)
    rate = row["rate"]
    f = {
        "dropout": lambda given: functional.dropout(given, rate),
        "alphaDropout": lambda given: functional.alpha_dropout(given, rate, training=True),
        "seluAlphaDropout": lambda given: functional.alpha_dropout(functional.selu(given), rate, training=True),
    }[kind]
    return gradient(torch, f, [x], dy)


def product_row(torch, row, dtype, device):
    functional = torch.nn.functional
    kind = row["kind"]
    if "onv" in kind:
        batch, size, inputs, outputs = (row[name] for name in ("batch", "size", "inputs", "outputs"))
        last = torch.channels_last
        groups = row.get("groups", 1)
        x = torch.randn(batch, inputs, size, size, device=device, dtype=dtype).to(memory_format=last)
        kernel = torch.randn(outputs, inputs // groups, 3, 3, device=device, dtype=dtype).to(memory_format=last)
        bias = torch.randn(outputs, device=device, dtype=dtype)
        if kind == "conv":
            return lambda: functional.conv2d(x, kernel, groups=groups)
        f = lambda given, w, b: functional.elu(functional.conv2d(given, w, b, groups=groups))
        if kind == "fusedConv":
            return lambda: f(x, kernel, bias)
        xs = [x.requires_grad_(), kernel.requires_grad_(), bias.requires_grad_()]
        return gradient(torch, f, xs, torch.randn_like(f(*xs)))
    m, k, units = row["m"], row["k"], row["units"]
    a = torch.randn(m, k, device=device, dtype=dtype)
    b = torch.randn(k, units, device=device, dtype=dtype)
    bias = torch.randn(units, device=device, dtype=dtype)
    if kind == "matmul":
        return lambda: a @ b
    f = lambda x, w, offset: functional.selu(torch.addmm(offset, x, w))
    if kind == "fusedMatmul":
        return lambda: f(a, b, bias)
    xs = [a.requires_grad_(), b.requires_grad_(), bias.requires_grad_()]
    return gradient(torch, f, xs, torch.randn(m, units, device=device, dtype=dtype))


def mnist(nn, act):
    hidden = [nn.Flatten(), nn.Linear(1600, 256), act(), nn.Linear(256, 10)]
    conv = lambda inputs, outputs: [nn.Conv2d(inputs, outputs, 3), act(), nn.MaxPool2d(2), nn.Dropout(0.25)]
    return nn.Sequential(*conv(1, 32), *conv(32, 64), *hidden)


def deep(nn, act):
    parts, inputs = [], 1
    for i in range(12):
        parts += [nn.Conv2d(inputs, 64, 3, stride=2 if i % 4 == 3 else 1, padding=1), act()]
        inputs = 64
    parts.append(nn.Flatten())
    inputs = 64 * 4 * 4
    for _ in range(3):
        parts += [nn.Linear(inputs, 256), act()]
        inputs = 256
    return nn.Sequential(*parts, nn.Linear(256, 100))


def snli(torch, act):
    nn = torch.nn

    class Sentences(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(20000, 300)
            self.embedding.weight.requires_grad_(False)
            self.translate = nn.Sequential(nn.Linear(300, 300), act())
            self.norm = nn.BatchNorm1d(300)
            parts, width = [nn.Dropout(0.2)], 600
            for _ in range(3):
                parts += [nn.Linear(width, 600), act(), nn.Dropout(0.2), nn.BatchNorm1d(600)]
            self.rest = nn.Sequential(*parts, nn.Linear(600, 3))

        def forward(self, sides):
            both = [self.norm(self.translate(self.embedding(side)).sum(1)) for side in sides.unbind(1)]
            return self.rest(torch.cat(both, 1))

    return Sentences()


def epoch_row(torch, row, device, compiled):
    """A call that trains one epoch: batches gathered on the device, the loss summed there."""
    nn = torch.nn
    act = nn.SELU if row["activation"] == "selu" else nn.ReLU
    samples, batch, network = int(row["samples"]), row["batch"], row["network"]
    if network == "mnist":
        model, x, classes = mnist(nn, act), torch.rand(samples, 1, 28, 28, device=device), 10
    elif network == "deep":
        model, x, classes = deep(nn, act), torch.rand(samples, 1, 32, 32, device=device), 100
    else:
        model, x, classes = snli(torch, act), torch.randint(0, 20000, (samples, 2, 42), device=device), 3
    y = torch.randint(0, classes, (samples,), device=device)
    model = model.to(device)
    if network != "snli":
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], eps=1e-7)
    forward = torch.compile(model, mode="max-autotune") if compiled else model

    def epoch():
        total = torch.zeros((), device=device)
        for picks in torch.randperm(samples, device=device).split(batch):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(forward(x[picks]), y[picks])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(picks)
        return total.item()

    return epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--mode", default="both", choices=("eager", "compile", "both"))
    options = parser.parse_args()
    try:
        import torch
    except ImportError:
        print(json.dumps({"peer": "torch", "missing": "pip install torch"}), flush=True)
        return
    device = options.device
    if device == "cuda" and not torch.cuda.is_available():
        print(json.dumps({"peer": "torch", "missing": "a CUDA build of PyTorch and a driver"}), flush=True)
        return
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    finish = torch.cuda.synchronize if device == "cuda" else lambda: None

    def timed(call):
        def one_round(calls):
            finish()
            start = time.perf_counter()
            for _ in range(calls):
                call()
            finish()
            return (time.perf_counter() - start) * 1e3 / calls

        one_round(3)
        calls = max(1, math.ceil(options.seconds * 1e3 / ROUNDS / one_round(2)))
        return statistics.median(one_round(calls) for _ in range(ROUNDS))

    def epochs(call):
        call()
        times = []
        for _ in range(3):
            finish()
            start = time.perf_counter()
            call()
            finish()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)

    def say(row, mode, **figures):
        line = {"peer": "torch", "version": torch.__version__, "device": device, "row": row["id"], "mode": mode, **figures}
        print(json.dumps(line), flush=True)

    with open(options.rows) as file:
        rows = json.load(file)
    for row in rows:
        dtype = getattr(torch, row["dtype"])
        modes = ["eager"] + (["compile"] if row["compile"] else [])
        for mode in modes:
            if options.mode not in ("both", mode):
                continue
            try:
                if row["group"] == "epoch":
                    say(row, mode, ms=epochs(epoch_row(torch, row, device, mode == "compile")))
                    continue
                if row["kind"] == "dispatch":
                    a, b = torch.randn(16, device=device), torch.randn(16, device=device)
                    call = lambda: a + b
                else:
                    make = memory_row if row["group"] == "memory" else product_row
                    call = make(torch, row, dtype, device)
                if mode == "compile":
                    call = torch.compile(call, mode="max-autotune-no-cudagraphs")
                say(row, mode, ms=timed(call))
            except Exception as error:  # one row that fails is no reason to lose the others
                say(row, mode, failed=f"{type(error).__name__}: {error}".split("\n")[0][:300])


if __name__ == "__main__":
    main()
