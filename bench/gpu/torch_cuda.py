"""PyTorch on the GPU, for bench/gpu: chains of one op over float32 in memory, with the way there and back.

Usage: python torch_cuda.py ELEMENTS ROUNDS OP:LENGTH...
Prints one line of JSON: [{"chain", "pageable", "pinned"}], seconds of the median round.
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

torch.set_grad_enabled(False)

OPS = {"leaky_relu": lambda x: F.leaky_relu(x, 0.2), "tanh": torch.tanh}


def measure(source: torch.Tensor, target: torch.Tensor, op: str, length: int, rounds: int) -> float:
    """The input comes from `source`, the result goes to `target`; both are in host memory."""
    seconds = []
    for _ in range(rounds + 1):
        torch.cuda.synchronize()
        start = time.perf_counter()
        x = source.to("cuda", non_blocking=True)
        for _ in range(length):
            x = OPS[op](x)
        target.copy_(x, non_blocking=True)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main() -> None:
    elements, rounds, chains = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if not torch.cuda.is_available():
        sys.exit("torch has no CUDA here")
    x = torch.rand(elements) * 2 - 1
    pageable = (x, torch.empty_like(x))
    pinned = (x.pin_memory(), torch.empty_like(x).pin_memory())
    outcomes = []
    for chain in chains:
        op, length = chain.split(":")
        times = [measure(*pair, op, int(length), rounds) for pair in (pageable, pinned)]
        outcomes.append({"chain": chain, "pageable": times[0], "pinned": times[1]})
    print(json.dumps(outcomes))


main()
