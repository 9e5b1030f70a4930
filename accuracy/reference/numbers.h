// Two kinds of number that every formula is written for, and the functions of both.
//
// `Vector` is a register of doubles, with glibc's vector mathematics (libmvec): fast, off by at most 4 units in the last
// place of a double, which is a hundred-millionth of one in float32. `Quad` has 113 digits (libquadmath); it decides where
// a double is not enough.
#pragma once

#include <immintrin.h>
#include <math.h>
#include <quadmath.h>
#include <stdint.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define LANES 8
#define LIBMVEC(name) _ZGVeN8v_##name
#elif defined(__AVX2__)
#define LANES 4
#define LIBMVEC(name) _ZGVdN4v_##name
#else
#error "The reference needs a processor with AVX2."
#endif

typedef double Vector __attribute__((vector_size(8 * LANES)));
typedef int64_t Bits __attribute__((vector_size(8 * LANES)));
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef __float128 Quad;

#define FUNCTIONS(EACH) EACH(exp) EACH(expm1) EACH(log) EACH(log1p) EACH(tanh) EACH(sinh) EACH(cosh) EACH(erf) EACH(erfc)
#define DECLARE(name)                   \
  extern "C" Vector LIBMVEC(name)(Vector); \
  static inline Quad name(Quad x) { return name##q(x); }
FUNCTIONS(DECLARE)

static inline Vector within(Vector x, double lo, double hi) {
  x = x < lo ? Vector{} + lo : x;
  return x > hi ? Vector{} + hi : x;
}

// Outside its usual range libmvec takes the elements one by one. Beyond these bounds, results are 0, 1 or infinity to
// float32, and even x times them is.
static inline Vector exp(Vector x) { return LIBMVEC(exp)(within(x, -700, 700)); }
static inline Vector expm1(Vector x) { return LIBMVEC(expm1)(within(x, -700, 700)); }
static inline Vector tanh(Vector x) { return LIBMVEC(tanh)(within(x, -40, 40)); }
static inline Vector erf(Vector x) { return LIBMVEC(erf)(within(x, -6, 6)); }
static inline Vector erfc(Vector x) { return LIBMVEC(erfc)(within(x, -6, 26)); }
static inline Vector sinh(Vector x) { return LIBMVEC(sinh)(x); }
static inline Vector cosh(Vector x) { return LIBMVEC(cosh)(x); }
static inline Vector log(Vector x) { return x < 0 ? Vector{} + NAN : LIBMVEC(log)(x < 0 ? -x : x); }
static inline Vector log1p(Vector x) { return x < -1 ? Vector{} + NAN : LIBMVEC(log1p)(x < -1 ? -x : x); }
extern "C" Vector LIBMVEC(sin)(Vector);
extern "C" Vector LIBMVEC(cos)(Vector);

static inline Quad sin(Quad x) { return sinq(x); }
static inline Quad cos(Quad x) { return cosq(x); }
static inline Quad sqrt(Quad x) { return sqrtq(x); }
static inline Quad floor(Quad x) { return floorq(x); }
static inline Quad ceil(Quad x) { return ceilq(x); }
static inline Quad round(Quad x) { return rintq(x); }
static inline Quad where(bool test, Quad a, Quad b) { return test ? a : b; }

#if LANES == 8
static inline Vector sqrt(Vector x) { return (Vector)_mm512_sqrt_pd((__m512d)x); }
static inline Vector floor(Vector x) { return (Vector)_mm512_roundscale_pd((__m512d)x, 0x9); }
static inline Vector ceil(Vector x) { return (Vector)_mm512_roundscale_pd((__m512d)x, 0xa); }
static inline Vector round(Vector x) { return (Vector)_mm512_roundscale_pd((__m512d)x, 0x8); }
#else
static inline Vector sqrt(Vector x) { return (Vector)_mm256_sqrt_pd((__m256d)x); }
static inline Vector floor(Vector x) { return (Vector)_mm256_round_pd((__m256d)x, 0x9); }
static inline Vector ceil(Vector x) { return (Vector)_mm256_round_pd((__m256d)x, 0xa); }
static inline Vector round(Vector x) { return (Vector)_mm256_round_pd((__m256d)x, 0x8); }
#endif
#if LANES == 8
static inline bool any(Bits test) { return _mm512_movepi64_mask((__m512i)test) != 0; }
#else
static inline bool any(Bits test) { return _mm256_movemask_pd((__m256d)test) != 0; }
#endif
static inline Vector abs(Vector x) { return (Vector)((Bits)x & INT64_MAX); }
static inline Vector where(Bits test, Vector a, Vector b) { return test ? a : b; }

/** A number of the kind T, from a constant that is exact in Quad. */
template <class T> T number(Quad value);
template <> inline Vector number<Vector>(Quad value) { return Vector{} + (double)value; }
template <> inline Quad number<Quad>(Quad value) { return value; }
template <class T> T number(double value);
template <> inline Vector number<Vector>(double value) { return Vector{} + value; }
template <> inline Quad number<Quad>(double value) { return value; }
template <class T> T number(int value) { return number<T>((double)value); }

/** -x with its sign, also for 0. */
static inline Vector negative(Vector x) { return (Vector)((Bits)x ^ INT64_MIN); }
static inline Quad negative(Quad x) { return -x; }

#define PI M_PIq
#define SQRT_2 M_SQRT2q
/** 2 / (2 / sqrt(pi)): a constant, where a call of sqrtq would be made for each vector. */
#define SQRT_PI (2 / M_2_SQRTPIq)
