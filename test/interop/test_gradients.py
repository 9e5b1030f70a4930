"""Gradients through files are those of PyTorch's autograd: dx bit for bit for straight pieces, sums to float64's last digits."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
import torch.nn.functional as F

from arrow_files import FORMATS, fixed_shape_tensors, read, write
from bits import assert_same_floats, assert_same_around, leaf
from sluice import sluice

ROWS, CHANNELS = 5000, 4
SLOPES = [0.25, -0.5, 2.0, 0.0]
COLUMNS = ["--input-column", "x", "--upstream", "dy", "--json"]


def numbers(dtype, seed):
    values = np.random.default_rng(seed).normal(0, 2, (ROWS, CHANNELS)).astype(dtype)
    values[:2] = [[0, -0.0, 1, -1], [np.inf, -np.inf, 2, -2]] if seed == 1 else 1
    return values


def gradients(*args, stdin=None):
    done = sluice("grad", *args, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return done, json.loads((done.stdout if stdin is None else done.stderr).decode())["gradients"]


def autograd(function, x, dy, *parameters):
    """dx in the dtype of x, and the gradients of the parameters in float64."""
    own = torch.from_numpy(x).requires_grad_()
    function(own, *[torch.tensor(p, dtype=own.dtype) for p in parameters]).backward(torch.from_numpy(dy))
    wide = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in parameters]
    if wide:
        function(torch.from_numpy(x).double(), *wide).backward(torch.from_numpy(dy).double())
    return own.grad.numpy(), [p.grad.numpy() for p in wide]


OPS = {
    "leaky_relu(0.3)": (lambda x: F.leaky_relu(x, 0.3), []),
    "leaky_relu(-2)": (lambda x: F.leaky_relu(x, -2.0), []),
    "relu": (F.relu, []),
    "prelu(0.25)": (F.prelu, [[0.25]]),
    f"prelu({SLOPES})": (F.prelu, [SLOPES]),
    "hard_tanh": (F.hardtanh, []),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ops", OPS)
def test_npy(tmp_path, ops, dtype):
    function, parameters = OPS[ops]
    x, dy = numbers(dtype, 1), numbers(dtype, 2)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "dy.npy", dy)
    _, sums = gradients(ops, tmp_path / "x.npy", tmp_path / "dy.npy", tmp_path / "dx.npy", "--json")
    dx, expected = autograd(function, x, dy, *parameters)
    assert_same_floats(np.load(tmp_path / "dx.npy"), dx)
    for parameter in expected:
        actual = np.array(sums["prelu.alpha"], np.float64).reshape(-1)
        np.testing.assert_allclose(actual, parameter, rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("first", ["x", "dy"])
def test_arrow(tmp_path, fmt, first):
    x, dy = numbers(np.float32, 3), numbers(np.float32, 4)
    columns = {"x": fixed_shape_tensors(x, [CHANNELS]), "dy": fixed_shape_tensors(dy, [CHANNELS])}
    names = [first, *[name for name in columns if name != first], "words"]
    columns["words"] = pa.array(["a word", None] * (ROWS // 2))
    batch = pa.record_batch([columns[name] for name in names], names)
    data = write([batch.slice(0, 1000), batch.slice(1000, 0), batch.slice(1000)], batch.schema, fmt)
    (tmp_path / f"in.{fmt}").write_bytes(data)
    _, sums = gradients("leaky_relu(0.3)", tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}", *COLUMNS)
    output = (tmp_path / f"out.{fmt}").read_bytes()
    _, before = read(data, fmt)
    _, after = read(pa.py_buffer(output), fmt)
    assert_same_around(output, data, [each.column("dy") for each in before])
    dx, _ = autograd(lambda v: F.leaky_relu(v, 0.3), x, dy)
    assert_same_floats(np.concatenate([leaf(each.column("dy")) for each in after]), dx.reshape(-1))
    negative = x.astype(np.float64) <= 0
    expected = np.sum(np.where(negative, x.astype(np.float64) * dy, 0))
    np.testing.assert_allclose(sums["leaky_relu.alpha"], expected, rtol=1e-12)
    done, piped = gradients("leaky_relu(0.3)", "-", "-", "--format", fmt, *COLUMNS, stdin=data.to_pybytes())
    assert done.stdout == output and piped == sums


def test_lists_of_varying_length(tmp_path):
    rng = np.random.default_rng(5)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 6, 400))]).astype(np.int32)
    x, dy = (rng.normal(size=offsets[-1]) for _ in range(2))
    lists = [pa.ListArray.from_arrays(pa.array(offsets), pa.array(values)) for values in (x, dy)]
    batch = pa.record_batch(lists, ["x", "dy"])
    (tmp_path / "in.arrow").write_bytes(write([batch], batch.schema, "arrow"))
    gradients("leaky_relu(0.3)", tmp_path / "in.arrow", tmp_path / "out.arrow", *COLUMNS)
    _, [after] = read(pa.py_buffer((tmp_path / "out.arrow").read_bytes()), "arrow")
    dx, _ = autograd(lambda v: F.leaky_relu(v, 0.3), x, dy)
    assert_same_floats(leaf(after.column("dy")), dx)


@pytest.mark.parametrize("ops,inplace", [("leaky_relu(0.3)", lambda x: F.leaky_relu(x, 0.3, True)), ("relu", F.relu_)])
def test_from_output(tmp_path, ops, inplace):
    x, dy = numbers(np.float32, 1), numbers(np.float32, 2)
    start = torch.from_numpy(x.copy()).requires_grad_()
    y = inplace(start + 0)
    y.backward(torch.from_numpy(dy))
    np.save(tmp_path / "y.npy", y.detach().numpy())
    np.save(tmp_path / "dy.npy", dy)
    gradients(ops, "--from-output", tmp_path / "y.npy", tmp_path / "dy.npy", tmp_path / "dx.npy", "--json")
    assert_same_floats(np.load(tmp_path / "dx.npy"), start.grad.numpy())
