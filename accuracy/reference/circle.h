// sin and cos of a vector of float32 numbers of any size: as in Payne and Hanek (1983), 2 / pi is multiplied exactly, and
// whole turns are dropped.
//
//   x = m * 2^e, m whole, |m| < 2^24         2^e * 2 / pi mod 4 = first + second + third
//                                            first: 2^-27 and above, second: 2^-56 and above, third: the rest
#pragma once

#include "numbers.h"

struct TurnTable {
  double first[256], second[256], third[256];

  /** Entry b is for numbers whose float32 has the biased exponent b, so e = b - 150. */
  TurnTable() {
    for (int b = 0; b < 256; b++) {
      Quad rest = 0;
      // 2 / pi digit by digit, below: only the digits that make less than 4 when multiplied by 2^e.
      for (int word = 0; word < WORDS; word++) {
        int exponent = -24 * (word + 1) + (b - 150);
        if (exponent + 24 <= 2) {
          rest += scalbnq((Quad)DIGITS[word], exponent);
        } else if (exponent < 2) {
          rest += scalbnq((Quad)(DIGITS[word] & ((1 << (2 - exponent)) - 1)), exponent);
        }
      }
      first[b] = take(rest, 27);
      second[b] = take(rest, 56);
      third[b] = (double)rest;
    }
  }

 private:
  static double take(Quad &rest, int digits) {
    Quad part = scalbnq(truncq(scalbnq(rest, digits)), -digits);
    rest -= part;
    return (double)part;
  }

  /** The first 480 binary digits of 2 / pi, 24 a word, as in FDLIBM's e_rem_pio2.c. */
  static constexpr int WORDS = 20;
  static constexpr int DIGITS[WORDS] = {
      0xA2F983, 0x6E4E44, 0x1529FC, 0x2757D1, 0xF534DD, 0xC0DB62, 0x95993C, 0x439041, 0xFE5163, 0xABDEBB,
      0xC561B7, 0x246E3A, 0x424DD2, 0xE00649, 0x2EEA09, 0xD1921C, 0xFE1DEB, 0x1CB129, 0xA73EE8, 0x8235F5};
};

/** The sine of x plus `quarters` quarter turns. */
static Vector circle(Vector x, int64_t quarters) {
  static const TurnTable table;
  Bits exponent = (((Bits)x >> 52) & 0x7ff) - 1023 + 127;
  exponent = exponent < 0 ? Bits{} : exponent > 255 ? Bits{} + 255 : exponent;
  Vector scale = (Vector)((1023 + 150 - exponent) << 52);
  Vector m = x * scale;
  Vector first, second, third;
  for (int lane = 0; lane < LANES; lane++) {
    first[lane] = table.first[exponent[lane]];
    second[lane] = table.second[exponent[lane]];
    third[lane] = table.third[exponent[lane]];
  }
  Vector turn = m * first;
  turn -= 4 * floor(turn * 0.25);
  Vector nearest = round(turn + m * second);
  Vector angle = ((turn - nearest) + m * second + m * third) * (double)(PI / 2);
  // Below 1 no turn is whole, and x itself is the exact angle.
  Bits small = abs(x) < 1.0;
  angle = small ? x : angle;
  Bits quarter = ((small ? Bits{} : __builtin_convertvector(nearest, Bits)) + quarters) & 3;
  Vector value = (quarter & 1) != 0 ? LIBMVEC(cos)(angle) : LIBMVEC(sin)(angle);
  return (quarter & 2) != 0 ? negative(value) : value;
}

static inline Vector sin(Vector x) { return circle(x, 0); }
static inline Vector cos(Vector x) { return circle(x, 1); }
