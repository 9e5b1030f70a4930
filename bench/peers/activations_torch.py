"""PyTorch, for bench/rows/activations.ts: one line "OP ELEMENTS REPEATS" in, the milliseconds of one pass out.

Usage: python activations_torch.py THREADS
"""

import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)

OPS = {
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": F.silu,
    "log": torch.log,
    "softplus": F.softplus,
    "mish": F.mish,
    "elu": F.elu,
    "leaky_relu": F.leaky_relu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "gelu": F.gelu,
    "softmax": lambda x: torch.softmax(x, -1),
}


def make_input(op: str, elements: int) -> torch.Tensor:
    """The values of peers/js/serve.mjs."""
    i = torch.arange(elements, dtype=torch.int64)
    x = (((i * 2654435761) & 0xFFFFFFFF) >> 16).double() / 8192 - 4
    return (x.reshape(-1, 1024) if op == "softmax" else x).float()


inputs: dict[str, torch.Tensor] = {}
for line in sys.stdin:
    op, elements, repeats = line.split()
    x = inputs.setdefault(f"{op} {elements}", make_input(op, int(elements)))
    run = OPS[op]
    start = time.perf_counter()
    for _ in range(int(repeats)):
        run(x)
    print((time.perf_counter() - start) * 1e3 / int(repeats), flush=True)
