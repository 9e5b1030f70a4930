"""Ops along the last axis, and their gradients, are PyTorch's in float64; rows may have any length, and none."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
import torch.nn.functional as F

from arrow_files import FORMATS, read, write
from sluice import apply, apply_bytes, refused, sluice

CHAINS = {
    "softmax": lambda x: F.softmax(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "l2_normalize": lambda x: F.normalize(x, dim=-1),
    "l2_normalize(eps=3)": lambda x: F.normalize(x, dim=-1, eps=3.0),
    "layer_norm": lambda x: F.layer_norm(x, x.shape[-1:]),
    "layer_norm(eps=0.1)": lambda x: F.layer_norm(x, x.shape[-1:], eps=0.1),
    "mul(0.5) | softmax | log": lambda x: F.softmax(x * 0.5, -1).log(),
    "leaky_relu(0.1) | layer_norm | tanh": lambda x: F.layer_norm(F.leaky_relu(x, 0.1), x.shape[-1:]).tanh(),
}
DTYPES = [np.float16, np.float32, np.float64]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0]


def numbers(shape, dtype, seed):
    return np.random.default_rng(seed).normal(0, 2, shape).astype(dtype)


def assert_close(got, expected, dtype):
    """NaN and infinities where PyTorch has them; numbers to the last digits of the dtype."""
    units = {np.float16: 1, np.float32: 1, np.float64: 64}[dtype]
    eps = np.finfo(dtype).eps
    tiny = np.finfo(dtype).smallest_subnormal if dtype != np.float64 else 1e-14
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_allclose(
            got.astype(np.float64), expected.astype(np.float64), rtol=units * float(eps), atol=float(tiny)
        )


def through(function, x):
    return function(torch.from_numpy(x.astype(np.float64))).numpy()


def backward(function, x, dy):
    own = torch.from_numpy(x.astype(np.float64)).requires_grad_()
    function(own).backward(torch.from_numpy(dy.astype(np.float64)))
    return own.grad.numpy()


@pytest.mark.parametrize("shape", [(3, 1), (40, 7), (2, 3, 1000), (5, 20_000)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ops", CHAINS)
def test_npy(tmp_path, ops, dtype, shape):
    x = numbers(shape, dtype, 1)
    np.save(tmp_path / "x.npy", x)
    apply(ops, tmp_path / "x.npy", tmp_path / "y.npy")
    assert_close(np.load(tmp_path / "y.npy"), through(CHAINS[ops], x), dtype)


@pytest.mark.parametrize("ops", ["softmax", "log_softmax", "l2_normalize", "layer_norm"])
def test_special_rows(tmp_path, ops):
    x = numbers((2 * len(SPECIAL), 6), np.float32, 2)
    for i, special in enumerate(SPECIAL):
        x[i, i] = special
        x[len(SPECIAL) + i] = special
    np.save(tmp_path / "x.npy", x)
    apply(ops, tmp_path / "x.npy", tmp_path / "y.npy")
    assert_close(np.load(tmp_path / "y.npy"), through(CHAINS[ops], x), np.float32)


@pytest.mark.parametrize("shape", [(3, 1), (40, 7), (5, 20_000)])
@pytest.mark.parametrize("ops", CHAINS)
def test_gradients(tmp_path, ops, shape):
    x, dy = numbers(shape, np.float64, 3), numbers(shape, np.float64, 4)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "dy.npy", dy)
    done = sluice("grad", ops, tmp_path / "x.npy", tmp_path / "dy.npy", tmp_path / "dx.npy")
    assert done.returncode == 0, done.stderr.decode()
    expected = backward(CHAINS[ops], x, dy)
    np.testing.assert_allclose(np.load(tmp_path / "dx.npy"), expected, rtol=1e-11, atol=1e-13)


LENGTHS = [3, 0, 1, 7, None, 0, 64, 1025, 2, 0]


def rows_of(seed, dtype):
    random = np.random.default_rng(seed)
    return [None if n is None else random.normal(0, 2, n).astype(dtype) for n in LENGTHS * 3]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("kind", [pa.list_, pa.large_list])
@pytest.mark.parametrize("dtype", DTYPES)
def test_lists(tmp_path, kind, fmt, dtype):
    rows = rows_of(5, dtype)
    column = pa.array(rows, kind(pa.from_numpy_dtype(dtype)))
    ids = pa.array(range(len(rows)))
    # A slice, whose offsets begin behind the values of the first rows.
    batches = [pa.record_batch({"id": ids, "t": column}).slice(start, 9) for start in [0, 7, 2]]
    data = write(batches, batches[0].schema, fmt)
    (tmp_path / f"in.{fmt}").write_bytes(data)
    apply("softmax", tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}")
    _, results = read((tmp_path / f"out.{fmt}").read_bytes(), fmt)
    # What leaves through a pipe is a stream.
    _, piped = read(apply_bytes("softmax", data), "arrows")
    assert piped == results
    for before, after in zip(batches, results, strict=True):
        assert after.column("id").equals(before.column("id"))
        for row, got in zip(before.column("t"), after.column("t"), strict=True):
            assert row.is_valid == got.is_valid
            if not row.is_valid or len(row.values) == 0:
                continue
            expected = through(CHAINS["softmax"], row.values.to_numpy(zero_copy_only=False))
            assert_close(got.values.to_numpy(zero_copy_only=False), expected, dtype)


@pytest.mark.parametrize("fmt", FORMATS)
def test_gradients_of_lists(tmp_path, fmt):
    ops = "leaky_relu(0.1) | softmax"
    function = lambda x, alpha: F.softmax(torch.where(x > 0, x, alpha * x), -1)  # noqa: E731
    xs, dys = [r for r in rows_of(6, np.float32) if r is not None], [r for r in rows_of(7, np.float32) if r is not None]
    batch = pa.record_batch({"x": pa.array(xs, pa.list_(pa.float32())), "dy": pa.array(dys, pa.list_(pa.float32()))})
    (tmp_path / f"in.{fmt}").write_bytes(write([batch], batch.schema, fmt))
    done = sluice(
        *["grad", ops, tmp_path / f"in.{fmt}", tmp_path / f"out.{fmt}"],
        *["--input-column", "x", "--upstream", "dy", "--json"],
    )
    assert done.returncode == 0, done.stderr.decode()
    _, [result] = read((tmp_path / f"out.{fmt}").read_bytes(), fmt)
    alpha = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    for x, dy, got in zip(xs, dys, result.column("dy"), strict=True):
        own = torch.from_numpy(x.astype(np.float64)).requires_grad_()
        function(own, alpha).backward(torch.from_numpy(dy.astype(np.float64)))
        expected = own.grad.numpy()
        np.testing.assert_allclose(got.values.to_numpy(), expected, rtol=2e-7, atol=1e-16)
    gradients = json.loads(done.stdout)["gradients"]
    np.testing.assert_allclose(gradients["leaky_relu.alpha"], alpha.grad.item(), rtol=1e-10)


def test_a_column_of_numbers_has_no_rows(tmp_path):
    batch = pa.record_batch({"f": pa.array([1.0, 2.0], pa.float32())})
    (tmp_path / "in.arrow").write_bytes(write([batch], batch.schema, "arrow"))
    said = refused("apply", "softmax", tmp_path / "in.arrow", tmp_path / "out.arrow", "--column", "f")
    assert "the column has no axis" in said
