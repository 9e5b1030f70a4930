import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExactSums } from "../../src/ops/exact-sum.ts";

/** value * 2^1074, which is whole. */
function scaled(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const [word, exponent] = [bits.getBigUint64(0), Number((bits.getBigUint64(0) >> 52n) & 0x7ffn)];
  const fraction = word & ((1n << 52n) - 1n);
  const magnitude = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return value < 0 ? -magnitude : magnitude;
}

/** The float64 with the next bit pattern: away from 0. */
function neighbour(value: number, by: 1 | -1): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(by));
  return bits.getFloat64(0);
}

const distance = (a: bigint, b: bigint): bigint => (a < b ? b - a : a - b);

/** Whether no float64 is nearer, and of two that are as near, it is the even one. */
function isRounded(value: number, exact: bigint): boolean {
  const magnitude = exact < 0n ? -exact : exact;
  if (!Number.isFinite(value)) return magnitude >= scaled(Number.MAX_VALUE) + (1n << BigInt(970 + 1074));
  const own = distance(scaled(value), exact);
  const others =
    value === 0 ? [Number.MIN_VALUE, -Number.MIN_VALUE] : [neighbour(value, 1), neighbour(value, -1)];
  return others.filter(Number.isFinite).every((other) => {
    const its = distance(scaled(other), exact);
    return own < its || (own === its && isEven(value));
  });
}

function isEven(value: number): boolean {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return (bits.getUint8(7) & 1) === 0;
}

function sumOf(values: readonly number[]): number {
  const sums = new ExactSums(1);
  for (const value of values) sums.add(0, value);
  return sums.values()[0]!;
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** Numbers that cancel each other but for their last bits. */
const cancelling = fc
  .array(fc.tuple(finite, fc.constantFrom(1, 1 + 2 ** -52, 2, 0.5)), { maxLength: 40 })
  .map((pairs) => pairs.flatMap(([a, factor]) => [a, -a * factor]).filter(Number.isFinite));

describe("an exact sum", () => {
  it("is rounded once, whatever is added", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(finite, { maxLength: 60 }), cancelling), (values) => {
        const exact = values.reduce((total, value) => total + scaled(value), 0n);
        expect(isRounded(sumOf(values), exact)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("does not depend on the order, nor on who adds what", () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 60 }), fc.nat(60), fc.nat(1000), (values, cut, seed) => {
        const shuffled = values
          .map((value, i) => ({ value, key: ((i + 1) * (seed + 7919)) % 1009 }))
          .sort((a, b) => a.key - b.key)
          .map(({ value }) => value);
        const [a, b] = [new ExactSums(1), new ExactSums(1)];
        for (const value of shuffled.slice(0, cut)) a.add(0, value);
        for (const value of shuffled.slice(cut)) b.add(0, value);
        a.merge(b);
        expect(a.values()[0]).toBe(sumOf(values));
      }),
    );
  });

  it.each([
    [[], 0],
    [[-0, -0], 0],
    [[1e308, 1e308, -1e308, -1e308, 5e-324], 5e-324],
    [[Number.MAX_VALUE, Number.MAX_VALUE], Number.POSITIVE_INFINITY],
    [[-Number.MAX_VALUE, -Number.MAX_VALUE], Number.NEGATIVE_INFINITY],
    [[Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE], Number.MAX_VALUE],
    [[1, 2 ** -53], 1],
    [[1, 2 ** -53, Number.MIN_VALUE], 1 + 2 ** -52],
    [[-1, -(2 ** -53), -Number.MIN_VALUE], -1 - 2 ** -52],
    [[1, Number.POSITIVE_INFINITY, -1e308], Number.POSITIVE_INFINITY],
    [[Number.NEGATIVE_INFINITY, 1], Number.NEGATIVE_INFINITY],
    [[Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY], Number.NaN],
    [[Number.NaN, 1, Number.POSITIVE_INFINITY], Number.NaN],
  ])("of %j is %d", (values, expected) => {
    expect(sumOf(values)).toBe(expected);
  });

  it("holds more additions than a limb does", () => {
    const times = 3 * 2 ** 20;
    // All 53 bits are ones, so every limb that is met grows as fast as one can.
    const value = 2 - 2 ** -52;
    const sums = new ExactSums(1);
    for (let i = 0; i < times; i++) sums.add(0, value);
    expect(sums.values()[0]).toBe(times * value);
    for (let i = 0; i < times; i++) sums.add(0, -value);
    expect(sums.values()[0]).toBe(0);
  });

  it("grows beyond 10^10 numbers of any size", () => {
    const sums = new ExactSums(1);
    sums.add(0, Number.MAX_VALUE);
    // Doubled 34 times, it stands for 2^34 numbers.
    for (let i = 0; i < 34; i++) sums.merge(copyOf(sums));
    const negative = new ExactSums(1);
    negative.add(0, -Number.MAX_VALUE);
    for (let i = 0; i < 34; i++) negative.merge(copyOf(negative));
    expect(sums.values()[0]).toBe(Number.POSITIVE_INFINITY);
    sums.merge(negative);
    expect(sums.values()[0]).toBe(0);
  });
});

function copyOf(sums: ExactSums): ExactSums {
  const copy = new ExactSums(sums.count);
  copy.merge(sums);
  return copy;
}

it("many exact sums in one memory do not disturb each other", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.oneof(finite, fc.double()), { minLength: 5, maxLength: 5 }), { maxLength: 20 }),
      (rows) => {
        const [together, half] = [new ExactSums(5), new ExactSums(3)];
        for (const row of rows) {
          together.addEach(0, Float64Array.from(row), 0, 5);
          half.addEach(1, Float64Array.from(row), 2, 2);
        }
        const alone = Array.from({ length: 5 }, (_, i) => sumOf(rows.map((row) => row[i]!)));
        expect([...together.values()]).toEqual(alone);
        expect([...half.values()]).toEqual([0, alone[2], alone[3]]);
      },
    ),
  );
});
