/**
 * @file IEEE 754 binary16, as bit patterns, to and from float32.
 *
 * Does what the F16C instructions VCVTPH2PS and VCVTPS2PH do (Intel SDM, volume 2), with rounding to nearest, ties to
 * even: subnormals are kept, what is too large becomes an infinity, and a NaN keeps its sign and the upper ten bits of
 * its payload but becomes quiet.
 *
 * ```text
 *   binary16                    s eeeee mmmmmmmmmm
 *   binary32   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm        exponent bias 15 and 127, so 112 apart
 * ```
 */

/** The bits of the float32 with the value of a float16. Exact. */
export function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) {
    const payload = mantissa === 0 ? 0 : 0x400000 | (mantissa << 13);
    return (sign | 0x7f800000 | payload) >>> 0;
  }
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
  if (mantissa === 0) return sign >>> 0;
  // Subnormal: shift the leading one to bit 10, where a float32 does not store it.
  const shift = Math.clz32(mantissa) - 21;
  return (sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13)) >>> 0;
}

/** The float16 nearest to a float32, given and returned as bits. */
export function float32BitsToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00 | ((size >>> 13) & 0x3ff);
  // From 2^16 on; 65520 and more, below it, reach infinity by the carry of rounding.
  if (size >= 0x47800000) return sign | 0x7c00;
  if (size >= 0x38800000) {
    const rebased = size - (112 << 23);
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Below 2^-14: a multiple of 2^-24. Half of that and less is 0.
  if (size <= 0x33000000) return sign;
  const shift = 126 - (size >>> 23);
  const mantissa = (size & 0x7fffff) | 0x800000;
  const whole = mantissa >>> shift;
  return sign | ((mantissa + (1 << (shift - 1)) - 1 + (whole & 1)) >>> shift);
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The value of a float16. Exact; NaN for every NaN. */
export function float16ToNumber(half: number): number {
  scratchBits[0] = float16ToFloat32Bits(half);
  return scratch[0]!;
}

/** The bits of the float16 nearest to `value`, which is rounded to float32 first. */
export function numberToFloat16(value: number): number {
  scratch[0] = value;
  return float32BitsToFloat16(scratchBits[0]!);
}

/**
 * The bits of the float16 nearest to `value`, rounded once. Rounding to float32 on the way must not hide on which side of
 * a tie the number lies, so an inexact float32 is made odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded
 * sums: proved algorithms using rounding to odd", 2008): float32 has two bits and more to spare.
 */
export function float64ToFloat16(value: number): number {
  scratch[0] = value;
  const near = scratch[0];
  let bits = scratchBits[0]!;
  if (near !== value) bits = (Math.abs(near) > Math.abs(value) ? bits - 1 : bits) | 1;
  return float32BitsToFloat16(bits >>> 0);
}
