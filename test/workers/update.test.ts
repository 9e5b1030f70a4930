import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import * as e from "../../src/ops/expr.ts";
import { compileUpdate, openUpdate, type Update } from "../../src/workers/update.ts";
import { expectSameBits } from "../support/bits.ts";

const PAGE = 65_536;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const bytes = new Uint8Array(memory.buffer);
/** Bytes from one array to the next, and to the scalars behind the last: no multiple of 4. */
const DISTANCE = 4_099;
const MOST = Math.floor(DISTANCE / 4);

const { fround } = Math;
/** Arithmetic as processors do it in float32. */
const f32 = {
  add: (a: number, b: number): number => fround(a + b),
  sub: (a: number, b: number): number => fround(a - b),
  mul: (a: number, b: number): number => fround(a * b),
  div: (a: number, b: number): number => fround(a / b),
};
const root = (a: number): number => fround(Math.sqrt(a));

/** What an update makes of arrays, which stay as they are. Throws where it writes anything else. */
function run(
  update: Update,
  arrays: readonly Float32Array[],
  scalars: readonly number[] = [],
): Float32Array[] {
  const count = arrays[0]!.length;
  bytes.fill(0xa5);
  const address = (index: number): number => 1 + index * DISTANCE;
  const put = (index: number, numbers: Float32Array): void =>
    bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), address(index));
  for (const [index, array] of arrays.entries()) put(index, array);
  put(arrays.length, Float32Array.from(scalars));
  const before = bytes.slice();
  openUpdate(memory, compileUpdate(update))(
    count,
    ...arrays.map((_, i) => address(i)),
    address(arrays.length),
  );
  const results = arrays.map((_, index) => {
    const [from, to] = [address(index), address(index) + 4 * count];
    if (update.outputs.some(({ target }) => target === index)) before.set(bytes.subarray(from, to), from);
    return new Float32Array(bytes.slice(from, to).buffer);
  });
  expectSameBits(bytes, before);
  return results;
}

/** The same in JavaScript, a rounding a step. */
function compute(node: e.Num | e.Mask, inputs: readonly number[]): number {
  const of = (operand: e.Num | e.Mask): number => compute(operand, inputs);
  switch (node.kind) {
    case "const":
      return fround(node.value);
    case "input":
      return inputs[node.index]!;
    case "unary":
      if (node.fn === "sqrt") return root(of(node.x));
      return node.fn === "abs" ? Math.abs(of(node.x)) : -of(node.x);
    case "binary": {
      const [a, b] = [of(node.a), of(node.b)];
      if (node.fn === "min") return Math.min(a, b);
      if (node.fn === "max") return Math.max(a, b);
      return f32[node.fn as keyof typeof f32](a, b);
    }
    case "compare": {
      const [a, b] = [of(node.a), of(node.b)];
      return Number(node.fn === "lt" ? a < b : a >= b);
    }
    case "where":
      return of(node.test) === 1 ? of(node.a) : of(node.b);
    default:
      throw new Error(`${node.kind} is none of an update's`);
  }
}

const INPUTS = 3;
const SCALARS = 2;
const { value: arithmetic } = fc.letrec<{ value: e.Num }>((tie) => {
  const value = tie("value");
  return {
    value: fc.oneof(
      { maxDepth: 5 },
      fc.nat(INPUTS + SCALARS - 1).map(e.input),
      fc.float({ noNaN: true }).map(e.constant),
      fc
        .tuple(fc.constantFrom(e.add, e.sub, e.mul, e.div, e.min, e.max), value, value)
        .map(([f, a, b]) => f(a, b)),
      fc.tuple(fc.constantFrom(e.sqrt, e.abs, e.neg), value).map(([f, a]) => f(a)),
      fc
        .tuple(fc.constantFrom(e.lt, e.ge), value, value, value, value)
        .map(([test, p, q, a, b]) => e.where(test(p, q), a, b)),
    ),
  };
});
const numbers = fc.oneof(fc.float(), fc.constantFrom(0, -0, 1, -1, Infinity, Number.NaN));

describe("an update", () => {
  it("computes any arithmetic of arrays and scalars in float32, and all of it before it writes", () => {
    const updates = fc.record({
      outputs: fc.uniqueArray(fc.record({ target: fc.nat(INPUTS - 1), value: arithmetic }), {
        minLength: 1,
        selector: ({ target }) => target,
      }),
      elements: fc.array(fc.tuple(numbers, numbers, numbers), { minLength: 1, maxLength: 21 }),
      scalars: fc.tuple(numbers, numbers),
    });
    fc.assert(
      fc.property(updates, ({ outputs, elements, scalars }) => {
        const arrays = [0, 1, 2].map((input) => Float32Array.from(elements, (element) => element[input]!));
        const got = run({ inputs: INPUTS, scalars: SCALARS, outputs }, arrays, scalars);
        for (const { target, value } of outputs) {
          const expected = elements.map((element) => compute(value, [...element, ...scalars]));
          // toEqual tells -0 from 0, and takes one NaN for another.
          expect([...got[target]!]).toEqual(expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("has every tail", () => {
    const update: Update = {
      inputs: 2,
      scalars: 1,
      outputs: [{ target: 1, value: e.add(e.input(1), e.mul(e.input(0), e.input(2))) }],
    };
    for (let count = 0; count <= 20; count++) {
      const [a, b] = [1, 100].map((first) => Float32Array.from({ length: count }, (_, i) => first + i));
      expect([...run(update, [a!, b!], [3])[1]!]).toEqual([...b!].map((each, i) => each + 3 * a![i]!));
    }
  });

  it("swaps two arrays", () => {
    const outputs = [
      { target: 0, value: e.input(1) },
      { target: 1, value: e.input(0) },
    ];
    const [a, b] = [Float32Array.from({ length: 11 }, (_, i) => i), new Float32Array(11).fill(-1)];
    expect(run({ inputs: 2, scalars: 0, outputs }, [a, b])).toEqual([b, a]);
  });

  it("makes a step of Adam as PyTorch's does it without fused kernels", () => {
    const [parameter, gradient, m, v, size, root2] = [0, 1, 2, 3, 4, 5].map(e.input) as e.Num[];
    // torch/optim/adam.py: lerp, then addcmul, then the denominator, then addcdiv.
    const first = e.add(m!, e.mul(e.sub(gradient!, m!), 1 - 0.9));
    const second = e.add(e.mul(v!, 0.999), e.mul(e.mul(gradient!, gradient!), 1 - 0.999));
    const update: Update = {
      inputs: 4,
      scalars: 2,
      outputs: [
        {
          target: 0,
          value: e.sub(parameter!, e.mul(size!, e.div(first, e.add(e.div(e.sqrt(second), root2!), 1e-8)))),
        },
        { target: 2, value: first },
        { target: 3, value: second },
      ],
    };
    const count = MOST;
    const random = (seed: number): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898 + seed) * 3);
    const arrays = [random(1), random(2), random(3), random(4).map(Math.abs)];
    const scalars = [fround(1e-3 / (1 - 0.9 ** 3)), fround(Math.sqrt(1 - 0.999 ** 3))];
    const { add, sub, mul, div } = f32;
    const [p, , newM, newV] = run(update, arrays, scalars);
    for (let i = 0; i < count; i++) {
      const [p0, g, m0, v0] = arrays.map((array) => array[i]!) as [number, number, number, number];
      const m1 = add(m0, mul(sub(g, m0), fround(1 - 0.9)));
      const v1 = add(mul(v0, fround(0.999)), mul(mul(g, g), fround(1 - 0.999)));
      const denominator = add(div(root(v1), scalars[1]!), fround(1e-8));
      const expected = sub(p0, mul(scalars[0]!, div(m1, denominator)));
      expect([p![i], newM![i], newV![i]]).toEqual([expected, m1, v1]);
    }
  });

  it("takes arrays that end with the memory's last byte", () => {
    const kernel = openUpdate(
      memory,
      compileUpdate({ inputs: 1, scalars: 0, outputs: [{ target: 0, value: e.add(e.input(0), 1) }] }),
    );
    const last = new Float32Array(memory.buffer, PAGE - 28);
    last.fill(1);
    kernel(7, PAGE - 28);
    expect([...last]).toEqual(new Array(7).fill(2));
    expect(() => kernel(8, PAGE - 28)).toThrow("out of bounds");
  });

  it.each<[string, e.Num]>([
    ["exp", e.exp(e.input(0))],
    ["pow", e.pow(e.input(0), 2)],
    ["detach", e.detach(e.input(0))],
    ["derived_as", e.derivedAs(e.input(0), 1)],
    ["sum", e.rowSum(e.input(0))],
    ["rowLength", e.rowLength],
    ["the parameter beta", e.param("beta")],
  ])("refuses %s, by its name", (name, value) => {
    const update = { inputs: 1, scalars: 0, outputs: [{ target: 0, value: e.add(value, 1) }] };
    expect(() => compileUpdate(update)).toThrow(new UsageError(`an update cannot compute ${name}`));
  });

  it("refuses inputs and targets that there are not", () => {
    const update = (target: number, read: number): Update => {
      return { inputs: 2, scalars: 1, outputs: [{ target, value: e.input(read) }] };
    };
    expect(() => compileUpdate(update(0, 3))).toThrow(UsageError);
    for (const target of [2, -1, 0.5]) expect(() => compileUpdate(update(target, 0))).toThrow(UsageError);
    expect(compileUpdate(update(1, 2)).length).toBeGreaterThan(0);
  });
});
