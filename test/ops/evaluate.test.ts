import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import type { Dtype } from "../../src/ops/dtype.ts";
import { type ElementArrays, type ElementChannels, evaluate } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { float16ToNumber, numberToFloat16 } from "../../src/ops/float16.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import {
  arbitraryElements,
  arbitraryProgram,
  firstDifference,
  specialNumbers,
} from "../support/expressions.ts";

const { x } = e;
const arrays = { float16: Uint16Array, float32: Float32Array, float64: Float64Array };

/** The definition, word by word: one element at a time, node by node, recursive. */
function reference(
  program: Program,
  element: number,
  channel: number,
  rounded: (value: number) => number,
): number {
  const known = new Map<e.Num, number>();
  const num = (node: e.Num): number => {
    const value = known.get(node) ?? rounded(compute(node));
    known.set(node, value);
    return value;
  };
  const compute = (node: e.Num): number => {
    switch (node.kind) {
      case "const":
        return node.value;
      case "input":
        return node.index === 0 ? element : program.channels[node.index - 1]!.values[channel]!;
      case "unary":
        return unary(node.fn, num(node.x));
      case "binary":
        return binary(node.fn, num(node.a), num(node.b));
      case "where":
        return compare(node.test.fn, num(node.test.a), num(node.test.b)) ? num(node.a) : num(node.b);
      case "fma":
        throw new Error("programs have none before functions are expanded");
      case "param":
        throw new Error("a program has no parameters");
      case "reduce":
      case "rowLength":
        throw new Error("not element by element");
    }
  };
  return num(program.output);
}

function unary(fn: e.UnaryFn, value: number): number {
  if (fn === "neg") return -value;
  if (fn === "abs") return value < 0 || Object.is(value, -0) ? -value : value;
  if (fn === "sqrt") return Math.sqrt(value);
  if (!(Math.abs(value) < 2 ** 52)) return value;
  // Adding 2^52 leaves no room for a fraction, so the addition itself rounds to even.
  const even = Math.abs(value) + 2 ** 52 - 2 ** 52;
  const whole = Math.sign(value) * even;
  const moved =
    fn === "floor" && whole > value ? whole - 1 : fn === "ceil" && whole < value ? whole + 1 : whole;
  return moved === 0 && (value < 0 || Object.is(value, -0)) ? -0 : moved;
}

function binary(fn: e.Binary["fn"], a: number, b: number): number {
  if (fn === "add") return a + b;
  if (fn === "sub") return a - b;
  if (fn === "mul") return a * b;
  if (fn === "div") return a / b;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  const below = a < b || (a === b && Object.is(a, -0));
  return below === (fn === "min") ? a : b;
}

function compare(fn: e.Comparison, a: number, b: number): boolean {
  return { lt: a < b, le: a <= b, gt: a > b, ge: a >= b, eq: a === b, ne: a !== b }[fn];
}

describe.each<Dtype>(["float16", "float32", "float64"])("in %s", (dtype) => {
  it("any program gives what its nodes say, one element at a time", () => {
    const positions = fc.record({ stride: fc.integer({ min: 1, max: 4 }), first: fc.nat({ max: 1000 }) });
    fc.assert(
      fc.property(
        arbitraryProgram(),
        arbitraryElements(dtype),
        positions,
        (program, elements, { stride, first }) => {
          const count = program.channels[0]?.values.length ?? 1;
          const expected = elements.map((element: number, i: number) => {
            const channel = Math.floor((first + i) / stride) % count;
            if (dtype === "float64") return reference(program, element, channel, (value) => value);
            if (dtype === "float32") return reference(program, element, channel, Math.fround);
            return numberToFloat16(reference(program, float16ToNumber(element), channel, Math.fround));
          }) as ElementArrays[typeof dtype];
          evaluate(program, dtype, elements, { count, stride, first });
          expect(firstDifference(dtype, elements, expected)).toBe(-1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("blocks and their tails make no difference", () => {
    const program = fuse(parseChain("leaky_relu(0.1) | prelu([1, 2, 3]) | square"));
    const channels = { count: 3, stride: 2, first: 0 };
    const long = new arrays[dtype](Array.from({ length: 2500 }, (_, i) => i * 17 - 20_000));
    const pieces = long.slice();
    evaluate(program, dtype, long, channels);
    for (let first = 0; first < pieces.length; first += 7) {
      evaluate(program, dtype, pieces.subarray(first, first + 7), { ...channels, first });
    }
    expect(firstDifference(dtype, long, pieces)).toBe(-1);
  });

  it("no elements are no problem", () => {
    const none = new arrays[dtype](0);
    evaluate(toProgram(e.sqrt(x)), dtype, none);
    expect(none).toEqual(new arrays[dtype](0));
  });
});

describe("each step rounds once", () => {
  it("to float32 for float32", () => {
    const elements = Float32Array.of(2 ** 24);
    evaluate(toProgram(e.sub(e.add(x, 1), 1)), "float32", elements);
    expect(elements[0]).toBe(2 ** 24 - 1);
  });
  it("to float32, not float16, for float16, and to float16 at the end", () => {
    const elements = Uint16Array.of(numberToFloat16(2048));
    evaluate(toProgram(e.sub(e.add(x, 1), 1)), "float16", elements);
    expect(float16ToNumber(elements[0]!)).toBe(2048);
  });
  it("constants and channel values too", () => {
    const elements = Float32Array.of(1, 1);
    evaluate(toProgram(e.mul(x, 0.1)), "float32", elements);
    evaluate(toProgram(e.div(x, e.input(1)), [{ name: "p", values: [0.1, 0.1] }]), "float32", elements, {
      count: 2,
      stride: 1,
      first: 0,
    });
    expect([...elements]).toEqual([1, 1]);
  });
});

describe("bits of a NaN", () => {
  const pass = toProgram(e.where(e.ge(x, 0), 0, x));
  const payloads = [0x7fc00001, 0xffd54321, 0x7f800001, 0xffbfffff];

  it("pass through where unchanged in float32, those of a signalling one too", () => {
    const bits = Uint32Array.from(payloads);
    evaluate(pass, "float32", new Float32Array(bits.buffer));
    expect([...bits]).toEqual(payloads);
  });
  it("pass through where unchanged in float64", () => {
    const payloads = [0x7ff8000000001234n, 0xfff0000000000001n];
    const bits = BigUint64Array.from(payloads);
    evaluate(pass, "float64", new Float64Array(bits.buffer));
    expect([...bits]).toEqual(payloads);
  });
  it("pass through where in float16, made quiet", () => {
    const bits = Uint16Array.of(0x7e01, 0xfe55, 0x7c01, 0xfd00);
    evaluate(pass, "float16", bits);
    expect([...bits]).toEqual([0x7e01, 0xfe55, 0x7e01, 0xff00]);
  });
  it("keep the payload in neg and abs, which change the sign", () => {
    const bits = Uint32Array.from(payloads);
    evaluate(toProgram(e.neg(x)), "float32", new Float32Array(bits.buffer));
    expect([...bits]).toEqual([0xffc00001, 0x7fd54321, 0xff800001, 0x7fbfffff]);
    evaluate(toProgram(e.abs(x)), "float32", new Float32Array(bits.buffer));
    expect([...bits]).toEqual([0x7fc00001, 0x7fd54321, 0x7f800001, 0x7fbfffff]);
    const wide = BigUint64Array.of(0x7ff8000000001234n);
    evaluate(toProgram(e.neg(x)), "float64", new Float64Array(wide.buffer));
    expect(wide[0]).toBe(0xfff8000000001234n);
  });
});

it("min and max give NaN for NaN, and order -0 below 0", () => {
  const of = (expression: e.Num, value: number) => {
    const elements = Float64Array.of(value);
    evaluate(toProgram(expression), "float64", elements);
    return elements[0];
  };
  for (const fn of [e.min, e.max]) {
    expect(of(fn(x, 1), Number.NaN)).toBeNaN();
    expect(of(fn(1, x), Number.NaN)).toBeNaN();
  }
  expect(of(e.min(x, 0), -0)).toBe(-0);
  expect(of(e.min(-0, x), 0)).toBe(-0);
  expect(of(e.max(x, 0), -0)).toBe(0);
  expect(of(e.max(-0, x), 0)).toBe(0);
});

it("works in place on shared memory", () => {
  const elements = new Float32Array(new SharedArrayBuffer(8));
  elements.set([-1, 2]);
  evaluate(fuse(parseChain("leaky_relu(0.5)")), "float32", elements);
  expect([...elements]).toEqual([-0.5, 2]);
});

it("writes nothing but the elements it was given", () => {
  const all = Float32Array.from(specialNumbers);
  const before = all.slice();
  evaluate(toProgram(e.constant(7)), "float32", all.subarray(3, 5));
  expect([...all.subarray(3, 5)]).toEqual([7, 7]);
  before.set([7, 7], 3);
  expect(all).toEqual(before);
});

describe("channels", () => {
  const program = fuse(parseChain("prelu([0.5, 2])"));
  const run = (channels: ElementChannels | undefined, length = 6) => {
    const elements = new Float32Array(length).fill(-1);
    evaluate(program, "float32", elements, channels);
    return [...elements];
  };

  it("go with the position of the element", () => {
    expect(run({ count: 2, stride: 1, first: 0 })).toEqual([-0.5, -2, -0.5, -2, -0.5, -2]);
    expect(run({ count: 2, stride: 2, first: 0 })).toEqual([-0.5, -0.5, -2, -2, -0.5, -0.5]);
    expect(run({ count: 2, stride: 2, first: 3 })).toEqual([-2, -0.5, -0.5, -2, -2, -0.5]);
    expect(run({ count: 2, stride: 1, first: 2 ** 45 + 1 }, 2)).toEqual([-2, -0.5]);
  });

  it("must be as many as the values", () => {
    expect(() => run({ count: 3, stride: 1, first: 0 })).toThrow(
      "prelu.alpha has 2 values, but the tensor has 3 channels",
    );
    expect(() => run(undefined)).toThrow("the tensor has no channels");
    for (const channels of [
      { stride: 0, first: 0 },
      { stride: 1.5, first: 0 },
      { stride: 1, first: -1 },
      { stride: 1, first: Number.NaN },
    ]) {
      expect(() => run({ count: 2, ...channels })).toThrow(UsageError);
    }
  });
});

it("refuses elements in the wrong array", () => {
  expect(() => evaluate(toProgram(x), "float16", new Float32Array(1) as never)).toThrow(
    "elements of float16 must be in a Uint16Array of bit patterns",
  );
});
