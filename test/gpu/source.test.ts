/**
 * Programs as kernels: on the GPU straight pieces have the bits of the CPU, and functions are within their bounds.
 * Needs a GPU.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { opBounds, UNDERFLOW } from "../../src/gpu/functions/bounds.ts";
import { openGpuJs } from "../../src/gpu/gpu-js.ts";
import { programKernels } from "../../src/gpu/program-kernels.ts";
import { KernelText } from "../../src/gpu/source.ts";
import { backward } from "../../src/ops/backward.ts";
import type { BoundOp } from "../../src/ops/definition.ts";
import { evaluate } from "../../src/ops/evaluate.ts";
import * as e from "../../src/ops/expr.ts";
import { fuse, toProgram } from "../../src/ops/fuse.ts";
import { parseChain } from "../../src/ops/parse.ts";
import type { Program } from "../../src/ops/program.ts";
import { unit32 } from "../ops/functions/measure.ts";
import { arbitraryElements, arbitraryProgram, firstDifference } from "../support/expressions.ts";
import { runGpuKernel } from "../support/gpu-kernel.ts";
import { runOnGpu } from "../support/gpu-program.ts";
import { randomFrom } from "../support/random.ts";
import { expandFloat32 } from "./expand.ts";
import { beyond, sample, trueValues } from "./measure.ts";
import { CURVED, STRAIGHT } from "./ops.ts";
import { LOOSE, STRICT, simulate, staysNormal } from "./simulate.ts";

const SPECIAL = [0, -0, Number.NaN, Infinity, -Infinity, 1, -1, 0.5, 3, -3, 6, 2 ** -126, -3.4e38, 8388609];

/** Quarters around 0, numbers of all sizes, and the special ones, on both sides of a product. */
function pairs(length: number): { x: Float32Array; dy: Float32Array } {
  const random = randomFrom(3);
  const x = sample(length, 5).map((value, i) => (i % 2 === 0 ? value : Math.round(64 * random() - 32) / 4));
  const dy = Float32Array.from({ length }, () => 3 * random() - 1.5);
  for (const [i, value] of SPECIAL.entries()) {
    x[i] = value;
    for (const [k, other] of SPECIAL.entries()) {
      x[100 + i * SPECIAL.length + k] = value;
      dy[100 + i * SPECIAL.length + k] = other;
    }
  }
  return { x, dy };
}

/** What the CPU makes of it. */
function onCpu(program: Program, inputs: readonly Float32Array[]): Float32Array {
  const copies = inputs.map((input) => input.slice());
  evaluate(program, "float32", copies.length === 1 ? copies[0]! : copies);
  return copies[program.target]!;
}

/** Elements for which a step is subnormal are left out: a device may take them for 0. */
function expectSameWhereNormal(
  program: Program,
  inputs: readonly Float32Array[],
  got: Float32Array,
  expected: Float32Array,
) {
  const stays = staysNormal(expandFloat32(program.output), inputs);
  const of = (values: Float32Array) => values.map((value, i) => (stays[i] ? value : 0));
  const at = firstDifference("float32", of(got), of(expected));
  expect(at < 0 ? "" : `${inputs.map((input) => input[at])}: ${got[at]} is not ${expected[at]}`).toBe("");
}

describe("straight pieces", () => {
  const { x, dy } = pairs(4096);

  it.each([
    ...STRAIGHT,
    "mul(0.5) | mul(0.3) | add(1) | sub(1)",
    "mul(0) | add(0) | neg | add(-0.0)",
    "sub(1) | add(1)",
    "sub(0) | add(0)",
  ])("%s has the bits of the CPU, and its gradient", async (text) => {
    const chain = parseChain(text);
    for (const [program, inputs] of [
      [fuse(chain), [x]],
      [backward(chain), [x, dy]],
    ] as const) {
      const { output } = await runOnGpu(program, inputs);
      expectSameWhereNormal(program, inputs, output, onCpu(program, inputs));
    }
  });

  it("relu keeps -0 and NaN, clamp too, and what an infinity makes of it", async () => {
    const some = Float32Array.of(0, -0, Number.NaN, Infinity, -Infinity);
    const of = async (text: string) => [...(await runOnGpu(fuse(parseChain(text)), [some])).output];
    expect(await of("relu")).toEqual([0, -0, Number.NaN, Infinity, 0]);
    expect(await of("clamp(-1, 1)")).toEqual([0, -0, Number.NaN, 1, -1]);
    expect(await of("leaky_relu(0.1)")).toEqual([0, -0, Number.NaN, Infinity, -Infinity]);
    expect(await of("mul(0)")).toEqual([0, -0, Number.NaN, Number.NaN, Number.NaN]);
    expect(await of("add(0)")).toEqual([0, 0, Number.NaN, Infinity, -Infinity]);
    expect(await of("log_sigmoid | neg")).toEqual(
      [Math.LN2, Math.LN2, Number.NaN, -0, Infinity].map(Math.fround),
    );
  });
});

describe("functions", () => {
  const x = sample(6000, 11);
  const ones = new Float32Array(x.length).fill(1);

  it.each(CURVED)(
    "%s is within its bounds and what JavaScript makes of it, and its gradient",
    async (text) => {
      const chain = parseChain(text);
      const { value, gradient } = opBounds[text.replace(/\(.*/, "")]!;
      for (const [program, inputs, bound] of [
        [fuse(chain), [x], value],
        [backward(chain), [x, ones], gradient],
      ] as const) {
        const { output } = await runOnGpu(program, inputs);
        expect(beyond(bound, x, output, trueValues(program, inputs))).toEqual([]);
        const simulated = simulate(expandFloat32(program.output), inputs, STRICT);
        expectSameWhereNormal(program, inputs, output, simulated);
      }
    },
  );
});

it("random programs have the bits of the CPU", { timeout: 120_000 }, async () => {
  const programs = fc.tuple(arbitraryProgram(), arbitraryElements("float32", { maxLength: 200 }));
  await fc.assert(
    fc.asyncProperty(programs, async ([program, x]) => {
      if (x.length === 0) return;
      const count = program.channels[0]?.values.length ?? 1;
      const channels = { count, stride: 2 };
      const expected = x.slice();
      evaluate(program, "float32", expected, { ...channels, first: 1 });
      const { output } = await runOnGpu(program, [x], { channels, channel: 0, within: 1 });
      const tables = program.channels.map(({ values }) =>
        x.map((_, i) => values[Math.floor((1 + i) / 2) % count]!),
      );
      expectSameWhereNormal(program, [x, ...tables], output, expected);
    }),
    { numRuns: 60 },
  );
});

describe("random chains", () => {
  // Of waves, the ends of an interval do not tell how far its inner is off.
  const isWave = (text: string): boolean => text === "sin" || text === "cos";
  const link = fc.constantFrom(...STRAIGHT, ...CURVED.filter((text) => !isWave(text)));
  const chains = fc.array(link, { minLength: 2, maxLength: 6 }).map((links) => parseChain(links.join(" | ")));
  const x = sample(500, 17).map((value) => Math.max(-30, Math.min(value, 30)));

  it("are as far from the CPU's float64 as their links may be", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(chains, async (chain) => {
        const { output } = await runOnGpu(fuse(chain), [x]);
        const { values, errors } = propagate(chain, x);
        const far = [...x.keys()].filter((i) => {
          const isOff = !(Math.abs(output[i]! - values[i]!) <= errors[i]!);
          return isOff && Number.isFinite(values[i]! + errors[i]!);
        });
        expect(far.map((i) => `${x[i]}: ${output[i]} is not ${values[i]} within ${errors[i]}`)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it("give gradients near those of the CPU, where a rounding does not count for much", {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(chains, async (chain) => {
        await expectNear({ ...backward(chain), sums: [] }, [x, x.map((value, i) => (i % 3) - value)]);
      }),
      { numRuns: 20 },
    );
  });
});

/** Within a hundredth, where both simulated devices are within a thousandth of the CPU's float64. */
async function expectNear(program: Program, inputs: readonly Float32Array[]): Promise<void> {
  const { output } = await runOnGpu(program, inputs);
  const exact = trueValues(program, inputs);
  const expanded = expandFloat32(program.output);
  const simulated = [STRICT, LOOSE].map((liberties) => simulate(expanded, inputs, liberties));
  const isNear = (a: number, b: number, share: number): boolean =>
    Object.is(a, b) || Math.abs(a - b) <= share * Math.abs(b);
  const far = [...exact.keys()].filter((i) => {
    const isSteady =
      Math.abs(exact[i]!) > 2 ** -100 && simulated.every((each) => isNear(each[i]!, exact[i]!, 1e-3));
    return isSteady && !isNear(output[i]!, exact[i]!, 1e-2);
  });
  expect(far.map((i) => `${inputs.map((input) => input[i])}: ${output[i]} is not ${exact[i]}`)).toEqual([]);
}

/** The values of a chain in float64, and how far off each may be: what its links add, and make of what is off before. */
function propagate(
  chain: readonly BoundOp[],
  x: Float32Array,
): { values: Float64Array; errors: Float64Array } {
  let values: Float64Array = Float64Array.from(x);
  let errors: Float64Array = new Float64Array(x.length);
  for (const link of chain) {
    const program = fuse([link]);
    const { ulp, absolute } = opBounds[link.op.name]?.value ?? { ulp: 1, absolute: UNDERFLOW };
    const at = (share: number): Float64Array => {
      const moved = values.map((value, i) => (share === 0 ? value : value + share * errors[i]!));
      evaluate(program, "float64", moved);
      return moved;
    };
    const [exact, ...moved] = [at(0), at(-1), at(-0.5), at(0.5), at(1)] as [Float64Array, ...Float64Array[]];
    errors = errors.map((_, i) => {
      const spread = Math.max(...moved.map((each) => Math.abs(each[i]! - exact[i]!)));
      const most = Math.abs(exact[i]!) + spread;
      return most < 2 ** 127 ? 1.5 * spread + ulp * unit32(most) + absolute : Infinity;
    });
    values = exact;
  }
  return { values, errors };
}

it("constants keep every bit", async () => {
  const random = randomFrom(23);
  const words = Uint32Array.from({ length: 60 }, () => random() * 2 ** 32);
  const constants = [...new Float32Array(words.buffer), ...SPECIAL, 2 ** -149, -(2 ** -140), 16777217, 1e21];
  const x = Float32Array.from(constants.keys());
  const chosen = constants.reduceRight<e.Num>(
    (rest, value, i) => e.where(e.eq(e.x, i), value, rest),
    e.constant(0),
  );
  const { output } = await runOnGpu(toProgram(chosen), [x]);
  expect(firstDifference("float32", output, Float32Array.from(constants))).toBe(-1);
});

it("whole quotients are exact up to 2^31", { timeout: 60_000 }, async () => {
  const gpu = await openGpuJs();
  const random = randomFrom(29);
  for (const divisor of [1, 2, 3, 7, 49, 255, 4096, 65_537, 16_777_217, 2 ** 30]) {
    // Multiples of the divisor and their neighbours, and any others; in two halves, as floats hold 24 digits.
    const numbers = Array.from({ length: 600 }, (_, i) => {
      const any = Math.floor(random() * (2 ** 31 - 2)) + 1;
      return i % 4 === 3 ? any : Math.max(0, any - (any % divisor) + (i % 4) - 1);
    });
    const text = new KernelText();
    const number = "((high[this.thread.x >> 1] | 0) * 65536 + (low[this.thread.x >> 1] | 0))";
    const quotient = text.quotient(number, divisor);
    const kernel = await gpu.kernel(
      text.build(
        [
          ["high", "table"],
          ["low", "table"],
        ],
        [`return (this.thread.x & 1) === 0 ? (${quotient}) >> 16 : (${quotient}) & 65535;`],
      ),
    );
    const halves = [(n: number) => n >>> 16, (n: number) => n & 65535].map((half) =>
      Float32Array.from(numbers, half),
    );
    const found = await runGpuKernel(gpu, kernel, halves, 2 * numbers.length);
    const expected = numbers.flatMap((n) => [
      Math.floor(n / divisor) >>> 16,
      Math.floor(n / divisor) & 65535,
    ]);
    expect([...found]).toEqual(expected);
    kernel.dispose();
  }
});

it("a chain of 50 ops is one kernel, forward and backward", { timeout: 60_000 }, async () => {
  const ops = [
    "leaky_relu(0.1)",
    "mul(0.9)",
    "tanh",
    "add(0.1)",
    "silu",
    "softplus",
    "sigmoid",
    "erf",
    "clamp(-1, 1)",
  ];
  const chain = parseChain(Array.from({ length: 50 }, (_, i) => ops[i % ops.length]).join(" | "));
  const x = sample(1000, 31);
  for (const [program, inputs] of [
    [fuse(chain), [x]],
    [{ ...backward(chain), sums: [] }, [x, x]],
  ] as const) {
    expect(programKernels(program, null)).toHaveLength(1);
    await expectNear(program, inputs);
  }
});
