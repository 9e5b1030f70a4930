/** @file The chains that are measured: cheap ones, bound by memory or by the bus, and dear ones, bound by arithmetic. */

/** By name, `length` ops as text. */
export const CHAINS: Readonly<Record<string, (length: number) => string>> = {
  leaky_relu: (length) => repeat(["leaky_relu(0.2)"], length),
  tanh: (length) => repeat(["tanh"], length),
};

/** Each op is one multiplication or one addition, so that operations can be counted. */
export const arithmetic = (length: number): string => repeat(["mul(1.25)", "add(-0.25)"], length);

function repeat(ops: readonly string[], length: number): string {
  return Array.from({ length }, (_, i) => ops[i % ops.length]).join(" | ");
}
