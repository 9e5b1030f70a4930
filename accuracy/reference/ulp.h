// Units in the last place: how far a result is from the exact value, in steps of the numbers around the exact value.
#pragma once

#include "numbers.h"

/** A binary format: digits after the point, and the smallest and largest exponent of normal numbers. */
struct Format {
  int digits, least, most;
};
static const Format FLOAT16 = {10, -14, 15}, FLOAT32 = {23, -126, 127}, FLOAT64 = {52, -1022, 1023};

/** The step between the format's numbers around `exact`; below the normal numbers, that of the subnormal ones. */
static Quad stepAt(Quad exact, const Format &format) {
  int exponent;
  frexpq(exact, &exponent);
  exponent = exact == 0 || exponent - 1 < format.least ? format.least : exponent - 1;
  return scalbnq(1, (exponent > format.most ? format.most : exponent) - format.digits);
}

/** The first power of 2 that is too large. Infinity stands for it when an error is measured. */
static Quad limitOf(const Format &format) { return scalbnq(1, format.most + 1); }

static double errorOf(Quad result, Quad exact, const Format &format) {
  if (isnanq(exact) || isnanq(result)) return isnanq(exact) && isnanq(result) ? 0 : HUGE_VAL;
  Quad limit = limitOf(format);
  if (fabsq(exact) >= limit) return isinfq(result) && (result > 0) == (exact > 0) ? 0 : HUGE_VAL;
  if (isinfq(result)) result = copysignq(limit, result);
  return (double)(fabsq(result - exact) / stepAt(exact, format));
}

/** To nearest, ties to even, and to infinity from halfway beyond the largest number. */
static Quad roundTo(Quad exact, const Format &format) {
  if (isnanq(exact) || isinfq(exact)) return exact;
  Quad step = stepAt(exact, format);
  Quad result = copysignq(rintq(exact / step) * step, exact);
  return fabsq(result) >= limitOf(format) ? copysignq(HUGE_VALQ, exact) : result;
}

/** The errors of a vector of float32 results. Exact to a hundred-millionth of a unit. */
static inline Vector errorsOf(Vector result, Vector exact) {
  const Vector limit = Vector{} + 0x1p128;
  Bits exponent = ((Bits)exact >> 52) & 0x7ff;
  exponent = exponent < 1023 - 126 ? Bits{} + (1023 - 126) : exponent > 1023 + 127 ? Bits{} + (1023 + 127) : exponent;
  Vector stepsPerOne = (Vector)((1023 + 23 + 1023 - exponent) << 52);
  Vector size = abs(exact);
  Vector most = abs(result) < limit ? result : result > 0 ? limit : -limit;
  Vector error = abs(most - exact) * stepsPerOne;
  error = size >= limit ? ((abs(result) >= limit) & ((result > 0) == (exact > 0)) ? Vector{} : limit) : error;
  Bits lost = result != result, undefined = exact != exact;
  return lost | undefined ? ((lost & undefined) != 0 ? Vector{} : limit) : error;
}
