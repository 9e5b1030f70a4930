"""
Forward and backward of the whole catalog. Straight pieces have the bits of PyTorch, gradients included; the rest lies
within 2 units in the last place of the true value, where PyTorch's own float32 often does not.
"""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bits import assert_same_floats
from references import SMOOTH
from sluice import apply, sluice

# As many at random by their bits, so of every size, and as many near 0, where activations bend.
AMOUNT = 2**18
# PyTorch's vector code and the loop for the rest of its elements differ at NaN, so there is no rest.
VECTORS = 64

PIECEWISE = {
    "leaky_relu": F.leaky_relu,
    "leaky_relu(alpha=0.2)": lambda x: F.leaky_relu(x, 0.2),
    "leaky_relu(-0.3)": lambda x: F.leaky_relu(x, -0.3),
    "leaky_relu(1.7)": lambda x: F.leaky_relu(x, 1.7),
    "prelu": lambda x: F.prelu(x, torch.tensor([0.25])),
    "rrelu": F.rrelu,
    "rrelu(0.1, 0.7)": lambda x: F.rrelu(x, 0.1, 0.7),
    "relu": F.relu,
    "relu6": F.relu6,
    "hard_tanh": F.hardtanh,
    "hard_tanh(-2, 3.5)": lambda x: F.hardtanh(x, -2, 3.5),
    "threshold(0.1, -7)": lambda x: F.threshold(x, 0.1, -7),
    "hard_sigmoid": F.hardsigmoid,
    "softshrink": F.softshrink,
    "softshrink(0)": lambda x: F.softshrink(x, 0.0),
    "softshrink(0.3)": lambda x: F.softshrink(x, 0.3),
    "hardshrink": F.hardshrink,
    "hardshrink(0.3)": lambda x: F.hardshrink(x, 0.3),
    "hardshrink(-1)": lambda x: F.hardshrink(x, -1.0),
    "clamp(-0.25, 0.75)": lambda x: x.clamp(-0.25, 0.75),
    "clamp(1, -1)": lambda x: x.clamp(1, -1),
    "abs": torch.abs,
    "neg": torch.neg,
    "sign": torch.sign,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "add(1.5)": lambda x: x + 1.5,
    "sub(1.5)": lambda x: x - 1.5,
    "mul(0.3)": lambda x: x * 0.3,
    "div(3)": lambda x: x / 3,
}


def specials():
    """Kinks, zeros, the smallest and the largest numbers, their neighbours, infinities and NaN; both signs."""
    info = np.finfo(np.float32)
    kinks = [0, 0.1, 0.25, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 6, 20]
    some = np.array([*kinks, info.smallest_subnormal, info.tiny, info.max, np.inf, np.nan], np.float32)
    with np.errstate(over="ignore"):
        near = [some, np.nextafter(some, np.float32(np.inf)), np.nextafter(some, np.float32(-np.inf))]
    positive = np.concatenate(near)
    return np.concatenate([positive, -positive])


def inputs():
    """Pairs of x and dy: every special one with every special one, and many at random."""
    upstream = np.array([1, -1, 0, -0.0, 0.7, np.inf, -np.inf, np.nan, 1e-45, -3.4028235e38, 1e-40], np.float32)
    special = specials()
    random = np.random.default_rng(23)
    bits = lambda: random.integers(0, 2**32, AMOUNT, np.uint32).view(np.float32)
    near = lambda: (random.standard_normal(AMOUNT) * 3).astype(np.float32)
    x = np.concatenate([np.repeat(special, upstream.size), bits(), near()])
    dy = np.concatenate([np.tile(upstream, special.size), near(), bits()])
    rest = -x.size % VECTORS
    return np.pad(x, (0, rest), constant_values=1), np.pad(dy, (0, rest), constant_values=1)


X, DY = inputs()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("activations")
    np.save(directory / "x.npy", X)
    np.save(directory / "dy.npy", DY)
    # For smooth ops: factors that take products nowhere near the ends of float32.
    np.save(directory / "gentle.npy", GENTLE)
    return directory


GENTLE = np.random.default_rng(29).uniform(0.5, 2, X.size).astype(np.float32)


def forward(ops, files, tmp_path):
    apply(ops, files / "x.npy", tmp_path / "y.npy", "--overwrite")
    return np.load(tmp_path / "y.npy")


def backward(ops, upstream, files, tmp_path):
    done = sluice("grad", ops, files / "x.npy", files / upstream, tmp_path / "dx.npy")
    assert done.returncode == 0, done.stderr.decode()
    return np.load(tmp_path / "dx.npy")


@pytest.mark.parametrize("ops", PIECEWISE)
def test_straight_pieces_give_the_bits_of_pytorch(ops, files, tmp_path):
    assert_same_floats(forward(ops, files, tmp_path), PIECEWISE[ops](torch.from_numpy(X)).numpy())


@pytest.mark.parametrize("ops", PIECEWISE)
def test_gradients_of_straight_pieces_give_the_bits_of_pytorch(ops, files, tmp_path):
    x = torch.from_numpy(X.copy()).requires_grad_(True)
    (expected,) = torch.autograd.grad(PIECEWISE[ops](x), x, torch.from_numpy(DY.copy()))
    assert_same_floats(backward(ops, "dy.npy", files, tmp_path), expected.numpy())


def assert_near(actual, x, expected, chosen, most):
    """Within `most` units in the last place of float32 of numbers in float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = expected.astype(np.float32)
        unit = np.spacing(np.abs(np.minimum(np.abs(rounded), np.finfo(np.float32).max))).astype(np.float64)
        error = np.abs(actual.astype(np.float64) - expected) / unit
        # What rounds to an infinity may be it, or the largest number.
        beyond = np.isinf(rounded) & (np.abs(actual) >= np.finfo(np.float32).max) & (np.sign(actual) == np.sign(rounded))
    wrong = chosen & ~beyond & ~(error <= most)
    first = np.flatnonzero(wrong)[:3]
    assert first.size == 0, [(x[i], actual[i], expected[i], error[i]) for i in first]


def asked_for(bounds):
    low, high = bounds
    return np.isfinite(X) & (X >= low) & (X <= high)


@pytest.mark.parametrize("ops", SMOOTH)
@np.errstate(all="ignore")
def test_smooth_ops_are_within_two_units_in_the_last_place(ops, files, tmp_path):
    value, _, bounds = SMOOTH[ops]
    wide = X.astype(np.float64)
    assert_near(forward(ops, files, tmp_path), X, value(wide), asked_for(bounds), 2)


@pytest.mark.parametrize("ops", SMOOTH)
@np.errstate(all="ignore")
def test_their_gradients_are_too(ops, files, tmp_path):
    _, slope, bounds = SMOOTH[ops]
    wide = X.astype(np.float64)
    expected = slope(wide) * GENTLE.astype(np.float64)
    assert_near(backward(ops, "gentle.npy", files, tmp_path), X, expected, asked_for(bounds), 2)


# What PyTorch has at the ends of the line, but for those ops that give NaN there.
ENDS = np.array([-np.inf, np.inf, np.nan, -0.0, 0.0], np.float32)
AT_THE_ENDS = {
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "erf": torch.erf,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "sin": torch.sin,
    "cos": torch.cos,
    "pow(3)": lambda x: x.pow(3),
    "pow(-1)": lambda x: x.pow(-1),
    "pow(0)": lambda x: x.pow(0),
}


@pytest.mark.parametrize("ops", AT_THE_ENDS)
def test_infinities_nan_and_zeros_are_those_of_pytorch(ops, tmp_path):
    np.save(tmp_path / "x.npy", ENDS)
    assert_same_floats(forward(ops, tmp_path, tmp_path), AT_THE_ENDS[ops](torch.from_numpy(ENDS)).numpy())


@pytest.mark.parametrize("axis", [1, -3])
def test_prelu_has_a_slope_for_each_channel_of_any_axis(axis, tmp_path):
    """PyTorch's channels are axis 1; so are those of images in the order NCHW."""
    x = np.random.default_rng(31).standard_normal((2, 3, 40, 50)).astype(np.float32)
    slopes = [0.25, -0.5, 2.0]
    expected = F.prelu(torch.from_numpy(x), torch.tensor(slopes)).numpy()
    for order in ["C", "F"]:
        np.save(tmp_path / "x.npy", np.array(x, order=order))
        actual = forward(f"prelu({slopes}, axis={axis})", tmp_path, tmp_path)
        assert_same_floats(np.ascontiguousarray(actual), expected)


def test_the_gradient_of_each_slope_is_that_of_pytorch(tmp_path):
    shape = (4, 3, 30, 50)
    random = np.random.default_rng(37)
    x, dy = (random.standard_normal(shape).astype(np.float32) for _ in range(2))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "dy.npy", dy)
    slopes = torch.tensor([0.25, -0.5, 2.0], dtype=torch.float64, requires_grad=True)
    F.prelu(torch.from_numpy(x).double(), slopes).backward(torch.from_numpy(dy).double())
    arrays = [tmp_path / name for name in ["x.npy", "dy.npy", "dx.npy"]]
    done = sluice("grad", "prelu([0.25, -0.5, 2], axis=1)", *arrays, "--json")
    assert done.returncode == 0, done.stderr.decode()
    gradients = json.loads(done.stdout)["gradients"]
    np.testing.assert_allclose(gradients["prelu.alpha"], slopes.grad.numpy(), rtol=1e-12)
