"""The values are PyTorch's, bit for bit: NaN, infinities, -0, subnormals and a great many random bits."""

import numpy as np
import pyarrow as pa
import pytest
import torch
import torch.nn.functional as F

from arrow_files import fixed_shape_tensors, read, write
from bits import UNSIGNED, assert_same_floats, leaf
from sluice import apply

CHANNELS = 4
# Numbers that float16 holds too: PyTorch rounds the slopes of prelu and what it adds to the dtype first.
SLOPES = [0.25, -0.5, 2.0, 0.0]


@np.errstate(invalid="ignore")
def square_root(values):
    return np.sqrt(values)


OPS = {
    "leaky_relu": F.leaky_relu,
    "leaky_relu(alpha=0.2)": lambda x: F.leaky_relu(x, 0.2),
    "leaky_relu(-0.3)": lambda x: F.leaky_relu(x, -0.3),
    "leaky_relu(1.7)": lambda x: F.leaky_relu(x, 1.7),
    "leaky_relu(0)": lambda x: F.leaky_relu(x, 0.0),
    "relu": F.relu,
    "prelu": lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
    "prelu(alpha=[0.25, -0.5, 2, 0])": lambda x: F.prelu(x, torch.tensor(SLOPES, dtype=x.dtype)),
    "relu6": F.relu6,
    "hard_tanh": F.hardtanh,
    "hard_tanh(-2, 3.5)": lambda x: F.hardtanh(x, -2, 3.5),
    "threshold(0.1, -7)": lambda x: F.threshold(x, 0.1, -7),
    "clamp(-0.25, 0.75)": lambda x: x.clamp(-0.25, 0.75),
    "clamp(1, -1)": lambda x: x.clamp(1, -1),
    "add(1.5)": lambda x: x + 1.5,
    "sub(1.5)": lambda x: x - 1.5,
    "mul(0.3)": lambda x: x * 0.3,
    "div(3)": lambda x: x / 3,
    "div(0)": lambda x: x / 0,
    "rrelu": F.rrelu,
    "hard_sigmoid": F.hardsigmoid,
    # The loop for the last few elements gives -0 where the vector code gives 0.
    "softshrink": lambda x: F.softshrink(x) + 0.0,
    "hardshrink": F.hardshrink,
    "sign": torch.sign,
    "abs": torch.abs,
    "neg": torch.neg,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    # PyTorch built with MKL is often one unit in the last place off; NumPy rounds correctly.
    "sqrt": lambda x: torch.from_numpy(square_root(x.numpy())),
}
CHAINS = {
    "mul(0.5) | leaky_relu(0.2) | hard_tanh": lambda x: F.hardtanh(F.leaky_relu(x * 0.5, 0.2)),
    "sub(0.5) | div(0.25) | leaky_relu(0.1) | clamp(-1, 4)": lambda x: F.leaky_relu((x - 0.5) / 0.25, 0.1).clamp(-1, 4),
}


def specials(dtype):
    """Zeros, ones, halves, the smallest and largest numbers and their neighbours, infinities and NaN; both signs."""
    info = np.finfo(dtype)
    tiny = [info.smallest_subnormal, info.tiny, np.nextafter(info.tiny, dtype(0))]
    some = [0, 1, 0.5, 1.5, 2.5, 6, 3, info.max, np.nextafter(info.max, dtype(0)), info.eps, *tiny, np.inf, np.nan]
    positive = np.array(some, dtype)
    return np.concatenate([positive, -positive, np.zeros(-2 * len(some) % CHANNELS, dtype)])


def tiny(dtype):
    """So few that plain JavaScript computes them."""
    return specials(dtype)


def many(dtype):
    """All there are of float16; of the others a million at random by their bits, so of every size."""
    unsigned = UNSIGNED[dtype().itemsize]
    if dtype is np.float16:
        return np.arange(2**16, dtype=unsigned).view(dtype)
    bits = np.random.default_rng(11).integers(0, np.iinfo(unsigned).max, 2**20, unsigned, endpoint=True)
    return np.concatenate([specials(dtype), bits.view(dtype)])


DTYPES = [np.float32, np.float64, np.float16]


@pytest.mark.parametrize("amount", [tiny, many])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ops", OPS)
def test_an_op_gives_the_bits_of_pytorch(ops, dtype, amount, tmp_path):
    check(ops, OPS[ops], amount(dtype), tmp_path)


@pytest.mark.parametrize("amount", [tiny, many])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ops", CHAINS)
def test_a_chain_gives_the_bits_of_its_ops_one_after_another(ops, dtype, amount, tmp_path):
    check(ops, CHAINS[ops], amount(dtype), tmp_path)


@pytest.mark.parametrize("ops", ["leaky_relu", "prelu(alpha=[0.25, -0.5, 2, 0])"])
def test_workers_give_the_same_bits(ops, tmp_path):
    """48 MiB: more than the main thread does alone."""
    values = np.tile(many(np.float32)[: 2**20], 12)
    check(ops, OPS[ops], values, tmp_path, "--workers", "2")


def check(ops, reference, values, tmp_path, *options):
    assert values.size % CHANNELS == 0
    rows = values.reshape(-1, CHANNELS)
    column = fixed_shape_tensors(rows, [CHANNELS])
    batch = pa.RecordBatch.from_arrays([column], ["tensor"])
    (tmp_path / "in.arrow").write_bytes(write([batch], batch.schema, "arrow"))
    apply(ops, tmp_path / "in.arrow", tmp_path / "out.arrow", *options)
    _, batches = read(pa.py_buffer((tmp_path / "out.arrow").read_bytes()), "arrow")
    actual = np.concatenate([leaf(each["tensor"]) for each in batches]).reshape(-1, CHANNELS)
    assert_same_floats(actual, reference(torch.from_numpy(rows.copy())).numpy())
