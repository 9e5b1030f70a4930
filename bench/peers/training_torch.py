"""PyTorch, for bench/rows/training.ts: one line "PATH SIZES BATCH EPOCHS" in, the seconds of the whole run out.

Usage: python training_torch.py THREADS loader|preloaded

A run reads the Arrow file and trains a network of dense layers and leaky ReLUs with Adam on cross entropy. With `loader`
the batches come from DataLoader, as in PyTorch's tutorials; with `preloaded` they are cut from one shuffled tensor.
"""

import sys
import time

import numpy as np
import pyarrow as pa
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(int(sys.argv[1]))
PRELOADED = sys.argv[2] == "preloaded"


def read(path: str) -> tuple[torch.Tensor, torch.Tensor]:
    with pa.memory_map(path) as source:
        table = pa.ipc.open_file(source).read_all()
    images = table["image"].combine_chunks()
    # Digits are of the extension type of tensors.
    images = getattr(images, "storage", images)
    width = images.type.list_size
    x = images.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    y = table["label"].to_numpy().astype(np.int64)
    return torch.from_numpy(np.array(x)), torch.from_numpy(y)


def network(sizes: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(fan_in, fan_out), nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers[:-1])


def batches(x: torch.Tensor, y: torch.Tensor, size: int):
    if not PRELOADED:
        return DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True)
    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    return zip(x.split(size), y.split(size))


def train(path: str, sizes: list[int], batch: int, epochs: int) -> None:
    x, y = read(path)
    model = network(sizes)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for inputs, labels in batches(x, y, batch):
            optimizer.zero_grad()
            loss = loss_of(model(inputs), labels)
            loss.backward()
            optimizer.step()
            # What every training loop shows.
            loss.item()


for line in sys.stdin:
    path, sizes, batch, epochs = line.split()
    start = time.perf_counter()
    train(path, [int(size) for size in sizes.split("-")], int(batch), int(epochs))
    print(time.perf_counter() - start, flush=True)
