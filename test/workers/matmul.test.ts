import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { compileMatmul } from "../../src/workers/matmul/compile.ts";
import {
  type Matrix,
  PANEL_COLUMNS,
  PANEL_ROWS,
  type Packed,
  packedBytesA,
  packedBytesB,
  partOfA,
  partOfB,
} from "../../src/workers/matmul/layout.ts";
import { Matmul, type Start } from "../../src/workers/matmul/matmul.ts";
import { type MultiplyAdd, multiplyAdd } from "../../src/workers/multiply-add.ts";
import { expectSameBits } from "../support/bits.ts";

const PAGE = 65_536;
const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });
const floats = new Float32Array(memory.buffer);

/** Every path that this engine has. */
const PATHS: MultiplyAdd[] = multiplyAdd() === "relaxed" ? ["plain", "relaxed"] : ["plain"];

/** Hands out memory, from the beginning again for each product. */
class Places {
  #free = 64;

  /** Elements up to the end of what was taken, and some more. */
  get end(): number {
    return this.#free / 4 + 64;
  }

  /** Bytes at a multiple of 4 that is one of nothing else. */
  take(bytes: number): number {
    const address = this.#free;
    this.#free += Math.ceil(bytes / 64) * 64 + 68;
    if (this.end > floats.length) throw new Error("the test's memory is full");
    return address;
  }
}

/** Numbers from -1 to 1 that depend on their place alone. */
function noise(index: number): number {
  return (Math.imul(index + 1, 2_654_435_761) >>> 8) / 2 ** 23 - 1;
}

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposedA: boolean;
  readonly transposedB: boolean;
  readonly packedA: boolean;
  readonly start: "zero" | "add" | "columns" | "rows";
  /** Elements between the rows of the matrices. */
  readonly gap: number;
}

/** A product in memory: its operands, and what to call `multiply` with. */
function place(matmul: Matmul, { m, n, k, transposedA, transposedB, packedA, start, gap }: Case) {
  const places = new Places();
  const matrix = (rows: number, columns: number, transposed: boolean, seed: number): Matrix => {
    const [lines, stride] = transposed ? [columns, rows + gap] : [rows, columns + gap];
    const address = places.take(lines * stride * 4);
    for (let i = 0; i < lines * stride; i++) floats[address / 4 + i] = noise(seed + i);
    return { address, stride, transposed };
  };
  const a = matrix(m, k, transposedA, 1);
  const b = matrix(k, n, transposedB, 1_000_003);
  const c = matrix(m, n, false, 2_000_003);
  const bias = matrix(1, Math.max(m, n), false, 3_000_017);
  const packedB: Packed = { address: places.take(packedBytesB(k, n)), depth: k };
  // What lies there before must not matter.
  floats.fill(Number.NaN, packedB.address / 4, (packedB.address + packedBytesB(k, n)) / 4);
  matmul.packB(b, k, n, packedB);
  let operand: Matrix | Packed = a;
  if (packedA) {
    operand = { address: places.take(packedBytesA(m, k)), depth: k };
    matmul.packA(a, m, k, operand);
  }
  const begin: Start = start === "columns" || start === "rows" ? { bias: bias.address, along: start } : start;
  return { a, b, c, bias, operand, packedB, begin, end: places.end };
}

const at = ({ address, stride, transposed }: Matrix, i: number, j: number): number =>
  floats[address / 4 + (transposed ? j * stride + i : i * stride + j)]!;

/** What C should be in float64, beside the most that float32 may be off: each addition and product rounds once. */
function reference(
  { m, n, k, start }: Case,
  { a, b, c, bias }: ReturnType<typeof place>,
): { value: number; tolerance: number }[] {
  return Array.from({ length: m * n }, (_, index) => {
    const [i, j] = [Math.floor(index / n), index % n];
    let value = 0;
    if (start === "add") value = at(c, i, j);
    else if (start !== "zero") value = at(bias, 0, start === "columns" ? j : i);
    let size = Math.abs(value);
    for (let step = 0; step < k; step++) {
      const product = at(a, i, step) * at(b, step, j);
      value += product;
      size += Math.abs(product);
    }
    return { value, tolerance: (k + 2) * 2 ** -24 * size };
  });
}

/** Runs a product, and checks every element, and that nothing beside C has changed. */
function check(matmul: Matmul, shape: Case): void {
  const placed = place(matmul, shape);
  const { m, n, k } = shape;
  const { c, operand, packedB, begin, end } = placed;
  const expected = reference(shape, placed);
  const before = floats.slice(0, end);
  matmul.multiply(m, n, k, operand, packedB, c, begin);
  const wrong = expected.findIndex(({ value, tolerance }, index) => {
    const place = c.address / 4 + Math.floor(index / n) * c.stride + (index % n);
    const got = floats[place]!;
    before[place] = got;
    return !(Math.abs(got - value) <= tolerance);
  });
  expect({ wrong, ...expected[wrong] }).toEqual({ wrong: -1 });
  expectSameBits(floats.subarray(0, end), before);
}

type Range = readonly [least: number, most: number];
const cases = (m: Range, n: Range, k: Range): fc.Arbitrary<Case> => {
  const within = ([min, max]: Range) => fc.integer({ min, max });
  return fc.record({
    m: within(m),
    n: within(n),
    k: within(k),
    transposedA: fc.boolean(),
    transposedB: fc.boolean(),
    packedA: fc.boolean(),
    start: fc.constantFrom("zero", "add", "columns", "rows"),
    gap: fc.nat(5),
  });
};

const plainCase: Case = {
  m: 0,
  n: 0,
  k: 0,
  transposedA: false,
  transposedB: true,
  packedA: false,
  start: "zero",
  gap: 0,
};

describe.each(PATHS)("a matrix product with %s multiply-add", (path) => {
  const matmul = new Matmul(memory, compileMatmul(path));

  it("agrees with float64 for all small shapes, and writes nothing but C", () => {
    fc.assert(
      fc.property(cases([0, 30], [0, 20], [0, 12]), (shape) => check(matmul, shape)),
      { numRuns: 300 },
    );
  });

  it("agrees with float64 over several blocks of k and of rows", () => {
    fc.assert(
      fc.property(cases([90, 230], [1, 20], [500, 1300]), (shape) => check(matmul, shape)),
      { numRuns: 12 },
    );
  });

  it("has every tail of rows and columns", () => {
    for (const packedA of [false, true]) {
      for (let m = 1; m <= PANEL_ROWS + 1; m++) {
        for (let n = 1; n <= 2 * PANEL_COLUMNS; n++) check(matmul, { ...plainCase, m, n, k: 5, packedA });
      }
    }
  });

  it("is what it begins with where k is 0", () => {
    for (const start of ["zero", "add", "columns", "rows"] as const) {
      check(matmul, { ...plainCase, m: 7, n: 11, start });
    }
  });

  it("takes addresses that are no multiples of 4", () => {
    const bytes = new Uint8Array(memory.buffer);
    const [a, b, c, packed] = [65, 1_001, 2_002, 4_003];
    const expected = place(matmul, { ...plainCase, m: 5, n: 9, k: 6 });
    const got = new Float32Array(5 * 9);
    matmul.multiply(5, 9, 6, expected.operand, expected.packedB, expected.c);
    const result = floats.slice(expected.c.address / 4, expected.c.address / 4 + got.length);
    const [from, weights] = [expected.a, expected.b].map(({ address }) =>
      bytes.slice(address, address + 216),
    );
    bytes.set(from!.subarray(0, 120), a);
    bytes.set(weights!, b);
    matmul.packB({ address: b, stride: 6, transposed: true }, 6, 9, { address: packed, depth: 6 });
    matmul.multiply(
      5,
      9,
      6,
      { address: a, stride: 6 },
      { address: packed, depth: 6 },
      { address: c, stride: 9 },
    );
    new Uint8Array(got.buffer).set(bytes.subarray(c, c + got.byteLength));
    expectSameBits(got, result);
  });

  it("has the same bits in any parts of its rows and columns, packed in any parts", () => {
    const parts = fc.record({
      shape: cases([1, 60], [1, 60], [1, 1100]),
      rows: fc.integer({ min: 1, max: 3 }),
      columns: fc.integer({ min: 1, max: 4 }),
      steps: fc.integer({ min: 1, max: 600 }),
    });
    fc.assert(
      fc.property(parts, ({ shape, rows, columns, steps }) => {
        const { m, n, k, start } = shape;
        const { a, b, c, bias, operand, packedB, begin } = place(matmul, shape);
        const [from, length] = [c.address / 4, m * c.stride];
        const before = floats.slice(from, from + length);
        matmul.multiply(m, n, k, operand, packedB, c, begin);
        const whole = floats.slice(from, from + length);
        floats.set(before, from);

        const [height, width] = [rows * PANEL_ROWS, columns * PANEL_COLUMNS];
        const within = (matrix: Matrix, i: number, j: number): Matrix => {
          const offset = matrix.transposed ? j * matrix.stride + i : i * matrix.stride + j;
          return { ...matrix, address: matrix.address + 4 * offset };
        };
        for (let step = 0; step < k; step += steps) {
          const depth = Math.min(steps, k - step);
          for (let j = 0; j < n; j += width) {
            matmul.packB(within(b, step, j), depth, Math.min(width, n - j), partOfB(packedB, step, j));
          }
          if (!("depth" in operand)) continue;
          for (let i = 0; i < m; i += height) {
            matmul.packA(within(a, i, step), Math.min(height, m - i), depth, partOfA(operand, i, step));
          }
        }
        for (let j = 0; j < n; j += width) {
          for (let i = 0; i < m; i += height) {
            const first = "depth" in operand ? partOfA(operand, i, 0) : within(a, i, 0);
            const own: Start =
              typeof begin === "string"
                ? begin
                : { ...begin, bias: bias.address + 4 * (start === "columns" ? j : i) };
            const [h, w] = [Math.min(height, m - i), Math.min(width, n - j)];
            matmul.multiply(h, w, k, first, partOfB(packedB, 0, j), within(c, i, j), own);
          }
        }
        expectSameBits(floats.slice(from, from + length), whole);
      }),
      { numRuns: 40 },
    );
  });

  it("has the same bits however A is given", () => {
    const shape = { ...plainCase, m: 50, n: 33, k: 700 };
    const results = [false, true].flatMap((transposedA) =>
      [false, true].map((packedA) => {
        const { a, operand, packedB, c } = place(matmul, { ...shape, packedA, transposedA });
        for (let i = 0; i < shape.m; i++) {
          for (let step = 0; step < shape.k; step++) {
            const offset = a.transposed ? step * a.stride + i : i * a.stride + step;
            floats[a.address / 4 + offset] = noise(i * shape.k + step);
          }
        }
        if ("depth" in operand) matmul.packA(a, shape.m, shape.k, operand);
        matmul.multiply(shape.m, shape.n, shape.k, operand, packedB, c);
        return floats.slice(c.address / 4, c.address / 4 + shape.m * shape.n);
      }),
    );
    for (const result of results) expectSameBits(result, results[0]!);
  });

  it("hands NaN and infinities on to the rows and columns they are in, and to no others", () => {
    const shape = { ...plainCase, m: 9, n: 10, k: 7 };
    const { a, operand, packedB, c } = place(matmul, shape);
    floats[a.address / 4 + 3 * a.stride + 2] = Number.NaN;
    floats[a.address / 4 + 5 * a.stride + 4] = Number.POSITIVE_INFINITY;
    matmul.multiply(shape.m, shape.n, shape.k, operand, packedB, c);
    const rows = Array.from({ length: shape.m }, (_, i) =>
      Array.from({ length: shape.n }, (_, j) => Number.isFinite(at(c, i, j))),
    );
    expect(rows.map((row) => row.every(Boolean))).toEqual(rows.map((_, i) => i !== 3 && i !== 5));
    expect(rows.flat().filter((finite) => !finite)).toHaveLength(2 * shape.n);
  });

  it("works with operands that end with the memory's last byte", () => {
    const small = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const inside = new Matmul(small, compileMatmul(path));
    const numbers = new Float32Array(small.buffer);
    const [m, n, k] = [7, 9, 5];
    const end = (count: number): number => PAGE - 4 * count;
    const [a, b] = [1024, 4096];
    const packed = { address: 8192, depth: k };
    numbers.fill(1, a / 4, a / 4 + m * k).fill(1, b / 4, b / 4 + k * n);
    inside.packB({ address: b, stride: n }, k, n, packed);
    inside.multiply(m, n, k, { address: a, stride: k }, packed, { address: end(m * n), stride: n });
    expect(numbers.slice(-m * n)).toEqual(new Float32Array(m * n).fill(k));
    inside.multiply(m, n, k, { address: a, stride: k }, packed, { address: end(m * n), stride: n }, "add");
    expect(numbers.slice(-m * n)).toEqual(new Float32Array(m * n).fill(2 * k));

    for (const transposed of [false, true]) {
      const source = { address: end(n * k), stride: transposed ? k : n, transposed };
      numbers.fill(3, source.address / 4);
      inside.packB(source, k, n, packed);
      inside.multiply(m, n, k, { address: a, stride: k }, packed, { address: 16_384, stride: n });
      expect(numbers.slice(4096, 4096 + m * n)).toEqual(new Float32Array(m * n).fill(3 * k));
    }
    numbers.fill(2, end(m * k) / 4);
    inside.multiply(m, n, k, { address: end(m * k), stride: k }, packed, { address: 16_384, stride: n });
    expect(numbers[4096]).toBe(6 * k);
    const bias = { bias: end(n), along: "columns" } as const;
    inside.multiply(m, n, 0, { address: a, stride: k }, packed, { address: 16_384, stride: n }, bias);
    expect(numbers[4096]).toBe(2);
  });

  it("has the same bits in another thread", async () => {
    const shape = { ...plainCase, m: 40, n: 30, k: 900 };
    // Two blocks of k, 450 each.
    const { operand, packedB, c } = place(matmul, shape);
    const code = compileMatmul(path);
    const { m, n, k } = shape;
    matmul.multiply(m, n, k, operand, packedB, c);
    const [from, to] = [c.address / 4, c.address / 4 + m * n];
    const here = floats.slice(from, to);
    floats.fill(0, from, to);
    // Plain JavaScript, and so the arguments of `multiplyRows` in `blocks.ts`; A is read by rows.
    const worker = new Worker(
      `const { memory, code, args } = require("node:worker_threads").workerData;
       const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
       instance.exports.multiplyRows(...args);`,
      {
        eval: true,
        workerData: {
          memory,
          code: code.code,
          args: [m, n, k, 450, operand.address, 4 * k, 0, packedB.address, 4 * k * PANEL_COLUMNS].concat(
            [c.address, 4 * n, 0, 0, 0], // C, and nothing that the product is added to.
          ),
        },
      },
    );
    await new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject));
    expectSameBits(floats.slice(from, to), here);
  });
});

describe("the multiply-add", () => {
  it("is the plain one where the environment says so", async () => {
    vi.stubEnv("SLUICE_MULTIPLY_ADD", "plain");
    vi.resetModules();
    const again = await import("../../src/workers/multiply-add.ts");
    expect(again.multiplyAdd()).toBe("plain");
    vi.unstubAllEnvs();
  });

  it("is the fused one from Node 22 on and behind its flag before, on a processor that has it", () => {
    const fused = PATHS.includes("relaxed");
    expect(multiplyAdd()).toBe(fused ? "relaxed" : "plain");
    if (!fused) return;
    const one = { address: 64, stride: 1 };
    const products = PATHS.map((path) => {
      const matmul = new Matmul(memory, compileMatmul(path));
      // A = [1 + 2^-12, 1] and B = [1 + 2^-12, -1]: the square has more digits than float32, and -1 shows them.
      floats.set([-1, 1 + 2 ** -12], 16);
      floats.set([1, 1 + 2 ** -12], 32);
      matmul.packB({ address: 128, stride: 1 }, 2, 1, { address: 1024, depth: 2 });
      matmul.multiply(
        1,
        1,
        2,
        { address: 64, stride: 2 },
        { address: 1024, depth: 2 },
        { ...one, address: 256 },
      );
      return floats[64];
    });
    expect(products).toEqual([2 ** -11, 2 ** -11 + 2 ** -24]);
  });
});
