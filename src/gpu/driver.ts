/**
 * @file Whether an OpenGL driver computes as the CPU does. Its specification promises next to nothing (OpenGL ES Shading
 * Language 1.00, section 4.5.2), so it is tried: numbers of all sizes, zeros, infinities and NaN, through what compilers
 * simplify.
 */
import { GpuError } from "../errors.ts";
import { backward } from "../ops/backward.ts";
import { evaluate } from "../ops/evaluate.ts";
import { fuse } from "../ops/fuse.ts";
import { parseChain } from "../ops/parse.ts";
import type { Gpu, HeldArray } from "./gpu.ts";
import { KernelSet } from "./kernels.ts";
import { programKernels } from "./program-kernels.ts";

const PROGRAMS = [
  // Choices that are a `min` or a `max` but for NaN and -0, and quotients.
  fuse(parseChain("relu | clamp(-0.25, 0.75) | div(3)")),
  // Sums and products that cancel.
  fuse(parseChain("mul(0.3) | add(1) | sub(1) | mul(7)")),
  { ...backward(parseChain("hard_tanh | leaky_relu(0.2)")), sums: [] },
];

const SPECIAL = [0, -0, Number.NaN, Infinity, -Infinity, 1, -1, 0.75, -0.25, 2 ** -100, 3e38, -3e38, 8388609];
const LENGTH = 4099;

/** @throws GpuError which says what it got wrong */
export async function checkDriver<Held extends HeldArray>(gpu: Gpu<Held>): Promise<void> {
  const staging = gpu.staging();
  try {
    for (const program of PROGRAMS) {
      const inputs = Array.from({ length: program.inputs }, (_, i) => numbers(i + 1));
      const expected = inputs.map((input) => input.slice());
      evaluate(program, "float32", expected.length === 1 ? expected[0]! : expected);
      const set = await KernelSet.compile(gpu, programKernels(program, null));
      try {
        const lengths = inputs.map((input) => input.length);
        for (const [i, array] of (await staging.open(lengths)).entries()) array.set(inputs[i]!);
        const flat = { length: LENGTH, channel: 0, within: 0, rowLength: 0 };
        await staging.run(
          lengths,
          (sent) => set.start(sent, flat),
          ([found]) => compare(inputs, found!, expected[program.target]!),
        );
      } finally {
        set.dispose();
      }
    }
  } finally {
    staging.close();
  }
}

function compare(inputs: readonly Float32Array[], found: Float32Array, expected: Float32Array): void {
  const at = expected.findIndex((value, i) => !Object.is(value, found[i]));
  if (at < 0) return;
  const of = inputs.map((input) => input[at]).join(" and ");
  throw new GpuError(`The OpenGL driver makes ${found[at]} of ${of}, not ${expected[at]}`, {
    remedy: "Update the driver, or compute on the CPU: --device cpu.",
  });
}

/** The special numbers in an order of its own, and others from 2^-10 to 2^10; a product of two is no subnormal one. */
function numbers(seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: LENGTH }, (_, i) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const special = SPECIAL[Math.floor(i / SPECIAL.length ** (seed - 1)) % SPECIAL.length]!;
    return i < SPECIAL.length ** 2 ? special : (state / 2 ** 31 - 1) * 2 ** ((i % 21) - 10);
  });
}
