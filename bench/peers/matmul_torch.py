"""PyTorch on one thread, for bench/rows/matmul.ts: one line "KIND M N K REPEATS" in, GFLOP/s out.

KIND is forward (torch.nn.functional.linear with a bias) or weights (torch.mm of a transposed matrix and another).
"""

import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_grad_enabled(False)

for line in sys.stdin:
    kind, *numbers = line.split()
    m, n, k, repeats = map(int, numbers)
    if kind == "forward":
        x, weight, bias = torch.randn(m, k), torch.randn(n, k), torch.randn(n)
        run = lambda: F.linear(x, weight, bias)
    else:
        dy, x = torch.randn(k, m), torch.randn(k, n)
        run = lambda: torch.mm(dy.t(), x)
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    print(2 * m * n * k * repeats / (time.perf_counter() - start) / 1e9, flush=True)
