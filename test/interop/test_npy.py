"""Arrays that NumPy wrote, in every order and version, are computed in place and read back by NumPy."""

import numpy as np
import pytest

from bits import assert_same_floats
from sluice import apply, apply_bytes, refused

DTYPES = ["<f2", "<f4", "<f8"]
SHAPES = [(), (0,), (1,), (7,), (3, 4), (2, 0, 3), (2, 3, 4), (1, 2, 1, 3, 2)]


def array(dtype, shape, order="C"):
    count = int(np.prod(shape))
    values = np.linspace(-4, 3, count) if count > 1 else np.full(count, -2.5)
    return np.array(values.reshape(shape), dtype=dtype, order=order)


def save(path, values, version=None):
    with open(path, "wb") as file:
        np.lib.format.write_array(file, values, version=version)


def check(tmp_path, values, ops, expected, version=None):
    source, target = tmp_path / "in.npy", tmp_path / "out.npy"
    save(source, values, version)
    apply(ops, source, target)
    header = source.stat().st_size - values.nbytes
    assert target.stat().st_size == source.stat().st_size
    assert target.read_bytes()[:header] == source.read_bytes()[:header]
    actual = np.load(target)
    assert actual.flags.f_contiguous == np.load(source).flags.f_contiguous
    assert_same_floats(actual, expected)


def leaky(values, slope):
    """In the dtype's own arithmetic; float16 in float32, rounded once."""
    wide = values.astype(np.float32) if values.dtype == np.float16 else values
    return np.where(wide > 0, wide, wide.dtype.type(slope) * wide).astype(values.dtype)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_of_any_shape_is_computed(dtype, shape, order, tmp_path):
    values = array(dtype, shape, order)
    check(tmp_path, values, "leaky_relu(0.1)", leaky(values, 0.1))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_version_of_the_format_is_read(dtype, version, tmp_path):
    values = array(dtype, (5, 3))
    check(tmp_path, values, "leaky_relu(0.1)", leaky(values, 0.1), version)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_prelu_takes_its_channels_from_the_last_axis(dtype, order, tmp_path):
    values = array(dtype, (2, 5, 3), order)
    slopes = np.array([0.5, -1, 2], dtype)
    check(tmp_path, values, "prelu([0.5, -1, 2])", np.where(values > 0, values, slopes * values))


def test_an_array_goes_through_a_pipe(tmp_path):
    values = array("<f4", (100, 10))
    save(tmp_path / "in.npy", values)
    (tmp_path / "out.npy").write_bytes(
        apply_bytes("leaky_relu(0.1)", (tmp_path / "in.npy").read_bytes(), "--format", "npy")
    )
    assert_same_floats(np.load(tmp_path / "out.npy"), leaky(values, 0.1))


@pytest.mark.parametrize("dtype", ["<i4", "|u1", "|b1", "<c8", ">f4", "<U3", [("x", "<f4")]], ids=str)
def test_another_dtype_is_refused(dtype, tmp_path):
    save(tmp_path / "in.npy", np.zeros(3, dtype))
    message = refused("apply", "relu", tmp_path / "in.npy", tmp_path / "out.npy")
    assert message.startswith("sluice: ") and "Traceback" not in message and "bug" not in message
    assert not (tmp_path / "out.npy").exists()
