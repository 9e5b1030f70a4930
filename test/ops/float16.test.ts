import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  float16ToFloat32Bits,
  float16ToNumber,
  float32BitsToFloat16,
  numberToFloat16,
} from "../../src/ops/float16.ts";

const patterns = Array.from({ length: 65_536 }, (_, bits) => bits);
const isNaNPattern = (bits: number) => (bits & 0x7fff) > 0x7c00;

/** What IEEE 754 says a pattern means, computed in float64. */
function meaning(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

/** The nearest float16, ties to even, computed in float64, as a number. */
function nearest(value: number): number {
  if (Math.abs(value) === 0 || !Number.isFinite(value)) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const unit = 2 ** (exponent - 10);
  // Adding 2^52 leaves no room for a fraction, so the addition itself rounds to even.
  const rounded = (Math.abs(value) / unit + 2 ** 52 - 2 ** 52) * unit;
  return Math.sign(value) * (rounded > 65_504 ? Number.POSITIVE_INFINITY : rounded);
}

describe("float16", () => {
  it("every pattern has the value that IEEE 754 gives it", () => {
    const wrong = patterns.filter((bits) => !Object.is(float16ToNumber(bits), meaning(bits)));
    expect(wrong).toEqual([]);
  });

  it("every pattern comes back from float32, NaNs quiet and otherwise with their bits", () => {
    const wrong = patterns.filter((bits) => {
      const expected = isNaNPattern(bits) ? bits | 0x0200 : bits;
      return float32BitsToFloat16(float16ToFloat32Bits(bits)) !== expected;
    });
    expect(wrong).toEqual([]);
  });

  it("every midpoint between two neighbours goes to the even one, and its neighbours to the nearer", () => {
    const word = new Uint32Array(1);
    const asNumber = new Float32Array(word.buffer);
    const wrong = patterns.filter((bits) => {
      if ((bits & 0x7fff) > 0x7bff) return false;
      const above = (bits & 0x7fff) === 0x7bff ? 65_536 : Math.abs(meaning(bits + 1));
      asNumber[0] = ((bits & 0x8000 ? -1 : 1) * (Math.abs(meaning(bits)) + above)) / 2;
      const [below, exact, beyond] = [word[0]! - 1, word[0]!, word[0]! + 1].map(float32BitsToFloat16);
      return below !== bits || exact !== (bits & 1 ? bits + 1 : bits) || beyond !== bits + 1;
    });
    expect(wrong).toEqual([]);
  });

  it("any float32 becomes the nearest float16", () => {
    const word = fc.nat({ max: 0xffffffff });
    // Half of all float32s overflow or vanish in float16: draw exponents from where it is interesting, too.
    const close = fc.tuple(fc.integer({ min: 100, max: 145 }), fc.nat({ max: 0x7fffff }), fc.nat({ max: 1 }));
    const bits = fc.oneof(
      word,
      close.map(([exponent, fraction, sign]) => ((sign << 31) | (exponent << 23) | fraction) >>> 0),
    );
    fc.assert(
      fc.property(bits, (bits) => {
        const value = new Float32Array(Uint32Array.of(bits).buffer)[0]!;
        expect(meaning(float32BitsToFloat16(bits))).toBe(nearest(value));
        expect(meaning(numberToFloat16(value))).toBe(nearest(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it("keeps sign and payload of NaNs as VCVTPH2PS and VCVTPS2PH do, and makes them quiet", () => {
    expect(float16ToFloat32Bits(0x7c01)).toBe(0x7fc02000);
    expect(float16ToFloat32Bits(0xfe55)).toBe(0xffcaa000);
    expect(float32BitsToFloat16(0x7f800001)).toBe(0x7e00);
    expect(float32BitsToFloat16(0xffbfffff)).toBe(0xffff);
    expect(float32BitsToFloat16(0x7fc02000)).toBe(0x7e01);
    expect(numberToFloat16(Number.NaN) & 0x7fff).toBe(0x7e00);
  });

  it("overflows from 65520 on, and vanishes up to 2^-25", () => {
    expect(numberToFloat16(65_519.99)).toBe(0x7bff);
    expect(numberToFloat16(65_520)).toBe(0x7c00);
    expect(numberToFloat16(-1e300)).toBe(0xfc00);
    expect(numberToFloat16(2 ** -25)).toBe(0);
    expect(numberToFloat16(-(2 ** -25) * 1.001)).toBe(0x8001);
  });
});
