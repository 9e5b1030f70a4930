/**
 * @file float16 to float32 and back, four lanes at a time, in vector code.
 *
 * ```text
 *   float16   s eeeee mmmmmmmmmm                     exponent bias 15
 *   float32   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm     exponent bias 127
 * ```
 *
 * Moving exponents as integers and letting one float addition treat subnormals is Fabian Giesen's idea ("half->float
 * variants", https://gist.github.com/rygorous/2144712, and "float->half variants",
 * https://gist.github.com/rygorous/2156668); rounding all numbers by one addition is that of Marat Dukhan's FP16 library
 * (https://github.com/Maratyszcza/FP16). No float16 subnormal becomes a float32 subnormal on its way, as computing with
 * those takes some processors over 100 cycles.
 */
import type { Value, VectorCode } from "./vector-code.ts";

/** The mantissa has 13 bits fewer. */
const SHIFT = 13;
/** What a float16 exponent lacks to be a float32 one, at its place in a float32. */
const REBIAS = (127 - 15) << 23;
const FLOAT32_INFINITY = 0x7f800000;
/** Least exponent of a normal float16, as a float32's bits: 2^-14. */
const LEAST_NORMAL = (127 - 14) << 23;
/** 2^16: what every larger number becomes, for it has the bits of float16's infinity. */
const OVERFLOW = (127 + 16) << 23;

/**
 * float16 to float32. Of each 32-bit lane of `half` it reads the lower 15 bits, the magnitude, and bit 31, the sign.
 * Exact; a NaN keeps its payload, and a signalling one stays so.
 */
export function widenHalf(code: VectorCode, half: Value): Value {
  const i32 = (number: number): Value => code.literal("i32", number);
  const magnitude = code.apply("v128.and", half, i32(0x7fff));
  const shifted = code.shift("i32x4.shl", magnitude, SHIFT);
  // Exponent 31 moves up twice, from 31 over 143 to 255: infinity and NaN.
  const special = code.apply("v128.and", code.apply("i32x4.gt_s", magnitude, i32(0x7bff)), i32(REBIAS));
  const normal = code.apply("i32x4.add", code.apply("i32x4.add", shifted, i32(REBIAS)), special);
  // Exponent 0 has become 2^-15 * (1 + t), where 2^-14 * t is meant: n + n - 2^-14. That is smaller than n below 2^-14
  // and nowhere else; pmin keeps n bit for bit where the comparison is with NaN.
  const twice = code.apply("f32x4.add", normal, normal);
  const fixed = code.apply(
    "f32x4.pmin",
    normal,
    code.apply("f32x4.sub", twice, code.literal("f32", 2 ** -14)),
  );
  return code.apply("v128.or", fixed, code.apply("v128.and", half, i32(-0x80000000)));
}

/**
 * float32 to float16, packed: lane k is 16-bit lane k (and k + 4) of the result. Rounds once, to nearest even; a NaN
 * becomes quiet and keeps its sign and the upper ten bits of its payload, as Intel's F16C instructions do.
 */
export function narrowHalf(code: VectorCode, value: Value): Value {
  const i32 = (number: number): Value => code.literal("i32", number);
  const magnitude = code.apply("v128.and", value, i32(0x7fffffff));
  const sign = code.shift("i32x4.shr_u", code.apply("v128.xor", value, magnitude), 16);

  // Adding 2^13 times the number's own power of two leaves no room for more than float16's 11 bits: the addition
  // rounds. Below 2^-14 that power stays, so subnormals round to multiples of 2^-24.
  const finite = code.apply("i32x4.min_s", magnitude, i32(OVERFLOW));
  const power = code.apply(
    "i32x4.max_s",
    code.apply("v128.and", finite, i32(FLOAT32_INFINITY)),
    i32(LEAST_NORMAL),
  );
  const large = code.apply("i32x4.add", power, i32(SHIFT << 23));
  const rounded = code.apply("f32x4.add", finite, large);
  // The 11 bits, hidden one included, which adds 1 to the exponent below.
  const mantissa = code.apply("i32x4.sub", rounded, large);
  const exponent = code.apply(
    "i32x4.sub",
    code.shift("i32x4.shr_u", large, SHIFT),
    i32((127 - 14 + SHIFT) << 10),
  );
  const number = code.apply("i32x4.add", exponent, mantissa);

  // So far a NaN has become infinity. Add its payload and the quiet bit.
  const special = code.apply("i32x4.gt_s", magnitude, i32(FLOAT32_INFINITY));
  const payload = code.apply("v128.or", code.shift("i32x4.shr_u", magnitude, SHIFT), i32(0x200));
  const nan = code.apply("v128.and", payload, code.shift("i32x4.shr_u", special, 22));
  const half = code.apply("v128.or", code.apply("v128.or", number, nan), sign);
  return code.apply("i16x8.narrow_i32x4_u", half, half);
}
