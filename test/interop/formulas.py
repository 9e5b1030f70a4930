"""
The smooth ops and all derivatives in float64, as textbooks have them, in forms that cancel nowhere but at their roots:
what `test_accuracy.py` measures against. `accuracy/reference` has the same in quadruple precision, for every float32.
"""

import math

import numpy as np
import torch
from torch import abs, cos, erf, exp, expm1, log, log1p, sin, sqrt, tanh
from torch.special import erfc

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717
ROOT = math.sqrt(2 / math.pi)


def where(test, a, b):
    """As `torch.where`, whose constants would be float32."""
    return torch.where(test, torch.as_tensor(a, dtype=torch.float64), torch.as_tensor(b, dtype=torch.float64))


def logistic(x):
    """1 / (1 + exp(-x))"""
    q = exp(-abs(x))
    return where(x < 0, q, 1.0) / (1 + q)


def logistic_slope(x):
    q = exp(-abs(x))
    return q / (1 + q) ** 2


def density(x):
    return exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def cdf(x):
    return 0.5 * erfc(-x / math.sqrt(2))


def finite(x, bound):
    """x between the bounds: beyond them the tails are 0 or 1, and squares would overflow."""
    return x.clamp(-bound, bound)


def swish(beta):
    def slope(x):
        z = beta * x
        q = exp(-abs(z))
        return where(z < 0, q * (1 + q + z), 1 + q + z * q) / (1 + q) ** 2

    return lambda x: x / (1 + exp(-beta * x)), slope


def softplus(beta, threshold):
    def value(x):
        return where(beta * x > threshold, x, log1p(exp(finite(beta * x, 700))) / beta)

    return lambda x: where(beta * x < -700, 0.0, value(x)), lambda x: where(beta * x > threshold, 1.0, logistic(beta * x))


def elu(alpha, scale=1.0):
    return lambda x: where(x > 0, scale * x, scale * alpha * expm1(x)), lambda x: where(x > 0, scale, scale * alpha * exp(x))


def celu(alpha):
    return lambda x: where(x > 0, x, alpha * expm1(x / alpha)), lambda x: where(x > 0, 1.0, exp(x / alpha))


def mish_gate(x):
    e = exp(finite(x, 40))
    return e, e * (e + 2)


def mish(x):
    _, n = mish_gate(x)
    return where(x < -40, x * exp(x), where(x > 40, x, x * n / (n + 2)))


def mish_slope(x):
    e, n = mish_gate(x)
    slope = e * ((e + 2) * (n + 2) + 4 * x * (1 + e)) / (n + 2) ** 2
    return where(x < -40, (1 + x) * exp(x), where(x > 40, 1.0, slope))


def gelu_tanh_parts(x):
    y = finite(x, 100)
    return y, 2 * ROOT * (y + 0.044715 * y**3), 2 * ROOT * (1 + 3 * 0.044715 * y * y)


def gelu_tanh(x):
    y, u, _ = gelu_tanh_parts(x)
    return where(x > 100, x, y / (1 + exp(-u)))


def gelu_tanh_slope(x):
    y, u, slope = gelu_tanh_parts(x)
    q = exp(-abs(u))
    return where(u < 0, q * (1 + q + y * slope), 1 + q + y * slope * q) / (1 + q) ** 2


def tanhshrink(x):
    """(x cosh(x) - sinh(x)) / cosh(x), whose numerator is the sum of 2k x^(2k+1) / (2k+1)!"""
    near = finite(x, 1)
    total = torch.zeros_like(x)
    for k in range(14, 0, -1):
        total = total * near * near + 2 * k / math.factorial(2 * k + 1)
    return where(abs(x) < 1, near**3 * total / torch.cosh(near), x - tanh(x))


def tanh_slope(x):
    return 4 * logistic_slope(2 * x)


def line(slope):
    """The slope above 0 is 1, and `slope` below."""
    return lambda x: where(x > 0, 1.0, float(np.float32(slope)))


def inside(lo, hi):
    return lambda x: where((x > lo) & (x < hi), 1.0, 0.0)


def outside(bound):
    return lambda x: where(abs(x) > bound, 1.0, 0.0)


def constant(value):
    return lambda x: torch.full_like(x, value)


def reciprocal(x):
    return 1 / x


def minus_square_reciprocal(x):
    return -1 / (x * x)


# Functions with at most 1 ulp, and 2 for their derivatives.
ELEMENTARY = {
    "exp": (exp, exp),
    "expm1": (expm1, exp),
    "log": (log, reciprocal),
    "log1p": (log1p, lambda x: 1 / (1 + x)),
    "tanh": (tanh, tanh_slope),
    "sigmoid": (logistic, logistic_slope),
    "erf": (erf, lambda x: 2 / math.sqrt(math.pi) * exp(-x * x)),
    "sin": (sin, cos),
    "cos": (cos, lambda x: -sin(x)),
    "sqrt": (sqrt, lambda x: 0.5 / sqrt(x)),
    "rsqrt": (lambda x: 1 / sqrt(x), lambda x: -0.5 / (x * sqrt(x))),
    "reciprocal": (reciprocal, minus_square_reciprocal),
    "square": (lambda x: x * x, lambda x: 2 * x),
    "pow(2.5)": (lambda x: x * x * sqrt(x), lambda x: 2.5 * x * sqrt(x)),
    "pow(-1)": (reciprocal, minus_square_reciprocal),
    "pow(3)": (lambda x: x**3, lambda x: 3 * x * x),
}

# Activations with at most 2 ulp, as their derivatives.
COMPOSITE = {
    "gelu": (lambda x: x * cdf(x), lambda x: cdf(x) + finite(x, 1e5) * density(finite(x, 1e5))),
    "gelu_tanh": (gelu_tanh, gelu_tanh_slope),
    "silu": swish(1.0),
    "swish(1.5)": swish(1.5),
    "mish": (mish, mish_slope),
    "softplus": softplus(1.0, 20.0),
    "softplus(2, 20)": softplus(2.0, 20.0),
    "log_sigmoid": (lambda x: where(x < 0, x, 0.0) - log1p(exp(-abs(x))), lambda x: logistic(-x)),
    "elu": elu(1.0),
    "elu(0.5)": elu(0.5),
    "celu": celu(1.0),
    "celu(2)": celu(2.0),
    "selu": elu(SELU_ALPHA, SELU_SCALE),
    "tanhshrink": (tanhshrink, lambda x: tanh(x) ** 2),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2),
    "hard_sigmoid": (lambda x: where(x >= 3, 1.0, where(x <= -3, 0.0, (x + 3) / 6)), lambda x: inside(-3, 3)(x) / 6),
    "hard_swish": (
        lambda x: where(x >= 3, x, where(x <= -3, 0.0, x * (x + 3) / 6)),
        lambda x: where(x <= -3, 0.0, where(x >= 3, 1.0, (2 * x + 3) / 6)),
    ),
}

# Slopes that are a few constants. `test_values.py` has the ops themselves, bit for bit.
SLOPES = {
    "leaky_relu": line(0.01),
    "prelu": line(0.25),
    "rrelu": line((1 / 8 + 1 / 3) / 2),
    "relu": line(0),
    "relu6": inside(0, 6),
    "hard_tanh": inside(-1, 1),
    "threshold(0.1, -7)": lambda x: where(x > float(np.float32(0.1)), 1.0, 0.0),
    "softshrink": outside(0.5),
    "hardshrink": outside(0.5),
    "clamp(-0.25, 0.75)": lambda x: where((x >= -0.25) & (x <= 0.75), 1.0, 0.0),
    "abs": torch.sign,
    "neg": constant(-1.0),
    "sign": constant(0.0),
    "floor": constant(0.0),
    "ceil": constant(0.0),
    "round": constant(0.0),
    "add(1.5)": constant(1.0),
    "sub(1.5)": constant(1.0),
    "mul(0.3)": constant(float(np.float32(0.3))),
    "div(3)": constant(1 / 3),
}
