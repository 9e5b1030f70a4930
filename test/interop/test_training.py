"""A training has the losses and weights of the same training in PyTorch: 200 steps from the same weights, on the same batches."""

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from arrow_files import fixed_shape_tensors
from sluice import COMMAND, sluice

DIST = Path(COMMAND[1]).resolve().parents[1]
ROWS, CLASSES, STEPS, BATCH = 1000, 5, 200, 48


def tables(directory, shape):
    """Noisy points around five centres, a number to predict, and a row weight."""
    rng = np.random.default_rng(7)
    size = math.prod(shape)
    label = rng.integers(0, CLASSES, ROWS)
    x = (rng.normal(0, 1, (CLASSES, size))[label] + rng.normal(0, 1.5, (ROWS, size))).astype(np.float32)
    columns = {
        "x": fixed_shape_tensors(x.reshape(ROWS, *shape), list(shape)),
        "label": pa.array(label, pa.int32()),
        "value": pa.array((x[:, 0] * x[:, 1]).astype(np.float32)),
        "weight": pa.array(rng.uniform(0, 2, ROWS).astype(np.float32)),
    }
    batch = pa.record_batch(list(columns.values()), list(columns))
    path = directory / "data.arrow"
    with pa.ipc.new_file(path, batch.schema) as writer:
        for first in range(0, ROWS, 300):
            writer.write_batch(batch.slice(first, 300))
    return path


def fed(directory, data, layers, options):
    """Initial weights by name, and the batches."""
    out = directory / "fed.bin"
    script = Path(__file__).with_name("batches.mjs")
    told = {"batch": BATCH, "steps": STEPS, "seed": 3, **options}
    command = ["node", script, DIST, data, layers, json.dumps(told), out]
    done = subprocess.run([str(each) for each in command], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    about = json.loads(done.stdout)
    numbers = torch.from_numpy(np.fromfile(out, np.float32))
    at = 0

    def take(*shape):
        nonlocal at
        at += math.prod(shape)
        return numbers[at - math.prod(shape) : at].reshape(shape)

    weights = {name: take(*shape) for name, shape in about["shapes"]}
    batches = []
    for rows in about["rows"]:
        features, targets = take(rows, *about["featureShape"]), take(rows, about["targetSize"])
        batches.append((features, targets, take(rows)))
    assert at == len(numbers)
    return weights, batches


def trained(directory, data, layers, options):
    """The losses of the command's steps, and the tensors of its model."""
    epochs = -(-STEPS // (-(-ROWS // BATCH)))
    log, model = directory / "run.jsonl", directory / "model.safetensors"
    command = ["train", data, "--features", "x", "--layers", layers, "--batch", BATCH, "--epochs", epochs, "--seed", 3]
    done = sluice(*command, *options, "--log", log, "-o", model)
    assert done.returncode == 0, done.stderr.decode()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line["loss"] for line in lines if line["event"] == "step"][:STEPS]


def by_pytorch(module, optimizer, loss, batches, clip=None, rate=None):
    """The losses of the same steps. `loss`: of outputs, targets and row weights."""
    losses = []
    for step, (features, targets, weights) in enumerate(batches):
        if rate:
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
        optimizer.zero_grad()
        value = loss(module(features), targets, weights)
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
        losses.append(value.item())
    return losses


def cross_entropy(outputs, targets, weights):
    return nn.functional.cross_entropy(outputs, targets[:, 0].long())


def weighted(outputs, targets, weights):
    each = nn.functional.cross_entropy(outputs, targets[:, 0].long(), reduction="none")
    return (each * weights).sum() / weights.sum()


def assert_same_curve(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    # It learned something, so that there was something to compare.
    assert np.mean(expected[-20:]) < 0.8 * np.mean(expected[:5])


def dense_module():
    return nn.Sequential(nn.Linear(24, 32), nn.LeakyReLU(0.1), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, CLASSES))


DENSE = "dense(32) | leaky_relu(0.1) | dense(16) | tanh | dense(5)"
OPTIMIZERS = {
    "sgd(lr=0.1)": lambda p: torch.optim.SGD(p, 0.1),
    "sgd(lr=0.05, momentum=0.9)": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9),
    "sgd(lr=0.05, momentum=0.9, weight_decay=0.01, nesterov=1)": lambda p: torch.optim.SGD(
        p, 0.05, momentum=0.9, weight_decay=0.01, nesterov=True
    ),
    "adam(lr=0.003)": lambda p: torch.optim.Adam(p, 0.003),
    "adamw(lr=0.003, weight_decay=0.1)": lambda p: torch.optim.AdamW(p, 0.003, weight_decay=0.1),
    "rmsprop(lr=0.001)": lambda p: torch.optim.RMSprop(p, 0.001),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(tmp_path, optimizer):
    data = tables(tmp_path, [24])
    weights, batches = fed(tmp_path, data, DENSE, {"task": "classes", "label": "label"})
    module = dense_module()
    module.load_state_dict(weights)
    expected = by_pytorch(module, OPTIMIZERS[optimizer](module.parameters()), cross_entropy, batches)
    actual = trained(tmp_path, data, DENSE, ["--label", "label", "--optimizer", optimizer])
    assert_same_curve(actual, expected)


def test_images(tmp_path):
    layers = "conv2d(6, 3, padding=1) | batch_norm | prelu(each) | max_pool(2) | dense(12) | layer_norm | gelu | dense(5)"
    module = nn.Sequential(
        *(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.PReLU(6), nn.MaxPool2d(2)),
        *(nn.Sequential(nn.Flatten(), nn.Linear(96, 12)), nn.LayerNorm(12), nn.GELU(), nn.Linear(12, CLASSES)),
    )
    data = tables(tmp_path, [1, 8, 8])
    weights, batches = fed(tmp_path, data, layers, {"task": "classes", "label": "label"})
    # In Sluice a dense layer flattens what comes to it.
    renamed = {name.replace("4.", "4.1.", 1) if name.startswith("4.") else name: each for name, each in weights.items()}
    module.load_state_dict(renamed, strict=False)
    optimizer = torch.optim.Adam(module.parameters(), 0.002)
    expected = by_pytorch(module, optimizer, cross_entropy, batches)
    actual = trained(tmp_path, data, layers, ["--label", "label", "--optimizer", "adam(lr=0.002)"])
    assert_same_curve(actual, expected)


def test_clipping_weights_and_a_schedule(tmp_path):
    data = tables(tmp_path, [24])
    weights, batches = fed(tmp_path, data, DENSE, {"task": "classes", "label": "label", "weight": "weight"})
    module = dense_module()
    module.load_state_dict(weights)
    per_epoch = -(-ROWS // BATCH)
    total = per_epoch * -(-STEPS // per_epoch)

    def rate(step):
        if step < 20:
            return 0.2 * (step + 1) / 20
        return 0.1 * (1 + math.cos(math.pi * (step - 20) / (total - 20)))

    optimizer = torch.optim.SGD(module.parameters(), 0.2)
    expected = by_pytorch(module, optimizer, weighted, batches, clip=0.5, rate=rate)
    options = ["--label", "label", "--weight", "weight", "--clip", 0.5, "--optimizer", "sgd(lr=0.2)"]
    actual = trained(tmp_path, data, DENSE, [*options, "--schedule", "cosine(warmup=20)"])
    assert_same_curve(actual, expected)


def test_smoothing_and_class_weights(tmp_path):
    data = tables(tmp_path, [24])
    weights, batches = fed(tmp_path, data, DENSE, {"task": "classes", "label": "label"})
    module = dense_module()
    module.load_state_dict(weights)
    of_classes = torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0])

    def loss(outputs, targets, _):
        return nn.functional.cross_entropy(outputs, targets[:, 0].long(), of_classes, label_smoothing=0.1)

    expected = by_pytorch(module, torch.optim.Adam(module.parameters(), 0.003), loss, batches)
    options = ["--label", "label", "--label-smoothing", 0.1, "--class-weights", "1, 2, 0.5, 1, 3"]
    actual = trained(tmp_path, data, DENSE, [*options, "--optimizer", "adam(lr=0.003)"])
    assert_same_curve(actual, expected)


LOSSES = {"mse": nn.MSELoss(), "mae": nn.L1Loss(), "huber(delta=0.7)": nn.HuberLoss(delta=0.7)}


@pytest.mark.parametrize("loss", LOSSES)
def test_regression(tmp_path, loss):
    layers = "dense(32) | silu | dense(1)"
    data = tables(tmp_path, [24])
    weights, batches = fed(tmp_path, data, layers, {"task": "values", "label": "value"})
    module = nn.Sequential(nn.Linear(24, 32), nn.SiLU(), nn.Linear(32, 1))
    module.load_state_dict(weights)
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    expected = by_pytorch(module, optimizer, lambda y, t, _: LOSSES[loss](y, t), batches)
    actual = trained(tmp_path, data, layers, ["--label", "value", "--loss", loss, "--optimizer", "adam(lr=0.01)"])
    assert_same_curve(actual, expected)
