/** @file Random programs and random elements, for property tests of whatever evaluates or compiles expressions. */
import fc from "fast-check";
import type { Dtype } from "../../src/ops/dtype.ts";
import type { ElementArrays } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { numberToFloat16 } from "../../src/ops/float16.ts";
import { toProgram } from "../../src/ops/fuse.ts";
import type { Program } from "../../src/ops/program.ts";

const unary = [e.neg, e.abs, e.sqrt, e.floor, e.ceil, e.round];
const binary = [e.add, e.sub, e.mul, e.div, e.min, e.max];
const compare = [e.lt, e.le, e.gt, e.ge, e.eq, e.ne];

/** Numbers at which floating point goes wrong, of all dtypes. */
export const specialNumbers: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 6, 1e10],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  // Largest, smallest normal and smallest subnormal of float16, float32 and float64, and the first that overflows.
  ...[65504, 65520, 2 ** -14, 2 ** -24, -(2 ** -25)],
  ...[3.4028234663852886e38, 3.5e38, 2 ** -126, 2 ** -149, -(2 ** -150)],
  ...[Number.MAX_VALUE, 2 ** -1022, Number.MIN_VALUE, -Number.MIN_VALUE],
  // Where whole numbers become the only numbers.
  ...[2 ** 23 - 0.5, 2 ** 23 + 1, -(2 ** 24) - 2, 2 ** 52 - 0.5, 2 ** 53],
];

const arbitraryNumber = fc.oneof(
  fc.constantFrom(...specialNumbers),
  fc.double({ min: -8, max: 8 }),
  fc.double(),
  fc.integer({ min: -20, max: 20 }).map((halves) => halves / 2),
);

/**
 * Programs with every kind of node, shared subtrees, special constants and (unless `channels` is false) up to two
 * parameters per channel. All of them have the same number of values: `program.channels[0]?.values.length`.
 */
export function arbitraryProgram({ maxSteps = 20, channels = true } = {}): fc.Arbitrary<Program> {
  const place = fc.nat({ max: maxSteps });
  const step = fc.record({
    form: fc.constantFrom("const", "unary", "binary", "binary", "where", "where"),
    fn: fc.nat({ max: 5 }),
    places: fc.tuple(place, place, place, place),
    value: arbitraryNumber,
  });
  const values = fc.integer({ min: 1, max: 5 }).chain((count) =>
    fc.array(fc.array(arbitraryNumber, { minLength: count, maxLength: count }), {
      maxLength: channels ? 2 : 0,
    }),
  );
  return fc
    .record({ steps: fc.array(step, { minLength: 1, maxLength: maxSteps }), values })
    .map(({ steps, values }) => {
      const nodes: e.Num[] = [e.x, ...values.map((_, i) => e.input(1 + i))];
      // Counted from the newest node, so that most of what is made is also used.
      const at = (place: number) => nodes[nodes.length - 1 - (place % nodes.length)]!;
      for (const { form, fn, places, value } of steps) {
        const [a, b, c, d] = places.map(at) as [e.Num, e.Num, e.Num, e.Num];
        if (form === "const") nodes.push(e.constant(value));
        else if (form === "unary") nodes.push(unary[fn]!(a));
        else if (form === "binary") nodes.push(binary[fn]!(a, b));
        else nodes.push(e.where(compare[fn]!(a, b), c, d));
      }
      return toProgram(
        nodes.at(-1)!,
        values.map((each, i) => ({ name: `test.p${i}`, values: each })),
      );
    });
}

/** Elements of any bit pattern, special and everyday numbers, in the array type of the dtype. */
export function arbitraryElements<D extends Dtype>(
  dtype: D,
  { maxLength = 100 } = {},
): fc.Arbitrary<ElementArrays[D]> {
  const arbitraryBits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  return fc.array(fc.oneof(arbitraryNumber, arbitraryBits), { maxLength }).map((elements) => {
    const array = { float16: Uint16Array, float32: Float32Array, float64: Float64Array }[dtype];
    const bytes = new DataView(new ArrayBuffer(array.BYTES_PER_ELEMENT * elements.length));
    elements.forEach((element, i) => {
      const number = typeof element === "number";
      if (dtype === "float16") {
        bytes.setUint16(2 * i, number ? numberToFloat16(element) : Number(element & 0xffffn), true);
      } else if (dtype === "float32") {
        if (number) bytes.setFloat32(4 * i, element, true);
        else bytes.setUint32(4 * i, Number(element & 0xffffffffn), true);
      } else {
        if (number) bytes.setFloat64(8 * i, element, true);
        else bytes.setBigUint64(8 * i, element, true);
      }
    });
    return new array(bytes.buffer) as ElementArrays[D];
  });
}

/** The index of the first element that is not the same bit for bit, where NaNs all count as the same; -1 for none. */
export function firstDifference<D extends Dtype>(dtype: D, a: ElementArrays[D], b: ElementArrays[D]): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  const isNaNAt = (array: ElementArrays[Dtype], i: number) =>
    dtype === "float16" ? (array[i]! & 0x7fff) > 0x7c00 : Number.isNaN(array[i]!);
  for (let i = 0; i < a.length; i++) {
    if (!Object.is(a[i], b[i]) && !(isNaNAt(a, i) && isNaNAt(b, i))) return i;
  }
  return -1;
}
