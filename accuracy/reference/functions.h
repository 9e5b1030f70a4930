// The ops and their derivatives as textbooks have them, in forms that cancel nowhere but at their roots.
//
// Each is written once, for both kinds of number. `f` is the op and `g` its derivative, for finite x. They owe nothing to
// the formulas of src/ops: where those expand a function to arithmetic, these call a library; where those follow a
// derivative rule, these are derived by hand.
#pragma once

#include "circle.h"
#include "numbers.h"

#define OP(name, forward, gradient)                              \
  struct name {                                                  \
    template <class T> T f([[maybe_unused]] T x) const { return forward; }     \
    template <class T> T g([[maybe_unused]] T x) const { return gradient; }     \
  };
#define N(value) number<T>(value)

/** Whether the type is float16 or float32: then slopes and bounds are float32 numbers. */
static bool narrow = true;
static inline double rounded(double value) { return narrow ? (float)value : value; }

// Elementary functions.
OP(Exp, exp(x), exp(x))
OP(Expm1, expm1(x), exp(x))
OP(Log, log(x), 1 / x)
OP(Log1p, log1p(x), 1 / (1 + x))
OP(Erf, erf(x), exp(negative(x * x)) * N(2 / SQRT_PI))
OP(Sin, sin(x), cos(x))
OP(Cos, cos(x), negative(sin(x)))
OP(Sqrt, sqrt(x), 0.5 / sqrt(x))
OP(Rsqrt, 1 / sqrt(x), -0.5 / (x * sqrt(x)))
OP(Reciprocal, 1 / x, -1 / (x * x))
OP(Square, x * x, x + x)
OP(Cube, x * x * x, 3 * (x * x))
OP(PowMinusOne, 1 / x, -1 / (x * x))
OP(PowFiveHalves, (x * x) * sqrt(x), 2.5 * (x * sqrt(x)))

// Hyperbolic and logistic functions, by q = exp(-|x|), which does not overflow.
OP(Tanh, tanh(x), ({ T q = exp(-2 * abs(x)); 4 * q / ((1 + q) * (1 + q)); }))
OP(Sigmoid, ({ T q = exp(negative(abs(x))); where(x < 0, q, N(1)) / (1 + q); }),
   ({ T q = exp(negative(abs(x))); q / ((1 + q) * (1 + q)); }))
OP(LogSigmoid, where(x < 0, x, N(0)) - log1p(exp(negative(abs(x)))),
   ({ T q = exp(negative(abs(x))); where(x > 0, q, N(1)) / (1 + q); }))

/** tanh(x)^2, and x - tanh(x) = (x cosh(x) - sinh(x)) / cosh(x), whose numerator is the sum of 2k x^(2k+1) / (2k+1)!. */
struct Tanhshrink {
  template <class T> T f(T x) const {
    // Made once: quadruple precision is slow.
    static const Terms terms;
    T near = N(0);
    for (int k = TERMS; k > 0; k--) near = near * (x * x) + N(terms.of[k]);
    T inner = where(abs(x) < 1, x, N(0));
    return where(abs(x) < 1, x * x * x * near / cosh(inner), x - tanh(x));
  }
  template <class T> T g(T x) const { return tanh(x) * tanh(x); }
  static constexpr int TERMS = 14;
  /** 2k / (2k + 1)! */
  struct Terms {
    Quad of[TERMS + 1];
    Terms() {
      Quad factorial = 1;
      for (int k = 1; k <= TERMS; k++) of[k] = 2 * k / (factorial *= (Quad)(2 * k) * (2 * k + 1));
    }
  };
};

struct Softplus {
  double beta, threshold;
  template <class T> T f(T x) const { return where(beta * x > threshold, x, log1p(exp(beta * x)) / beta); }
  template <class T> T g(T x) const {
    T q = exp(negative(abs(beta * x)));
    return where(beta * x > threshold, N(1), where(x < 0, q, N(1)) / (1 + q));
  }
};

/** x sigmoid(beta x); its derivative s (1 + beta x (1 - s)). */
struct Swish {
  double beta;
  template <class T> T f(T x) const { return x / (1 + exp(-beta * x)); }
  template <class T> T g(T x) const {
    T z = beta * x;
    T q = exp(negative(abs(z)));
    return where(z < 0, q * (1 + q + z), 1 + q + z * q) / ((1 + q) * (1 + q));
  }
};

/** x tanh(log(1 + e)) with e = exp(x): x n / (n + 2), n = e (e + 2). Beyond 40 it is x. */
struct Mish {
  template <class T> T f(T x) const {
    T e = exp(where(x < 40, x, N(40)));
    T n = e * (e + 2);
    return where(x < 40, x * n / (n + 2), x);
  }
  template <class T> T g(T x) const {
    T e = exp(where(x < 40, x, N(40)));
    T n = e * (e + 2);
    return where(x < 40, e * ((e + 2) * (n + 2) + 4 * (x * (1 + e))) / ((n + 2) * (n + 2)), N(1));
  }
};

/** x Phi(x), with Phi by erfc, which does not cancel; its derivative Phi(x) + x phi(x). */
struct Gelu {
  template <class T> T f(T x) const { return 0.5 * x * erfc(x * N(-1 / SQRT_2)); }
  template <class T> T g(T x) const {
    // For x^2 beyond the range of doubles phi is 0.
    T inner = where(abs(x) < 1e5, x, N(1e5));
    T density = exp(-0.5 * (inner * inner)) * N(1 / (SQRT_2 * SQRT_PI));
    return 0.5 * erfc(x * N(-1 / SQRT_2)) + where(abs(x) < 1e5, x, N(0)) * density;
  }
};

/** x (1 + tanh(u)) / 2 = x / (1 + exp(-2u)), u = sqrt(2 / pi) (x + 0.044715 x^3). Beyond 100 it is x or 0. */
struct GeluTanh {
  template <class T> T f(T x) const {
    T y = where(abs(x) < 100, x, N(0));
    T u = N(2 * SQRT_2 / SQRT_PI) * (y + N(0.044715Q) * (y * y * y));
    return where(abs(x) < 100, y / (1 + exp(negative(u))), where(x > 0, x, N(-0.0Q)));
  }
  template <class T> T g(T x) const {
    T y = where(abs(x) < 100, x, N(0));
    T u = N(2 * SQRT_2 / SQRT_PI) * (y + N(0.044715Q) * (y * y * y));
    T slope = N(2 * SQRT_2 / SQRT_PI) * (1 + N(3 * 0.044715Q) * (y * y));
    T q = exp(negative(abs(u)));
    T value = where(u < 0, q * (1 + q + y * slope), 1 + q + y * slope * q) / ((1 + q) * (1 + q));
    return where(abs(x) < 100, value, where(x > 0, N(1), N(-0.0Q)));
  }
};

struct Elu {
  double alpha;
  template <class T> T f(T x) const { return where(x > 0, x, alpha * expm1(x)); }
  template <class T> T g(T x) const { return where(x > 0, N(1), alpha * exp(x)); }
};

struct Celu {
  double alpha;
  template <class T> T f(T x) const { return where(x > 0, x, alpha * expm1(x / alpha)); }
  template <class T> T g(T x) const { return where(x > 0, N(1), exp(x / alpha)); }
};

/** Klambauer et al. (2017), with as many digits as PyTorch gives its constants. */
struct Selu {
  static constexpr Quad SCALE = 1.0507009873554804934193349852946Q, ALPHA = 1.6732632423543772848170429916717Q;
  template <class T> T f(T x) const { return where(x > 0, N(SCALE) * x, N(SCALE * ALPHA) * expm1(x)); }
  template <class T> T g(T x) const { return where(x > 0, N(SCALE), N(SCALE * ALPHA) * exp(x)); }
};

OP(Softsign, x / (1 + abs(x)), 1 / ((1 + abs(x)) * (1 + abs(x))))

// Piecewise polynomials. At the kinks the derivative is PyTorch's.
OP(HardSigmoid, where(x <= -3, N(0), where(x >= 3, N(1), (x + 3) / N(6))), where((x > -3) & (x < 3), N(1 / 6.0Q), N(0)))
OP(HardSwish, where(x <= -3, N(-0.0Q), where(x >= 3, x, x * (x + 3) / N(6))),
   where(x <= -3, N(0), where(x < 3, (2 * x + 3) / N(6), N(1))))
OP(Relu, where(x < 0, N(0), x), where(x > 0, N(1), N(0)))
OP(Abs, abs(x), where(x > 0, N(1), where(x < 0, N(-1), N(0))))
OP(Neg, negative(x), N(-1))
OP(Sign, where(x > 0, N(1), where(x < 0, N(-1), N(0))), N(0))
OP(Floor, floor(x), N(0))
OP(Ceil, ceil(x), N(0))
OP(Round, round(x), N(0))

struct LeakyRelu {
  double slope;
  template <class T> T f(T x) const { return where(x > 0, x, N(rounded(slope)) * x); }
  template <class T> T g(T x) const { return where(x > 0, N(1), N(rounded(slope))); }
};

/** x kept in [lo, hi]; the derivative at the bounds is that of the inside for clamp, and 0 for its relatives. */
struct Clamp {
  double lo, hi;
  bool closed;
  template <class T> T f(T x) const {
    return where(x < rounded(lo), N(rounded(lo)), where(x > rounded(hi), N(rounded(hi)), x));
  }
  template <class T> T g(T x) const {
    double low = rounded(lo), high = rounded(hi);
    return closed ? where((x >= low) & (x <= high), N(1), N(0)) : where((x > low) & (x < high), N(1), N(0));
  }
};

struct Threshold {
  double threshold, value;
  template <class T> T f(T x) const { return where(x > rounded(threshold), x, N(rounded(value))); }
  template <class T> T g(T x) const { return where(x > rounded(threshold), N(1), N(0)); }
};

struct Softshrink {
  double lambda;
  template <class T> T f(T x) const {
    return where(x > lambda, x - lambda, where(x < -lambda, x + lambda, N(0)));
  }
  template <class T> T g(T x) const { return where((x > lambda) | (x < -lambda), N(1), N(0)); }
};

struct Hardshrink {
  double lambda;
  template <class T> T f(T x) const { return where((x > lambda) | (x < -lambda), x, N(0)); }
  template <class T> T g(T x) const { return where((x > lambda) | (x < -lambda), N(1), N(0)); }
};

/** slope x + shift. */
struct Line {
  double slope, shift;
  template <class T> T f(T x) const { return shift == 0 ? N(rounded(slope)) * x : N(rounded(slope)) * x + N(rounded(shift)); }
  template <class T> T g(T) const { return N(rounded(slope)); }
};
struct Quotient {
  double divisor;
  template <class T> T f(T x) const { return x / N(rounded(divisor)); }
  template <class T> T g(T) const { return 1 / N(rounded(divisor)); }
};
