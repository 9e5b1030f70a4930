// float16 as numbers: one sign bit, five of the exponent (bias 15), ten digits.
#pragma once

#include <math.h>
#include <stdint.h>

static double float16Of(uint16_t bits) {
  int exponent = bits >> 10 & 31, digits = bits & 1023;
  double size = exponent == 31 ? (digits ? NAN : HUGE_VAL) : exponent == 0 ? ldexp(digits, -24) : ldexp(1024 + digits, exponent - 25);
  return bits & 0x8000 ? -size : size;
}
