"""What smooth ops and their derivatives truly are, to some fifteen digits: float64, in forms in which nothing cancels."""

import numpy as np
import torch

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def normal_cdf(x):
    return torch.special.erfc(torch.from_numpy(-x / np.sqrt(2))).numpy() / 2


def normal_density(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def sech_squared(x):
    small = np.exp(-2 * np.abs(x))
    return 4 * small / (1 + small) ** 2


def tanhshrink(x):
    """Near 0 its Taylor series, further out 64 digits of the processor's long double."""
    square = x * x
    near = 0.0
    for coefficient in [929569 / 638512875, -21844 / 6081075, 1382 / 155925, -62 / 2835, 17 / 315, -2 / 15, 1 / 3]:
        near = near * square + coefficient
    wide = x.astype(np.longdouble)
    return np.where(np.abs(x) < 0.1, near * square * x, wide - np.tanh(wide)).astype(np.float64)


def gelu_gate(x):
    return 2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)


def gelu_tanh_slope(x):
    gate = gelu_gate(x)
    bend = 2 * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x * x)
    return sigmoid(gate) * (1 + x * sigmoid(-gate) * bend)


def mish_slope(x):
    gate = np.tanh(softplus(x))
    return gate + x * sigmoid(x) * sech_squared(softplus(x))


def elu(alpha, scale=1.0, sharpness=1.0):
    return (
        lambda x: scale * np.where(x > 0, x, alpha * np.expm1(x * sharpness)),
        lambda x: scale * np.where(x > 0, 1, alpha * sharpness * np.exp(x * sharpness)),
    )


def swish(beta):
    return (
        lambda x: x * sigmoid(beta * x),
        lambda x: sigmoid(beta * x) * (1 + beta * x * sigmoid(-beta * x)),
    )


def soft(beta, threshold=20.0):
    return (
        lambda x: np.where(beta * x > threshold, x, softplus(beta * x) / beta),
        lambda x: np.where(beta * x > threshold, 1, sigmoid(beta * x)),
    )


def power(c):
    return (lambda x: np.power(x, c), lambda x: c * np.power(x, c - 1))


def hard_swish(x):
    return np.where(x <= -3, -0.0, np.where(x >= 3, x, x * (x + 3) / 6))


# Op -> its value, its derivative, and the x for which both are asked for: finite, and not where float64 overflows.
everything = (-np.inf, np.inf)
SMOOTH = {
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x), everything),
    "log_sigmoid": (lambda x: -softplus(-x), lambda x: sigmoid(-x), everything),
    "tanh": (np.tanh, sech_squared, everything),
    "tanhshrink": (tanhshrink, lambda x: np.tanh(x) ** 2, everything),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2, everything),
    "softplus": (*soft(1.0), everything),
    "softplus(2.5, 5)": (*soft(2.5, 5.0), everything),
    "softplus(-0.5)": (*soft(-0.5), everything),
    "silu": (*swish(1.0), everything),
    "swish": (*swish(1.0), everything),
    "swish(1.5)": (*swish(1.5), everything),
    "swish(-0.5)": (*swish(-0.5), everything),
    "mish": (lambda x: x * np.tanh(softplus(x)), mish_slope, everything),
    "gelu": (lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * normal_density(x), (-1e18, 1e18)),
    "gelu_tanh": (lambda x: x * sigmoid(gelu_gate(x)), gelu_tanh_slope, (-1e18, 1e18)),
    "elu": (*elu(1.0), everything),
    "elu(0.3)": (*elu(0.3), everything),
    "selu": (*elu(SELU_ALPHA, SELU_SCALE), everything),
    "celu": (*elu(1.0), everything),
    "celu(2.5)": (*elu(2.5, 1.0, 1 / 2.5), everything),
    "hard_swish": (hard_swish, lambda x: np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6)), everything),
    "exp": (np.exp, np.exp, everything),
    "expm1": (np.expm1, np.exp, everything),
    "log": (np.log, lambda x: 1 / x, (1e-45, np.inf)),
    "log1p": (np.log1p, lambda x: 1 / (1 + x), (-0.9999999, np.inf)),
    "erf": (
        lambda x: torch.special.erf(torch.from_numpy(x)).numpy(),
        lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x),
        everything,
    ),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), (1e-45, np.inf)),
    "rsqrt": (lambda x: 1 / np.sqrt(x), lambda x: -0.5 / (x * np.sqrt(x)), (1e-45, np.inf)),
    "square": (np.square, lambda x: 2 * x, everything),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / (x * x), (1e-45, np.inf)),
    "pow(3)": (*power(3.0), everything),
    "pow(-2)": (*power(-2.0), (1e-45, np.inf)),
    "pow(0.5)": (*power(0.5), (1e-45, np.inf)),
    "pow(1.7)": (*power(1.7), (1e-45, np.inf)),
    "sin": (np.sin, np.cos, everything),
    "cos": (np.cos, lambda x: -np.sin(x), everything),
}
