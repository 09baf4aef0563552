"""Microbench of PyTorch: rows of micro_rows.py, one JSON line each.

    python torch_micro.py [--rows PREFIX] [--rounds N] [--device cpu|cuda]

On the CPU, PyTorch asks the kernel for fresh memory at every large result. At 16 Mi elements page faults then cost more than the
arithmetic unless THP_MEM_ALLOC_ENABLE=1 (huge pages), which slows small results. PyTorch reads the variable once, so the 16 Mi rows
run in a child process that has it, the others here without: each row at PyTorch's better setting.
"""

import os
import subprocess
import sys

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

HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"
GRADIENT_ALONE = "gradient alone: torch.autograd.grad on a kept graph"


def elementwise(torch, op, direction, device):
    functional = torch.nn.functional
    function = {
        "relu": functional.relu,
        "elu": functional.elu,
        "selu": functional.selu,
        "leakyRelu": lambda x: functional.leaky_relu(x, 0.2),
        "softplus": functional.softplus,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "gelu": functional.gelu,
        "silu": functional.silu,
        "relu6": functional.relu6,
        "celu": functional.celu,
        "softsign": functional.softsign,
        "mish": functional.mish,
        "hardSigmoid": functional.hardsigmoid,
        "hardSwish": functional.hardswish,
        "logSigmoid": functional.logsigmoid,
        "geluTanh": lambda x: functional.gelu(x, approximate="tanh"),
    }[op]
    x = torch.randn(ELEMENTS, device=device)
    if direction == "forward":
        return [Candidate(lambda: function(x))]
    x.requires_grad_()
    with torch.enable_grad():
        y = function(x)
    dy = torch.randn_like(y)
    return [Candidate(lambda: torch.autograd.grad(y, x, dy, retain_graph=True), GRADIENT_ALONE)]


def selu_and_alpha_dropout(torch, device):
    x = torch.randn(ELEMENTS, device=device, requires_grad=True)
    dy = torch.randn(ELEMENTS, device=device)

    @torch.enable_grad()
    def forward_and_gradient():
        y = torch.nn.functional.alpha_dropout(torch.nn.functional.selu(x), ALPHA_RATE, training=True)
        return torch.autograd.grad(y, x, dy)

    return [Candidate(forward_and_gradient, "alpha_dropout(selu)")]


def matmul(torch, with_bias_and_selu, device):
    a, b = torch.randn(MATRIX, MATRIX, device=device), torch.randn(MATRIX, MATRIX, device=device)
    bias = torch.randn(MATRIX, device=device)
    if with_bias_and_selu:
        return [Candidate(lambda: torch.nn.functional.selu(torch.addmm(bias, a, b)), "selu(addmm)")]
    return [Candidate(lambda: a @ b)]


def add(torch, device):
    a, b = torch.randn(16, device=device), torch.randn(16, device=device)
    return [Candidate(lambda: a + b, "no graph recorded", CALLS_OF_TINY_OP)]


def convolution(torch, direction, device):
    conv2d = torch.nn.functional.conv2d
    candidates = []
    for layout in (torch.channels_last, torch.contiguous_format):
        x = torch.randn(CONV["batch"], CONV["inputs"], CONV["size"], CONV["size"], device=device).to(memory_format=layout)
        kernel = torch.randn(CONV["outputs"], CONV["inputs"], CONV["kernel"], CONV["kernel"], device=device).to(
            memory_format=layout
        )
        name = "channels last" if layout == torch.channels_last else "channels first"
        if direction == "forward":
            candidates.append(Candidate(lambda x=x, kernel=kernel: conv2d(x, kernel), name))
            continue
        x.requires_grad_()
        kernel.requires_grad_()
        with torch.enable_grad():
            y = conv2d(x, kernel)
        dy = torch.randn_like(y)
        call = lambda y=y, wrt=(x, kernel), dy=dy: torch.autograd.grad(y, wrt, dy, retain_graph=True)
        candidates.append(Candidate(call, f"{name}; dx and dfilter; {GRADIENT_ALONE}"))
    return candidates


def fit_toy(torch, device):
    x = torch.linspace(-0.5, 0.5, TOY["points"], device=device)
    target = torch.relu(x)

    @torch.enable_grad()
    def fit():
        a, b, c, d = parameters = [torch.tensor(value, device=device, requires_grad=True) for value in TOY["start"]]
        adam = torch.optim.Adam(parameters, lr=TOY["learning_rate"])
        for _ in range(TOY["steps"]):
            adam.zero_grad()
            (torch.nn.functional.elu(a * x + b) * c + d - target).abs().mean().backward()
            adam.step()

    return [Candidate(fit, "eager", most_rounds=5)]


def candidates_of(torch, row, device):
    parts = row.split("/")
    if parts[0] == "fit":
        return fit_toy(torch, device)
    if row == DROPPED:
        return selu_and_alpha_dropout(torch, device)
    if parts[0] == "elementwise":
        return elementwise(torch, parts[1], parts[-1], device)
    if parts[0] == "conv":
        return convolution(torch, parts[-1], device)
    return add(torch, device) if parts[0] == "add" else matmul(torch, row.endswith("+bias+selu"), device)


def run_large_rows_in_child(options):
    prefix = options.rows if options.rows.startswith("elementwise/") else "elementwise/"
    command = [sys.executable, __file__, "--rows", prefix, "--rounds", str(options.rounds), "--device", options.device]
    subprocess.run(command, env={**os.environ, HUGE_PAGES: "1"}, check=True)


def main():
    options = arguments(__doc__.split("\n")[0], device={"default": "cpu", "choices": ("cpu", "cuda")})
    try:
        import torch
    except ImportError:
        return missing("torch", "pip install torch")
    if options.device == "cuda" and not torch.cuda.is_available():
        return missing("torch", "a CUDA build of PyTorch and a driver: see pytorch.org/get-started")
    rows = selected(options.rows)
    if options.device == "cpu" and HUGE_PAGES not in os.environ and any(row.startswith("elementwise/") for row in rows):
        run_large_rows_in_child(options)
        rows = [row for row in rows if not row.startswith("elementwise/")]
    torch.manual_seed(0)
    synchronize = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    with torch.no_grad():
        for row in rows:
            print_row("torch", torch.__version__, row, candidates_of(torch, row, options.device), options.rounds, synchronize)


if __name__ == "__main__":
    main()
