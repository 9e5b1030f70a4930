/** @file A kernel as gpu.js takes it, whatever it makes of it: the settings, and what it leaves unchecked. */
import { GpuError } from "../errors.ts";
import type { Extent, HeldArray } from "./gpu.ts";
import type { ArgumentKind, KernelConstant, KernelSource } from "./kernel-source.ts";

export function settingsOf({
  constants,
  functions = [],
  arguments: kinds,
  plane = false,
}: KernelSource): Readonly<Record<string, unknown>> {
  const named = Object.entries(constants).map(([name, value]) => ({ name, ...constantOf(value) }));
  return {
    // Fixes the rank of the shape, and with `dynamicOutput` not its length.
    output: plane ? [1, 1] : [1],
    dynamicOutput: true,
    dynamicArguments: true,
    // Results stay on the device.
    pipeline: true,
    precision: "single",
    // A loop up to an argument ends here, without an error; the default is 1000.
    loopMaxIterations: 2 ** 31 - 1,
    functions,
    constants: Object.fromEntries(named.map(({ name, value }) => [name, value])),
    constantTypes: Object.fromEntries(named.map(({ name, type }) => [name, type])),
    // Where it is left to guess, the value of the first call decides whether an argument is an integer.
    argumentTypes: kinds.map((kind) => TYPES[kind]),
  };
}

function constantOf(constant: KernelConstant): { value: Float32Array | number; type: string } {
  if (constant instanceof Float32Array) return { value: constant, type: "Array" };
  if ("integer" in constant) return { value: constant.integer, type: "Integer" };
  const { float } = constant;
  // It is written out in decimals, and an infinity as the largest number there is.
  if (!Number.isFinite(float)) throw new RangeError(`gpu.js cannot take ${float} as a constant`);
  return { value: Math.fround(float), type: "Float" };
}

const TYPES: Readonly<Record<ArgumentKind, string>> = {
  array: "Input",
  table: "Input",
  integer: "Integer",
  float: "Float",
};
export const lengthOf = (extent: Extent): number =>
  typeof extent === "number" ? extent : extent[0] * extent[1];
export const isArray = (kind: ArgumentKind): boolean => kind === "array" || kind === "table";

/** What gpu.js does not check: a short array is read beyond its end without an error, and gives something. */
export function checkArguments(
  kinds: readonly ArgumentKind[],
  values: readonly (HeldArray | number)[],
  length: number,
): void {
  if (values.length !== kinds.length) {
    throw new RangeError(`The kernel takes ${kinds.length} arguments, not ${values.length}`);
  }
  if (length < 1) throw new RangeError("A kernel cannot give an empty array");
  for (const [i, value] of values.entries()) {
    const kind = kinds[i]!;
    if (isArray(kind) === (typeof value === "number"))
      throw new RangeError(`Argument ${i} is to be an ${kind}`);
    if (typeof value === "number") continue;
    const least = kind === "array" ? length : 1;
    if (value.length < least) {
      throw new RangeError(`Argument ${i} has ${value.length} elements, and the kernel reads ${least}`);
    }
  }
}

export function notCompiled(cause: Error): GpuError {
  // The kernel's text follows, which may be long; the cause has it.
  const [problem] = cause.message.split("\n--- generated WGSL ---");
  return new GpuError(`A kernel does not compile: ${problem!.trim()}`, {
    cause,
    remedy: "Report it, with this message; until then compute on the CPU: --device cpu.",
  });
}
