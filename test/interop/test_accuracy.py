"""
Results are as close to the exact ones as is promised: a million float32 of every size, and all float16. All float32
are measured by `npm run accuracy`, whose worst inputs are tried here again.
"""

import json

import numpy as np
import pytest
import torch

from formulas import COMPOSITE, ELEMENTARY, SLOPES
from sluice import ROOT, apply, sluice

SMOOTH = {**ELEMENTARY, **COMPOSITE}
GRADIENTS = {**{ops: slope for ops, (_, slope) in SMOOTH.items()}, **SLOPES}
LIMITS = {**dict.fromkeys(ELEMENTARY, 1.0), **dict.fromkeys(COMPOSITE, 2.0)}
GRADIENT_LIMIT = 2.0
# These round at every step, as PyTorch does: float16 by way of float32.
STEPWISE = ["hard_sigmoid", "hard_swish", "softsign"]

PER_BINADE = 2**11


def worst_inputs():
    """The inputs with the largest errors of all."""
    found = json.loads((ROOT / "accuracy" / "worst.json").read_text())
    values = [float.fromhex(text) for sides in found.values() for text in sides.values()]
    return np.array([value for value in values if np.isfinite(value)], np.float32)


def stratified():
    """As many of each sign and exponent, at random places, subnormal numbers included; and where errors are worst."""
    binades = np.arange(2**9, dtype=np.uint32)[:, None] << 23
    width = 2**23 // PER_BINADE
    places = np.arange(PER_BINADE, dtype=np.uint32) * width
    places = places + np.random.default_rng(3).integers(0, width, (2**9, PER_BINADE), np.uint32)
    values = (binades | places).ravel().view(np.float32)
    edges = np.array([0, 1, 3, 6, 0.5, np.finfo(np.float32).max, np.finfo(np.float32).tiny], np.float32)
    values = np.concatenate([values[np.isfinite(values)], edges, -edges, worst_inputs()])
    return values


def ulps(result, exact):
    """The errors of float32 results, in steps of the numbers around the exact ones; an infinity counts as 2^128."""
    limit = 2.0**128
    _, exponent = np.frexp(exact)
    step = np.ldexp(1.0, np.clip(exponent - 1, -126, 127) - 23)
    overflow = np.abs(exact) >= limit
    sized = np.clip(result.astype(np.float64), -limit, limit)
    with np.errstate(invalid="ignore"):
        error = np.abs(sized - exact) / step
    error[overflow] = np.where(result[overflow] == np.sign(exact[overflow]) * np.inf, 0, np.inf)
    error[np.isnan(exact) != np.isnan(result)] = np.inf
    error[np.isnan(exact) & np.isnan(result)] = 0
    return error


def check(ops, values, result, exact, limit):
    errors = ulps(result, exact)
    # Next to the root of a derivative, between -2 and -1/2, the reference is a difference of float64 terms, and has lost as
    # many digits itself. `npm run accuracy` judges these few in quadruple precision.
    errors[(values > -2) & (values < -0.5) & (np.abs(exact) < 1e-7)] = 0
    worst = int(np.argmax(errors))
    assert errors[worst] <= limit, (ops, errors[worst], float(values[worst]).hex(), result[worst], exact[worst])


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The inputs, their files x.npy and dy.npy (ones), for float32 and float16."""
    directory = tmp_path_factory.mktemp("sample")
    values = {"float32": stratified(), "float16": np.arange(2**16, dtype=np.uint16).view(np.float16)}
    for name, each in values.items():
        np.save(directory / f"x-{name}.npy", each)
        np.save(directory / f"dy-{name}.npy", np.ones_like(each))
    return directory, values


def forward(ops, directory, dtype):
    apply(ops, directory / f"x-{dtype}.npy", directory / "y.npy", "--overwrite")
    return np.load(directory / "y.npy")


def backward(ops, directory, dtype):
    files = [directory / f"{name}-{dtype}.npy" for name in ("x", "dy")]
    done = sluice("grad", ops, *files, directory / "dx.npy", "--overwrite")
    assert done.returncode == 0, done.stderr.decode()
    return np.load(directory / "dx.npy")


def exactly(formula, values):
    return formula(torch.from_numpy(values.astype(np.float64))).numpy()


@pytest.mark.parametrize("ops", SMOOTH)
def test_float32_is_within_its_limit(ops, sample):
    directory, values = sample
    x = values["float32"]
    check(ops, x, forward(ops, directory, "float32"), exactly(SMOOTH[ops][0], x), LIMITS[ops])


@pytest.mark.parametrize("ops", GRADIENTS)
def test_the_derivative_in_float32_is_within_its_limit(ops, sample):
    directory, values = sample
    x = values["float32"]
    check(ops, x, backward(ops, directory, "float32"), exactly(GRADIENTS[ops], x), GRADIENT_LIMIT)


@pytest.mark.parametrize("ops", [ops for ops in SMOOTH if ops not in STEPWISE])
def test_every_float16_is_correctly_rounded(ops, sample):
    directory, values = sample
    check_float16(values["float16"], forward(ops, directory, "float16"), SMOOTH[ops][0])


@pytest.mark.parametrize("ops", GRADIENTS)
def test_the_derivative_at_every_float16_is_correctly_rounded(ops, sample):
    directory, values = sample
    check_float16(values["float16"], backward(ops, directory, "float16"), GRADIENTS[ops])


@np.errstate(over="ignore")
def check_float16(values, result, formula):
    expected = exactly(formula, values).astype(np.float16)
    same = (result == expected) | (np.isnan(result) & np.isnan(expected))
    wrong = np.flatnonzero(~same & np.isfinite(values))[:3]
    assert wrong.size == 0, [(values[i], result[i], expected[i]) for i in wrong]
