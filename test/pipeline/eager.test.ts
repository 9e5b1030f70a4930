import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/errors.ts";
import {
  add,
  defineOp,
  gt,
  hardTanh,
  LeakyReLU,
  leakyRelu,
  mul,
  prelu,
  relu,
  tf,
  where,
} from "../../src/index.ts";
import { expectSameBits } from "../support/bits.ts";

const special = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-45, -1e-45, 3.4028234663852886e38, -1.17e-38];
/** Lengths on both sides of every border: the oracle's, one piece's, several pieces'. */
const lengths = [0, 1, 3, 511, 512, 513, 65_535, 65_536, 65_537, 200_003];

function values(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => (i < special.length ? special[i]! : Math.sin(i) * 3));
}

describe("leakyRelu on typed arrays", () => {
  it.each(lengths)("gives x above zero and alpha x elsewhere, for %i elements", (length) => {
    const x = values(length);
    const y = leakyRelu(x, { alpha: 0.2 });
    const alpha = Math.fround(0.2);
    expectSameBits(
      y,
      x.map((each) => (each > 0 ? each : Math.fround(alpha * each))),
    );
    expectSameBits(x, values(length));
  });

  it("takes alpha 0.01 unless told otherwise, and float64 as float64", () => {
    expect(leakyRelu(Float64Array.of(-1, 3))).toEqual(Float64Array.of(-0.01, 3));
  });

  it("keeps NaN, -0 and the infinities", () => {
    expect(leakyRelu(Float32Array.of(NaN, -0, Infinity, -Infinity))).toEqual(
      Float32Array.of(NaN, -0, Infinity, -Infinity),
    );
  });

  it("takes float16 as bit patterns", () => {
    // -1, 2, NaN
    expect(leakyRelu(Uint16Array.of(0xbc00, 0x4000, 0x7e00), { alpha: 0.5 })).toEqual(
      Uint16Array.of(0xb800, 0x4000, 0x7e00),
    );
  });

  it("writes to `out`, which may be the input", () => {
    const x = Float32Array.of(-1, 2);
    const out = new Float32Array(2);
    expect(leakyRelu(x, { alpha: 0.5, out })).toBe(out);
    expect(out).toEqual(Float32Array.of(-0.5, 2));
    expect(leakyRelu(x, { alpha: 0.5, out: x })).toBe(x);
    expect(x).toEqual(Float32Array.of(-0.5, 2));
  });

  it("is right where input and output overlap in memory, whichever comes first", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 100_000 }), (from, to) => {
        const memory = new Float32Array(180_000).map((_, i) => Math.cos(i));
        const x = memory.subarray(from, from + 80_000);
        const expected = leakyRelu(x.slice());
        expectSameBits(leakyRelu(x, { out: memory.subarray(to, to + 80_000) }), expected);
      }),
      { numRuns: 20 },
    );
  });

  it("works on shared memory", () => {
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([-1, 2]);
    expect(leakyRelu(shared, { alpha: 0.5, out: shared })).toEqual(shared);
    expect([...shared]).toEqual([-0.5, 2]);
  });

  it("refuses what is no array of floats, and an `out` that does not fit", () => {
    expect(() => leakyRelu(new Int32Array(2) as unknown as Float32Array)).toThrow(
      /Int32Array.*no array of floats/,
    );
    expect(() => leakyRelu(new Float32Array(2), { out: new Float32Array(3) })).toThrow(UsageError);
    expect(() =>
      leakyRelu(new Float32Array(2), { out: new Float64Array(2) as unknown as Float32Array }),
    ).toThrow(UsageError);
  });

  it("points out a parameter it does not have", () => {
    const call = (): unknown => leakyRelu(new Float32Array(2), { alhpa: 1 } as object);
    expect(call).toThrow(/no parameter "alhpa"/);
  });
});

describe("per-channel slopes", () => {
  it.each([1, 2, 3, 7, 1000])("go round the last axis of length %i", (count) => {
    const alpha = Array.from({ length: count }, (_, channel) => channel / 4);
    const x = new Float32Array(count * 300).map((_, i) => -1 - (i % 5));
    const y = prelu(x, { alpha });
    expectSameBits(
      y,
      x.map((each, i) => Math.fround(each * Math.fround(alpha[i % count]!))),
    );
  });

  it("must divide the array", () => {
    expect(() => prelu(new Float32Array(7), { alpha: [1, 2] })).toThrow(/does not divide/);
  });
});

describe("under the frameworks' names", () => {
  it("TensorFlow's leaky_relu has alpha 0.2", () => {
    expect(tf.leakyRelu(Float32Array.of(-1, 2))).toEqual(Float32Array.of(-0.2, 2));
    expect(tf.leakyRelu(Float32Array.of(-1, 2), { alpha: 0.5 })).toEqual(Float32Array.of(-0.5, 2));
  });

  it("PyTorch's LeakyReLU has slope 0.01 and makes a new array", () => {
    const x = Float32Array.of(-1, 2);
    expect(new LeakyReLU().forward(x)).toEqual(Float32Array.of(-0.01, 2));
    expect(x).toEqual(Float32Array.of(-1, 2));
  });

  it("PyTorch's LeakyReLU overwrites its input when inplace", () => {
    const x = Float32Array.of(-1, 2);
    expect(new LeakyReLU({ negativeSlope: 0.5, inplace: true }).forward(x)).toBe(x);
    expect(x).toEqual(Float32Array.of(-0.5, 2));
  });
});

describe("an op of one's own", () => {
  it("is a function, built from expressions and from other ops", () => {
    const shifted = defineOp("eager_shifted", { by: 1 }, (x, { by }) =>
      leakyRelu(add(x, by), { alpha: 0.5 }),
    );
    expect(shifted(Float32Array.of(-3, 1))).toEqual(Float32Array.of(-1, 2));
    expect(shifted(Float32Array.of(-3, 1), { by: 5 })).toEqual(Float32Array.of(2, 6));
  });

  it("takes expressions for the parameters of the ops it is built from", () => {
    const op = defineOp("eager_slope", { s: 2 }, (x, { s }) => leakyRelu(x, { alpha: mul(s, 0.25) }));
    expect(op(Float32Array.of(-2, 1))).toEqual(Float32Array.of(-1, 1));
  });

  it("equals the same chain of ops, for any x", () => {
    const both = defineOp("eager_both", {}, (x) => relu(hardTanh(where(gt(x, 1), x, mul(3, x)))));
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 50 }), (x) => {
        const step = x.map((each) => (each > 1 ? each : Math.fround(3 * each)));
        expect(both(x)).toEqual(relu(hardTanh(step)));
      }),
    );
  });

  it("cannot have a parameter called out, which is where results go", () => {
    expect(() => defineOp("eager_out", { out: 1 }, (x) => x)).toThrow(UsageError);
  });
});
