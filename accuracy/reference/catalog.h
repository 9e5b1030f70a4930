// Which formula an op is judged by, and its limits at the infinities.
#pragma once

#include <string.h>

#include "functions.h"

enum Side { FORWARD, GRADIENT };

/** A formula as the judge uses it, whatever its type. */
struct Reference {
  const char *name;
  /** The limits at -infinity and infinity, forward and gradient. */
  double limits[2][2];
  /** Where the gradient changes its sign: there doubles do not do, and a quarter around it is judged in Quad. */
  double root;

  Reference(const char *name, double fMinus, double fPlus, double gMinus, double gPlus, double root)
      : name(name), limits{{fMinus, fPlus}, {gMinus, gPlus}}, root(root) {}
  virtual Quad exact(Side side, Quad x) const = 0;
  /** `side` of LANES numbers. */
  virtual Vector fast(Side side, Vector x) const = 0;
};

template <class Formula>
struct Judged final : Reference {
  Formula formula;

  Judged(const char *name, Formula formula, double fMinus, double fPlus, double gMinus, double gPlus, double root = 0)
      : Reference(name, fMinus, fPlus, gMinus, gPlus, root), formula(formula) {}

  Quad exact(Side side, Quad x) const override { return side == FORWARD ? formula.f(x) : formula.g(x); }
  Vector fast(Side side, Vector x) const override { return side == FORWARD ? formula.f(x) : formula.g(x); }
};

#define JUDGED(name, formula, ...) new Judged<decltype(formula)>(name, formula, __VA_ARGS__)
static const double INF = HUGE_VAL, NONE = NAN;
static const double SELU = 1.0507009873554804934193349852946;

static const Reference *const CATALOG[] = {
    JUDGED("leaky_relu", LeakyRelu{0.01}, -INF, INF, 0.01f, 1),
    JUDGED("prelu", LeakyRelu{0.25}, -INF, INF, 0.25, 1),
    JUDGED("rrelu", (LeakyRelu{(0.125 + 1 / 3.0) / 2}), -INF, INF, (float)((0.125 + 1 / 3.0) / 2), 1),
    JUDGED("relu", Relu{}, 0, INF, 0, 1),
    JUDGED("relu6", (Clamp{0, 6, false}), 0, 6, 0, 0),
    JUDGED("threshold(0.1, -7)", (Threshold{0.1, -7}), -7, INF, 0, 1),
    JUDGED("hard_tanh", (Clamp{-1, 1, false}), -1, 1, 0, 0),
    JUDGED("hard_sigmoid", HardSigmoid{}, 0, 1, 0, 0),
    JUDGED("hard_swish", HardSwish{}, 0, INF, 0, 1, -1.5),
    JUDGED("softshrink", Softshrink{0.5}, -INF, INF, 1, 1),
    JUDGED("hardshrink", Hardshrink{0.5}, -INF, INF, 1, 1),
    JUDGED("softsign", Softsign{}, -1, 1, 0, 0),

    JUDGED("sigmoid", Sigmoid{}, 0, 1, 0, 0),
    JUDGED("log_sigmoid", LogSigmoid{}, -INF, 0, 1, 0),
    JUDGED("tanh", Tanh{}, -1, 1, 0, 0),
    JUDGED("tanhshrink", Tanhshrink{}, -INF, INF, 1, 1),
    JUDGED("elu", Elu{1}, -1, INF, 0, 1),
    JUDGED("elu(0.5)", Elu{0.5}, -0.5, INF, 0, 1),
    JUDGED("celu", Celu{1}, -1, INF, 0, 1),
    JUDGED("celu(2)", Celu{2}, -2, INF, 0, 1),
    JUDGED("selu", Selu{}, -(float)(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717), INF, 0, (float)SELU),
    JUDGED("gelu", Gelu{}, 0, INF, 0, 1, -0.7517915246935645),
    JUDGED("gelu_tanh", GeluTanh{}, 0, INF, 0, 1, -0.7524614),
    JUDGED("silu", Swish{1}, 0, INF, 0, 1, -1.2784645427610738),
    JUDGED("swish(1.5)", Swish{1.5}, 0, INF, 0, 1, -0.8523096951740492),
    JUDGED("mish", Mish{}, 0, INF, 0, 1, -1.1924),
    JUDGED("softplus", (Softplus{1, 20}), 0, INF, 0, 1),
    JUDGED("softplus(2, 20)", (Softplus{2, 20}), 0, INF, 0, 1),

    JUDGED("exp", Exp{}, 0, INF, 0, INF),
    JUDGED("expm1", Expm1{}, -1, INF, 0, INF),
    JUDGED("log", Log{}, NONE, INF, 0, 0),
    JUDGED("log1p", Log1p{}, NONE, INF, 0, 0),
    JUDGED("erf", Erf{}, -1, 1, 0, 0),
    JUDGED("sin", Sin{}, NONE, NONE, NONE, NONE),
    JUDGED("cos", Cos{}, NONE, NONE, NONE, NONE),
    JUDGED("sqrt", Sqrt{}, NONE, INF, NONE, 0),
    JUDGED("rsqrt", Rsqrt{}, NONE, 0, NONE, 0),
    JUDGED("reciprocal", Reciprocal{}, 0, 0, 0, 0),
    JUDGED("square", Square{}, INF, INF, -INF, INF),
    JUDGED("pow(2.5)", PowFiveHalves{}, INF, INF, INF, INF),
    JUDGED("pow(-1)", PowMinusOne{}, 0, 0, 0, 0),
    JUDGED("pow(3)", Cube{}, -INF, INF, INF, INF),

    JUDGED("add(1.5)", (Line{1, 1.5}), -INF, INF, 1, 1),
    JUDGED("sub(1.5)", (Line{1, -1.5}), -INF, INF, 1, 1),
    JUDGED("mul(0.3)", (Line{0.3, 0}), -INF, INF, 0.3f, 0.3f),
    JUDGED("div(3)", Quotient{3}, -INF, INF, (float)(1 / 3.0), (float)(1 / 3.0)),
    JUDGED("clamp(-0.25, 0.75)", (Clamp{-0.25, 0.75, true}), -0.25, 0.75, 0, 0),
    JUDGED("abs", Abs{}, INF, INF, -1, 1),
    JUDGED("neg", Neg{}, INF, -INF, -1, -1),
    JUDGED("sign", Sign{}, -1, 1, 0, 0),
    JUDGED("floor", Floor{}, -INF, INF, 0, 0),
    JUDGED("ceil", Ceil{}, -INF, INF, 0, 0),
    JUDGED("round", Round{}, -INF, INF, 0, 0),
};

static const Reference *referenceOf(const char *name) {
  for (const Reference *each : CATALOG)
    if (strcmp(each->name, name) == 0) return each;
  return nullptr;
}
